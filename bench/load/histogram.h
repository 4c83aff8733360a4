// SPDX-License-Identifier: Apache-2.0
// Log-linear histogram of nanoseconds: 128 buckets an octave, so a value is known to 0.8 %. Fixed
// size.
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_SUB_BITS = 7,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS
};

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *h, uint64_t value)
{
    uint64_t at = value;
    if (value >> HISTOGRAM_SUB_BITS != 0) {
        int shift = 63 - __builtin_clzll(value) - HISTOGRAM_SUB_BITS;
        at = ((uint64_t)(shift + 1) << HISTOGRAM_SUB_BITS) + (value >> shift) -
             (1u << HISTOGRAM_SUB_BITS);
    }
    h->buckets[at]++;
    h->count++;
    if (value > h->max)
        h->max = value;
}

// The value below which share (0..1) of all values lie; 0 when empty.
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
