// SPDX-License-Identifier: Apache-2.0
// See conn.h: a connection's output, and the flush that sends everybody's in bursts.
#include "conn.h"

#include "engine.h"
#include "http.h"
#include "server.h"

enum {
    BURST_MAX = 2048,  // connections in one send burst
    IOV_MAX_CONN = 64, // runs of one connection in one burst
    IOV_MAX_BURST = 8192,
};

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
        zn__conn_end(conn, ZN_END_RELEASE);
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

void zn__conn_sent(struct zn_conn *conn, size_t len)
{
    conn->blocked = zn__conn_sends_async(conn) && conn->out.pinned > len;
    if (len > 0)
        sent_count(conn, len);
    sent_settle(conn);
    if (!conn->dead && conn->out.bytes > 0)
        zn__conn_dirty(conn);
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
        if (conn->blocked && zn__conn_sends_async(conn))
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
        if (zn__conn_sends_on(conns[i]) ? conns[i]->out.bytes > conns[i]->out.pinned
                                        : !conns[i]->blocked)
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
        zn__conn_end(conn, ZN_END_RELEASE);
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
    if (conn->blocked && !zn__conn_sends_on(conn)) {
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
