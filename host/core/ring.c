// SPDX-License-Identifier: Apache-2.0
// Bounded single-producer, single-consumer ring. See ring.h.
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

int zn__ring_init(struct zn_ring *ring, size_t capacity)
{
    if (!capacity || capacity & (capacity - 1))
        return -EINVAL;
    *ring = (struct zn_ring){ .mask = capacity - 1 };
    ring->slots = calloc(capacity, sizeof *ring->slots);
    return ring->slots ? 0 : -ENOMEM;
}

void zn__ring_deinit(struct zn_ring *ring)
{
    free(ring->slots);
    ring->slots = NULL;
}

bool zn__ring_push(struct zn_ring *ring, void *item)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - ring->head_seen > ring->mask) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail - ring->head_seen > ring->mask)
            return false;
    }
    ring->slots[tail & ring->mask] = item;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

void *zn__ring_pop(struct zn_ring *ring)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == ring->tail_seen) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return NULL;
    }
    void *item = ring->slots[head & ring->mask];
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return item;
}
