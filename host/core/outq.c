// SPDX-License-Identifier: Apache-2.0
// See outq.h.
#include "outq.h"

#include "proto/eio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_FIRST = 4 };

static void entry_drop(struct zn_out *entry)
{
    struct zn_run run = { .chunk = entry->chunk };
    zn__run_drop(&run);
}

static inline struct zn_out *entry_at(struct zn_outq *q, unsigned i)
{
    return (struct zn_out *)zn__outq_at(q, i);
}

static void outq_reset(struct zn_outq *q)
{
    if (q->cap > 0)
        free(q->v);
    q->head = q->tail = q->cap = 0;
}

void zn__outq_deinit(struct zn_outq *q)
{
    for (unsigned i = q->head; i < q->tail; i++)
        entry_drop(entry_at(q, i));
    outq_reset(q);
    q->bytes = 0;
    q->pinned = 0;
}

static int outq_grow(struct zn_outq *q)
{
    unsigned len = q->tail - q->head;
    if (q->cap >= ZN_OUTQ_ENTRIES_MAX)
        return -ENOBUFS;
    unsigned cap = q->cap == 0 ? ENTRIES_FIRST : q->cap * 2u;
    struct zn_out *v = malloc(cap * sizeof(*v));
    if (v == NULL)
        return -ENOMEM;
    memcpy(v, entry_at(q, q->head), len * sizeof(*v));
    if (q->cap > 0)
        free(q->v);
    q->v = v;
    q->cap = (uint16_t)cap;
    return 0;
}

// Room for one more entry at the end.
static int outq_room(struct zn_outq *q)
{
    unsigned len = q->tail - q->head;
    if (q->cap == 0 ? len == 0 : q->tail < q->cap)
        return 0;
    if (q->head >= q->cap / 2 && q->head > 0) {
        memmove(q->v, q->v + q->head, len * sizeof(*q->v));
    } else {
        int err = outq_grow(q);
        if (err < 0)
            return err;
    }
    q->head = 0;
    q->tail = (uint16_t)len;
    return 0;
}

// Appends to the last entry, if the run goes on where that ends.
static inline bool outq_join(struct zn_outq *q, const struct zn_run *run, unsigned flags)
{
    if (q->tail == q->head)
        return false;
    struct zn_out *last = entry_at(q, q->tail - 1u);
    if (last->chunk != run->chunk || last->off + last->len != run->off || last->flags != flags ||
        (flags & ZN_OUT_GROUP) != 0)
        return false;
    last->len += run->len;
    q->bytes += run->len;
    return true;
}

static __attribute__((noinline)) int outq_append(struct zn_outq *q, const struct zn_run *run,
                                                 unsigned flags)
{
    int err = outq_room(q);
    if (err < 0)
        return err;
    *entry_at(q, q->tail++) = (struct zn_out){ run->chunk, run->off, run->len, (uint8_t)flags };
    q->bytes += run->len;
    zn__run_ref(run);
    return 0;
}

int zn__outq_push(struct zn_outq *q, const struct zn_run *run, unsigned flags)
{
    return outq_join(q, run, flags) ? 0 : outq_append(q, run, flags);
}

unsigned zn__outq_gather(const struct zn_outq *q, size_t skip, struct iovec *iov, unsigned max,
                         size_t *len_out)
{
    unsigned n = 0;
    size_t len = 0;
    for (unsigned i = q->head; i < q->tail && n < max; i++) {
        const struct zn_out *entry = zn__outq_at(q, i);
        if (skip >= entry->len) {
            skip -= entry->len;
            continue;
        }
        iov[n].iov_base = entry->chunk->data + entry->off + skip;
        iov[n].iov_len = entry->len - skip;
        len += iov[n++].iov_len;
        skip = 0;
    }
    *len_out = len;
    return n;
}

// Bytes of the message that starts at `p`; at most `len`.
static size_t message_len(const struct zn_outq *q, const uint8_t *p, size_t len)
{
    if (q->polling) {
        const uint8_t *next = memchr(p + 1, ZN_EIO_SEPARATOR, len - 1);
        return next != NULL ? (size_t)(next - p) : len;
    }
    uint64_t payload = len > 1 ? p[1] & 0x7f : 0;
    size_t head = 2;
    if (payload == 126 && len >= 4) {
        payload = (uint64_t)p[2] << 8 | p[3];
        head = 4;
    } else if (payload == 127 && len >= 10) {
        payload = 0;
        for (int i = 2; i < 10; i++)
            payload = payload << 8 | p[i];
        head = 10;
    }
    return payload > len - head ? len : head + (size_t)payload;
}

// What is left of the message that the cut at `off` of an entry goes through; `at` is a message
// boundary at or before it.
static size_t message_rest(const struct zn_outq *q, const struct zn_out *entry, size_t off,
                           size_t at)
{
    if ((entry->flags & ZN_OUT_GROUP) != 0)
        return entry->len - off;
    while (at < off)
        at += message_len(q, entry->chunk->data + entry->off + at, entry->len - at);
    return at - off;
}

void zn__outq_pop(struct zn_outq *q, size_t len)
{
    assert(len <= q->bytes);
    bool was_pinned = len < q->pinned;
    size_t boundary = q->pinned; // in the head entry: where its first whole message begins
    size_t rest = was_pinned ? q->pinned - len : 0;
    q->bytes -= len;
    while (len > 0) {
        struct zn_out *entry = entry_at(q, q->head);
        if (len < entry->len) {
            if (!was_pinned && !q->polling)
                rest = message_rest(q, entry, len, boundary);
            entry->off += (uint32_t)len;
            entry->len -= (uint32_t)len;
            break;
        }
        len -= entry->len;
        boundary = 0;
        entry_drop(entry);
        q->head++;
    }
    q->pinned = (uint32_t)rest;
    if (q->bytes == 0)
        outq_reset(q);
}

// Cuts [off, off + len) out of entry `i`; -ENOMEM when it had to be split in two and could not.
static int outq_cut(struct zn_outq *q, unsigned i, size_t off, size_t len)
{
    struct zn_out *entry = entry_at(q, i);
    if (off == 0 && len == entry->len) {
        entry_drop(entry);
        memmove(entry, entry + 1, (q->tail - i - 1) * sizeof(*entry));
        q->tail--;
    } else if (off == 0) {
        entry->off += (uint32_t)len;
        entry->len -= (uint32_t)len;
    } else if (off + len == entry->len) {
        entry->len -= (uint32_t)len;
    } else {
        unsigned at = i - q->head;
        int err = outq_room(q);
        if (err < 0)
            return err;
        entry = entry_at(q, q->head + at);
        memmove(entry + 1, entry, (q->tail - q->head - at) * sizeof(*entry));
        q->tail++;
        entry->chunk->refs++;
        entry[0].len = (uint32_t)off;
        entry[1].off += (uint32_t)(off + len);
        entry[1].len -= (uint32_t)(off + len);
    }
    q->bytes -= len;
    return 0;
}

bool zn__outq_drop_oldest(struct zn_outq *q, bool volatile_only)
{
    size_t pos = 0;
    for (unsigned i = q->head; i < q->tail; pos += zn__outq_at(q, i)->len, i++) {
        const struct zn_out *entry = zn__outq_at(q, i);
        if ((entry->flags & ZN_OUT_CONTROL) != 0 ||
            (volatile_only && (entry->flags & ZN_OUT_VOLATILE) == 0))
            continue;
        // The first message boundary behind what is pinned. Only the head entry can begin inside
        // a message, and then `pinned` reaches at least to that message's end.
        size_t off = q->pinned > pos ? q->pinned - pos : 0;
        if (off >= entry->len || (off > 0 && (entry->flags & ZN_OUT_GROUP) != 0))
            continue;
        size_t len = (entry->flags & ZN_OUT_GROUP) != 0
                         ? entry->len
                         : message_len(q, entry->chunk->data + entry->off + off, entry->len - off);
        if (outq_cut(q, i, off, len) == 0) {
            if (q->bytes == 0)
                outq_reset(q);
            return true;
        }
    }
    return false;
}

int zn__outq_move(struct zn_outq *to, struct zn_outq *from)
{
    int err = 0;
    for (unsigned i = from->head; i < from->tail && err == 0; i++) {
        const struct zn_out *entry = entry_at(from, i);
        struct zn_run run = { entry->chunk, entry->off, entry->len };
        err = zn__outq_push(to, &run, entry->flags);
    }
    zn__outq_deinit(from);
    return err;
}
