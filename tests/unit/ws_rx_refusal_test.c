// SPDX-License-Identifier: Apache-2.0
// Frames that are refused, at the byte that proves them bad, and the limits of messages.
#include "ws_stream.h"

#include "proto/ws.h"

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define KEY 1, 2, 3, 4

// The last byte of each is the first that proves the input bad.
static const struct {
    const char *what;
    const struct zn_ws_limits *limits;
    const uint8_t *bytes;
    size_t len;
    uint16_t code;
} refusals[] = {
    { "RSV1 without extension", &server, BYTES(0xc1), 1002 },
    { "RSV2", &server, BYTES(0xa1), 1002 },
    { "RSV3", &server, BYTES(0x91), 1002 },
    { "RSV2 with deflate", &server_deflate, BYTES(0xe1), 1002 },
    { "RSV1 on ping", &server_deflate, BYTES(0xc9), 1002 },
    { "RSV1 on continuation", &server_deflate, BYTES(0x41, 0x80, KEY, 0x40), 1002 },
    { "RSV1 on last continuation", &server_deflate, BYTES(0x01, 0x80, KEY, 0xc0), 1002 },
    { "RSV2 after good frame", &server, BYTES(0x81, 0x81, KEY, 5, 0xa1), 1002 },
    { "opcode 3", &server, BYTES(0x83), 1002 },
    { "opcode 7", &server, BYTES(0x87), 1002 },
    { "opcode 11", &server, BYTES(0x8b), 1002 },
    { "opcode 15", &server, BYTES(0x8f), 1002 },
    { "opcode 3 in message", &server, BYTES(0x01, 0x80, KEY, 0x03), 1002 },
    { "stray continuation", &server, BYTES(0x00), 1002 },
    { "stray last continuation", &server, BYTES(0x80), 1002 },
    { "continuation after whole message", &server, BYTES(0x81, 0x80, KEY, 0x80), 1002 },
    { "continuation after ended message", &server, BYTES(0x01, 0x80, KEY, 0x80, 0x80, KEY, 0x80),
      1002 },
    { "text inside message", &server, BYTES(0x01, 0x80, KEY, 0x81), 1002 },
    { "binary inside message", &server, BYTES(0x01, 0x80, KEY, 0x02), 1002 },
    { "text after ping inside message", &server, BYTES(0x01, 0x80, KEY, 0x89, 0x80, KEY, 0x81),
      1002 },
    { "fragmented ping", &server, BYTES(0x09), 1002 },
    { "fragmented close", &server, BYTES(0x08), 1002 },
    { "fragmented pong", &server, BYTES(0x0a), 1002 },
    { "ping with 16-bit length", &server, BYTES(0x89, 0xfe), 1002 },
    { "pong with 64-bit length", &server, BYTES(0x8a, 0xff), 1002 },
    { "close with 16-bit length", &server, BYTES(0x88, 0xfe), 1002 },
    { "unmasked text", &server, BYTES(0x81, 0x00), 1002 },
    { "unmasked close", &server, BYTES(0x88, 0x02), 1002 },
    { "unmasked long frame", &server, BYTES(0x82, 0x7f), 1002 },
    { "masked frame to client", &client, BYTES(0x81, 0x80), 1002 },
    { "125 in 16 bits", &server, BYTES(0x82, 0xfe, 0, 125), 1002 },
    { "0 in 16 bits", &server, BYTES(0x82, 0xfe, 0, 0), 1002 },
    { "65535 in 64 bits", &server, BYTES(0x82, 0xff, 0, 0, 0, 0, 0, 0), 1002 },
    { "length 2^63", &server, BYTES(0x82, 0xff, 0x80), 1002 },
    { "length 2^64 - 1", &server, BYTES(0x82, 0xff, 0xff), 1002 },
    { "length 2^63 - 1", &server, BYTES(0x82, 0xff, 0x7f), 1009 },
    { "length 2^32", &server, BYTES(0x82, 0xff, 0, 0, 0, 1), 1009 },
    { "length 2^20 + 1", &server, BYTES(0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1), 1009 },
    { "length 2^63 - 1 to client", &client, BYTES(0x82, 0x7f, 0x7f), 1009 },
};

static void check_refusal(size_t i)
{
    const uint8_t *bytes = refusals[i].bytes;
    size_t len = refusals[i].len;
    record_reset(&want);
    run_cut(refusals[i].limits, bytes, len - 1, 0, 0, &want);
    if (want.close_code != 0)
        fail_msg("%s: refused too early", refusals[i].what);
    want.close_code = refusals[i].code;
    for (size_t a = 0; a < len; a++) {
        for (size_t b = a; b < len; b++) {
            run_cut(refusals[i].limits, bytes, len, a, b, &got);
            check_record(refusals[i].what, a, b);
        }
    }
}

static void rx_bad_frames_are_refused_at_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        check_refusal(i);
    // The same with whole frames behind: nothing of them is looked at.
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        uint8_t more[200] = { 0 };
        memcpy(more, refusals[i].bytes, refusals[i].len);
        run_cut(refusals[i].limits, more, sizeof(more), 0, 0, &got);
        assert_int_equal(got.close_code, refusals[i].code);
    }
}

// Each first byte, in each state of a message, against the rules as the RFC lists them.
static void rx_each_first_byte_follows_the_rules(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        bool deflate = mode & 1, inside = mode & 2;
        for (unsigned b = 0; b < 256; b++) {
            unsigned opcode = b & 15;
            bool fin = b & 0x80, control = opcode == 8 || opcode == 9 || opcode == 10;
            bool good = !(b & 0x30);
            if (b & 0x40)
                good = good && deflate && (opcode == 1 || opcode == 2);
            if (control)
                good = good && fin;
            else
                good = good && (inside ? opcode == 0 : opcode == 1 || opcode == 2);
            begin();
            if (inside)
                put_frame(0x01, true, "abc", 3);
            put_frame((uint8_t)b, true, "abc", 3);
            run_cut(deflate ? &server_deflate : &server, stream, stream_len, 0, 0, &got);
            assert_int_equal(got.close_code, good ? 0 : 1002);
        }
    }
}

static void rx_message_at_limit_passes_and_beyond_is_too_big(void **state)
{
    (void)state;
    static const size_t limits_list[] = { 0, 1, 100, 125, 126, 1000, 65535, 65536, 69999 };
    for (size_t i = 0; i < sizeof(limits_list) / sizeof(*limits_list); i++) {
        size_t max = limits_list[i];
        struct zn_ws_limits limits = { .message_max = max, .fragments_max = 10 };
        begin();
        put_frame(0x81, true, pattern, max);
        record_frame(&want, ZN_WS_TEXT, WHOLE, pattern, max);
        // A ping is no part of a message and has no part in its limit.
        put_frame(0x89, true, pattern, 125);
        record_frame(&want, ZN_WS_PING, LAST, pattern, 125);
        run_cut(&limits, stream, stream_len, 0, 0, &got);
        check_record("at the limit", max, 0);
        put_frame(0x81, true, pattern, max + 1);
        want.close_code = ZN_WS_CLOSE_TOO_BIG;
        run_cut(&limits, stream, stream_len, 0, 0, &got);
        check_record("beyond the limit", max, 0);
        // At header time: the payload is not needed, nor the key.
        run_cut(&limits, stream, stream_len - max - 1 - 4, 0, 0, &got);
        check_record("beyond the limit, no payload", max, 0);
    }
}

static void rx_fragments_beyond_message_limit_are_too_big(void **state)
{
    (void)state;
    struct zn_ws_limits limits = { .message_max = 300, .fragments_max = 10 };
    begin();
    put_frame(0x01, true, pattern, 200);
    record_frame(&want, ZN_WS_TEXT, FIRST, pattern, 200);
    put_frame(0x00, true, pattern, 100);
    record_frame(&want, ZN_WS_TEXT, 0, pattern, 100);
    put_frame(0x80, true, pattern, 0);
    record_frame(&want, ZN_WS_TEXT, LAST, pattern, 0);
    put_frame(0x02, true, pattern, 300);
    record_frame(&want, ZN_WS_BINARY, FIRST, pattern, 300);
    put_frame(0x80, true, pattern, 1);
    want.close_code = ZN_WS_CLOSE_TOO_BIG;
    check_stream(&limits, stream, stream_len);
    // The sum of lengths does not wrap.
    static const uint8_t wrap[] = { 0x01, 0x81, KEY,  9,    0x80, 0xff, 0x7f,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    limits.message_max = INT64_MAX;
    record_reset(&want);
    record_frame(&want, ZN_WS_TEXT, FIRST, "\x08", 1);
    want.close_code = ZN_WS_CLOSE_TOO_BIG;
    check_stream(&limits, wrap, sizeof(wrap));
}

static void rx_limit_lowered_inside_message_counts(void **state)
{
    (void)state;
    struct zn_ws_limits limits = { .message_max = 300, .fragments_max = 10 };
    struct zn_ws_rx rx = { 0 };
    begin();
    put_frame(0x01, true, pattern, 200);
    record_reset(&got);
    assert_true(feed(&rx, &limits, guard_copy(&guard, stream, stream_len), stream_len, &got));
    limits.message_max = 100;
    begin();
    put_frame(0x80, true, pattern, 0);
    assert_false(feed(&rx, &limits, guard_copy(&guard, stream, stream_len), stream_len, &got));
    assert_int_equal(got.close_code, ZN_WS_CLOSE_TOO_BIG);
}

static void rx_empty_fragments_count(void **state)
{
    (void)state;
    struct zn_ws_limits limits = { .message_max = 300, .fragments_max = 10 };
    begin();
    // Ten in a message that ends, then ten in one that would go on.
    for (int i = 0; i < 20; i++) {
        uint8_t flags = (i % 10 == 0 ? FIRST : 0) | (i == 9 ? LAST : 0);
        put_frame((i % 10 == 0) | (i == 9 ? 0x80 : 0), true, "", 0);
        record_frame(&want, ZN_WS_TEXT, flags, "", 0);
    }
    stream[stream_len++] = 0x80;
    want.close_code = ZN_WS_CLOSE_TOO_BIG;
    check_stream(&limits, stream, stream_len);
}

static void rx_many_fragments_come_out_when_allowed(void **state)
{
    (void)state;
    struct zn_ws_limits limits = { .message_max = 70000, .fragments_max = 65536 };
    struct zn_ws_rx rx = { 0 };
    struct zn_ws_piece piece;
    uint8_t frame[7] = { 0x01, 0x81, KEY, 0 };
    for (unsigned i = 0; i < 65536; i++) {
        frame[0] = (i == 0) | (i == 65535 ? 0x80 : 0);
        frame[6] = 'a' ^ 1;
        assert_int_equal(zn__ws_rx_next(&rx, &limits, frame, 7, &piece), 7);
        assert_int_equal(piece.data[0], 'a');
        assert_int_equal(piece.opcode, ZN_WS_TEXT);
    }
    assert_true(piece.flags & ZN_WS_MESSAGE_LAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rx_bad_frames_are_refused_at_the_byte),
        cmocka_unit_test(rx_each_first_byte_follows_the_rules),
        cmocka_unit_test(rx_message_at_limit_passes_and_beyond_is_too_big),
        cmocka_unit_test(rx_fragments_beyond_message_limit_are_too_big),
        cmocka_unit_test(rx_limit_lowered_inside_message_counts),
        cmocka_unit_test(rx_empty_fragments_count),
        cmocka_unit_test(rx_many_fragments_come_out_when_allowed),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
