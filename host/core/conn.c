// SPDX-License-Identifier: Apache-2.0
// See conn.h: a connection's life, and the dispatch of the datapath's events.
#include "conn.h"

#include "engine.h"
#include "http.h"
#include "server.h"
#include "unfinished.h"
#include "zpool.h"

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

void zn__conn_end(struct zn_conn *conn, enum zn_dp_end how)
{
    if (conn->dead)
        return;
    conn_retire(conn);
    // What the datapath still sends from stays until its GONE event.
    if (zn__conn_sends_async(conn) && conn->blocked)
        leaving_add(conn);
    else
        out_drop(conn);
    conn->reactor->dp->ops->end(conn->reactor->dp, conn->stream, how);
}

void zn__conn_abort(struct zn_conn *conn)
{
    zn__conn_end(conn, ZN_END_RESET);
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
            zn__conn_end(conn, ZN_END_RELEASE);
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

// --- Events -----------------------------------------------------------------------------------

static void conn_accepted(struct zn_reactor *reactor, const struct zn_dp_event *event)
{
    struct zn_conn *conn = zn__conn_init(reactor, event->stream);
    addr_set(&conn->peer, event->peer);
    ZN_COUNT(reactor, connections, 1);
    if (reactor->stopping) {
        zn__conn_end(conn, ZN_END_RELEASE);
        return;
    }
    zn__reactor_timer(reactor, &conn->timer, ZN_TIMER_CONN,
                      reactor->server->options.header_timeout_ms);
}

static void conn_failed(struct zn_conn *conn)
{
    zn__conn_end(conn, ZN_END_RELEASE);
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
        zn__conn_sent(conn, event->len);
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
