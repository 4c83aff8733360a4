// SPDX-License-Identifier: Apache-2.0
// The TLS datapath: translates the events of any inner datapath and keeps the contract of the
// table on top of it. One event of a stream in a turn; what else is due waits in the pending list.
//
// Owner and thread: the instance's; only wake() may come from elsewhere.
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    CLOSING_MS = 5000, // for the last ciphertext of a released stream to leave
    ROOM_LEAST = 2048, // less plaintext room than this is not worth a call
};

static const struct zn_dp_ops tls_ops;

// --- the turn

static void closing_expire(struct zn_tls_dp *dp)
{
    uint32_t now_ms = (uint32_t)(dp->base.now_ns / 1000000);
    while (!zn__tls_list_empty(&dp->closing)) {
        struct zn_stream *oldest = zn__tls_of_queue(dp->closing.next);
        if ((int32_t)(oldest->stamp - now_ms) > 0)
            break;
        zn__tls_end(dp, oldest, ZN_END_RESET);
    }
}

static unsigned pending_events(struct zn_tls_dp *dp, struct zn_dp_event *events, unsigned max)
{
    unsigned len = 0;
    struct zn_tls_link *end = dp->pending.prev;
    for (bool more = !zn__tls_list_empty(&dp->pending);
         more && len < max && ZN_TLS_AREA_SIZE - dp->area_used >= ROOM_LEAST;) {
        struct zn_stream *stream = zn__tls_of_queue(dp->pending.next);
        more = &stream->queue != end;
        zn__tls_unlist(stream);
        if (!zn__tls_due(stream))
            continue;
        if (zn__tls_event(dp, stream, NULL, 0, &events[len])) {
            stream->stamp = dp->turn;
            len++;
        }
        zn__tls_list_due(dp, stream);
    }
    return len;
}

static bool event_accept(struct zn_tls_dp *dp, struct zn_stream *stream,
                         const struct zn_dp_event *inner)
{
    if (zn__tls_start(dp, stream)) {
        dp->inner->ops->end(dp->inner, inner->stream, ZN_END_RESET);
        return false;
    }
    zn__tls_list_append(&dp->all, &stream->all);
    return true;
}

static void event_adopted(struct zn_tls_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    struct zn_tls_travel *travel = event->cookie;
    zn__tls_list_remove(&travel->link);
    zn__tls_list_append(&dp->all, &stream->all);
    stream->ssl = travel->ssl;
    stream->spill = travel->spill;
    event->cookie = travel->cookie;
    free(travel);
    if (SSL_is_init_finished(stream->ssl))
        stream->flags |= ZN_TLS_ESTABLISHED;
    if (SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN)
        stream->flags |= ZN_TLS_EOF_DUE;
    zn__tls_update_hold(dp, stream);
}

static void travel_free(struct zn_tls_travel *travel)
{
    SSL_free(travel->ssl);
    free(travel->spill);
    free(travel);
}

static void handle_drop(struct zn_dp_handle *handle)
{
    struct zn_tls_travel *travel = handle->state;
    travel->inner_drop(handle);
    travel_free(travel);
}

static void event_detached(struct zn_tls_dp *dp, struct zn_stream *stream,
                           struct zn_dp_event *event)
{
    struct zn_tls_travel *travel = stream->travel;
    if (zn__tls_spill(stream, event->data, event->len))
        shutdown(event->handle.fd, SHUT_RDWR); // bytes are missing: its taker finds it ended
    *travel = (struct zn_tls_travel){ .inner_drop = event->handle.drop,
                                      .ssl = stream->ssl,
                                      .spill = stream->spill };
    stream->travel = NULL;
    stream->ssl = NULL;
    stream->spill = NULL;
    zn__tls_free(dp, stream);
    event->handle.state = travel;
    event->handle.drop = handle_drop;
    event->data = NULL;
    event->len = 0;
}

static void inner_recv(struct zn_tls_dp *dp, struct zn_stream *stream, const uint8_t *data,
                       size_t len)
{
    if (zn__tls_spill(stream, data, len))
        zn__tls_break(stream, ENOMEM);
    zn__tls_update_hold(dp, stream);
}

// Takes the inner event in. True: *event holds an event for the caller.
static bool translate(struct zn_tls_dp *dp, const struct zn_dp_event *inner,
                      struct zn_dp_event *event)
{
    struct zn_stream *stream = zn__tls_outer(inner->stream);
    bool closing = stream->flags & ZN_TLS_CLOSING;
    bool direct = stream->stamp != dp->turn && !closing && !(stream->flags & ZN_TLS_LEAVING);
    const uint8_t *data = NULL;
    size_t len = 0;
    *event = *inner;
    event->stream = stream;
    switch (inner->type) {
    case ZN_DP_ACCEPT:
        return event_accept(dp, stream, inner);
    case ZN_DP_ADOPTED:
        event_adopted(dp, stream, event);
        return true;
    case ZN_DP_DETACHED:
        event_detached(dp, stream, event);
        return true;
    case ZN_DP_GONE:
        stream->flags &= ~ZN_TLS_GONE_DUE;
        zn__tls_free(dp, stream);
        return false;
    case ZN_DP_RECV:
        if (closing || stream->flags & ZN_TLS_EOF_DUE)
            return false;
        direct = direct && ZN_TLS_AREA_SIZE - dp->area_used >= ROOM_LEAST &&
                 !(stream->flags & (ZN_TLS_SENT_DUE | ZN_TLS_PAUSED));
        if (direct) {
            data = inner->data;
            len = inner->len;
        } else {
            inner_recv(dp, stream, inner->data, inner->len);
        }
        break;
    case ZN_DP_SENT:
        zn__tls_out_sent(dp, stream, inner->len);
        zn__tls_dirty(dp, stream);
        zn__tls_settle(dp, stream);
        break;
    case ZN_DP_EOF:
        stream->flags |= ZN_TLS_EOF_DUE;
        if (!(stream->flags & ZN_TLS_ESTABLISHED))
            zn__tls_break(stream, ECONNRESET);
        break;
    default:
        zn__tls_break(stream, -inner->err);
        stream->flags &= ~ZN_TLS_LEAVING;
        direct = stream->stamp != dp->turn && !closing;
        if (closing)
            zn__tls_end(dp, stream, ZN_END_RELEASE);
    }
    return direct && !(stream->flags & ZN_TLS_DEAD) && zn__tls_event(dp, stream, data, len, event);
}

static uint64_t turn_timeout(const struct zn_tls_dp *dp, uint64_t timeout_ns)
{
    if (!zn__tls_list_empty(&dp->pending))
        return 0;
    if (zn__tls_list_empty(&dp->closing))
        return timeout_ns;
    uint32_t now_ms = (uint32_t)(dp->base.now_ns / 1000000);
    int32_t left_ms = (int32_t)(zn__tls_of_queue(dp->closing.next)->stamp - now_ms);
    uint64_t left_ns = left_ms > 0 ? (uint64_t)left_ms * 1000000 : 0;
    return left_ns < timeout_ns ? left_ns : timeout_ns;
}

static void clock_copy(struct zn_tls_dp *dp)
{
    dp->base.now_ns = dp->inner->now_ns;
    dp->base.wall_ms = dp->inner->wall_ms;
    dp->base.accept_pauses = dp->inner->accept_pauses;
}

static int tls_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                    uint64_t timeout_ns)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    dp->turn++;
    dp->area_used = 0;
    closing_expire(dp);
    if (max > ZN_TLS_EVENTS_MAX)
        max = ZN_TLS_EVENTS_MAX;
    // Half of the room at the most, so that the inner streams get their turn.
    unsigned len = pending_events(dp, events, (max + 1) / 2);
    if (len < max) {
        uint64_t wait_ns = len || dp->dirty_len ? 0 : turn_timeout(dp, timeout_ns);
        int inner_len = dp->inner->ops->poll(dp->inner, dp->events, max - len, wait_ns);
        clock_copy(dp);
        for (int i = 0; i < inner_len; i++) {
            struct zn_stream *stream = zn__tls_outer(dp->events[i].stream);
            if (translate(dp, &dp->events[i], &events[len])) {
                stream->stamp = dp->turn;
                len++;
            }
            if (!(stream->flags & ZN_TLS_DEAD) && stream->ssl)
                zn__tls_list_due(dp, stream);
        }
    }
    zn__tls_dirty_flush(dp);
    return (int)len;
}

// --- streams

static size_t total_len(const struct zn_dp_send *send)
{
    size_t total = 0;
    for (unsigned i = 0; i < send->iov_len; i++)
        total += send->iov[i].iov_len;
    return total;
}

static void tls_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    for (unsigned i = 0; i < burst_len; i++) {
        struct zn_stream *stream = burst[i].stream;
        size_t total = total_len(&burst[i]);
        burst[i].taken = 0;
        if (stream->flags & ZN_TLS_BROKEN || !total)
            continue;
        if (stream->flags & ZN_TLS_ESTABLISHED && !stream->out)
            burst[i].taken = zn__tls_output(dp, stream, burst[i].iov, burst[i].iov_len);
        if (burst[i].taken < total)
            stream->flags |= ZN_TLS_BLOCKED;
        if (dp->dirty_len == 2 * ZN_TLS_EVENTS_MAX)
            zn__tls_dirty_flush(dp);
        zn__tls_dirty(dp, stream);
        zn__tls_list_due(dp, stream);
    }
    zn__tls_dirty_flush(dp);
}

static void tls_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    if (recv)
        stream->flags &= ~ZN_TLS_PAUSED;
    else
        stream->flags |= ZN_TLS_PAUSED;
    zn__tls_update_hold(dp, stream);
    zn__tls_list_due(dp, stream);
}

static void tls_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    if (how == ZN_END_RESET || stream->flags & ZN_TLS_BROKEN) {
        if (how != ZN_END_FIN)
            zn__tls_end(dp, stream, how);
        return;
    }
    zn__tls_notify(dp, stream);
    stream->flags |= how == ZN_END_FIN ? ZN_TLS_FINISHING : ZN_TLS_CLOSING;
    if (how == ZN_END_RELEASE) {
        zn__tls_unlist(stream);
        free(stream->spill);
        stream->spill = NULL;
        stream->flags = (stream->flags & ~ZN_TLS_PAUSED) | ZN_TLS_LISTED;
        zn__tls_update_hold(dp, stream); // so that an error or the peer's end shows
        stream->stamp = (uint32_t)(dp->base.now_ns / 1000000) + CLOSING_MS;
        zn__tls_list_append(&dp->closing, &stream->queue);
    }
    zn__tls_flush(dp, stream);
}

static void tls_detach(struct zn_dp *base, struct zn_stream *stream)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    if (!(stream->travel = calloc(1, sizeof *stream->travel)))
        zn__tls_break(stream, ENOMEM);
    if (stream->flags & ZN_TLS_BROKEN) { // ERROR comes instead
        zn__tls_list_due(dp, stream);
        return;
    }
    stream->flags |= ZN_TLS_LEAVING;
    zn__tls_unlist(stream);
    zn__tls_flush(dp, stream);
}

static int tls_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    struct zn_tls_travel *travel = handle.state;
    if (zn__tls_turn_to(dp, travel->ssl)) {
        handle_drop(&handle);
        return -ENOMEM;
    }
    struct zn_dp_handle inner = { .fd = handle.fd, .drop = travel->inner_drop };
    travel->cookie = cookie;
    int err = dp->inner->ops->adopt(dp->inner, inner, travel);
    if (err)
        travel_free(travel);
    else
        zn__tls_list_append(&dp->arriving, &travel->link);
    return err;
}

// --- instance

static int tls_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                      uint16_t *port_out)
{
    struct zn_dp *inner = ((struct zn_tls_dp *)base)->inner;
    return inner->ops->listen(inner, addr, addr_len, port_out);
}

static void tls_wake(struct zn_dp *base)
{
    struct zn_dp *inner = ((struct zn_tls_dp *)base)->inner;
    inner->ops->wake(inner);
}

static int tls_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    (void)config;
    (void)dp_out;
    return -EINVAL; // it needs a certificate: zn_dp_tls_open()
}

static struct zn_stream *of_all(struct zn_tls_link *link)
{
    return (struct zn_stream *)((char *)link - offsetof(struct zn_stream, all));
}

static struct zn_tls_travel *of_arriving(struct zn_tls_link *link)
{
    return (struct zn_tls_travel *)((char *)link - offsetof(struct zn_tls_travel, link));
}

static void tls_close(struct zn_dp *base)
{
    struct zn_tls_dp *dp = (struct zn_tls_dp *)base;
    // Streams go before the inner memory that they stand in; their ciphertext goes after.
    struct zn_tls_out *out = NULL;
    while (!zn__tls_list_empty(&dp->all)) {
        struct zn_stream *stream = of_all(dp->all.next);
        struct zn_tls_out **last = &stream->out;
        while (*last)
            last = &(*last)->next;
        *last = out;
        out = stream->out;
        stream->out = NULL;
        zn__tls_free(dp, stream);
    }
    dp->inner->ops->close(dp->inner);
    while (!zn__tls_list_empty(&dp->arriving)) {
        struct zn_tls_travel *travel = of_arriving(dp->arriving.next);
        zn__tls_list_remove(&travel->link);
        travel_free(travel);
    }
    zn__tls_out_clear(dp, &(struct zn_stream){ .out = out });
    zn__tls_out_deinit(dp);
    munmap(dp->area, ZN_TLS_AREA_SIZE);
    zn__tls_drop(dp->tls);
    free(dp);
}

int zn_dp_tls_open(struct zn_tls *tls, const struct zn_dp_ops *inner,
                   const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    struct zn_tls_dp *dp = calloc(1, sizeof *dp);
    if (!dp)
        return -ENOMEM;
    int err = -ENOMEM;
    dp->area =
        mmap(NULL, ZN_TLS_AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dp->area == MAP_FAILED)
        goto fail_area;
    dp->recv_size = config->recv_size ? config->recv_size : 64 * 1024;
    // The plaintext of one helping, and of the record begun before it, fits one RECV.
    struct zn_dp_config inner_config = *config;
    if (dp->recv_size >= 4 * ZN_TLS_RECORD_MAX)
        inner_config.recv_size = dp->recv_size - ZN_TLS_RECORD_MAX - 512;
    dp->user_room = (config->user_size + 15) & ~(size_t)15;
    inner_config.user_size = dp->user_room + ((sizeof(struct zn_stream) + 15) & ~(size_t)15);
    err = inner->open(&inner_config, &dp->inner);
    if (err)
        goto fail_inner;
    dp->base.ops = &tls_ops;
    dp->tls = tls;
    zn__tls_hold(tls);
    zn__tls_list_init(&dp->all);
    zn__tls_list_init(&dp->pending);
    zn__tls_list_init(&dp->closing);
    zn__tls_list_init(&dp->arriving);
    clock_copy(dp);
    *dp_out = &dp->base;
    return 0;

fail_inner:
    munmap(dp->area, ZN_TLS_AREA_SIZE);
fail_area:
    free(dp);
    return err;
}

static const struct zn_dp_ops tls_ops = {
    .name = "tls",
    .caps = ZN_DP_CAP_FDS,
    .open = tls_open,
    .close = tls_close,
    .listen = tls_listen,
    .poll = tls_poll,
    .send = tls_send,
    .want = tls_want,
    .end = tls_end,
    .detach = tls_detach,
    .adopt = tls_adopt,
    .wake = tls_wake,
};
