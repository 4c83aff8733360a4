// SPDX-License-Identifier: Apache-2.0
// Acknowledgements (RFC 9293 section 3.10.7.4, RFC 5681, RFC 6298): what they free, and the peer's
// window.
#include <stdlib.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

static void uncount(struct zn_tcp_conn *conn, const struct zn_sent *sent, uint32_t len)
{
    if (sent->sacked)
        conn->sacked_bytes -= len;
    if (sent->lost)
        conn->lost_bytes -= len;
    if (sent->lost && sent->resent)
        conn->resent_bytes -= len;
}

static void fin_acked(struct zn_tcp_conn *conn)
{
    if (conn->state == ZN_TCP_FIN_WAIT_1)
        conn->state = ZN_TCP_FIN_WAIT_2;
    else if (conn->state == ZN_TCP_CLOSING)
        conn->state = ZN_TCP_TIME_WAIT;
    else if (conn->state == ZN_TCP_LAST_ACK)
        conn->fin_done = true;
}

// Frees what `ack` covers. Returns the caller's bytes among it.
static size_t free_acked(struct zn_tcp_conn *conn, uint32_t ack)
{
    size_t host_bytes = 0;
    uint64_t at_us = UINT64_MAX;
    bool karn = false; // a retransmission was among it: no sample (RFC 6298 section 3)
    while (conn->sent.count > 0) {
        struct zn_sent *sent = zn__tcp_queue_at(&conn->sent, 0, sizeof(*sent));
        if (zn__seq_le(ack, sent->seq))
            break;
        uint32_t len = ack - sent->seq;
        bool whole = len >= sent->len;
        len = whole ? sent->len : len;
        uncount(conn, sent, len);
        karn |= sent->again;
        if (sent->kind == ZN_SENT_HOST || sent->kind == ZN_SENT_FIN)
            at_us = sent->at_us; // when others left is not known
        host_bytes += sent->kind == ZN_SENT_HOST ? len : 0;
        if (!whole) {
            sent->seq += len;
            sent->len = (uint16_t)(sent->len - len);
            if (sent->kind == ZN_SENT_REPLY) { // freed by its first byte
                memmove((uint8_t *)sent->data, sent->data + len, sent->len);
                conn->tcp->stats.queue_bytes -= len;
            } else {
                sent->data += len;
            }
            break;
        }
        if (sent->kind == ZN_SENT_REPLY)
            zn__tcp_reply_free(conn, sent);
        else if (sent->kind == ZN_SENT_FIN)
            fin_acked(conn);
        zn__tcp_queue_pop(conn->tcp, &conn->sent);
    }
    if (!karn && at_us < conn->tcp->now_us) {
        zn__tcp_rtt_sample(conn, conn->tcp->now_us - at_us);
        conn->backoff = 0;
    } else if (conn->backoff > 1) {
        conn->backoff = 1; // as long as it takes to a sample (RFC 6298 section 5), but no more
    }
    return host_bytes;
}

static void advance(struct zn_tcp_conn *conn, uint32_t ack)
{
    uint32_t newly = ack - conn->snd_una;
    bool limited =
        conn->snd_nxt - conn->snd_una + conn->submitted_bytes + conn->mss >= conn->cubic.cwnd ||
        conn->pending.count != 0;
    size_t host_bytes = free_acked(conn, ack);
    conn->snd_una = ack;
    conn->timeouts = 0;
    conn->probes = 0;
    conn->probed = false;
    conn->dup_acks = 0;
    if (conn->recovering && !zn__seq_lt(ack, conn->recover_seq)) {
        conn->recovering = conn->rto_recovering = false;
    } else if (conn->recovering) {
        zn__tcp_partial_ack(conn);
    }
    if ((!conn->recovering || conn->rto_recovering) && limited)
        zn__cubic_ack(&conn->cubic, conn->mss, newly, conn->srtt_us, conn->tcp->now_us);
    zn__tcp_due_set(conn, ZN_DUE_RETRANSMIT, 0); // armed anew at the flush
    if (conn->released)
        zn__tcp_due_set(conn, ZN_DUE_IDLE, conn->tcp->now_ms + ZN_ORPHAN_MS);
    if (host_bytes != 0) {
        conn->tcp->stats.bytes_out += host_bytes;
        if (!conn->released)
            conn->tcp->config.sink.sent(conn->tcp->config.user, conn, host_bytes);
    }
}

void zn__tcp_ack_catch_up(struct zn_tcp_conn *conn)
{
    uint32_t ack = zn__seq_lt(conn->snd_nxt, conn->ack_ahead) ? conn->snd_nxt : conn->ack_ahead;
    if (zn__seq_lt(conn->snd_una, ack))
        advance(conn, ack);
}

// Beyond RFC 9293 section 3.10.7.4, an acknowledgement that is new brings its window even if its
// number is old, as that of a peer that goes back to send again: the one before would reach too far
// from here.
static void window_update(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    bool newer = segment->ack == conn->snd_wl2 ? zn__seq_le(conn->snd_wl1, segment->seq)
                                               : zn__seq_lt(conn->snd_wl2, segment->ack);
    if (!newer)
        return;
    conn->snd_wnd = (uint32_t)segment->window << conn->snd_scale;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    if (conn->snd_wnd > conn->snd_wnd_max)
        conn->snd_wnd_max = conn->snd_wnd;
}

// RFC 5961 section 5.2. The accelerator's own bytes may be acknowledged before their records are
// here, but never past the grant.
static bool acceptable(const struct zn_tcp_conn *conn, uint32_t ack)
{
    uint32_t furthest = conn->snd_nxt + conn->submitted_bytes;
    if (conn->makes && !conn->fin_sent)
        furthest = zn__seq_max(conn->limit, furthest);
    return zn__seq_le(ack, furthest) && zn__seq_le(conn->snd_una - conn->snd_wnd_max, ack);
}

// A tail loss probe that repaired a loss hid it from congestion control (RFC 8985 section 7.4).
// The peer had it twice if it says so (RFC 2883), or repeats its acknowledgement.
static void probe_outcome(struct zn_tcp_conn *conn, const struct zn_segment *segment, bool repeats)
{
    if (!conn->probe_out || zn__seq_lt(segment->ack, conn->probe_end))
        return;
    bool twice = segment->sack_blocks != 0 && zn__seq_le(segment->sack[0].end, segment->ack);
    if (twice || (repeats && segment->sack_blocks == 0)) {
        conn->probe_out = false;
    } else if (zn__seq_lt(conn->probe_end, segment->ack)) {
        conn->probe_out = false;
        if (!conn->recovering)
            zn__cubic_loss(&conn->cubic, conn->mss);
    }
}

bool zn__tcp_ack(struct zn_tcp_conn *conn, const struct zn_segment *segment)
{
    uint32_t ack = segment->ack;
    if (!acceptable(conn, ack)) {
        conn->tcp->stats.drop_bad_ack++;
        zn__tcp_challenge(conn);
        return false;
    }
    bool same_window = (uint32_t)segment->window << conn->snd_scale == conn->snd_wnd;
    bool repeats = ack == conn->snd_una && segment->payload_len == 0;
    if (zn__seq_lt(conn->snd_una, ack)) {
        conn->ack_ahead = zn__seq_max(conn->ack_ahead, ack);
        zn__tcp_ack_catch_up(conn);
    } else if (repeats && same_window && !(segment->flags & ZN_TCP_FIN) &&
               conn->dup_acks < conn->sent.count) {
        conn->dup_acks++; // RFC 5681 section 2
    }
    if (zn__seq_le(conn->snd_una, ack))
        window_update(conn, segment);
    probe_outcome(conn, segment, repeats);
    zn__tcp_sack_input(conn, segment);
    zn__tcp_detect_loss(conn);
    return true;
}
