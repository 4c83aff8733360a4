// SPDX-License-Identifier: Apache-2.0
// Records: where the accelerator put what it was given, and what it sent by itself. A record that
// cannot be is a broken device: the connection ends, the process does not.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

static const uint8_t heartbeat_frame[3] = { 0x81, 0x01, '2' };

static void bad_record(struct zn_tcp_conn *conn)
{
    conn->tcp->stats.drop_bad_record++;
    if (conn->state == ZN_TCP_CLOSED)
        return;
    zn__tcp_reset_conn(conn);
    zn__tcp_conn_break(conn, -EPROTO);
}

// What was refused goes back in front of what is pending, once all records are in, and the flow
// goes on.
static void refused_return(struct zn_tcp_conn *conn)
{
    for (uint32_t i = 0; i < conn->pending.count; i++) {
        struct zn_span *span = zn__tcp_queue_push(conn->tcp, &conn->refused, sizeof(*span));
        if (span == NULL) {
            bad_record(conn);
            return;
        }
        *span = *(struct zn_span *)zn__tcp_queue_at(&conn->pending, i, sizeof(*span));
    }
    zn__tcp_queue_free(conn->tcp, &conn->pending);
    conn->pending = conn->refused;
    conn->refused = (struct zn_tcp_queue){ 0 };
    conn->blocked = false;
    zn__tcp_flow_grant(conn, conn->limit, true);
    zn__tcp_mark(conn);
}

// Bytes of the oldest segment that was submitted; 0: there is none.
static uint32_t submitted_len(const struct zn_tcp_conn *conn)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < conn->submitted.count; i++) {
        const struct zn_span *span = zn__tcp_queue_at(&conn->submitted, i, sizeof(*span));
        len += span->len;
        if (span->last)
            return len;
    }
    return 0;
}

// A piece of the caller's has left; false: no memory.
static bool piece_sent(struct zn_tcp_conn *conn, const struct zn_span *piece)
{
    struct zn_sent *sent = zn__tcp_sent_push(conn, ZN_SENT_HOST, piece->data, (uint16_t)piece->len);
    if (sent == NULL)
        return false;
    sent->at_us = piece->at_us;
    sent->last = piece->last;
    return true;
}

static bool piece_refused(struct zn_tcp_conn *conn, const struct zn_span *piece)
{
    struct zn_span *back = zn__tcp_queue_push(conn->tcp, &conn->refused, sizeof(*back));
    if (back == NULL)
        return false;
    *back = *piece;
    conn->pending_bytes += piece->len;
    conn->blocked = true;
    return true;
}

static void segment_done(struct zn_tcp_conn *conn, const struct zn_acc_report_record *record)
{
    if (record->cookie == ZN_COOKIE_ACK)
        return;
    bool sent = record->reason == ZN_REASON_OK;
    bool again = record->reason == ZN_REASON_NO_GRANT || record->reason == ZN_REASON_BLOCKED ||
                 record->reason == ZN_REASON_IN_FRAME;
    uint32_t len = submitted_len(conn);
    if (len == 0 || !(sent || again) || record->length != (sent ? len : 0) ||
        record->seq != conn->snd_nxt) {
        bad_record(conn);
        return;
    }
    for (bool last = false; !last;) {
        struct zn_span piece =
            *(struct zn_span *)zn__tcp_queue_at(&conn->submitted, 0, sizeof(piece));
        zn__tcp_queue_pop(conn->tcp, &conn->submitted);
        conn->submitted_bytes -= piece.len;
        last = piece.last;
        if (!(sent ? piece_sent(conn, &piece) : piece_refused(conn, &piece))) {
            bad_record(conn);
            return;
        }
    }
}

// Remembers the ping or probe that the accelerator took of a treated segment, if it took one. Also
// of a closed connection, whose flow id must not be used again before the record came.
void zn__tcp_taken(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                   const struct zn_acc_rx_annotation *annotation)
{
    static const uint8_t probe_answer[] = "3probe";
    for (unsigned i = 0; i < annotation->frames && i < 4; i++) {
        const struct zn_acc_frame_desc *frame = &annotation->frame[i];
        if (!(frame->flags & ZN_FRAME_TAKEN))
            continue;
        conn->taken++;
        if (conn->state == ZN_TCP_CLOSED || frame->length > ZN_REPLY_MAX - 2 ||
            frame->offset + frame->length > segment->payload_len ||
            ((frame->b0 & 15) == 1 && frame->length != sizeof(probe_answer) - 1))
            return; // the device contradicts itself; its record will not be believed
        struct zn_ping *ping = zn__tcp_queue_push(conn->tcp, &conn->pings, sizeof(*ping));
        if (ping == NULL)
            return;
        bool probe = (frame->b0 & 15) == 1;
        *ping = (struct zn_ping){ .cookie = segment->seq + frame->offset,
                                  .b0 = probe ? 0x81 : 0x8a,
                                  .len = (uint8_t)frame->length };
        memcpy(ping->payload, probe ? probe_answer : segment->payload + frame->offset, ping->len);
        return;
    }
}

// The ping that `cookie` names, taken out of the queue with all older ones, whose records would
// have come before.
static bool take_ping(struct zn_tcp_conn *conn, uint32_t cookie, struct zn_ping *ping_out)
{
    while (conn->pings.count > 0) {
        *ping_out = *(struct zn_ping *)zn__tcp_queue_at(&conn->pings, 0, sizeof(*ping_out));
        zn__tcp_queue_pop(conn->tcp, &conn->pings);
        if (ping_out->cookie == cookie)
            return true;
    }
    return false;
}

void zn__tcp_reply_free(struct zn_tcp_conn *conn, const struct zn_sent *sent)
{
    conn->tcp->stats.queue_bytes -= sent->len;
    free((void *)sent->data);
}

static void reply_done(struct zn_tcp_conn *conn, const struct zn_acc_report_record *record)
{
    struct zn_ping ping;
    bool sent = record->reason == ZN_REASON_OK;
    if (!take_ping(conn, record->cookie, &ping) || record->length != (sent ? ping.len + 2 : 0)) {
        bad_record(conn);
        return;
    }
    if (!sent) {
        if (!conn->released)
            conn->tcp->config.sink.unanswered(conn->tcp->config.user, conn, ping.b0, ping.payload,
                                              ping.len);
        return;
    }
    uint8_t *frame = record->seq == conn->snd_nxt ? malloc(ping.len + 2u) : NULL;
    if (frame == NULL || zn__tcp_sent_push(conn, ZN_SENT_REPLY, frame, record->length) == NULL) {
        free(frame);
        bad_record(conn);
        return;
    }
    conn->tcp->stats.queue_bytes += record->length;
    frame[0] = ping.b0;
    frame[1] = ping.len;
    memcpy(frame + 2, ping.payload, ping.len);
}

static void heartbeat_done(struct zn_tcp_conn *conn, const struct zn_acc_report_record *record)
{
    if (record->seq != conn->snd_nxt || record->length != sizeof(heartbeat_frame) ||
        zn__tcp_sent_push(conn, ZN_SENT_HEARTBEAT, heartbeat_frame, sizeof(heartbeat_frame)) ==
            NULL)
        bad_record(conn);
}

static void command_done(struct zn_tcp_conn *conn, const struct zn_acc_report_record *record)
{
    if (record->cookie != ZN_COOKIE_DELETE)
        return;
    if (conn->deleting == 0)
        conn->tcp->stats.drop_bad_record++;
    else
        conn->deleting--;
    zn__tcp_mark(conn);
}

void zn_tcp_record(struct zn_tcp *tcp, const struct zn_acc_report_record *record)
{
    struct zn_tcp_conn *conn = zn__tcp_conn(tcp, record->flow);
    if (record->kind == ZN_RECORD_BROADCAST_END)
        return;
    if (conn == NULL) {
        tcp->stats.drop_bad_record++;
        return;
    }
    if (record->kind == ZN_RECORD_DONE || record->kind == ZN_RECORD_RX_DONE) {
        command_done(conn, record);
        return;
    }
    if (record->kind == ZN_RECORD_REPLY && conn->taken > 0)
        conn->taken--;
    if (conn->state == ZN_TCP_CLOSED) { // of what was under way before the DELETE
        zn__tcp_mark(conn);
        return;
    }
    if (record->kind == ZN_RECORD_SENT)
        segment_done(conn, record);
    else if (record->kind == ZN_RECORD_REPLY)
        reply_done(conn, record);
    else if (record->kind == ZN_RECORD_HEARTBEAT)
        heartbeat_done(conn, record);
    else
        tcp->stats.drop_bad_record++;
    if (conn->state == ZN_TCP_CLOSED)
        return;
    if (conn->blocked && conn->submitted.count == 0)
        refused_return(conn);
    zn__tcp_ack_catch_up(conn);
    zn__tcp_mark(conn);
}
