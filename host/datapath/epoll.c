// SPDX-License-Identifier: Apache-2.0
// The datapath over epoll: an instance, its listeners and its turn. See epoll.h.
//
// Owner and thread: the instance's; only epoll_wake() may come from elsewhere.
#include "epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// --- instance

static int epoll_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    int err = -ENOMEM;
    struct zn_epoll_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return err;
    dp->area =
        mmap(NULL, ZN_EPOLL_AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dp->area == MAP_FAILED)
        goto fail_area;
    dp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (dp->epoll_fd < 0) {
        err = -errno;
        goto fail_epoll;
    }
    err = zn__waker_init(&dp->waker);
    if (err)
        goto fail_wake;
    err = zn__epoll_watch(dp, EPOLL_CTL_ADD, dp->waker.fd, EPOLLIN | EPOLLET, ZN_EPOLL_TAG_WAKE);
    if (err)
        goto fail_watch;
    dp->base.ops = &zn_dp_epoll;
    dp->config = *config;
    if (!dp->config.recv_size)
        dp->config.recv_size = ZN_EPOLL_RECV_DEFAULT;
    dp->accepting = true;
    zn__slab_init(&dp->slab, config->user_size, sizeof(struct zn_stream));
    zn__clock_read(&dp->base);
    *dp_out = &dp->base;
    return 0;

fail_watch:
    zn__waker_deinit(&dp->waker);
fail_wake:
    close(dp->epoll_fd);
fail_epoll:
    munmap(dp->area, ZN_EPOLL_AREA_SIZE);
fail_area:
    free(dp);
    return err;
}

static void stream_close(void *context, struct zn_stream *stream)
{
    (void)context;
    if (stream->fd >= 0)
        close(stream->fd);
}

static void listeners_close(struct zn_epoll_dp *dp)
{
    while (dp->listeners_len)
        close(dp->listeners[--dp->listeners_len]);
}

static void epoll_close(struct zn_dp *base)
{
    struct zn_epoll_dp *dp = (struct zn_epoll_dp *)base;
    listeners_close(dp);
    zn__slab_each(&dp->slab, stream_close, NULL);
    zn__slab_deinit(&dp->slab);
    for (; dp->linger_head != dp->linger_tail; dp->linger_head++) {
        int fd = dp->lingers[dp->linger_head % ZN_LINGERS_MAX].fd;
        if (fd >= 0)
            close(fd);
    }
    zn__adoptions_deinit(&dp->adoptions);
    zn__waker_deinit(&dp->waker);
    close(dp->epoll_fd);
    munmap(dp->area, ZN_EPOLL_AREA_SIZE);
    free(dp);
}

static int epoll_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                        uint16_t *port_out)
{
    struct zn_epoll_dp *dp = (struct zn_epoll_dp *)base;
    if (!addr) {
        listeners_close(dp);
        return 0;
    }
    if (dp->listeners_len == ZN_LISTENERS_MAX)
        return -ENOSPC;
    int fd = zn__socket_listen(addr, addr_len, port_out);
    if (fd < 0)
        return fd;
    int err = zn__epoll_watch(dp, EPOLL_CTL_ADD, fd, dp->accepting ? EPOLLIN : 0,
                              (uint64_t)dp->listeners_len << 4 | ZN_EPOLL_TAG_LISTENER);
    if (err) {
        close(fd);
        return err;
    }
    dp->listeners[dp->listeners_len++] = fd;
    return 0;
}

static void epoll_wake(struct zn_dp *base)
{
    zn__waker_wake(&((struct zn_epoll_dp *)base)->waker);
}

// --- accepting

static void listeners_arm(struct zn_epoll_dp *dp, bool on)
{
    dp->accepting = on;
    for (unsigned i = 0; i < dp->listeners_len; i++)
        zn__epoll_watch(dp, EPOLL_CTL_MOD, dp->listeners[i], on ? EPOLLIN : 0,
                        (uint64_t)i << 4 | ZN_EPOLL_TAG_LISTENER);
}

static void accept_resume(struct zn_epoll_dp *dp)
{
    if (dp->accepting || dp->slab.used >= dp->config.streams_max ||
        dp->accept_at_ns > dp->base.now_ns)
        return;
    dp->accept_at_ns = 0;
    listeners_arm(dp, true);
}

static bool accept_one(struct zn_epoll_dp *dp, int listener, struct zn_dp_event *event,
                       struct sockaddr_in6 *peer)
{
    socklen_t peer_len = sizeof *peer;
    int fd = accept4(listener, (struct sockaddr *)peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (zn__socket_exhausted(errno)) {
            dp->base.accept_pauses++;
            dp->accept_at_ns = dp->base.now_ns + ZN_ACCEPT_PAUSE_NS;
            listeners_arm(dp, false);
        }
        return false;
    }
    struct zn_stream *stream = zn__slab_alloc(&dp->slab);
    if (!stream) {
        close(fd);
        return false;
    }
    stream->fd = fd;
    if (zn__epoll_stream_watch(dp, stream)) {
        close(fd);
        zn__slab_free(&dp->slab, stream);
        return false;
    }
    *event = (struct zn_dp_event){ .type = ZN_DP_ACCEPT,
                                   .stream = stream,
                                   .peer = (struct sockaddr *)peer };
    return true;
}

// The listener is level-triggered: what is left over or failed comes again with the next turn.
static unsigned accept_burst(struct zn_epoll_dp *dp, int listener, struct zn_dp_event *events,
                             unsigned max)
{
    unsigned len = 0;
    while (len < max && dp->peers_len < ZN_EPOLL_ACCEPTS_MAX && dp->accepting) {
        if (dp->slab.used >= dp->config.streams_max) {
            listeners_arm(dp, false);
            break;
        }
        if (!accept_one(dp, listener, &events[len], &dp->peers[dp->peers_len]))
            break;
        dp->peers_len++;
        len++;
    }
    return len;
}

// --- one turn

static void turn_begin(struct zn_epoll_dp *dp)
{
    for (struct zn_stream *stream; (stream = zn__list_take(&dp->dead));)
        zn__slab_free(&dp->slab, stream);
    dp->area_used = 0;
    dp->peers_len = 0;
    zn__epoll_linger_expire(dp);
    accept_resume(dp);
}

static uint64_t turn_timeout(const struct zn_epoll_dp *dp, uint64_t timeout_ns)
{
    if (dp->ready.first || dp->adoptions.len)
        return 0;
    uint64_t until = UINT64_MAX;
    if (dp->linger_head != dp->linger_tail)
        until = dp->lingers[dp->linger_head % ZN_LINGERS_MAX].until_ns;
    if (dp->accept_at_ns && dp->accept_at_ns < until)
        until = dp->accept_at_ns;
    return zn__clock_wait(&dp->base, until, timeout_ns);
}

static int kernel_wait(struct zn_epoll_dp *dp, unsigned max, uint64_t timeout_ns)
{
    struct timespec wait = { .tv_sec = (time_t)(timeout_ns / 1000000000),
                             .tv_nsec = (long)(timeout_ns % 1000000000) };
    int want = max < ZN_EPOLL_EVENTS_MAX ? (int)max : ZN_EPOLL_EVENTS_MAX;
    int len = epoll_pwait2(dp->epoll_fd, dp->kernel_events, want,
                           timeout_ns == UINT64_MAX ? NULL : &wait, NULL);
    if (len < 0 && errno == ENOSYS) { // before Linux 5.11
        uint64_t ms = timeout_ns / 1000000 + !!(timeout_ns % 1000000);
        len = epoll_wait(dp->epoll_fd, dp->kernel_events, want,
                         timeout_ns == UINT64_MAX ? -1
                         : ms > INT32_MAX         ? INT32_MAX
                                                  : (int)ms);
    }
    return len < 0 ? 0 : len;
}

static unsigned kernel_events(struct zn_epoll_dp *dp, int kernel_len, struct zn_dp_event *events,
                              unsigned max)
{
    unsigned len = 0;
    for (int i = 0; i < kernel_len; i++) {
        uint64_t data = dp->kernel_events[i].data.u64;
        switch (data & ZN_EPOLL_TAG_MASK) {
        case ZN_EPOLL_TAG_STREAM:
            zn__epoll_edge(dp, (struct zn_stream *)(uintptr_t)data, dp->kernel_events[i].events);
            break;
        case ZN_EPOLL_TAG_LISTENER:
            len += accept_burst(dp, dp->listeners[data >> 4], events + len, max - len);
            break;
        case ZN_EPOLL_TAG_WAKE: // edge-triggered
            zn__waker_seen(&dp->waker);
            break;
        default:
            zn__epoll_linger_read(dp, &dp->lingers[data >> 4]);
        }
    }
    return len;
}

// Gives each ready stream one event, in order; who has more to do queues up again behind.
static unsigned ready_events(struct zn_epoll_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = 0;
    size_t least =
        dp->config.recv_size < ZN_EPOLL_RECV_LEAST ? dp->config.recv_size : ZN_EPOLL_RECV_LEAST;
    struct zn_stream *end = dp->ready.last;
    for (bool more = end; more && len < max && ZN_EPOLL_AREA_SIZE - dp->area_used >= least;) {
        struct zn_stream *stream = zn__list_take(&dp->ready);
        more = stream != end;
        stream->flags &= ~ZN_EPOLL_QUEUED;
        if (!(stream->flags & ZN_EPOLL_DEAD) && zn__epoll_due(stream)) {
            events[len] = (struct zn_dp_event){ 0 };
            len += zn__epoll_event(dp, stream, &events[len]);
            if (zn__epoll_due(stream) && !(stream->flags & ZN_EPOLL_DEAD))
                zn__epoll_ready(dp, stream);
        }
        if (stream->flags & ZN_EPOLL_DEAD)
            zn__list_append(&dp->dead, stream);
    }
    return len;
}

static unsigned adoption_events(struct zn_epoll_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = zn__adoptions_events(&dp->adoptions, events, max);
    for (unsigned i = 0; i < len; i++) {
        int err = zn__epoll_stream_watch(dp, events[i].stream);
        if (err)
            zn__epoll_break(dp, events[i].stream, -err);
    }
    return len;
}

static int epoll_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                      uint64_t timeout_ns)
{
    struct zn_epoll_dp *dp = (struct zn_epoll_dp *)base;
    turn_begin(dp);
    int kernel_len = kernel_wait(dp, max, turn_timeout(dp, timeout_ns));
    zn__clock_read(base);
    unsigned len = adoption_events(dp, events, max);
    len += kernel_events(dp, kernel_len, events + len, max - len);
    len += ready_events(dp, events + len, max - len);
    return (int)len;
}

const struct zn_dp_ops zn_dp_epoll = {
    .name = "epoll",
    .caps = ZN_DP_CAP_FDS,
    .open = epoll_open,
    .close = epoll_close,
    .listen = epoll_listen,
    .poll = epoll_poll,
    .send = zn__epoll_send,
    .want = zn__epoll_want,
    .end = zn__epoll_end,
    .detach = zn__epoll_detach,
    .adopt = zn__epoll_adopt,
    .wake = epoll_wake,
};
