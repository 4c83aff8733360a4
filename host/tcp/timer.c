// SPDX-License-Identifier: Apache-2.0
// Retransmission time (RFC 6298), tail loss probe (RFC 8985 section 7), persist, keepalive, delayed
// acknowledgement.
#include <errno.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum {
    RTO_MIN_MS = 200,
    RTO_MAX_MS = 60000,
    PROBE_MIN_MS = 10,
    PEER_DELAY_MS = 40, // that the peer may wait before it acknowledges a single segment
    BACKOFF_MAX = 10,
    TRIES_MAX = 10, // more than 100 s (RFC 9293 section 3.8.3, R2)
    KEEPALIVE_PROBES = 8,
};

void zn__tcp_due_set(struct zn_tcp_conn *conn, enum zn_tcp_due due, uint64_t at_ms)
{
    if (conn->due[due] == at_ms)
        return;
    conn->due[due] = at_ms;
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < ZN_DUES; i++)
        if (conn->due[i] != 0 && conn->due[i] < first)
            first = conn->due[i];
    if (first == UINT64_MAX)
        zn__wheel_cancel(&conn->tcp->wheel, &conn->timer);
    else
        zn__wheel_set(&conn->tcp->wheel, &conn->timer, first);
}

void zn__tcp_rtt_sample(struct zn_tcp_conn *conn, uint64_t rtt_us)
{
    uint32_t r = rtt_us > 60000000 ? 60000000 : (uint32_t)rtt_us;
    if (conn->srtt_us == 0) {
        conn->srtt_us = r;
        conn->rttvar_us = r / 2;
    } else {
        uint32_t off = r > conn->srtt_us ? r - conn->srtt_us : conn->srtt_us - r;
        conn->rttvar_us = conn->rttvar_us - conn->rttvar_us / 4 + off / 4;
        conn->srtt_us = conn->srtt_us - conn->srtt_us / 8 + r / 8;
    }
    if (conn->srtt_us == 0)
        conn->srtt_us = 1;
    uint32_t rto = (conn->srtt_us + 4 * conn->rttvar_us) / 1000 + 1;
    conn->rto_ms = rto < RTO_MIN_MS ? RTO_MIN_MS : rto > RTO_MAX_MS ? RTO_MAX_MS : rto;
}

static uint64_t rto_due(const struct zn_tcp_conn *conn)
{
    uint64_t rto = (uint64_t)conn->rto_ms << conn->backoff;
    return conn->tcp->now_ms + (rto < RTO_MAX_MS ? rto : RTO_MAX_MS);
}

// The tail loss probe's time from now (RFC 8985 section 7.2); 0: none is due before the RTO.
static uint64_t tail_probe_ms(const struct zn_tcp_conn *conn, uint64_t rto_at_ms)
{
    if (conn->probed || conn->recovering || conn->srtt_us == 0)
        return 0;
    uint64_t wait = 2ull * conn->srtt_us / 1000 + (conn->sent.count == 1 ? PEER_DELAY_MS : 0);
    wait = wait < PROBE_MIN_MS ? PROBE_MIN_MS : wait;
    return conn->tcp->now_ms + wait < rto_at_ms ? wait : 0;
}

// Called when something was sent or acknowledged: keeps what is armed, arms what is missing.
void zn__tcp_retransmit_arm(struct zn_tcp_conn *conn)
{
    bool flight = conn->sent.count != 0;
    bool stuck = !flight && conn->submitted.count == 0 && conn->pending.count != 0;
    if (!flight && !stuck) {
        zn__tcp_due_set(conn, ZN_DUE_RETRANSMIT, 0);
        return;
    }
    if (conn->due[ZN_DUE_RETRANSMIT] != 0 && flight != (conn->armed == ZN_ARMED_PERSIST))
        return;
    if (flight && conn->armed == ZN_ARMED_PERSIST)
        conn->backoff = 0; // the window has opened
    uint64_t at = rto_due(conn);
    uint64_t probe_ms = flight ? tail_probe_ms(conn, at) : 0;
    conn->armed = !flight ? ZN_ARMED_PERSIST : probe_ms != 0 ? ZN_ARMED_TAIL_PROBE : ZN_ARMED_RTO;
    zn__tcp_due_set(conn, ZN_DUE_RETRANSMIT, probe_ms != 0 ? conn->tcp->now_ms + probe_ms : at);
}

static void tail_probe(struct zn_tcp_conn *conn)
{
    conn->probed = true;
    conn->tcp->stats.probes++;
    for (uint32_t i = conn->sent.count; i-- > 0;) {
        struct zn_sent *sent = zn__tcp_queue_at(&conn->sent, i, sizeof(*sent));
        if (sent->sacked || sent->lost)
            continue;
        zn__tcp_resend(conn, sent);
        conn->probe_out = true;
        conn->probe_end = conn->snd_nxt;
        return;
    }
}

// Whether to give up (RFC 9293 section 3.8.3): no progress in all these tries. A peer that keeps
// its window closed but answers is asked for ever (section 3.8.6.1).
static bool hopeless(const struct zn_tcp_conn *conn)
{
    bool silent = conn->tcp->now_ms - conn->heard_ms > 2u * RTO_MAX_MS;
    return conn->timeouts >= TRIES_MAX && (silent || conn->snd_wnd != 0);
}

static void retransmit_due(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    zn__tcp_mark(conn); // resends and arms
    if (conn->sent.count != 0 && conn->armed == ZN_ARMED_TAIL_PROBE) {
        tail_probe(conn);
        return;
    }
    if (hopeless(conn)) {
        zn__tcp_reset_conn(conn);
        zn__tcp_conn_break(conn, -ETIMEDOUT);
        return;
    }
    if (conn->timeouts < UINT8_MAX)
        conn->timeouts++;
    if (conn->sent.count == 0) {
        zn__tcp_probe(conn);
    } else {
        tcp->stats.timeouts++;
        zn__cubic_timeout(&conn->cubic, conn->mss, conn->snd_nxt - conn->snd_una,
                          !conn->rto_recovering);
        zn__tcp_mark_all_lost(conn);
    }
    if (conn->backoff < BACKOFF_MAX)
        conn->backoff++;
}

static void idle_due(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    uint32_t keepalive = tcp->config.keepalive_ms;
    if (conn->released) {
        zn__tcp_reset_conn(conn);
        zn__tcp_conn_end(conn);
        return;
    }
    uint64_t quiet = tcp->now_ms - conn->heard_ms;
    if (quiet < keepalive) {
        conn->probes = 0;
        zn__tcp_due_set(conn, ZN_DUE_IDLE, conn->heard_ms + keepalive);
        return;
    }
    if (conn->probes >= KEEPALIVE_PROBES) {
        zn__tcp_reset_conn(conn);
        zn__tcp_conn_break(conn, -ETIMEDOUT);
        return;
    }
    conn->probes++;
    zn__tcp_probe(conn);
    zn__tcp_due_set(conn, ZN_DUE_IDLE, tcp->now_ms + keepalive / KEEPALIVE_PROBES + 1);
}

void zn__tcp_conn_due(struct zn_tcp_conn *conn)
{
    uint64_t now = conn->tcp->now_ms;
    bool due[ZN_DUES];
    for (int i = 0; i < ZN_DUES; i++) {
        due[i] = conn->due[i] != 0 && conn->due[i] <= now;
        if (due[i])
            zn__tcp_due_set(conn, (enum zn_tcp_due)i, 0);
    }
    if (due[ZN_DUE_ACK]) {
        conn->ack_now = true;
        zn__tcp_mark(conn);
    }
    if (due[ZN_DUE_RETRANSMIT])
        retransmit_due(conn);
    if (due[ZN_DUE_IDLE] && conn->state != ZN_TCP_CLOSED)
        idle_due(conn);
}
