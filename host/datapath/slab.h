// SPDX-License-Identifier: Apache-2.0
// Where streams live: blocks of equal objects, each `user bytes | struct zn_stream`, zeroed when
// they are lent. Blocks are aligned to their size, so an object finds its block by masking its
// address; a block that has become empty goes back to the system, all but one.
//
// Owner: one datapath instance, on its thread.
#ifndef ZN_SLAB_H
#define ZN_SLAB_H

#include <stddef.h>

struct zn_stream;
struct zn_slab_block;

struct zn_slab {
    size_t user_room;   // bytes in front of the stream, a multiple of 16
    size_t object_size; // both together
    size_t block_size;
    unsigned per_block;
    unsigned used;               // objects lent
    struct zn_slab_block *first; // those with room stand in front
    struct zn_slab_block *last;
    unsigned empty; // blocks without a lent object
};

void zn__slab_init(struct zn_slab *slab, size_t user_size, size_t stream_size);

// Frees all blocks, whatever is lent.
void zn__slab_deinit(struct zn_slab *slab);

// A zeroed object, or NULL: no memory.
struct zn_stream *zn__slab_alloc(struct zn_slab *slab);

void zn__slab_free(struct zn_slab *slab, struct zn_stream *stream);

// Calls `visit` for each object that is lent. It must neither lend nor give back.
void zn__slab_each(struct zn_slab *slab, void (*visit)(void *context, struct zn_stream *stream),
                   void *context);

#endif
