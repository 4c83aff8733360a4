// SPDX-License-Identifier: Apache-2.0
// zlib streams of a reactor: kept by window size, lent to a connection for one message, or for as
// long as context takeover asks for.
//
// Thread: the reactor's.
#ifndef ZN_CORE_ZPOOL_H
#define ZN_CORE_ZPOOL_H

#include "chunk.h"

#include "proto/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

struct zn_zstream {
    z_stream z;
    uint8_t window_bits;
    bool deflates;
    uint64_t taken; // an inflater's: bytes of the message in hand so far
    struct zn_zstream *next;
};

struct zn_zpool {
    struct zn_zstream *deflaters[16]; // free ones by window bits
    struct zn_zstream *inflaters[16];
    unsigned lent; // streams out of the pool
    int level;
};

void zn__zpool_init(struct zn_zpool *pool, int level);
void zn__zpool_deinit(struct zn_zpool *pool); // all streams must be back

// A reset stream, or NULL (no memory).
struct zn_zstream *zn__zpool_deflater(struct zn_zpool *pool, uint8_t window_bits);
struct zn_zstream *zn__zpool_inflater(struct zn_zpool *pool, uint8_t window_bits);
void zn__zpool_put(struct zn_zpool *pool, struct zn_zstream *stream);

#endif
