// SPDX-License-Identifier: Apache-2.0
// What the caller does with io_uring streams: send, stop, end, and move them. See uring.h.
#include "uring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- sending

// Submits the sends that are queued, and works off what completed at once: most do.
static void sends_submit(struct zn_uring_dp *dp)
{
    while (io_uring_sq_ready(&dp->ring)) {
        io_uring_submit(&dp->ring);
        zn__uring_harvest(dp);
    }
    dp->messages_len = 0;
}

static size_t total_len(const struct zn_dp_send *send)
{
    size_t total = 0;
    for (unsigned i = 0; i < send->iov_len; i++)
        total += send->iov[i].iov_len;
    return total;
}

static void send_queue(struct zn_uring_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    send->taken = 0;
    size_t total = total_len(send);
    if (!total)
        return;
    stream->flags |= ZN_URING_OWES;
    if (stream->flags & ZN_URING_BROKEN)
        return;
    if (dp->messages_len == ZN_URING_SQ || !io_uring_sq_space_left(&dp->ring))
        sends_submit(dp);
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    if (send->iov_len == 1) {
        io_uring_prep_send(sqe, stream->fd, send->iov->iov_base, total, MSG_NOSIGNAL);
    } else {
        struct msghdr *message = &dp->messages[dp->messages_len++];
        *message =
            (struct msghdr){ .msg_iov = (struct iovec *)send->iov, .msg_iovlen = send->iov_len };
        io_uring_prep_sendmsg(sqe, stream->fd, message, MSG_NOSIGNAL);
    }
    io_uring_sqe_set_data64(sqe, (uintptr_t)stream | ZN_URING_SEND);
    stream->given = (uint32_t)total;
    stream->sent = 0;
    stream->flags |= ZN_URING_SENDING | ZN_URING_FRESH;
}

// Keeps the iovecs of a send that did not complete at once: the caller's are its own again.
static void rest_keep(struct zn_uring_dp *dp, struct zn_stream *stream,
                      const struct zn_dp_send *send)
{
    size_t size = send->iov_len * sizeof *send->iov;
    stream->rest = malloc(sizeof *stream->rest + size);
    if (!stream->rest) {
        zn__uring_break(dp, stream, ENOMEM);
        return;
    }
    memcpy(stream->rest->iov, send->iov, size);
    stream->rest->message =
        (struct msghdr){ .msg_iov = stream->rest->iov, .msg_iovlen = send->iov_len };
    zn__uring_send_rest(dp, stream, send->taken);
}

static void send_settle(struct zn_uring_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    if (!(stream->flags & ZN_URING_FRESH))
        return;
    stream->flags &= ~ZN_URING_FRESH;
    send->taken = stream->sent;
    stream->sent = 0;
    if (stream->given && !(stream->flags & ZN_URING_BROKEN))
        rest_keep(dp, stream, send);
}

void zn__uring_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    zn__uring_enable(dp);
    for (unsigned i = 0; i < burst_len; i++)
        send_queue(dp, &burst[i]);
    sends_submit(dp);
    for (unsigned i = 0; i < burst_len; i++)
        send_settle(dp, &burst[i]);
}

// --- stopping

void zn__uring_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    if (recv) {
        stream->flags &= ~ZN_URING_PAUSED;
        zn__uring_ready(dp, stream);
        return;
    }
    stream->flags |= ZN_URING_PAUSED;
    zn__uring_disarm(dp, stream);
    zn__uring_watch(dp, stream);
    if (zn__uring_unbuffer(dp, stream))
        zn__uring_break(dp, stream, ENOMEM);
}

// --- ending

static void input_drop(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    for (; stream->held; stream->held--) {
        uint16_t id = stream->first;
        stream->first = dp->buffers.next[id];
        zn__uring_buffer_return(&dp->buffers, id);
    }
    if (stream->spill) {
        stream->spill->next = dp->spent; // an event of this turn may point into it
        dp->spent = stream->spill;
        stream->spill = NULL;
    }
}

void zn__uring_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    static const struct linger abort_linger = { .l_onoff = 1 };
    if (how == ZN_END_FIN) {
        if (stream->flags & ZN_URING_SENDING)
            stream->flags |= ZN_URING_FIN_DUE;
        else
            shutdown(stream->fd, SHUT_WR);
        return;
    }
    input_drop(dp, stream);
    stream->flags |= ZN_URING_ENDED;
    stream->last = ZN_URING_NONE;
    if (stream->flags & ZN_URING_OWES)
        stream->flags |= ZN_URING_GONE_DUE;
    if (how == ZN_END_RESET) {
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &abort_linger, sizeof abort_linger);
        zn__uring_close_soon(dp, stream);
        return;
    }
    zn__uring_linger(dp, stream);
    zn__uring_wind_up(dp, stream);
}

// --- moving

void zn__uring_detach(struct zn_dp *base, struct zn_stream *stream)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    stream->flags |= ZN_URING_LEAVING;
    if (stream->flags & zn_uring_busy)
        zn__uring_cancel_all(dp, stream);
    zn__uring_ready(dp, stream);
}

int zn__uring_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    struct zn_stream *stream;
    int err = zn__adoptions_add(&dp->adoptions, &dp->slab, &handle, cookie, &stream);
    if (err)
        return err;
    stream->fd = handle.fd;
    zn__socket_blocking(handle.fd, true); // another kind of datapath may have had it
    return 0;
}
