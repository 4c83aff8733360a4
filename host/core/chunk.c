// SPDX-License-Identifier: Apache-2.0
// See chunk.h.
#include "chunk.h"

#include <assert.h>
#include <stdlib.h>

enum { FREE_MAX = 16 }; // ordinary chunks kept for reuse

void zn__arena_init(struct zn_arena *arena)
{
    *arena = (struct zn_arena){ 0 };
}

void zn__arena_deinit(struct zn_arena *arena)
{
    if (arena->current != NULL) {
        struct zn_run own = { .chunk = arena->current };
        arena->current = NULL;
        zn__run_drop(&own);
    }
    while (arena->free != NULL) {
        struct zn_chunk *chunk = arena->free;
        arena->free = chunk->next;
        free(chunk);
    }
}

static struct zn_chunk *chunk_get(struct zn_arena *arena, size_t cap)
{
    struct zn_chunk *chunk = arena->free;
    if (cap == ZN_CHUNK_SIZE && chunk != NULL) {
        arena->free = chunk->next;
        arena->free_len--;
    } else {
        chunk = malloc(sizeof(*chunk) + cap);
        if (chunk == NULL)
            return NULL;
        arena->bytes += cap;
    }
    *chunk = (struct zn_chunk){ .refs = 1, .cap = (uint32_t)cap, .arena = arena };
    return chunk;
}

void zn__chunk_free(struct zn_chunk *chunk)
{
    struct zn_arena *arena = chunk->arena;
    if (chunk->cap == ZN_CHUNK_SIZE && arena->free_len < FREE_MAX) {
        chunk->next = arena->free;
        arena->free = chunk;
        arena->free_len++;
        return;
    }
    arena->bytes -= chunk->cap;
    free(chunk);
}

uint8_t *zn__arena_reserve(struct zn_arena *arena, size_t len)
{
    struct zn_chunk *chunk = arena->current;
    if (chunk != NULL && chunk->refs == 1) // nobody else looks at it any more
        chunk->used = chunk->cap > ZN_CHUNK_SIZE ? chunk->cap : 0;
    if (chunk == NULL || chunk->cap - chunk->used < len) {
        if (len > UINT32_MAX / 2)
            return NULL;
        struct zn_chunk *next = chunk_get(arena, len > ZN_CHUNK_SIZE ? len : ZN_CHUNK_SIZE);
        if (next == NULL)
            return NULL;
        struct zn_run own = { .chunk = chunk };
        zn__run_drop(&own);
        arena->current = next;
    }
    return arena->current->data + arena->current->used;
}

struct zn_run zn__arena_commit(struct zn_arena *arena, size_t len)
{
    struct zn_chunk *chunk = arena->current;
    assert(chunk != NULL && len <= chunk->cap - chunk->used);
    struct zn_run run = { .chunk = chunk, .off = chunk->used, .len = (uint32_t)len };
    chunk->used += (uint32_t)len;
    chunk->refs++;
    return run;
}
