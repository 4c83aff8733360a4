// SPDX-License-Identifier: Apache-2.0
// Socket.IO packets against what socket.io-parser 4.2.7's Decoder makes of them.
#include "guard.h"
#include "proto/sio.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct guard guard;

static int decode(const char *text, size_t len, struct zn_sio_packet *packet)
{
    return zn__sio_decode((struct zn_slice){ (char *)guard_copy(&guard, text, len), len }, packet);
}

static void assert_slice(struct zn_slice got, const char *text)
{
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.p, text, got.len);
}

#define NO_ID UINT64_MAX

static const struct {
    const char *text;
    uint8_t type;
    uint8_t attachments;
    uint64_t id;
    const char *nsp, *data, *event, *args;
} good[] = {
    { "0", ZN_SIO_CONNECT, 0, NO_ID, "/", "", "", "" },
    { "0{}", ZN_SIO_CONNECT, 0, NO_ID, "/", "{}", "", "" },
    { "0{\"token\":\"123\"} \n", ZN_SIO_CONNECT, 0, NO_ID, "/", "{\"token\":\"123\"}", "", "" },
    { "0/x", ZN_SIO_CONNECT, 0, NO_ID, "/x", "", "", "" },
    { "0/x,", ZN_SIO_CONNECT, 0, NO_ID, "/x", "", "", "" },
    { "0/x,{\"a\":1}", ZN_SIO_CONNECT, 0, NO_ID, "/x", "{\"a\":1}", "", "" },
    { "0/x?a=b&c,{}", ZN_SIO_CONNECT, 0, NO_ID, "/x?a=b&c", "{}", "", "" },
    { "0/", ZN_SIO_CONNECT, 0, NO_ID, "/", "", "", "" },
    { "0/\xe6\x97\xa5,", ZN_SIO_CONNECT, 0, NO_ID, "/\xe6\x97\xa5", "", "", "" },
    { "01{}", ZN_SIO_CONNECT, 0, 1, "/", "{}", "", "" },
    { "1", ZN_SIO_DISCONNECT, 0, NO_ID, "/", "", "", "" },
    { "1/x,", ZN_SIO_DISCONNECT, 0, NO_ID, "/x", "", "", "" },
    { "1/x", ZN_SIO_DISCONNECT, 0, NO_ID, "/x", "", "", "" },
    { "2[\"a\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"a\"]", "\"a\"", "" },
    { "2[\"a\",1,{\"b\":[]}]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"a\",1,{\"b\":[]}]", "\"a\"",
      "1,{\"b\":[]}" },
    { "2/x,12[ \"a\" , 1 , 2 ]", ZN_SIO_EVENT, 0, 12, "/x", "[ \"a\" , 1 , 2 ]", "\"a\"", "1 , 2" },
    { "2[1.5e3,2]", ZN_SIO_EVENT, 0, NO_ID, "/", "[1.5e3,2]", "1.5e3", "2" },
    { "20[\"a\"]", ZN_SIO_EVENT, 0, 0, "/", "[\"a\"]", "\"a\"", "" },
    { "2007[\"a\"]", ZN_SIO_EVENT, 0, 7, "/", "[\"a\"]", "\"a\"", "" },
    { "21 [\"a\"]", ZN_SIO_EVENT, 0, 1, "/", "[\"a\"]", "\"a\"", "" },
    { "29007199254740991[\"a\"]", ZN_SIO_EVENT, 0, 9007199254740991, "/", "[\"a\"]", "\"a\"", "" },
    // CVE-2024-38355, prototype names: names as any other.
    { "2[\"error\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"error\"]", "\"error\"", "" },
    { "2[\"\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"\"]", "\"\"", "" },
    { "2[\"toString\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"toString\"]", "\"toString\"", "" },
    { "2[\"__proto__\",null]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"__proto__\",null]", "\"__proto__\"",
      "null" },
    { "2[\"Connect\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"Connect\"]", "\"Connect\"", "" },
    { "2[\"connect \"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"connect \"]", "\"connect \"", "" },
    { "2[\"connection\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"connection\"]", "\"connection\"", "" },
    { "2[\"connect\\u0000\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"connect\\u0000\"]",
      "\"connect\\u0000\"", "" },
    { "2[\"\\ud800\"]", ZN_SIO_EVENT, 0, NO_ID, "/", "[\"\\ud800\"]", "\"\\ud800\"", "" },
    // An object that looks like an attachment's place is data when there are none.
    { "2[\"a\",{\"_placeholder\":true,\"num\":9}]", ZN_SIO_EVENT, 0, NO_ID, "/",
      "[\"a\",{\"_placeholder\":true,\"num\":9}]", "\"a\"", "{\"_placeholder\":true,\"num\":9}" },
    { "3[]", ZN_SIO_ACK, 0, NO_ID, "/", "[]", "", "" },
    { "31[]", ZN_SIO_ACK, 0, 1, "/", "[]", "", "" },
    { "3/x,456[ \"a\",{} ]", ZN_SIO_ACK, 0, 456, "/x", "[ \"a\",{} ]", "", "\"a\",{}" },
    { "31[[1]]", ZN_SIO_ACK, 0, 1, "/", "[[1]]", "", "[1]" },
    { "31", ZN_SIO_ACK, 0, 1, "/", "", "", "" },
    { "31[\"connect\"]", ZN_SIO_ACK, 0, 1, "/", "[\"connect\"]", "", "\"connect\"" },
    { "4\"x\"", ZN_SIO_CONNECT_ERROR, 0, NO_ID, "/", "\"x\"", "", "" },
    { "4/x,{\"message\":\"no\"}", ZN_SIO_CONNECT_ERROR, 0, NO_ID, "/x", "{\"message\":\"no\"}", "",
      "" },
    { "4", ZN_SIO_CONNECT_ERROR, 0, NO_ID, "/", "", "", "" },
    { "51-[\"a\",{\"_placeholder\":true,\"num\":0}]", ZN_SIO_BINARY_EVENT, 1, NO_ID, "/",
      "[\"a\",{\"_placeholder\":true,\"num\":0}]", "\"a\"", "{\"_placeholder\":true,\"num\":0}" },
    { "510-/x,3[\"a\",{\"num\":9,\"_placeholder\":true}]", ZN_SIO_BINARY_EVENT, 10, 3, "/x",
      "[\"a\",{\"num\":9,\"_placeholder\":true}]", "\"a\"", "{\"num\":9,\"_placeholder\":true}" },
    { "51-[\"a\"]", ZN_SIO_BINARY_EVENT, 1, NO_ID, "/", "[\"a\"]", "\"a\"", "" },
    { "62-4[{\"_placeholder\":true,\"num\":1}]", ZN_SIO_BINARY_ACK, 2, 4, "/",
      "[{\"_placeholder\":true,\"num\":1}]", "", "{\"_placeholder\":true,\"num\":1}" },
    { "61-7", ZN_SIO_BINARY_ACK, 1, 7, "/", "", "", "" },
};

static void packet_of_each_type_is_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct zn_sio_packet packet;

        if (decode(good[i].text, strlen(good[i].text), &packet) != 0) {
            print_error("refused: %s\n", good[i].text);
            fail();
        }
        assert_int_equal(packet.type, good[i].type);
        assert_int_equal(packet.attachments, good[i].attachments);
        assert_int_equal(packet.has_id, good[i].id != NO_ID);
        assert_int_equal(packet.id, good[i].id == NO_ID ? 0 : good[i].id);
        assert_slice(packet.nsp, good[i].nsp);
        assert_slice(packet.data, good[i].data);
        assert_slice(packet.event, good[i].event);
        assert_slice(packet.args, good[i].args);
    }
}

static const char *const bad[] = {
    // Types.
    "7",
    "9",
    "a",
    "abc",
    "-1",
    "{}",
    "[\"a\"]",
    // Payloads of the wrong kind.
    "0[]",
    "0null",
    "0\"a\"",
    "0abc",
    "0{",
    "0{}x",
    "0{}{}",
    "1{}",
    "1null",
    "1/x,{}",
    "2{}",
    "2\"a\"",
    "2null",
    "2[]",
    "2[null]",
    "2[true]",
    "2[{}]",
    "2[[\"a\"]]",
    "2[{\"toString\":\"a\"}]",
    "2abc[\"a\"]",
    "2[\"a\"",
    "2[\"a\"]x",
    "2[\"a\",]",
    "2[,\"a\"]",
    "2[\"a\" \"b\"]",
    "2[a]",
    "2['a']",
    "2[\"a\"]]",
    "2[\"a\n\"]",
    "2[\"\\x\"]",
    "2[\"a\",01]",
    "2[\"a\",NaN]",
    "3{}",
    "31{}",
    "31null",
    "31\"a\"",
    "3[1",
    "4[]",
    "4null",
    "41.5",
    "4tru",
    // Reserved names, escaped too.
    "2[\"connect\"]",
    "2[\"connect_error\"]",
    "2[\"disconnect\"]",
    "2[\"disconnecting\"]",
    "2[\"newListener\"]",
    "2[\"removeListener\"]",
    "2[\"\\u0063onnect\"]",
    "2[\"remove\\u004cistener\",1]",
    "51-[\"disconnect\",{\"_placeholder\":true,\"num\":0}]",
    // Attachments: CVE-2026-33151, CVE-2026-69185.
    "51000000-[\"x\"]",
    "599999999999999999999999-[\"x\"]",
    "511-[\"a\"]",
    "50-[\"a\"]",
    "60-[]",
    "5-[\"a\"]",
    "5[\"a\"]",
    "51[\"a\"]",
    "51",
    "5",
    "6",
    "5--1-[\"a\"]",
    "5-1-[\"a\"]",
    "5+1-[\"a\"]",
    "51.0-[\"a\"]",
    "51e0-[\"a\"]",
    "50x1-[\"a\"]",
    "5 1-[\"a\"]",
    "51-{}",
    "51-[]",
    "61-{}",
    "51-[null]",
    // Places of attachments: CVE-2022-2421, CVE-2023-32695.
    "51-[{\"_placeholder\":true,\"num\":0}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":1}]",
    "52-[\"a\",{\"_placeholder\":true,\"num\":-1}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":1e9}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":null}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":\"splice\"}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":[0]}]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":{\"num\":0}}]",
    "51-[\"a\",{\"_placeholder\":true}]",
    "51-[\"a\",{\"num\":0,\"_placeholder\":true,\"num\":1}]",
    "51-[\"a\",{\"_placeholder\":false,\"_placeholder\":true,\"num\":1}]",
    "51-[\"a\",[[{\"x\":[{\"_placeholder\":true,\"num\":1}]}]]]",
    "51-[\"a\",{\"\\u005fplaceholder\":true,\"num\":1}]",
    "51-[\"a\",{\"_placeholder\" : true , \"n\\u0075m\" : 1 }]",
    "51-[\"a\",{\"_placeholder\":{\"_placeholder\":true},\"num\":0}]",
    "61-[{\"_placeholder\":true,\"num\":1}]",
    "510-[\"a\",{\"_placeholder\":true,\"num\":10}]",
};

static void packet_that_the_reference_refuses_is_refused(void **state)
{
    struct zn_sio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (decode(bad[i], strlen(bad[i]), &packet) != -EPROTO) {
            print_error("taken: %s\n", bad[i]);
            fail();
        }
    }
    assert_int_equal(decode("2[\"a\"]\0", 7, &packet), -EPROTO);
    assert_int_equal(decode("2[\"a\0\"]", 7, &packet), -EPROTO);
}

// What the reference takes and no encoder writes.
static void packet_that_is_ambiguous_is_refused(void **state)
{
    static const char *const odd[] = {
        "", // CONNECT, since Number("") is 0
        " ",
        "\t2[\"a\"]",
        "2",
        "2/x",
        "21",
        "51-", // an event without a name
        "2 [\"a\"]",
        "2 1[\"a\"]",
        "21 2[\"a\"]",
        "2/x, [\"a\"]",
        "31 ",
        "29007199254740992[\"a\"]",
        "299999999999999999999[\"a\"]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0.5}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":5e-1}]",
        "51-[\"a\",{\"x\":{\"_placeholder\":true,\"num\":9},\"x\":1}]",
    };
    struct zn_sio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(decode(odd[i], strlen(odd[i]), &packet), -EPROTO);
    }
    assert_int_equal(zn__sio_decode((struct zn_slice){ NULL, 0 }, &packet), -EPROTO);
}

static void placeholder_in_range_is_taken(void **state)
{
    static const char *const texts[] = {
        "52-[\"a\",{\"_placeholder\":true,\"num\":1}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":-0}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":1.00}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":1e0}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0.01e+2}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":100E-2}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0e99999999999999999999}]",
        "52-[\"a\",{\"_placeholder\":false,\"num\":9}]",
        "52-[\"a\",{\"_placeholder\":1,\"num\":9}]",
        "52-[\"a\",{\"_placeholder\":\"true\",\"num\":9}]",
        "52-[\"a\",{\"num\":9}]",
        "52-[\"a\",[\"_placeholder\",true,\"num\",9]]",
        "52-[\"a\",{\"_placeholder\":true,\"_placeholder\":false,\"num\":9}]",
        "52-[\"a\",{\"num\":9,\"_placeholder\":true,\"num\":0}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0,\"x\":{\"_placeholder\":true,\"num\":9}}]",
        "52-[\"a\",{\"x\":[{\"_placeholder\":true}],\"_placeholder\":true,\"num\":0}]",
        "52-[\"a\",{\"_placeholderx\":true,\"num\":9}]",
        "52-[\"a\",{\"x_placeholder\":true,\"num\":9}]",
        "52-[\"a\",{\"y\":{\"_placeholder\":true,\"num\":0}},{\"_placeholder\":true,\"num\":1}]",
    };
    struct zn_sio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (decode(texts[i], strlen(texts[i]), &packet) != 0) {
            print_error("refused: %s\n", texts[i]);
            fail();
        }
    }
}

static void placeholder_number_too_long_is_refused(void **state)
{
    static const char *const texts[] = {
        "52-[\"a\",{\"_placeholder\":true,\"num\":1e99999999999999999999}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":1e-99999999999999999999}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":1e18446744073709551616}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":1e4294967296}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":18446744073709551616}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":10}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0.1}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0.11e1}]",
    };
    struct zn_sio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(decode(texts[i], strlen(texts[i]), &packet), -EPROTO);
    }
}

// A decode takes milliseconds; nothing in a text may make it quadratic, which would
// take minutes (CVE-2020-36049).
static double decode_seconds(const char *text, size_t len)
{
    struct zn_sio_packet packet;
    struct timespec from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    (void)zn__sio_decode((struct zn_slice){ text, len }, &packet);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
}

static void packet_of_a_megabyte_is_decoded_in_linear_time(void **state)
{
    static const char *const units[] = { " ",        "{\"num\":", "{\"_placeholder\":", "[",
                                         "\"num\":", "1,",        "\"\\u005f\",",       "[],",
                                         "{},",      "0" };
    static char text[1 << 20];

    (void)state;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t unit = strlen(units[i]);
        size_t len = 7;

        memcpy(text, "51-[\"a\",", 8);
        for (len = 8; len + unit < sizeof(text); len += unit) {
            memcpy(text + len, units[i], unit);
        }
        assert_true(decode_seconds(text, len) < 1.0);
        memcpy(text + len - 3, "1]]", 3);
        assert_true(decode_seconds(text, len) < 1.0);
    }
}

static void head_is_written_as_the_reference_does(void **state)
{
    static const struct {
        enum zn_sio_type type;
        unsigned attachments;
        const char *nsp;
        int64_t id;
        const char *head;
    } heads[] = {
        { ZN_SIO_CONNECT, 0, "/", -1, "0" },
        { ZN_SIO_CONNECT, 0, "/x", -1, "0/x," },
        { ZN_SIO_EVENT, 0, "", -1, "2" },
        { ZN_SIO_EVENT, 0, "/", 0, "20" },
        { ZN_SIO_ACK, 0, "/admin", 13, "3/admin,13" },
        { ZN_SIO_BINARY_EVENT, 1, "/", -1, "51-" },
        { ZN_SIO_BINARY_ACK, 10, "/a", 9007199254740991, "610-/a,9007199254740991" },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct zn_slice nsp = { heads[i].nsp, strlen(heads[i].nsp) };
        size_t len = strlen(heads[i].head);

        for (size_t cap = 0; cap <= sizeof(out); cap++) {
            ssize_t got =
                zn__sio_head_write(out, cap, heads[i].type, heads[i].attachments, nsp, heads[i].id);

            assert_int_equal(got, cap < len ? -EMSGSIZE : (ssize_t)len);
        }
        assert_memory_equal(out, heads[i].head, len);
    }
    assert_in_range(zn__sio_head_write(out, sizeof(out), ZN_SIO_BINARY_EVENT, 10,
                                       (struct zn_slice){ NULL, 0 }, INT64_MAX),
                    0, ZN_SIO_HEAD_MAX);
}

static void event_names_of_the_reference_are_reserved(void **state)
{
    (void)state;
    assert_true(zn__sio_event_reserved(ZN_SLICE("connect")));
    assert_true(zn__sio_event_reserved(ZN_SLICE("removeListener")));
    assert_false(zn__sio_event_reserved(ZN_SLICE("error")));
    assert_false(zn__sio_event_reserved(ZN_SLICE("connection")));
    assert_false(zn__sio_event_reserved(ZN_SLICE("")));
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
        cmocka_unit_test(packet_of_each_type_is_decoded),
        cmocka_unit_test(packet_that_the_reference_refuses_is_refused),
        cmocka_unit_test(packet_that_is_ambiguous_is_refused),
        cmocka_unit_test(placeholder_in_range_is_taken),
        cmocka_unit_test(placeholder_number_too_long_is_refused),
        cmocka_unit_test(packet_of_a_megabyte_is_decoded_in_linear_time),
        cmocka_unit_test(head_is_written_as_the_reference_does),
        cmocka_unit_test(event_names_of_the_reference_are_reserved),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
