// SPDX-License-Identifier: Apache-2.0
// The flow table: Toeplitz hash and buckets of four slots. It knows tags and flow ids; whether a
// slot's flow has the whole 4-tuple is the caller's to compare.
//
// Thread: one at a time. Memory is the caller's.
#ifndef ZN_SOFT_TABLE_H
#define ZN_SOFT_TABLE_H

#include "soft/tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZN__TOEPLITZ_KEY = 40, ZN__BUCKET_SLOTS = 4 };

// Zero bytes are an empty bucket.
struct zn__soft_bucket {
    uint32_t flow[ZN__BUCKET_SLOTS];
    uint16_t tag[ZN__BUCKET_SLOTS];
    uint8_t used; // a bit a slot
    uint8_t reserved[7];
};

struct zn__soft_table {
    struct zn__soft_bucket *buckets;
    uint32_t mask; // buckets - 1
    // What each value of each byte of a tuple adds to the hash.
    uint32_t toeplitz[sizeof(struct zn__soft_tuple)][256];
};

// Makes the hash's table for `key`. Entries of the flow table stay where the old key put them.
void zn__soft_table_key(struct zn__soft_table *table, const uint8_t key[ZN__TOEPLITZ_KEY]);

uint32_t zn__soft_table_hash(const struct zn__soft_table *table, const struct zn__soft_tuple *tuple,
                             bool v6);

static inline struct zn__soft_bucket *zn__soft_table_bucket(const struct zn__soft_table *table,
                                                            uint32_t hash)
{
    return &table->buckets[hash & table->mask];
}

// The flow whose tag is the hash's, in *flow_out; false if there is none. A bucket has a tag once
// at most.
bool zn__soft_table_find(const struct zn__soft_table *table, uint32_t hash, uint32_t *flow_out);

// False if the bucket is full or has the tag.
bool zn__soft_table_add(struct zn__soft_table *table, uint32_t hash, uint32_t flow);

// False if the bucket does not hold `flow`.
bool zn__soft_table_delete(struct zn__soft_table *table, uint32_t hash, uint32_t flow);

#endif
