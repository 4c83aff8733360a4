// SPDX-License-Identifier: Apache-2.0
// Delineation: the vectors of RFC 6455 section 5.7, every split, every length.
#include "ws_stream.h"

#include "proto/simd.h"

static void rx_rfc6455_examples_come_out(void **state)
{
    (void)state;
    static const uint8_t masked[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
                                    "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    static const uint8_t plain[] = "\x81\x05Hello\x01\x03Hel\x80\x02lo\x89\x05Hello";
    record_reset(&want);
    record_frame(&want, ZN_WS_TEXT, WHOLE, "Hello", 5);
    record_frame(&want, ZN_WS_PONG, LAST, "Hello", 5);
    check_stream(&server, masked, sizeof(masked) - 1);
    record_reset(&want);
    record_frame(&want, ZN_WS_TEXT, WHOLE, "Hello", 5);
    record_frame(&want, ZN_WS_TEXT, FIRST, "Hel", 3);
    record_frame(&want, ZN_WS_TEXT, LAST, "lo", 2);
    record_frame(&want, ZN_WS_PING, LAST, "Hello", 5);
    check_stream(&client, plain, sizeof(plain) - 1);
}

static void rx_rfc6455_long_examples_come_out(void **state)
{
    (void)state;
    static uint8_t bytes[65536 + 10];
    static const uint8_t head_256[] = { 0x82, 0x7e, 0x01, 0x00 };
    static const uint8_t head_64k[] = { 0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0 };
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, head_256, sizeof(head_256));
    record_reset(&want);
    record_frame(&want, ZN_WS_BINARY, WHOLE, bytes + 4, 256);
    check_stream(&client, bytes, 4 + 256);
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, head_64k, sizeof(head_64k));
    record_reset(&want);
    record_frame(&want, ZN_WS_BINARY, WHOLE, bytes + 10, 65536);
    check_stream(&client, bytes, sizeof(bytes));
}

// Every opcode and length form, empty frames, and control frames between fragments.
static void put_mixed_stream(bool masked, bool deflate, const uint8_t *payload)
{
    begin();
    put_frame(0x81, masked, payload, 5);
    record_frame(&want, ZN_WS_TEXT, WHOLE, payload, 5);
    put_frame(0x82, masked, payload, 0);
    record_frame(&want, ZN_WS_BINARY, WHOLE, payload, 0);
    put_frame(0x02, masked, payload, 0);
    record_frame(&want, ZN_WS_BINARY, FIRST, payload, 0);
    put_frame(0x89, masked, payload, 125);
    record_frame(&want, ZN_WS_PING, LAST, payload, 125);
    put_frame(0x00, masked, payload + 1, 126);
    record_frame(&want, ZN_WS_BINARY, 0, payload + 1, 126);
    put_frame(0x8a, masked, payload, 0);
    record_frame(&want, ZN_WS_PONG, LAST, payload, 0);
    put_frame(0x80, masked, payload, 0);
    record_frame(&want, ZN_WS_BINARY, LAST, payload, 0);
    if (deflate) {
        put_frame(0xc1, masked, payload, 7);
        record_frame(&want, ZN_WS_TEXT, WHOLE | ZN_WS_COMPRESSED, payload, 7);
        put_frame(0x41, masked, payload, 20);
        record_frame(&want, ZN_WS_TEXT, FIRST | ZN_WS_COMPRESSED, payload, 20);
        put_frame(0x89, masked, payload, 3);
        record_frame(&want, ZN_WS_PING, LAST, payload, 3);
        put_frame(0x80, masked, payload, 130);
        record_frame(&want, ZN_WS_TEXT, LAST | ZN_WS_COMPRESSED, payload, 130);
        put_frame(0x81, masked, payload, 3);
        record_frame(&want, ZN_WS_TEXT, WHOLE, payload, 3);
    }
    put_frame(0x81, masked, payload, 125);
    record_frame(&want, ZN_WS_TEXT, WHOLE, payload, 125);
    put_frame(0x88, masked, payload, 2);
    record_frame(&want, ZN_WS_CLOSE, LAST, payload, 2);
}

static void rx_mixed_stream_cut_anywhere_is_same(void **state)
{
    (void)state;
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        zn__simd_set((enum zn_simd)level);
        put_mixed_stream(true, false, pattern);
        check_stream(&server, stream, stream_len);
        put_mixed_stream(true, true, pattern);
        check_stream(&server_deflate, stream, stream_len);
        put_mixed_stream(false, false, pattern);
        check_stream(&client, stream, stream_len);
    }
    zn__simd_set(zn__simd_best());
}

static void rx_mixed_stream_cut_twice_is_same(void **state)
{
    (void)state;
    put_mixed_stream(true, true, pattern);
    for (size_t a = 0; a < stream_len; a++) {
        for (size_t b = a; b < stream_len; b++) {
            run_cut(&server_deflate, stream, stream_len, a, b, &got);
            check_record("cut at", a, b);
        }
    }
}

static void rx_each_length_comes_out(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0,     1,     2,     3,     4,    7,    8,     9,
                                      15,    16,    124,   125,   126,  127,  128,   129,
                                      255,   256,   300,   1000,  4095, 4096, 32767, 32768,
                                      65534, 65535, 65536, 65537, 70000 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        begin();
        put_frame(0x82, true, pattern, lengths[i]);
        record_frame(&want, ZN_WS_BINARY, WHOLE, pattern, lengths[i]);
        put_frame(0x81, true, pattern, 3);
        record_frame(&want, ZN_WS_TEXT, WHOLE, pattern, 3);
        check_stream(&server, stream, stream_len);
    }
}

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void put_random_message(uint32_t *seed)
{
    uint8_t opcode = random_next(seed) & 1 ? ZN_WS_TEXT : ZN_WS_BINARY;
    uint8_t flags = ZN_WS_MESSAGE_FIRST;
    uint8_t compressed = random_next(seed) & 1 ? ZN_WS_COMPRESSED : 0;
    for (bool last = false; !last;) {
        last = random_next(seed) & 1;
        uint32_t n = random_next(seed) % (random_next(seed) & 3 ? 10 : 400);
        uint8_t first = (flags ? opcode | (compressed ? 0x40 : 0) : 0) | (last ? 0x80 : 0);
        put_frame(first, true, pattern, n);
        record_frame(&want, opcode, flags | (last ? ZN_WS_MESSAGE_LAST : 0) | compressed, pattern,
                     n);
        flags = 0;
        if (random_next(seed) % 3 == 0) {
            put_frame(0x89, true, pattern, n % 126);
            record_frame(&want, ZN_WS_PING, LAST, pattern, n % 126);
        }
    }
}

static void rx_random_streams_come_out(void **state)
{
    (void)state;
    uint32_t seed = 6455;
    for (int round = 0; round < 200; round++) {
        begin();
        for (int i = 0; i < 5; i++)
            put_random_message(&seed);
        check_stream(&server_deflate, stream, stream_len);
    }
}

static void rx_empty_input_gives_nothing(void **state)
{
    (void)state;
    struct zn_ws_rx rx = { 0 };
    struct zn_ws_piece piece;
    uint8_t byte = 0x81;
    assert_int_equal(zn__ws_rx_next(&rx, &server, NULL, 0, &piece), 0);
    assert_int_equal(piece.flags, 0);
    assert_int_equal(zn__ws_rx_next(&rx, &server, &byte, 1, &piece), 1);
    assert_int_equal(piece.flags, 0);
    assert_int_equal(zn__ws_rx_next(&rx, &server, NULL, 0, &piece), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rx_empty_input_gives_nothing),
        cmocka_unit_test(rx_rfc6455_examples_come_out),
        cmocka_unit_test(rx_rfc6455_long_examples_come_out),
        cmocka_unit_test(rx_mixed_stream_cut_anywhere_is_same),
        cmocka_unit_test(rx_mixed_stream_cut_twice_is_same),
        cmocka_unit_test(rx_each_length_comes_out),
        cmocka_unit_test(rx_random_streams_come_out),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
