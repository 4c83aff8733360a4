// SPDX-License-Identifier: Apache-2.0
// Incremental UTF-8 validation: a state machine for the character that is cut and for short runs,
// vectors for what lies between.
//
// Thread: pure functions; a state is used by one thread at a time.
#include "utf8.h"
#include "simd.h"
#include "utf8_check.h"

#include <string.h>

// Takes one byte. Unicode 15 table 3-7: only the second byte has bounds of its own.
static inline bool step(struct zn_utf8 *s, uint8_t b)
{
    if (s->need > 0) {
        if (b < s->low || b > s->high)
            return false;
        s->need--;
        s->low = 0x80;
        s->high = 0xbf;
        return true;
    }
    if (b < 0x80)
        return true;
    if (b < 0xc2 || b > 0xf4)
        return false;
    s->need = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    s->low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
    s->high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
    return true;
}

static bool scalar(struct zn_utf8 *state, const uint8_t *p, const uint8_t *end)
{
    struct zn_utf8 s = *state;
    while (p < end) {
        uint64_t eight;
        if (s.need == 0 && end - p >= 8) {
            memcpy(&eight, p, 8);
            if ((eight & 0x8080808080808080) == 0) {
                p += 8;
                continue;
            }
        }
        if (!step(&s, *p++))
            return false;
    }
    *state = s;
    return true;
}

// The widest vector check that this CPU has and that text[0, len) is long enough for, also when up
// to three bytes of a last character are left out; or NULL.
static zn__utf8_check_fn vector_check(size_t len)
{
    enum zn_simd level = zn__simd_level();
#if defined(__x86_64__)
    if (level >= ZN_SIMD_AVX512 && len >= ZN__UTF8_CHECK_MIN(64) + 3)
        return zn__utf8_check_avx512;
    if (level >= ZN_SIMD_AVX2 && len >= ZN__UTF8_CHECK_MIN(32) + 3)
        return zn__utf8_check_avx2;
    if (level >= ZN_SIMD_128 && len >= ZN__UTF8_CHECK_MIN(16) + 3)
        return zn__utf8_check_sse41;
#elif defined(__aarch64__)
    if (level >= ZN_SIMD_128 && len >= ZN__UTF8_CHECK_MIN(16) + 3)
        return zn__utf8_check_neon;
#endif
    return NULL;
}

// The length of text[0, len) without a last character that lacks bytes; len >= 3.
static size_t whole_characters(const uint8_t *text, size_t len)
{
    if (text[len - 1] >= 0xc0)
        return len - 1;
    if (text[len - 2] >= 0xe0)
        return len - 2;
    if (text[len - 3] >= 0xf0)
        return len - 3;
    return len;
}

enum { SHORT_MAX = 64 };

// Whether a short run is all ASCII, as most text of small messages is.
static inline bool short_ascii(const uint8_t *p, size_t len)
{
    uint64_t all = 0, eight;
    if (len < 8) {
        for (size_t i = 0; i < len; i++)
            all |= p[i];
        return all < 0x80;
    }
    for (size_t i = 0; i + 8 < len; i += 8) {
        memcpy(&eight, p + i, 8);
        all |= eight;
    }
    memcpy(&eight, p + len - 8, 8);
    return ((all | eight) & 0x8080808080808080) == 0;
}

bool zn__utf8_next(struct zn_utf8 *state, const uint8_t *data, size_t len)
{
    if (len == 0 || (len <= SHORT_MAX && state->need == 0 && short_ascii(data, len)))
        return true;
    const uint8_t *end = data + len;
    for (; state->need > 0 && data < end; data++) {
        if (!step(state, *data))
            return false;
    }
    zn__utf8_check_fn check = vector_check((size_t)(end - data));
    if (check != NULL) {
        size_t whole = whole_characters(data, (size_t)(end - data));
        if (!check(data, whole))
            return false;
        data += whole;
    }
    return scalar(state, data, end);
}

bool zn__utf8_valid(const void *data, size_t len)
{
    struct zn_utf8 s = { 0 };
    return zn__utf8_next(&s, data, len) && zn__utf8_done(&s);
}
