// SPDX-License-Identifier: Apache-2.0
// host/tcp over the accelerator's model under anything: segments of live conversations with changed
// fields, raw packets, records and annotations that no sane device makes, calls in any order, time.
// Nothing may crash, leak or loop; limits hold.
//
// Input: a program. Each step is one byte of kind and the bytes that the kind takes.
#include "../unit/tcp_rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PEERS = 4, CONNS = 6, HOLDS = 8, STEPS = 400, BODY = 65536 };

struct input {
    const uint8_t *data;
    size_t len;
};

struct peer {
    uint32_t iss;   // the server's
    uint32_t next;  // the peer's next number
    uint32_t acked; // what it acknowledges
};

struct fuzz {
    struct tcp_rig rig;
    struct peer peers[PEERS];
};

static const uint8_t body[BODY];

static void require(bool good)
{
    if (!good)
        abort();
}

static uint8_t take8(struct input *in)
{
    if (in->len == 0)
        return 0;
    in->len--;
    return *in->data++;
}

static uint32_t take_bytes(struct input *in, void *out, uint32_t len)
{
    uint32_t n = len < in->len ? len : (uint32_t)in->len;
    memset(out, 0, len);
    if (n != 0)
        memcpy(out, in->data, n);
    in->data += n;
    in->len -= n;
    return n;
}

static uint16_t take16(struct input *in)
{
    uint8_t b[2];
    take_bytes(in, b, 2);
    return zn__get16(b);
}

// A number near zero, or anywhere.
static uint32_t take_offset(struct input *in)
{
    uint8_t kind = take8(in);
    if (kind < 128)
        return (uint32_t)(kind < 64 ? kind : kind - 128);
    return (uint32_t)((int32_t)(int16_t)take16(in) * (kind == 255 ? 65536 : 1));
}

// Reads what left, and keeps up the conversation's numbers.
static void drain(struct fuzz *f)
{
    struct tcp_rig_packet *packet;
    while ((packet = tcp_rig_take(&f->rig)) != NULL) {
        const struct zn_segment *s = &packet->segment;
        unsigned n = zn__get16(s->tuple.local_port) - TCP_RIG_PEER_PORT;
        if (n >= PEERS)
            continue;
        struct peer *peer = &f->peers[n];
        if (s->flags & ZN_TCP_SYN) {
            peer->iss = s->seq;
            peer->acked = s->seq + 1;
        } else if (s->seq == peer->acked) {
            peer->acked += s->payload_len + !!(s->flags & ZN_TCP_FIN);
        }
    }
    const struct zn_tcp_stats *stats = zn_tcp_stats(f->rig.tcp);
    require(stats->conns <= CONNS && stats->hold_used <= HOLDS && stats->halves <= PEERS);
}

static size_t make_segment(struct fuzz *f, struct input *in, uint8_t *packet)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
    static const uint8_t flags[8] = { ZN_TCP_ACK,
                                      ZN_TCP_ACK | ZN_TCP_PSH,
                                      ZN_TCP_SYN,
                                      ZN_TCP_ACK | ZN_TCP_FIN,
                                      ZN_TCP_RST,
                                      ZN_TCP_RST | ZN_TCP_ACK,
                                      ZN_TCP_SYN | ZN_TCP_ACK,
                                      0 };
    uint8_t which = take8(in);
    unsigned n = which % PEERS;
    struct peer *peer = &f->peers[n];
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    struct zn_sack_block sack[2];
    tcp_rig_peer(n, which & 8, &tuple, &link);
    struct zn_segment_out out = {
        .tuple = &tuple,
        .link = &link,
        .local_mac = mac,
        .seq = peer->next,
        .ack = peer->acked,
        .window = 65535,
        .flags = flags[which >> 4 & 7],
        .scale = 255,
        .payload = body,
    };
    uint8_t changes = take8(in);
    if (changes & 1)
        out.seq += take_offset(in);
    if (changes & 2)
        out.ack += take_offset(in);
    if (changes & 4)
        out.window = take16(in);
    if (changes & 8)
        out.payload_len = take16(in) % 1461;
    if (changes & 16) {
        out.mss = take16(in);
        out.scale = take8(in) % 16;
        out.sack_permitted = true;
    }
    if (changes & 32) {
        for (unsigned i = 0; i < 2; i++)
            sack[i] = (struct zn_sack_block){ peer->acked + take_offset(in),
                                              peer->acked + take_offset(in) };
        out.sack = sack;
        out.sack_blocks = 2;
    }
    if (changes & 64)
        out.flags ^= take8(in);
    size_t headers = zn__segment_compose(&out, packet);
    uint32_t payload_len = out.payload_len;
    if (payload_len + headers > TCP_RIG_MTU + 64)
        payload_len = 0;
    memset(packet + headers, 0, payload_len);
    if (changes & 128 && payload_len != 0) // frames: the checksum is the accelerator's to judge
        take_bytes(in, packet + headers, payload_len < 32 ? payload_len : 32);
    if (!(changes & 1))
        peer->next += payload_len + !!(out.flags & ZN_TCP_SYN) + !!(out.flags & ZN_TCP_FIN);
    return headers + payload_len;
}

static void segment_step(struct fuzz *f, struct input *in)
{
    uint8_t packet[TCP_RIG_MTU + 128];
    size_t len = make_segment(f, in, packet);
    tcp_rig_inject(&f->rig, packet, len);
}

static void raw_step(struct fuzz *f, struct input *in)
{
    uint8_t packet[256];
    uint32_t len = take_bytes(in, packet, take8(in));
    tcp_rig_inject(&f->rig, packet, len);
}

// A device that lies about a packet. Its memory is as long as the packet, so that ASan sees more.
static void annotation_step(struct fuzz *f, struct input *in)
{
    uint8_t packet[TCP_RIG_MTU + 128];
    struct zn_acc_rx_annotation annotation;
    take_bytes(in, &annotation, sizeof(annotation));
    annotation.reason &= 1;
    annotation.flow %= CONNS + 1;
    size_t len = make_segment(f, in, packet);
    uint8_t *copy = malloc(len);
    memcpy(copy, packet, len);
    zn_tcp_packet(f->rig.tcp, &annotation, copy, len);
    zn_tcp_flush(f->rig.tcp);
    free(copy);
}

static void record_step(struct fuzz *f, struct input *in)
{
    struct zn_acc_report_record record;
    take_bytes(in, &record, sizeof(record));
    record.kind %= 8;
    record.flow %= CONNS + 1;
    if (record.cookie < 1u << 24)
        record.cookie %= 8;
    // A number that fits, so that the record is not refused at once.
    if (record.reason & 128)
        for (unsigned i = 0; i < f->rig.records_len; i++)
            if (f->rig.records[i].flow == record.flow)
                record.seq = f->rig.records[i].seq;
    record.reason &= 31;
    zn_tcp_record(f->rig.tcp, &record);
    zn_tcp_flush(f->rig.tcp);
}

static void broadcast(struct fuzz *f, uint16_t len)
{
    struct zn_tcp_conn *conns[64];
    int results[64];
    unsigned count = 0;
    for (unsigned i = 0; i < f->rig.conns_len; i++)
        if (f->rig.conns[i].conn != NULL)
            conns[count++] = f->rig.conns[i].conn;
    zn_tcp_broadcast(f->rig.tcp, conns, count, body, len, results);
}

static void offload(struct zn_tcp_conn *conn, struct input *in)
{
    struct zn_tcp_offload offload = {
        .flags = take8(in), .max_frame = take16(in), .heartbeat_ms = take8(in), .replies = take8(in)
    };
    take_bytes(in, &offload.state, take8(in) & 8 ? sizeof(offload.state) : 0);
    zn_tcp_offload(conn, &offload);
}

static void call_step(struct fuzz *f, struct input *in)
{
    uint8_t what = take8(in);
    if (f->rig.conns_len == 0)
        return;
    struct zn_tcp_conn *conn = f->rig.conns[(what >> 4) % f->rig.conns_len].conn;
    if (conn == NULL)
        return;
    struct iovec iov[2] = { { (void *)body, take16(in) }, { (void *)body, take8(in) } };
    struct zn_acc_ws_state state;
    switch (what & 15) {
    case 0:
        zn_tcp_shutdown(conn);
        break;
    case 1:
    case 2:
        zn_tcp_release(conn, what & 1);
        break;
    case 3:
    case 4:
        zn_tcp_want(conn, what & 1);
        break;
    case 5:
        offload(conn, in);
        break;
    case 6:
        take_bytes(in, &state, sizeof(state));
        zn_tcp_resync(conn, &state);
        break;
    case 7:
        zn_tcp_cork(conn, take8(in) & 1);
        break;
    case 8:
        broadcast(f, (uint16_t)(iov[0].iov_len % 2000));
        break;
    default:
        (void)zn_tcp_send(conn, iov, 2);
    }
    zn_tcp_flush(f->rig.tcp);
}

static void connect_step(struct fuzz *f, struct input *in)
{
    uint8_t syn[] = { (uint8_t)(0x20 | (take8(in) & 11)), 16, 5, 0xb4, 7 };
    struct input handshake = { syn, sizeof(syn) };
    segment_step(f, &handshake);
    drain(f);
    uint8_t ack[] = { syn[0] & 15, 0 };
    handshake = (struct input){ ack, sizeof(ack) };
    segment_step(f, &handshake);
}

static void time_step(struct fuzz *f, struct input *in)
{
    static const uint64_t times_us[] = { 100, 2000, 50000, 300000, 1500000, 10000000, 70000000 };
    tcp_rig_advance(&f->rig, f->rig.now_us + times_us[take8(in) % 7]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz f;
    struct input in = { data, len };
    struct zn_tcp_config config = tcp_rig_config();
    config.conns_max = CONNS;
    config.half_max = PEERS;
    config.time_wait_max = 2;
    config.hold_blocks = HOLDS;
    config.window = 8192;
    config.keepalive_ms = 20000;
    memset(f.peers, 0, sizeof(f.peers));
    tcp_rig_init(&f.rig, &config);
    f.rig.check_pattern = false;
    for (unsigned step = 0; in.len > 0 && step < STEPS && f.rig.conns_len < 60; step++) {
        static void (*const steps[])(struct fuzz *, struct input *) = {
            segment_step, segment_step, raw_step,     annotation_step,
            record_step,  call_step,    connect_step, time_step,
        };
        uint8_t kind = take8(&in);
        f.rig.hold_records = kind & 64;
        if (!f.rig.hold_records || f.rig.records_len > TCP_RIG_RECORDS / 2)
            tcp_rig_records(&f.rig);
        steps[kind & 7](&f, &in);
        drain(&f);
    }
    tcp_rig_deinit(&f.rig);
    return 0;
}
