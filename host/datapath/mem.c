// SPDX-License-Identifier: Apache-2.0
// The datapath in memory: a deterministic test double with a clock that only the test moves.
// poll() never blocks, whatever its timeout. Each RECV is an allocation of exactly its size, so
// that a sanitizer sees every read beyond it and every use after the next poll(). See mem.h.
#include "mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t linger_ns = UINT64_C(2000000000);

void zn__mem_ready(struct zn_mem_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_MEM_QUEUED)
        return;
    stream->flags |= ZN_MEM_QUEUED;
    zn__list_append(&dp->ready, stream);
}

static void *lend(struct zn_mem_dp *dp, size_t len)
{
    if (dp->lent_len == dp->lent_cap) {
        dp->lent_cap = dp->lent_cap ? dp->lent_cap * 2 : 64;
        dp->lent = zn__mem_must(realloc(dp->lent, dp->lent_cap * sizeof *dp->lent));
    }
    return dp->lent[dp->lent_len++] = zn__mem_must(malloc(len));
}

static int open_as(const struct zn_dp_ops *ops, const struct zn_dp_config *config,
                   struct zn_dp **dp_out)
{
    struct zn_mem_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return -ENOMEM;
    dp->base.ops = ops;
    dp->base.now_ns = UINT64_C(1000000000);
    dp->base.wall_ms = UINT64_C(1700000000000);
    dp->config = *config;
    dp->next_port = 1024;
    zn__slab_init(&dp->slab, config->user_size, sizeof(struct zn_stream));
    *dp_out = &dp->base;
    return 0;
}

static int mem_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    return open_as(&zn_dp_mem, config, dp_out);
}

static int mem_async_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    return open_as(&zn_dp_mem_async, config, dp_out);
}

static void stream_part(struct zn_stream *stream)
{
    struct zn_mem_peer *peer = stream->peer;
    if (!peer)
        return;
    peer->stream = NULL;
    stream->peer = NULL;
    if (peer->gone)
        zn__mem_forget(peer);
}

static void stream_drop(void *context, struct zn_stream *stream)
{
    (void)context;
    free(stream->given);
    if (!stream->peer)
        return;
    stream->peer->got_reset = true;
    stream->peer->dp = NULL;
    stream_part(stream);
}

static void turn_free(struct zn_mem_dp *dp)
{
    while (dp->lent_len)
        free(dp->lent[--dp->lent_len]);
    for (struct zn_stream *stream; (stream = zn__list_take(&dp->dead));)
        zn__slab_free(&dp->slab, stream);
}

static struct zn_mem_peer *waiting_take(struct zn_mem_dp *dp)
{
    struct zn_mem_peer *peer = dp->waiting;
    if (peer) {
        dp->waiting = peer->next;
        peer->next = NULL;
        peer->waiting = false;
    }
    return peer;
}

static void waiting_refuse(struct zn_mem_dp *dp)
{
    for (struct zn_mem_peer *peer; (peer = waiting_take(dp));) {
        peer->got_reset = true;
        peer->dp = NULL;
        if (peer->gone)
            zn__mem_forget(peer);
    }
}

static void mem_close(struct zn_dp *base)
{
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
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
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
    (void)addr_len;
    dp->refusing = !addr;
    if (!addr)
        waiting_refuse(dp);
    else if (port_out)
        *port_out = 1;
    return 0;
}

static void event_accept(struct zn_mem_dp *dp, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = waiting_take(dp);
    struct zn_stream *stream = zn__mem_must(zn__slab_alloc(&dp->slab));
    struct sockaddr_in *addr = lend(dp, sizeof *addr);
    *addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(dp->next_port++) };
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stream->peer = peer;
    peer->stream = stream;
    zn__mem_ready(dp, stream);
    event->type = ZN_DP_ACCEPT;
    event->stream = stream;
    event->peer = (struct sockaddr *)addr;
}

static void event_adopted(struct zn_mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    zn__mem_ready(dp, stream);
    event->type = ZN_DP_ADOPTED;
    event->stream = stream;
    event->cookie = stream->cookie;
}

static void handle_drop(struct zn_dp_handle *handle)
{
    struct zn_mem_peer *peer = zn__mem_arrive(handle->fd);
    if (!peer)
        return;
    peer->got_fin = true;
    if (peer->gone)
        zn__mem_forget(peer);
}

static void event_detached(struct zn_mem_dp *dp, struct zn_stream *stream,
                           struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = stream->peer;
    stream->peer = NULL;
    stream->flags |= ZN_MEM_DEAD;
    zn__list_append(&dp->dead, stream);
    peer->stream = NULL;
    peer->dp = NULL;
    event->type = ZN_DP_DETACHED;
    event->handle = (struct zn_dp_handle){ .fd = zn__mem_depart(peer), .drop = handle_drop };
}

static void event_recv(struct zn_mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_mem_bytes *input = &stream->peer->to_server;
    size_t helping = dp->config.recv_size ? dp->config.recv_size : 65536;
    if (helping > stream->peer->chunk)
        helping = stream->peer->chunk;
    if (helping > input->len)
        helping = input->len;
    event->type = ZN_DP_RECV;
    event->data = lend(dp, helping);
    event->len = zn__mem_take(input, event->data, helping);
}

static size_t peer_room(const struct zn_mem_peer *peer)
{
    return peer->window > peer->to_peer.len ? peer->window - peer->to_peer.len : 0;
}

// Sends what there is room for of the bytes given. True: that was all.
static bool given_send(struct zn_stream *stream)
{
    size_t skip = stream->given_done;
    for (size_t i = 0; i < stream->given_len; i++) {
        struct iovec *iov = &stream->given[i];
        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        size_t room = peer_room(stream->peer), len = iov->iov_len - skip;
        len = len < room ? len : room;
        zn__mem_append(&stream->peer->to_peer, (uint8_t *)iov->iov_base + skip, len);
        stream->given_done += len;
        skip = 0;
        if (!peer_room(stream->peer))
            break;
    }
    if (stream->given_done < stream->given_total)
        return false;
    free(stream->given);
    stream->given = NULL;
    if (stream->flags & ZN_MEM_FIN_SENT)
        stream->peer->got_fin = true;
    return true;
}

// Of a stream that was ended while it owed: its bytes go out first, if that is not for too long.
static bool event_gone(struct zn_mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = stream->peer;
    bool open = stream->given && !peer->got_reset && !peer->gone && !peer->wrote_reset &&
                dp->base.now_ns - stream->ended_ns < linger_ns;
    if (open && !given_send(stream)) {
        zn__mem_ready(dp, stream);
        return false;
    }
    free(stream->given);
    stream->given = NULL;
    peer->got_fin = true;
    stream_part(stream);
    stream->flags |= ZN_MEM_DEAD;
    zn__list_append(&dp->dead, stream);
    event->type = ZN_DP_GONE;
    return true;
}

// Turns what is due on a stream into one event. False: nothing is due.
static bool stream_event(struct zn_mem_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_mem_peer *peer = stream->peer;
    event->stream = stream;
    if (stream->flags & ZN_MEM_ENDED)
        return event_gone(dp, stream, event);
    if (stream->flags & ZN_MEM_LEAVING) {
        event_detached(dp, stream, event);
        return true;
    }
    if (peer->wrote_reset && !stream->err) {
        stream->err = -ECONNRESET;
        stream->flags |= ZN_MEM_BROKEN;
    }
    if (stream->flags & ZN_MEM_BROKEN) {
        bool due = !(stream->flags & ZN_MEM_REPORTED);
        stream->flags |= ZN_MEM_REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = stream->err;
        return due;
    }
    size_t done = stream->given_done;
    if (stream->given) {
        if (given_send(stream))
            stream->flags &= ~ZN_MEM_OWES;
        event->type = ZN_DP_SENT;
        event->len = stream->given_done - done;
        if (event->len)
            return true;
    }
    if (stream->flags & ZN_MEM_BLOCKED && peer_room(peer)) {
        stream->flags &= ~ZN_MEM_BLOCKED;
        event->type = ZN_DP_SENT;
        return true;
    }
    if (stream->flags & (ZN_MEM_PAUSED | ZN_MEM_EOF_SEEN))
        return false;
    if (peer->to_server.len) {
        event_recv(dp, stream, event);
        return true;
    }
    if (peer->wrote_fin)
        stream->flags |= ZN_MEM_EOF_SEEN;
    event->type = ZN_DP_EOF;
    return peer->wrote_fin;
}

static int mem_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                    uint64_t timeout_ns)
{
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
    unsigned len = 0;
    (void)timeout_ns;
    turn_free(dp);
    struct zn_stream *end = dp->ready.last; // what gets ready in this call waits for the next
    memset(events, 0, max * sizeof *events);
    while (len < max && dp->waiting && dp->slab.used < dp->config.streams_max)
        event_accept(dp, &events[len++]);
    while (len < max && dp->adopted.first)
        event_adopted(dp, zn__list_take(&dp->adopted), &events[len++]);
    for (bool more = end; more && len < max;) {
        struct zn_stream *stream = zn__list_take(&dp->ready);
        more = stream != end;
        stream->flags &= ~ZN_MEM_QUEUED;
        if (stream->flags & ZN_MEM_DEAD) {
            zn__slab_free(&dp->slab, stream);
        } else if (stream_event(dp, stream, &events[len])) {
            len++;
            if (!(stream->flags & ZN_MEM_DEAD))
                zn__mem_ready(dp, stream);
        }
    }
    if (len < max)
        memset(&events[len], 0, sizeof *events);
    return (int)len;
}

static void stream_break(struct zn_mem_dp *dp, struct zn_stream *stream, int err)
{
    stream->flags |= ZN_MEM_BROKEN;
    stream->err = err;
    zn__mem_ready(dp, stream);
}

static void send_later(struct zn_mem_dp *dp, const struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    stream->given = zn__mem_must(calloc(send->iov_len, sizeof *stream->given));
    memcpy(stream->given, send->iov, send->iov_len * sizeof *stream->given);
    stream->given_len = send->iov_len;
    stream->given_done = stream->given_total = 0;
    for (unsigned i = 0; i < send->iov_len; i++)
        stream->given_total += send->iov[i].iov_len;
    zn__mem_ready(dp, stream);
}

static void send_one(struct zn_mem_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    struct zn_mem_peer *peer = stream->peer;
    assert(!(stream->flags & (ZN_MEM_BLOCKED | ZN_MEM_OWES | ZN_MEM_FIN_SENT | ZN_MEM_LEAVING |
                              ZN_MEM_ENDED | ZN_MEM_DEAD)));
    send->taken = 0;
    bool async = dp->base.ops == &zn_dp_mem_async;
    if (async)
        stream->flags |= ZN_MEM_OWES;
    if (stream->flags & ZN_MEM_BROKEN)
        return;
    if (peer->gone || peer->wrote_reset) {
        stream_break(dp, stream, -ECONNRESET);
        return;
    }
    if (async) {
        send_later(dp, send);
        return;
    }
    for (unsigned i = 0; i < send->iov_len; i++) {
        size_t room = peer_room(peer);
        size_t len = send->iov[i].iov_len < room ? send->iov[i].iov_len : room;
        zn__mem_append(&peer->to_peer, send->iov[i].iov_base, len);
        send->taken += len;
        if (len < send->iov[i].iov_len) {
            stream->flags |= ZN_MEM_BLOCKED;
            return;
        }
    }
}

static void mem_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    for (unsigned i = 0; i < burst_len; i++)
        send_one((struct zn_mem_dp *)base, &burst[i]);
}

static void mem_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    if (recv) {
        stream->flags &= ~ZN_MEM_PAUSED;
        zn__mem_ready((struct zn_mem_dp *)base, stream);
    } else {
        stream->flags |= ZN_MEM_PAUSED;
    }
}

static void mem_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
    assert(!(stream->flags & (ZN_MEM_ENDED | ZN_MEM_DEAD)));
    if (how == ZN_END_RESET)
        stream->peer->got_reset = true;
    else if (!stream->given)
        stream->peer->got_fin = true;
    if (how == ZN_END_FIN) {
        stream->flags |= ZN_MEM_FIN_SENT;
        return;
    }
    if (stream->flags & ZN_MEM_OWES) {
        stream->flags |= ZN_MEM_ENDED;
        stream->ended_ns = dp->base.now_ns;
        zn__mem_ready(dp, stream);
        return;
    }
    stream_part(stream);
    stream->flags |= ZN_MEM_DEAD;
    if (!(stream->flags & ZN_MEM_QUEUED))
        zn__list_append(&dp->dead, stream);
}

static void mem_detach(struct zn_dp *base, struct zn_stream *stream)
{
    assert(!(stream->flags & (ZN_MEM_BLOCKED | ZN_MEM_OWES | ZN_MEM_LEAVING | ZN_MEM_DEAD)));
    stream->flags |= ZN_MEM_LEAVING;
    zn__mem_ready((struct zn_mem_dp *)base, stream);
}

static int mem_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct zn_mem_dp *dp = (struct zn_mem_dp *)base;
    struct zn_mem_peer *peer = zn__mem_arrive(handle.fd);
    if (!peer)
        return -EBADF;
    struct zn_stream *stream = zn__mem_must(zn__slab_alloc(&dp->slab));
    peer->dp = dp;
    peer->stream = stream;
    stream->peer = peer;
    stream->cookie = cookie;
    zn__list_append(&dp->adopted, stream);
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

const struct zn_dp_ops zn_dp_mem_async = {
    .name = "mem_async",
    .caps = ZN_DP_CAP_FDS | ZN_DP_CAP_ASYNC,
    .open = mem_async_open,
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
