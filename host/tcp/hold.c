// SPDX-License-Identifier: Apache-2.0
// Payload: handed on at once when it is what comes next, else held in a bounded pool of blocks: out
// of order, or in order and not wanted yet.
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum { ACK_DELAY_MS = 40 };

static struct zn_hold *take_block(struct zn_tcp *tcp)
{
    struct zn_hold *block = tcp->free_hold;
    if (block == NULL) {
        tcp->stats.drop_hold_full++;
        return NULL;
    }
    tcp->free_hold = block->next;
    tcp->stats.hold_used++;
    return block;
}

static void give_block(struct zn_tcp *tcp, struct zn_hold *block)
{
    block->next = tcp->free_hold;
    tcp->free_hold = block;
    tcp->stats.hold_used--;
}

void zn__tcp_hold_free(struct zn_tcp_conn *conn)
{
    while (conn->hold != NULL) {
        struct zn_hold *block = conn->hold;
        conn->hold = block->next;
        give_block(conn->tcp, block);
    }
    conn->held_bytes = conn->unread_bytes = 0;
}

// False: the caller did not take it, and does not want more.
static bool hand_on(struct zn_tcp_conn *conn, uint8_t *bytes, uint32_t len,
                    const struct zn_acc_rx_annotation *annotation, bool held)
{
    struct zn_tcp_data data = {
        .bytes = bytes, .len = len, .annotation = annotation, .held = held
    };
    if (!conn->tcp->config.sink.received(conn->tcp->config.user, conn, &data)) {
        conn->wanted = false;
        return false;
    }
    conn->tcp->stats.bytes_in += len;
    return true;
}

void zn__tcp_hold_deliver(struct zn_tcp_conn *conn)
{
    while (conn->wanted && !conn->released && conn->unread_bytes != 0) {
        struct zn_hold *block = conn->hold;
        if (!hand_on(conn, block->bytes, block->len, block->treated ? &block->annotation : NULL,
                     true))
            return;
        if (conn->state == ZN_TCP_CLOSED)
            return; // by the caller, and the block with it
        conn->hold = block->next;
        conn->held_bytes -= block->len;
        conn->unread_bytes -= block->len;
        give_block(conn->tcp, block);
        // The window opens: worth telling once it moved by two segments.
        uint32_t room = conn->rcv_nxt + conn->tcp->config.window - conn->held_bytes;
        if (!zn__seq_lt(room, conn->rcv_edge + 2u * conn->mss))
            conn->ack_now = true;
    }
    if (conn->fin_received && !conn->fin_told && conn->unread_bytes == 0 && !conn->released &&
        conn->state != ZN_TCP_CLOSED) {
        conn->fin_told = true;
        conn->tcp->config.sink.ended(conn->tcp->config.user, conn);
    }
}

// Keeps bytes [seq, seq + len) in front of `*at`, in blocks; they overlap nothing that is held.
static struct zn_hold **keep(struct zn_tcp_conn *conn, struct zn_hold **at, uint32_t seq,
                             const uint8_t *bytes, uint32_t len,
                             const struct zn_acc_rx_annotation *annotation)
{
    while (len > 0) {
        uint32_t part = len < conn->tcp->hold_size ? len : (uint32_t)conn->tcp->hold_size;
        struct zn_hold *block = take_block(conn->tcp);
        if (block == NULL)
            return at;
        block->seq = seq;
        block->len = (uint16_t)part;
        block->treated = annotation != NULL;
        if (annotation != NULL)
            block->annotation = *annotation;
        memcpy(block->bytes, bytes, part);
        block->next = *at;
        *at = block;
        at = &block->next;
        conn->held_bytes += part;
        seq += part;
        bytes += part;
        len -= part;
    }
    return at;
}

// Holds the parts of a segment that are not held yet.
static void insert(struct zn_tcp_conn *conn, uint32_t seq, const uint8_t *bytes, uint32_t len,
                   const struct zn_acc_rx_annotation *annotation)
{
    uint32_t end = seq + len;
    struct zn_hold **at = &conn->hold;
    while (zn__seq_lt(seq, end)) {
        while (*at != NULL && zn__seq_le((*at)->seq + (*at)->len, seq))
            at = &(*at)->next;
        if (*at != NULL && zn__seq_le((*at)->seq, seq)) { // covered up to the block's end
            uint32_t covered = (*at)->seq + (*at)->len - seq;
            covered = covered < end - seq ? covered : end - seq;
            seq += covered;
            bytes += covered;
            continue;
        }
        uint32_t stop = *at != NULL && zn__seq_lt((*at)->seq, end) ? (*at)->seq : end;
        at = keep(conn, at, seq, bytes, stop - seq, annotation);
        bytes += stop - seq;
        seq = stop;
    }
}

// rcv_nxt moves over what is held next to it, and those bytes become unread ones.
static void advance_over_held(struct zn_tcp_conn *conn)
{
    for (struct zn_hold *block = conn->hold; block != NULL; block = block->next) {
        if (zn__seq_lt(block->seq, conn->rcv_nxt))
            continue;
        if (block->seq != conn->rcv_nxt)
            return;
        conn->rcv_nxt += block->len;
        conn->unread_bytes += block->len;
    }
}

// A treated packet is kept whole, for its annotation: what is held of the same bytes goes.
static void cut_held(struct zn_tcp_conn *conn, uint32_t seq, uint32_t end)
{
    struct zn_hold **at = &conn->hold;
    while (*at != NULL && zn__seq_lt((*at)->seq, end)) {
        struct zn_hold *block = *at;
        uint32_t cut = end - block->seq;
        if (zn__seq_lt(block->seq, seq)) {
            at = &block->next;
        } else if (cut < block->len) {
            memmove(block->bytes, block->bytes + cut, block->len - cut);
            block->seq += cut;
            block->len = (uint16_t)(block->len - cut);
            conn->held_bytes -= cut;
            return;
        } else {
            *at = block->next;
            conn->held_bytes -= block->len;
            give_block(conn->tcp, block);
        }
    }
}

static void acknowledge_soon(struct zn_tcp_conn *conn)
{
    if (conn->rcv_nxt - conn->rcv_acked >= 2u * conn->mss)
        conn->ack_now = true; // every second full segment (RFC 9293 section 3.8.6.3)
    else if (conn->due[ZN_DUE_ACK] == 0)
        zn__tcp_due_set(conn, ZN_DUE_ACK, conn->tcp->now_ms + ACK_DELAY_MS);
}

void zn__tcp_text(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                  const struct zn_acc_rx_annotation *annotation)
{
    uint8_t *bytes = segment->payload;
    uint32_t seq = segment->seq;
    uint32_t len = segment->payload_len;
    if (zn__seq_lt(seq, conn->rcv_nxt)) {
        uint32_t old = conn->rcv_nxt - seq;
        conn->ack_now = true; // a duplicate: the peer may not have heard us
        if (old >= len)
            return;
        seq += old;
        bytes += old;
        len -= old;
    }
    uint32_t room = conn->rcv_edge - seq;
    if (len > room && annotation == NULL) {
        len = room;
        conn->ack_now = true;
    }
    bool gap = conn->hold != NULL && conn->unread_bytes == 0;
    if (seq == conn->rcv_nxt && conn->unread_bytes == 0 && conn->wanted &&
        hand_on(conn, bytes, len, annotation, false)) {
        if (conn->state == ZN_TCP_CLOSED)
            return;
        conn->rcv_nxt += len;
        conn->rcv_edge = zn__seq_max(conn->rcv_edge, conn->rcv_nxt);
        cut_held(conn, seq, conn->rcv_nxt);
    } else {
        gap |= seq != conn->rcv_nxt;
        if (annotation != NULL)
            cut_held(conn, seq, seq + len);
        insert(conn, seq, bytes, len, annotation);
        conn->newest = (struct zn_sack_block){ seq, seq + len };
    }
    advance_over_held(conn);
    if (gap)
        conn->ack_now = true; // out of order, or it filled a gap (RFC 5681 section 4.2)
    else
        acknowledge_soon(conn);
    zn__tcp_hold_deliver(conn);
}

// The block that changed last comes first (RFC 2018 section 4).
unsigned zn__tcp_sack_blocks(const struct zn_tcp_conn *conn, struct zn_sack_block *blocks)
{
    struct zn_sack_block all[16];
    unsigned count = 0;
    for (const struct zn_hold *block = conn->hold; block != NULL; block = block->next) {
        if (zn__seq_lt(block->seq, conn->rcv_nxt))
            continue;
        if (count > 0 && all[count - 1].end == block->seq)
            all[count - 1].end += block->len;
        else if (count < 16)
            all[count++] = (struct zn_sack_block){ block->seq, block->seq + block->len };
    }
    unsigned first = 0;
    for (unsigned i = 0; i < count; i++)
        if (zn__seq_le(all[i].start, conn->newest.start) &&
            zn__seq_lt(conn->newest.start, all[i].end))
            first = i;
    unsigned out = 0;
    for (unsigned i = 0; i < count && out < ZN_TCP_SACK_BLOCKS; i++)
        blocks[out++] = all[(first + i) % count];
    return out;
}
