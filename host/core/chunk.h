// SPDX-License-Identifier: Apache-2.0
// Outgoing bytes. Everything that a reactor sends is encoded once into chunks and
// queued by reference. Messages of one turn stand side by side in a chunk, so that a
// connection that gets several of them in a row queues one longer run and sends it
// in one piece.
//
// Owner: one arena a reactor; runs are counted references, used on that thread only.
#ifndef ZN_CORE_CHUNK_H
#define ZN_CORE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZN_CHUNK_SIZE = 64 * 1024 }; // bytes of an ordinary chunk; a longer message gets its own

struct zn_chunk {
    uint32_t refs;
    uint32_t cap;
    uint32_t used;
    struct zn_arena *arena;
    struct zn_chunk *next; // in the free list
    uint8_t data[];
};

// A counted reference to bytes of a chunk; chunk NULL: nothing.
struct zn_run {
    struct zn_chunk *chunk;
    uint32_t off;
    uint32_t len;
};

struct zn_arena {
    struct zn_chunk *current;
    struct zn_chunk *free;
    unsigned free_len;
    size_t bytes; // of all chunks alive
};

void zn__arena_init(struct zn_arena *arena);
void zn__arena_deinit(struct zn_arena *arena); // all runs must be dropped by then

// Room for `len` bytes in one piece, or NULL (no memory). Write at most `len` bytes, then commit.
uint8_t *zn__arena_reserve(struct zn_arena *arena, size_t len);

// The first `len` bytes reserved last, as a run with one reference.
struct zn_run zn__arena_commit(struct zn_arena *arena, size_t len);

static inline const uint8_t *zn__run_data(const struct zn_run *run)
{
    return run->chunk->data + run->off;
}

static inline void zn__run_ref(const struct zn_run *run)
{
    run->chunk->refs++;
}

void zn__chunk_free(struct zn_chunk *chunk);

static inline void zn__run_drop(struct zn_run *run)
{
    if (run->chunk != NULL && --run->chunk->refs == 0)
        zn__chunk_free(run->chunk);
    run->chunk = NULL;
}

#endif
