// SPDX-License-Identifier: Apache-2.0
// What leaves: segments by command, retransmissions and everything without payload as packets made
// here.
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum {
    CHALLENGES_MAX = 10, // in CHALLENGE_MS
    CHALLENGE_MS = 5000,
};

void zn__tcp_raw(struct zn_tcp *tcp, const struct zn_segment_out *out)
{
    uint8_t headers[ZN_PACKET_HEADERS_MAX];
    struct zn_segment_out full = *out;
    full.local_mac = tcp->config.mac;
    full.ip_id = tcp->ip_id++;
    size_t len = zn__segment_compose(&full, headers);
    struct zn_acc_command command = {
        .kind = ZN_MSG_RAW,
        .version = ZN_CONTRACT_VERSION,
        .length = (uint16_t)(len + out->payload_len),
    };
    struct iovec body[2] = { { headers, len }, { (void *)out->payload, out->payload_len } };
    tcp->config.sink.command(tcp->config.user, &command, body, out->payload_len != 0 ? 2 : 1);
}

// RFC 9293 section 3.10.7.1: the answer to a segment that belongs to nothing.
void zn__tcp_reset_for(struct zn_tcp *tcp, const struct zn_segment *segment)
{
    if (segment->flags & ZN_TCP_RST)
        return;
    bool ack = segment->flags & ZN_TCP_ACK;
    uint32_t len =
        segment->payload_len + !!(segment->flags & ZN_TCP_SYN) + !!(segment->flags & ZN_TCP_FIN);
    struct zn_segment_out out = {
        .tuple = &segment->tuple,
        .link = &segment->link,
        .seq = ack ? segment->ack : 0,
        .ack = ack ? 0 : segment->seq + len,
        .flags = (uint8_t)(ZN_TCP_RST | (ack ? 0 : ZN_TCP_ACK)),
    };
    tcp->stats.resets_out++;
    zn__tcp_raw(tcp, &out);
}

// Announces as much as there is room for, but moves the right edge only in steps that are worth a
// segment (RFC 9293 section 3.8.6.2.2), and never back, also by rounding.
uint16_t zn__tcp_window_field(struct zn_tcp_conn *conn)
{
    uint32_t window = conn->tcp->config.window;
    uint32_t room = conn->unread_bytes < window ? window - conn->unread_bytes : 0;
    uint32_t unit = 1u << conn->rcv_scale;
    uint32_t step = conn->mss < window / 2 ? conn->mss : window / 2;
    step = step < unit ? unit : step;
    uint32_t field = (conn->rcv_edge - conn->rcv_nxt + unit - 1) >> conn->rcv_scale;
    if (!zn__seq_lt(conn->rcv_nxt + room, conn->rcv_edge + step))
        field = room >> conn->rcv_scale;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    conn->rcv_edge = conn->rcv_nxt + (field << conn->rcv_scale);
    return (uint16_t)field;
}

// Everything up to rcv_nxt is acknowledged by what is being sent now.
static void acked_now(struct zn_tcp_conn *conn)
{
    conn->rcv_acked = conn->rcv_nxt;
    conn->ack_now = false;
    zn__tcp_due_set(conn, ZN_DUE_ACK, 0);
}

// A packet of this connection without payload, or a retransmission.
static struct zn_segment_out packet_of(struct zn_tcp_conn *conn, uint32_t seq, uint8_t flags)
{
    struct zn_segment_out out = {
        .tuple = &conn->tuple,
        .link = &conn->link,
        .seq = seq,
        .ack = conn->rcv_nxt,
        .window = zn__tcp_window_field(conn),
        .flags = flags,
    };
    acked_now(conn);
    return out;
}

// The next number as far as it is known: the accelerator may have sent more by itself, and the peer
// acknowledged it, before its records are here.
static uint32_t next_seq(const struct zn_tcp_conn *conn)
{
    return zn__seq_max(conn->snd_nxt + conn->submitted_bytes, conn->ack_ahead);
}

void zn__tcp_reset_conn(struct zn_tcp_conn *conn)
{
    struct zn_segment_out out = packet_of(conn, next_seq(conn), ZN_TCP_RST | ZN_TCP_ACK);
    conn->tcp->stats.resets_out++;
    zn__tcp_raw(conn->tcp, &out);
}

static void submit(struct zn_tcp_conn *conn, const struct iovec *body, unsigned pieces,
                   uint32_t len, uint8_t flags)
{
    struct zn_acc_command command = {
        .kind = ZN_MSG_SEGMENT,
        .version = ZN_CONTRACT_VERSION,
        .flags = flags,
        .flow = conn->flow,
        .cookie = len != 0 ? ZN_COOKIE_DATA : ZN_COOKIE_ACK,
        .length = (uint16_t)len,
        .window = zn__tcp_window_field(conn),
        .ack = conn->rcv_nxt,
    };
    acked_now(conn);
    conn->tcp->config.sink.command(conn->tcp->config.user, &command, body, pieces);
}

void zn__tcp_ack_send(struct zn_tcp_conn *conn)
{
    struct zn_sack_block blocks[ZN_TCP_SACK_BLOCKS];
    unsigned count = conn->sack ? zn__tcp_sack_blocks(conn, blocks) : 0;
    if (count == 0 && conn->offloaded) {
        submit(conn, NULL, 0, 0, 0);
        return;
    }
    // SACK blocks need options.
    struct zn_segment_out out = packet_of(conn, next_seq(conn), ZN_TCP_ACK);
    out.sack = blocks;
    out.sack_blocks = (uint8_t)count;
    zn__tcp_raw(conn->tcp, &out);
}

// RFC 5961: the answer to what may be a blind attack. So many in a while (section 7), counted for
// each connection by itself: a limit that connections share lets one learn of others.
void zn__tcp_challenge(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    if (tcp->now_ms - conn->challenge_ms >= CHALLENGE_MS) {
        conn->challenge_ms = tcp->now_ms;
        conn->challenges = 0;
    }
    if (conn->challenges == CHALLENGES_MAX) {
        tcp->stats.challenges_withheld++;
        return;
    }
    conn->challenges++;
    tcp->stats.challenges++;
    conn->ack_now = true;
    zn__tcp_mark(conn);
}

// A zero-length segment before the window: the peer answers with where it stands.
void zn__tcp_probe(struct zn_tcp_conn *conn)
{
    struct zn_segment_out out = packet_of(conn, conn->snd_una - 1, ZN_TCP_ACK);
    conn->tcp->stats.probes++;
    zn__tcp_raw(conn->tcp, &out);
}

void zn__tcp_resend(struct zn_tcp_conn *conn, struct zn_sent *sent)
{
    uint8_t flags = ZN_TCP_ACK | (sent->kind == ZN_SENT_FIN ? ZN_TCP_FIN : ZN_TCP_PSH);
    // In pieces: the path's MTU may have shrunk since.
    for (uint32_t at = 0; at < sent->len; at += conn->mss) {
        struct zn_segment_out out = packet_of(conn, sent->seq + at, flags);
        if (sent->kind != ZN_SENT_FIN) {
            out.payload = sent->data + at;
            out.payload_len = sent->len - at < conn->mss ? sent->len - at : conn->mss;
        }
        zn__tcp_raw(conn->tcp, &out);
    }
    sent->resent = sent->again = true;
    sent->at_us = conn->tcp->now_us;
    conn->tcp->stats.retransmitted++;
}

struct zn_sent *zn__tcp_sent_push(struct zn_tcp_conn *conn, enum zn_sent_kind kind,
                                  const uint8_t *data, uint16_t len)
{
    struct zn_sent *sent = zn__tcp_queue_push(conn->tcp, &conn->sent, sizeof(*sent));
    if (sent == NULL)
        return NULL;
    *sent = (struct zn_sent){
        .data = data,
        .at_us = conn->tcp->now_us,
        .seq = conn->snd_nxt,
        .len = len,
        .kind = (uint8_t)kind,
        .last = true,
    };
    conn->snd_nxt += len;
    return sent;
}

// How many bytes may be sent now: the peer's window and the congestion window.
uint32_t zn__tcp_usable(const struct zn_tcp_conn *conn)
{
    uint32_t next = conn->snd_nxt + conn->submitted_bytes;
    uint32_t used = next - conn->snd_una;
    uint32_t pipe = zn__tcp_pipe(conn);
    uint32_t window = used < conn->snd_wnd ? conn->snd_wnd - used : 0;
    uint32_t congestion = pipe < conn->cubic.cwnd ? conn->cubic.cwnd - pipe : 0;
    return window < congestion ? window : congestion;
}

// How long the next segment is, by what is pending.
static uint32_t next_len(const struct zn_tcp_conn *conn)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < conn->pending.count && i < ZN_TCP_PIECES && len < conn->mss; i++) {
        const struct zn_span *span = zn__tcp_queue_at(&conn->pending, i, sizeof(*span));
        len = span->len < conn->mss - len ? len + span->len : conn->mss;
    }
    return len;
}

// Moves `len` bytes from the head of what is pending to what is submitted; returns their pieces,
// less when there is no memory.
static unsigned take_pieces(struct zn_tcp_conn *conn, uint32_t len, struct iovec *body,
                            uint32_t *len_out)
{
    unsigned pieces = 0;
    struct zn_span *entry = NULL;
    *len_out = 0;
    while (len > 0) {
        struct zn_span *span = zn__tcp_queue_at(&conn->pending, 0, sizeof(*span));
        uint32_t part = span->len < len ? span->len : len;
        struct zn_span *made = zn__tcp_queue_push(conn->tcp, &conn->submitted, sizeof(*made));
        if (made == NULL)
            break;
        entry = made;
        *entry = (struct zn_span){ .data = span->data, .at_us = conn->tcp->now_us, .len = part };
        body[pieces++] = (struct iovec){ (void *)span->data, part };
        span->data += part;
        span->len -= part;
        if (span->len == 0)
            zn__tcp_queue_pop(conn->tcp, &conn->pending);
        len -= part;
        *len_out += part;
    }
    if (entry != NULL) // a push may have moved the others, not the last one
        entry->last = true;
    conn->submitted_bytes += *len_out;
    conn->pending_bytes -= *len_out;
    return pieces;
}

// Sends one segment from the head of what is pending; false: not now.
static bool send_one(struct zn_tcp_conn *conn)
{
    struct iovec body[ZN_TCP_PIECES];
    uint32_t room = zn__tcp_usable(conn);
    uint32_t len = next_len(conn);
    if (room < len) {
        // Sender's side of silly window avoidance (RFC 9293 section 3.8.6.2.1).
        if (room == 0 || conn->snd_una != conn->snd_nxt + conn->submitted_bytes)
            return false;
        len = room;
    }
    if (conn->sent.count + conn->submitted.count >= ZN_FLIGHT_MAX)
        return false;
    unsigned pieces = take_pieces(conn, len, body, &len);
    if (pieces == 0)
        return false;
    conn->sent_ms = conn->tcp->now_ms;
    uint32_t next = conn->snd_nxt + conn->submitted_bytes;
    if (zn__seq_lt(conn->limit, next))
        zn__tcp_flow_grant(conn, next, false);
    bool all = conn->pending.count == 0;
    submit(conn, body, pieces, len,
           (uint8_t)((all ? ZN_CMD_PUSH : 0) | (all && !conn->corked ? 0 : ZN_CMD_OPEN)));
    return true;
}

// FIN after everything else. The flow is forgotten first: from then on its numbers are ours.
static void send_fin(struct zn_tcp_conn *conn)
{
    if (conn->offloaded)
        zn__tcp_flow_delete(conn);
    if (conn->deleting != 0)
        return;
    struct zn_sent *sent = zn__tcp_sent_push(conn, ZN_SENT_FIN, NULL, 1);
    if (sent == NULL)
        return;
    conn->fin_sent = true;
    conn->state = conn->state == ZN_TCP_CLOSE_WAIT ? ZN_TCP_LAST_ACK : ZN_TCP_FIN_WAIT_1;
    struct zn_segment_out out = packet_of(conn, sent->seq, ZN_TCP_FIN | ZN_TCP_ACK);
    zn__tcp_raw(conn->tcp, &out);
}

// What the congestion window knew of the path is old (RFC 5681 section 4.1).
static void restart_after_idle(struct zn_tcp_conn *conn)
{
    if (conn->sent.count == 0 && conn->submitted.count == 0 &&
        conn->tcp->now_ms - conn->sent_ms > conn->rto_ms)
        zn__cubic_idle(&conn->cubic, conn->mss);
}

void zn__tcp_output(struct zn_tcp_conn *conn)
{
    if (conn->wanted && !conn->released)
        zn__tcp_hold_deliver(conn);
    zn__tcp_conn_end_if_over(conn);
    if (conn->state == ZN_TCP_CLOSED)
        return;
    zn__tcp_retransmit_lost(conn);
    if (conn->pending.count != 0)
        restart_after_idle(conn);
    if (!conn->blocked && conn->offloaded)
        while (conn->pending.count > 0 && send_one(conn))
            ;
    zn__tcp_flow_grant_ahead(conn);
    if (conn->shut && !conn->fin_sent && conn->pending.count == 0 && conn->submitted.count == 0 &&
        conn->refused.count == 0)
        send_fin(conn);
    if (conn->ack_now)
        zn__tcp_ack_send(conn);
    zn__tcp_retransmit_arm(conn);
}
