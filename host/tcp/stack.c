// SPDX-License-Identifier: Apache-2.0
// The stack: set-up, packets in, time.
#include "tcp/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MTU_MIN = 576, MTU_MAX = 9216, SOURCES = 4096 };

static bool config_ok(const struct zn_tcp_config *c)
{
    return c->mtu >= MTU_MIN && c->mtu <= MTU_MAX && c->conns_max > 0 && c->conns_max < 1u << 28 &&
           c->half_max < 1u << 28 && c->time_wait_max < 1u << 28 && c->window >= c->mtu &&
           c->window <= 1u << 30 && c->hold_blocks > 0 && c->half_per_source_max <= UINT16_MAX;
}

static int hold_create(struct zn_tcp *tcp)
{
    tcp->hold_size = tcp->config.mtu;
    // A window in half-filled blocks, and never all that there are: small segments with gaps would
    // take them from everybody.
    uint64_t window = 2ull * tcp->config.window / tcp->config.mtu + 8;
    uint64_t share = tcp->config.hold_blocks - tcp->config.hold_blocks / 4;
    tcp->hold_per_conn = (uint32_t)(window < share ? window : share);
    size_t stride = (sizeof(struct zn_hold) + tcp->hold_size + 15) & ~(size_t)15;
    tcp->hold_memory = calloc(tcp->config.hold_blocks, stride);
    if (tcp->hold_memory == NULL)
        return -ENOMEM;
    for (uint32_t i = tcp->config.hold_blocks; i-- > 0;) {
        struct zn_hold *block = (struct zn_hold *)(tcp->hold_memory + i * stride);
        block->next = tcp->free_hold;
        tcp->free_hold = block;
    }
    return 0;
}

static int tables_create(struct zn_tcp *tcp)
{
    const struct zn_tcp_config *c = &tcp->config;
    uint32_t blocks = (c->conns_max + ZN_CONNS_A_BLOCK - 1) / ZN_CONNS_A_BLOCK;
    uint64_t slots = 64;
    while (slots < 2ull * ((uint64_t)c->conns_max + c->half_max + c->time_wait_max))
        slots *= 2;
    tcp->table_mask = (uint32_t)(slots - 1);
    tcp->table = calloc(slots, sizeof(*tcp->table));
    tcp->conn_blocks = calloc(blocks, sizeof(*tcp->conn_blocks));
    tcp->free_conns = calloc(c->conns_max, sizeof(*tcp->free_conns));
    tcp->halves = calloc(c->half_max + 1, sizeof(*tcp->halves));
    tcp->time_waits = calloc(c->time_wait_max + 1, sizeof(*tcp->time_waits));
    tcp->source_counts = calloc(SOURCES, sizeof(*tcp->source_counts));
    bool all = tcp->table != NULL && tcp->conn_blocks != NULL && tcp->free_conns != NULL &&
               tcp->halves != NULL && tcp->time_waits != NULL && tcp->source_counts != NULL;
    return all ? hold_create(tcp) : -ENOMEM;
}

int zn_tcp_create(const struct zn_tcp_config *config, struct zn_tcp **tcp_out)
{
    if (!config_ok(config))
        return -EINVAL;
    struct zn_tcp *tcp = calloc(1, sizeof(*tcp));
    if (tcp == NULL)
        return -ENOMEM;
    tcp->config = *config;
    tcp->free_half = tcp->free_time_wait = UINT32_MAX;
    while (config->window >> tcp->scale > UINT16_MAX)
        tcp->scale++;
    size_t user_room = (config->user_size + 15) & ~(size_t)15;
    tcp->conn_stride = (user_room + sizeof(struct zn_tcp_conn) + 63) & ~(size_t)63;
    zn__wheel_init(&tcp->wheel, 0);
    if (tables_create(tcp) != 0) {
        zn_tcp_destroy(tcp);
        return -ENOMEM;
    }
    *tcp_out = tcp;
    return 0;
}

void zn_tcp_destroy(struct zn_tcp *tcp)
{
    for (uint32_t i = 0; i < tcp->conns_made; i++) {
        struct zn_tcp_conn *conn = zn__tcp_conn(tcp, i);
        if (conn == NULL)
            continue;
        if (conn->state != ZN_TCP_CLOSED)
            zn__tcp_reset_conn(conn);
        zn__tcp_conn_drop_queues(conn);
    }
    for (uint32_t i = 0; tcp->conn_blocks != NULL && i < tcp->conns_made; i += ZN_CONNS_A_BLOCK)
        free(tcp->conn_blocks[i / ZN_CONNS_A_BLOCK]);
    free(tcp->conn_blocks);
    free(tcp->free_conns);
    free(tcp->halves);
    free(tcp->time_waits);
    free(tcp->source_counts);
    free(tcp->table);
    free(tcp->hold_memory);
    free(tcp);
}

const struct zn_tcp_stats *zn_tcp_stats(const struct zn_tcp *tcp)
{
    return &tcp->stats;
}

int zn_tcp_listen(struct zn_tcp *tcp, uint16_t port)
{
    if (port == 0) {
        tcp->stopped = true;
        return 0;
    }
    if (tcp->stopped)
        memset(tcp->ports, 0, sizeof(tcp->ports));
    tcp->stopped = false;
    for (int i = 0; i < ZN_TCP_PORTS; i++)
        if (tcp->ports[i] == 0 || tcp->ports[i] == port) {
            tcp->ports[i] = port;
            return 0;
        }
    return -ENOSPC;
}

// Ports that were listened on stay ours.
static bool is_ours(const struct zn_tcp *tcp, const uint8_t *port)
{
    for (int i = 0; i < ZN_TCP_PORTS; i++)
        if (tcp->ports[i] != 0 && tcp->ports[i] == zn__get16(port))
            return true;
    return false;
}

// A segment that belongs to no connection (RFC 9293 section 3.10.7.1 and 3.10.7.2).
// `least_iss`: where our numbers ended the last time; NULL: not known.
static void stray(struct zn_tcp *tcp, const struct zn_segment *segment, const uint32_t *least_iss)
{
    bool ours = is_ours(tcp, segment->tuple.local_port);
    bool open = ours && !tcp->stopped;
    uint8_t flags = segment->flags & (ZN_TCP_SYN | ZN_TCP_ACK | ZN_TCP_RST | ZN_TCP_FIN);
    if (flags & ZN_TCP_RST)
        return;
    if (open && flags == ZN_TCP_SYN) {
        zn__tcp_syn(tcp, segment, least_iss);
    } else if (open && flags & ZN_TCP_ACK && !(flags & ZN_TCP_SYN)) {
        zn__tcp_cookie_ack(tcp, segment);
    } else {
        tcp->stats.drop_no_port += !open;
        if (ours || !tcp->config.shared)
            zn__tcp_reset_for(tcp, segment);
    }
}

// A treated segment belongs to the flow that the accelerator says, whose bytes nobody else can
// read: a connection that has closed since drops it.
static void treated_in(struct zn_tcp *tcp, const struct zn_acc_rx_annotation *annotation,
                       struct zn_segment *segment)
{
    struct zn_tcp_conn *conn = zn__tcp_conn(tcp, annotation->flow);
    if (conn == NULL || memcmp(&conn->tuple, &segment->tuple, sizeof(conn->tuple)) != 0) {
        tcp->stats.drop_bad_record++;
        return;
    }
    zn__tcp_taken(conn, segment, annotation);
    if (conn->state == ZN_TCP_CLOSED)
        tcp->stats.drop_other++;
    else
        zn__tcp_conn_input(conn, segment, annotation);
}

static void segment_in(struct zn_tcp *tcp, const struct zn_acc_rx_annotation *annotation,
                       struct zn_segment *segment)
{
    if (!zn__tcp_is_ours(tcp, segment->tuple.local_address, segment->link.v6) ||
        !zn__tcp_is_peer(tcp, segment->tuple.peer_address, segment->link.v6)) {
        tcp->stats.drop_not_ours++;
        return;
    }
    tcp->stats.segments++;
    if (annotation->reason == ZN_REASON_OK) {
        treated_in(tcp, annotation, segment);
        return;
    }
    uint32_t entry = zn__tcp_find(tcp, &segment->tuple);
    uint32_t index = zn__entry_index(entry);
    uint32_t least_iss;
    if (zn__entry_kind(entry) == ZN_ENTRY_CONN) {
        zn__tcp_conn_input(zn__tcp_conn(tcp, index), segment, NULL);
    } else if (zn__entry_kind(entry) == ZN_ENTRY_HALF) {
        zn__tcp_half_input(tcp, index, segment);
    } else if (zn__entry_kind(entry) == ZN_ENTRY_NONE) {
        stray(tcp, segment, NULL);
    } else if (zn__tcp_time_wait_input(tcp, index, segment, &least_iss)) {
        stray(tcp, segment, &least_iss);
    }
}

void zn_tcp_packet(struct zn_tcp *tcp, const struct zn_acc_rx_annotation *annotation,
                   uint8_t *packet, size_t len)
{
    tcp->stats.packets++;
    bool verified = annotation->flags & ZN_RX_CHECKSUM_OK;
    struct zn_packet layers;
    struct zn_segment segment;
    enum zn_packet_kind kind = annotation->reason == ZN_REASON_BAD_PACKET
                                   ? ZN_PACKET_BAD
                                   : zn__packet_parse(packet, len, verified, &layers);
    switch (kind) {
    case ZN_PACKET_TCP:
        if (zn__segment_parse(&layers, verified, &segment) == 0)
            segment_in(tcp, annotation, &segment);
        else
            tcp->stats.drop_bad++;
        break;
    case ZN_PACKET_ARP:
        zn__tcp_arp(tcp, &layers);
        break;
    case ZN_PACKET_ICMP:
        zn__tcp_icmp(tcp, &layers);
        break;
    case ZN_PACKET_ICMP6:
        zn__tcp_icmp6(tcp, &layers);
        break;
    case ZN_PACKET_OTHER:
        tcp->stats.drop_other++;
        break;
    case ZN_PACKET_BAD:
        tcp->stats.drop_bad++;
        break;
    }
}

static void timer_due(struct zn_tcp *tcp, struct zn_timer *timer)
{
    char *at = (char *)timer;
    if (timer->kind == ZN_TIMER_CONN)
        zn__tcp_conn_due((struct zn_tcp_conn *)(at - offsetof(struct zn_tcp_conn, timer)));
    else if (timer->kind == ZN_TIMER_HALF)
        zn__tcp_half_due(tcp, (struct zn_half *)(at - offsetof(struct zn_half, timer)));
    else
        zn__tcp_time_wait_free(tcp,
                               (struct zn_time_wait *)(at - offsetof(struct zn_time_wait, timer)));
}

uint64_t zn_tcp_poll(struct zn_tcp *tcp, uint64_t now_ns)
{
    struct zn_timer *timer;
    tcp->now_us = now_ns / 1000;
    tcp->now_ms = now_ns / 1000000;
    zn__tcp_reap(tcp);
    while ((timer = zn__wheel_pop(&tcp->wheel, tcp->now_ms)) != NULL)
        timer_due(tcp, timer);
    zn_tcp_flush(tcp);
    uint64_t next_ms = zn__wheel_next(&tcp->wheel);
    return next_ms == UINT64_MAX ? UINT64_MAX : next_ms * 1000000;
}
