// SPDX-License-Identifier: Apache-2.0
// Looking up what stands in a request: lists over several lines, query parameters,
// percent-encoding, and what may be echoed.
#include "guard.h"
#include "proto/http1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct guard guard;

static struct zn_slice guarded(const char *text)
{
    size_t len = strlen(text);

    return (struct zn_slice){ (char *)guard_copy(&guard, text, len), len };
}

// The elements of the list "L" in a head with these lines, joined by '|'.
static void assert_list(const char *lines, const char *expected)
{
    char head[512] = "GET / HTTP/1.1\r\nHost: a\r\n";
    char joined[512] = "";
    struct zn_http_req req;
    struct zn_slice element;
    uint32_t cursor = 0;

    strcat(strcat(head, lines), "\r\n");
    zn__http_req_init(&req);
    assert_int_equal(zn__http_req_parse(&req, head, strlen(head)), 0);
    while (zn__http_list_next(&req, head, ZN_SLICE("l"), &cursor, &element)) {
        assert_true(element.len > 0);
        strncat(joined, element.p, element.len);
        strcat(joined, "|");
    }
    assert_string_equal(joined, expected);
    assert_false(zn__http_list_next(&req, head, ZN_SLICE("l"), &cursor, &element));
}

static void list_in_several_lines_is_one_list(void **state)
{
    (void)state;
    assert_list("", "");
    assert_list("L:\r\n", "");
    assert_list("L: a\r\n", "a|");
    assert_list("L: a, b;q=1 ,\tc d\t\r\n", "a|b;q=1|c d|");
    assert_list("L: ,, ,a,,\r\nX: z\r\nl: ,\r\nL:b,c\r\n", "a|b|c|");
    assert_list("LL: x\r\nL: a\r\n", "a|");
}

static void list_with_quoted_strings_keeps_them_whole(void **state)
{
    (void)state;
    assert_list("L: a=\"x,y\", b\r\n", "a=\"x,y\"|b|");
    assert_list("L: \"a\\\",b\",c\r\n", "\"a\\\",b\"|c|");
    assert_list("L: \"a,b\r\nL: c\r\n", "\"a,b|c|");
    assert_list("L: \"a\\\r\nL: c\r\n", "\"a\\|c|");
    assert_list("L: a\\,b\r\n", "a\\|b|");
}

static void assert_query(const char *query, const char *key, const char *expected)
{
    struct zn_slice value;
    bool found = zn__http_query_find(guarded(query), (struct zn_slice){ key, strlen(key) }, &value);

    assert_int_equal(found, expected != NULL);
    if (found) {
        assert_int_equal(value.len, strlen(expected));
        assert_memory_equal(value.p, expected, value.len);
    }
}

static void query_with_key_gives_its_first_value(void **state)
{
    (void)state;
    assert_query("EIO=4&transport=polling&t=Ab", "EIO", "4");
    assert_query("EIO=4&transport=polling&t=Ab", "transport", "polling");
    assert_query("EIO=4&transport=polling&t=Ab", "t", "Ab");
    assert_query("EIO=4&EIO=3", "EIO", "4");
    assert_query("EIO", "EIO", "");
    assert_query("EIO=", "EIO", "");
    assert_query("&&EIO=a=b&", "EIO", "a=b");
    assert_query("a=%20+b", "a", "%20+b");
    assert_query("=x&b", "b", "");
    assert_query("=x", "", "x");
}

static void query_without_key_gives_nothing(void **state)
{
    struct zn_slice value;

    (void)state;
    assert_query("", "EIO", NULL);
    assert_query("xEIO=4&EIOx=4&eio=4", "EIO", NULL);
    assert_query("a=EIO=4", "EIO", NULL);
    assert_false(zn__http_query_find((struct zn_slice){ NULL, 0 }, ZN_SLICE("a"), &value));
}

static void assert_unescape(const char *in, bool plus, ssize_t expected, const char *text)
{
    char out[16];

    assert_int_equal(zn__http_unescape(guarded(in), plus, out, 8), expected);
    if (expected > 0) {
        assert_memory_equal(out, text, (size_t)expected);
    }
}

static void unescape_of_text_gives_bytes(void **state)
{
    (void)state;
    assert_unescape("", false, 0, "");
    assert_unescape("abc", false, 3, "abc");
    assert_unescape("a%20b%2F", false, 4, "a b/");
    assert_unescape("%e2%82%AC", false, 3, "\xe2\x82\xac");
    assert_unescape("a+b", false, 3, "a+b");
    assert_unescape("a+b%2b", true, 4, "a b+");
    assert_unescape("%00%0d%0A", false, 3, "\0\r\n");
    assert_unescape("%25%34%31", false, 3, "%41"); // once
    assert_unescape("12345678", false, 8, "12345678");
}

static void unescape_of_bad_or_long_text_is_refused(void **state)
{
    (void)state;
    assert_unescape("%", false, -EPROTO, NULL);
    assert_unescape("%4", false, -EPROTO, NULL);
    assert_unescape("a%4g", false, -EPROTO, NULL);
    assert_unescape("%%41", false, -EPROTO, NULL);
    assert_unescape("%u0041", false, -EPROTO, NULL);
    assert_unescape("123456789", false, -EMSGSIZE, NULL);
    assert_unescape("12345678%41", false, -EMSGSIZE, NULL);
}

// CVE-2026-1527: what goes back into a header must not end its line.
static void value_with_line_end_may_not_be_echoed(void **state)
{
    static const char *const good[] = { "a", "a b\tc", "\"\xc3\xa9\"", "0123456789abcdefgh" };
    static const char *const bad[] = {
        "a\r\nSet-Cookie: x",           "a\rb", "a\nb", "\x7f", " a", "a\t", "\x01",
        "0123456789abcdef0123456789\n",
    };

    (void)state;
    assert_true(zn__http_value_valid((struct zn_slice){ NULL, 0 }));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(zn__http_value_valid(guarded(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(zn__http_value_valid(guarded(bad[i])));
    }
    assert_false(zn__http_value_valid(ZN_SLICE("a\0b")));
}

static int guard_setup(void **state)
{
    (void)state;
    guard_init(&guard, 4096);
    return 0;
}

static int guard_teardown(void **state)
{
    (void)state;
    guard_deinit(&guard);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_in_several_lines_is_one_list),
        cmocka_unit_test(list_with_quoted_strings_keeps_them_whole),
        cmocka_unit_test(query_with_key_gives_its_first_value),
        cmocka_unit_test(query_without_key_gives_nothing),
        cmocka_unit_test(unescape_of_text_gives_bytes),
        cmocka_unit_test(unescape_of_bad_or_long_text_is_refused),
        cmocka_unit_test(value_with_line_end_may_not_be_echoed),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
