// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071). Sums are of 16-bit words as they lie in memory, so a sum of a
// little-endian CPU is the network's with its bytes swapped, and is stored as it is.
//
// Thread: pure functions.
#ifndef ZN_SOFT_CHECKSUM_H
#define ZN_SOFT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// The sum of `data[0, len)`, below 2^34: several can be added. The first byte counts as one at an
// even place. Vector code, any alignment.
uint64_t zn__soft_sum(const uint8_t *data, size_t len);

// To 16 bits, with end-around carry. 0 only for 0.
static inline uint16_t zn__soft_sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

#endif
