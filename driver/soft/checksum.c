// SPDX-License-Identifier: Apache-2.0
// Checksums. Words of 64 bits are added as their halves, so that no carry is lost: each lane holds
// the sum of up to 2^32 words.
//
// Thread: pure functions.
#include "soft/checksum.h"
#include "proto/simd.h"

#include <string.h>

enum { SHORT_MAX = 128 };

// Whole vectors. Returns their sum.
#define SUM_LONG(NAME, BYTES, TARGET)                                                              \
    TARGET static uint64_t NAME(const uint8_t *p, size_t vectors)                                  \
    {                                                                                              \
        typedef uint64_t vec __attribute__((vector_size(BYTES)));                                  \
        typedef uint64_t any __attribute__((vector_size(BYTES), aligned(1), may_alias));           \
        vec low = { 0 }, high = { 0 };                                                             \
        for (const any *v = (const any *)p, *end = v + vectors; v < end; v++) {                    \
            low += *v & 0xffffffff;                                                                \
            high += *v >> 32;                                                                      \
        }                                                                                          \
        low += high;                                                                               \
        uint64_t sum = 0;                                                                          \
        for (unsigned i = 0; i < BYTES / 8; i++)                                                   \
            sum += low[i];                                                                         \
        return sum;                                                                                \
    }

SUM_LONG(sum_128, 16, )
#if defined(__x86_64__)
SUM_LONG(sum_avx2, 32, __attribute__((target("avx2"))))
SUM_LONG(sum_avx512, 64, __attribute__((target("avx512f"))))
#endif

// The last 0 to 7 bytes, as a word whose other bytes are 0.
static inline uint64_t tail_word(const uint8_t *p, size_t len)
{
    uint64_t word = 0;
    uint32_t four;
    uint16_t two;
    unsigned shift = 0;
    if (len & 4) {
        memcpy(&four, p, 4);
        word = four;
        p += 4;
        shift = 32;
    }
    if (len & 2) {
        memcpy(&two, p, 2);
        word |= (uint64_t)two << shift;
        p += 2;
        shift += 16;
    }
    if (len & 1)
        word |= (uint64_t)*p << shift;
    return word;
}

static inline uint64_t sum_short(const uint8_t *p, size_t len)
{
    uint64_t low = 0, high = 0, word;
    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        low += word & 0xffffffff;
        high += word >> 32;
    }
    word = tail_word(p, len);
    return low + high + (word & 0xffffffff) + (word >> 32);
}

__attribute__((noinline)) static uint64_t sum_long(const uint8_t *p, size_t len)
{
    switch (zn__simd_level()) {
#if defined(__x86_64__)
    case ZN_SIMD_AVX512:
        return sum_avx512(p, len / 64) + sum_short(p + len / 64 * 64, len % 64);
    case ZN_SIMD_AVX2:
        return sum_avx2(p, len / 32) + sum_short(p + len / 32 * 32, len % 32);
#endif
    case ZN_SIMD_128:
        return sum_128(p, len / 16) + sum_short(p + len / 16 * 16, len % 16);
    default:
        return sum_short(p, len);
    }
}

uint64_t zn__soft_sum(const uint8_t *data, size_t len)
{
    uint64_t sum = len <= SHORT_MAX ? sum_short(data, len) : sum_long(data, len);
    return (sum & 0xffffffff) + (sum >> 32);
}
