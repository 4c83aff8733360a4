// SPDX-License-Identifier: Apache-2.0
// The short runs of unmasking, for callers to inline: most frames have less than 128 bytes.
//
// Every run is done in whole words, and one more that ends with the last byte. That one is read
// before anything is written: the bytes that two words cover get the same value twice.
//
// Thread: pure functions.
#ifndef ZN_PROTO_UNMASK_H
#define ZN_PROTO_UNMASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "keys are rotated as little-endian words");

// 16 bytes are a vector of every CPU that this is built for.
typedef uint32_t zn__mask_vec __attribute__((vector_size(16), aligned(1), may_alias));

// The key as it applies `len` bytes further on.
static inline uint32_t zn__mask_rotate(uint32_t mask, size_t len)
{
    unsigned bits = (unsigned)(len & 3) * 8;
    return mask >> bits | mask << (-bits & 31);
}

// 1 to 15 bytes.
static inline void zn__unmask_tiny(uint8_t *p, size_t len, uint32_t mask)
{
    uint32_t turned = zn__mask_rotate(mask, len);
    if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, p, 8);
        memcpy(&last, p + len - 8, 8);
        first ^= (uint64_t)mask << 32 | mask;
        last ^= (uint64_t)turned << 32 | turned;
        memcpy(p, &first, 8);
        memcpy(p + len - 8, &last, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + len - 4, 4);
        first ^= mask;
        last ^= turned;
        memcpy(p, &first, 4);
        memcpy(p + len - 4, &last, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            p[i] ^= (uint8_t)(mask >> i * 8);
    }
}

static inline void zn__unmask_short(uint8_t *p, size_t len, uint32_t mask)
{
    if (len < 16) {
        zn__unmask_tiny(p, len, mask);
        return;
    }
    uint8_t *last = p + len - 16;
    zn__mask_vec tail = *(zn__mask_vec *)last ^ zn__mask_rotate(mask, len);
    for (; p < last; p += 16)
        *(zn__mask_vec *)p ^= mask;
    *(zn__mask_vec *)last = tail;
}

#endif
