// SPDX-License-Identifier: Apache-2.0
// UTF-8 check with SSE4.1.
//
// Thread: pure functions.
#if defined(__x86_64__)
#include "utf8_check.h"

#include <immintrin.h>

#define TARGET __attribute__((target("sse4.1")))

typedef uint8_t vec __attribute__((vector_size(16)));

TARGET static inline vec vec_load(const uint8_t *p)
{
    return (vec)_mm_loadu_si128((const __m128i *)p);
}

TARGET static inline vec vec_lookup(const uint8_t table[16], vec i)
{
    return (vec)_mm_shuffle_epi8(_mm_load_si128((const __m128i *)table), (__m128i)i);
}

TARGET static inline vec vec_less(vec v, uint8_t n)
{
    return (vec)_mm_subs_epu8((__m128i)v, _mm_set1_epi8((char)n));
}

#define vec_shift_in(v, n) ((vec)_mm_slli_si128((__m128i)(v), (n)))

TARGET static inline bool vec_any_high(vec v)
{
    return _mm_movemask_epi8((__m128i)v) != 0;
}

TARGET static inline bool vec_any(vec v)
{
    return !_mm_testz_si128((__m128i)v, (__m128i)v);
}

#include "utf8_lookup.h"

TARGET bool zn__utf8_check_sse41(const uint8_t *text, size_t len)
{
    return check(text, len);
}
#endif
