// SPDX-License-Identifier: Apache-2.0
// See conn.h: a connection's life, its output, and the dispatch of the datapath's events.
#include "conn.h"

#include "engine.h"
#include "http.h"
#include "server.h"
#include "unfinished.h"
#include "zpool.h"

#include <assert.h>

enum {
    BURST_MAX = 2048,  // connections in one send burst
    IOV_MAX_CONN = 64, // runs of one connection in one burst
    IOV_MAX_BURST = 8192,
};

static void conn_link(struct zn_conn *conn)
{
    struct zn_reactor *reactor = conn->reactor;
    conn->next = reactor->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    reactor->conns = conn;
    ZN_COUNT(reactor, connections_now, 1);
}

static void conn_unlink(struct zn_conn *conn)
{
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        conn->reactor->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    ZN_COUNT(conn->reactor, connections_now, -1);
}

struct zn_conn *zn__conn_init(struct zn_reactor *reactor, struct zn_stream *stream)
{
    struct zn_conn *conn = zn_stream_user(stream, sizeof(*conn));
    *conn = (struct zn_conn){ .reactor = reactor, .stream = stream };
    conn_link(conn);
    return conn;
}

static void addr_set(struct zn_addr *addr, const struct sockaddr *from)
{
    if (from == NULL)
        return;
    addr->family = from->sa_family;
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;
        memcpy(addr->ip, &in->sin_addr, 4);
        addr->port = ntohs(in->sin_port);
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)from;
        memcpy(addr->ip, &in->sin6_addr, 16);
        addr->port = ntohs(in->sin6_port);
    }
}

// --- End --------------------------------------------------------------------------------------

// Takes the connection out of everything but the datapath.
static void conn_retire(struct zn_conn *conn)
{
    conn->dead = true;
    zn__conn_move_cancel(conn);
    zn__reactor_untimer(conn->reactor, &conn->timer);
    if (conn->websocket)
        zn__ws_gone(conn);
    if (conn->http != NULL)
        zn__http_drop(conn);
    zn__unfinished_free(conn->reactor, conn->message);
    zn__unfinished_free(conn->reactor, conn->control);
    conn->message = conn->control = NULL;
    zn__zpool_put(conn->reactor->zpool, conn->inflater);
    zn__zpool_put(conn->reactor->zpool, conn->deflater);
    conn->inflater = conn->deflater = NULL;
    conn_unlink(conn);
}

static bool sends_async(const struct zn_conn *conn)
{
    return (conn->reactor->dp->ops->caps & ZN_DP_CAP_ASYNC) != 0;
}

// Whether the datapath takes more while it has some.
static bool sends_on(const struct zn_conn *conn)
{
    return (conn->reactor->dp->ops->caps & ZN_DP_CAP_PIPELINE) != 0;
}

static void out_drop(struct zn_conn *conn)
{
    ZN_COUNT(conn->reactor, buffered_now, -(int64_t)conn->out.bytes);
    zn__outq_deinit(&conn->out);
}

// Ended connections whose output the datapath still holds.
static void leaving_add(struct zn_conn *conn)
{
    struct zn_reactor *reactor = conn->reactor;
    conn->prev = NULL;
    conn->next = reactor->leaving;
    if (conn->next != NULL)
        conn->next->prev = conn;
    reactor->leaving = conn;
}

static void leaving_remove(struct zn_conn *conn)
{
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        conn->reactor->leaving = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    out_drop(conn);
}

struct zn_outq *zn__conn_inherit(struct zn_reactor *reactor, size_t *len_out)
{
    size_t len = 0;
    for (struct zn_conn *conn = reactor->leaving; conn != NULL; conn = conn->next)
        len++;
    struct zn_outq *queues = calloc(len + 1, sizeof(*queues));
    *len_out = 0;
    for (struct zn_conn *conn = reactor->leaving; queues != NULL && conn != NULL; conn = conn->next)
        queues[(*len_out)++] = conn->out;
    reactor->leaving = NULL;
    return queues;
}

void zn__conn_leave(struct zn_conn *conn)
{
    conn_retire(conn);
    out_drop(conn);
}

static void conn_end(struct zn_conn *conn, enum zn_dp_end how)
{
    if (conn->dead)
        return;
    conn_retire(conn);
    // What the datapath still sends from stays until its GONE event.
    if (sends_async(conn) && conn->blocked)
        leaving_add(conn);
    else
        out_drop(conn);
    conn->reactor->dp->ops->end(conn->reactor->dp, conn->stream, how);
}

void zn__conn_abort(struct zn_conn *conn)
{
    conn_end(conn, ZN_END_RESET);
}

void zn__conn_abort_soon(struct zn_conn *conn)
{
    conn->doomed = true;
    zn__conn_dirty(conn);
}

// How long the peer may take nothing of what is left to send, so that it does not hold the
// connection for ever.
static uint32_t stall_ms(const struct zn_conn *conn)
{
    const struct zn_server_options *options = &conn->reactor->server->options;
    return conn->websocket ? options->close_timeout_ms : options->header_timeout_ms;
}

void zn__conn_finish(struct zn_conn *conn)
{
    if (conn->dead || conn->end_after_flush)
        return;
    conn->end_after_flush = true;
    conn->moved_ms = (uint32_t)conn->reactor->now_ms;
    zn__conn_dirty(conn);
    zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN, stall_ms(conn));
}

bool zn__conn_stalled(const struct zn_conn *conn)
{
    return (uint32_t)conn->reactor->now_ms - conn->moved_ms >= stall_ms(conn);
}

void zn__conn_end_all(struct zn_reactor *reactor)
{
    while (reactor->conns != NULL) {
        struct zn_conn *conn = reactor->conns;
        if (conn->moving)
            zn__conn_leave(conn);
        else
            conn_end(conn, ZN_END_RELEASE);
    }
}

void zn__conn_stop_all(struct zn_reactor *reactor)
{
    for (struct zn_conn *conn = reactor->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->moving)
            continue;
        if (conn->websocket)
            zn__ws_close(conn, ZN_WS_CLOSE_GOING_AWAY, (struct zn_slice){ NULL, 0 });
        else if (conn->http == NULL || conn->http->phase == ZN_PHASE_HEAD)
            zn__conn_finish(conn);
    }
}

// --- Output -----------------------------------------------------------------------------------

void zn__conn_dirty(struct zn_conn *conn)
{
    if (conn->dirty || conn->dead)
        return;
    conn->dirty = true;
    conn->dirty_next = NULL;
    *conn->reactor->dirty_end = conn;
    conn->reactor->dirty_end = &conn->dirty_next;
}

int zn__conn_push(struct zn_conn *conn, const struct zn_run *run, unsigned out_flags)
{
    if (conn->dead || conn->end_after_flush)
        return -ENOTCONN;
    int err = zn__outq_push(&conn->out, run, out_flags);
    if (err < 0)
        return err;
    ZN_COUNT(conn->reactor, buffered_now, run->len);
    zn__conn_dirty(conn);
    return 0;
}

int zn__conn_write(struct zn_conn *conn, const void *p, size_t len, unsigned out_flags)
{
    uint8_t *at = zn__arena_reserve(&conn->reactor->arena, len);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, p, len);
    struct zn_run run = zn__arena_commit(&conn->reactor->arena, len);
    int err = zn__conn_push(conn, &run, out_flags);
    zn__run_drop(&run);
    return err;
}

// Input stops while more than half of what may be queued is, so that a client that does not
// read cannot make an echo overflow.
static void conn_throttle(struct zn_conn *conn)
{
    size_t high = conn->reactor->server->options.buffer_max / 2;
    bool pause = conn->out.bytes > (conn->paused ? high / 2 : high);
    if (pause == conn->paused || conn->dead || conn->eof)
        return;
    conn->paused = pause;
    conn->moved_ms = (uint32_t)conn->reactor->now_ms;
    conn->reactor->dp->ops->want(conn->reactor->dp, conn->stream, !pause);
    if (conn->websocket)
        zn__ws_paused(conn);
}

static void conn_drained(struct zn_conn *conn)
{
    if (conn->end_after_flush) {
        conn_end(conn, ZN_END_RELEASE);
        return;
    }
    if (!conn->pressed)
        return;
    conn->pressed = false;
    if (conn->websocket && conn->role == ZN_WS_PLAIN)
        zn__endpoint_drained(conn);
    else if (conn->websocket && conn->role == ZN_WS_SESSION && conn->session != NULL)
        zn__session_drained(conn->session);
}

// `len` bytes are with the peer's kernel.
static void sent_count(struct zn_conn *conn, size_t len)
{
    zn__outq_pop(&conn->out, len);
    conn->pongs = 0;
    conn->moved_ms = (uint32_t)conn->reactor->now_ms;
    ZN_COUNT(conn->reactor, buffered_now, -(int64_t)len);
    ZN_COUNT(conn->reactor, bytes_out, len);
}

// What follows from that; it may call the application.
static void sent_settle(struct zn_conn *conn)
{
    if (conn->paused)
        conn_throttle(conn);
    if (conn->out.bytes == 0)
        conn_drained(conn);
}

static void burst_send(struct zn_reactor *reactor, struct zn_dp_send *burst, struct zn_conn **conns,
                       unsigned n)
{
    reactor->dp->ops->send(reactor->dp, burst, n);
    for (unsigned i = 0; i < n; i++) {
        struct zn_conn *conn = conns[i];
        size_t given = 0;
        for (unsigned k = 0; k < burst[i].iov_len; k++)
            given += burst[i].iov[k].iov_len;
        bool was_blocked = conn->blocked; // ZN_DP_CAP_PIPELINE: `given` comes behind what is pinned
        conn->blocked = was_blocked || burst[i].taken < given;
        conn->moved_ms = (uint32_t)reactor->now_ms;
        if (conn->blocked && sends_async(conn))
            conn->out.pinned = (uint32_t)given + (was_blocked ? conn->out.pinned : 0);
        else if (conn->blocked)
            conn->pressed = true;
        if (burst[i].taken > 0)
            sent_count(conn, burst[i].taken);
    }
    // Only now: an application that is told may send on any of them, which can drop what is queued.
    for (unsigned i = 0; i < n; i++) {
        if (burst[i].taken > 0 && !conns[i]->dead)
            sent_settle(conns[i]);
        if (conns[i]->dead || conns[i]->out.bytes == 0)
            continue;
        conn_throttle(conns[i]);
        if (sends_on(conns[i]) ? conns[i]->out.bytes > conns[i]->out.pinned : !conns[i]->blocked)
            zn__conn_dirty(conns[i]); // more runs than one entry takes
    }
}

// What a connection has left for the end of the turn besides sending. May call the application.
static void conn_settle(struct zn_conn *conn)
{
    if (conn->doomed)
        zn__conn_abort(conn);
    if (!conn->dead && conn->resume)
        zn__http_resume(conn);
    if (conn->dead)
        return;
    if (conn->websocket && conn->role == ZN_WS_SESSION && conn->session != NULL)
        zn__session_tell_dropped(conn->session);
    else if (conn->websocket && conn->dropped > 0)
        zn__endpoint_tell_dropped(conn);
    else if (!conn->websocket && conn->session != NULL)
        zn__polling_flush(conn->session);
    if (conn->end_after_flush && conn->out.bytes == 0 && !conn->blocked)
        conn_end(conn, ZN_END_RELEASE);
}

// Settles the dirty connections and those that this makes dirty. Returns all that are left, in
// order, linked by ready_next.
static struct zn_conn *conns_settle(struct zn_reactor *reactor)
{
    struct zn_conn *ready = NULL;
    struct zn_conn **end = &ready;
    while (reactor->dirty != NULL) {
        struct zn_conn *conn = reactor->dirty;
        reactor->dirty = conn->dirty_next;
        if (reactor->dirty == NULL)
            reactor->dirty_end = &reactor->dirty;
        conn->dirty = false;
        conn_settle(conn);
        if (conn->dead || conn->ready)
            continue;
        conn->ready = true;
        conn->ready_next = NULL;
        *end = conn;
        end = &conn->ready_next;
    }
    return ready;
}

// What a connection is to send now; 0: nothing.
static unsigned conn_gather(struct zn_conn *conn, struct iovec *iov, unsigned room)
{
    conn->ready = false;
    if (conn->dead || conn->doomed || conn->out.bytes == 0)
        return 0;
    if (conn->blocked && !sends_on(conn)) {
        conn_throttle(conn);
        return 0;
    }
    size_t given = conn->blocked ? conn->out.pinned : 0;
    size_t len;
    return zn__outq_gather(&conn->out, given, iov, room < IOV_MAX_CONN ? room : IOV_MAX_CONN, &len);
}

void zn__conn_flush(struct zn_reactor *reactor)
{
    static _Thread_local struct zn_dp_send burst[BURST_MAX];
    static _Thread_local struct zn_conn *conns[BURST_MAX];
    static _Thread_local struct iovec iov[IOV_MAX_BURST];

    while (reactor->dirty != NULL) {
        // The application is not called while a burst is put together.
        struct zn_conn *ready = conns_settle(reactor);
        while (ready != NULL) {
            unsigned n = 0;
            unsigned iov_len = 0;
            while (ready != NULL && n < BURST_MAX && iov_len + IOV_MAX_CONN <= IOV_MAX_BURST) {
                struct zn_conn *conn = ready;
                ready = conn->ready_next;
                unsigned k = conn_gather(conn, iov + iov_len, IOV_MAX_BURST - iov_len);
                if (k == 0)
                    continue;
                burst[n] = (struct zn_dp_send){ .stream = conn->stream,
                                                .iov = iov + iov_len,
                                                .iov_len = k };
                conns[n++] = conn;
                iov_len += k;
            }
            if (n > 0)
                burst_send(reactor, burst, conns, n);
        }
    }
}

// --- Events -----------------------------------------------------------------------------------

static void conn_accepted(struct zn_reactor *reactor, const struct zn_dp_event *event)
{
    struct zn_conn *conn = zn__conn_init(reactor, event->stream);
    addr_set(&conn->peer, event->peer);
    ZN_COUNT(reactor, connections, 1);
    if (reactor->stopping) {
        conn_end(conn, ZN_END_RELEASE);
        return;
    }
    zn__reactor_timer(reactor, &conn->timer, ZN_TIMER_CONN,
                      reactor->server->options.header_timeout_ms);
}

static void conn_failed(struct zn_conn *conn)
{
    conn_end(conn, ZN_END_RELEASE);
}

static void conn_recv(struct zn_conn *conn, uint8_t *data, size_t len)
{
    ZN_COUNT(conn->reactor, bytes_in, len);
    if (conn->resume)
        zn__http_resume(conn); // an answer of this turn goes before new input
    if (conn->dead || conn->end_after_flush || conn->moving)
        return;
    if (conn->websocket)
        zn__ws_recv(conn, data, len);
    else
        zn__http_recv(conn, data, len);
}

void zn__conn_event(struct zn_reactor *reactor, struct zn_dp_event *event)
{
    if (event->type == ZN_DP_ACCEPT) {
        conn_accepted(reactor, event);
        return;
    }
    if (event->type == ZN_DP_ADOPTED) {
        zn__conn_adopted(reactor, event);
        return;
    }
    struct zn_conn *conn = zn_stream_user(event->stream, sizeof(*conn));
    if (event->type == ZN_DP_GONE) {
        leaving_remove(conn);
        return;
    }
    if (conn->dead)
        return;
    switch (event->type) {
    case ZN_DP_RECV:
        reactor->frames = event->frames;
        conn_recv(conn, event->data, event->len);
        if (event->frames != NULL && conn->websocket)
            zn__ws_where(conn, event->frames);
        reactor->frames = NULL;
        break;
    case ZN_DP_PONGS:
        if (conn->websocket && !conn->closing)
            (void)zn__conn_write(conn, event->data, event->len, ZN_OUT_CONTROL);
        break;
    case ZN_DP_EOF:
        conn->eof = true;
        if (conn->websocket)
            zn__ws_eof(conn);
        else
            zn__http_eof(conn);
        break;
    case ZN_DP_SENT:
        conn->blocked = sends_async(conn) && conn->out.pinned > event->len;
        if (event->len > 0)
            sent_count(conn, event->len);
        sent_settle(conn);
        if (!conn->dead && conn->out.bytes > 0)
            zn__conn_dirty(conn);
        break;
    case ZN_DP_DETACHED:
        zn__conn_detached(conn, event);
        break;
    default: // ZN_DP_ERROR
        conn_failed(conn);
    }
}

void zn__conn_timer(struct zn_reactor *reactor, struct zn_timer *timer)
{
    struct zn_conn *conn = (struct zn_conn *)((char *)timer - offsetof(struct zn_conn, timer));
    if (conn->end_after_flush && (conn->websocket || zn__conn_stalled(conn)))
        zn__conn_abort(conn);
    else if (conn->end_after_flush)
        zn__reactor_timer(reactor, timer, ZN_TIMER_CONN, stall_ms(conn));
    else if (conn->websocket)
        zn__ws_timer(conn);
    else
        zn__http_timer(conn);
}
