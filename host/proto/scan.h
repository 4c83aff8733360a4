// SPDX-License-Identifier: Apache-2.0
// Finds the byte that ends a run of text, 16 bytes at a step where the
// instruction set has it in its base (SSE2, NEON), else 8. Never reads outside
// [p, end). Shared by the JSON and HTTP readers.
//
// Thread: pure functions.
#ifndef ZN_PROTO_SCAN_H
#define ZN_PROTO_SCAN_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ZN_SWAR_ONES 0x0101010101010101ull
#define ZN_SWAR_HIGHS 0x8080808080808080ull

// The high bit of each byte of `x` below `n` (n <= 128). Exact up to the first
// such byte, which is all that a search needs.
static inline uint64_t zn__swar_less(uint64_t x, uint8_t n)
{
    return (x - ZN_SWAR_ONES * n) & ~x & ZN_SWAR_HIGHS;
}

// The high bit of each byte of `x` equal to `c`, exact up to the first.
static inline uint64_t zn__swar_equal(uint64_t x, uint8_t c)
{
    return zn__swar_less(x ^ (ZN_SWAR_ONES * c), 1);
}

static inline uint64_t zn__swar_load(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

#if defined(__aarch64__)
// Four bits a byte of a comparison's result, in byte order.
static inline uint64_t zn__neon_mask(uint8x16_t hits)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hits), 4)), 0);
}
#endif

// The first '"', '\\' or byte below 0x20, or `end` (RFC 8259 section 7).
static inline const char *zn__scan_json_string(const char *p, const char *end)
{
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
        __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
        __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
        int mask = _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash)));

        if (mask != 0) {
            return p + __builtin_ctz((unsigned)mask);
        }
    }
#elif defined(__aarch64__)
    for (; end - p >= 16; p += 16) {
        uint8x16_t x = vld1q_u8((const uint8_t *)p);
        uint8x16_t quote = vceqq_u8(x, vdupq_n_u8('"'));
        uint8x16_t slash = vceqq_u8(x, vdupq_n_u8('\\'));
        uint8x16_t low = vcltq_u8(x, vdupq_n_u8(0x20));
        uint64_t mask = zn__neon_mask(vorrq_u8(low, vorrq_u8(quote, slash)));

        if (mask != 0) {
            return p + __builtin_ctzll(mask) / 4;
        }
    }
#endif
    for (; end - p >= 8; p += 8) {
        uint64_t x = zn__swar_load(p);
        uint64_t hits = zn__swar_less(x, 0x20) | zn__swar_equal(x, '"') | zn__swar_equal(x, '\\');

        if (hits != 0) {
            return p + __builtin_ctzll(hits) / 8;
        }
    }
    while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

// The first byte that cannot stand in a field value (RFC 9110 section 5.5:
// anything but visible characters, obs-text, space and tab), or `end`.
static inline const char *zn__scan_field_value(const char *p, const char *end)
{
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
        __m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
        __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));

        if (mask != 0) {
            return p + __builtin_ctz((unsigned)mask);
        }
    }
#elif defined(__aarch64__)
    for (; end - p >= 16; p += 16) {
        uint8x16_t x = vld1q_u8((const uint8_t *)p);
        uint8x16_t low = vcltq_u8(x, vdupq_n_u8(0x20));
        uint8x16_t tab = vceqq_u8(x, vdupq_n_u8('\t'));
        uint8x16_t del = vceqq_u8(x, vdupq_n_u8(0x7f));
        uint64_t mask = zn__neon_mask(vorrq_u8(vbicq_u8(low, tab), del));

        if (mask != 0) {
            return p + __builtin_ctzll(mask) / 4;
        }
    }
#endif
    while (p < end && (((unsigned char)*p >= 0x20 && *p != 0x7f) || *p == '\t')) {
        p++;
    }
    return p;
}

#endif
