// SPDX-License-Identifier: Apache-2.0
// Streams of the epoll datapath, and sockets that linger after them. See epoll.h.
#include "epoll.h"

#include <errno.h>
#include <unistd.h>

void zn__epoll_ready(struct zn_epoll_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_EPOLL_QUEUED)
        return;
    stream->flags |= ZN_EPOLL_QUEUED;
    zn__list_append(&dp->ready, stream);
}

void zn__epoll_break(struct zn_epoll_dp *dp, struct zn_stream *stream, int err)
{
    stream->flags |= ZN_EPOLL_BROKEN;
    stream->err = (uint16_t)err;
    zn__epoll_ready(dp, stream);
}

int zn__epoll_watch(struct zn_epoll_dp *dp, int op, int fd, uint32_t interest, uint64_t data)
{
    struct epoll_event event = { .events = interest, .data.u64 = data };
    return epoll_ctl(dp->epoll_fd, op, fd, &event) < 0 ? -errno : 0;
}

int zn__epoll_stream_watch(struct zn_epoll_dp *dp, struct zn_stream *stream)
{
    return zn__epoll_watch(dp, EPOLL_CTL_ADD, stream->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                           (uintptr_t)stream);
}

void zn__epoll_edge(struct zn_epoll_dp *dp, struct zn_stream *stream, uint32_t edge)
{
    if (edge & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->flags |= ZN_EPOLL_READABLE;
    if (edge & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->flags |= ZN_EPOLL_HANGUP;
    if (edge & EPOLLOUT && stream->flags & ZN_EPOLL_BLOCKED)
        stream->flags |= ZN_EPOLL_WRITABLE;
    // recv() will not be asked then, and the error must come through all the same.
    if (edge & EPOLLERR && stream->flags & (ZN_EPOLL_PAUSED | ZN_EPOLL_EOF_SEEN)) {
        int err = 0;
        socklen_t len = sizeof err;
        getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &err, &len);
        if (err)
            zn__epoll_break(dp, stream, err);
    }
    zn__epoll_ready(dp, stream);
}

static bool event_recv(struct zn_epoll_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    size_t room = ZN_EPOLL_AREA_SIZE - dp->area_used;
    size_t cap = dp->config.recv_size < room ? dp->config.recv_size : room;
    ssize_t len = recv(stream->fd, dp->area + dp->area_used, cap, 0);
    if (len > 0) {
        event->type = ZN_DP_RECV;
        event->data = dp->area + dp->area_used;
        event->len = (size_t)len;
        dp->area_used += ((size_t)len + 63) & ~(size_t)63;
        // A short read emptied the queue: the next byte makes an edge.
        if ((size_t)len < cap && !(stream->flags & ZN_EPOLL_HANGUP))
            stream->flags &= ~ZN_EPOLL_READABLE;
        return true;
    }
    if (len == 0) {
        stream->flags = (stream->flags & ~ZN_EPOLL_READABLE) | ZN_EPOLL_EOF_SEEN;
        event->type = ZN_DP_EOF;
        return true;
    }
    if (errno == EINTR)
        return false;
    stream->flags &= ~ZN_EPOLL_READABLE;
    if (errno == EAGAIN)
        return false;
    stream->flags |= ZN_EPOLL_BROKEN | ZN_EPOLL_REPORTED;
    event->type = ZN_DP_ERROR;
    event->err = -errno;
    return true;
}

static void event_detached(struct zn_epoll_dp *dp, struct zn_stream *stream,
                           struct zn_dp_event *event)
{
    epoll_ctl(dp->epoll_fd, EPOLL_CTL_DEL, stream->fd, NULL);
    event->type = ZN_DP_DETACHED;
    event->handle = (struct zn_dp_handle){ .fd = stream->fd, .drop = zn__socket_drop };
    stream->fd = -1;
    stream->flags |= ZN_EPOLL_DEAD;
}

bool zn__epoll_due(const struct zn_stream *stream)
{
    unsigned flags = stream->flags;
    if (flags & ZN_EPOLL_BROKEN)
        return !(flags & ZN_EPOLL_REPORTED);
    return flags & (ZN_EPOLL_LEAVING | ZN_EPOLL_WRITABLE) ||
           (flags & ZN_EPOLL_READABLE && !(flags & (ZN_EPOLL_PAUSED | ZN_EPOLL_EOF_SEEN)));
}

// Makes one event of what is due on the stream. False: there was nothing after all.
bool zn__epoll_event(struct zn_epoll_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    event->stream = stream;
    if (stream->flags & ZN_EPOLL_BROKEN) {
        stream->flags |= ZN_EPOLL_REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = -(int)stream->err;
        return true;
    }
    if (stream->flags & ZN_EPOLL_LEAVING) {
        event_detached(dp, stream, event);
        return true;
    }
    if (stream->flags & ZN_EPOLL_WRITABLE) {
        stream->flags &= ~(ZN_EPOLL_WRITABLE | ZN_EPOLL_BLOCKED);
        event->type = ZN_DP_SENT;
        return true;
    }
    return event_recv(dp, stream, event);
}

// --- sockets that linger

static void linger_close(struct zn_epoll_lingerer *linger)
{
    if (linger->fd >= 0)
        close(linger->fd);
    linger->fd = -1;
}

// Takes over the descriptor.
void zn__epoll_linger(struct zn_epoll_dp *dp, int fd)
{
    if (dp->linger_tail - dp->linger_head == ZN_LINGERS_MAX)
        linger_close(&dp->lingers[dp->linger_head++ % ZN_LINGERS_MAX]);
    unsigned slot = dp->linger_tail++ % ZN_LINGERS_MAX;
    dp->lingers[slot] =
        (struct zn_epoll_lingerer){ .fd = fd, .until_ns = dp->base.now_ns + ZN_LINGER_NS };
    shutdown(fd, SHUT_WR);
    if (zn__epoll_watch(dp, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP,
                        (uint64_t)slot << 4 | ZN_EPOLL_TAG_LINGER))
        linger_close(&dp->lingers[slot]);
}

void zn__epoll_linger_read(struct zn_epoll_dp *dp, struct zn_epoll_lingerer *linger)
{
    if (linger->fd < 0)
        return;
    ssize_t len = recv(linger->fd, dp->area, ZN_EPOLL_RECV_DEFAULT, MSG_TRUNC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0)
        linger->bytes += (uint32_t)len;
    if (len <= 0 || linger->bytes > ZN_LINGER_BYTES)
        linger_close(linger);
}

void zn__epoll_linger_expire(struct zn_epoll_dp *dp)
{
    while (dp->linger_head != dp->linger_tail) {
        struct zn_epoll_lingerer *oldest = &dp->lingers[dp->linger_head % ZN_LINGERS_MAX];
        if (oldest->fd >= 0 && oldest->until_ns > dp->base.now_ns)
            break;
        linger_close(oldest);
        dp->linger_head++;
    }
}
