// SPDX-License-Identifier: Apache-2.0
// Blocks of streams. See slab.h.
#include "slab.h"

#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SIZE = 32 * 1024,
    OBJECTS_MAX = 1024, // of a block
    OBJECTS_MIN = 8,
};

struct zn_slab_block {
    struct zn_slab_block *prev;
    struct zn_slab_block *next;
    unsigned used;
    uint64_t lent[OBJECTS_MAX / 64];
};

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static const size_t header_size = (sizeof(struct zn_slab_block) + 15) / 16 * 16;

// The allocator's own header goes before a block; that much less than the alignment lets blocks
// stand side by side.
static const size_t block_slack = 32;

void zn__slab_init(struct zn_slab *slab, size_t user_size, size_t stream_size)
{
    *slab = (struct zn_slab){ .user_room = round_up(user_size, 16) };
    slab->object_size = slab->user_room + round_up(stream_size, 16);
    slab->block_size = BLOCK_SIZE;
    size_t room;
    while (room = slab->block_size - header_size - block_slack,
           room / slab->object_size < OBJECTS_MIN)
        slab->block_size *= 2;
    size_t fits = room / slab->object_size;
    slab->per_block = fits < OBJECTS_MAX ? (unsigned)fits : OBJECTS_MAX;
}

static void block_unlink(struct zn_slab *slab, struct zn_slab_block *block)
{
    *(block->prev ? &block->prev->next : &slab->first) = block->next;
    *(block->next ? &block->next->prev : &slab->last) = block->prev;
}

static void block_to_front(struct zn_slab *slab, struct zn_slab_block *block)
{
    block->prev = NULL;
    block->next = slab->first;
    *(slab->first ? &slab->first->prev : &slab->last) = block;
    slab->first = block;
}

static void block_to_back(struct zn_slab *slab, struct zn_slab_block *block)
{
    block->next = NULL;
    block->prev = slab->last;
    *(slab->last ? &slab->last->next : &slab->first) = block;
    slab->last = block;
}

static char *block_objects(struct zn_slab_block *block)
{
    return (char *)block + header_size;
}

static void block_destroy(struct zn_slab *slab, struct zn_slab_block *block)
{
    block_unlink(slab, block);
    ASAN_UNPOISON_MEMORY_REGION(block_objects(block), slab->per_block * slab->object_size);
    free(block);
}

static struct zn_slab_block *block_create(struct zn_slab *slab)
{
    void *memory;
    if (posix_memalign(&memory, slab->block_size, slab->block_size - block_slack))
        return NULL;
    struct zn_slab_block *block = memory;
    memset(block, 0, sizeof *block);
    ASAN_POISON_MEMORY_REGION(block_objects(block), slab->per_block * slab->object_size);
    block_to_front(slab, block);
    slab->empty++;
    return block;
}

void zn__slab_deinit(struct zn_slab *slab)
{
    while (slab->first)
        block_destroy(slab, slab->first);
    slab->used = 0;
    slab->empty = 0;
}

static unsigned block_take(struct zn_slab_block *block)
{
    unsigned word = 0;
    while (!~block->lent[word])
        word++;
    unsigned bit = (unsigned)__builtin_ctzll(~block->lent[word]);
    block->lent[word] |= UINT64_C(1) << bit;
    return word * 64 + bit;
}

struct zn_stream *zn__slab_alloc(struct zn_slab *slab)
{
    struct zn_slab_block *block = slab->first;
    if (!block || block->used == slab->per_block)
        block = block_create(slab);
    if (!block)
        return NULL;
    slab->empty -= !block->used;
    char *object = block_objects(block) + block_take(block) * slab->object_size;
    slab->used++;
    if (++block->used == slab->per_block) {
        block_unlink(slab, block);
        block_to_back(slab, block);
    }
    ASAN_UNPOISON_MEMORY_REGION(object, slab->object_size);
    memset(object, 0, slab->object_size);
    return (struct zn_stream *)(object + slab->user_room);
}

void zn__slab_free(struct zn_slab *slab, struct zn_stream *stream)
{
    char *object = (char *)stream - slab->user_room;
    struct zn_slab_block *block =
        (struct zn_slab_block *)((uintptr_t)object & ~(uintptr_t)(slab->block_size - 1));
    size_t index = (size_t)(object - block_objects(block)) / slab->object_size;
    block->lent[index / 64] &= ~(UINT64_C(1) << index % 64);
    ASAN_POISON_MEMORY_REGION(object, slab->object_size);
    slab->used--;
    if (block->used-- == slab->per_block) {
        block_unlink(slab, block);
        block_to_front(slab, block);
    }
    if (!block->used) {
        if (slab->empty)
            block_destroy(slab, block);
        else
            slab->empty = 1;
    }
}

void zn__slab_each(struct zn_slab *slab, void (*visit)(void *context, struct zn_stream *stream),
                   void *context)
{
    for (struct zn_slab_block *block = slab->first; block; block = block->next) {
        for (unsigned i = 0; i < slab->per_block; i++) {
            char *object = block_objects(block) + i * slab->object_size;
            if (block->lent[i / 64] >> i % 64 & 1)
                visit(context, (struct zn_stream *)(object + slab->user_room));
        }
    }
}
