// SPDX-License-Identifier: Apache-2.0
// See table.h.
#include "table.h"

#include "siphash.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t table_hash(const struct zn_table *table, struct zn_slice key)
{
    return (uint32_t)zn__siphash(table->secret, key.p, key.len);
}

void zn__table_init(struct zn_table *table, zn_table_key_fn key, const uint64_t secret[2])
{
    *table = (struct zn_table){ .key = key, .secret = secret };
}

void zn__table_deinit(struct zn_table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->cap = table->len = 0;
}

// The slot that holds the key, or the free one where it would go.
static uint32_t table_slot(const struct zn_table *table, uint32_t hash, struct zn_slice key)
{
    uint32_t i = hash & (table->cap - 1);
    while (table->slots[i].item != NULL) {
        if (table->slots[i].hash == hash && zn__slice_eq(table->key(table->slots[i].item), key))
            break;
        i = (i + 1) & (table->cap - 1);
    }
    return i;
}

void *zn__table_find(const struct zn_table *table, struct zn_slice key)
{
    if (table->len == 0)
        return NULL;
    return table->slots[table_slot(table, table_hash(table, key), key)].item;
}

static int table_resize(struct zn_table *table, uint32_t cap)
{
    struct zn_table_slot *slots = calloc(cap, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < table->cap; i++) {
        if (table->slots[i].item == NULL)
            continue;
        uint32_t j = table->slots[i].hash & (cap - 1);
        while (slots[j].item != NULL)
            j = (j + 1) & (cap - 1);
        slots[j] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->cap = cap;
    return 0;
}

int zn__table_put(struct zn_table *table, void *item)
{
    if ((uint64_t)(table->len + 1) * 4 > (uint64_t)table->cap * 3) {
        int err = table_resize(table, table->cap == 0 ? 8 : table->cap * 2);
        if (err < 0)
            return err;
    }
    struct zn_slice key = table->key(item);
    uint32_t hash = table_hash(table, key);
    table->slots[table_slot(table, hash, key)] = (struct zn_table_slot){ hash, item };
    table->len++;
    return 0;
}

// Closes the gap at `hole` by moving later items of the same probe run down.
static void table_close_gap(struct zn_table *table, uint32_t hole)
{
    uint32_t mask = table->cap - 1;
    for (uint32_t i = (hole + 1) & mask; table->slots[i].item != NULL; i = (i + 1) & mask) {
        uint32_t home = table->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].item = NULL;
}

void *zn__table_take(struct zn_table *table, struct zn_slice key)
{
    if (table->len == 0)
        return NULL;
    uint32_t i = table_slot(table, table_hash(table, key), key);
    void *item = table->slots[i].item;
    if (item == NULL)
        return NULL;
    table_close_gap(table, i);
    table->len--;
    if (table->len == 0)
        zn__table_deinit(table);
    else if (table->cap > 64 && (uint64_t)table->len * 8 < table->cap)
        (void)table_resize(table, table->cap / 2); // keeps the larger one when memory is short
    return item;
}

void *zn__table_next(const struct zn_table *table, uint32_t *cursor)
{
    while (*cursor < table->cap) {
        void *item = table->slots[(*cursor)++].item;
        if (item != NULL)
            return item;
    }
    return NULL;
}
