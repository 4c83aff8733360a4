// SPDX-License-Identifier: Apache-2.0
// What does it cost to take one small frame out of a buffer (head, limits, unmasking)?
#include "micro.h"
#include "proto/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 64 };

struct frames {
    size_t payload_len;
    size_t len;
    uint8_t bytes[FRAMES * (14 + 1024)];
};

static void fill(struct frames *frames, size_t payload_len)
{
    uint8_t *p = frames->bytes;
    for (int i = 0; i < FRAMES; i++) {
        size_t head_len = zn__ws_head_write(p, 0x81, payload_len);
        p[1] |= 0x80;
        memcpy(p + head_len, "\x37\xfa\x21\x3d", 4);
        memset(p + head_len + 4, 'x', payload_len);
        p += head_len + 4 + payload_len;
    }
    frames->payload_len = payload_len;
    frames->len = (size_t)(p - frames->bytes);
}

// One time is one frame; the payload is masked again by every other round.
static void run(void *arg, size_t times)
{
    static const struct zn_ws_limits limits = { .message_max = 1 << 20, .fragments_max = 100 };
    struct frames *frames = arg;
    struct zn_ws_rx rx = { 0 };
    size_t at = 0;
    for (size_t i = 0; i < times; i++) {
        struct zn_ws_piece piece;
        ssize_t used = zn__ws_rx_next(&rx, &limits, frames->bytes + at, frames->len - at, &piece);
        if (used <= 0 || piece.len != frames->payload_len)
            abort();
        at += (size_t)used;
        if (at == frames->len)
            at = 0;
    }
}

int main(void)
{
    static const size_t lengths[] = { 0, 5, 20, 60, 125, 126, 1024 };
    static struct frames frames;
    micro_print_machine();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        fill(&frames, lengths[i]);
        struct micro_figure f = micro_measure(run, &frames);
        printf(
            "%5zu B  %6.1f million frames/s  %6.1f ns a frame  (half of samples %.1f to %.1f, p99 "
            "%.1f)\n",
            lengths[i], 1e3 / f.median, f.median, f.low, f.high, f.p99);
    }
    return 0;
}
