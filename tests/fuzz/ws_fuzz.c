// SPDX-License-Identifier: Apache-2.0
// Frame delineation and text checking under any cut: a stream must give the same frames, the same
// verdict on its text and the same close code whole, byte by byte and in uneven chunks.
//
// Input: one byte of options (bit 0 deflate, bit 1 client, bits 2-3 limits, bits 4-5 SIMD level),
// one byte that seeds the chunks, then the stream.
#include "proto/simd.h"
#include "proto/utf8.h"
#include "proto/ws.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct result {
    uint64_t hash; // of all frames: opcode, length, bytes, flags
    uint64_t frames;
    uint16_t close_code;
    bool text_bad, in_frame;
    uint8_t flags;
    struct zn_utf8 utf8;
    uint8_t control[ZN_WS_CONTROL_MAX];
    size_t control_len;
};

static void require(bool good)
{
    if (!good)
        abort();
}

static void mix(struct result *r, uint64_t value)
{
    r->hash = (r->hash ^ value) * 0x100000001b3;
}

// A whole close frame: what is read from it can be written again.
static void check_close(const struct result *r)
{
    uint16_t code;
    struct zn_slice reason;
    uint8_t frame[2 + ZN_WS_CONTROL_MAX];
    if (zn__ws_close_parse(r->control, r->control_len, &code, &reason) != 0)
        return;
    require(zn__ws_close_write(frame, code, reason) == 2 + r->control_len);
    require(memcmp(frame + 2, r->control, r->control_len) == 0);
}

static void take_text(struct result *r, const struct zn_ws_piece *piece)
{
    if (piece->flags & ZN_WS_MESSAGE_FIRST)
        r->utf8 = (struct zn_utf8){ 0 };
    r->text_bad = r->text_bad || !zn__utf8_next(&r->utf8, piece->data, piece->len);
    if (piece->flags & ZN_WS_MESSAGE_LAST)
        r->text_bad = r->text_bad || !zn__utf8_done(&r->utf8);
}

static void take(struct result *r, const struct zn_ws_piece *piece)
{
    require(((piece->flags & ZN_WS_FRAME_FIRST) != 0) == !r->in_frame);
    if (!r->in_frame) {
        mix(r, piece->opcode);
        mix(r, piece->frame_len);
        r->in_frame = true;
        r->flags = 0;
        r->control_len = 0;
    }
    r->flags |= piece->flags;
    for (size_t i = 0; i < piece->len; i++)
        mix(r, piece->data[i]);
    if (piece->opcode == ZN_WS_TEXT && !(piece->flags & ZN_WS_COMPRESSED))
        take_text(r, piece);
    if (piece->opcode >= ZN_WS_CLOSE) {
        require(r->control_len + piece->len <= sizeof(r->control));
        memcpy(r->control + r->control_len, piece->data, piece->len);
        r->control_len += piece->len;
    }
    if (piece->flags & ZN_WS_FRAME_LAST) {
        mix(r, r->flags);
        r->in_frame = false;
        r->frames++;
        if (piece->opcode == ZN_WS_CLOSE)
            check_close(r);
    }
}

static bool feed(struct zn_ws_rx *rx, const struct zn_ws_limits *limits, uint8_t *data, size_t len,
                 struct result *r)
{
    while (len > 0) {
        struct zn_ws_piece piece;
        ssize_t used = zn__ws_rx_next(rx, limits, data, len, &piece);
        if (used < 0) {
            r->close_code = rx->close_code;
            return false;
        }
        require(used > 0 && (size_t)used <= len);
        if (piece.flags != 0)
            take(r, &piece);
        data += used;
        len -= (size_t)used;
    }
    return true;
}

// Chunks of 1 to `most` bytes, each in memory of its own size so that ASan sees its ends.
static struct result run(const struct zn_ws_limits *limits, const uint8_t *data, size_t len,
                         size_t most, uint32_t seed)
{
    struct zn_ws_rx rx;
    struct result r;
    memset(&rx, 0, sizeof(rx));
    memset(&r, 0, sizeof(r));
    for (size_t at = 0; at < len;) {
        seed = seed * 1664525 + 1013904223;
        size_t n = most == len ? len : 1 + (seed >> 8) % most;
        n = n < len - at ? n : len - at;
        uint8_t *chunk = malloc(n);
        memcpy(chunk, data + at, n);
        bool good = feed(&rx, limits, chunk, n, &r);
        free(chunk);
        if (!good)
            break;
        at += n;
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint64_t limits_list[4] = { 1 << 20, 100, 70000, UINT64_MAX >> 1 };
    if (len < 3)
        return 0;
    struct zn_ws_limits limits = { .message_max = limits_list[data[0] >> 2 & 3],
                                   .fragments_max = 20,
                                   .deflate = data[0] & 1,
                                   .client = data[0] & 2 };
    uint32_t seed = data[1];
    zn__simd_set((enum zn_simd)(data[0] >> 4 & 3));
    struct result whole = run(&limits, data + 2, len - 2, len - 2, 0);
    zn__simd_set(ZN_SIMD_SCALAR);
    static const size_t most[] = { 1, 2, 7, 40 };
    for (size_t i = 0; i < sizeof(most) / sizeof(*most); i++) {
        struct result cut = run(&limits, data + 2, len - 2, most[i], seed);
        require(cut.hash == whole.hash && cut.frames == whole.frames);
        require(cut.close_code == whole.close_code && cut.text_bad == whole.text_bad);
    }
    return 0;
}
