// SPDX-License-Identifier: Apache-2.0
// TIME_WAIT as a small record of its own (RFC 9293 section 3.6.1), and its reuse by a new SYN (RFC
// 6191).
#include "tcp/seq.h"
#include "tcp/stack.h"

enum { TIME_WAIT_MS = 60000 };

static uint32_t take(struct zn_tcp *tcp)
{
    uint32_t index = tcp->free_time_wait;
    if (index != UINT32_MAX)
        tcp->free_time_wait = tcp->time_waits[index].next_free;
    else if (tcp->time_waits_used_up_to < tcp->config.time_wait_max)
        index = tcp->time_waits_used_up_to++;
    return index;
}

// The connection is over; without room for a record it is forgotten at once.
void zn__tcp_time_wait_enter(struct zn_tcp_conn *conn)
{
    struct zn_tcp *tcp = conn->tcp;
    if (conn->ack_now)
        zn__tcp_ack_send(conn);
    uint32_t index = take(tcp);
    struct zn_time_wait wait = {
        .tuple = conn->tuple,
        .link = conn->link,
        .timer = { .kind = ZN_TIMER_TIME_WAIT },
        .snd_nxt = conn->snd_nxt,
        .rcv_nxt = conn->rcv_nxt,
    };
    zn__tcp_conn_end(conn);
    if (index == UINT32_MAX)
        return;
    tcp->time_waits[index] = wait;
    zn__tcp_enter(tcp, &wait.tuple, ZN_ENTRY_TIME_WAIT, index);
    zn__wheel_set(&tcp->wheel, &tcp->time_waits[index].timer, tcp->now_ms + TIME_WAIT_MS);
    tcp->stats.time_waits++;
}

void zn__tcp_time_wait_free(struct zn_tcp *tcp, struct zn_time_wait *wait)
{
    zn__wheel_cancel(&tcp->wheel, &wait->timer);
    zn__tcp_leave(tcp, &wait->tuple);
    wait->next_free = tcp->free_time_wait;
    tcp->free_time_wait = (uint32_t)(wait - tcp->time_waits);
    tcp->stats.time_waits--;
}

// True if the segment is a SYN that begins anew, to be looked at as such, with an initial number
// of ours behind `least_iss_out`.
bool zn__tcp_time_wait_input(struct zn_tcp *tcp, uint32_t index, const struct zn_segment *segment,
                             uint32_t *least_iss_out)
{
    struct zn_time_wait *wait = &tcp->time_waits[index];
    if (segment->flags & ZN_TCP_RST)
        return false; // RFC 1337
    if (segment->flags & ZN_TCP_SYN && !(segment->flags & ZN_TCP_ACK) &&
        zn__seq_lt(wait->rcv_nxt, segment->seq)) {
        *least_iss_out = wait->snd_nxt;
        zn__tcp_time_wait_free(tcp, wait);
        return true;
    }
    // What needs no answer gets none: two sides in TIME_WAIT would answer each other for ever.
    if (segment->payload_len == 0 && !(segment->flags & (ZN_TCP_SYN | ZN_TCP_FIN)))
        return false;
    if (segment->flags & ZN_TCP_FIN)
        zn__wheel_set(&tcp->wheel, &wait->timer, tcp->now_ms + TIME_WAIT_MS);
    struct zn_segment_out out = {
        .tuple = &wait->tuple,
        .link = &wait->link,
        .seq = wait->snd_nxt,
        .ack = wait->rcv_nxt,
        .flags = ZN_TCP_ACK,
    };
    zn__tcp_raw(tcp, &out);
    return false;
}
