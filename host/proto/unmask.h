// SPDX-License-Identifier: Apache-2.0
// The short runs of unmasking, for callers to inline: most frames have less than 128 bytes.
//
// Thread: pure functions.
#ifndef ZN_PROTO_UNMASK_H
#define ZN_PROTO_UNMASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "keys are rotated as little-endian words");

// The key as it applies `len` bytes further on.
static inline uint32_t zn__mask_rotate(uint32_t mask, size_t len)
{
    unsigned bits = (unsigned)(len & 3) * 8;
    return mask >> bits | mask << (-bits & 31);
}

static inline uint64_t zn__mask_wide(uint32_t mask)
{
    return (uint64_t)mask << 32 | mask;
}

static inline void zn__unmask_word(uint8_t *p, uint64_t word, uint64_t key)
{
    word ^= key;
    memcpy(p, &word, 8);
}

// Whole words, then one more that ends with the last byte: it is read before the
// words are written, so that the bytes which both cover get the same value twice.
static inline void zn__unmask_short(uint8_t *p, size_t len, uint32_t mask)
{
    if (len < 8) {
        for (size_t i = 0; i < len; i++)
            p[i] ^= (uint8_t)(mask >> (i & 3) * 8);
        return;
    }
    uint8_t *last = p + len - 8;
    uint64_t key = zn__mask_wide(mask), tail, word;
    memcpy(&tail, last, 8);
    for (; p < last; p += 8) {
        memcpy(&word, p, 8);
        zn__unmask_word(p, word, key);
    }
    zn__unmask_word(last, tail, zn__mask_wide(zn__mask_rotate(mask, len)));
}

#endif
