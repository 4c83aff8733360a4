// SPDX-License-Identifier: Apache-2.0
// Engine.IO packets and polling payloads, as engine.io-parser reads them.
#include "guard.h"
#include "proto/eio.h"

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

static void packet_of_each_type_is_read(void **state)
{
    static const char *const texts[] = { "0{}", "1", "2probe", "3probe", "4hello", "5", "6" };
    struct zn_eio_packet packet;

    (void)state;
    for (uint8_t type = 0; type < 7; type++) {
        size_t len = strlen(texts[type]);

        assert_int_equal(zn__eio_packet_parse(guarded(texts[type], len), &packet), 0);
        assert_int_equal(packet.type, type);
        assert_false(packet.binary);
        assert_int_equal(packet.data.len, len - 1);
        assert_memory_equal(packet.data.p, texts[type] + 1, len - 1);
    }
    assert_int_equal(zn__eio_packet_parse(guarded("bAQID", 5), &packet), 0);
    assert_int_equal(packet.type, ZN_EIO_MESSAGE);
    assert_true(packet.binary);
    assert_int_equal(packet.data.len, 4);
}

static void packet_of_no_type_is_refused(void **state)
{
    static const char *const texts[] = { "", "7", "9", "/", ":", "a", "B", " 4", "-1", "\xb4" };
    struct zn_eio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(zn__eio_packet_parse(guarded(texts[i], strlen(texts[i])), &packet),
                         -EPROTO);
    }
    assert_int_equal(zn__eio_packet_parse((struct zn_slice){ NULL, 0 }, &packet), -EPROTO);
    assert_int_equal(zn__eio_packet_parse(guarded("\0", 1), &packet), -EPROTO);
}

// Walks a payload; writes `type:data|` for each packet, b for a binary one, and ! for an error.
static void walk(const char *payload, size_t len, char *out)
{
    struct zn_slice in = payload == NULL ? (struct zn_slice){ NULL, 0 } : guarded(payload, len);
    struct zn_eio_packet packet;
    size_t cursor = 0;
    int got;

    while ((got = zn__eio_payload_next(in, &cursor, &packet)) == 1) {
        *out++ = packet.binary ? 'b' : (char)('0' + packet.type);
        *out++ = ':';
        out = mempcpy(out, packet.data.p, packet.data.len);
        *out++ = '|';
    }
    if (got == 0) {
        assert_int_equal(zn__eio_payload_next(in, &cursor, &packet), 0);
    } else {
        assert_int_equal(got, -EPROTO);
        *out++ = '!';
    }
    *out = '\0';
}

static void payload_is_cut_at_its_separators(void **state)
{
    static const struct {
        const char *payload, *expected;
    } payloads[] = {
        { "4", "4:|" },
        { "4hello", "4:hello|" },
        { "4hello\x1e"
          "2\x1e"
          "4world",
          "4:hello|2:|4:world|" },
        { "4hello\x1e"
          "bAQIDBA==\x1e"
          "1",
          "4:hello|b:AQIDBA==|1:|" },
        { "b", "b:|" },
        { "b4AQ", "b:4AQ|" }, // base64 that starts with a digit
        { "42[\"\xe2\x82\xac\"]", "4:2[\"\xe2\x82\xac\"]|" },
        { "", "!" },
        { "\x1e", "!" },
        { "4a\x1e", "4:a|!" },
        { "\x1e"
          "4a",
          "!" },
        { "4a\x1e\x1e"
          "4b",
          "4:a|!" },
        { "4a\x1e"
          "7b\x1e"
          "4c",
          "4:a|!" },
        { "abc", "!" },
        { "2:4a", "2::4a|" }, // not the payload of protocol 3
        { "6:4hello", "6::4hello|" },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        walk(payloads[i].payload, strlen(payloads[i].payload), out);
        assert_string_equal(out, payloads[i].expected);
    }
    walk(NULL, 0, out);
    assert_string_equal(out, "!");
    walk("4a\0b", 4, out);
    assert_memory_equal(out, "4:a\0b|", 7);
}

// A body of nothing but small packets is walked once over (CVE-2020-36048).
static void payload_of_many_packets_is_walked(void **state)
{
    static char payload[100000];
    struct zn_eio_packet packet;
    size_t cursor = 0;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = i % 2 == 0 ? '2' : ZN_EIO_SEPARATOR;
    }
    while (zn__eio_payload_next((struct zn_slice){ payload, sizeof(payload) - 1 }, &cursor,
                                &packet) == 1) {
        count++;
    }
    assert_int_equal(count, sizeof(payload) / 2);
}

static void open_packet_has_the_five_keys(void **state)
{
    static const char sid[] = "lv_VI97HAXpY6yYWAAAB";
    static const char expected[] =
        "0{\"sid\":\"lv_VI97HAXpY6yYWAAAB\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
        "\"pingTimeout\":20000,\"maxPayload\":1000000}";
    char out[256];
    ssize_t len = zn__eio_open_write(out, sizeof(out), sid, true, 25000, 20000, 1000000);

    (void)state;
    assert_int_equal(len, sizeof(expected) - 1);
    assert_string_equal(out, expected);
    len = zn__eio_open_write(out, sizeof(out), sid, false, UINT32_MAX, 0, UINT64_MAX);
    assert_string_equal(out, "0{\"sid\":\"lv_VI97HAXpY6yYWAAAB\",\"upgrades\":[],\"pingInterval\":"
                             "4294967295,\"pingTimeout\":0,\"maxPayload\":18446744073709551615}");
    for (size_t cap = 0; cap <= (size_t)len; cap++) {
        assert_int_equal(zn__eio_open_write((char *)guard_end(&guard, cap), cap, sid, false,
                                            UINT32_MAX, 0, UINT64_MAX),
                         -EMSGSIZE);
    }
}

static void sid_of_another_form_is_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "__proto__",
                                       "lv_VI97HAXpY6yYWAAA",
                                       "lv_VI97HAXpY6yYWAAABx",
                                       "lv_VI97HAXpY6yYWAA=B",
                                       "lv_VI97HAXpY6yYWAA/B",
                                       "lv_VI97HAXpY6yYWAA+B",
                                       "lv_VI97HAXpY6yYWA\r\nB",
                                       "lv_VI97HAXpY6yYWAA\xc3\xa9" };

    (void)state;
    assert_true(zn__eio_sid_valid(guarded("lv_VI97HAXpY6yYWAAAB", 20)));
    assert_true(zn__eio_sid_valid(guarded("-_azAZ09-_azAZ09-_az", 20)));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(zn__eio_sid_valid(guarded(bad[i], strlen(bad[i]))));
    }
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
        cmocka_unit_test(packet_of_each_type_is_read),
        cmocka_unit_test(packet_of_no_type_is_refused),
        cmocka_unit_test(payload_is_cut_at_its_separators),
        cmocka_unit_test(payload_of_many_packets_is_walked),
        cmocka_unit_test(open_packet_has_the_five_keys),
        cmocka_unit_test(sid_of_another_form_is_refused),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
