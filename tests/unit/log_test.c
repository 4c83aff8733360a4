// SPDX-License-Identifier: Apache-2.0
// Log lines of `zapnic serve`: one line an event whatever its fields hold.
#include "service/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static char *text;
static size_t text_len;

static void log_one(enum zn_log_format format, const char *event, const char *fields)
{
    struct zn_log log;
    FILE *out = open_memstream(&text, &text_len);

    assert_non_null(out);
    zn__log_init(&log, out, ZN_LOG_INFO, format);
    zn__log_event(ZN_LOG_WARN, event, fields, &log);
    fclose(out);
}

static int clear(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void assert_one_line(void)
{
    assert_ptr_equal(strchr(text, '\n'), text + text_len - 1);
    assert_null(strpbrk(text, "\r\x1b"));
}

static void log_text_shows_fields_in_order(void **state)
{
    (void)state;
    log_one(ZN_LOG_TEXT, "refused", "{\"peer\":\"127.0.0.1\",\"code\":1002,\"why\":\"a b\"}");
    assert_string_equal(text + strlen("2026-11-21T03:00:00.000Z"),
                        " warn  refused peer=127.0.0.1 code=1002 why=\"a b\"\n");
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[23], 'Z');
}

static void log_text_with_line_ends_stays_one_line(void **state)
{
    (void)state;
    log_one(ZN_LOG_TEXT, "refused", "{\"path\":\"/\\n2026 info forged\\u001b[31m\"}");
    assert_one_line();
    clear(NULL);
    log_one(ZN_LOG_TEXT, "refused", "no JSON\n2026 info forged");
    assert_one_line();
}

static void log_json_is_one_object_with_all_fields(void **state)
{
    (void)state;
    log_one(ZN_LOG_JSON, "refused", "{\"path\":\"/\\n\\\"x\",\"event\":\"forged\"}");
    assert_one_line();
    json_t *line = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "refused");
    assert_string_equal(json_string_value(json_object_get(line, "path")), "/\n\"x");
    assert_int_equal(json_string_length(json_object_get(line, "time")), 24);
    json_decref(line);
}

static void log_event_below_level_is_left_out(void **state)
{
    struct zn_log log;
    FILE *out = open_memstream(&text, &text_len);

    (void)state;
    zn__log_init(&log, out, ZN_LOG_WARN, ZN_LOG_TEXT);
    zn__log_event(ZN_LOG_INFO, "opened", NULL, &log);
    zn__log_pack(&log, ZN_LOG_DEBUG, "opened", "{s:i}", "n", 1);
    fclose(out);
    assert_int_equal(text_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(log_text_shows_fields_in_order, clear),
        cmocka_unit_test_teardown(log_text_with_line_ends_stays_one_line, clear),
        cmocka_unit_test_teardown(log_json_is_one_object_with_all_fields, clear),
        cmocka_unit_test_teardown(log_event_below_level_is_left_out, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
