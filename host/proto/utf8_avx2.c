// SPDX-License-Identifier: Apache-2.0
// UTF-8 check with AVX2.
//
// Thread: pure functions.
#if defined(__x86_64__)
#include "utf8_check.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

typedef uint8_t vec __attribute__((vector_size(32)));

TARGET static inline vec vec_load(const uint8_t *p)
{
    return (vec)_mm256_loadu_si256((const __m256i *)p);
}

TARGET static inline vec vec_lookup(const uint8_t table[16], vec i)
{
    __m256i both = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)table));
    return (vec)_mm256_shuffle_epi8(both, (__m256i)i);
}

TARGET static inline vec vec_less(vec v, uint8_t n)
{
    return (vec)_mm256_subs_epu8((__m256i)v, _mm256_set1_epi8((char)n));
}

// The upper half gets its first bytes from the lower one.
#define vec_shift_in(v, n)                                                                         \
    ((vec)_mm256_alignr_epi8((__m256i)(v),                                                         \
                             _mm256_permute2x128_si256((__m256i)(v), (__m256i)(v), 8), 16 - (n)))

TARGET static inline bool vec_any_high(vec v)
{
    return _mm256_movemask_epi8((__m256i)v) != 0;
}

TARGET static inline bool vec_any(vec v)
{
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
}

#include "utf8_lookup.h"

TARGET bool zn__utf8_check_avx2(const uint8_t *text, size_t len)
{
    return check(text, len);
}
#endif
