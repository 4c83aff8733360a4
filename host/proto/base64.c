// SPDX-License-Identifier: Apache-2.0
// Base64 with both alphabets.
//
// Thread: pure functions.
#include "base64.h"

#include <errno.h>

static const char plain_alphabet[64] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[64] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *whole_groups(const uint8_t *in, size_t groups, const char *alphabet, char *out)
{
    for (; groups > 0; groups--, in += 3) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = alphabet[bits >> 6 & 63];
        *out++ = alphabet[bits & 63];
    }
    return out;
}

// One or two last bytes, without padding.
static char *last_group(const uint8_t *in, size_t len, const char *alphabet, char *out)
{
    uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
    *out++ = alphabet[bits >> 18];
    *out++ = alphabet[bits >> 12 & 63];
    if (len == 2)
        *out++ = alphabet[bits >> 6 & 63];
    return out;
}

size_t zn__base64_encode(const void *data, size_t len, char *out)
{
    const uint8_t *in = data;
    size_t groups = len / 3, rest = len % 3;
    char *p = whole_groups(in, groups, plain_alphabet, out);
    if (rest > 0) {
        p = last_group(in + groups * 3, rest, plain_alphabet, p);
        for (; rest < 3; rest++)
            *p++ = '=';
    }
    return (size_t)(p - out);
}

size_t zn__base64url_encode(const void *data, size_t len, char *out)
{
    const uint8_t *in = data;
    size_t groups = len / 3, rest = len % 3;
    char *p = whole_groups(in, groups, url_alphabet, out);
    if (rest > 0)
        p = last_group(in + groups * 3, rest, url_alphabet, p);
    return (size_t)(p - out);
}

enum { BAD = 0x80 };

// Values of '+' to 'z'.
static const uint8_t values['z' - '+' + 1] = {
#define B BAD
    62, B,  B,  B,  63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, B,  B,  B,  B,  B,
    B,  B,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, B,  B,  B,  B,  B,  B,  26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
#undef B
};

static inline uint32_t value(char c)
{
    unsigned i = (unsigned)(uint8_t)c - '+';
    return i < sizeof(values) ? values[i] : BAD;
}

// Takes the padding off; false when the length is impossible.
static bool unpad(struct zn_slice *in)
{
    if (in->len == 0)
        return true;
    if (in->p[in->len - 1] == '=') {
        if (in->len % 4 != 0)
            return false;
        in->len -= in->p[in->len - 2] == '=' ? 2 : 1;
    }
    return in->len % 4 != 1;
}

ssize_t zn__base64_decode(struct zn_slice in, uint8_t *out)
{
    if (!unpad(&in))
        return -EPROTO;
    if (in.len == 0)
        return 0;
    const char *p = in.p, *end = in.p + in.len / 4 * 4;
    uint8_t *q = out;
    uint32_t seen = 0;
    for (; p < end; p += 4) {
        uint32_t a = value(p[0]), b = value(p[1]), c = value(p[2]), d = value(p[3]);
        seen |= a | b | c | d;
        *q++ = (uint8_t)(a << 2 | b >> 4);
        *q++ = (uint8_t)(b << 4 | c >> 2);
        *q++ = (uint8_t)(c << 6 | d);
    }
    size_t rest = in.len % 4;
    if (rest > 0) {
        uint32_t a = value(p[0]), b = value(p[1]), c = rest == 3 ? value(p[2]) : 0;
        seen |= a | b | c;
        *q++ = (uint8_t)(a << 2 | b >> 4);
        if (rest == 3)
            *q++ = (uint8_t)(b << 4 | c >> 2);
    }
    return seen & BAD ? -EPROTO : q - out;
}
