// SPDX-License-Identifier: Apache-2.0
// UTF-8 check with NEON.
//
// Thread: pure functions.
#if defined(__aarch64__)
#include "utf8_check.h"

#include <arm_neon.h>

#define TARGET

typedef uint8x16_t vec;

static inline vec vec_load(const uint8_t *p)
{
    return vld1q_u8(p);
}

static inline vec vec_lookup(const uint8_t table[16], vec i)
{
    return vqtbl1q_u8(vld1q_u8(table), i);
}

static inline vec vec_less(vec v, uint8_t n)
{
    return vqsubq_u8(v, vdupq_n_u8(n));
}

#define vec_shift_in(v, n) vextq_u8(vdupq_n_u8(0), (v), 16 - (n))

static inline bool vec_any_high(vec v)
{
    return vmaxvq_u8(v) >= 0x80;
}

static inline bool vec_any(vec v)
{
    return vmaxvq_u8(v) != 0;
}

#include "utf8_lookup.h"

bool zn__utf8_check_neon(const uint8_t *text, size_t len)
{
    return check(text, len);
}
#endif
