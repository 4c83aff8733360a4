// SPDX-License-Identifier: Apache-2.0
// Buckets, and the Toeplitz hash as receive-side scaling has it: each bit of the input that is set
// adds (XOR) the 32 bits of the key that begin at its place. All that the bits of one byte add is
// looked up at once.
#include "soft/table.h"
#include "soft/wire.h"

void zn__soft_table_key(struct zn__soft_table *table, const uint8_t key[ZN__TOEPLITZ_KEY])
{
    for (unsigned at = 0; at < sizeof(struct zn__soft_tuple); at++) {
        uint64_t window = (uint64_t)zn__load_be32(key + at) << 8 | key[at + 4]; // 40 bits
        uint32_t *adds = table->toeplitz[at];
        adds[0] = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            uint32_t one =
                (uint32_t)(window >> (bit + 1)); // of the byte's bit with the value 1 << bit
            for (unsigned below = 0; below < 1u << bit; below++)
                adds[1u << bit | below] = one ^ adds[below];
        }
    }
}

static inline uint32_t hash_bytes(const struct zn__soft_table *table,
                                  const struct zn__soft_tuple *tuple, size_t from, size_t count)
{
    const uint8_t *bytes = (const uint8_t *)tuple;
    uint32_t hash = 0;
    for (size_t i = from; i < from + count; i++)
        hash ^= table->toeplitz[i][bytes[i]];
    return hash;
}

uint32_t zn__soft_table_hash(const struct zn__soft_table *table, const struct zn__soft_tuple *tuple,
                             bool v6)
{
    if (v6)
        return hash_bytes(table, tuple, 0, sizeof(*tuple));
    // The other bytes are 0 and add nothing.
    return hash_bytes(table, tuple, offsetof(struct zn__soft_tuple, peer_address), 4) ^
           hash_bytes(table, tuple, offsetof(struct zn__soft_tuple, local_address), 4) ^
           hash_bytes(table, tuple, offsetof(struct zn__soft_tuple, peer_port), 4);
}

bool zn__soft_table_find(const struct zn__soft_table *table, uint32_t hash, uint32_t *flow_out)
{
    const struct zn__soft_bucket *bucket = zn__soft_table_bucket(table, hash);
    for (unsigned i = 0; i < ZN__BUCKET_SLOTS; i++) {
        if (bucket->used >> i & 1 && bucket->tag[i] == hash >> 16) {
            *flow_out = bucket->flow[i];
            return true;
        }
    }
    return false;
}

bool zn__soft_table_add(struct zn__soft_table *table, uint32_t hash, uint32_t flow)
{
    struct zn__soft_bucket *bucket = zn__soft_table_bucket(table, hash);
    unsigned at = ZN__BUCKET_SLOTS;
    uint32_t equal;
    if (zn__soft_table_find(table, hash, &equal))
        return false;
    for (unsigned i = ZN__BUCKET_SLOTS; i-- > 0;)
        at = bucket->used >> i & 1 ? at : i;
    if (at == ZN__BUCKET_SLOTS)
        return false;
    bucket->flow[at] = flow;
    bucket->tag[at] = (uint16_t)(hash >> 16);
    bucket->used |= (uint8_t)(1u << at);
    return true;
}

bool zn__soft_table_delete(struct zn__soft_table *table, uint32_t hash, uint32_t flow)
{
    struct zn__soft_bucket *bucket = zn__soft_table_bucket(table, hash);
    for (unsigned i = 0; i < ZN__BUCKET_SLOTS; i++) {
        if (bucket->used >> i & 1 && bucket->flow[i] == flow) {
            bucket->used &= (uint8_t) ~(1u << i);
            return true;
        }
    }
    return false;
}
