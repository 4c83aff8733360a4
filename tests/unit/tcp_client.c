// SPDX-License-Identifier: Apache-2.0
#include "tcp_client.h"

#include "soft_packet.h"

#include <string.h>

enum { RTO_US = 300000, BACKOFF_MAX = 3, DELAY_US = 30000, FLIGHT = 48 * 1024, SCALE = 5 };

void tcp_client_init(struct tcp_client *client, unsigned n,
                     const struct tcp_client_options *options, tcp_client_emit_fn emit, void *user)
{
    *client = (struct tcp_client){
        .options = *options, .seed = n + 1, .fin_at = SIZE_MAX, .emit = emit, .user = user
    };
    tcp_rig_peer(n, options->v6, &client->tuple, &client->link);
}

// What the application has not read takes room; one that shrinks forgets what it promised.
static size_t window_edge(struct tcp_client *client)
{
    size_t window = client->options.window;
    if (client->options.shrinks && soft_random(&client->seed) % 8 == 0)
        window = soft_random(&client->seed) % 3 == 0 ? 0 : window / 4;
    return client->read + window;
}

// Up to four blocks of what came out of order, the newest first.
static unsigned sack_blocks(const struct tcp_client *client, struct zn_sack_block *blocks)
{
    unsigned count = 0;
    uint32_t base = client->peer_isn + 1;
    size_t end = client->in_len + client->options.window + 1;
    for (size_t at = client->in_len; at < end && at < client->in_room && count < 4; at++) {
        if (!client->have[at])
            continue;
        size_t from = at;
        while (at < client->in_room && client->have[at])
            at++;
        blocks[count++] = (struct zn_sack_block){ base + (uint32_t)from, base + (uint32_t)at };
        if (from <= client->newest && client->newest < at) {
            struct zn_sack_block first = blocks[0];
            blocks[0] = blocks[count - 1];
            blocks[count - 1] = first;
        }
    }
    return count;
}

static void emit(struct tcp_client *client, size_t at, size_t len, uint8_t flags)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
    struct zn_sack_block blocks[4];
    size_t edge = window_edge(client);
    size_t window = edge > client->in_len ? edge - client->in_len : 0;
    uint8_t scale = client->options.scale && client->open ? SCALE : 0;
    window >>= scale;
    window = window < UINT16_MAX ? window : UINT16_MAX;
    edge = client->in_len + (window << scale);
    client->edge = client->edge > edge ? client->edge : edge;
    bool fin = client->fin_at == client->in_len;
    struct zn_segment_out out = {
        .tuple = &client->tuple,
        .link = &client->link,
        .local_mac = mac,
        .seq = client->options.isn + 1 + (uint32_t)at,
        .ack = client->open ? client->peer_isn + 1 + (uint32_t)client->in_len + fin : 0,
        .window = (uint16_t)window,
        .flags = flags,
        .scale = 255,
        .payload = client->out + at,
        .payload_len = (uint32_t)len,
    };
    if (client->options.sack && client->open)
        out.sack_blocks = (uint8_t)sack_blocks(client, blocks);
    out.sack = blocks;
    if (flags & ZN_TCP_SYN) {
        out.seq--;
        out.mss = client->options.mss;
        out.scale = client->options.scale ? SCALE : 255;
        out.sack_permitted = client->options.sack;
    }
    client->ack_at_us = 0;
    client->unacked = 0;
    client->emit(client->user, &out);
}

static size_t end_of(const struct tcp_client *client)
{
    return client->out_len + client->fin;
}

static void arm(struct tcp_client *client)
{
    client->resend_at_us = client->now_us + ((uint64_t)RTO_US << client->backoff);
}

// The segment at `at`, as long as it may be.
static size_t emit_at(struct tcp_client *client, size_t at, size_t edge)
{
    // With all options there is less room in the packet.
    size_t len = at < client->out_len ? client->out_len - at : 0;
    size_t most = client->options.mss - (client->options.sack ? 36u : 0);
    len = len < most ? len : most;
    len = at + len <= edge ? len : edge - at;
    bool fin = client->fin && at + len == client->out_len && at + len < edge;
    emit(client, at, len, (uint8_t)(ZN_TCP_ACK | (fin ? ZN_TCP_FIN : ZN_TCP_PSH)));
    return len + fin;
}

static void send_new(struct tcp_client *client)
{
    size_t edge = client->acked + FLIGHT;
    edge = edge < client->peer_edge ? edge : client->peer_edge;
    edge = edge < end_of(client) ? edge : end_of(client);
    while (client->next < edge) {
        client->next += emit_at(client, client->next, edge);
        if (client->resend_at_us == 0)
            arm(client);
    }
    client->furthest = client->next > client->furthest ? client->next : client->furthest;
    // A closed window is asked for.
    if (client->next == client->acked && client->next < end_of(client) && client->resend_at_us == 0)
        arm(client);
}

static void resend_due(struct tcp_client *client)
{
    client->backoff += client->backoff < BACKOFF_MAX;
    if (!client->open) {
        emit(client, 0, 0, ZN_TCP_SYN);
    } else {
        client->next = client->acked;
        size_t edge = client->peer_edge > client->acked ? client->peer_edge : client->acked + 1;
        edge = edge < end_of(client) ? edge : end_of(client);
        if (client->next < edge)
            client->next += emit_at(client, client->next, edge);
        client->furthest = client->next > client->furthest ? client->next : client->furthest;
    }
    arm(client);
}

void tcp_client_tick(struct tcp_client *client, uint64_t now_us)
{
    bool first = client->now_us == 0;
    client->now_us = now_us;
    if (client->reset)
        return;
    if (first) {
        emit(client, 0, 0, ZN_TCP_SYN);
        arm(client);
    }
    if (client->resend_at_us != 0 && now_us >= client->resend_at_us)
        resend_due(client);
    if (client->open)
        send_new(client);
    if (client->ack_at_us != 0 && now_us >= client->ack_at_us)
        emit(client, client->next, 0, ZN_TCP_ACK);
}

static void take_ack(struct tcp_client *client, const struct zn_segment *segment)
{
    size_t acked = client->acked +
                   (uint32_t)(segment->ack - client->options.isn - 1 - (uint32_t)client->acked);
    if (acked > client->furthest && (int32_t)(acked - client->acked) >= 0) {
        client->wrong = "acknowledges what was not sent";
        return;
    }
    if (acked > client->furthest)
        return; // an old one
    client->peer_edge = acked + ((size_t)segment->window << client->peer_scale);
    if (acked > client->acked) {
        client->acked = acked;
        client->next = client->next > acked ? client->next : acked;
        client->dup_acks = client->backoff = 0;
        client->resend_at_us = 0;
        if (client->next > acked)
            arm(client);
    } else if (segment->payload_len == 0 && client->next > acked && ++client->dup_acks == 3) {
        emit_at(client, acked, client->next);
    }
}

static void take_text(struct tcp_client *client, const struct zn_segment *segment)
{
    size_t at = client->in_len +
                (size_t)(int32_t)(segment->seq - client->peer_isn - 1 - (uint32_t)client->in_len);
    size_t len = segment->payload_len;
    if ((int64_t)at >= 0 && at + len > client->edge)
        client->wrong = "sends beyond the window";
    for (size_t i = 0; i < len; i++) {
        size_t place = at + i;
        if ((int64_t)place < 0 || place >= client->in_room)
            continue;
        if (client->have[place] && client->in[place] != segment->payload[i])
            client->wrong = "sends other bytes the second time";
        client->in[place] = segment->payload[i];
        client->have[place] = 1;
        client->newest = place;
    }
    if (segment->flags & ZN_TCP_FIN)
        client->fin_at = at + len;
    size_t before = client->in_len;
    while (client->in_len < client->in_room && client->have[client->in_len])
        client->in_len++;
    bool in_order = before == at && client->in_len == at + len;
    if (!in_order || segment->flags & ZN_TCP_FIN || !client->options.delayed_ack ||
        ++client->unacked >= 2)
        emit(client, client->next, 0, ZN_TCP_ACK);
    else if (client->ack_at_us == 0)
        client->ack_at_us = client->now_us + DELAY_US;
}

void tcp_client_input(struct tcp_client *client, const struct zn_segment *segment)
{
    if (client->reset)
        return;
    if (!client->open) {
        if ((segment->flags & (ZN_TCP_SYN | ZN_TCP_ACK | ZN_TCP_RST)) !=
                (ZN_TCP_SYN | ZN_TCP_ACK) ||
            segment->ack != client->options.isn + 1)
            return;
        client->open = true;
        client->peer_isn = segment->seq;
        client->peer_scale = segment->has_scale ? segment->scale : 0;
        client->options.scale = segment->has_scale;
        client->options.sack = segment->sack_permitted;
        client->peer_edge = segment->window;
        client->resend_at_us = client->backoff = 0;
        emit(client, 0, 0, ZN_TCP_ACK);
        return;
    }
    if (segment->flags & ZN_TCP_RST) {
        client->reset = !tcp_client_done(client); // else it is in TIME_WAIT, or beyond
        return;
    }
    if (segment->flags & ZN_TCP_ACK && !(segment->flags & ZN_TCP_SYN))
        take_ack(client, segment);
    bool old = (int32_t)(segment->seq - client->peer_isn - 1 - (uint32_t)client->in_len) < 0;
    if (segment->payload_len != 0 || segment->flags & ZN_TCP_FIN)
        take_text(client, segment);
    else if (old || segment->flags & ZN_TCP_SYN)
        emit(client, client->next, 0, ZN_TCP_ACK);
}

void tcp_client_abort(struct tcp_client *client)
{
    if (client->open && !client->reset)
        emit(client, client->next, 0, ZN_TCP_RST | ZN_TCP_ACK);
    client->reset = true;
}

bool tcp_client_done(const struct tcp_client *client)
{
    return client->fin_at == client->in_len && client->acked == end_of(client);
}
