// SPDX-License-Identifier: Apache-2.0
// The datapath over io_uring: an instance, its listeners and its turn. Listeners are polled and
// accepted from one by one: a multishot accept could not be held to `streams_max`, and would need
// a call for each peer's address all the same.
//
// Owner and thread: the instance's; only uring_wake() may come from elsewhere. open(), listen()
// and close() may be called on another thread than the rest, while that one does not run: the
// ring is enabled, and so bound to its thread, by the first poll() or send().
#include "uring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned recv_default = 64 * 1024;

// --- instance

static int ring_init(struct zn_uring_dp *dp, unsigned scale)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN |
                 IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = ZN_URING_CQ / scale,
    };
    int err = io_uring_queue_init_params(ZN_URING_SQ / scale, &dp->ring, &params);
    if (err)
        return err == -EINVAL ? -ENOSYS : err; // before Linux 6.1
    err = zn__uring_buffers_init(&dp->buffers, &dp->ring, dp->config.recv_size);
    if (err)
        io_uring_queue_exit(&dp->ring);
    return err;
}

// Rings count as locked memory, of which a user without privileges has little: smaller ones work
// as well, with more calls for a large burst.
static int ring_open(struct zn_uring_dp *dp)
{
    int err = -ENOMEM;
    for (unsigned scale = 1; scale <= ZN_URING_SCALE_MAX && err == -ENOMEM; scale *= 2)
        err = ring_init(dp, scale);
    return err;
}

static int uring_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    struct zn_uring_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return -ENOMEM;
    dp->base.ops = &zn_dp_uring;
    dp->config = *config;
    if (!dp->config.recv_size)
        dp->config.recv_size = recv_default;
    int err = ring_open(dp);
    if (err)
        goto fail_ring;
    err = zn__waker_init(&dp->waker);
    if (err)
        goto fail_wake;
    zn__slab_init(&dp->slab, config->user_size, sizeof(struct zn_stream));
    zn__clock_read(&dp->base);
    *dp_out = &dp->base;
    return 0;

fail_wake:
    io_uring_queue_exit(&dp->ring);
    zn__uring_buffers_deinit(&dp->buffers);
fail_ring:
    free(dp);
    return err;
}

void zn__uring_enable(struct zn_uring_dp *dp)
{
    if (dp->enabled)
        return;
    // liburing 2.3 declares io_uring_enable_rings() but does not export it.
    syscall(__NR_io_uring_register, dp->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    io_uring_register_ring_fd(&dp->ring);
    dp->enabled = true;
}

static void stream_shut(void *context, struct zn_stream *stream)
{
    (void)context;
    if (stream->fd >= 0)
        shutdown(stream->fd, SHUT_RDWR);
    free(stream->spill);
    free(stream->rest);
}

static void stream_close(void *context, struct zn_stream *stream)
{
    (void)context;
    if (stream->fd >= 0)
        close(stream->fd);
}

static void listeners_close(struct zn_uring_dp *dp)
{
    while (dp->listeners_len) {
        int fd = dp->listeners[--dp->listeners_len];
        shutdown(fd, SHUT_RDWR); // the poll on it holds it open beyond close()
        close(fd);
    }
    dp->accepts_due = 0;
}

static void spent_free(struct zn_uring_dp *dp)
{
    while (dp->spent) {
        struct zn_uring_spill *spill = dp->spent;
        dp->spent = spill->next;
        free(spill);
    }
}

// The kernel takes the ring down after the call, at its leisure: sockets that are shut down by
// then neither send from the caller's bytes nor receive into the buffers.
static void uring_close(struct zn_dp *base)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    listeners_close(dp);
    zn__slab_each(&dp->slab, stream_shut, NULL);
    io_uring_queue_exit(&dp->ring);
    zn__slab_each(&dp->slab, stream_close, NULL);
    zn__slab_deinit(&dp->slab);
    spent_free(dp);
    zn__uring_buffers_deinit(&dp->buffers);
    zn__waker_deinit(&dp->waker);
    zn__adoptions_deinit(&dp->adoptions);
    free(dp);
}

static void uring_wake(struct zn_dp *base)
{
    zn__waker_wake(&((struct zn_uring_dp *)base)->waker);
}

static void wake_arm(struct zn_uring_dp *dp)
{
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_poll_multishot(sqe, dp->waker.fd, POLLIN);
    io_uring_sqe_set_data64(sqe, ZN_URING_WAKE);
    dp->wake_armed = true;
}

// --- accepting

static void listener_arm(struct zn_uring_dp *dp, unsigned index)
{
    struct io_uring_sqe *sqe = zn__uring_sqe(dp);
    io_uring_prep_poll_add(sqe, dp->listeners[index], POLLIN);
    io_uring_sqe_set_data64(sqe, (uint64_t)index << 4 | ZN_URING_LISTENER);
}

static int uring_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                        uint16_t *port_out)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    if (!addr) {
        listeners_close(dp);
        return 0;
    }
    if (dp->listeners_len == ZN_LISTENERS_MAX)
        return -ENOSPC;
    int fd = zn__socket_listen(addr, addr_len, port_out);
    if (fd < 0)
        return fd;
    dp->listeners[dp->listeners_len] = fd;
    listener_arm(dp, dp->listeners_len++);
    return 0;
}

// 1: *event is an ACCEPT; 0: nothing (left) to accept; negative errno.
static int accept_one(struct zn_uring_dp *dp, int listener, struct sockaddr_in6 *peer,
                      struct zn_dp_event *event)
{
    socklen_t peer_len = sizeof *peer;
    int fd = accept4(listener, (struct sockaddr *)peer, &peer_len, SOCK_CLOEXEC);
    if (fd < 0)
        return errno == EAGAIN ? 0 : -errno;
    struct zn_stream *stream = zn__slab_alloc(&dp->slab);
    if (!stream) {
        close(fd);
        return -ENOMEM;
    }
    stream->fd = fd;
    zn__uring_arm(dp, stream);
    *event = (struct zn_dp_event){ .type = ZN_DP_ACCEPT,
                                   .stream = stream,
                                   .peer = (struct sockaddr *)peer };
    return 1;
}

static bool accept_runnable(const struct zn_uring_dp *dp)
{
    return dp->accepts_due && dp->slab.used < dp->config.streams_max && !dp->accept_at_ns;
}

static unsigned accept_events(struct zn_uring_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = 0;
    while (len < max && len < ZN_URING_ACCEPTS_MAX && accept_runnable(dp)) {
        unsigned index = (unsigned)__builtin_ctz(dp->accepts_due);
        int answer = accept_one(dp, dp->listeners[index], &dp->peers[len], &events[len]);
        if (answer > 0) {
            len++;
        } else if (answer == 0) {
            dp->accepts_due &= ~(1u << index);
            listener_arm(dp, index);
        } else if (zn__socket_exhausted(-answer)) {
            dp->base.accept_pauses++;
            dp->accept_at_ns = dp->base.now_ns + ZN_ACCEPT_PAUSE_NS;
        }
    }
    return len;
}

// --- one turn

static void on_completion(struct zn_uring_dp *dp, const struct io_uring_cqe *cqe)
{
    uint64_t data = cqe->user_data;
    struct zn_stream *stream = (struct zn_stream *)(uintptr_t)(data & ~(uint64_t)ZN_URING_TAG_MASK);
    switch (data & ZN_URING_TAG_MASK) {
    case ZN_URING_RECV:
        zn__uring_on_recv(dp, stream, cqe->res, cqe->flags);
        break;
    case ZN_URING_SEND:
        zn__uring_on_send(dp, stream, cqe->res);
        break;
    case ZN_URING_WATCH:
        zn__uring_on_watch(dp, stream, cqe->res);
        break;
    case ZN_URING_LISTENER:
        if (data >> 4 < dp->listeners_len)
            dp->accepts_due |= 1u << (data >> 4);
        break;
    case ZN_URING_WAKE:
        zn__waker_seen(&dp->waker);
        dp->wake_armed = cqe->flags & IORING_CQE_F_MORE;
        break;
    default:
        break;
    }
}

void zn__uring_harvest(struct zn_uring_dp *dp)
{
    struct io_uring_cqe *cqe;
    unsigned head, len = 0;
    io_uring_for_each_cqe(&dp->ring, head, cqe)
    {
        on_completion(dp, cqe);
        len++;
    }
    io_uring_cq_advance(&dp->ring, len);
}

static void turn_begin(struct zn_uring_dp *dp)
{
    zn__uring_enable(dp);
    for (struct zn_stream *stream; (stream = zn__list_take(&dp->dead));)
        zn__slab_free(&dp->slab, stream);
    spent_free(dp);
    if (dp->buffers.lent_len)
        zn__uring_buffers_return_lent(&dp->buffers);
    zn__uring_linger_expire(dp);
    if (!dp->wake_armed)
        wake_arm(dp);
    if (dp->accept_at_ns <= dp->base.now_ns)
        dp->accept_at_ns = 0;
}

static uint64_t turn_timeout(struct zn_uring_dp *dp, uint64_t timeout_ns)
{
    if (dp->ready.first || dp->adoptions.len || accept_runnable(dp) || !timeout_ns)
        return 0;
    uint64_t until = UINT64_MAX;
    if (!io_uring_cq_ready(&dp->ring) && !io_uring_cq_has_overflow(&dp->ring))
        until = zn__uring_buffers_trim(&dp->buffers, dp->base.now_ns);
    if (dp->linger_head != dp->linger_tail)
        until = dp->lingers[dp->linger_head % ZN_LINGERS_MAX].until_ns;
    if (dp->accept_at_ns && dp->accept_at_ns < until)
        until = dp->accept_at_ns;
    return zn__clock_wait(&dp->base, until, timeout_ns);
}

static void kernel_enter(struct zn_uring_dp *dp, uint64_t timeout_ns)
{
    if (!timeout_ns) {
        io_uring_submit_and_get_events(&dp->ring);
        return;
    }
    struct __kernel_timespec wait = { .tv_sec = (int64_t)(timeout_ns / 1000000000),
                                      .tv_nsec = (long long)(timeout_ns % 1000000000) };
    struct io_uring_cqe *cqe;
    io_uring_submit_and_wait_timeout(&dp->ring, &cqe, 1, timeout_ns == UINT64_MAX ? NULL : &wait,
                                     NULL);
}

static unsigned adoption_events(struct zn_uring_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = zn__adoptions_events(&dp->adoptions, events, max);
    for (unsigned i = 0; i < len; i++)
        zn__uring_arm(dp, events[i].stream);
    return len;
}

// Gives each ready stream one event, in order; who has more to do queues up again behind.
static unsigned ready_events(struct zn_uring_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = 0;
    struct zn_stream *end = dp->ready.last;
    for (bool more = end; more && len < max;) {
        struct zn_stream *stream = zn__list_take(&dp->ready);
        more = stream != end;
        stream->flags &= ~ZN_URING_QUEUED;
        if (zn__uring_due(stream))
            len += zn__uring_event(dp, stream, &events[len]);
        if (stream->flags & ZN_URING_DEAD)
            zn__list_append(&dp->dead, stream);
        else if (zn__uring_due(stream))
            zn__uring_ready(dp, stream);
    }
    return len;
}

static int uring_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                      uint64_t timeout_ns)
{
    struct zn_uring_dp *dp = (struct zn_uring_dp *)base;
    turn_begin(dp);
    kernel_enter(dp, turn_timeout(dp, timeout_ns));
    zn__clock_read(base);
    zn__uring_harvest(dp);
    unsigned len = adoption_events(dp, events, max);
    len += ready_events(dp, events + len, max - len);
    len += accept_events(dp, events + len, max - len);
    return (int)len;
}

const struct zn_dp_ops zn_dp_uring = {
    .name = "uring",
    .caps = ZN_DP_CAP_FDS | ZN_DP_CAP_ASYNC,
    .open = uring_open,
    .close = uring_close,
    .listen = uring_listen,
    .poll = uring_poll,
    .send = zn__uring_send,
    .want = zn__uring_want,
    .end = zn__uring_end,
    .detach = zn__uring_detach,
    .adopt = zn__uring_adopt,
    .wake = uring_wake,
};
