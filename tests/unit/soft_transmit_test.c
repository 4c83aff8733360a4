// SPDX-License-Identifier: Apache-2.0
// The transmit side: segments' bytes, checks and their order, each command's records, bad commands,
// registers.
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { FLOW = 5, RCV = 1000 };

static struct soft_rig rig;
static uint8_t pattern[SOFT_RIG_PAYLOAD + 1];

static int setup(void **state)
{
    (void)state;
    uint32_t seed = 793;
    soft_rig_init(&rig);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)soft_random(&seed);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    return 0;
}

static struct zn_acc_command segment_command(uint16_t len, uint8_t flags)
{
    struct zn_acc_command segment = soft_command(ZN_MSG_SEGMENT, FLOW);
    segment.length = len;
    segment.flags = flags;
    segment.window = 4321;
    segment.ack = 0x89abcdef;
    return segment;
}

// The one packet that was sent is a segment to this peer.
static struct soft_sent check_sent(const struct soft_peer *peer)
{
    struct soft_sent sent;
    size_t address_len = peer->v6 ? 16 : 4;
    assert_int_equal(rig.packets, 1);
    const char *wrong = soft_packet_read(rig.packet[0].bytes, rig.packet[0].len, &sent);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_int_equal(sent.v6, peer->v6);
    assert_int_equal(sent.has_vlan, peer->has_vlan);
    assert_memory_equal(sent.vlan, peer->vlan, 2);
    assert_memory_equal(sent.destination, peer->mac, 6);
    assert_memory_equal(sent.source, soft_rig_mac, 6);
    assert_memory_equal(sent.from, peer->local_address, address_len);
    assert_memory_equal(sent.to, peer->peer_address, address_len);
    assert_int_equal(sent.from_port, peer->local_port);
    assert_int_equal(sent.to_port, peer->peer_port);
    assert_int_equal(sent.tos, SOFT_RIG_TOS);
    assert_int_equal(sent.ttl, SOFT_RIG_TTL);
    assert_int_equal(sent.ip_flags, peer->v6 ? 0 : 0x4000);
    assert_int_equal(sent.urgent, 0);
    return sent;
}

static void segment_of_each_length_and_form_leaves(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < 6; form++) {
        struct soft_peer peer = soft_peer_make(form);
        uint32_t seq = 0xffffff00; // it wraps
        struct zn_acc_command add = soft_add_command(form, RCV, seq);
        struct zn_acc_flow_address address = soft_address(&peer);
        uint16_t ip_id = address.ip_id;
        add.mss = SOFT_RIG_PAYLOAD;
        add.limit = seq + (64 << 20);
        soft_rig_command(&rig, &add, &address, sizeof(address));
        for (uint16_t len = 0; len <= SOFT_RIG_PAYLOAD;
             len = (uint16_t)(len + (len < 200 ? 1 : 37))) {
            bool push = len & 1;
            struct zn_acc_command segment = segment_command(len, push ? ZN_CMD_PUSH : 0);
            segment.flow = form;
            soft_rig_clear(&rig);
            soft_rig_command(&rig, &segment, pattern, len);
            struct soft_sent sent = check_sent(&peer);
            assert_int_equal(sent.len, len);
            assert_memory_equal(sent.payload, pattern, len);
            assert_int_equal(sent.seq, seq);
            assert_int_equal(sent.ack, 0x89abcdef);
            assert_int_equal(sent.window, 4321);
            assert_int_equal(sent.flags, SOFT_ACK | (push ? SOFT_PSH : 0));
            assert_int_equal(sent.ip_id, peer.v6 ? 0 : ip_id++);
            assert_int_equal(rig.records, 1);
            soft_rig_expect(&rig, 0, ZN_RECORD_SENT, ZN_REASON_OK, form, len, seq, segment.cookie);
            seq += len;
        }
    }
}

// Sums that fold to all ones, and payload of all ones.
static void segment_checksum_of_extremes_holds(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    static uint8_t ones[1460];
    memset(ones, 0xff, sizeof(ones));
    soft_rig_add(&rig, FLOW, &peer, RCV, 0);
    for (uint32_t word = 0; word < 65536; word += 1) {
        struct zn_acc_command segment = segment_command(2, 0);
        segment.window = (uint16_t)word;
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &segment, word & 1 ? ones : pattern, 2);
        check_sent(&peer);
    }
    struct zn_acc_command segment = segment_command(sizeof(ones), 0);
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &segment, ones, sizeof(ones));
    check_sent(&peer);
}

// What a flow can be in the way of, in the order of the checks.
struct obstacle {
    enum zn_acc_reason reason;
    bool on;
};

static void segment_checks_come_in_their_order(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(1);
    for (unsigned set = 0; set < 16; set++) {
        struct obstacle obstacles[] = { { ZN_REASON_NO_FLOW, set & 1 },
                                        { ZN_REASON_BLOCKED, set & 2 },
                                        { ZN_REASON_TOO_LONG, set & 4 },
                                        { ZN_REASON_NO_GRANT, set & 8 } };
        struct zn_acc_command add = soft_add_command(FLOW, RCV, 70);
        struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, FLOW);
        struct zn_acc_flow_address address = soft_address(&peer);
        struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, FLOW);
        enum zn_acc_reason want = ZN_REASON_OK;
        add.mss = obstacles[2].on ? 99 : 100;
        add.limit = 70;
        add.flags = ZN_CMD_OPEN; // no obstacle to SEGMENT
        grant.limit = obstacles[3].on ? 169 : 170;
        soft_rig_command(&rig, &add, &address, sizeof(address));
        struct zn_acc_command one = segment_command(1, ZN_CMD_OPEN);
        if (obstacles[1].on)
            soft_rig_command(&rig, &one, pattern, 1);
        soft_rig_command(&rig, &grant, NULL, 0);
        if (obstacles[0].on)
            soft_rig_command(&rig, &delete, &address, sizeof(address));
        for (unsigned i = 4; i-- > 0;)
            want = obstacles[i].on ? obstacles[i].reason : want;
        struct zn_acc_command segment = segment_command(100, 0);
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &segment, pattern, 100);
        assert_int_equal(rig.packets, want == ZN_REASON_OK ? 1 : 0);
        assert_int_equal(rig.records, 1);
        soft_rig_expect(&rig, 0, ZN_RECORD_SENT, want, FLOW, want == ZN_REASON_OK ? 100 : 0,
                        want == ZN_REASON_NO_FLOW ? 0 : 70, segment.cookie);
        soft_rig_command(&rig, &delete, &address, sizeof(address));
    }
}

// At each distance of limit and snd_nxt, also across the end of the numbers.
static void grant_ends_where_the_limit_is(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(2);
    static const uint32_t starts[] = { 0, 0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff };
    static const uint32_t rooms[] = { 0,          1,          9,          10,        11,
                                      0x7fffffff, 0x80000009, 0x8000000a, 0xffffffff };
    for (unsigned i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
        for (unsigned k = 0; k < sizeof(rooms) / sizeof(*rooms); k++) {
            struct zn_acc_command add = soft_add_command(FLOW, RCV, starts[i]);
            struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, FLOW);
            struct zn_acc_flow_address address = soft_address(&peer);
            struct zn_acc_command segment = segment_command(10, 0);
            add.limit = starts[i] + rooms[k];
            bool room = rooms[k] >= 10 && rooms[k] - 10 <= 0x7fffffff; // more is behind snd_nxt
            soft_rig_command(&rig, &add, &address, sizeof(address));
            soft_rig_clear(&rig);
            soft_rig_command(&rig, &segment, pattern, 10);
            soft_rig_expect(&rig, 0, ZN_RECORD_SENT, room ? ZN_REASON_OK : ZN_REASON_NO_GRANT, FLOW,
                            room ? 10 : 0, starts[i], segment.cookie);
            assert_int_equal(rig.packets, room ? 1 : 0);
            soft_rig_command(&rig, &delete, &address, sizeof(address));
        }
    }
}

// A refused segment leaves window and ack behind, and nothing else.
static void segment_refused_stores_window_and_ack(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(3);
    struct zn_acc_command add = soft_add_command(FLOW, RCV, 70), segment = segment_command(10, 0);
    struct zn_acc_command read = soft_command(ZN_MSG_READ, FLOW);
    struct zn_acc_flow_address address = soft_address(&peer);
    add.limit = 70;
    soft_rig_command(&rig, &add, &address, sizeof(address));
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &segment, pattern, 10);
    soft_rig_command(&rig, &read, NULL, 0);
    soft_rig_expect(&rig, 0, ZN_RECORD_SENT, ZN_REASON_NO_GRANT, FLOW, 0, 70, segment.cookie);
    soft_rig_expect(&rig, 1, ZN_RECORD_DONE, ZN_REASON_OK, FLOW, 4321, 70, read.cookie);
    soft_rig_expect(&rig, 2, ZN_RECORD_RX_DONE, ZN_REASON_OK, FLOW, 0, 0, read.cookie);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_SKIPPED), 1);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_SEGMENTS), 0);
}

static void segment_behind_a_refused_one_is_blocked(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(3);
    struct zn_acc_command segment = segment_command(10, 0), ack = segment_command(0, 0);
    struct zn_acc_command long_one = segment_command(2000, 0);
    struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, FLOW);
    soft_rig_add(&rig, FLOW, &peer, RCV, 70);
    grant.limit = 1000;
    soft_rig_command(&rig, &long_one, pattern, 2000);
    soft_rig_expect(&rig, 0, ZN_RECORD_SENT, ZN_REASON_TOO_LONG, FLOW, 0, 70, long_one.cookie);
    soft_rig_command(&rig, &segment, pattern, 10);
    soft_rig_expect(&rig, 1, ZN_RECORD_SENT, ZN_REASON_BLOCKED, FLOW, 0, 70, segment.cookie);
    soft_rig_command(&rig, &ack, NULL, 0); // passes all the same
    soft_rig_expect(&rig, 2, ZN_RECORD_SENT, ZN_REASON_OK, FLOW, 0, 70, ack.cookie);
    soft_rig_command(&rig, &grant, NULL, 0);
    soft_rig_command(&rig, &segment, pattern, 10);
    soft_rig_expect(&rig, 4, ZN_RECORD_SENT, ZN_REASON_BLOCKED, FLOW, 0, 70, segment.cookie);
    grant.flags = ZN_CMD_UNBLOCK;
    soft_rig_command(&rig, &grant, NULL, 0);
    soft_rig_command(&rig, &segment, pattern, 10);
    soft_rig_expect(&rig, 6, ZN_RECORD_SENT, ZN_REASON_OK, FLOW, 10, 70, segment.cookie);
}

// It goes out whatever stands in the way of payload.
static void acknowledgement_passes_everything(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(4);
    struct zn_acc_command add = soft_add_command(FLOW, RCV, 70), ack = segment_command(0, 0);
    struct zn_acc_flow_address address = soft_address(&peer);
    add.mss = 0;
    add.limit = 60; // the peer shrank its window
    add.flags = ZN_CMD_OPEN;
    soft_rig_command(&rig, &add, &address, sizeof(address));
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &ack, NULL, 0);
    soft_rig_expect(&rig, 0, ZN_RECORD_SENT, ZN_REASON_OK, FLOW, 0, 70, ack.cookie);
    struct soft_sent sent = check_sent(&peer);
    assert_int_equal(sent.seq, 70);
    assert_int_equal(sent.len, 0);
    assert_int_equal(sent.window, 4321);
}

// A bare one says nothing of frames, neither that one is open nor that it ended.
static void acknowledgement_leaves_open_as_it_is(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(4);
    struct zn_acc_command add = soft_add_command(FLOW, RCV, 70), ack = segment_command(0, 0);
    struct zn_acc_command open = segment_command(1, ZN_CMD_OPEN);
    struct zn_acc_flow_address address = soft_address(&peer);
    add.heartbeat_ms = 10;
    soft_rig_command(&rig, &add, &address, sizeof(address));
    zn_soft_set_time(rig.soft, 20);
    ack.flags = ZN_CMD_OPEN;
    soft_rig_command(&rig, &ack, NULL, 0);
    assert_true(zn_soft_heartbeat(rig.soft, FLOW));
    soft_rig_command(&rig, &open, pattern, 1);
    ack.flags = 0;
    soft_rig_command(&rig, &ack, NULL, 0);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
}

static void grant_says_what_segments_carry(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, FLOW);
    struct zn_acc_command heartbeat = soft_add_command(FLOW, RCV, 70);
    struct zn_acc_flow_address address = soft_address(&peer);
    heartbeat.heartbeat_ms = 10;
    soft_rig_command(&rig, &heartbeat, &address, sizeof(address));
    grant.window = 99;
    grant.ack = 0x01020304;
    grant.limit = 100;
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &grant, NULL, 0);
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_OK, FLOW, 0, 70, grant.cookie);
    zn_soft_set_time(rig.soft, 10);
    assert_true(zn_soft_heartbeat(rig.soft, FLOW));
    struct soft_sent sent = check_sent(&peer);
    assert_int_equal(sent.window, 99);
    assert_int_equal(sent.ack, 0x01020304);
}

static void quiet_commands_have_no_record(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, FLOW);
    struct zn_acc_command members = soft_command(ZN_MSG_MEMBERS, 0);
    grant.flags = ZN_CMD_QUIET;
    members.flags = ZN_CMD_QUIET;
    members.ids = 1;
    soft_rig_command(&rig, &grant, NULL, 0); // NO_FLOW
    soft_rig_add(&rig, FLOW, &peer, RCV, 70);
    soft_rig_command(&rig, &grant, NULL, 0);
    soft_rig_command(&rig, &members, pattern, 4);
    assert_int_equal(rig.records, 0);
    members.flow = SOFT_RIG_MEMBERS;
    soft_rig_command(&rig, &members, pattern, 4);
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_BAD_COMMAND, SOFT_RIG_MEMBERS, 0, 0,
                    members.cookie);
}

static void commands_for_unknown_flows_say_so(void **state)
{
    (void)state;
    static const enum zn_acc_msg kinds[] = { ZN_MSG_DELETE, ZN_MSG_RESYNC, ZN_MSG_READ,
                                             ZN_MSG_GRANT };
    for (unsigned i = 0; i < 4; i++) {
        struct zn_acc_command command = soft_command(kinds[i], FLOW);
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &command, pattern, 64);
        soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_NO_FLOW, FLOW, 0, 0, command.cookie);
        assert_int_equal(rig.records, kinds[i] == ZN_MSG_GRANT ? 1 : 2);
        if (kinds[i] != ZN_MSG_GRANT)
            soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_NO_FLOW, FLOW, 0, 0,
                            command.cookie);
    }
}

static void flow_deleted_is_unknown_to_both_sides(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(4);
    struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, FLOW);
    struct zn_acc_command read = soft_command(ZN_MSG_READ, FLOW);
    struct zn_acc_flow_address address = soft_address(&peer);
    soft_rig_add(&rig, FLOW, &peer, RCV, 70);
    for (unsigned again = 0; again < 2; again++) {
        enum zn_acc_reason reason = again ? ZN_REASON_NO_FLOW : ZN_REASON_OK;
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &delete, &address, sizeof(address));
        soft_rig_expect(&rig, 0, ZN_RECORD_DONE, reason, FLOW, 0, again ? 0 : 70, delete.cookie);
        soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, reason, FLOW, 0, 0, delete.cookie);
        soft_rig_command(&rig, &read, NULL, 0);
        soft_rig_expect(&rig, 2, ZN_RECORD_DONE, ZN_REASON_NO_FLOW, FLOW, 0, 0, read.cookie);
        soft_rig_expect(&rig, 3, ZN_RECORD_RX_DONE, ZN_REASON_NO_FLOW, FLOW, 0, 0, read.cookie);
    }
}

// One bucket: four slots, and no tag twice.
static void add_to_full_bucket_sends_only(void **state)
{
    (void)state;
    struct zn_soft_config config = soft_rig_config(&rig);
    struct zn_acc_command read = soft_command(ZN_MSG_READ, 4);
    soft_rig_deinit(&rig);
    config.buckets = 1;
    soft_rig_init_config(&rig, &config);
    for (uint32_t flow = 0; flow < 4; flow++) {
        struct soft_peer peer = soft_peer_make(flow);
        soft_rig_add(&rig, flow, &peer, RCV, 70);
    }
    struct soft_peer fifth = soft_peer_make(4), second = soft_peer_make(1);
    struct zn_acc_command add = soft_add_command(4, RCV, 70), segment = segment_command(10, 0);
    struct zn_acc_flow_address address = soft_address(&fifth);
    soft_rig_command(&rig, &add, &address, sizeof(address));
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_OK, 4, 0, 70, add.cookie);
    soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_TABLE_FULL, 4, 0, 0, add.cookie);
    soft_rig_command(&rig, &read, NULL, 0);
    soft_rig_expect(&rig, 2, ZN_RECORD_DONE, ZN_REASON_OK, 4, 501, 70, read.cookie);
    soft_rig_expect(&rig, 3, ZN_RECORD_RX_DONE, ZN_REASON_NO_FLOW, 4, 0, 0, read.cookie);
    segment.flow = 4;
    soft_rig_command(&rig, &segment, pattern, 10);
    soft_rig_expect(&rig, 4, ZN_RECORD_SENT, ZN_REASON_OK, 4, 10, 70, segment.cookie);

    struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, 1);
    struct zn_acc_flow_address other = soft_address(&second);
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &delete, &other, sizeof(other));
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_OK, 1, 0, 70, delete.cookie);
    soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_OK, 1, 0, 0, delete.cookie);
    soft_rig_clear(&rig);
    soft_rig_add(&rig, 5, &fifth, RCV, 70);
}

static void add_of_equal_tuple_is_table_full(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(0);
    struct zn_acc_command add = soft_add_command(6, RCV, 70);
    struct zn_acc_flow_address address = soft_address(&peer);
    soft_rig_add(&rig, FLOW, &peer, RCV, 70);
    soft_rig_command(&rig, &add, &address, sizeof(address));
    soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_TABLE_FULL, 6, 0, 0, add.cookie);
}

static void raw_leaves_as_it_is(void **state)
{
    (void)state;
    struct zn_acc_command raw = soft_command(ZN_MSG_RAW, 0);
    for (uint16_t len = 1; len <= SOFT_RIG_PAYLOAD; len += 89) {
        raw.length = len;
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &raw, pattern, len + 1u); // what is left of the message is skipped
        assert_int_equal(rig.records, 0);
        assert_int_equal(rig.packets, 1);
        assert_int_equal(rig.packet[0].len, len);
        assert_memory_equal(rig.packet[0].bytes, pattern, len);
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_RAW), 24);
}

// --- Bad commands

static void check_bad(const struct zn_acc_command *command, const void *body, size_t len)
{
    uint32_t bad = soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD);
    soft_rig_clear(&rig);
    soft_rig_command(&rig, command, body, len);
    assert_int_equal(rig.packets, 0);
    assert_int_equal(rig.records, 1);
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_BAD_COMMAND, command->flow, 0, 0,
                    command->cookie);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD), bad + 1);
}

static void command_of_each_unknown_kind_is_bad(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        struct zn_acc_command command = soft_command((enum zn_acc_msg)kind, 0);
        if (kind < ZN_MSG_RAW || kind > ZN_MSG_BROADCAST_GROUP)
            check_bad(&command, pattern, 64);
    }
}

static void command_of_other_version_is_bad(void **state)
{
    (void)state;
    for (unsigned kind = ZN_MSG_RAW; kind <= ZN_MSG_BROADCAST_GROUP; kind++) {
        struct zn_acc_command command = soft_command((enum zn_acc_msg)kind, 0);
        command.length = 10;
        command.version = ZN_CONTRACT_VERSION + 1;
        check_bad(&command, pattern, 64);
    }
}

static void command_with_flow_out_of_range_is_bad(void **state)
{
    (void)state;
    for (unsigned kind = ZN_MSG_SEGMENT; kind <= ZN_MSG_READ; kind++) {
        struct zn_acc_command command = soft_command((enum zn_acc_msg)kind, SOFT_RIG_FLOWS);
        check_bad(&command, pattern, 64);
        command.flow = UINT32_MAX;
        check_bad(&command, pattern, 64);
    }
}

static void command_with_members_out_of_range_is_bad(void **state)
{
    (void)state;
    struct zn_acc_command members = soft_command(ZN_MSG_MEMBERS, SOFT_RIG_MEMBERS - 1);
    struct zn_acc_command group = soft_command(ZN_MSG_BROADCAST_GROUP, SOFT_RIG_MEMBERS - 1);
    members.ids = 2;
    check_bad(&members, pattern, 8);
    members.flow = UINT32_MAX;
    check_bad(&members, pattern, 8);
    group.length = 10;
    group.count = 2;
    check_bad(&group, pattern, 64);
    group.count = UINT32_MAX;
    check_bad(&group, pattern, 64);
    group.count = 1;
    group.ids = SOFT_RIG_SKIPS + 1;
    check_bad(&group, pattern, 256);
}

static void command_with_length_out_of_range_is_bad(void **state)
{
    (void)state;
    static const enum zn_acc_msg kinds[] = { ZN_MSG_RAW, ZN_MSG_BROADCAST_LIST,
                                             ZN_MSG_BROADCAST_GROUP, ZN_MSG_SEGMENT };
    for (unsigned i = 0; i < 4; i++) {
        struct zn_acc_command command = soft_command(kinds[i], 0);
        if (kinds[i] != ZN_MSG_SEGMENT)
            check_bad(&command, pattern, 64);
        command.length = SOFT_RIG_PAYLOAD + 1;
        check_bad(&command, pattern, sizeof(pattern));
    }
}

static void command_whose_body_ends_early_is_bad(void **state)
{
    (void)state;
    static const struct {
        enum zn_acc_msg kind;
        uint16_t length, ids;
        size_t need;
    } bodies[] = { { ZN_MSG_RAW, 100, 0, 100 },
                   { ZN_MSG_SEGMENT, 100, 0, 100 },
                   { ZN_MSG_ADD, 0, 0, 64 },
                   { ZN_MSG_DELETE, 0, 0, 64 },
                   { ZN_MSG_BROADCAST_LIST, 100, 0, 100 },
                   { ZN_MSG_BROADCAST_GROUP, 100, 0, 100 },
                   { ZN_MSG_BROADCAST_GROUP, 100, 3, 128 + 12 },
                   { ZN_MSG_BROADCAST_GROUP, 64, 1, 64 + 4 } };
    for (unsigned i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        struct zn_acc_command command = soft_command(bodies[i].kind, 0);
        command.length = bodies[i].length;
        command.ids = bodies[i].ids;
        for (size_t len = 0; len < bodies[i].need; len++)
            check_bad(&command, pattern, len);
        uint32_t bad = soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD);
        soft_rig_command(&rig, &command, pattern, bodies[i].need);
        assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD), bad);
    }
}

static void message_shorter_than_a_command_is_bad(void **state)
{
    (void)state;
    struct zn_acc_command read = soft_command(ZN_MSG_READ, FLOW);
    for (size_t len = 0; len < sizeof(read); len++) {
        uint8_t *message = malloc(len + 1);
        assert_non_null(message);
        memcpy(message, &read, len);
        soft_rig_clear(&rig);
        zn_soft_command(rig.soft, message, len);
        soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_BAD_COMMAND, 0, 0, 0, 0);
        assert_int_equal(rig.records, 1);
        free(message);
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_COMMANDS), 64);
}

// --- Registers

static void registers_tell_who_they_are(void **state)
{
    (void)state;
    uint32_t seen[9] = { 0 };
    assert_int_equal(zn_soft_read(rig.soft, ZN_REG_MAGIC), 0x43494e5a);
    assert_int_equal(zn_soft_read(rig.soft, ZN_REG_CONTRACT), ZN_CONTRACT_VERSION);
    for (uint32_t at = ZN_REG_PARAMS;; at += 8) {
        uint32_t id = zn_soft_read(rig.soft, at);
        if (id == ZN_PARAM_END)
            break;
        assert_in_range(id, 1, 8);
        seen[id] = zn_soft_read(rig.soft, at + 4);
    }
    assert_int_equal(seen[ZN_PARAM_FLOWS], SOFT_RIG_FLOWS);
    assert_int_equal(seen[ZN_PARAM_FRAMES], 4);
    assert_int_equal(seen[ZN_PARAM_MEMBERS], SOFT_RIG_MEMBERS);
    assert_int_equal(seen[ZN_PARAM_PAYLOAD], SOFT_RIG_PAYLOAD);
    assert_int_equal(seen[ZN_PARAM_PACKET], 2048);
    assert_int_equal(seen[ZN_PARAM_SKIPS], SOFT_RIG_SKIPS);
    assert_int_equal(seen[ZN_PARAM_BUCKETS], SOFT_RIG_FLOWS);
}

static void registers_keep_what_is_written(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, written, read;
    } words[] = { { ZN_REG_CONTROL, 0xffffffff, 7 },
                  { ZN_REG_MS_CYCLES, 250000, 250000 },
                  { ZN_REG_RATE_PERIOD, 0xff, 15 },
                  { ZN_REG_REPORT_WAIT, 123, 123 },
                  { ZN_REG_LOCAL_MAC, 0x01020304, 0x01020304 },
                  { ZN_REG_LOCAL_MAC + 4, 0x0506, 0x0506 },
                  { ZN_REG_HOP, 0x1234, 0x1234 },
                  { ZN_REG_HASH_KEY, 0xdeadbeef, 0xdeadbeef },
                  { ZN_REG_HASH_KEY + 36, 0xcafebabe, 0xcafebabe },
                  { ZN_REG_MAGIC, 1, 0x43494e5a },
                  { ZN_REG_COUNTERS, 1, 0 },
                  { ZN_REG_HASH_KEY + 40, 1, 0 },
                  { 0x7fc, 1, 0 } };
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        zn_soft_write(rig.soft, words[i].offset, words[i].written);
        assert_int_equal(zn_soft_read(rig.soft, words[i].offset), words[i].read);
    }
    zn_soft_set_time(rig.soft, 0x80000001);
    assert_int_equal(zn_soft_read(rig.soft, ZN_REG_NOW_MS), 0x80000001);
}

int main(void)
{
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(segment_of_each_length_and_form_leaves),
        CASE(segment_checksum_of_extremes_holds),
        CASE(segment_checks_come_in_their_order),
        CASE(grant_ends_where_the_limit_is),
        CASE(segment_refused_stores_window_and_ack),
        CASE(segment_behind_a_refused_one_is_blocked),
        CASE(acknowledgement_passes_everything),
        CASE(acknowledgement_leaves_open_as_it_is),
        CASE(grant_says_what_segments_carry),
        CASE(quiet_commands_have_no_record),
        CASE(commands_for_unknown_flows_say_so),
        CASE(flow_deleted_is_unknown_to_both_sides),
        CASE(add_to_full_bucket_sends_only),
        CASE(add_of_equal_tuple_is_table_full),
        CASE(raw_leaves_as_it_is),
        CASE(command_of_each_unknown_kind_is_bad),
        CASE(command_of_other_version_is_bad),
        CASE(command_with_flow_out_of_range_is_bad),
        CASE(command_with_members_out_of_range_is_bad),
        CASE(command_with_length_out_of_range_is_bad),
        CASE(command_whose_body_ends_early_is_bad),
        CASE(message_shorter_than_a_command_is_bad),
        CASE(registers_tell_who_they_are),
        CASE(registers_keep_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
