// SPDX-License-Identifier: Apache-2.0
// Payload: handed on at once when it is what comes next, else held in a bounded pool of blocks: out
// of order, or in order and not wanted yet.
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum { ACK_DELAY_MS = 40 };

static struct zn_hold *take_block(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    struct zn_hold *block = tcp->free_hold;
    if (block == NULL || conn->hold_blocks >= tcp->hold_per_conn) {
        tcp->stats.drop_hold_full += block == NULL;
        tcp->stats.drop_hold_share += block != NULL;
        return NULL;
    }
    tcp->free_hold = block->next;
    tcp->stats.hold_used++;
    conn->hold_blocks++;
    return block;
}

static void give_block(struct zn_tcp_conn *conn, struct zn_hold *block)
{
    struct zn_tcp *tcp = conn->tcp;
    block->next = tcp->free_hold;
    tcp->free_hold = block;
    tcp->stats.hold_used--;
    conn->hold_blocks--;
}

void zn__tcp_hold_free(struct zn_tcp_conn *conn)
{
    while (conn->hold != NULL) {
        struct zn_hold *block = conn->hold;
        conn->hold = block->next;
        give_block(conn, block);
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

// The caller let go of the connection while it refused what it was given: nobody will read it, and
// the peer must know (RFC 2525 section 2.17).
static void reset_if_unread(struct zn_tcp_conn *conn)
{
    if (!conn->released || conn->held_bytes == 0)
        return;
    zn__tcp_reset_conn(conn);
    zn__tcp_conn_end(conn);
}

void zn__tcp_hold_deliver(struct zn_tcp_conn *conn)
{
    while (conn->wanted && !conn->released && conn->unread_bytes != 0) {
        // Out of the queue first: the caller may end the connection meanwhile, or ask where it is.
        struct zn_hold *block = conn->hold;
        conn->hold = block->next;
        conn->held_bytes -= block->len;
        conn->unread_bytes -= block->len;
        bool taken = hand_on(conn, block->bytes, block->len,
                             block->treated ? &block->annotation : NULL, true);
        if (!taken && conn->state != ZN_TCP_CLOSED) {
            block->next = conn->hold;
            conn->hold = block;
            conn->held_bytes += block->len;
            conn->unread_bytes += block->len;
            reset_if_unread(conn);
            return;
        }
        give_block(conn, block);
        if (conn->state == ZN_TCP_CLOSED)
            return;
        // The window opens: worth telling once it moved by two segments.
        uint32_t room = conn->rcv_nxt + conn->tcp->config.window - conn->unread_bytes;
        if (!zn__seq_lt(room, conn->rcv_edge + 2u * conn->mss))
            conn->ack_now = true;
    }
    if (conn->fin_received && !conn->fin_told && conn->unread_bytes == 0 && !conn->released &&
        conn->state != ZN_TCP_CLOSED) {
        conn->fin_told = true;
        conn->tcp->config.sink.ended(conn->tcp->config.user, conn);
    }
}

// Appends to the block in front of `at` what fits there. Treated packets stay by themselves, for
// their annotation.
static uint32_t append(struct zn_tcp_conn *conn, struct zn_hold **at, uint32_t seq,
                       const uint8_t *bytes, uint32_t len)
{
    if (at == &conn->hold)
        return 0;
    struct zn_hold *block = (struct zn_hold *)(void *)at; // `next` is its first member
    if (block->treated || block->seq + block->len != seq)
        return 0;
    uint32_t room = (uint32_t)conn->tcp->hold_size - block->len;
    uint32_t part = len < room ? len : room;
    memcpy(block->bytes + block->len, bytes, part);
    block->len = (uint16_t)(block->len + part);
    conn->held_bytes += part;
    return part;
}

// Keeps bytes [seq, seq + len) in front of `*at`, in blocks; they overlap nothing that is held.
static struct zn_hold **keep(struct zn_tcp_conn *conn, struct zn_hold **at, uint32_t seq,
                             const uint8_t *bytes, uint32_t len,
                             const struct zn_acc_rx_annotation *annotation)
{
    uint32_t done = annotation == NULL ? append(conn, at, seq, bytes, len) : 0;
    while (done < len) {
        uint32_t part = len - done;
        part = part < conn->tcp->hold_size ? part : (uint32_t)conn->tcp->hold_size;
        struct zn_hold *block = take_block(conn);
        if (block == NULL)
            return at;
        block->seq = seq + done;
        block->len = (uint16_t)part;
        block->treated = annotation != NULL;
        if (annotation != NULL)
            block->annotation = *annotation;
        memcpy(block->bytes, bytes + done, part);
        block->next = *at;
        *at = block;
        at = &block->next;
        conn->held_bytes += part;
        done += part;
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
    for (const struct zn_hold *block = conn->hold; block != NULL; block = block->next) {
        uint32_t end = block->seq + block->len;
        if (zn__seq_lt(conn->rcv_nxt, block->seq))
            return;
        if (zn__seq_le(end, conn->rcv_nxt))
            continue;
        conn->unread_bytes += end - conn->rcv_nxt;
        conn->rcv_nxt = end;
    }
}

// Cuts untreated bytes [seq, end) out of what is held; of a block around all of them, what is
// behind goes too. Returns false if a treated block, which cannot be cut, has some of them.
static bool cut_held(struct zn_tcp_conn *conn, uint32_t seq, uint32_t end)
{
    for (const struct zn_hold *block = conn->hold; block != NULL; block = block->next)
        if (block->treated && zn__seq_lt(seq, block->seq + block->len) &&
            zn__seq_lt(block->seq, end))
            return false;
    for (struct zn_hold **at = &conn->hold; *at != NULL && zn__seq_lt((*at)->seq, end);) {
        struct zn_hold *block = *at;
        uint32_t block_end = block->seq + block->len;
        if (zn__seq_lt(block->seq, seq)) {
            uint32_t cut = zn__seq_lt(seq, block_end) ? block_end - seq : 0;
            block->len = (uint16_t)(block->len - cut);
            conn->held_bytes -= cut;
            at = &block->next;
        } else if (zn__seq_lt(end, block_end)) {
            uint32_t cut = end - block->seq;
            memmove(block->bytes, block->bytes + cut, block->len - cut);
            block->seq = end;
            block->len = (uint16_t)(block->len - cut);
            conn->held_bytes -= cut;
        } else {
            *at = block->next;
            conn->held_bytes -= block->len;
            give_block(conn, block);
        }
    }
    return true;
}

// Bytes from `seq` on up to the first treated block.
static uint32_t before_treated(const struct zn_tcp_conn *conn, uint32_t seq, uint32_t len)
{
    for (const struct zn_hold *block = conn->hold; block != NULL; block = block->next)
        if (block->treated && zn__seq_le(seq, block->seq) && block->seq - seq < len)
            return block->seq - seq;
    return len;
}

static void acknowledge_soon(struct zn_tcp_conn *conn)
{
    if (conn->rcv_nxt - conn->rcv_acked >= 2u * conn->mss)
        conn->ack_now = true; // every second full segment (RFC 9293 section 3.8.6.3)
    else if (conn->due[ZN_DUE_ACK] == 0)
        zn__tcp_due_set(conn, ZN_DUE_ACK, conn->tcp->now_ms + ACK_DELAY_MS);
}

// Payload that is new and inside the window.
struct text {
    uint32_t seq;
    uint32_t len;
    uint8_t *bytes;
    const struct zn_acc_rx_annotation *annotation;
};

// Cuts off what was received before and what is beyond the window; false: nothing is left. Treated
// payload is not cut: of what overlaps, the peer sends the rest again.
static bool trim(struct zn_tcp_conn *conn, const struct zn_segment *segment, struct text *text)
{
    if (zn__seq_lt(text->seq, conn->rcv_nxt)) {
        uint32_t old = conn->rcv_nxt - segment->seq;
        conn->ack_now = true; // a duplicate: the peer may not have heard us
        if (old >= text->len || text->annotation != NULL)
            return false;
        text->seq += old;
        text->bytes += old;
        text->len -= old;
    }
    uint32_t room = conn->rcv_edge - text->seq;
    if (text->annotation != NULL)
        return text->len <= conn->tcp->hold_size &&
               cut_held(conn, text->seq, text->seq + text->len);
    if (text->len > room) {
        text->len = room;
        conn->ack_now = true;
    }
    return true;
}

// Hands on what comes next, past the queue, and leaves in `text` what has to be held.
static void hand_on_next(struct zn_tcp_conn *conn, struct text *text)
{
    uint32_t len =
        text->annotation != NULL ? text->len : before_treated(conn, text->seq, text->len);
    conn->rcv_nxt += len;
    if (!hand_on(conn, text->bytes, len, text->annotation, false)) {
        conn->rcv_nxt -= len;
        return;
    }
    text->seq += len;
    text->bytes += len;
    text->len -= len;
    conn->rcv_edge = zn__seq_max(conn->rcv_edge, conn->rcv_nxt);
    if (conn->state != ZN_TCP_CLOSED)
        cut_held(conn, conn->rcv_nxt - len, conn->rcv_nxt);
}

void zn__tcp_text(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                  const struct zn_acc_rx_annotation *annotation)
{
    struct text text = { segment->seq, segment->payload_len, segment->payload, annotation };
    if (!trim(conn, segment, &text))
        return;
    bool gap = conn->hold != NULL && conn->unread_bytes == 0;
    if (text.seq == conn->rcv_nxt && conn->unread_bytes == 0 && conn->wanted)
        hand_on_next(conn, &text);
    if (conn->state == ZN_TCP_CLOSED)
        return; // by the caller
    if (text.len != 0) {
        gap |= text.seq != conn->rcv_nxt;
        insert(conn, text.seq, text.bytes, text.len, annotation);
        conn->newest = (struct zn_sack_block){ text.seq, text.seq + text.len };
        reset_if_unread(conn);
    }
    if (conn->state == ZN_TCP_CLOSED)
        return;
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
