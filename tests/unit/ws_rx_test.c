// SPDX-License-Identifier: Apache-2.0
// Delineation: the vectors of RFC 6455 section 5.7, every split, every refusal at its byte, limits.
#include "guard.h"
#include "proto/simd.h"
#include "proto/ws.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { ROOM = 1 << 18 };

static const struct zn_ws_limits server = { .message_max = 1 << 20, .fragments_max = 100 };
static const struct zn_ws_limits server_deflate = { .message_max = 1 << 20,
                                                    .fragments_max = 100,
                                                    .deflate = true };
static const struct zn_ws_limits client = { .message_max = 1 << 20,
                                            .fragments_max = 100,
                                            .client = true };

// What came out of a stream, in a form that does not depend on how it was cut: per frame the
// opcode, its declared length, its bytes and the flags of all its pieces; then the close code.
struct record {
    size_t len;
    uint8_t bytes[2 * ROOM];
    bool in_frame;
    uint8_t flags;
    uint64_t frame_len, got;
    uint16_t close_code;
};

static void record_put(struct record *r, const void *bytes, size_t n)
{
    assert_true(r->len + n <= sizeof(r->bytes));
    if (n > 0)
        memcpy(r->bytes + r->len, bytes, n);
    r->len += n;
}

static void record_reset(struct record *r)
{
    r->len = 0;
    r->in_frame = false;
    r->close_code = 0;
}

// One whole frame as it should come out.
static void record_frame(struct record *r, uint8_t opcode, uint8_t flags, const void *payload,
                         uint64_t n)
{
    record_put(r, &opcode, 1);
    record_put(r, &n, sizeof(n));
    record_put(r, payload, n);
    flags |= ZN_WS_PIECE | ZN_WS_FRAME_FIRST | ZN_WS_FRAME_LAST;
    record_put(r, &flags, 1);
}

static void record_piece(struct record *r, const struct zn_ws_piece *piece)
{
    bool first = (piece->flags & ZN_WS_FRAME_FIRST) != 0;
    assert_int_equal(first, !r->in_frame);
    if (first) {
        record_put(r, &piece->opcode, 1);
        record_put(r, &piece->frame_len, sizeof(piece->frame_len));
        r->in_frame = true;
        r->flags = 0;
        r->frame_len = piece->frame_len;
        r->got = 0;
    } else {
        assert_int_equal(piece->flags & ZN_WS_MESSAGE_FIRST, 0);
        assert_int_equal(piece->flags & ZN_WS_COMPRESSED, r->flags & ZN_WS_COMPRESSED);
    }
    assert_true(piece->flags & ZN_WS_PIECE);
    assert_true(piece->len > 0 || piece->frame_len == 0);
    assert_int_equal(piece->frame_len, r->frame_len);
    record_put(r, piece->data, piece->len);
    r->flags |= piece->flags;
    r->got += piece->len;
    if (piece->flags & ZN_WS_FRAME_LAST) {
        record_put(r, &r->flags, 1);
        r->in_frame = false;
        assert_int_equal(r->got, r->frame_len);
    } else {
        assert_int_equal(piece->flags & ZN_WS_MESSAGE_LAST, 0);
    }
}

// Feeds one buffer, which is in memory of just its size. False after an error.
static bool feed(struct zn_ws_rx *rx, const struct zn_ws_limits *limits, uint8_t *data, size_t len,
                 struct record *r)
{
    while (len > 0) {
        struct zn_ws_piece piece;
        ssize_t used = zn__ws_rx_next(rx, limits, data, len, &piece);
        if (used < 0) {
            assert_int_equal(used, -EPROTO);
            assert_int_equal(piece.flags, 0);
            r->close_code = rx->close_code;
            assert_int_equal(zn__ws_rx_next(rx, limits, data, len, &piece), -EPROTO);
            return false;
        }
        assert_true(used > 0 && (size_t)used <= len);
        if (piece.flags != 0) {
            assert_ptr_equal(piece.data + piece.len, data + used);
            record_piece(r, &piece);
        }
        data += used;
        len -= (size_t)used;
    }
    return true;
}

static struct guard guard;

// Feeds a copy of stream[0, len) cut at `a` and `b`; returns how many bytes went in without error.
static void run_cut(const struct zn_ws_limits *limits, const uint8_t *stream, size_t len, size_t a,
                    size_t b, struct record *r)
{
    struct zn_ws_rx rx;
    memset(&rx, 0, sizeof(rx));
    record_reset(r);
    (void)(feed(&rx, limits, guard_copy(&guard, stream, a), a, r) &&
           feed(&rx, limits, guard_copy(&guard, stream + a, b - a), b - a, r) &&
           feed(&rx, limits, guard_copy(&guard, stream + b, len - b), len - b, r));
}

static void run_chunks(const struct zn_ws_limits *limits, const uint8_t *stream, size_t len,
                       size_t chunk, struct record *r)
{
    struct zn_ws_rx rx;
    memset(&rx, 0, sizeof(rx));
    record_reset(r);
    for (size_t at = 0; at < len; at += chunk) {
        size_t n = len - at < chunk ? len - at : chunk;
        if (!feed(&rx, limits, guard_copy(&guard, stream + at, n), n, r))
            return;
    }
}

static struct record got, want;

static void check_record(const char *how, size_t a, size_t b)
{
    if (got.close_code != want.close_code || got.len != want.len ||
        memcmp(got.bytes, want.bytes, want.len) != 0)
        fail_msg("%s %zu, %zu: code %u, not %u; %zu bytes, not %zu", how, a, b, got.close_code,
                 want.close_code, got.len, want.len);
}

// The stream gives `want`: whole, in chunks, and cut at every place.
static void check_stream(const struct zn_ws_limits *limits, const uint8_t *stream, size_t len)
{
    run_cut(limits, stream, len, 0, 0, &got);
    check_record("whole", 0, 0);
    for (size_t chunk = 1; chunk < 20; chunk++) {
        run_chunks(limits, stream, len, chunk, &got);
        check_record("chunks of", chunk, 0);
    }
    for (size_t a = 0; len <= 4096 && a < len; a++) {
        run_cut(limits, stream, len, a, a, &got);
        check_record("cut at", a, a);
    }
}

// A stream under construction.
static uint8_t stream[ROOM];
static size_t stream_len;
static const uint8_t mask_key[4] = { 0x37, 0xfa, 0x21, 0x3d };

static void put_frame(uint8_t first, bool masked, const void *payload, size_t n)
{
    assert_true(stream_len + n + 14 <= ROOM);
    uint8_t *p = stream + stream_len;
    size_t head = zn__ws_head_write(p, first, n);
    if (masked) {
        p[1] |= 0x80;
        memcpy(p + head, mask_key, 4);
        head += 4;
    }
    for (size_t i = 0; i < n; i++)
        p[head + i] = ((const uint8_t *)payload)[i] ^ (masked ? mask_key[i & 3] : 0);
    stream_len += head + n;
}

static void begin(void)
{
    stream_len = 0;
    record_reset(&want);
}

enum {
    WHOLE = ZN_WS_MESSAGE_FIRST | ZN_WS_MESSAGE_LAST,
    FIRST = ZN_WS_MESSAGE_FIRST,
    LAST = ZN_WS_MESSAGE_LAST,
};

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

static uint8_t pattern[70000];

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

static int setup(void **state)
{
    (void)state;
    guard_init(&guard, ROOM);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 31 + (i >> 8));
    return 0;
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
