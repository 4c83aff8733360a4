// SPDX-License-Identifier: Apache-2.0
// A hash table of pointers found by a byte string, keyed with SipHash against
// hash floods. The elements own their keys. Linear probing, tombstone-free.
//
// Thread: one thread at a time.
#ifndef ZN_CORE_TABLE_H
#define ZN_CORE_TABLE_H

#include "proto/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct zn_table_slot {
    uint32_t hash;
    void *item; // NULL: free
};

typedef struct zn_slice (*zn_table_key_fn)(const void *item);

struct zn_table {
    struct zn_table_slot *slots;
    uint32_t cap; // power of two, or 0
    uint32_t len;
    zn_table_key_fn key;
    const uint64_t *secret; // SipHash key, shared by the process
};

void zn__table_init(struct zn_table *table, zn_table_key_fn key, const uint64_t secret[2]);
void zn__table_deinit(struct zn_table *table); // the items stay

// The item with this key, or NULL.
void *zn__table_find(const struct zn_table *table, struct zn_slice key);

// Puts an item in whose key is not in the table yet. 0, or -ENOMEM.
int zn__table_put(struct zn_table *table, void *item);

// Takes the item with this key out; NULL when it is not there.
void *zn__table_take(struct zn_table *table, struct zn_slice key);

// Walks all items: start with *cursor = 0; NULL at the end. The table must not change meanwhile.
void *zn__table_next(const struct zn_table *table, uint32_t *cursor);

#endif
