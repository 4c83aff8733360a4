// SPDX-License-Identifier: Apache-2.0
#include "tcp_rig.h"

#include "tcp/stack.h"

#include <stdlib.h>
#include <string.h>

const uint8_t tcp_rig_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t server_ip6[16] = { 0xfd, [15] = 1 };

const uint8_t *tcp_rig_stream(void)
{
    static uint8_t stream[1 << 20];
    static bool made;
    for (size_t i = 0; !made && i < sizeof(stream); i++)
        stream[i] = tcp_rig_byte(i);
    made = true;
    return stream;
}

static struct tcp_rig_conn *find(struct tcp_rig *rig, const struct zn_tcp_conn *conn)
{
    for (unsigned i = rig->conns_len; i-- > 0;)
        if (rig->conns[i].conn == conn)
            return &rig->conns[i];
    abort();
}

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct tcp_rig *rig = user;
    if (rig->count == TCP_RIG_PACKETS)
        abort();
    struct tcp_rig_packet *packet = &rig->packets[(rig->first + rig->count++) % TCP_RIG_PACKETS];
    packet->len = 0;
    for (unsigned i = 0; i < iov_len; i++) {
        if (packet->len + iov[i].iov_len > sizeof(packet->bytes))
            abort();
        if (iov[i].iov_len != 0)
            memcpy(packet->bytes + packet->len, iov[i].iov_base, iov[i].iov_len);
        packet->len += iov[i].iov_len;
    }
    packet->at_us = rig->now_us;
    packet->segment = (struct zn_segment){ 0 };
    struct zn_packet layers;
    if (zn__packet_parse(packet->bytes, packet->len, false, &layers) == ZN_PACKET_TCP &&
        zn__segment_parse(&layers, false, &packet->segment) != 0)
        abort(); // what leaves has good checksums
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct tcp_rig *rig = user;
    if (rig->records_len == TCP_RIG_RECORDS)
        abort();
    rig->records[rig->records_len++] = *record;
}

void tcp_rig_records(struct tcp_rig *rig)
{
    // A record may lead to commands, and those to records.
    for (unsigned i = 0; i < rig->records_len; i++)
        zn_tcp_record(rig->tcp, &rig->records[i]);
    rig->records_len = 0;
    zn_tcp_flush(rig->tcp);
}

static void settle(struct tcp_rig *rig)
{
    zn_tcp_flush(rig->tcp);
    while (!rig->hold_records && rig->records_len != 0)
        tcp_rig_records(rig);
}

static void on_command(void *user, const struct zn_acc_command *command, const struct iovec *body,
                       unsigned body_len)
{
    struct tcp_rig *rig = user;
    static uint8_t message[1 << 17];
    size_t len = sizeof(*command);
    memcpy(message, command, len);
    for (unsigned i = 0; i < body_len; i++) {
        if (body[i].iov_len != 0)
            memcpy(message + len, body[i].iov_base, body[i].iov_len);
        len += body[i].iov_len;
    }
    rig->commands[command->kind & 31]++;
    zn_soft_command(rig->soft, message, len);
}

static void on_accepted(void *user, struct zn_tcp_conn *conn)
{
    struct tcp_rig *rig = user;
    if (rig->conns_len == 64)
        abort();
    const uint8_t *port = zn_tcp_tuple(conn)->peer_port;
    rig->conns[rig->conns_len++] = (struct tcp_rig_conn){
        .conn = conn, .accepted = true, .number = zn__get16(port) - TCP_RIG_PEER_PORT
    };
    if (rig->unwanted)
        zn_tcp_want(conn, false);
}

static bool on_received(void *user, struct zn_tcp_conn *conn, const struct zn_tcp_data *data)
{
    struct tcp_rig *rig = user;
    struct tcp_rig_conn *c = find(rig, conn);
    if (rig->received != NULL)
        return rig->received(rig->user, c, data);
    for (size_t i = 0; rig->check_pattern && i < data->len; i++)
        rig->bad_bytes += data->bytes[i] != tcp_rig_byte(c->received + i);
    c->received += data->len;
    return true;
}

static void on_sent(void *user, struct zn_tcp_conn *conn, size_t len)
{
    find(user, conn)->sent += len;
}

static void on_unanswered(void *user, struct zn_tcp_conn *conn, uint8_t b0, const uint8_t *payload,
                          size_t len)
{
    struct tcp_rig *rig = user;
    struct tcp_rig_conn *c = find(rig, conn);
    c->unanswered++;
    if (rig->unanswered != NULL)
        rig->unanswered(rig->user, c, b0, payload, len);
}

static void on_ended(void *user, struct zn_tcp_conn *conn)
{
    find(user, conn)->ended = true;
}

static void on_broke(void *user, struct zn_tcp_conn *conn, int err)
{
    find(user, conn)->broke = err;
}

static void on_closed(void *user, struct zn_tcp_conn *conn)
{
    find(user, conn)->closed = true;
    find(user, conn)->conn = NULL;
}

struct zn_tcp_config tcp_rig_config(void)
{
    struct zn_tcp_config config = {
        .ip4 = { 10, 0, 0, 1 },
        .mtu = TCP_RIG_MTU,
        .conns_max = 64,
        .half_max = 32,
        .half_per_source_max = 32,
        .time_wait_max = 32,
        .window = 65535,
        .hold_blocks = 64,
        .secret = { 0x0123456789abcdef, 0xfedcba9876543210 },
    };
    memcpy(config.mac, tcp_rig_mac, 6);
    memcpy(config.ip6, server_ip6, 16);
    return config;
}

void tcp_rig_init(struct tcp_rig *rig, const struct zn_tcp_config *base)
{
    *rig = (struct tcp_rig){ .now_us = 1000000, .check_pattern = true };
    rig->packets = malloc(TCP_RIG_PACKETS * sizeof(*rig->packets));
    struct zn_tcp_config config = *base;
    config.user = rig;
    config.sink = (struct zn_tcp_sink){
        .command = on_command,
        .accepted = on_accepted,
        .received = on_received,
        .sent = on_sent,
        .unanswered = on_unanswered,
        .ended = on_ended,
        .broke = on_broke,
        .closed = on_closed,
    };
    struct zn_soft_config soft = {
        .flows = config.conns_max,
        .members = 64,
        .buckets = 256,
        .payload_max = 9000,
        .packet_max = 9216,
        .replies_max = 16,
        .sink = { on_wire, on_record, rig },
    };
    if (rig->packets == NULL || zn_soft_create(&soft, &rig->soft) != 0 ||
        zn_tcp_create(&config, &rig->tcp) != 0 || zn_tcp_listen(rig->tcp, TCP_RIG_PORT) != 0)
        abort();
    uint32_t mac[2] = { 0 };
    memcpy(mac, tcp_rig_mac, 6);
    zn_soft_write(rig->soft, ZN_REG_LOCAL_MAC, mac[0]);
    zn_soft_write(rig->soft, ZN_REG_LOCAL_MAC + 4, mac[1]);
    zn_soft_write(rig->soft, ZN_REG_HOP, 64);
    zn_soft_write(rig->soft, ZN_REG_RATE_PERIOD, 10);
    zn_soft_write(rig->soft, ZN_REG_CONTROL, 7);
    for (uint32_t i = 0; i < 40; i += 4)
        zn_soft_write(rig->soft, ZN_REG_HASH_KEY + i, 0x6d5a56da * (i + 1));
    tcp_rig_advance(rig, rig->now_us);
}

void tcp_rig_deinit(struct tcp_rig *rig)
{
    zn_tcp_destroy(rig->tcp);
    zn_soft_destroy(rig->soft);
    free(rig->packets);
}

void tcp_rig_iss(struct tcp_rig *rig, unsigned n, bool v6, uint32_t iss)
{
    struct zn_tuple sent, tuple = { 0 };
    struct zn_tcp_link link;
    tcp_rig_peer(n, v6, &sent, &link);
    memcpy(tuple.peer_address, sent.local_address, sizeof(tuple.peer_address));
    memcpy(tuple.local_address, sent.peer_address, sizeof(tuple.local_address));
    memcpy(tuple.peer_port, sent.local_port, sizeof(tuple.peer_port));
    memcpy(tuple.local_port, sent.peer_port, sizeof(tuple.local_port));
    uint32_t ahead = iss - zn__tcp_isn(rig->tcp, &tuple); // it moves by one in 4 us (RFC 6528)
    tcp_rig_advance(rig, rig->now_us + 4ull * ahead);
}

void tcp_rig_advance(struct tcp_rig *rig, uint64_t to_us)
{
    for (;;) {
        zn_soft_set_time(rig->soft, (uint32_t)(rig->now_us / 1000));
        uint64_t next_ns = zn_tcp_poll(rig->tcp, rig->now_us * 1000);
        zn_soft_poll(rig->soft, 64);
        settle(rig);
        if (rig->now_us >= to_us)
            return;
        uint64_t next_us = next_ns / 1000;
        rig->now_us = next_us > rig->now_us && next_us < to_us ? next_us : to_us;
    }
}

void tcp_rig_inject(struct tcp_rig *rig, const uint8_t *bytes, size_t len)
{
    uint8_t packet[TCP_RIG_MTU + 128];
    struct zn_acc_rx_annotation annotation;
    if (len > sizeof(packet))
        abort();
    memcpy(packet, bytes, len);
    zn_soft_receive(rig->soft, packet, len, false, true, &annotation);
    zn_tcp_packet(rig->tcp, &annotation, packet, len);
    zn_soft_poll(rig->soft, 0);
    settle(rig);
}

// Puts option bytes behind the TCP header, and makes lengths and checksums right again.
static size_t insert_options(uint8_t *packet, size_t len, bool v6, const uint8_t *options,
                             size_t options_len)
{
    uint8_t *ip = packet + 14, *tcp = ip + (v6 ? 40 : 20);
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    memmove(tcp + header + options_len, tcp + header, len - (size_t)(tcp + header - packet));
    memcpy(tcp + header, options, options_len);
    len += options_len;
    tcp[12] = (uint8_t)((header + options_len) / 4 << 4);
    memset(tcp + 16, 0, 2);
    size_t tcp_len = len - (size_t)(tcp - packet);
    uint8_t pseudo[8] = { 0, 0, (uint8_t)(tcp_len >> 8), (uint8_t)tcp_len, 0, 0, 0, 6 };
    uint64_t sum = zn__sum_add(0, pseudo, sizeof(pseudo));
    if (v6) {
        zn__put16(ip + 4, (uint16_t)tcp_len);
        sum = zn__sum_add(sum, ip + 8, 32);
    } else {
        zn__put16(ip + 2, (uint16_t)(20 + tcp_len));
        memset(ip + 10, 0, 2);
        uint16_t ip_sum = zn__sum_finish(zn__sum_add(0, ip, 20));
        memcpy(ip + 10, &ip_sum, 2);
        sum = zn__sum_add(sum, ip + 12, 8);
    }
    uint16_t tcp_sum = zn__sum_finish(zn__sum_add(sum, tcp, tcp_len));
    memcpy(tcp + 16, &tcp_sum, 2);
    return len;
}

void tcp_rig_segment(struct tcp_rig *rig, const struct zn_segment_out *out, const uint8_t *options,
                     size_t options_len)
{
    uint8_t packet[TCP_RIG_MTU + 128];
    size_t len = zn__segment_compose(out, packet);
    if (len + out->payload_len + options_len > sizeof(packet))
        abort();
    if (out->payload_len != 0)
        memcpy(packet + len, out->payload, out->payload_len);
    len += out->payload_len;
    if (options_len != 0)
        len = insert_options(packet, len, out->link->v6, options, options_len);
    tcp_rig_inject(rig, packet, len);
}

struct tcp_rig_packet *tcp_rig_take(struct tcp_rig *rig)
{
    if (rig->count == 0)
        return NULL;
    struct tcp_rig_packet *packet = &rig->packets[rig->first];
    rig->first = (rig->first + 1) % TCP_RIG_PACKETS;
    rig->count--;
    return packet;
}

void tcp_rig_peer(unsigned n, bool v6, struct zn_tuple *tuple, struct zn_tcp_link *link)
{
    *tuple = (struct zn_tuple){ 0 };
    *link = (struct zn_tcp_link){ .v6 = v6 };
    memcpy(link->peer_mac, tcp_rig_mac, 6);
    // As the peer sends: its own end is the local one.
    if (v6) {
        memcpy(tuple->peer_address, server_ip6, 16);
        memcpy(tuple->local_address, (uint8_t[16]){ 0xfd, [15] = 2 }, 16);
    } else {
        memcpy(tuple->peer_address, (uint8_t[]){ 10, 0, 0, 1 }, 4);
        memcpy(tuple->local_address, (uint8_t[]){ 10, 0, 0, 2 }, 4);
    }
    zn__put16(tuple->peer_port, TCP_RIG_PORT);
    zn__put16(tuple->local_port, (uint16_t)(TCP_RIG_PEER_PORT + n));
}
