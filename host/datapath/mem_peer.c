// SPDX-License-Identifier: Apache-2.0
// The far ends of streams in memory. See mem.h.
#include "mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const int handle_first = 1 << 30; // out of the range of descriptors

static pthread_mutex_t travel_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zn_mem_peer *travellers;
static int handles_given;

void *zn__mem_must(void *memory)
{
    if (!memory)
        abort(); // a test double has no way on without memory
    return memory;
}

void zn__mem_append(struct zn_mem_bytes *bytes, const void *data, size_t len)
{
    if (!len)
        return;
    if (bytes->start + bytes->len + len > bytes->cap) {
        if (bytes->len)
            memmove(bytes->data, bytes->data + bytes->start, bytes->len);
        bytes->start = 0;
        bytes->cap = (bytes->len + len) * 2;
        bytes->data = zn__mem_must(realloc(bytes->data, bytes->cap));
    }
    memcpy(bytes->data + bytes->start + bytes->len, data, len);
    bytes->len += len;
}

size_t zn__mem_take(struct zn_mem_bytes *bytes, void *buf, size_t cap)
{
    size_t len = bytes->len < cap ? bytes->len : cap;
    if (len)
        memcpy(buf, bytes->data + bytes->start, len);
    bytes->start += len;
    bytes->len -= len;
    return len;
}

void zn__mem_forget(struct zn_mem_peer *peer)
{
    free(peer->to_server.data);
    free(peer->to_peer.data);
    free(peer);
}

int zn__mem_depart(struct zn_mem_peer *peer)
{
    pthread_mutex_lock(&travel_lock);
    peer->handle = handle_first + handles_given++;
    peer->next = travellers;
    travellers = peer;
    pthread_mutex_unlock(&travel_lock);
    return peer->handle;
}

struct zn_mem_peer *zn__mem_arrive(int handle)
{
    pthread_mutex_lock(&travel_lock);
    struct zn_mem_peer **link = &travellers;
    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    struct zn_mem_peer *peer = *link;
    if (peer) {
        *link = peer->next;
        peer->handle = 0;
    }
    pthread_mutex_unlock(&travel_lock);
    return peer;
}

static void peer_changed(struct zn_mem_peer *peer)
{
    if (peer->dp && peer->stream)
        zn__mem_ready(peer->dp, peer->stream);
}

struct zn_mem_peer *zn_dp_mem_connect(struct zn_dp *base)
{
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
    struct zn_mem_peer *peer = zn__mem_must(calloc(1, sizeof *peer));
    peer->window = SIZE_MAX;
    peer->chunk = SIZE_MAX;
    if (dp->refusing) {
        peer->got_reset = true;
        return peer;
    }
    peer->dp = dp;
    peer->waiting = true;
    *(dp->waiting ? &dp->waiting_last->next : &dp->waiting) = peer;
    dp->waiting_last = peer;
    return peer;
}

void zn_dp_mem_write(struct zn_mem_peer *peer, const void *data, size_t len)
{
    assert(!peer->wrote_fin);
    zn__mem_append(&peer->to_server, data, len);
    peer_changed(peer);
}

void zn_dp_mem_fin(struct zn_mem_peer *peer)
{
    peer->wrote_fin = true;
    peer_changed(peer);
}

void zn_dp_mem_reset(struct zn_mem_peer *peer)
{
    peer->wrote_reset = true;
    peer_changed(peer);
}

ssize_t zn_dp_mem_read(struct zn_mem_peer *peer, void *buf, size_t cap)
{
    size_t len = zn__mem_take(&peer->to_peer, buf, cap);
    if (len) {
        peer_changed(peer);
        return (ssize_t)len;
    }
    return peer->got_reset ? -ECONNRESET : peer->got_fin ? -EPIPE : 0;
}

void zn_dp_mem_window(struct zn_mem_peer *peer, size_t bytes)
{
    peer->window = bytes;
    peer_changed(peer);
}

void zn_dp_mem_chunk(struct zn_mem_peer *peer, size_t bytes)
{
    peer->chunk = bytes ? bytes : 1;
}

void zn_dp_mem_free(struct zn_mem_peer *peer)
{
    peer->gone = true;
    if (peer->to_peer.len)
        peer->wrote_reset = true; // as a socket does that is closed with unread input
    peer->wrote_fin = true;
    if (peer->stream || peer->waiting || peer->handle)
        peer_changed(peer);
    else
        zn__mem_forget(peer);
}

void zn_dp_mem_advance(struct zn_dp *dp, uint64_t ns)
{
    uint64_t before_ms = dp->now_ns / 1000000;
    dp->now_ns += ns;
    dp->wall_ms += dp->now_ns / 1000000 - before_ms;
}
