// SPDX-License-Identifier: Apache-2.0
// The state machine of an io_uring stream. See uring.h.
#include "uring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- lists and submissions

void zn__uring_ready(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_URING_QUEUED)
        return;
    stream->flags |= ZN_URING_QUEUED;
    zn__list_append(&dp->ready, stream);
}

void zn__uring_break(struct zn_uring_dp *dp, struct zn_stream *stream, int err)
{
    if (!(stream->flags & ZN_URING_BROKEN))
        stream->err = (uint16_t)err;
    stream->flags |= ZN_URING_BROKEN;
    zn__uring_ready(dp, stream);
}

struct io_uring_sqe *zn__uring_sqe(struct zn_uring_dp *dp)
{
    struct io_uring_sqe *sqe;
    while (!(sqe = io_uring_get_sqe(&dp->ring)))
        io_uring_submit(&dp->ring);
    return sqe;
}

static void set_data(struct io_uring_sqe *sqe, struct zn_stream *stream, uint64_t tag)
{
    io_uring_sqe_set_data64(sqe, (uintptr_t)stream | tag);
}

void zn__uring_arm(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_recv_multishot(sqe, stream->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    set_data(sqe, stream, ZN_URING_RECV);
    stream->flags |= ZN_URING_ARMED;
}

void zn__uring_disarm(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if ((stream->flags & (ZN_URING_ARMED | ZN_URING_CANCELLING)) != ZN_URING_ARMED)
        return;
    stream->flags |= ZN_URING_CANCELLING;
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_cancel64(sqe, (uintptr_t)stream | ZN_URING_RECV, 0);
    io_uring_sqe_set_data64(sqe, ZN_URING_IGNORE);
}

void zn__uring_watch(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_URING_WATCHED)
        return;
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_poll_add(sqe, stream->fd, 0); // errors and hang-ups come unasked
    set_data(sqe, stream, ZN_URING_WATCH);
    stream->flags |= ZN_URING_WATCHED;
}

void zn__uring_cancel_all(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_cancel_fd(sqe, stream->fd, IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(sqe, ZN_URING_IGNORE);
}

// --- input

static uint16_t input_pop(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    uint16_t id = stream->first;
    stream->first = dp->buffers.next[id];
    stream->held--;
    return id;
}

static void input_push(struct zn_uring_dp *dp, struct zn_stream *stream, uint16_t id, uint32_t len)
{
    struct zn_uring_buffers *buffers = &dp->buffers;
    buffers->len[id] = len;
    *(stream->held ? &buffers->next[stream->last] : &stream->first) = id;
    stream->last = id;
    stream->held++;
}

int zn__uring_unbuffer(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    struct zn_uring_spill *old = stream->spill;
    size_t len = old ? old->len : 0;
    if (!stream->held)
        return 0;
    uint16_t id = stream->first;
    for (unsigned i = 0; i < stream->held; i++, id = dp->buffers.next[id])
        len += dp->buffers.len[id];
    struct zn_uring_spill *spill = malloc(sizeof *spill + len);
    if (!spill)
        return -ENOMEM;
    *spill = (struct zn_uring_spill){ 0 };
    if (old) {
        memcpy(spill->data, old->data + old->start, old->len);
        spill->len = old->len;
        old->next = dp->spent; // an event of this turn may point into it
        dp->spent = old;
    }
    while (stream->held) {
        id = input_pop(dp, stream);
        memcpy(spill->data + spill->len, zn__uring_buffer(&dp->buffers, id), dp->buffers.len[id]);
        spill->len += dp->buffers.len[id];
        zn__uring_buffer_return(&dp->buffers, id);
    }
    stream->spill = spill;
    stream->flags &= ~ZN_URING_GLUTTED;
    return 0;
}

static void input_arrived(struct zn_uring_dp *dp, struct zn_stream *stream, uint16_t id,
                          uint32_t len)
{
    if (stream->flags & ZN_URING_ENDED || !len) {
        if (stream->flags & ZN_URING_SHUT)
            stream->given += len;
        zn__uring_buffer_return(&dp->buffers, id);
        return;
    }
    input_push(dp, stream, id, len);
    // A stopped stream must not keep the buffers of all.
    if (stream->flags & ZN_URING_PAUSED && zn__uring_unbuffer(dp, stream))
        zn__uring_break(dp, stream, ENOMEM);
    if (stream->held >= ZN_URING_HELD_MAX) {
        stream->flags |= ZN_URING_GLUTTED;
        zn__uring_disarm(dp, stream);
    }
}

static void event_spill(struct zn_uring_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_uring_spill *spill = stream->spill;
    event->data = spill->data + spill->start;
    event->len = spill->len < dp->config.recv_size ? spill->len : dp->config.recv_size;
    spill->start += event->len;
    spill->len -= event->len;
    if (!spill->len) {
        spill->next = dp->spent;
        dp->spent = spill;
        stream->spill = NULL;
    }
}

// Full buffers that lie side by side make one event.
static void event_buffers(struct zn_uring_dp *dp, struct zn_stream *stream,
                          struct zn_dp_event *event)
{
    struct zn_uring_buffers *buffers = &dp->buffers;
    event->data = zn__uring_buffer(buffers, stream->first);
    bool joined;
    do {
        uint16_t id = input_pop(dp, stream);
        buffers->lent[buffers->lent_len++] = id;
        event->len += buffers->len[id];
        joined = stream->held && buffers->len[id] == buffers->size && stream->first == id + 1 &&
                 event->len + buffers->len[stream->first] <= dp->config.recv_size;
    } while (joined);
    if (stream->held <= 1)
        stream->flags &= ~ZN_URING_GLUTTED;
}

// --- completions

void zn__uring_on_recv(struct zn_uring_dp *dp, struct zn_stream *stream, int result, unsigned flags)
{
    if (!(flags & IORING_CQE_F_MORE))
        stream->flags &= ~(ZN_URING_ARMED | ZN_URING_CANCELLING);
    if (flags & IORING_CQE_F_BUFFER) {
        zn__uring_buffer_filled(&dp->buffers, (uint16_t)(flags >> IORING_CQE_BUFFER_SHIFT));
        input_arrived(dp, stream, (uint16_t)(flags >> IORING_CQE_BUFFER_SHIFT),
                      result > 0 ? (uint32_t)result : 0);
    }
    if (result == 0)
        stream->flags |= ZN_URING_EOF_DUE;
    else if (result == -ENOBUFS)
        zn__uring_buffers_grow(&dp->buffers);
    else if (result < 0 && result != -ECANCELED && result != -EINTR && result != -EAGAIN)
        zn__uring_break(dp, stream, -result);
    if (stream->flags & ZN_URING_ENDED)
        zn__uring_wind_up(dp, stream);
    else
        zn__uring_ready(dp, stream);
}

void zn__uring_send_rest(struct zn_uring_dp *dp, struct zn_stream *stream, size_t done)
{
    struct msghdr *message = &stream->rest->message;
    for (; done >= message->msg_iov->iov_len; message->msg_iovlen--)
        done -= message->msg_iov++->iov_len;
    message->msg_iov->iov_base = (uint8_t *)message->msg_iov->iov_base + done;
    message->msg_iov->iov_len -= done;
    if (stream->flags & (ZN_URING_SENDING | ZN_URING_BROKEN | ZN_URING_CLOSING))
        return;
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_sendmsg(sqe, stream->fd, message, MSG_NOSIGNAL);
    set_data(sqe, stream, ZN_URING_SEND);
    stream->flags |= ZN_URING_SENDING;
}

static void sent_whole(struct zn_stream *stream)
{
    stream->flags &= ~ZN_URING_OWES;
    free(stream->rest);
    stream->rest = NULL;
    if (stream->flags & ZN_URING_FIN_DUE)
        shutdown(stream->fd, SHUT_WR);
}

void zn__uring_on_send(struct zn_uring_dp *dp, struct zn_stream *stream, int result)
{
    bool fresh = stream->flags & ZN_URING_FRESH;
    stream->flags &= ~ZN_URING_SENDING;
    if (result > 0) {
        stream->given -= (uint32_t)result;
        stream->sent += (uint32_t)result;
        if (!stream->given)
            sent_whole(stream);
        else if (!fresh)
            zn__uring_send_rest(dp, stream, (size_t)result);
        if (!fresh && !(stream->flags & ZN_URING_ENDED))
            stream->flags |= ZN_URING_SENT_DUE;
    } else {
        zn__uring_break(dp, stream, result < 0 ? -result : EPIPE);
    }
    if (stream->flags & ZN_URING_ENDED)
        zn__uring_wind_up(dp, stream);
    else if (!fresh)
        zn__uring_ready(dp, stream);
}

void zn__uring_on_watch(struct zn_uring_dp *dp, struct zn_stream *stream, int result)
{
    stream->flags &= ~ZN_URING_WATCHED;
    if (stream->flags & ZN_URING_ENDED) {
        zn__uring_wind_up(dp, stream);
        return;
    }
    int err = 0;
    socklen_t len = sizeof err;
    if (result > 0 && result & POLLERR)
        getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err)
        zn__uring_break(dp, stream, err);
    zn__uring_ready(dp, stream);
}

// --- what is due

static bool input_due(const struct zn_stream *stream)
{
    return stream->spill || stream->held;
}

static bool should_arm(const struct zn_stream *stream)
{
    return !(stream->flags &
             (ZN_URING_ARMED | ZN_URING_PAUSED | ZN_URING_GLUTTED | ZN_URING_EOF_DUE |
              ZN_URING_BROKEN | ZN_URING_LEAVING | ZN_URING_ENDED | ZN_URING_DEAD));
}

bool zn__uring_due(const struct zn_stream *stream)
{
    uint32_t flags = stream->flags;
    if (flags & ZN_URING_DEAD)
        return false;
    if (flags & ZN_URING_ENDED)
        return stream->fd < 0 || (flags & ZN_URING_GONE_DUE && !(flags & ZN_URING_SENDING));
    if (flags & ZN_URING_BROKEN && (flags & ZN_URING_REPORTED))
        return false;
    if (flags & ZN_URING_LEAVING)
        return flags & ZN_URING_BROKEN || !(flags & zn_uring_busy);
    if (flags & (ZN_URING_SENT_DUE | ZN_URING_BROKEN))
        return true;
    if (!(flags & ZN_URING_PAUSED) &&
        (input_due(stream) || (flags & ZN_URING_EOF_DUE && !(flags & ZN_URING_EOF_SEEN))))
        return true;
    return should_arm(stream);
}

static void event_detached(struct zn_uring_dp *dp, struct zn_stream *stream,
                           struct zn_dp_event *event)
{
    event->type = ZN_DP_DETACHED;
    event->handle = (struct zn_dp_handle){ .fd = stream->fd, .drop = zn__socket_drop };
    if (zn__uring_unbuffer(dp, stream))
        shutdown(stream->fd, SHUT_RDWR); // bytes are missing: its taker finds it ended
    else if (stream->spill) {
        event->data = stream->spill->data + stream->spill->start;
        event->len = stream->spill->len;
        stream->spill->next = dp->spent;
        dp->spent = stream->spill;
        stream->spill = NULL;
    }
    stream->fd = -1;
    stream->flags |= ZN_URING_DEAD;
}

static bool event_ended(struct zn_stream *stream, struct zn_dp_event *event)
{
    bool gone = stream->flags & ZN_URING_GONE_DUE && !(stream->flags & ZN_URING_SENDING);
    if (gone)
        stream->flags &= ~ZN_URING_GONE_DUE;
    if (stream->fd < 0 && !(stream->flags & ZN_URING_GONE_DUE)) {
        stream->flags |= ZN_URING_DEAD;
        free(stream->rest);
        stream->rest = NULL;
    }
    event->type = ZN_DP_GONE;
    return gone;
}

static bool event_input(struct zn_uring_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    event->type = ZN_DP_RECV;
    if (stream->spill)
        event_spill(dp, stream, event);
    else
        event_buffers(dp, stream, event);
    return true;
}

bool zn__uring_event(struct zn_uring_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    uint32_t flags = stream->flags;
    *event = (struct zn_dp_event){ .stream = stream };
    if (flags & ZN_URING_ENDED)
        return event_ended(stream, event);
    if (flags & ZN_URING_LEAVING && !(flags & ZN_URING_BROKEN)) {
        event_detached(dp, stream, event);
        return true;
    }
    if (flags & ZN_URING_SENT_DUE) {
        stream->flags &= ~ZN_URING_SENT_DUE;
        event->type = ZN_DP_SENT;
        event->len = stream->sent;
        stream->sent = 0;
        return true;
    }
    if (input_due(stream) && !(flags & (ZN_URING_PAUSED | ZN_URING_LEAVING)))
        return event_input(dp, stream, event);
    if (flags & ZN_URING_BROKEN) {
        stream->flags = (flags & ~ZN_URING_LEAVING) | ZN_URING_REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = -(int)stream->err;
        return true;
    }
    if ((flags & (ZN_URING_EOF_DUE | ZN_URING_EOF_SEEN | ZN_URING_PAUSED)) == ZN_URING_EOF_DUE) {
        stream->flags |= ZN_URING_EOF_SEEN;
        event->type = ZN_DP_EOF;
        return true;
    }
    if (should_arm(stream))
        zn__uring_arm(dp, stream);
    return false;
}

// --- the end

void zn__uring_linger(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if (dp->linger_tail - dp->linger_head == ZN_LINGERS_MAX) {
        struct zn_stream *oldest = dp->lingers[dp->linger_head++ % ZN_LINGERS_MAX].stream;
        if (oldest) {
            oldest->last = ZN_URING_NONE;
            zn__uring_close_soon(dp, oldest);
        }
    }
    unsigned slot = dp->linger_tail++ % ZN_LINGERS_MAX;
    dp->lingers[slot] = (struct zn_uring_linger){ stream, dp->base.now_ns + ZN_LINGER_NS };
    stream->last = (uint16_t)slot;
}

void zn__uring_linger_expire(struct zn_uring_dp *dp)
{
    while (dp->linger_head != dp->linger_tail) {
        struct zn_uring_linger *oldest = &dp->lingers[dp->linger_head % ZN_LINGERS_MAX];
        if (oldest->stream && oldest->until_ns > dp->base.now_ns)
            break;
        if (oldest->stream) {
            oldest->stream->last = ZN_URING_NONE;
            zn__uring_close_soon(dp, oldest->stream);
        }
        dp->linger_head++;
    }
}

void zn__uring_close_soon(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_URING_CLOSING)
        return;
    stream->flags |= ZN_URING_CLOSING;
    if (stream->flags & zn_uring_busy)
        zn__uring_cancel_all(dp, stream);
    zn__uring_wind_up(dp, stream);
}

void zn__uring_wind_up(struct zn_uring_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_URING_GONE_DUE && !(stream->flags & ZN_URING_SENDING))
        zn__uring_ready(dp, stream);
    if (stream->flags & ZN_URING_CLOSING) {
        if (stream->flags & zn_uring_busy || stream->fd < 0)
            return;
        close(stream->fd);
        stream->fd = -1;
        if (stream->last != ZN_URING_NONE)
            dp->lingers[stream->last].stream = NULL;
        zn__uring_ready(dp, stream);
        return;
    }
    if (stream->flags & ZN_URING_SENDING)
        return;
    if (!(stream->flags & ZN_URING_SHUT)) {
        stream->flags |= ZN_URING_SHUT;
        stream->given = 0;
        shutdown(stream->fd, SHUT_WR);
    }
    if (stream->flags & (ZN_URING_EOF_DUE | ZN_URING_BROKEN) || stream->given > ZN_LINGER_BYTES) {
        zn__uring_close_soon(dp, stream);
        return;
    }
    if (!(stream->flags & ZN_URING_ARMED))
        zn__uring_arm(dp, stream);
}
