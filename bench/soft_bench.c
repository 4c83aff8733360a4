// SPDX-License-Identifier: Apache-2.0
// How many packets a second does the accelerator's C model take and make on one core? Receive:
// checksums, flow table, delineation and unmasking of packets that are all treated. Transmit:
// segments and copies of a broadcast, each copied to a packet buffer as a port would.
//
// Packets are used again and again: their frames are masked with a key of zeros, which changes
// nothing but costs the same, and each gets the sequence number that its flow waits for, which is
// measured too.
#include "micro.h"
#include "proto/simd.h"
#include "soft/checksum.h"
#include "soft/soft.h"
#include "soft/wire.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FEW = 1024,
    MANY = 262144,
    HEADERS = 54,
    TCP = 34,
    BURST = 32,
    BUFFERS = 256,
    BUFFER = 2048
};

struct rig {
    struct zn_soft *soft;
    uint32_t flows;
    uint8_t *packets; // one a flow, stride bytes each
    size_t stride, packet_len;
    uint32_t next; // flow
    uint32_t sent; // packets
    uint8_t *message;
    size_t message_len;
};

static _Alignas(64) uint8_t buffers[BUFFERS][BUFFER];
static uint64_t records;

static void die(const char *what)
{
    fprintf(stderr, "soft_bench: %s\n", what);
    exit(1);
}

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct rig *rig = user;
    uint8_t *out = buffers[rig->sent++ % BUFFERS];
    for (unsigned i = 0; i < iov_len; i++) {
        memcpy(out, iov[i].iov_base, iov[i].iov_len);
        out += iov[i].iov_len;
    }
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    (void)user;
    records += record->reason == ZN_REASON_OK;
}

static void address_make(uint32_t flow, struct zn_acc_flow_address *address)
{
    memset(address, 0, sizeof(*address));
    address->ip_version = 4;
    zn__store_be32(address->peer_address, 0x0a000000 + (flow >> 4));
    zn__store_be32(address->local_address, 0xc0a80001);
    zn__store_be16(address->peer_port, (uint16_t)(40000 + (flow & 15)));
    zn__store_be16(address->local_port, 443);
}

static void add(struct rig *rig, uint32_t flow)
{
    uint8_t message[sizeof(struct zn_acc_command) + sizeof(struct zn_acc_flow_address)];
    struct zn_acc_flow_address address;
    struct zn_acc_command command = { .kind = ZN_MSG_ADD,
                                      .version = ZN_CONTRACT_VERSION,
                                      .flow_flags =
                                          ZN_FLOW_RECEIVE | ZN_FLOW_ENGINE | ZN_FLOW_ANSWER,
                                      .flow = flow,
                                      .limit = INT32_MAX,
                                      .max_frame = 1 << 30,
                                      .mss = 1460 };
    address_make(flow, &address);
    memcpy(message, &command, sizeof(command));
    memcpy(message + sizeof(command), &address, sizeof(address));
    zn_soft_command(rig->soft, message, sizeof(message));
}

static void rig_init(struct rig *rig, uint32_t flows)
{
    *rig = (struct rig){ .flows = flows };
    struct zn_soft_config config = { .flows = flows,
                                     .buckets = flows,
                                     .payload_max = 1460,
                                     .packet_max = 2048,
                                     .sink = { on_wire, on_record, rig } };
    if (zn_soft_create(&config, &rig->soft) != 0)
        die("no memory");
    for (uint32_t i = 0, word = 0x6d5a56da; i < 40; i += 4, word = word * 1664525 + 1013904223)
        zn_soft_write(rig->soft, ZN_REG_HASH_KEY + i, word);
    zn_soft_write(rig->soft, ZN_REG_CONTROL, 1);
    records = 0;
    for (uint32_t flow = 0; flow < flows; flow++)
        add(rig, flow);
    if (records < 2 * (uint64_t)flows - flows / 100) // a few may find their bucket full
        die("flows were not added");
}

static void rig_deinit(struct rig *rig)
{
    zn_soft_destroy(rig->soft);
    free(rig->packets);
    free(rig->message);
}

// One packet a flow, in an order that no prefetcher guesses, with `payload_len` bytes of frames of
// `frame_len`, the last one longer.
static void packets_make(struct rig *rig, size_t payload_len, size_t frame_len)
{
    rig->packet_len = HEADERS + payload_len;
    rig->stride = (rig->packet_len + 63) / 64 * 64;
    rig->packets = aligned_alloc(64, rig->stride * rig->flows);
    if (rig->packets == NULL)
        die("no memory");
    memset(rig->packets, 0, rig->stride * rig->flows);
    for (uint32_t i = 0; i < rig->flows; i++) {
        uint8_t *p = rig->packets + i * rig->stride, *payload = p + HEADERS;
        struct zn_acc_flow_address address;
        address_make(i * 0x9e3779b1 % rig->flows, &address);
        zn__store_be16(p + 12, ZN__TYPE_IPV4);
        p[14] = 0x45;
        zn__store_be16(p + 16, (uint16_t)(rig->packet_len - 14));
        p[22] = 64;
        p[23] = ZN__PROTOCOL_TCP;
        memcpy(p + 26, address.peer_address, 4);
        memcpy(p + 30, address.local_address, 4);
        uint16_t sum = (uint16_t)~zn__soft_sum_fold(zn__soft_sum(p + 14, 20));
        memcpy(p + 24, &sum, 2);
        memcpy(p + TCP, address.peer_port, 2);
        memcpy(p + TCP + 2, address.local_port, 2);
        p[TCP + 12] = 0x50;
        p[TCP + 13] = ZN__TCP_ACK;
        for (size_t at = 0, len; at < payload_len; at += len) {
            len = payload_len - at < 2 * frame_len ? payload_len - at : frame_len;
            bool small = len - 6 < 126;
            payload[at] = 0x82;
            payload[at + 1] = (uint8_t)(0x80 | (small ? len - 6 : 126));
            if (!small)
                zn__store_be16(payload + at + 2, (uint16_t)(len - 8));
        }
        uint64_t tcp_sum = zn__soft_sum(p + 26, rig->packet_len - 26);
        tcp_sum += zn__be16(ZN__PROTOCOL_TCP);
        tcp_sum += zn__be16((uint16_t)(rig->packet_len - TCP));
        sum = (uint16_t)~zn__soft_sum_fold(tcp_sum);
        memcpy(p + TCP + 16, &sum, 2);
    }
}

// Moves a packet's sequence number on; the checksum is put right by the difference (RFC 1624).
static void renumber(uint8_t *packet, uint32_t payload_len)
{
    uint32_t before, after;
    uint16_t sum;
    memcpy(&before, packet + TCP + 4, 4);
    memcpy(&sum, packet + TCP + 16, 2);
    after = zn__be32(zn__be32(before) + payload_len);
    sum = (uint16_t)~zn__soft_sum_fold((uint64_t)(uint16_t)~sum + (uint32_t)~before + after);
    memcpy(packet + TCP + 4, &after, 4);
    memcpy(packet + TCP + 16, &sum, 2);
}

// Bursts, as a port hands them out; `times` is rounded up to whole ones.
static void run_receive(void *arg, size_t times)
{
    struct rig *rig = arg;
    struct zn_acc_rx_annotation annotations[BURST];
    struct zn_soft_packet burst[BURST];
    for (size_t i = 0; i < times; i += BURST) {
        for (unsigned k = 0; k < BURST; k++) {
            uint8_t *packet = rig->packets + rig->next * rig->stride;
            burst[k] = (struct zn_soft_packet){ packet, rig->packet_len, false, &annotations[k] };
            rig->next = rig->next + 1 < rig->flows ? rig->next + 1 : 0;
        }
        zn_soft_receive_burst(rig->soft, burst, BURST, true);
        for (unsigned k = 0; k < BURST; k++)
            renumber(burst[k].data, (uint32_t)(rig->packet_len - HEADERS));
    }
}

static void run_segments(void *arg, size_t times)
{
    struct rig *rig = arg;
    struct zn_acc_command command;
    memcpy(&command, rig->message, sizeof(command));
    for (size_t i = 0; i < times; i++) {
        command.flow = rig->next;
        memcpy(rig->message, &command, sizeof(command));
        zn_soft_command(rig->soft, rig->message, rig->message_len);
        rig->next = rig->next + 1 < rig->flows ? rig->next + 1 : 0;
    }
}

// Copies of one broadcast after the other.
static void run_copies(void *arg, size_t times)
{
    struct rig *rig = arg;
    for (size_t i = 0; i < times; i++) {
        if (zn_soft_copy(rig->soft))
            continue;
        zn_soft_command_tx(rig->soft, rig->message, rig->message_len);
        zn_soft_copy(rig->soft);
    }
}

static void message_make(struct rig *rig, enum zn_acc_msg kind, uint16_t length, uint16_t ids)
{
    struct zn_acc_command command = {
        .kind = (uint8_t)kind, .version = ZN_CONTRACT_VERSION, .length = length, .ids = ids
    };
    size_t words_at = sizeof(command) + (length + 63u) / 64 * 64;
    rig->message_len = words_at + ids * 4u;
    rig->message = calloc(1, rig->message_len);
    if (rig->message == NULL)
        die("no memory");
    memcpy(rig->message, &command, sizeof(command));
    memset(rig->message + sizeof(command), 'x', length);
    for (uint32_t i = 0, word = 1; i < ids; i++, word = word * 1664525 + 1013904223) {
        uint32_t flow = (uint32_t)((uint64_t)word * rig->flows >> 32);
        memcpy(rig->message + words_at + 4 * i, &flow, 4);
    }
}

static void print_row(const char *what, struct micro_figure f, size_t bytes)
{
    printf(
        "%-58s %7.2f million/s %7.1f Gbit/s  %7.1f ns (half of samples %.1f to %.1f, p99 %.1f)\n",
        what, 1e3 / f.median, 8 * (double)bytes / f.median, f.median, f.low, f.high, f.p99);
}

static void bench_receive(const char *what, uint32_t flows, size_t payload_len, size_t frame_len)
{
    struct rig rig;
    rig_init(&rig, flows);
    packets_make(&rig, payload_len, frame_len);
    struct micro_figure f = micro_measure(run_receive, &rig);
    uint32_t all = zn_soft_read(rig.soft, ZN_REG_COUNTERS + ZN_COUNTER_RX_PACKETS * 4);
    uint32_t treated = zn_soft_read(rig.soft, ZN_REG_COUNTERS);
    if (treated < all - all / 100)
        die("packets were not treated");
    print_row(what, f, rig.packet_len);
    rig_deinit(&rig);
}

static void bench_transmit(const char *what, uint32_t flows, enum zn_acc_msg kind, uint16_t length)
{
    struct rig rig;
    bool list = kind == ZN_MSG_BROADCAST_LIST;
    rig_init(&rig, flows);
    message_make(&rig, kind, length, list ? 60000 : 0);
    struct micro_figure f = micro_measure(list ? run_copies : run_segments, &rig);
    if (zn_soft_read(rig.soft, ZN_REG_COUNTERS + ZN_COUNTER_TX_SKIPPED * 4) != 0)
        die("segments were not sent");
    print_row(what, f, (size_t)HEADERS + length);
    rig_deinit(&rig);
}

int main(void)
{
    micro_print_machine();
    printf("vector code: %s; one thread; packets without FCS\n", zn__simd_name(zn__simd_level()));
    bench_receive("receive 64 B, a frame of 4, 1024 flows", FEW, 10, 10);
    bench_receive("receive 64 B, a frame of 4, 262144 flows", MANY, 10, 10);
    bench_receive("receive 1514 B, 73 frames of 14, 1024 flows", FEW, 1460, 20);
    bench_receive("receive 1514 B, 11 frames of 125 or more, 1024 flows", FEW, 1460, 131);
    bench_receive("receive 1514 B, a frame of 1452, 1024 flows", FEW, 1460, 1460);
    bench_transmit("segment of 64, 1024 flows", FEW, ZN_MSG_SEGMENT, 64);
    bench_transmit("segment of 1460, 1024 flows", FEW, ZN_MSG_SEGMENT, 1460);
    bench_transmit("broadcast copy of 64, 1024 flows", FEW, ZN_MSG_BROADCAST_LIST, 64);
    bench_transmit("broadcast copy of 64, 262144 flows", MANY, ZN_MSG_BROADCAST_LIST, 64);
    bench_transmit("broadcast copy of 1460, 1024 flows", FEW, ZN_MSG_BROADCAST_LIST, 1460);
    return 0;
}
