// SPDX-License-Identifier: Apache-2.0
// What was lost and is sent again: SACK scoreboard and pipe (RFC 6675), NewReno for peers without
// SACK (RFC 6582).
#include "tcp/seq.h"
#include "tcp/stack.h"

enum { DUP_THRESH = 3 };

static struct zn_sent *sent_at(const struct zn_tcp_conn *conn, uint32_t i)
{
    return zn__tcp_queue_at(&conn->sent, i, sizeof(struct zn_sent));
}

static void set_lost(struct zn_tcp_conn *conn, struct zn_sent *sent, bool lost)
{
    if (sent->lost && sent->resent)
        conn->resent_bytes -= sent->len;
    if (sent->lost)
        conn->lost_bytes -= sent->len;
    sent->lost = lost;
    if (!lost)
        return;
    sent->resent = false;
    conn->lost_bytes += sent->len;
}

// Bytes that are thought to be in the network (RFC 6675 section 4). Without SACK each duplicate
// acknowledgement says that a segment has left it (RFC 5681 section 3.2).
uint32_t zn__tcp_pipe(const struct zn_tcp_conn *conn)
{
    uint32_t flight = conn->snd_nxt - conn->snd_una;
    uint32_t gone = conn->sacked_bytes + conn->lost_bytes - conn->resent_bytes;
    if (!conn->sack)
        gone += conn->dup_acks * conn->mss;
    return (gone < flight ? flight - gone : 0) + conn->submitted_bytes;
}

void zn__tcp_sack_input(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    if (!conn->sack)
        return;
    for (unsigned b = 0; b < segment->sack_blocks; b++) {
        const struct zn_sack_block *block = &segment->sack[b];
        if (!zn__seq_lt(block->start, block->end) || zn__seq_lt(block->start, conn->snd_una) ||
            zn__seq_lt(conn->snd_nxt, block->end))
            continue; // D-SACK, or nonsense
        for (uint32_t i = 0; i < conn->sent.count; i++) {
            struct zn_sent *sent = sent_at(conn, i);
            if (zn__seq_le(block->end, sent->seq))
                break;
            if (sent->sacked || zn__seq_lt(sent->seq, block->start) ||
                zn__seq_lt(block->end, sent->seq + sent->len))
                continue;
            set_lost(conn, sent, false);
            sent->sacked = true;
            conn->sacked_bytes += sent->len;
        }
    }
}

static void recovery_begin(struct zn_tcp_conn *conn)
{
    conn->recovering = true;
    conn->recover_seq = conn->snd_nxt;
    conn->tcp->stats.fast_recoveries++;
    zn__cubic_loss(&conn->cubic, conn->mss);
}

void zn__tcp_detect_loss(struct zn_tcp_conn *conn)
{
    bool found = false;
    uint32_t above = 0; // segments beyond that have arrived
    if (!conn->sack) {
        struct zn_sent *first = conn->sent.count != 0 ? sent_at(conn, 0) : NULL;
        if (conn->dup_acks == DUP_THRESH && !conn->recovering && first != NULL && !first->lost) {
            set_lost(conn, first, true);
            found = true;
        }
    }
    for (uint32_t i = conn->sacked_bytes != 0 ? conn->sent.count : 0; i-- > 0;) {
        struct zn_sent *sent = sent_at(conn, i);
        if (sent->sacked) {
            above += sent->last;
        } else if (above >= DUP_THRESH && !sent->lost) {
            set_lost(conn, sent, true);
            found = true;
        }
    }
    if (found && !conn->recovering)
        recovery_begin(conn);
    if (found)
        zn__tcp_mark(conn);
}

// NewReno: the next hole begins at the acknowledgement (RFC 6582 section 3.2 step 3).
void zn__tcp_partial_ack(struct zn_tcp_conn *conn)
{
    if (conn->sack || conn->sent.count == 0)
        return;
    struct zn_sent *first = sent_at(conn, 0);
    if (!first->lost)
        set_lost(conn, first, true);
    zn__tcp_mark(conn);
}

// After a time-out everything may be lost, and what SACK said may have been taken back (RFC 2018
// section 8).
void zn__tcp_mark_all_lost(struct zn_tcp_conn *conn)
{
    conn->sacked_bytes = conn->lost_bytes = conn->resent_bytes = 0;
    for (uint32_t i = 0; i < conn->sent.count; i++) {
        struct zn_sent *sent = sent_at(conn, i);
        sent->sacked = sent->lost = sent->resent = false;
        set_lost(conn, sent, true);
    }
    conn->dup_acks = 0;
    conn->probe_out = false;
    conn->recovering = conn->rto_recovering = true;
    conn->recover_seq = conn->snd_nxt;
}

// The path's MTU shrank: what is longer than the mss now was lost, by no fault of congestion.
void zn__tcp_mark_long_lost(struct zn_tcp_conn *conn)
{
    for (uint32_t i = 0; i < conn->sent.count; i++) {
        struct zn_sent *sent = sent_at(conn, i);
        if (sent->len > conn->mss && !sent->sacked)
            set_lost(conn, sent, true);
    }
}

void zn__tcp_retransmit_lost(struct zn_tcp_conn *conn)
{
    bool first = true;
    for (uint32_t i = 0; i < conn->sent.count && conn->lost_bytes > conn->resent_bytes; i++) {
        struct zn_sent *sent = sent_at(conn, i);
        if (!sent->lost || sent->resent)
            continue;
        uint32_t pipe = zn__tcp_pipe(conn);
        if (pipe + sent->len > conn->cubic.cwnd && !(first && i == 0))
            return;
        first = false;
        zn__tcp_resend(conn, sent);
        conn->resent_bytes += sent->len;
    }
}
