// SPDX-License-Identifier: Apache-2.0
// The datapath in memory: a deterministic test double with a clock that only the test moves.
// poll() never blocks, whatever its timeout. Each RECV is an allocation of exactly its size, so
// that a sanitizer sees every read beyond it and every use after the next poll().
//
// Thread: streams and far ends belong to the instance's thread; detached handles may cross.
#include "datapath.h"
#include "slab.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUED = 1 << 0, // in the ready list
    PAUSED = 1 << 1, // want(false)
    EOF_SEEN = 1 << 2,
    FIN_SENT = 1 << 3,
    BROKEN = 1 << 4,
    REPORTED = 1 << 5, // that it is broken
    BLOCKED = 1 << 6,  // SENT is due when the far end has room
    LEAVING = 1 << 7,
    DEAD = 1 << 8,
};

enum { HANDLE_FIRST = 1 << 30 }; // out of the range of descriptors

struct bytes {
    uint8_t *data;
    size_t start, len, cap;
};

struct zn_stream {
    struct zn_stream *next;
    struct zn_mem_peer *peer;
    void *cookie; // of an adoption
    int flags;
    int err;
};

struct zn_mem_peer {
    struct zn_mem_peer *next; // of those waiting or travelling
    struct mem_dp *dp;        // NULL: the instance was closed, or the stream travels
    struct zn_stream *stream; // NULL: not accepted yet, or ended
    struct bytes to_server;
    struct bytes to_peer;
    size_t window;
    size_t chunk;
    int handle; // while travelling, else 0
    bool waiting;
    bool wrote_fin, wrote_reset;
    bool got_fin, got_reset;
    bool gone; // zn_dp_mem_free() was called
};

struct list {
    struct zn_stream *first, *last;
};

struct mem_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct zn_slab slab;
    struct list ready, adopted, dead;
    struct zn_mem_peer *waiting, *waiting_last;
    void **lent; // what events point at, freed by the next poll()
    size_t lent_len, lent_cap;
    uint16_t next_port;
    bool refusing;
};

static pthread_mutex_t travel_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zn_mem_peer *travellers;
static int next_handle = HANDLE_FIRST;

static void *must(void *memory)
{
    if (!memory)
        abort(); // a test double has no way on without memory
    return memory;
}

static void bytes_append(struct bytes *bytes, const void *data, size_t len)
{
    if (!len)
        return;
    if (bytes->start + bytes->len + len > bytes->cap) {
        if (bytes->len)
            memmove(bytes->data, bytes->data + bytes->start, bytes->len);
        bytes->start = 0;
        bytes->cap = (bytes->len + len) * 2;
        bytes->data = must(realloc(bytes->data, bytes->cap));
    }
    memcpy(bytes->data + bytes->start + bytes->len, data, len);
    bytes->len += len;
}

static size_t bytes_take(struct bytes *bytes, void *buf, size_t cap)
{
    size_t len = bytes->len < cap ? bytes->len : cap;
    if (len)
        memcpy(buf, bytes->data + bytes->start, len);
    bytes->start += len;
    bytes->len -= len;
    return len;
}

static void list_append(struct list *list, struct zn_stream *stream)
{
    stream->next = NULL;
    *(list->last ? &list->last->next : &list->first) = stream;
    list->last = stream;
}

static struct zn_stream *list_take(struct list *list)
{
    struct zn_stream *stream = list->first;
    if (stream) {
        list->first = stream->next;
        if (!list->first)
            list->last = NULL;
    }
    return stream;
}

static void stream_ready(struct mem_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & QUEUED)
        return;
    stream->flags |= QUEUED;
    list_append(&dp->ready, stream);
}

static void peer_changed(struct zn_mem_peer *peer)
{
    if (peer->dp && peer->stream)
        stream_ready(peer->dp, peer->stream);
}

static void peer_forget(struct zn_mem_peer *peer)
{
    free(peer->to_server.data);
    free(peer->to_peer.data);
    free(peer);
}

static void *lend(struct mem_dp *dp, size_t len)
{
    if (dp->lent_len == dp->lent_cap) {
        dp->lent_cap = dp->lent_cap ? dp->lent_cap * 2 : 64;
        dp->lent = must(realloc(dp->lent, dp->lent_cap * sizeof *dp->lent));
    }
    return dp->lent[dp->lent_len++] = must(malloc(len));
}

// --- the table's operations

static int mem_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    struct mem_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return -ENOMEM;
    dp->base.ops = &zn_dp_mem;
    dp->base.now_ns = UINT64_C(1000000000);
    dp->base.wall_ms = UINT64_C(1700000000000);
    dp->config = *config;
    dp->next_port = 1024;
    zn__slab_init(&dp->slab, config->user_size, sizeof(struct zn_stream));
    *dp_out = &dp->base;
    return 0;
}

static void stream_part(struct zn_stream *stream)
{
    struct zn_mem_peer *peer = stream->peer;
    if (!peer)
        return;
    peer->stream = NULL;
    stream->peer = NULL;
    if (peer->gone)
        peer_forget(peer);
}

static void stream_drop(void *context, struct zn_stream *stream)
{
    (void)context;
    if (!stream->peer)
        return;
    stream->peer->got_reset = true;
    stream->peer->dp = NULL;
    stream_part(stream);
}

static void turn_free(struct mem_dp *dp)
{
    while (dp->lent_len)
        free(dp->lent[--dp->lent_len]);
    for (struct zn_stream *stream; (stream = list_take(&dp->dead));)
        zn__slab_free(&dp->slab, stream);
}

static struct zn_mem_peer *waiting_take(struct mem_dp *dp)
{
    struct zn_mem_peer *peer = dp->waiting;
    if (peer) {
        dp->waiting = peer->next;
        peer->next = NULL;
        peer->waiting = false;
    }
    return peer;
}

static void waiting_refuse(struct mem_dp *dp)
{
    for (struct zn_mem_peer *peer; (peer = waiting_take(dp));) {
        peer->got_reset = true;
        peer->dp = NULL;
        if (peer->gone)
            peer_forget(peer);
    }
}

static void mem_close(struct zn_dp *base)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    waiting_refuse(dp);
    turn_free(dp);
    zn__slab_each(&dp->slab, stream_drop, NULL);
    zn__slab_deinit(&dp->slab);
    free(dp->lent);
    free(dp);
}

static int mem_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                      uint16_t *port_out)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    (void)addr_len;
    dp->refusing = !addr;
    if (!addr)
        waiting_refuse(dp);
    else if (port_out)
        *port_out = 1;
    return 0;
}

static void event_accept(struct mem_dp *dp, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = waiting_take(dp);
    struct zn_stream *stream = must(zn__slab_alloc(&dp->slab));
    struct sockaddr_in *addr = lend(dp, sizeof *addr);
    *addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(dp->next_port++) };
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stream->peer = peer;
    peer->stream = stream;
    stream_ready(dp, stream);
    event->type = ZN_DP_ACCEPT;
    event->stream = stream;
    event->peer = (struct sockaddr *)addr;
}

static void event_adopted(struct mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    stream_ready(dp, stream);
    event->type = ZN_DP_ADOPTED;
    event->stream = stream;
    event->cookie = stream->cookie;
}

static struct zn_mem_peer *traveller_take(int handle)
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

static void handle_drop(struct zn_dp_handle *handle)
{
    struct zn_mem_peer *peer = traveller_take(handle->fd);
    if (!peer)
        return;
    peer->got_fin = true;
    if (peer->gone)
        peer_forget(peer);
}

static void event_detached(struct mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = stream->peer;
    stream->peer = NULL;
    stream->flags |= DEAD;
    list_append(&dp->dead, stream);
    peer->stream = NULL;
    peer->dp = NULL;
    pthread_mutex_lock(&travel_lock);
    peer->handle = next_handle++;
    peer->next = travellers;
    travellers = peer;
    pthread_mutex_unlock(&travel_lock);
    event->type = ZN_DP_DETACHED;
    event->handle = (struct zn_dp_handle){ .fd = peer->handle, .drop = handle_drop };
}

static void event_recv(struct mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct bytes *input = &stream->peer->to_server;
    size_t helping = dp->config.recv_size ? dp->config.recv_size : 65536;
    if (helping > stream->peer->chunk)
        helping = stream->peer->chunk;
    if (helping > input->len)
        helping = input->len;
    event->type = ZN_DP_RECV;
    event->data = lend(dp, helping);
    event->len = bytes_take(input, event->data, helping);
}

static size_t peer_room(const struct zn_mem_peer *peer)
{
    return peer->window > peer->to_peer.len ? peer->window - peer->to_peer.len : 0;
}

// Turns what is due on a stream into one event. False: nothing is due.
static bool stream_event(struct mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = stream->peer;
    event->stream = stream;
    if (stream->flags & LEAVING) {
        event_detached(dp, stream, event);
        return true;
    }
    if (peer->wrote_reset && !stream->err) {
        stream->err = -ECONNRESET;
        stream->flags |= BROKEN;
    }
    if (stream->flags & BROKEN) {
        bool due = !(stream->flags & REPORTED);
        stream->flags |= REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = stream->err;
        return due;
    }
    if (stream->flags & BLOCKED && peer_room(peer)) {
        stream->flags &= ~BLOCKED;
        event->type = ZN_DP_SENT;
        return true;
    }
    if (stream->flags & (PAUSED | EOF_SEEN))
        return false;
    if (peer->to_server.len) {
        event_recv(dp, stream, event);
        return true;
    }
    if (peer->wrote_fin)
        stream->flags |= EOF_SEEN;
    event->type = ZN_DP_EOF;
    return peer->wrote_fin;
}

static int mem_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                    uint64_t timeout_ns)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    unsigned len = 0;
    (void)timeout_ns;
    turn_free(dp);
    struct zn_stream *end = dp->ready.last; // what gets ready in this call waits for the next
    memset(events, 0, max * sizeof *events);
    while (len < max && dp->waiting && dp->slab.used < dp->config.streams_max)
        event_accept(dp, &events[len++]);
    while (len < max && dp->adopted.first)
        event_adopted(dp, list_take(&dp->adopted), &events[len++]);
    for (bool more = end; more && len < max;) {
        struct zn_stream *stream = list_take(&dp->ready);
        more = stream != end;
        stream->flags &= ~QUEUED;
        if (stream->flags & DEAD) {
            zn__slab_free(&dp->slab, stream);
        } else if (stream_event(dp, stream, &events[len])) {
            len++;
            if (!(stream->flags & DEAD))
                stream_ready(dp, stream);
        }
    }
    if (len < max)
        memset(&events[len], 0, sizeof *events);
    return (int)len;
}

static void stream_break(struct mem_dp *dp, struct zn_stream *stream, int err)
{
    stream->flags |= BROKEN;
    stream->err = err;
    stream_ready(dp, stream);
}

static void send_one(struct mem_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    struct zn_mem_peer *peer = stream->peer;
    assert(!(stream->flags & (BLOCKED | FIN_SENT | LEAVING | DEAD)));
    send->taken = 0;
    if (stream->flags & BROKEN)
        return;
    if (peer->gone || peer->wrote_reset) {
        stream_break(dp, stream, -ECONNRESET);
        return;
    }
    for (unsigned i = 0; i < send->iov_len; i++) {
        size_t room = peer_room(peer);
        size_t len = send->iov[i].iov_len < room ? send->iov[i].iov_len : room;
        bytes_append(&peer->to_peer, send->iov[i].iov_base, len);
        send->taken += len;
        if (len < send->iov[i].iov_len) {
            stream->flags |= BLOCKED;
            return;
        }
    }
}

static void mem_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    for (unsigned i = 0; i < burst_len; i++)
        send_one((struct mem_dp *)base, &burst[i]);
}

static void mem_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    if (recv) {
        stream->flags &= ~PAUSED;
        stream_ready((struct mem_dp *)base, stream);
    } else {
        stream->flags |= PAUSED;
    }
}

static void mem_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    assert(!(stream->flags & (LEAVING | DEAD)));
    if (how == ZN_END_RESET)
        stream->peer->got_reset = true;
    else
        stream->peer->got_fin = true;
    if (how == ZN_END_FIN) {
        stream->flags |= FIN_SENT;
        return;
    }
    stream_part(stream);
    stream->flags |= DEAD;
    if (!(stream->flags & QUEUED))
        list_append(&dp->dead, stream);
}

static void mem_detach(struct zn_dp *base, struct zn_stream *stream)
{
    assert(!(stream->flags & (BLOCKED | LEAVING | DEAD)));
    stream->flags |= LEAVING;
    stream_ready((struct mem_dp *)base, stream);
}

static int mem_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    struct zn_mem_peer *peer = traveller_take(handle.fd);
    if (!peer)
        return -EBADF;
    struct zn_stream *stream = must(zn__slab_alloc(&dp->slab));
    peer->dp = dp;
    peer->stream = stream;
    stream->peer = peer;
    stream->cookie = cookie;
    list_append(&dp->adopted, stream);
    return 0;
}

static void mem_wake(struct zn_dp *base)
{
    (void)base;
}

const struct zn_dp_ops zn_dp_mem = {
    .name = "mem",
    .caps = ZN_DP_CAP_FDS,
    .open = mem_open,
    .close = mem_close,
    .listen = mem_listen,
    .poll = mem_poll,
    .send = mem_send,
    .want = mem_want,
    .end = mem_end,
    .detach = mem_detach,
    .adopt = mem_adopt,
    .wake = mem_wake,
};

// --- the far ends

struct zn_mem_peer *zn_dp_mem_connect(struct zn_dp *base)
{
    struct mem_dp *dp = (struct mem_dp *)base;
    struct zn_mem_peer *peer = must(calloc(1, sizeof *peer));
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
    bytes_append(&peer->to_server, data, len);
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
    size_t len = bytes_take(&peer->to_peer, buf, cap);
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
        peer_forget(peer);
}

void zn_dp_mem_advance(struct zn_dp *dp, uint64_t ns)
{
    uint64_t before_ms = dp->now_ns / 1000000;
    dp->now_ns += ns;
    dp->wall_ms += dp->now_ns / 1000000 - before_ms;
}
