// SPDX-License-Identifier: Apache-2.0
// Settings of `zapnic serve`: who wins, and what is said about wrong ones.
#include "service/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct zn_settings settings;
static char err[ZN_SETTINGS_ERR];

// Loads the words of `flags` and a file with `text`, if any.
static int load(const char *flags, const char *text)
{
    char path[] = "/tmp/zn_settings_XXXXXX", line[1024], *argv[32] = { "serve" }, *save;
    int argc = 1, rc;

    snprintf(line, sizeof line, "%s", flags);
    for (char *word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    if (text != NULL) {
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        argv[argc++] = "--config";
        argv[argc++] = path;
    }
    zn__settings_deinit(&settings);
    assert_int_equal(zn__settings_init(&settings), 0);
    err[0] = '\0';
    rc = zn__settings_load(&settings, argc, argv, err);
    if (text != NULL)
        unlink(path);
    return rc;
}

static void assert_refused(const char *flags, const char *text, const char *why)
{
    assert_int_not_equal(load(flags, text), 0);
    if (strstr(err, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, err);
}

static int clear(void **state)
{
    (void)state;
    unsetenv("ZAPNIC_PORT");
    unsetenv("ZAPNIC_CORS_ORIGIN");
    unsetenv("ZAPNIC_DEFLATE");
    zn__settings_deinit(&settings);
    return 0;
}

static void settings_nothing_given_are_defaults(void **state)
{
    (void)state;
    assert_int_equal(load("", NULL), 0);
    assert_int_equal(settings.port, 3000);
    assert_int_equal(settings.threads, 0);
    assert_null(settings.host);
    assert_string_equal(settings.path, "/socket.io/");
    assert_int_equal(settings.max_payload, 1000000);
    assert_int_equal(settings.buffer, 4 << 20);
    assert_int_equal(settings.unfinished, 0);
    assert_true(settings.demo);
    assert_false(settings.deflate);
    assert_int_equal(settings.cors_origin.len, 0);
}

static void settings_flag_wins_over_environment_over_file(void **state)
{
    (void)state;
    assert_int_equal(load("", "port = 1\ndrain-ms = 7\n"), 0);
    assert_int_equal(settings.port, 1);
    setenv("ZAPNIC_PORT", "2", 1);
    assert_int_equal(load("", "port = 1\ndrain-ms = 7\n"), 0);
    assert_int_equal(settings.port, 2);
    assert_int_equal(settings.drain_ms, 7);
    assert_int_equal(load("--port=3", "port = 1\n"), 0);
    assert_int_equal(settings.port, 3);
}

static void settings_list_grows_in_one_place_and_is_replaced_by_another(void **state)
{
    (void)state;
    const char *file = "[serve]\ncors-origin = https://f1, https://f2\ncors-origin = https://f3\n";

    assert_int_equal(load("", file), 0);
    assert_int_equal(settings.cors_origin.len, 3);
    assert_string_equal(settings.cors_origin.list[2], "https://f3");
    setenv("ZAPNIC_CORS_ORIGIN", "https://e1", 1);
    assert_int_equal(load("", file), 0);
    assert_int_equal(settings.cors_origin.len, 1);
    assert_int_equal(load("--cors-origin https://a --cors-origin https://b", file), 0);
    assert_int_equal(settings.cors_origin.len, 2);
    assert_string_equal(settings.cors_origin.list[1], "https://b");
}

static void settings_numbers_take_suffixes_and_bounds(void **state)
{
    (void)state;
    assert_int_equal(load("--buffer 8K --max-payload 1m", NULL), 0);
    assert_int_equal(settings.buffer, 8192);
    assert_int_equal(settings.max_payload, 1 << 20);
    assert_refused("--port 65536", NULL, "--port: takes a number from 0 to 65535, not '65536'");
    assert_refused("--port 64k", NULL, "not '64k'");
    assert_refused("--port -1", NULL, "not '-1'");
    assert_refused("--port 1x", NULL, "not '1x'");
    assert_refused("--port=", NULL, "not ''");
    assert_refused("--buffer 99999999999999999999", NULL, "--buffer");
    assert_refused("--buffer 18446744073709551615g", NULL, "--buffer");
}

static void settings_switch_alone_or_with_word_is_taken(void **state)
{
    (void)state;
    assert_int_equal(load("--deflate --demo=no", NULL), 0);
    assert_true(settings.deflate);
    assert_false(settings.demo);
    setenv("ZAPNIC_DEFLATE", "maybe", 1);
    assert_refused("", NULL, "ZAPNIC_DEFLATE: takes yes or no, not 'maybe'");
}

static void settings_wrong_flag_is_named(void **state)
{
    (void)state;
    assert_refused("--prot 1", NULL, "--prot: there is no such flag");
    assert_refused("--port", NULL, "--port: a value must follow");
    assert_refused("extra", NULL, "'extra' is not expected here");
    assert_refused("--overflow maybe", NULL, "disconnect, drop-oldest, drop-newest; not 'maybe'");
}

static void settings_wrong_line_of_file_is_named(void **state)
{
    char text[600];

    (void)state;
    assert_refused("", "# fine\n\nprot = 1\n", ":3: prot: there is no such setting");
    assert_refused("", "port = x\n", ":1: port: takes a number");
    assert_refused("", "port = 1\nno sense\n", ":2: lines look like");
    assert_refused("", "[other]\nport = 1\n", ":2: there is no section [other]");
    assert_refused("", "config = /etc/other\n", ":1: config cannot stand in a file");
    memset(text, 'a', sizeof text);
    memcpy(text, "host = ", 7);
    strcpy(text + sizeof text - 2, "\n");
    assert_refused("", text, ":1: the line is too long");
    assert_refused("--config /nonexistent/zapnic.conf", NULL,
                   "/nonexistent/zapnic.conf: No such file");
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_refused("--cert a.pem", NULL, "--cert and --key go together");
    assert_refused("--path socket.io", NULL, "--path takes a path");
    assert_refused("--path /a\"b/", NULL, "--path takes a path");
    assert_refused("--path /", NULL, "--demo=no");
    assert_int_equal(load("--path / --demo=no", NULL), 0);
    assert_refused("--cors-upgrades", NULL, "needs at least one --cors-origin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(settings_nothing_given_are_defaults, clear),
        cmocka_unit_test_teardown(settings_flag_wins_over_environment_over_file, clear),
        cmocka_unit_test_teardown(settings_list_grows_in_one_place_and_is_replaced_by_another,
                                  clear),
        cmocka_unit_test_teardown(settings_numbers_take_suffixes_and_bounds, clear),
        cmocka_unit_test_teardown(settings_switch_alone_or_with_word_is_taken, clear),
        cmocka_unit_test_teardown(settings_wrong_flag_is_named, clear),
        cmocka_unit_test_teardown(settings_wrong_line_of_file_is_named, clear),
        cmocka_unit_test_teardown(settings_that_contradict_each_other_are_refused, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
