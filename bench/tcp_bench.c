// SPDX-License-Identifier: Apache-2.0
// How many packets a second does user-space TCP over the accelerator's C model take and make on one
// core? Segments in order, messages out and copies of a broadcast, each with the acknowledgements
// that belong to it; then what an idle connection costs, and to open 100,000.
//
// The peers' packets are used again and again with new numbers; the clock is the bench's own.
#include "micro.h"
#include "soft/soft.h"
#include "tcp/packet.h"
#include "tcp/tcp.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FEW = 1024,
    MANY = 100000,
    BURST = 32,
    HEADERS = 54,
    TCP = 34,
    PACKET_US = 1,
    RECORDS = 1 << 16,
    COMMAND_MAX = 1 << 14,
    PORTS = 50, // of a peer's address
};

static const uint8_t local_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t message_bytes[1460] = { 0x82, 62 };

struct peer {
    struct zn_tcp_conn *conn;
    uint32_t seq, ack; // of its next segment
    uint8_t *packet;
};

struct rig {
    struct zn_tcp *tcp;
    struct zn_soft *soft;
    struct peer *peers;
    uint32_t flows, next;
    uint64_t now_us;
    size_t payload_len;
    uint32_t syn_ack; // number of the last SYN-ACK that left
    uint64_t left, received;
    struct zn_acc_report_record *records;
    unsigned records_len;
};

static void die(const char *what)
{
    fprintf(stderr, "tcp_bench: %s\n", what);
    exit(1);
}

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct rig *rig = user;
    const uint8_t *tcp = (const uint8_t *)iov[0].iov_base + TCP;
    if (iov_len == 1 && iov[0].iov_len > HEADERS && tcp[13] & ZN_TCP_SYN)
        rig->syn_ack = zn__get32(tcp + 4);
    rig->left++;
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct rig *rig = user;
    if (rig->records_len == RECORDS)
        die("too many records");
    rig->records[rig->records_len++] = *record;
}

static void on_command(void *user, const struct zn_acc_command *command, const struct iovec *body,
                       unsigned body_len)
{
    static _Alignas(64) uint8_t message[COMMAND_MAX];
    struct rig *rig = user;
    size_t len = sizeof(*command);
    memcpy(message, command, len);
    for (unsigned i = 0; i < body_len; len += body[i++].iov_len)
        if (body[i].iov_len != 0)
            memcpy(message + len, body[i].iov_base, body[i].iov_len);
    zn_soft_command(rig->soft, message, len);
}

static void on_accepted(void *user, struct zn_tcp_conn *conn)
{
    struct rig *rig = user;
    rig->peers[rig->next].conn = conn;
}

static bool on_received(void *user, struct zn_tcp_conn *conn, const struct zn_tcp_data *data)
{
    (void)conn;
    ((struct rig *)user)->received += data->len;
    return true;
}

static void on_bytes(void *user, struct zn_tcp_conn *conn, size_t len)
{
    (void)user;
    (void)conn;
    (void)len;
}

static void on_unanswered(void *user, struct zn_tcp_conn *conn, uint8_t b0, const uint8_t *payload,
                          size_t len)
{
    (void)b0;
    (void)payload;
    on_bytes(user, conn, len);
}

static void on_conn(void *user, struct zn_tcp_conn *conn)
{
    on_bytes(user, conn, 0);
}

static void on_broke(void *user, struct zn_tcp_conn *conn, int err)
{
    (void)user;
    (void)conn;
    (void)err;
    die("a connection broke");
}

// The turn of a reactor: records, the clock, what became possible.
static void turn(struct rig *rig)
{
    for (unsigned i = 0; i < rig->records_len; i++)
        zn_tcp_record(rig->tcp, &rig->records[i]);
    rig->records_len = 0;
    zn_tcp_poll(rig->tcp, rig->now_us * 1000);
}

static void input(struct rig *rig, uint8_t *packet, size_t len)
{
    struct zn_acc_rx_annotation annotation;
    zn_soft_receive(rig->soft, packet, len, false, true, &annotation);
    zn_tcp_packet(rig->tcp, &annotation, packet, len);
    rig->now_us += PACKET_US;
}

static size_t compose(struct rig *rig, uint32_t i, uint8_t flags, uint32_t payload_len,
                      uint8_t *packet)
{
    struct zn_tcp_link link = { .peer_mac = { 2, 0, 0, 0, 0, 1 } };
    struct zn_tuple tuple = { .peer_address = { 10, 0, 0, 1 } };
    uint8_t payload[1460] = { 0x82, 0xfe };
    if (payload_len < 126 + 6)
        payload[1] = (uint8_t)(0x80 | (payload_len - 6));
    else
        zn__put16(payload + 2, (uint16_t)(payload_len - 8));
    zn__put32(tuple.local_address, 0x0b000000 + i / PORTS);
    zn__put16(tuple.peer_port, 80);
    zn__put16(tuple.local_port, (uint16_t)(40000 + i % PORTS));
    struct zn_segment_out out = {
        .tuple = &tuple,
        .link = &link,
        .local_mac = local_mac,
        .seq = rig->peers[i].seq,
        .ack = rig->peers[i].ack,
        .window = 65535,
        .flags = flags,
        .sack_permitted = true,
        .scale = 7,
        .mss = 1460,
        .payload = payload,
        .payload_len = payload_len,
    };
    size_t headers = zn__segment_compose(&out, packet);
    memcpy(packet + headers, payload, payload_len);
    return headers + payload_len;
}

static void open_all(struct rig *rig)
{
    uint8_t packet[256];
    for (rig->next = 0; rig->next < rig->flows; rig->next++) {
        struct peer *peer = &rig->peers[rig->next];
        peer->seq = rig->next * 2654435761u;
        input(rig, packet, compose(rig, rig->next, ZN_TCP_SYN, 0, packet));
        peer->seq++;
        peer->ack = rig->syn_ack + 1;
        input(rig, packet, compose(rig, rig->next, ZN_TCP_ACK, 0, packet));
        if (rig->next % BURST == BURST - 1)
            turn(rig);
    }
    turn(rig);
    turn(rig);
    rig->next = 0;
    if (zn_tcp_stats(rig->tcp)->conns != rig->flows)
        die("connections were not accepted");
}

static void rig_init(struct rig *rig, uint32_t flows)
{
    *rig = (struct rig){ .flows = flows, .now_us = 1000000 };
    rig->peers = calloc(flows, sizeof(*rig->peers));
    rig->records = calloc(RECORDS, sizeof(*rig->records));
    struct zn_soft_config soft = { .flows = flows,
                                   .members = 64,
                                   .buckets = flows < 4096 ? 4096 : 131072,
                                   .payload_max = 1460,
                                   .packet_max = 2048,
                                   .replies_max = 64,
                                   .sink = { on_wire, on_record, rig } };
    if (rig->peers == NULL || rig->records == NULL || zn_soft_create(&soft, &rig->soft) != 0)
        die("no memory");
    for (uint32_t i = 0, word = 0x6d5a56da; i < 40; i += 4, word = word * 1664525 + 1013904223)
        zn_soft_write(rig->soft, ZN_REG_HASH_KEY + i, word);
    zn_soft_write(rig->soft, ZN_REG_CONTROL, 1);
}

static void tcp_init(struct rig *rig)
{
    struct zn_tcp_config config = {
        .ip4 = { 10, 0, 0, 1 },
        .mtu = 1500,
        .conns_max = rig->flows,
        .half_max = 1024,
        .half_per_source_max = 1024,
        .time_wait_max = 1024,
        .window = 65535,
        .hold_blocks = 1024,
        .secret = { 1, 2 },
        .sink = { on_command, on_accepted, on_received, on_bytes, on_unanswered, on_conn, on_broke,
                  on_conn },
        .user = rig,
    };
    memcpy(config.mac, local_mac, 6);
    if (zn_tcp_create(&config, &rig->tcp) != 0 || zn_tcp_listen(rig->tcp, 80) != 0)
        die("no memory");
    turn(rig);
}

static void rig_deinit(struct rig *rig)
{
    zn_tcp_destroy(rig->tcp);
    zn_soft_destroy(rig->soft);
    for (uint32_t i = 0; i < rig->flows; i++)
        free(rig->peers[i].packet);
    free(rig->peers);
    free(rig->records);
}

// A packet a peer, `payload_len` bytes of one frame in it; treated: by the accelerator.
static void packets_make(struct rig *rig, uint32_t payload_len, bool treated)
{
    struct zn_tcp_offload offload = { .flags = ZN_FLOW_RECEIVE, .max_frame = 1 << 20 };
    rig->payload_len = payload_len;
    for (uint32_t i = 0; i < rig->flows; i++) {
        rig->peers[i].packet = malloc(HEADERS + payload_len);
        if (rig->peers[i].packet == NULL)
            die("no memory");
        compose(rig, i, ZN_TCP_ACK, payload_len, rig->peers[i].packet);
        if (treated)
            zn_tcp_offload(rig->peers[i].conn, &offload);
    }
    turn(rig);
}

// Writes a number into a packet and puts the checksum right by the difference (RFC 1624).
static void renumber(uint8_t *packet, size_t at, uint32_t value)
{
    uint32_t before, after;
    uint16_t sum;
    zn__put32((uint8_t *)&after, value);
    memcpy(&before, packet + at, 4);
    memcpy(&sum, packet + TCP + 16, 2);
    uint64_t rest = (uint64_t)(uint16_t)~sum + (uint32_t)~before + after;
    sum = zn__sum_finish(rest);
    memcpy(packet + at, &after, 4);
    memcpy(packet + TCP + 16, &sum, 2);
}

static struct peer *next_peer(struct rig *rig)
{
    struct peer *peer = &rig->peers[rig->next];
    rig->next = rig->next + 1 < rig->flows ? rig->next + 1 : 0;
    return peer;
}

static void run_receive(void *arg, size_t times)
{
    struct rig *rig = arg;
    for (size_t i = 0; i < times; i++) {
        struct peer *peer = next_peer(rig);
        renumber(peer->packet, TCP + 4, peer->seq);
        peer->seq += (uint32_t)rig->payload_len;
        input(rig, peer->packet, HEADERS + rig->payload_len);
        if (i % BURST == BURST - 1)
            turn(rig);
    }
    turn(rig);
}

static void acknowledge(struct rig *rig, struct peer *peer)
{
    peer->ack += 64;
    renumber(peer->packet, TCP + 8, peer->ack);
    input(rig, peer->packet, HEADERS);
}

// BURST messages, and then their acknowledgements.
static void run_send(void *arg, size_t times)
{
    struct rig *rig = arg;
    struct iovec iov[2] = { { (void *)message_bytes, 2 }, { (void *)(message_bytes + 2), 62 } };
    for (size_t i = 0; i < times; i += BURST) {
        uint32_t first = rig->next;
        for (unsigned k = 0; k < BURST; k++)
            if (zn_tcp_send(next_peer(rig)->conn, iov, 2) != 0)
                die("a message was not taken");
        turn(rig);
        turn(rig);
        rig->next = first;
        for (unsigned k = 0; k < BURST; k++)
            acknowledge(rig, next_peer(rig));
        turn(rig);
    }
}

// A broadcast to all connections, then an acknowledgement from each. `times` counts copies.
static void run_broadcast(void *arg, size_t times)
{
    static struct zn_tcp_conn *conns[MANY];
    static int results[MANY];
    struct rig *rig = arg;
    for (uint32_t i = 0; i < rig->flows; i++)
        conns[i] = rig->peers[i].conn;
    for (size_t i = 0; i < times; i += rig->flows) {
        zn_tcp_broadcast(rig->tcp, conns, rig->flows, message_bytes, 64, results);
        turn(rig);
        for (uint32_t k = 0; k < rig->flows; k++) {
            acknowledge(rig, next_peer(rig));
            if (k % BURST == BURST - 1)
                turn(rig);
        }
        turn(rig);
    }
}

static void bench(const char *what, micro_fn fn, uint32_t payload_len, bool treated)
{
    struct rig rig;
    rig_init(&rig, FEW);
    tcp_init(&rig);
    open_all(&rig);
    packets_make(&rig, payload_len, treated);
    struct micro_figure f = micro_measure(fn, &rig);
    const struct zn_tcp_stats *stats = zn_tcp_stats(rig.tcp);
    if (stats->retransmitted + stats->drop_bad + stats->drop_out_of_window + stats->drop_bad_ack !=
            0 ||
        stats->bytes_in != rig.received || stats->bytes_in + stats->bytes_out == 0)
        die("the conversation was not as it should be");
    if ((zn_soft_read(rig.soft, ZN_REG_COUNTERS) != 0) != treated)
        die("packets were not treated, or were");
    printf("%-58s %7.2f million/s %7.1f ns (half of samples %.1f to %.1f, p99 %.1f)\n", what,
           1e3 / f.median, f.median, f.low, f.high, f.p99);
    rig_deinit(&rig);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench_open(void)
{
    struct rig rig;
    rig_init(&rig, MANY);
    size_t before = heap_bytes();
    tcp_init(&rig);
    double start = cpu_s();
    open_all(&rig);
    double took = cpu_s() - start;
    printf("open %d connections: %.3f s, %.2f us each\n", MANY, took, took * 1e6 / MANY);
    size_t idle = heap_bytes() - before;
    packets_make(&rig, 0, false);
    before = heap_bytes();
    run_send(&rig, MANY);
    printf("memory of an idle connection: %.0f bytes, tables and 1.5 MB of input blocks included; "
           "%.0f once it has sent\n",
           (double)idle / MANY, (double)(idle + heap_bytes() - before) / MANY);
    rig_deinit(&rig);
}

int main(void)
{
    micro_print_machine();
    printf("%d connections, one thread; with the acknowledgements that belong to it\n", FEW);
    bench("segment of 64 in, treated", run_receive, 64, true);
    bench("segment of 1460 in, treated", run_receive, 1460, true);
    bench("segment of 64 in, as it came", run_receive, 64, false);
    bench("segment of 1460 in, as it came", run_receive, 1460, false);
    bench("message of 64 out", run_send, 0, false);
    bench("copy of a broadcast of 64 out", run_broadcast, 0, false);
    bench_open();
    return 0;
}
