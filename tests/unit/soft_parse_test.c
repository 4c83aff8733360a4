// SPDX-License-Identifier: Apache-2.0
// The receive list of the contract, steps 1 to 13: each reason, the order of reasons, every cut,
// checksums.
#include "guard.h"
#include "proto/simd.h"
#include "soft/checksum.h"
#include "soft/table.h"
#include "soft_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { FLOW = 9, SEQ = 0xfffffff0 };

static struct soft_rig rig;
static struct guard guard;
static uint8_t packet[70000];
static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

// Peers with and without IPv6 and VLAN tag.
static const uint32_t peers[] = { 0, 2, 1, 5 };
enum { PEERS = sizeof(peers) / sizeof(*peers) };

static size_t make_packet(const struct soft_peer *peer, uint32_t seq, size_t tcp_options)
{
    uint8_t frame[64];
    struct soft_segment segment = { .seq = seq,
                                    .ack = 77,
                                    .window = 1000,
                                    .flags = SOFT_ACK | SOFT_PSH,
                                    .payload = frame,
                                    .len = soft_frame_make(frame, 0x82, key, "hello, world", 12),
                                    .tcp_options = tcp_options };
    return soft_packet_make(packet, peer, &segment);
}

// Gives the packet to the model, in memory of just its size; it comes back in `packet`.
static struct zn_acc_rx_annotation receive(size_t len, bool broken)
{
    struct zn_acc_rx_annotation annotation;
    uint8_t *at = guard_copy(&guard, packet, len);
    zn_soft_receive(rig.soft, at, len, broken, true, &annotation);
    memcpy(packet, at, len);
    assert_int_equal(annotation.kind, ZN_MSG_RX_PACKET);
    assert_int_equal(annotation.version, ZN_CONTRACT_VERSION);
    return annotation;
}

static int setup(void **state)
{
    (void)state;
    soft_rig_init(&rig);
    guard_init(&guard, sizeof(packet));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    guard_deinit(&guard);
    return 0;
}

static void create_parameters_out_of_range_are_refused(void **state)
{
    (void)state;
    struct zn_soft *soft;
    struct zn_soft_config good = soft_rig_config(&rig), bad[8];
    for (unsigned i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].flows = 0;
    bad[1].buckets = 0;
    bad[2].buckets = 3;
    bad[3].payload_max = 65536;
    bad[4].packet_max = 65536;
    bad[5].sink.wire = NULL;
    bad[6].sink.record = NULL;
    bad[7].flows = UINT32_MAX;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(zn_soft_create(&bad[i], &soft), -EINVAL);
    good.members = 0;
    good.replies_max = 0;
    good.skips_max = 0;
    assert_int_equal(zn_soft_create(&good, &soft), 0);
    zn_soft_destroy(soft);
}

// The verification suite of RSS for IPv6 with TCP; its input has the form of ours.
static void hash_rss_vectors_hold(void **state)
{
    (void)state;
    static const struct {
        struct zn__soft_tuple tuple;
        uint32_t hash;
    } vectors[] = {
        { { { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7 },
            { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 1 },
            { 2794 >> 8, 2794 & 255 },
            { 1766 >> 8, 1766 & 255 } },
          0x40207d3d },
        { { { 0x3f, 0xfe, 0x05, 0x01, 0, 0x08, 0, 0, 0x02, 0x60, 0x97, 0xff, 0xfe, 0x40, 0xef,
              0xab },
            { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
            { 14230 >> 8, 14230 & 255 },
            { 4739 >> 8, 4739 & 255 } },
          0xdde51bbf },
    };
    struct zn__soft_table *table = calloc(1, sizeof(*table));
    uint8_t rss_key[40];
    assert_non_null(table);
    for (uint32_t i = 0; i < sizeof(rss_key); i += 4) {
        uint32_t word = zn_soft_read(rig.soft, ZN_REG_HASH_KEY + i);
        memcpy(rss_key + i, &word, 4);
    }
    zn__soft_table_key(table, rss_key);
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
        assert_int_equal(zn__soft_table_hash(table, &vectors[i].tuple, true), vectors[i].hash);
    free(table);
}

// The hash of IPv4 leaves the zero bytes out: it equals that over all of them.
static void hash_ipv4_is_of_padded_tuple(void **state)
{
    (void)state;
    struct zn__soft_table *table = calloc(1, sizeof(*table));
    uint32_t seed = 11;
    uint8_t any_key[40];
    assert_non_null(table);
    for (unsigned i = 0; i < sizeof(any_key); i++)
        any_key[i] = (uint8_t)soft_random(&seed);
    zn__soft_table_key(table, any_key);
    for (unsigned round = 0; round < 1000; round++) {
        struct zn__soft_tuple tuple = { 0 };
        for (unsigned i = 0; i < 4; i++) {
            tuple.peer_address[i] = (uint8_t)soft_random(&seed);
            tuple.local_address[i] = (uint8_t)soft_random(&seed);
        }
        tuple.peer_port[1] = (uint8_t)soft_random(&seed);
        tuple.local_port[0] = (uint8_t)soft_random(&seed);
        assert_int_equal(zn__soft_table_hash(table, &tuple, false),
                         zn__soft_table_hash(table, &tuple, true));
    }
    free(table);
}

// With one bucket the tag alone selects a flow; another tuple that has it is not that flow's.
static void packet_of_other_tuple_with_equal_tag_is_no_flow(void **state)
{
    (void)state;
    struct zn_soft_config config = soft_rig_config(&rig);
    struct soft_peer peer = soft_peer_make(0), other = peer;
    soft_rig_deinit(&rig);
    config.buckets = 1;
    soft_rig_init_config(&rig, &config);
    soft_rig_add(&rig, FLOW, &peer, SEQ, 1);
    unsigned equal = 0;
    for (uint32_t n = 0; n < 4 * 65536; n++) {
        struct zn_acc_flow_address address;
        struct zn_acc_command add = soft_add_command(1, SEQ, 1), delete = add;
        other.peer_port = (uint16_t)n;
        other.peer_address[3] = (uint8_t)(1 + (n >> 16));
        address = soft_address(&other);
        delete.kind = ZN_MSG_DELETE;
        soft_rig_command(&rig, &add, &address, sizeof(address));
        bool full = rig.record[1].reason == ZN_REASON_TABLE_FULL; // so the tag is there
        soft_rig_command(&rig, &delete, &address, sizeof(address));
        soft_rig_clear(&rig);
        if (!full)
            continue;
        equal++;
        assert_int_equal(receive(make_packet(&other, SEQ, 0), false).reason, ZN_REASON_NO_FLOW);
    }
    assert_true(equal > 0);
    other = peer; // the same bytes, but of IPv6
    other.v6 = true;
    assert_int_equal(receive(make_packet(&other, SEQ, 0), false).reason, ZN_REASON_NO_FLOW);
    assert_int_equal(receive(make_packet(&peer, SEQ, 0), false).reason, ZN_REASON_OK);
}

static uint16_t plain_sum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void sum_each_length_and_place_is_right(void **state)
{
    (void)state;
    uint32_t seed = 1071;
    for (size_t i = 0; i < sizeof(packet); i++)
        packet[i] = (uint8_t)soft_random(&seed);
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        zn__simd_set((enum zn_simd)level);
        for (size_t len = 0; len < 400; len++) {
            const uint8_t *p = guard_copy(&guard, packet + len % 7, len);
            assert_int_equal(zn__soft_sum_fold(zn__soft_sum(p, len)), plain_sum(p, len));
        }
        for (size_t at = 0; at < 16; at++)
            assert_int_equal(zn__soft_sum_fold(zn__soft_sum(packet + at, 1460)),
                             plain_sum(packet + at, 1460));
    }
    zn__simd_set(zn__simd_best());
}

static void sum_largest_values_lose_no_carry(void **state)
{
    (void)state;
    memset(packet, 0xff, sizeof(packet));
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        zn__simd_set((enum zn_simd)level);
        for (size_t len = 65535 - 70; len <= 65535; len++)
            assert_int_equal(zn__soft_sum_fold(zn__soft_sum(packet, len)), plain_sum(packet, len));
    }
    zn__simd_set(zn__simd_best());
}

static void packet_of_each_form_is_treated(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PEERS; i++) {
        for (size_t options = 0; options <= 40; options += 4) {
            struct soft_peer peer = soft_peer_make(peers[i]);
            uint32_t flow = 4 * i;
            if (options == 0)
                soft_rig_add(&rig, flow, &peer, SEQ, 1);
            size_t len = make_packet(&peer, (uint32_t)(SEQ + options / 4 * 18), options);
            size_t payload = len - 18;
            struct zn_acc_rx_annotation a = receive(len, false);
            assert_int_equal(a.reason, ZN_REASON_OK);
            assert_int_equal(a.flags, ZN_RX_FLOW | ZN_RX_CHECKSUM_OK);
            assert_int_equal(a.flow, flow);
            assert_int_equal(a.rcv_nxt, (uint32_t)(SEQ + (options / 4 + 1) * 18));
            assert_int_equal(a.payload_offset, payload);
            assert_int_equal(a.payload_length, 18);
            assert_int_equal(a.packet_length, len);
            assert_int_equal(a.frames, 1);
            assert_int_equal(a.frame[0].offset, 6);
            assert_int_equal(a.frame[0].b0, 0x82);
            assert_int_equal(a.frame[0].flags, ZN_FRAME_COMPLETE);
            assert_int_equal(a.frame[0].length, 12);
            assert_memory_equal(packet + payload + 6, "hello, world", 12);
        }
    }
}

static void packet_with_padding_is_treated(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct soft_peer peer = soft_peer_make(peers[i]);
        soft_rig_add(&rig, i, &peer, SEQ, 1);
        size_t len = make_packet(&peer, SEQ, 0);
        memset(packet + len, 0xee, 9);
        struct zn_acc_rx_annotation a = receive(len + 9, false);
        assert_int_equal(a.reason, ZN_REASON_OK);
        assert_int_equal(a.payload_length, 18);
        assert_int_equal(a.packet_length, len + 9);
        for (unsigned k = 0; k < 9; k++)
            assert_int_equal(packet[len + k], 0xee);
    }
}

// The packet is as it was, and what the annotation may not say is 0.
static void check_untouched(const struct zn_acc_rx_annotation *a, const uint8_t *before, size_t len)
{
    static const struct zn_acc_frame_desc none[4];
    assert_memory_equal(packet, before, len);
    assert_int_equal(a->frames, 0);
    assert_memory_equal(a->frame, none, sizeof(none));
    assert_int_equal(a->packet_length, len);
}

static void packet_cut_anywhere_is_bad_length(void **state)
{
    (void)state;
    static uint8_t before[256];
    for (uint32_t i = 0; i < PEERS; i++) {
        struct soft_peer peer = soft_peer_make(peers[i]);
        soft_rig_add(&rig, i, &peer, SEQ, 1);
        size_t len = make_packet(&peer, SEQ, 8);
        memcpy(before, packet, len);
        for (size_t cut = 0; cut < len; cut++) {
            struct zn_acc_rx_annotation a = receive(cut, false);
            assert_int_equal(a.reason, ZN_REASON_BAD_LENGTH);
            assert_int_equal(a.flags, 0);
            assert_int_equal(a.payload_offset, 0);
            check_untouched(&a, before, cut);
        }
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_REASON_OK), 0);
}

// The IP length says the same as the cut, and the checksums hold: it is TCP's header that is cut
// off.
static void packet_of_each_ip_length_has_its_reason(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct soft_peer peer = soft_peer_make(peers[i]);
        size_t ip = soft_packet_ip(&peer), tcp = soft_packet_tcp(&peer);
        soft_rig_add(&rig, i, &peer, SEQ, 1);
        for (size_t cut = tcp; cut <= tcp + 28 + 18; cut++) {
            make_packet(&peer, SEQ, 8);
            size_t said = peer.v6 ? cut - tcp : cut - ip;
            packet[ip + (peer.v6 ? 5 : 3)] = (uint8_t)said;
            soft_packet_seal(packet, &peer);
            struct zn_acc_rx_annotation a = receive(cut, false);
            assert_int_equal(a.reason, cut < tcp + 28    ? ZN_REASON_BAD_LENGTH
                                       : cut == tcp + 28 ? ZN_REASON_NO_PAYLOAD
                                       : cut == tcp + 29 ? ZN_REASON_OK
                                                         : ZN_REASON_OUT_OF_SEQUENCE);
        }
    }
}

static void packet_longer_than_the_core_takes_is_bad_length(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    soft_rig_add(&rig, FLOW, &peer, SEQ, 1);
    size_t len = make_packet(&peer, SEQ, 0);
    memset(packet + len, 0, 4096);
    struct zn_acc_rx_annotation a = receive(2049, true);
    assert_int_equal(a.reason, ZN_REASON_BAD_LENGTH);
    assert_int_equal(a.packet_length, 0);
    a = receive(2048, true);
    assert_int_equal(a.reason, ZN_REASON_BAD_PACKET);
    assert_int_equal(a.packet_length, 2048);
    a = receive(2048, false);
    assert_int_equal(a.reason, ZN_REASON_OK);
}

// Bits behind the MAC addresses that no checksum covers and that say nothing of what the packet
// is: the tag's, and IPv6's traffic class, flow label and hop limit.
static bool is_free(const struct soft_peer *peer, size_t bit)
{
    size_t byte = bit / 8, ip = soft_packet_ip(peer);
    if (byte < ip)
        return peer->has_vlan && byte >= 14 && byte < 16;
    return peer->v6 &&
           (byte == ip + 7 || (byte > ip && byte < ip + 4) || (byte == ip && bit % 8 < 4));
}

static void packet_with_any_bit_flipped_is_untouched(void **state)
{
    (void)state;
    static uint8_t before[256];
    for (uint32_t i = 0; i < PEERS; i++) {
        struct soft_peer peer = soft_peer_make(peers[i]);
        soft_rig_add(&rig, i, &peer, SEQ, 1);
        for (size_t bit = 12 * 8; bit < (soft_packet_tcp(&peer) + 20 + 18) * 8; bit++) {
            size_t len = make_packet(&peer, SEQ, 0);
            if (is_free(&peer, bit))
                continue;
            packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
            memcpy(before, packet, len);
            struct zn_acc_rx_annotation a = receive(len, false);
            assert_int_not_equal(a.reason, ZN_REASON_OK);
            assert_in_range(a.reason, ZN_REASON_NOT_TCP, ZN_REASON_BAD_TCP_CHECKSUM);
            check_untouched(&a, before, len);
        }
        size_t len = make_packet(&peer, SEQ, 0);
        struct zn_acc_rx_annotation a = receive(len, false);
        assert_int_equal(a.reason, ZN_REASON_OK); // none of them moved the flow
    }
}

// What can be wrong with a packet, in the order in which it is noticed.
struct defect {
    const char *what;
    enum zn_acc_reason reason;
    void (*make)(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp);
    bool sealed;    // checksums are made good again after it
    int v6;         // 1, 0, or -1 for both
    unsigned alone; // defects of one field: only one of each number other than 0 at a time
};

static bool broken;

static void make_broken(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip, (void)tcp;
    broken = true;
}

static void make_two_tags(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[-2] = 0x81;
    ip[-1] = 0x00;
}

static void make_arp(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[-2] = 0x08;
    ip[-1] = 0x06;
}

static void make_header_short(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[0] = (ip[0] & 0xf0) | 4;
}

static void make_ip_long(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)tcp;
    ip[peer->v6 ? 4 : 2] = 0x20;
}

static void make_ip_shorter_than_header(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[2] = 0;
    ip[3] = 19;
}

static void make_version(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[0] = (ip[0] & 0x0f) | 0x50;
}

static void make_udp(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)tcp;
    ip[peer->v6 ? 6 : 9] = 17;
}

static void make_extension(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[6] = 43;
}

static void make_options(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[0] = (ip[0] & 0xf0) | 6;
}

static void make_more_fragments(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[6] |= 0x20;
}

static void make_last_fragment(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[7] |= 1;
}

static void make_ip_checksum(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)tcp;
    ip[10] ^= 0x40;
}

static void make_offset_small(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[12] = 0x40;
}

static void make_offset_large(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[12] = 0xf0;
}

static void make_tcp_checksum(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[17] ^= 1;
}

static void make_syn(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[13] |= SOFT_SYN;
}

static void make_fin(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[13] |= SOFT_FIN;
}

static void make_rst(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[13] |= SOFT_RST;
}

static void make_urg(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[13] |= SOFT_URG;
}

static void make_no_ack(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[13] &= (uint8_t)~SOFT_ACK;
}

static void make_no_payload(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)tcp;
    ip[peer->v6 ? 5 : 3] -= 18;
}

static void make_other_port(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[0] ^= 0x10;
}

static void make_disabled(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip, (void)tcp;
    zn_soft_write(rig.soft, ZN_REG_CONTROL, 6);
}

static void make_wait_resync(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    static uint8_t aside[256];
    size_t len = (size_t)(tcp - packet) + 20 + 18;
    (void)ip;
    memcpy(aside, packet, len);
    make_packet(peer, SEQ, 0);
    packet[tcp - packet + 20] = 0x83; // an opcode that is reserved
    soft_packet_seal(packet, peer);
    assert_int_equal(receive(len, false).reason, ZN_REASON_FRAME_RESERVED);
    memcpy(packet, aside, len);
}

static void make_sequence(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[7]--;
}

static void make_unmasked(const struct soft_peer *peer, uint8_t *ip, uint8_t *tcp)
{
    (void)peer, (void)ip;
    tcp[21] &= 0x7f;
}

static const struct defect defects[] = {
    { "MAC", ZN_REASON_BAD_PACKET, make_broken, true, -1, 0 },
    { "two tags", ZN_REASON_NOT_TCP, make_two_tags, true, -1, 1 },
    { "ARP", ZN_REASON_NOT_TCP, make_arp, true, -1, 1 },
    { "IHL 4", ZN_REASON_BAD_LENGTH, make_header_short, true, 0, 2 },
    { "IP too long", ZN_REASON_BAD_LENGTH, make_ip_long, false, -1, 3 },
    { "IP shorter than its header", ZN_REASON_BAD_LENGTH, make_ip_shorter_than_header, false, 0,
      3 },
    { "version 5", ZN_REASON_NOT_TCP, make_version, true, -1, 0 },
    { "UDP", ZN_REASON_NOT_TCP, make_udp, true, -1, 4 },
    { "extension header", ZN_REASON_IP_OPTIONS, make_extension, true, 1, 4 },
    { "IHL 6", ZN_REASON_IP_OPTIONS, make_options, true, 0, 2 },
    { "MF", ZN_REASON_FRAGMENT, make_more_fragments, true, 0, 0 },
    { "fragment offset", ZN_REASON_FRAGMENT, make_last_fragment, true, 0, 0 },
    { "IP checksum", ZN_REASON_BAD_IP_CHECKSUM, make_ip_checksum, false, 0, 0 },
    { "data offset 4", ZN_REASON_BAD_LENGTH, make_offset_small, true, -1, 5 },
    { "data offset 15", ZN_REASON_BAD_LENGTH, make_offset_large, true, -1, 5 },
    { "TCP checksum", ZN_REASON_BAD_TCP_CHECKSUM, make_tcp_checksum, false, -1, 0 },
    { "SYN", ZN_REASON_TCP_FLAGS, make_syn, true, -1, 0 },
    { "FIN", ZN_REASON_TCP_FLAGS, make_fin, true, -1, 0 },
    { "RST", ZN_REASON_TCP_FLAGS, make_rst, true, -1, 0 },
    { "URG", ZN_REASON_TCP_FLAGS, make_urg, true, -1, 0 },
    { "no ACK", ZN_REASON_TCP_FLAGS, make_no_ack, true, -1, 0 },
    { "no payload", ZN_REASON_NO_PAYLOAD, make_no_payload, true, -1, 3 },
    { "other port", ZN_REASON_NO_FLOW, make_other_port, true, -1, 0 },
    { "disabled", ZN_REASON_DISABLED, make_disabled, true, -1, 0 },
    { "broken flow", ZN_REASON_WAIT_RESYNC, make_wait_resync, true, -1, 0 },
    { "sequence number", ZN_REASON_OUT_OF_SEQUENCE, make_sequence, true, -1, 0 },
    { "unmasked", ZN_REASON_FRAME_UNMASKED, make_unmasked, true, -1, 0 },
};
enum { DEFECTS = sizeof(defects) / sizeof(*defects) };

static void check_fields(const struct zn_acc_rx_annotation *a, enum zn_acc_reason reason)
{
    bool past_checksum = reason >= ZN_REASON_TCP_FLAGS,
         past_payload = reason > ZN_REASON_NO_PAYLOAD;
    bool past_flow = reason > ZN_REASON_NO_FLOW;
    assert_int_equal(a->flags,
                     (past_checksum ? ZN_RX_CHECKSUM_OK : 0) | (past_flow ? ZN_RX_FLOW : 0));
    assert_int_equal(a->payload_length, past_payload ? 18 : 0);
    assert_int_equal(a->payload_offset != 0, past_payload);
    assert_int_equal(a->flow, past_flow ? FLOW : 0);
    assert_int_equal(a->rcv_nxt, past_flow ? SEQ : 0);
    static const struct zn_acc_ws_state none;
    assert_memory_equal(&a->state, &none, sizeof(none));
}

// One packet with the defects `first` and `second`, which may be the same. The first one's reason
// is given.
static void check_defects(uint32_t peer_number, const struct defect *first,
                          const struct defect *second)
{
    static uint8_t before[256];
    struct soft_peer peer = soft_peer_make(peer_number);
    soft_rig_init(&rig);
    soft_rig_add(&rig, FLOW, &peer, SEQ, 1);
    size_t len = make_packet(&peer, SEQ, 0);
    uint8_t *ip = packet + soft_packet_ip(&peer), *tcp = packet + soft_packet_tcp(&peer);
    broken = false;
    // Those that leave the checksums alone come last.
    const struct defect *order[2] = { second, first };
    if (first->sealed && !second->sealed) {
        order[0] = first;
        order[1] = second;
    }
    for (unsigned i = first == second ? 1 : 0; i < 2; i++) {
        order[i]->make(&peer, ip, tcp);
        if (order[i]->sealed)
            soft_packet_seal(packet, &peer);
    }
    memcpy(before, packet, len);
    struct zn_acc_rx_annotation a = receive(len, broken);
    if (a.reason != first->reason)
        fail_msg("%s and %s: reason %u, not %u", first->what, second->what, a.reason,
                 first->reason);
    check_fields(&a, first->reason);
    check_untouched(&a, before, len);
    soft_rig_deinit(&rig);
}

static bool applies(const struct defect *defect, uint32_t peer_number)
{
    return defect->v6 < 0 || defect->v6 == (int)(peer_number & 1);
}

static void defect_each_has_its_reason(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    for (uint32_t i = 0; i < PEERS; i++)
        for (unsigned k = 0; k < DEFECTS; k++)
            if (applies(&defects[k], peers[i]))
                check_defects(peers[i], &defects[k], &defects[k]);
    soft_rig_init(&rig);
}

static void defects_of_two_kinds_give_the_first(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    for (uint32_t i = 0; i < PEERS; i++) {
        for (unsigned k = 0; k < DEFECTS * DEFECTS; k++) {
            const struct defect *first = &defects[k / DEFECTS], *second = &defects[k % DEFECTS];
            bool same_field = first->alone != 0 && first->alone == second->alone;
            if (first < second && !same_field && applies(first, peers[i]) &&
                applies(second, peers[i]))
                check_defects(peers[i], first, second);
        }
    }
    soft_rig_init(&rig);
}

// A burst of packets of several flows, good and bad, does what its packets do one by one.
static void burst_is_its_packets_one_by_one(void **state)
{
    (void)state;
    enum { PACKETS = 100, ROOM = 2100 };
    static struct soft_rig other;
    static uint8_t bytes[2][PACKETS][ROOM];
    static struct zn_acc_rx_annotation annotations[2][PACKETS];
    struct zn_soft_packet burst[PACKETS];
    uint32_t seq[4] = { SEQ, SEQ, SEQ, SEQ }, seed = 5;
    soft_rig_init(&other);
    for (uint32_t flow = 0; flow < 4; flow++) {
        struct soft_peer peer = soft_peer_make(flow);
        soft_rig_add(&rig, flow, &peer, SEQ, 1);
        soft_rig_add(&other, flow, &peer, SEQ, 1);
    }
    for (unsigned i = 0; i < PACKETS; i++) {
        uint32_t flow = soft_random(&seed) % 4, what = soft_random(&seed) % 8;
        struct soft_peer peer = soft_peer_make(what == 0 ? 9 : flow);
        size_t len = make_packet(&peer, seq[flow] + (what == 1), 0);
        if (what == 2 && i > 20) // a bad frame
            packet[soft_packet_tcp(&peer) + 21] = 5;
        if (what == 2)
            soft_packet_seal(packet, &peer);
        if (what == 3)
            packet[len - 1] ^= 1;
        if (what > 3)
            seq[flow] += 18;
        memcpy(bytes[0][i], packet, len);
        memcpy(bytes[1][i], packet, len);
        len = i % 50 == 49 ? ROOM : len;
        burst[i] = (struct zn_soft_packet){ bytes[0][i], len, i % 30 == 29, &annotations[0][i] };
        zn_soft_receive(other.soft, bytes[1][i], len, burst[i].broken, i < 70, &annotations[1][i]);
        if (what > 3 && annotations[1][i].reason != ZN_REASON_OK)
            seq[flow] -= 18;
    }
    zn_soft_receive_burst(rig.soft, burst, 70, true);
    zn_soft_receive_burst(rig.soft, burst + 70, PACKETS - 70, false);
    assert_memory_equal(annotations[0], annotations[1], sizeof(annotations[0]));
    assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(soft_rig_counter(&rig, i), soft_rig_counter(&other, i));
    assert_in_range(soft_rig_counter(&rig, ZN_REASON_OK), 10, 90);
    assert_true(soft_rig_counter(&rig, ZN_REASON_WAIT_RESYNC) > 0);
    soft_rig_deinit(&other);
}

static void counters_tell_each_reason(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    soft_rig_add(&rig, FLOW, &peer, SEQ, 1);
    for (unsigned i = 0; i < 3; i++)
        receive(make_packet(&peer, SEQ, 0), false);
    receive(make_packet(&peer, SEQ, 0), true);
    receive(5, false);
    assert_int_equal(soft_rig_counter(&rig, ZN_REASON_OK), 1);
    assert_int_equal(soft_rig_counter(&rig, ZN_REASON_OUT_OF_SEQUENCE), 2);
    assert_int_equal(soft_rig_counter(&rig, ZN_REASON_BAD_PACKET), 1);
    assert_int_equal(soft_rig_counter(&rig, ZN_REASON_BAD_LENGTH), 1);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_RX_PACKETS), 5);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_RX_FRAMES), 1);
}

int main(void)
{
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(create_parameters_out_of_range_are_refused),
        CASE(hash_rss_vectors_hold),
        CASE(hash_ipv4_is_of_padded_tuple),
        CASE(packet_of_other_tuple_with_equal_tag_is_no_flow),
        CASE(sum_each_length_and_place_is_right),
        CASE(sum_largest_values_lose_no_carry),
        CASE(packet_of_each_form_is_treated),
        CASE(packet_with_padding_is_treated),
        CASE(packet_cut_anywhere_is_bad_length),
        CASE(packet_of_each_ip_length_has_its_reason),
        CASE(packet_longer_than_the_core_takes_is_bad_length),
        CASE(packet_with_any_bit_flipped_is_untouched),
        CASE(defect_each_has_its_reason),
        CASE(defects_of_two_kinds_give_the_first),
        CASE(burst_is_its_packets_one_by_one),
        CASE(counters_tell_each_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
