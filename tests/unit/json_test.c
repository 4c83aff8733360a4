// SPDX-License-Identifier: Apache-2.0
// JSON text: exactly the grammar of JSON.parse (ECMA-262, RFC 8259) in bounded
// depth, every prefix against a guard page; strings read and written as
// JSON.parse and JSON.stringify do.
#include "guard.h"
#include "proto/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct guard guard;

static struct zn_slice guarded(const char *text, size_t len)
{
    return (struct zn_slice){ (char *)guard_copy(&guard, text, len), len };
}

static struct zn_slice slice(const char *text)
{
    return (struct zn_slice){ text, strlen(text) };
}

static void assert_slice(struct zn_slice got, const char *text)
{
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.p, text, got.len);
}

static void text_of_each_kind_is_one_value(void **state)
{
    static const struct {
        const char *text;
        enum zn_json_kind kind;
    } good[] = {
        { "0", ZN_JSON_NUMBER },
        { "-0", ZN_JSON_NUMBER },
        { "10", ZN_JSON_NUMBER },
        { "-1.50e+10", ZN_JSON_NUMBER },
        { "1E5", ZN_JSON_NUMBER },
        { "0e-0", ZN_JSON_NUMBER },
        { "1e999999999999", ZN_JSON_NUMBER },
        { "123456789012345678901234567890.123456789", ZN_JSON_NUMBER },
        { "true", ZN_JSON_TRUE },
        { "false", ZN_JSON_FALSE },
        { "null", ZN_JSON_NULL },
        { "\"\"", ZN_JSON_STRING },
        { "\"a\\\"b\"", ZN_JSON_STRING },
        { "\"\\\\\"", ZN_JSON_STRING },
        { "\"\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"", ZN_JSON_STRING },
        { "\"\\ud800\"", ZN_JSON_STRING }, // a lone surrogate is legal
        { "\"\x7f\xe2\x80\xa8\"", ZN_JSON_STRING },
        { "\"0123456789abcdef0123456789abcdef\"", ZN_JSON_STRING },
        { "[]", ZN_JSON_ARRAY },
        { "[1,\"a\",{},[],null]", ZN_JSON_ARRAY },
        { "[[[[]],[]]]", ZN_JSON_ARRAY },
        { "{}", ZN_JSON_OBJECT },
        { "{\"\":{\"a\":[{}]},\"a\":1,\"a\":2}", ZN_JSON_OBJECT },
        { "{ \"a\"\t:\n1\r, \"b\" : [ ] }", ZN_JSON_OBJECT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t len = strlen(good[i].text);
        struct zn_slice in = guarded(good[i].text, len);
        enum zn_json_kind kind;
        struct zn_slice value;

        assert_true(zn__json_valid(in));
        assert_int_equal(zn__json_value(in, &kind, &value), len);
        assert_int_equal(kind, good[i].kind);
        assert_true(zn__slice_eq(value, in));
        // No prefix is a value, but for numbers.
        for (size_t n = 0; n < len && kind != ZN_JSON_NUMBER; n++) {
            assert_false(zn__json_valid(guarded(good[i].text, n)));
        }
    }
}

static void text_with_space_around_is_trimmed(void **state)
{
    enum zn_json_kind kind;
    struct zn_slice value;

    (void)state;
    assert_int_equal(zn__json_value(slice(" \t\r\n[1] \n,"), &kind, &value), 7);
    assert_slice(value, "[1]");
    assert_true(zn__json_valid(slice(" \t\r\n[1] \n")));
    assert_int_equal(zn__json_value(slice("12,"), NULL, NULL), 2);
    assert_slice(zn__json_trim(slice(" \t\r\na b \n")), "a b");
    assert_int_equal(zn__json_trim(slice(" \n")).len, 0);
}

static void text_that_is_no_json_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {
#define BAD(text) { text, sizeof(text) - 1 }
        BAD(""),
        BAD(" "),
        BAD("+1"),
        BAD("01"),
        BAD("-"),
        BAD("-01"),
        BAD("-a"),
        BAD(".5"),
        BAD("1."),
        BAD("1.e5"),
        BAD("1e"),
        BAD("1e+"),
        BAD("1e1.5"),
        BAD("0x10"),
        BAD("1_0"),
        BAD("NaN"),
        BAD("Infinity"),
        BAD("-Infinity"),
        BAD("undefined"),
        BAD("True"),
        BAD("tru"),
        BAD("truee"),
        BAD("nul"),
        BAD("'a'"),
        BAD("\""),
        BAD("\"\\\""),
        BAD("\"\\a\""),
        BAD("\"\\x41\""),
        BAD("\"\\u12\""),
        BAD("\"\\u12g4\""),
        BAD("\"\\U0041\""),
        BAD("\"\\\n\""),
        BAD("\"\n\""),
        BAD("\"\t\""),
        BAD("\"\0\""),
        BAD("\"0123456789abcde\x1f\""),
        BAD("\"01234567\x01\""),
        BAD("a"),
        BAD("1 2"),
        BAD("\"a\"\"b\""),
        BAD("["),
        BAD("]"),
        BAD("[1"),
        BAD("[1,"),
        BAD("[1,]"),
        BAD("[,1]"),
        BAD("[1 2]"),
        BAD("[1}"),
        BAD("[]]"),
        BAD("[1:2]"),
        BAD("{"),
        BAD("}"),
        BAD("{1:2}"),
        BAD("{a:1}"),
        BAD("{\"a\"}"),
        BAD("{\"a\":}"),
        BAD("{\"a\":1,}"),
        BAD("{,\"a\":1}"),
        BAD("{\"a\" 1}"),
        BAD("{\"a\":1]"),
        BAD("{\"a\":1 \"b\":2}"),
        BAD("{\"a\":1:2}"),
        BAD("[1]//"),
        BAD("/**/1"),
        BAD("\xef\xbb\xbf[]"), // a byte order mark
        BAD("[\v1]"),
        BAD("[\xc2\xa0"
            "1]"),
        BAD("1\0"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (zn__json_valid(guarded(bad[i].text, bad[i].len))) {
            print_error("taken: %s\n", bad[i].text);
            fail();
        }
    }
    assert_false(zn__json_valid((struct zn_slice){ NULL, 0 }));
}

// Depth is counted, not recursed into; brackets of any mix.
static void text_deeper_than_the_limit_is_refused(void **state)
{
    char text[8 * ZN_JSON_DEPTH_MAX];

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        char *p = text;

        for (int i = 0; i < ZN_JSON_DEPTH_MAX + extra; i++) {
            p = i % 2 == 0 ? mempcpy(p, "[", 1) : mempcpy(p, "{\"a\":", 5);
        }
        *p++ = '1';
        for (int i = ZN_JSON_DEPTH_MAX + extra; i-- > 0;) {
            *p++ = i % 2 == 0 ? ']' : '}';
        }
        assert_int_equal(zn__json_valid((struct zn_slice){ text, (size_t)(p - text) }), extra == 0);
    }
    memset(text, '[', sizeof(text));
    assert_int_equal(zn__json_value((struct zn_slice){ text, sizeof(text) }, NULL, NULL), -EPROTO);
}

// The wide scan sees each byte that ends it at each place.
static void string_with_stop_anywhere_is_scanned_to_it(void **state)
{
    static const char stops[] = { '"', '\\', 0, 0x1f };
    char text[80];

    (void)state;
    for (size_t stop = 0; stop < sizeof(stops); stop++) {
        for (size_t at = 1; at < 70; at++) {
            struct zn_slice in;
            ssize_t expected = stops[stop] == '"' ? (ssize_t)at + 1 : -EPROTO;

            memset(text, '\x80', sizeof(text));
            text[0] = text[sizeof(text) - 1] = '"';
            text[at] = stops[stop];
            in = guarded(text, stops[stop] == '"' ? at + 1 : sizeof(text));
            assert_int_equal(zn__json_value(in, NULL, NULL), expected);
        }
    }
}

static void elements_of_array_are_walked(void **state)
{
    static const char *const expected[] = { "1", "\"a,]\"", "{\"b\":[2,3]}", "[4]", "null" };
    static const char text[] = " [ 1 ,\"a,]\",{\"b\":[2,3]}\n,[4], null ] ";
    struct zn_slice inside = zn__json_inside(guarded(text, sizeof(text) - 1));
    struct zn_slice value;
    enum zn_json_kind kind;
    size_t cursor = 0;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(zn__json_next(inside, &cursor, &kind, &value), 1);
        assert_slice(value, expected[i]);
    }
    assert_int_equal(kind, ZN_JSON_NULL);
    assert_int_equal(zn__json_next(inside, &cursor, &kind, &value), 0);
    assert_int_equal(zn__json_next(inside, &cursor, &kind, &value), 0);
    cursor = 0;
    assert_int_equal(zn__json_next(zn__json_inside(slice("[ ]")), &cursor, &kind, &value), 0);
    assert_int_equal(zn__json_next((struct zn_slice){ NULL, 0 }, &cursor, &kind, &value), 0);
    // One element that is an array: not taken for the array around.
    assert_int_equal(zn__json_next(slice("[1,2]"), &cursor, &kind, &value), 1);
    assert_slice(value, "[1,2]");
}

static void member_of_object_is_found(void **state)
{
    static const char object[] =
        " { \"a\" : 1 , \"b\":{\"a\":2},\"\\u0063\":[3],\"a\":\"last\",\"a\\u0000\":4,\"\":5 } ";
    struct zn_slice in = guarded(object, sizeof(object) - 1);
    struct zn_slice value;
    enum zn_json_kind kind;

    (void)state;
    assert_true(zn__json_member(in, ZN_SLICE("a"), &kind, &value));
    assert_int_equal(kind, ZN_JSON_STRING);
    assert_slice(value, "\"last\"");
    assert_true(zn__json_member(in, ZN_SLICE("b"), &kind, &value));
    assert_slice(value, "{\"a\":2}");
    assert_true(zn__json_member(in, ZN_SLICE("c"), NULL, &value));
    assert_slice(value, "[3]");
    assert_true(zn__json_member(in, ZN_SLICE("a\0"), &kind, &value));
    assert_slice(value, "4");
    assert_true(zn__json_member(in, ZN_SLICE(""), &kind, NULL));
    assert_false(zn__json_member(in, ZN_SLICE("d"), &kind, &value));
    assert_false(zn__json_member(slice("{}"), ZN_SLICE("a"), &kind, &value));
}

static void string_with_escapes_is_read_as_utf8(void **state)
{
    static const struct {
        const char *value, *text;
    } strings[] = {
        { "\"\"", "" },
        { "\"abc\"", "abc" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\"\\ud83d\"", "\xef\xbf\xbd" },
        { "\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\\ude00\\ude00\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
        { "\"\\ud83dx\"", "\xef\xbf\xbdx" },
        { "\"\\ud83d\\n\"", "\xef\xbf\xbd\n" },
        { "\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                "A" },
        { "\"\\uDBFF\\uDFFF\\uD800\\uDC00\"", "\xf4\x8f\xbf\xbf\xf0\x90\x80\x80" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        size_t len = strlen(strings[i].text);
        struct zn_slice value = guarded(strings[i].value, strlen(strings[i].value));
        char out[64];

        assert_true(zn__json_valid(value));
        assert_int_equal(zn__json_string(value, out, sizeof(out)), len);
        assert_memory_equal(out, strings[i].text, len);
        assert_true(zn__json_string_eq(value, slice(strings[i].text)));
        assert_false(zn__json_string_eq(value, ZN_SLICE("abcd")));
        assert_int_equal(zn__json_string(value, out, len), len);
        for (size_t cap = 0; cap < len; cap++) {
            assert_int_equal(zn__json_string(value, out, cap), -EMSGSIZE);
            assert_false(zn__json_string_eq(value, (struct zn_slice){ strings[i].text, cap }));
        }
    }
}

static void text_is_quoted_as_stringify_does(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *quoted;
    } texts[] = {
        { "", 0, "\"\"" },
        { "abc", 3, "\"abc\"" },
        { "\"\\/", 3, "\"\\\"\\\\/\"" },
        { "\b\t\n\v\f\r\x7f\0\x1f", 9, "\"\\b\\t\\n\\u000b\\f\\r\x7f\\u0000\\u001f\"" },
        { "\xc3\xa9\xe2\x80\xa8<>", 7, "\"\xc3\xa9\xe2\x80\xa8<>\"" },
        { "0123456789abcdef0\n", 18, "\"0123456789abcdef0\\n\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t len = strlen(texts[i].quoted);
        struct zn_slice text = guarded(texts[i].text, texts[i].len);
        char out[64];

        assert_int_equal(zn__json_quote(text, out, sizeof(out)), len);
        assert_memory_equal(out, texts[i].quoted, len);
        assert_int_equal(zn__json_quote(text, out, len), len);
        for (size_t cap = 0; cap < len; cap++) {
            assert_int_equal(zn__json_quote(text, out, cap), -EMSGSIZE);
        }
    }
    assert_int_equal(zn__json_quote((struct zn_slice){ NULL, 0 }, (char[2]){ 0 }, 2), 2);
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
        cmocka_unit_test(text_of_each_kind_is_one_value),
        cmocka_unit_test(text_with_space_around_is_trimmed),
        cmocka_unit_test(text_that_is_no_json_is_refused),
        cmocka_unit_test(text_deeper_than_the_limit_is_refused),
        cmocka_unit_test(string_with_stop_anywhere_is_scanned_to_it),
        cmocka_unit_test(elements_of_array_are_walked),
        cmocka_unit_test(member_of_object_is_found),
        cmocka_unit_test(string_with_escapes_is_read_as_utf8),
        cmocka_unit_test(text_is_quoted_as_stringify_does),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
