// SPDX-License-Identifier: Apache-2.0
// Sequence numbers: 32 bits that wrap, compared within half the space (RFC 9293 section 3.4).
#ifndef ZN_TCP_SEQ_H
#define ZN_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool zn__seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool zn__seq_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline uint32_t zn__seq_max(uint32_t a, uint32_t b)
{
    return zn__seq_lt(a, b) ? b : a;
}

#endif
