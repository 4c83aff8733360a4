// SPDX-License-Identifier: Apache-2.0
// The datapath over epoll. Streams are registered once, edge-triggered for input and output
// together, so that in steady state an echo costs one recv and one send and no epoll_ctl: what an
// edge said is kept in the stream's flags, and a stream with something left to do stands in the
// ready list, which each poll() walks once.
//
// Owner and thread: the instance's; only epoll_wake() may come from elsewhere.
#include "datapath.h"
#include "slab.h"
#include "socket.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUED = 1 << 0,   // in the ready list
    READABLE = 1 << 1, // the kernel has input, an end of stream or an error for us
    HANGUP = 1 << 2,   // an end of stream comes behind the input
    PAUSED = 1 << 3,   // want(false)
    EOF_SEEN = 1 << 4,
    BLOCKED = 1 << 5,  // a send was cut short
    WRITABLE = 1 << 6, // and there is room again: SENT is due
    BROKEN = 1 << 7,   // ERROR is due or was reported
    REPORTED = 1 << 8, // ERROR was reported
    LEAVING = 1 << 9,
    DEAD = 1 << 10,
};

enum {
    EVENTS_MAX = 512,   // taken from the kernel in one turn
    ACCEPTS_MAX = 64,   // in one turn
    RECV_DEFAULT = 64 * 1024,
    RECV_LEAST = 2048,  // less room than this is not worth a call
    AREA_SIZE = 1024 * 1024,
    LINGERS_MAX = 1024, // a power of two
    LINGER_BYTES = 256 * 1024,
};

static const uint64_t linger_ns = UINT64_C(2000000000);

// Kinds of what an epoll event leads to, in the low bits of its data.
enum { TAG_STREAM, TAG_LISTENER, TAG_WAKE, TAG_LINGER, TAG_MASK = 15 };

struct zn_stream {
    struct zn_stream *next; // in the ready or the dead list
    int fd;
    uint16_t flags;
    uint16_t err;
};

// A released socket that waits for the peer's end of stream: closing it with input unread would
// make the kernel send a reset, which can destroy what the peer has not read yet.
struct lingerer {
    uint64_t until_ns;
    uint32_t bytes;
    int fd; // -1: closed already
};

struct adoption {
    struct zn_stream *stream;
    void *cookie;
};

struct list {
    struct zn_stream *first, *last;
};

struct epoll_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct zn_slab slab;
    struct list ready, dead;
    int epoll_fd, wake_fd;
    int listeners[ZN_LISTENERS_MAX];
    unsigned listeners_len;
    bool accepting;        // the listeners are armed
    uint64_t accept_at_ns; // when a pause for want of descriptors ends; 0: none
    atomic_bool woken;
    uint8_t *area; // input of this turn
    size_t area_used;
    struct adoption *adoptions;
    size_t adoptions_len, adoptions_cap;
    struct lingerer lingers[LINGERS_MAX]; // a ring, in order of their times
    unsigned linger_head, linger_tail;
    struct sockaddr_in6 peers[ACCEPTS_MAX]; // of this turn's ACCEPT events
    unsigned peers_len;
    struct epoll_event kernel_events[EVENTS_MAX];
};

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

static void stream_ready(struct epoll_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & QUEUED)
        return;
    stream->flags |= QUEUED;
    list_append(&dp->ready, stream);
}

static void stream_break(struct epoll_dp *dp, struct zn_stream *stream, int err)
{
    stream->flags |= BROKEN;
    stream->err = (uint16_t)err;
    stream_ready(dp, stream);
}

static int watch(struct epoll_dp *dp, int op, int fd, uint32_t interest, uint64_t data)
{
    struct epoll_event event = { .events = interest, .data.u64 = data };
    return epoll_ctl(dp->epoll_fd, op, fd, &event) < 0 ? -errno : 0;
}

static int stream_watch(struct epoll_dp *dp, struct zn_stream *stream)
{
    return watch(dp, EPOLL_CTL_ADD, stream->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                 (uintptr_t)stream);
}

// --- instance

static int epoll_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    int err = -ENOMEM;
    struct epoll_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return err;
    dp->area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dp->area == MAP_FAILED)
        goto fail_area;
    dp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (dp->epoll_fd < 0) {
        err = -errno;
        goto fail_epoll;
    }
    dp->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = dp->wake_fd < 0 ? -errno
                          : watch(dp, EPOLL_CTL_ADD, dp->wake_fd, EPOLLIN | EPOLLET, TAG_WAKE);
    if (err)
        goto fail_wake;
    dp->base.ops = &zn_dp_epoll;
    dp->config = *config;
    if (!dp->config.recv_size)
        dp->config.recv_size = RECV_DEFAULT;
    dp->accepting = true;
    zn__slab_init(&dp->slab, config->user_size, sizeof(struct zn_stream));
    zn__clock_read(&dp->base);
    *dp_out = &dp->base;
    return 0;

fail_wake:
    if (dp->wake_fd >= 0)
        close(dp->wake_fd);
    close(dp->epoll_fd);
fail_epoll:
    munmap(dp->area, AREA_SIZE);
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

static void listeners_close(struct epoll_dp *dp)
{
    while (dp->listeners_len)
        close(dp->listeners[--dp->listeners_len]);
}

static void epoll_close(struct zn_dp *base)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    listeners_close(dp);
    zn__slab_each(&dp->slab, stream_close, NULL);
    zn__slab_deinit(&dp->slab);
    for (; dp->linger_head != dp->linger_tail; dp->linger_head++) {
        int fd = dp->lingers[dp->linger_head % LINGERS_MAX].fd;
        if (fd >= 0)
            close(fd);
    }
    free(dp->adoptions);
    close(dp->wake_fd);
    close(dp->epoll_fd);
    munmap(dp->area, AREA_SIZE);
    free(dp);
}

static int epoll_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                        uint16_t *port_out)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    if (!addr) {
        listeners_close(dp);
        return 0;
    }
    if (dp->listeners_len == ZN_LISTENERS_MAX)
        return -ENOSPC;
    int fd = zn__socket_listen(addr, addr_len, port_out);
    if (fd < 0)
        return fd;
    int err = watch(dp, EPOLL_CTL_ADD, fd, dp->accepting ? EPOLLIN : 0,
                    (uint64_t)dp->listeners_len << 4 | TAG_LISTENER);
    if (err) {
        close(fd);
        return err;
    }
    dp->listeners[dp->listeners_len++] = fd;
    return 0;
}

static void epoll_wake(struct zn_dp *base)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    static const uint64_t one = 1;
    if (atomic_exchange(&dp->woken, true))
        return;
    while (write(dp->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

// --- sockets that linger

static void linger_close(struct lingerer *linger)
{
    if (linger->fd >= 0)
        close(linger->fd);
    linger->fd = -1;
}

// Takes over the descriptor.
static void linger_add(struct epoll_dp *dp, int fd)
{
    if (dp->linger_tail - dp->linger_head == LINGERS_MAX)
        linger_close(&dp->lingers[dp->linger_head++ % LINGERS_MAX]);
    unsigned slot = dp->linger_tail++ % LINGERS_MAX;
    dp->lingers[slot] = (struct lingerer){ .fd = fd, .until_ns = dp->base.now_ns + linger_ns };
    shutdown(fd, SHUT_WR);
    if (watch(dp, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP, (uint64_t)slot << 4 | TAG_LINGER))
        linger_close(&dp->lingers[slot]);
}

static void linger_read(struct epoll_dp *dp, struct lingerer *linger)
{
    if (linger->fd < 0)
        return;
    ssize_t len = recv(linger->fd, dp->area, RECV_DEFAULT, MSG_TRUNC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0)
        linger->bytes += (uint32_t)len;
    if (len <= 0 || linger->bytes > LINGER_BYTES)
        linger_close(linger);
}

static void linger_expire(struct epoll_dp *dp)
{
    while (dp->linger_head != dp->linger_tail) {
        struct lingerer *oldest = &dp->lingers[dp->linger_head % LINGERS_MAX];
        if (oldest->fd >= 0 && oldest->until_ns > dp->base.now_ns)
            break;
        linger_close(oldest);
        dp->linger_head++;
    }
}

// --- accepting

static void listeners_arm(struct epoll_dp *dp, bool on)
{
    dp->accepting = on;
    for (unsigned i = 0; i < dp->listeners_len; i++)
        watch(dp, EPOLL_CTL_MOD, dp->listeners[i], on ? EPOLLIN : 0,
              (uint64_t)i << 4 | TAG_LISTENER);
}

static void accept_resume(struct epoll_dp *dp)
{
    if (dp->accepting || dp->slab.used >= dp->config.streams_max ||
        dp->accept_at_ns > dp->base.now_ns)
        return;
    dp->accept_at_ns = 0;
    listeners_arm(dp, true);
}

static bool accept_one(struct epoll_dp *dp, int listener, struct zn_dp_event *event,
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
    if (stream_watch(dp, stream)) {
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
static unsigned accept_burst(struct epoll_dp *dp, int listener, struct zn_dp_event *events,
                             unsigned max)
{
    unsigned len = 0;
    while (len < max && dp->peers_len < ACCEPTS_MAX && dp->accepting) {
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

static void turn_begin(struct epoll_dp *dp)
{
    for (struct zn_stream *stream; (stream = list_take(&dp->dead));)
        zn__slab_free(&dp->slab, stream);
    dp->area_used = 0;
    dp->peers_len = 0;
    linger_expire(dp);
    accept_resume(dp);
}

static uint64_t turn_timeout(const struct epoll_dp *dp, uint64_t timeout_ns)
{
    if (dp->ready.first || dp->adoptions_len)
        return 0;
    uint64_t until = UINT64_MAX;
    if (dp->linger_head != dp->linger_tail)
        until = dp->lingers[dp->linger_head % LINGERS_MAX].until_ns;
    if (dp->accept_at_ns && dp->accept_at_ns < until)
        until = dp->accept_at_ns;
    if (until == UINT64_MAX)
        return timeout_ns;
    uint64_t left = until > dp->base.now_ns ? until - dp->base.now_ns : 0;
    return left < timeout_ns ? left : timeout_ns;
}

static int kernel_wait(struct epoll_dp *dp, unsigned max, uint64_t timeout_ns)
{
    struct timespec wait = { .tv_sec = (time_t)(timeout_ns / 1000000000),
                             .tv_nsec = (long)(timeout_ns % 1000000000) };
    int want = max < EVENTS_MAX ? (int)max : EVENTS_MAX;
    int len = epoll_pwait2(dp->epoll_fd, dp->kernel_events, want,
                           timeout_ns == UINT64_MAX ? NULL : &wait, NULL);
    if (len < 0 && errno == ENOSYS) { // before Linux 5.11
        uint64_t ms = timeout_ns / 1000000 + !!(timeout_ns % 1000000);
        len = epoll_wait(dp->epoll_fd, dp->kernel_events, want,
                         timeout_ns == UINT64_MAX ? -1 : ms > INT32_MAX ? INT32_MAX : (int)ms);
    }
    return len < 0 ? 0 : len;
}

static void stream_edge(struct epoll_dp *dp, struct zn_stream *stream, uint32_t edge)
{
    if (edge & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->flags |= READABLE;
    if (edge & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->flags |= HANGUP;
    if (edge & EPOLLOUT && stream->flags & BLOCKED)
        stream->flags |= WRITABLE;
    // recv() will not be asked then, and the error must come through all the same.
    if (edge & EPOLLERR && stream->flags & (PAUSED | EOF_SEEN)) {
        int err = 0;
        socklen_t len = sizeof err;
        getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &err, &len);
        if (err)
            stream_break(dp, stream, err);
    }
    stream_ready(dp, stream);
}

static unsigned kernel_events(struct epoll_dp *dp, int kernel_len, struct zn_dp_event *events,
                              unsigned max)
{
    unsigned len = 0;
    for (int i = 0; i < kernel_len; i++) {
        uint64_t data = dp->kernel_events[i].data.u64;
        switch (data & TAG_MASK) {
        case TAG_STREAM:
            stream_edge(dp, (struct zn_stream *)(uintptr_t)data, dp->kernel_events[i].events);
            break;
        case TAG_LISTENER:
            len += accept_burst(dp, dp->listeners[data >> 4], events + len, max - len);
            break;
        case TAG_WAKE: // edge-triggered, so that the counter need not be read
            atomic_exchange(&dp->woken, false);
            break;
        default:
            linger_read(dp, &dp->lingers[data >> 4]);
        }
    }
    return len;
}

static bool event_recv(struct epoll_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    size_t room = AREA_SIZE - dp->area_used;
    size_t cap = dp->config.recv_size < room ? dp->config.recv_size : room;
    ssize_t len = recv(stream->fd, dp->area + dp->area_used, cap, 0);
    if (len > 0) {
        event->type = ZN_DP_RECV;
        event->data = dp->area + dp->area_used;
        event->len = (size_t)len;
        dp->area_used += ((size_t)len + 63) & ~(size_t)63;
        // A short read emptied the queue: the next byte makes an edge.
        if ((size_t)len < cap && !(stream->flags & HANGUP))
            stream->flags &= ~READABLE;
        return true;
    }
    if (len == 0) {
        stream->flags = (stream->flags & ~READABLE) | EOF_SEEN;
        event->type = ZN_DP_EOF;
        return true;
    }
    if (errno == EINTR)
        return false;
    stream->flags &= ~READABLE;
    if (errno == EAGAIN)
        return false;
    stream->flags |= BROKEN | REPORTED;
    event->type = ZN_DP_ERROR;
    event->err = -errno;
    return true;
}

static void handle_drop(struct zn_dp_handle *handle)
{
    close(handle->fd);
}

static void event_detached(struct epoll_dp *dp, struct zn_stream *stream,
                           struct zn_dp_event *event)
{
    epoll_ctl(dp->epoll_fd, EPOLL_CTL_DEL, stream->fd, NULL);
    event->type = ZN_DP_DETACHED;
    event->handle = (struct zn_dp_handle){ .fd = stream->fd, .drop = handle_drop };
    stream->fd = -1;
    stream->flags |= DEAD;
}

static bool stream_due(const struct zn_stream *stream)
{
    unsigned flags = stream->flags;
    if (flags & BROKEN)
        return !(flags & REPORTED);
    return flags & (LEAVING | WRITABLE) ||
           (flags & READABLE && !(flags & (PAUSED | EOF_SEEN)));
}

// Makes one event of what is due on the stream. False: there was nothing after all.
static bool stream_event(struct epoll_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    event->stream = stream;
    if (stream->flags & BROKEN) {
        stream->flags |= REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = -(int)stream->err;
        return true;
    }
    if (stream->flags & LEAVING) {
        event_detached(dp, stream, event);
        return true;
    }
    if (stream->flags & WRITABLE) {
        stream->flags &= ~(WRITABLE | BLOCKED);
        event->type = ZN_DP_SENT;
        return true;
    }
    return event_recv(dp, stream, event);
}

// Gives each ready stream one event, in order; who has more to do queues up again behind.
static unsigned ready_events(struct epoll_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = 0;
    size_t least = dp->config.recv_size < RECV_LEAST ? dp->config.recv_size : RECV_LEAST;
    struct zn_stream *end = dp->ready.last;
    for (bool more = end; more && len < max && AREA_SIZE - dp->area_used >= least;) {
        struct zn_stream *stream = list_take(&dp->ready);
        more = stream != end;
        stream->flags &= ~QUEUED;
        if (!(stream->flags & DEAD) && stream_due(stream)) {
            events[len] = (struct zn_dp_event){ 0 };
            len += stream_event(dp, stream, &events[len]);
            if (stream_due(stream) && !(stream->flags & DEAD))
                stream_ready(dp, stream);
        }
        if (stream->flags & DEAD)
            list_append(&dp->dead, stream);
    }
    return len;
}

static unsigned adoption_events(struct epoll_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = dp->adoptions_len < max ? (unsigned)dp->adoptions_len : max;
    for (unsigned i = 0; i < len; i++) {
        struct adoption *adoption = &dp->adoptions[i];
        events[i] = (struct zn_dp_event){ .type = ZN_DP_ADOPTED,
                                          .stream = adoption->stream,
                                          .cookie = adoption->cookie };
        int err = stream_watch(dp, adoption->stream);
        if (err)
            stream_break(dp, adoption->stream, -err);
    }
    dp->adoptions_len -= len;
    memmove(dp->adoptions, dp->adoptions + len, dp->adoptions_len * sizeof *dp->adoptions);
    return len;
}

static int epoll_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                      uint64_t timeout_ns)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    turn_begin(dp);
    int kernel_len = kernel_wait(dp, max, turn_timeout(dp, timeout_ns));
    zn__clock_read(base);
    unsigned len = dp->adoptions_len ? adoption_events(dp, events, max) : 0;
    len += kernel_events(dp, kernel_len, events + len, max - len);
    len += ready_events(dp, events + len, max - len);
    return (int)len;
}

// --- streams

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

static void send_one(struct epoll_dp *dp, struct zn_dp_send *send)
{
    struct zn_stream *stream = send->stream;
    send->taken = 0;
    for (unsigned first = 0; first < send->iov_len && !(stream->flags & (BROKEN | BLOCKED));) {
        unsigned count = send->iov_len - first < IOV_MAX ? send->iov_len - first : IOV_MAX;
        size_t whole = 0;
        for (unsigned i = first; i < first + count; i++)
            whole += send->iov[i].iov_len;
        ssize_t len = whole ? send_iov(stream->fd, send->iov + first, count) : 0;
        if (len < 0 && errno != EAGAIN) {
            stream_break(dp, stream, errno);
            return;
        }
        send->taken += len > 0 ? (size_t)len : 0;
        if (len < (ssize_t)whole)
            stream->flags |= BLOCKED;
        first += count;
    }
}

static void epoll_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    for (unsigned i = 0; i < burst_len; i++)
        send_one((struct epoll_dp *)base, &burst[i]);
}

static void epoll_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    if (!recv) {
        stream->flags |= PAUSED;
        return;
    }
    stream->flags &= ~PAUSED;
    if (stream->flags & READABLE)
        stream_ready((struct epoll_dp *)base, stream);
}

static void epoll_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    if (how == ZN_END_FIN) {
        shutdown(stream->fd, SHUT_WR);
        return;
    }
    if (how == ZN_END_RESET)
        zn__socket_reset(stream->fd);
    else if (stream->flags & (EOF_SEEN | BROKEN))
        close(stream->fd);
    else
        linger_add(dp, stream->fd);
    stream->fd = -1;
    stream->flags |= DEAD;
    if (!(stream->flags & QUEUED))
        list_append(&dp->dead, stream);
}

static void epoll_detach(struct zn_dp *base, struct zn_stream *stream)
{
    stream->flags |= LEAVING;
    stream_ready((struct epoll_dp *)base, stream);
}

static int epoll_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct epoll_dp *dp = (struct epoll_dp *)base;
    struct zn_stream *stream = NULL;
    if (dp->adoptions_len == dp->adoptions_cap) {
        size_t cap = dp->adoptions_cap ? dp->adoptions_cap * 2 : 16;
        void *grown = realloc(dp->adoptions, cap * sizeof *dp->adoptions);
        if (!grown)
            goto fail;
        dp->adoptions = grown;
        dp->adoptions_cap = cap;
    }
    stream = zn__slab_alloc(&dp->slab);
    if (!stream)
        goto fail;
    stream->fd = handle.fd;
    dp->adoptions[dp->adoptions_len++] = (struct adoption){ stream, cookie };
    return 0;

fail:
    close(handle.fd);
    return -ENOMEM;
}

const struct zn_dp_ops zn_dp_epoll = {
    .name = "epoll",
    .caps = ZN_DP_CAP_FDS,
    .open = epoll_open,
    .close = epoll_close,
    .listen = epoll_listen,
    .poll = epoll_poll,
    .send = epoll_send,
    .want = epoll_want,
    .end = epoll_end,
    .detach = epoll_detach,
    .adopt = epoll_adopt,
    .wake = epoll_wake,
};
