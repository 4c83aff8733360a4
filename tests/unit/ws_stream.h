// SPDX-License-Identifier: Apache-2.0
// Streams of WebSocket frames for tests of delineation: made frame by frame, fed whole, in chunks
// and cut at every place, and what comes out of them.
#ifndef ZN_TESTS_WS_STREAM_H
#define ZN_TESTS_WS_STREAM_H

#include "guard.h"
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

static inline void record_put(struct record *r, const void *bytes, size_t n)
{
    assert_true(r->len + n <= sizeof(r->bytes));
    if (n > 0)
        memcpy(r->bytes + r->len, bytes, n);
    r->len += n;
}

static inline void record_reset(struct record *r)
{
    r->len = 0;
    r->in_frame = false;
    r->close_code = 0;
}

// One whole frame as it should come out.
static inline void record_frame(struct record *r, uint8_t opcode, uint8_t flags,
                                const void *payload, uint64_t n)
{
    record_put(r, &opcode, 1);
    record_put(r, &n, sizeof(n));
    record_put(r, payload, n);
    flags |= ZN_WS_PIECE | ZN_WS_FRAME_FIRST | ZN_WS_FRAME_LAST;
    record_put(r, &flags, 1);
}

static inline void record_piece(struct record *r, const struct zn_ws_piece *piece)
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
static inline bool feed(struct zn_ws_rx *rx, const struct zn_ws_limits *limits, uint8_t *data,
                        size_t len, struct record *r)
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
static inline void run_cut(const struct zn_ws_limits *limits, const uint8_t *stream, size_t len,
                           size_t a, size_t b, struct record *r)
{
    struct zn_ws_rx rx;
    memset(&rx, 0, sizeof(rx));
    record_reset(r);
    (void)(feed(&rx, limits, guard_copy(&guard, stream, a), a, r) &&
           feed(&rx, limits, guard_copy(&guard, stream + a, b - a), b - a, r) &&
           feed(&rx, limits, guard_copy(&guard, stream + b, len - b), len - b, r));
}

static inline void run_chunks(const struct zn_ws_limits *limits, const uint8_t *stream, size_t len,
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

static inline void check_record(const char *how, size_t a, size_t b)
{
    if (got.close_code != want.close_code || got.len != want.len ||
        memcmp(got.bytes, want.bytes, want.len) != 0)
        fail_msg("%s %zu, %zu: code %u, not %u; %zu bytes, not %zu", how, a, b, got.close_code,
                 want.close_code, got.len, want.len);
}

// The stream gives `want`: whole, in chunks, and cut at every place.
static inline void check_stream(const struct zn_ws_limits *limits, const uint8_t *stream,
                                size_t len)
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

static inline void put_frame(uint8_t first, bool masked, const void *payload, size_t n)
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

static inline void begin(void)
{
    stream_len = 0;
    record_reset(&want);
}

enum {
    WHOLE = ZN_WS_MESSAGE_FIRST | ZN_WS_MESSAGE_LAST,
    FIRST = ZN_WS_MESSAGE_FIRST,
    LAST = ZN_WS_MESSAGE_LAST,
};

static uint8_t pattern[70000];

static inline int setup(void **state)
{
    (void)state;
    guard_init(&guard, ROOM);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 31 + (i >> 8));
    return 0;
}

#endif
