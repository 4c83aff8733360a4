// SPDX-License-Identifier: Apache-2.0
// Handshakes: SYN to ACK, in a bounded queue, by SYN cookies when it is full (RFC 9293
// section 3.10.7.2, RFC 4987).
#include <string.h>

#include "core/siphash.h"
#include "tcp/seq.h"
#include "tcp/stack.h"

enum {
    SYN_ACK_TRIES = 5,
    MSS_DEFAULT_V4 = 536, // RFC 9293 section 3.7.1, without the option
    MSS_DEFAULT_V6 = 1220,
    MSS_MIN = 216, // smaller offers are taken as this: tiny segments cost us, not the peer
    HEADERS_V4 = 40,
    HEADERS_V6 = 60,
    SOURCES = 4096,
    ISS_STEP = 1 << 17,
    NONE = 255,
};

uint16_t zn__tcp_mss(const struct zn_tcp *tcp, const struct zn_segment *segment)
{
    uint16_t ours = (uint16_t)(tcp->config.mtu - (segment->link.v6 ? HEADERS_V6 : HEADERS_V4));
    uint16_t theirs = segment->link.v6 ? MSS_DEFAULT_V6 : MSS_DEFAULT_V4;
    if (segment->has_mss)
        theirs = segment->mss;
    if (theirs < MSS_MIN)
        theirs = MSS_MIN;
    return theirs < ours ? theirs : ours;
}

// The window of a SYN-ACK is not scaled.
uint32_t zn__tcp_first_window(const struct zn_tcp *tcp)
{
    return tcp->config.window < UINT16_MAX ? tcp->config.window : UINT16_MAX;
}

static uint16_t *source_count(struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    return &tcp->source_counts[zn__siphash(tcp->config.secret, tuple->peer_address, 16) % SOURCES];
}

static void send_syn_ack(struct zn_tcp *tcp, const struct zn_half *half)
{
    struct zn_segment_out out = {
        .tuple = &half->tuple,
        .link = &half->link,
        .seq = half->iss,
        .ack = half->irs + 1,
        .window = (uint16_t)zn__tcp_first_window(tcp),
        .flags = ZN_TCP_SYN | ZN_TCP_ACK,
        .mss = (uint16_t)(tcp->config.mtu - (half->link.v6 ? HEADERS_V6 : HEADERS_V4)),
        .sack_permitted = half->sack,
        .scale = half->scale == NONE ? NONE : tcp->scale,
    };
    zn__tcp_raw(tcp, &out);
}

// Which of them the answer is to, nobody will know.
static void send_again(struct zn_tcp *tcp, struct zn_half *half)
{
    half->at_us = UINT64_MAX;
    send_syn_ack(tcp, half);
}

static struct zn_half half_of(struct zn_tcp *tcp, const struct zn_segment *segment)
{
    return (struct zn_half){
        .tuple = segment->tuple,
        .link = segment->link,
        .timer = { .kind = ZN_TIMER_HALF },
        .at_us = tcp->now_us,
        .irs = segment->seq,
        .mss = zn__tcp_mss(tcp, segment),
        .scale = segment->has_scale ? segment->scale : NONE,
        .sack = segment->sack_permitted,
    };
}

static uint32_t take_half(struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    if (*source_count(tcp, tuple) >= tcp->config.half_per_source_max)
        return UINT32_MAX;
    uint32_t index = tcp->free_half;
    if (index != UINT32_MAX)
        tcp->free_half = tcp->halves[index].next_free;
    else if (tcp->halves_used_up_to < tcp->config.half_max)
        index = tcp->halves_used_up_to++;
    return index;
}

static void free_half(struct zn_tcp *tcp, struct zn_half *half)
{
    zn__wheel_cancel(&tcp->wheel, &half->timer);
    zn__tcp_leave(tcp, &half->tuple);
    (*source_count(tcp, &half->tuple))--;
    half->next_free = tcp->free_half;
    tcp->free_half = (uint32_t)(half - tcp->halves);
    tcp->stats.halves--;
}

// `least_iss`: our numbers have to be behind this one; NULL: any will do.
void zn__tcp_syn(struct zn_tcp *tcp, const struct zn_segment *segment, const uint32_t *least_iss)
{
    struct zn_half half = half_of(tcp, segment);
    uint32_t index = take_half(tcp, &segment->tuple);
    if (index == UINT32_MAX) {
        tcp->stats.drop_half_full++;
        tcp->stats.cookies_sent++;
        tcp->cookies_until_ms = tcp->now_ms + ZN_COOKIE_MS;
        half.iss = zn__tcp_cookie_make(tcp, segment);
        half.scale = NONE;
        half.sack = false;
        send_syn_ack(tcp, &half);
        return;
    }
    half.iss = zn__tcp_isn(tcp, &segment->tuple);
    if (least_iss != NULL && zn__seq_le(half.iss, *least_iss + UINT16_MAX))
        half.iss = *least_iss + ISS_STEP; // RFC 9293 section 3.4.3
    tcp->halves[index] = half;
    zn__tcp_enter(tcp, &half.tuple, ZN_ENTRY_HALF, index);
    (*source_count(tcp, &half.tuple))++;
    tcp->stats.halves++;
    zn__wheel_set(&tcp->wheel, &tcp->halves[index].timer, tcp->now_ms + 1000);
    send_syn_ack(tcp, &half);
}

void zn__tcp_half_due(struct zn_tcp *tcp, struct zn_half *half)
{
    if (++half->tries >= SYN_ACK_TRIES) {
        tcp->stats.half_timed_out++;
        free_half(tcp, half);
        return;
    }
    zn__wheel_set(&tcp->wheel, &half->timer, tcp->now_ms + (1000u << half->tries));
    send_again(tcp, half);
}

// The handshake is complete: the connection begins, and the ACK's own payload with it.
static void establish(struct zn_tcp *tcp, const struct zn_half *half,
                      const struct zn_segment *segment)
{
    struct zn_tcp_conn *conn = zn__tcp_conn_open(tcp, half, segment);
    if (conn == NULL) {
        tcp->stats.refused++;
        zn__tcp_reset_for(tcp, segment);
        return;
    }
    tcp->config.sink.accepted(tcp->config.user, conn);
    struct zn_segment rest = *segment;
    if (conn->state != ZN_TCP_CLOSED)
        zn__tcp_conn_input(conn, &rest, NULL);
}

// A peer that begins anew learns of the old handshake, and resets it (RFC 5961 section 4).
static void challenge(struct zn_tcp *tcp, const struct zn_half *half)
{
    struct zn_segment_out out = {
        .tuple = &half->tuple,
        .link = &half->link,
        .seq = half->iss + 1,
        .ack = half->irs + 1,
        .window = (uint16_t)zn__tcp_first_window(tcp),
        .flags = ZN_TCP_ACK,
    };
    tcp->stats.challenges++;
    zn__tcp_raw(tcp, &out);
}

void zn__tcp_half_input(struct zn_tcp *tcp, uint32_t index, const struct zn_segment *segment)
{
    struct zn_half *half = &tcp->halves[index];
    uint32_t window = zn__tcp_first_window(tcp);
    if (segment->flags & ZN_TCP_RST) {
        if (segment->seq == half->irs + 1) // RFC 5961 section 3.2
            free_half(tcp, half);
        return;
    }
    if (segment->flags & ZN_TCP_SYN) {
        if (segment->seq == half->irs)
            send_again(tcp, half); // ours was lost
        else
            challenge(tcp, half);
        return;
    }
    if (!(segment->flags & ZN_TCP_ACK))
        return;
    if (segment->ack != half->iss + 1) {
        zn__tcp_reset_for(tcp, segment);
        return;
    }
    if (segment->seq - (half->irs + 1) >= window) {
        tcp->stats.drop_out_of_window++;
        send_again(tcp, half);
        return;
    }
    struct zn_half done = *half;
    free_half(tcp, half);
    establish(tcp, &done, segment);
}

void zn__tcp_cookie_ack(struct zn_tcp *tcp, const struct zn_segment *segment)
{
    uint16_t mss;
    if (tcp->now_ms >= tcp->cookies_until_ms || !zn__tcp_cookie_check(tcp, segment, &mss)) {
        tcp->stats.drop_bad_ack++;
        zn__tcp_reset_for(tcp, segment);
        return;
    }
    tcp->stats.cookies_good++;
    struct zn_half half = half_of(tcp, segment);
    half.at_us = UINT64_MAX;
    half.irs = segment->seq - 1;
    half.iss = segment->ack - 1;
    half.mss = mss;
    half.scale = NONE;
    half.sack = false;
    establish(tcp, &half, segment);
}
