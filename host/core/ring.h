// SPDX-License-Identifier: Apache-2.0
// Bounded ring of pointers between two threads: one pushes, one pops. What a pointer leads to
// belongs to the popper from the moment that the push succeeded.
//
// Thread: init and deinit while nobody else uses the ring; push on the one, pop on the other.
#ifndef ZN_RING_H
#define ZN_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { ZN_CACHE_LINE = 64 };

struct zn_ring {
    alignas(ZN_CACHE_LINE) atomic_size_t tail; // the pusher's line: next place to fill,
    size_t head_seen;                          // and how far the popper was when last looked at
    alignas(ZN_CACHE_LINE) atomic_size_t head; // the popper's line: next place to empty,
    size_t tail_seen;                          // and how far the pusher was
    alignas(ZN_CACHE_LINE) size_t mask;        // shared, constant after init
    void **slots;
};

// Room for `capacity` pointers, a power of two (else -EINVAL). -ENOMEM; 0.
int zn__ring_init(struct zn_ring *ring, size_t capacity);

// Frees the ring, not what is still in it: pop that before.
void zn__ring_deinit(struct zn_ring *ring);

// False: full; nothing was pushed. `item` is not NULL.
bool zn__ring_push(struct zn_ring *ring, void *item);

// The oldest item, or NULL: empty.
void *zn__ring_pop(struct zn_ring *ring);

#endif
