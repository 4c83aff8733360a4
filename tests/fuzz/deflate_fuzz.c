// SPDX-License-Identifier: Apache-2.0
// permessage-deflate on hostile input.
//
// Input: one byte of options (bits 0-1: what the rest is, bits 2-4: window bits - 8), one byte that
// seeds the steps, then
//   0  a deflated message: whole and in uneven steps it gives the same text or the same refusal
//   1  a text: deflated and inflated it is the same again
//   2  a Sec-WebSocket-Extensions header: the response is an offer that is answered by itself
#include "proto/deflate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { TEXT_MAX = 65536 };

static uint8_t whole[TEXT_MAX + 1], stepped[TEXT_MAX + 1], packed[2 * TEXT_MAX];

static void require(bool good)
{
    if (!good)
        abort();
}

// Inflates a message in one go. Its length, TEXT_MAX + 1 when it is longer than TEXT_MAX, or -1.
static ssize_t inflate_whole(z_stream *z, struct zn_slice in)
{
    bool done;
    ssize_t n = zn__inflate_next(z, &in, true, whole, sizeof(whole), &done);

    zn__inflate_reset(z);
    require(n < 0 || done || n == sizeof(whole));
    return n < 0 ? -1 : n;
}

// The same in pieces and helpings of sizes that `seed` tells.
static ssize_t inflate_stepped(z_stream *z, struct zn_slice in, uint32_t seed)
{
    size_t total = 0, pos = 0;
    bool done = false, last = false;

    while (!(last && done) && total < sizeof(stepped)) {
        size_t step = (seed >> 8) % 64;
        struct zn_slice piece;

        seed = seed * 1664525 + 1013904223;
        step = step < in.len - pos ? step : in.len - pos;
        piece = (struct zn_slice){ in.p + pos, step };
        pos += step;
        last = pos == in.len;
        do {
            size_t room = 1 + (seed >> 20) % 300;
            ssize_t n;

            seed = seed * 1664525 + 1013904223;
            room = room < sizeof(stepped) - total ? room : sizeof(stepped) - total;
            n = zn__inflate_next(z, &piece, last, stepped + total, room, &done);
            if (n < 0) {
                zn__inflate_reset(z);
                return -1;
            }
            total += (size_t)n;
        } while (!done && total < sizeof(stepped));
    }
    zn__inflate_reset(z);
    return (ssize_t)total;
}

static void check_inflate(struct zn_slice in, uint8_t window_bits, uint32_t seed)
{
    z_stream z = { 0 };
    ssize_t a, b;

    require(zn__inflate_init(&z, window_bits) == 0);
    a = inflate_whole(&z, in);
    b = inflate_stepped(&z, in, seed);
    // A peer that looks back further than it agreed to is found out in some splits only.
    if (window_bits == 15)
        require(a == b && (a <= 0 || memcmp(whole, stepped, (size_t)a) == 0));
    inflateEnd(&z);
}

static void check_round_trip(struct zn_slice text, uint8_t window_bits, uint32_t seed)
{
    z_stream in = { 0 }, out = { 0 };

    if (text.len > TEXT_MAX / 2)
        return;
    require(zn__deflate_init(&out, window_bits, (int)(seed % 10), 1 + (int)(seed % 9)) == 0);
    require(zn__inflate_init(&in, window_bits) == 0);
    for (int i = 0; i < 3; i++) {
        ssize_t n = zn__deflate_message(&out, text, true, packed, zn__deflate_bound(text.len));
        struct zn_slice message = { (char *)packed, (size_t)n };

        require(n > 0);
        require(inflate_whole(&in, message) == (ssize_t)text.len);
        require(inflate_stepped(&in, message, seed) == (ssize_t)text.len);
        require(memcmp(whole, text.p, text.len) == 0 && memcmp(stepped, text.p, text.len) == 0);
    }
    deflateEnd(&out);
    inflateEnd(&in);
}

// Negotiates over one header line. Returns what zn__deflate_negotiate() does, or -1 when the
// head cannot be parsed.
static ssize_t negotiate(struct zn_slice value, struct zn_deflate_params *params,
                         char out[ZN_DEFLATE_RESPONSE_MAX])
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Extensions: ";
    static const struct zn_deflate_config config = { .enabled = true };
    size_t len = sizeof(start) - 1 + value.len + 4;
    char *head = malloc(len);
    struct zn_http_req req;
    ssize_t n = -1;

    memcpy(head, start, sizeof(start) - 1);
    memcpy(head + sizeof(start) - 1, value.p, value.len);
    memcpy(head + len - 4, "\r\n\r\n", 4);
    zn__http_req_init(&req);
    if (zn__http_req_parse(&req, head, len) == 0)
        n = (ssize_t)zn__deflate_negotiate(&req, head, &config, params, out);
    free(head);
    return n;
}

static void check_offer(struct zn_slice value)
{
    struct zn_deflate_params params, again;
    char out[ZN_DEFLATE_RESPONSE_MAX], out_again[ZN_DEFLATE_RESPONSE_MAX];
    ssize_t n = negotiate(value, &params, out);

    if (n <= 0)
        return;
    require(n < ZN_DEFLATE_RESPONSE_MAX);
    require(params.server_max_window_bits >= 8 && params.server_max_window_bits <= 15);
    require(params.client_max_window_bits >= 8 && params.client_max_window_bits <= 15);
    require(negotiate((struct zn_slice){ out, (size_t)n }, &again, out_again) == n);
    require(memcmp(out, out_again, (size_t)n) == 0);
    require(memcmp(&params, &again, sizeof(params)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct zn_slice rest;
    uint8_t window_bits;

    if (len < 2)
        return 0;
    window_bits = (uint8_t)(8 + ((data[0] >> 2) & 7));
    rest = (struct zn_slice){ (const char *)data + 2, len - 2 };
    switch (data[0] & 3) {
    case 0:
        check_inflate(rest, window_bits, data[1]);
        break;
    case 1:
        check_round_trip(rest, window_bits, data[1]);
        break;
    default:
        check_offer(rest);
    }
    return 0;
}
