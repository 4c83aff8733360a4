// SPDX-License-Identifier: Apache-2.0
// The output queue of a connection (or of a polling session): runs of encoded messages by
// reference, neighbours in a chunk joined into one. Holds no memory of its own while it has one
// run at the most, as it mostly does.
//
// Thread: the owner's reactor.
#ifndef ZN_CORE_OUTQ_H
#define ZN_CORE_OUTQ_H

#include "chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    ZN_OUT_VOLATILE = 1 << 0, // first to go when room is short
    ZN_OUT_CONTROL = 1 << 1,  // never dropped, not counted against the limit
    ZN_OUT_GROUP = 1 << 2,    // several frames that only make sense together
};

enum { ZN_OUTQ_ENTRIES_MAX = 32768 };

struct zn_out {
    struct zn_chunk *chunk;
    uint32_t off;
    uint32_t len;
    uint8_t flags;
};

struct zn_outq {
    union {
        struct zn_out one; // cap 0: the only entry
        struct zn_out *v;  // else: `cap` entries
    };
    size_t bytes;
    uint32_t
        pinned; // bytes at the front that the datapath holds, or that are part of a message begun
    uint16_t head, tail; // the entries that are queued: [head, tail)
    uint16_t cap;
    bool polling; // records of a polling payload, not WebSocket frames
};

// Entry `i` of [head, tail).
static inline const struct zn_out *zn__outq_at(const struct zn_outq *q, unsigned i)
{
    return q->cap == 0 ? &q->one : &q->v[i];
}

void zn__outq_deinit(struct zn_outq *q); // drops what is queued

static inline bool zn__outq_empty(const struct zn_outq *q)
{
    return q->bytes == 0;
}

// Appends a run (takes its own reference). 0, -ENOMEM, or -ENOBUFS: too many entries.
int zn__outq_push(struct zn_outq *q, const struct zn_run *run, unsigned flags);

// Takes `len` sent bytes off the front.
void zn__outq_pop(struct zn_outq *q, size_t len);

// Fills up to `max` entries of `iov` with what stands behind the first `skip` bytes; returns their
// number and their bytes in *len_out.
unsigned zn__outq_gather(const struct zn_outq *q, size_t skip, struct iovec *iov, unsigned max,
                         size_t *len_out);

// Drops the oldest message that is not begun, not control and, if `volatile_only`, volatile.
// Returns whether there was one.
bool zn__outq_drop_oldest(struct zn_outq *q, bool volatile_only);

// Moves everything of `from` to the end of `to`, which must be able to take it. 0 or -ENOMEM.
int zn__outq_move(struct zn_outq *to, struct zn_outq *from);

#endif
