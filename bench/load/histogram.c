// SPDX-License-Identifier: Apache-2.0
// See histogram.h.
#include "histogram.h"

uint64_t histogram_quantile(const struct histogram *h, double share)
{
    uint64_t rank = (uint64_t)(share * (double)h->count);
    uint64_t seen = 0;
    for (uint64_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > rank) {
            uint64_t octave = i >> HISTOGRAM_SUB_BITS;
            if (octave == 0)
                return i;
            uint64_t sub = (i & ((1u << HISTOGRAM_SUB_BITS) - 1)) + (1u << HISTOGRAM_SUB_BITS);
            uint64_t value = sub << (octave - 1);
            return value < h->max ? value : h->max;
        }
    }
    return h->max;
}
