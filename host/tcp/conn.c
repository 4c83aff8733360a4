// SPDX-License-Identifier: Apache-2.0
// Connections: where they live, how they begin and end.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

static struct zn_tcp_conn *place(struct zn_tcp *tcp, uint32_t index)
{
    char *block = tcp->conn_blocks[index / ZN_CONNS_A_BLOCK];
    size_t user_room = (tcp->config.user_size + 15) & ~(size_t)15;
    return (struct zn_tcp_conn *)(block + index % ZN_CONNS_A_BLOCK * tcp->conn_stride + user_room);
}

struct zn_tcp_conn *zn__tcp_conn(struct zn_tcp *tcp, uint32_t index)
{
    if (index >= tcp->conns_made)
        return NULL;
    struct zn_tcp_conn *conn = place(tcp, index);
    return conn->in_use ? conn : NULL;
}

// An index that is not in use, or UINT32_MAX.
static uint32_t take_index(struct zn_tcp *tcp)
{
    if (tcp->free_conns_len > 0)
        return tcp->free_conns[--tcp->free_conns_len];
    if (tcp->conns_made == tcp->config.conns_max)
        return UINT32_MAX;
    uint32_t block = tcp->conns_made / ZN_CONNS_A_BLOCK;
    if (tcp->conn_blocks[block] == NULL) {
        tcp->conn_blocks[block] = aligned_alloc(64, ZN_CONNS_A_BLOCK * tcp->conn_stride);
        if (tcp->conn_blocks[block] == NULL)
            return UINT32_MAX;
        memset(tcp->conn_blocks[block], 0, ZN_CONNS_A_BLOCK * tcp->conn_stride);
    }
    return tcp->conns_made++;
}

struct zn_tcp_conn *zn__tcp_conn_open(struct zn_tcp *tcp, const struct zn_half *half,
                                      const struct zn_segment *segment)
{
    uint32_t index = take_index(tcp);
    if (index == UINT32_MAX) {
        tcp->stats.drop_conns_full++;
        return NULL;
    }
    struct zn_tcp_conn *conn = place(tcp, index);
    size_t user_room = (tcp->config.user_size + 15) & ~(size_t)15;
    memset((char *)conn - user_room, 0, user_room + sizeof(*conn));
    conn->tcp = tcp;
    conn->timer.kind = ZN_TIMER_CONN;
    conn->flow = index;
    conn->in_use = true;
    conn->wanted = true;
    conn->tuple = half->tuple;
    conn->link = half->link;
    conn->sack = half->sack;
    conn->mss = half->mss;
    conn->rcv_scale = half->scale == 255 ? 0 : tcp->scale;
    conn->snd_scale = half->scale == 255 ? 0 : half->scale;
    conn->rcv_nxt = conn->rcv_acked = half->irs + 1;
    conn->rcv_edge = conn->rcv_nxt + zn__tcp_first_window(tcp);
    conn->snd_una = conn->snd_nxt = conn->ack_ahead = half->iss + 1;
    conn->snd_wnd = (uint32_t)segment->window << conn->snd_scale;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    conn->snd_wnd_max = conn->snd_wnd;
    conn->rto_ms = half->tries == 0 ? 1000 : 3000; // RFC 6298 sections 2.1 and 5.7
    if (half->at_us < tcp->now_us)
        zn__tcp_rtt_sample(conn, tcp->now_us - half->at_us);
    conn->heard_ms = conn->sent_ms = tcp->now_ms;
    zn__cubic_init(&conn->cubic, conn->mss);
    if (half->tries > 1)
        conn->cubic.cwnd = conn->mss; // RFC 6928 section 2
    conn->limit =
        conn->snd_una + (conn->snd_wnd < conn->cubic.cwnd ? conn->snd_wnd : conn->cubic.cwnd);
    zn__tcp_enter(tcp, &conn->tuple, ZN_ENTRY_CONN, index);
    zn__tcp_flow_add(conn, NULL);
    if (tcp->config.keepalive_ms != 0)
        zn__tcp_due_set(conn, ZN_DUE_IDLE, tcp->now_ms + tcp->config.keepalive_ms);
    tcp->stats.conns++;
    tcp->stats.accepted++;
    return conn;
}

void zn__tcp_mark(struct zn_tcp_conn *conn)
{
    if (conn->dirty)
        return;
    conn->dirty = true;
    conn->dirty_next = conn->tcp->dirty;
    conn->tcp->dirty = conn;
}

void zn__tcp_conn_drop_queues(struct zn_tcp_conn *conn)
{
    for (; conn->sent.count > 0; zn__tcp_queue_pop(conn->tcp, &conn->sent)) {
        struct zn_sent *sent = zn__tcp_queue_at(&conn->sent, 0, sizeof(*sent));
        if (sent->kind == ZN_SENT_REPLY)
            zn__tcp_reply_free(conn, sent);
    }
    zn__tcp_queue_free(conn->tcp, &conn->sent);
    zn__tcp_queue_free(conn->tcp, &conn->pending);
    zn__tcp_queue_free(conn->tcp, &conn->submitted);
    zn__tcp_queue_free(conn->tcp, &conn->refused);
    zn__tcp_queue_free(conn->tcp, &conn->pings);
    zn__tcp_hold_free(conn);
}

// The connection is no more; its memory goes at the next flush once caller and accelerator are done
// with it.
void zn__tcp_conn_end(struct zn_tcp_conn *conn)
{
    if (conn->state == ZN_TCP_CLOSED)
        return;
    conn->state = ZN_TCP_CLOSED;
    zn__wheel_cancel(&conn->tcp->wheel, &conn->timer);
    memset(conn->due, 0, sizeof(conn->due));
    zn__tcp_leave(conn->tcp, &conn->tuple);
    if (conn->offloaded)
        zn__tcp_flow_delete(conn);
    zn__tcp_conn_drop_queues(conn);
    zn__tcp_mark(conn);
}

// Both sides have closed and heard of it, and the caller has all that came.
void zn__tcp_conn_end_if_over(struct zn_tcp_conn *conn)
{
    if (!conn->released && !conn->fin_told)
        return;
    if (conn->state == ZN_TCP_TIME_WAIT)
        zn__tcp_time_wait_enter(conn);
    else if (conn->fin_done)
        zn__tcp_conn_end(conn);
}

void zn__tcp_conn_break(struct zn_tcp_conn *conn, int err)
{
    if (conn->state == ZN_TCP_CLOSED)
        return;
    zn__tcp_conn_end(conn);
    if (!conn->released)
        conn->tcp->config.sink.broke(conn->tcp->config.user, conn, err);
}

static void close_if_done(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    if (!conn->released || conn->deleting != 0 || conn->taken != 0 || !conn->in_use)
        return;
    conn->in_use = false;
    tcp->stats.conns--;
    tcp->config.sink.closed(tcp->config.user, conn);
    if (!conn->kept)
        zn_tcp_forget(conn);
}

void zn_tcp_keep(struct zn_tcp_conn *conn)
{
    conn->kept = true;
}

void zn_tcp_forget(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    conn->kept = false;
    conn->dirty_next = tcp->limbo;
    tcp->limbo = conn;
}

void zn__tcp_reap(struct zn_tcp *tcp)
{
    for (; tcp->limbo != NULL; tcp->limbo = tcp->limbo->dirty_next)
        tcp->free_conns[tcp->free_conns_len++] = tcp->limbo->flow;
}

void zn_tcp_flush(struct zn_tcp *tcp)
{
    // What the caller does meanwhile may mark connections again.
    while (tcp->dirty != NULL) {
        struct zn_tcp_conn *conn = tcp->dirty;
        tcp->dirty = conn->dirty_next;
        conn->dirty = false;
        if (conn->state == ZN_TCP_CLOSED)
            close_if_done(conn);
        else
            zn__tcp_output(conn);
    }
}

const struct zn_tuple *zn_tcp_tuple(const struct zn_tcp_conn *conn)
{
    return &conn->tuple;
}

bool zn_tcp_is_v6(const struct zn_tcp_conn *conn)
{
    return conn->link.v6;
}

size_t zn_tcp_unacked(const struct zn_tcp_conn *conn)
{
    uint32_t flight = conn->snd_nxt - conn->snd_una;
    if (conn->fin_sent && flight != 0)
        flight--;
    return (size_t)conn->pending_bytes + conn->submitted_bytes + flight;
}

int zn_tcp_send(struct zn_tcp_conn *conn, const struct iovec *iov, unsigned iov_len)
{
    if (conn->shut || conn->released || conn->state == ZN_TCP_CLOSED)
        return -EPIPE;
    uint32_t before = conn->pending.count;
    bool full = zn__tcp_queues_full(conn->tcp);
    conn->tcp->stats.drop_queue_full += full;
    for (unsigned i = 0; i < iov_len; i++) {
        if (iov[i].iov_len == 0)
            continue;
        struct zn_span *span =
            full || iov[i].iov_len > INT32_MAX - conn->pending_bytes
                ? NULL
                : zn__tcp_queue_push(conn->tcp, &conn->pending, sizeof(struct zn_span));
        if (span == NULL) {
            while (conn->pending.count > before) {
                struct zn_span *last =
                    zn__tcp_queue_at(&conn->pending, --conn->pending.count, sizeof(struct zn_span));
                conn->pending_bytes -= last->len;
            }
            return -ENOBUFS;
        }
        *span = (struct zn_span){ .data = iov[i].iov_base, .len = (uint32_t)iov[i].iov_len };
        conn->pending_bytes += span->len;
    }
    zn__tcp_mark(conn);
    return 0;
}

void zn_tcp_want(struct zn_tcp_conn *conn, bool wanted)
{
    conn->wanted = wanted;
    if (wanted && conn->state != ZN_TCP_CLOSED)
        zn__tcp_mark(conn); // delivered in flush
}

void zn_tcp_cork(struct zn_tcp_conn *conn, bool inside_frame)
{
    conn->corked = inside_frame;
}

void zn_tcp_shutdown(struct zn_tcp_conn *conn)
{
    if (conn->shut || conn->state == ZN_TCP_CLOSED)
        return;
    conn->shut = true;
    zn__tcp_mark(conn);
}

void zn_tcp_release(struct zn_tcp_conn *conn, bool reset)
{
    if (conn->released)
        return;
    conn->released = true;
    if (conn->state == ZN_TCP_CLOSED) {
        zn__tcp_mark(conn);
        return;
    }
    conn->released_ms = conn->tcp->now_ms;
    if (conn->tcp->config.linger_ms != 0)
        zn__tcp_hold_free(conn);
    // Input that nobody read is lost: the peer must know (RFC 2525 section 2.17).
    if (reset || conn->held_bytes != 0) {
        zn__tcp_reset_conn(conn);
        zn__tcp_conn_end(conn);
        return;
    }
    zn__tcp_due_set(conn, ZN_DUE_IDLE, conn->tcp->now_ms + ZN_ORPHAN_MS);
    conn->shut = true;
    zn__tcp_mark(conn);
}
