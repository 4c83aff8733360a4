// SPDX-License-Identifier: Apache-2.0
// A segment arrives for a connection (RFC 9293 section 3.10.7.4, with RFC 5961).
#include <errno.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

static uint32_t segment_len(const struct zn_segment *segment)
{
    return segment->payload_len + !!(segment->flags & ZN_TCP_FIN) + !!(segment->flags & ZN_TCP_SYN);
}

// The four cases of table 6.
static bool acceptable(const struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    uint32_t len = segment_len(segment);
    uint32_t window = conn->rcv_edge - conn->rcv_nxt;
    uint32_t start = segment->seq - conn->rcv_nxt;
    if (len == 0)
        return start == 0 || start < window;
    if (window == 0)
        return false;
    return start < window || start + len - 1 < window;
}

static void reset_in(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    if (segment->seq == conn->rcv_nxt) {
        conn->tcp->stats.resets_in++;
        zn__tcp_conn_break(conn, -ECONNRESET);
    } else if (segment->seq - conn->rcv_nxt < conn->rcv_edge - conn->rcv_nxt) {
        zn__tcp_challenge(conn);
    } else {
        conn->tcp->stats.drop_out_of_window++;
    }
}

static void fin_in(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    conn->ack_now = true;
    // Out of order it is not kept: the peer sends it again.
    if (conn->fin_received || segment->seq + segment->payload_len != conn->rcv_nxt)
        return;
    conn->fin_received = true;
    conn->rcv_nxt++;
    conn->rcv_edge = zn__seq_max(conn->rcv_edge, conn->rcv_nxt);
    if (conn->state == ZN_TCP_ESTABLISHED)
        conn->state = ZN_TCP_CLOSE_WAIT;
    else if (conn->state == ZN_TCP_FIN_WAIT_1)
        conn->state = ZN_TCP_CLOSING;
    else if (conn->state == ZN_TCP_FIN_WAIT_2)
        conn->state = ZN_TCP_TIME_WAIT;
    if (conn->wanted && !conn->released)
        zn__tcp_hold_deliver(conn);
}

// Whether what comes for a released connection is thrown away still, instead of being answered with
// RST, which would make the peer lose what it has not read of ours.
static bool lingers(const struct zn_tcp_conn *conn)
{
    return conn->tcp->now_ms - conn->released_ms < conn->tcp->config.linger_ms;
}

static void throw_away(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    uint32_t end = segment->seq + segment->payload_len;
    conn->ack_now = true;
    if (zn__seq_lt(conn->rcv_nxt, segment->seq))
        return; // out of order: it comes again
    conn->rcv_nxt = zn__seq_max(conn->rcv_nxt, end);
    conn->rcv_edge = zn__seq_max(conn->rcv_edge, end);
}

static void after_ack(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                      const struct zn_acc_rx_annotation *annotation)
{
    bool more = zn__seq_lt(conn->rcv_nxt, segment->seq + segment->payload_len);
    if (segment->payload_len != 0 && conn->fin_received) {
        conn->ack_now = true;
    } else if (segment->payload_len != 0 && conn->released && more && lingers(conn)) {
        throw_away(conn, segment);
    } else if (segment->payload_len != 0 && conn->released && more) {
        // Nobody will read it: the peer must know (RFC 2525 section 2.17).
        zn__tcp_reset_conn(conn);
        zn__tcp_conn_end(conn);
        return;
    } else if (segment->payload_len != 0) {
        zn__tcp_text(conn, segment, annotation);
    }
    if (conn->state != ZN_TCP_CLOSED && segment->flags & ZN_TCP_FIN)
        fin_in(conn, segment);
}

void zn__tcp_conn_input(struct zn_tcp_conn *conn, struct zn_segment *segment,
                        const struct zn_acc_rx_annotation *annotation)
{
    struct zn_tcp *tcp = conn->tcp;
    zn__tcp_mark(conn);
    if (segment->flags & ZN_TCP_RST) {
        reset_in(conn, segment);
        return;
    }
    if (segment->flags & ZN_TCP_SYN) {
        zn__tcp_challenge(conn);
        return;
    }
    if (!acceptable(conn, segment)) {
        tcp->stats.drop_out_of_window++;
        if (segment_len(segment) != 0)
            conn->ack_now = true;
        else
            zn__tcp_challenge(conn); // as rarely: two sides that disagree would go on for ever
        if (segment->seq != conn->rcv_nxt)
            return;
        segment->payload_len = 0; // a closed window still takes acknowledgements
        segment->flags &= (uint8_t)~ZN_TCP_FIN;
    }
    if (!(segment->flags & ZN_TCP_ACK))
        return;
    conn->heard_ms = tcp->now_ms;
    memcpy(conn->link.peer_mac, segment->link.peer_mac, sizeof(conn->link.peer_mac));
    if (!zn__tcp_ack(conn, segment) || conn->state == ZN_TCP_CLOSED)
        return;
    after_ack(conn, segment, annotation);
    zn__tcp_conn_end_if_over(conn);
}
