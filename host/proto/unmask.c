// SPDX-License-Identifier: Apache-2.0
// Masking of payloads: XOR with a key that repeats every 4 bytes, in place.
//
// Thread: pure functions.
#include "unmask.h"
#include "simd.h"
#include "ws.h"

enum { SHORT_MAX = 128 };

// A run of at least two vectors of BYTES. All but the first and the last are aligned: a vector
// across two cache lines costs two accesses. Those two are read before anything is written,
// so that the bytes which they share with others get the same value twice.
#define UNMASK_LONG(NAME, BYTES, TARGET)                                                           \
    TARGET static void NAME(uint8_t *p, size_t len, uint32_t mask)                                 \
    {                                                                                              \
        typedef uint32_t vec __attribute__((vector_size(BYTES), may_alias));                       \
        typedef uint32_t any __attribute__((vector_size(BYTES), aligned(1), may_alias));           \
        any *first = (any *)p, *last = (any *)(p + len - BYTES);                                   \
        vec head = *first ^ mask, tail = *last ^ zn__mask_rotate(mask, len);                       \
        size_t skip = BYTES - ((uintptr_t)p & (BYTES - 1));                                        \
        vec *v = (vec *)(p + skip), *end = (vec *)last;                                            \
        vec key = (vec){ 0 } ^ zn__mask_rotate(mask, skip);                                        \
        for (; v + 4 <= end; v += 4) {                                                             \
            v[0] ^= key;                                                                           \
            v[1] ^= key;                                                                           \
            v[2] ^= key;                                                                           \
            v[3] ^= key;                                                                           \
        }                                                                                          \
        for (; v < end; v++)                                                                       \
            *v ^= key;                                                                             \
        *first = head;                                                                             \
        *last = tail;                                                                              \
    }

UNMASK_LONG(unmask_128, 16, )
#if defined(__x86_64__)
UNMASK_LONG(unmask_avx2, 32, __attribute__((target("avx2"))))
UNMASK_LONG(unmask_avx512, 64, __attribute__((target("avx512f"))))
#endif

static void unmask_scalar(uint8_t *p, size_t len, uint32_t mask)
{
    uint64_t key = (uint64_t)mask << 32 | mask, word;
    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        word ^= key;
        memcpy(p, &word, 8);
    }
    zn__unmask_tiny(p, len, mask);
}

__attribute__((noinline)) static void unmask_long(uint8_t *data, size_t len, uint32_t mask)
{
    switch (zn__simd_level()) {
#if defined(__x86_64__)
    case ZN_SIMD_AVX512:
        unmask_avx512(data, len, mask);
        break;
    case ZN_SIMD_AVX2:
        unmask_avx2(data, len, mask);
        break;
#endif
    case ZN_SIMD_128:
        unmask_128(data, len, mask);
        break;
    default:
        unmask_scalar(data, len, mask);
    }
}

uint32_t zn__ws_unmask(uint8_t *data, size_t len, uint32_t mask)
{
    if (len <= SHORT_MAX)
        zn__unmask_short(data, len, mask);
    else
        unmask_long(data, len, mask);
    return zn__mask_rotate(mask, len);
}
