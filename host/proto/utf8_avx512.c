// SPDX-License-Identifier: Apache-2.0
// UTF-8 check with AVX-512 (F, BW).
//
// Thread: pure functions.
#if defined(__x86_64__)
#include "utf8_check.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))

typedef uint8_t vec __attribute__((vector_size(64)));

TARGET static inline vec vec_load(const uint8_t *p)
{
    return (vec)_mm512_loadu_si512(p);
}

TARGET static inline vec vec_lookup(const uint8_t table[16], vec i)
{
    __m512i all = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)table));
    return (vec)_mm512_shuffle_epi8(all, (__m512i)i);
}

TARGET static inline vec vec_less(vec v, uint8_t n)
{
    return (vec)_mm512_subs_epu8((__m512i)v, _mm512_set1_epi8((char)n));
}

// Each quarter gets its first bytes from the one below.
#define vec_shift_in(v, n)                                                                         \
    ((vec)_mm512_alignr_epi8(                                                                      \
        (__m512i)(v), _mm512_alignr_epi64((__m512i)(v), _mm512_setzero_si512(), 6), 16 - (n)))

TARGET static inline bool vec_any_high(vec v)
{
    return _mm512_movepi8_mask((__m512i)v) != 0;
}

TARGET static inline bool vec_any(vec v)
{
    return _mm512_test_epi8_mask((__m512i)v, (__m512i)v) != 0;
}

#include "utf8_lookup.h"

TARGET bool zn__utf8_check_avx512(const uint8_t *text, size_t len)
{
    return check(text, len);
}
#endif
