// SPDX-License-Identifier: Apache-2.0
// What the caller does with epoll streams: send, stop, end, and move them. See epoll.h.
#include "epoll.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static ssize_t send_iov(int fd, const struct iovec *iov, unsigned iov_len)
{
    ssize_t len;
    struct msghdr message = { .msg_iov = (struct iovec *)iov, .msg_iovlen = iov_len };
    do
        len = iov_len == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                           : sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (len < 0 && errno == EINTR);
    return len;
}

static void send_one(struct zn_epoll_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    send->taken = 0;
    for (unsigned first = 0;
         first < send->iov_len && !(stream->flags & (ZN_EPOLL_BROKEN | ZN_EPOLL_BLOCKED));) {
        unsigned count = send->iov_len - first < IOV_MAX ? send->iov_len - first : IOV_MAX;
        size_t whole = 0;
        for (unsigned i = first; i < first + count; i++)
            whole += send->iov[i].iov_len;
        ssize_t len = whole ? send_iov(stream->fd, send->iov + first, count) : 0;
        if (len < 0 && errno != EAGAIN) {
            zn__epoll_break(dp, stream, errno);
            return;
        }
        send->taken += len > 0 ? (size_t)len : 0;
        if (len < (ssize_t)whole)
            stream->flags |= ZN_EPOLL_BLOCKED;
        first += count;
    }
}

void zn__epoll_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    for (unsigned i = 0; i < burst_len; i++)
        send_one((struct zn_epoll_dp *)base, &burst[i]);
}

void zn__epoll_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    if (!recv) {
        stream->flags |= ZN_EPOLL_PAUSED;
        return;
    }
    stream->flags &= ~ZN_EPOLL_PAUSED;
    if (stream->flags & ZN_EPOLL_READABLE)
        zn__epoll_ready((struct zn_epoll_dp *)base, stream);
}

void zn__epoll_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct zn_epoll_dp *dp = (struct zn_epoll_dp *)base;
    if (how == ZN_END_FIN) {
        shutdown(stream->fd, SHUT_WR);
        return;
    }
    if (how == ZN_END_RESET)
        zn__socket_reset(stream->fd);
    else if (stream->flags & (ZN_EPOLL_EOF_SEEN | ZN_EPOLL_BROKEN))
        close(stream->fd);
    else
        zn__epoll_linger(dp, stream->fd);
    stream->fd = -1;
    stream->flags |= ZN_EPOLL_DEAD;
    if (!(stream->flags & ZN_EPOLL_QUEUED))
        zn__list_append(&dp->dead, stream);
}

void zn__epoll_detach(struct zn_dp *base, struct zn_stream *stream)
{
    stream->flags |= ZN_EPOLL_LEAVING;
    zn__epoll_ready((struct zn_epoll_dp *)base, stream);
}

int zn__epoll_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct zn_epoll_dp *dp = (struct zn_epoll_dp *)base;
    struct zn_stream *stream;
    int err = zn__adoptions_add(&dp->adoptions, &dp->slab, &handle, cookie, &stream);
    if (err)
        return err;
    stream->fd = handle.fd;
    zn__socket_blocking(handle.fd, false); // another kind of datapath may have had it
    return 0;
}
