// SPDX-License-Identifier: Apache-2.0
// Broadcasts: lists and groups, who is left out, order, records, the bytes of each copy.
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define SND UINT32_C(0xfffffff8) // the first flow's; numbers wrap
enum { FLOWS = 20, BODY = 8192 };

static struct soft_rig rig;
static uint8_t pattern[SOFT_RIG_PAYLOAD], body[BODY];

static int setup(void **state)
{
    (void)state;
    uint32_t seed = 31;
    soft_rig_init(&rig);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)soft_random(&seed);
    for (uint32_t flow = 0; flow < FLOWS; flow++) {
        struct soft_peer peer = soft_peer_make(flow);
        soft_rig_add(&rig, flow, &peer, 0, SND + flow);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    return 0;
}

// Payload, zeros, words; returns the body's length.
static size_t put_body(uint16_t length, const uint32_t *words, size_t count)
{
    size_t at = (length + 63u) / 64 * 64;
    memset(body, 0, sizeof(body));
    memcpy(body, pattern, length);
    if (count > 0)
        memcpy(body + at, words, count * 4);
    return at + count * 4;
}

static struct zn_acc_command list_command(uint16_t length, uint16_t ids)
{
    struct zn_acc_command list = soft_command(ZN_MSG_BROADCAST_LIST, 77);
    list.length = length;
    list.ids = ids;
    return list;
}

static void set_members(uint32_t first, const uint32_t *flows, uint16_t count)
{
    struct zn_acc_command members = soft_command(ZN_MSG_MEMBERS, first);
    members.ids = count;
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &members, flows, count * 4u);
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_OK, first, 0, 0, members.cookie);
    soft_rig_clear(&rig);
}

// Packet `at` is the copy for `flow`, at `seq`.
static void check_copy(unsigned at, uint32_t flow, uint32_t seq, uint16_t length, uint8_t flags)
{
    struct soft_peer peer = soft_peer_make(flow);
    struct soft_sent sent;
    assert_true(at < rig.packets);
    const char *wrong = soft_packet_read(rig.packet[at].bytes, rig.packet[at].len, &sent);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_int_equal(sent.to_port, peer.peer_port);
    assert_memory_equal(sent.to, peer.peer_address, peer.v6 ? 16 : 4);
    assert_memory_equal(sent.destination, peer.mac, 6);
    assert_int_equal(sent.seq, seq);
    assert_int_equal(sent.flags, flags);
    assert_int_equal(sent.len, length);
    assert_memory_equal(sent.payload, pattern, length);
}

static void list_each_receiver_gets_a_copy(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 3, 0, 19, 7, 8, 8, 1, 2 };
    static const uint16_t lengths[] = { 1, 2, 63, 64, 65, 127, 128, 1459, 1460 };
    uint32_t sent[FLOWS] = { 0 };
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct zn_acc_command list = list_command(lengths[i], 8);
        list.flags = i & 1 ? ZN_CMD_PUSH : 0;
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &list, body, put_body(lengths[i], flows, 8));
        assert_int_equal(rig.packets, 8);
        assert_int_equal(rig.records, 9);
        for (unsigned k = 0; k < 8; k++) {
            uint32_t flow = flows[k], seq = SND + flow + sent[flow];
            check_copy(k, flow, seq, lengths[i], SOFT_ACK | (i & 1 ? SOFT_PSH : 0));
            soft_rig_expect(&rig, k, ZN_RECORD_SENT, ZN_REASON_OK, flow, lengths[i], seq,
                            list.cookie);
            sent[flow] += lengths[i];
        }
        soft_rig_expect(&rig, 8, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, 77, 0, 8, list.cookie);
    }
}

static void list_of_nobody_ends(void **state)
{
    (void)state;
    struct zn_acc_command list = list_command(10, 0);
    soft_rig_command(&rig, &list, pattern, 10);
    assert_int_equal(rig.records, 1);
    soft_rig_expect(&rig, 0, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, 77, 0, 0, list.cookie);
}

// Whoever cannot be sent to is passed over; the others are not held up.
static void list_refused_receivers_are_told(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 0, SOFT_RIG_FLOWS, 1, UINT32_MAX, 2, 40, 3, 4, 5, 6 };
    struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, 1), list = list_command(100, 10);
    struct zn_acc_command open = soft_command(ZN_MSG_SEGMENT, 2);
    struct zn_acc_flow_address address;
    grant.limit = SND + 1 + 99;
    soft_rig_command(&rig, &grant, NULL, 0);
    open.length = 1;
    open.flags = ZN_CMD_OPEN;
    soft_rig_command(&rig, &open, pattern, 1);
    for (uint32_t flow = 3; flow <= 4; flow++) { // a small mss; no flow any more
        struct soft_peer peer = soft_peer_make(flow);
        struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, flow);
        struct zn_acc_command add = soft_add_command(flow, 0, SND);
        address = soft_address(&peer);
        add.mss = 99;
        soft_rig_command(&rig, &delete, &address, sizeof(address));
        if (flow == 3)
            soft_rig_command(&rig, &add, &address, sizeof(address));
    }
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &list, body, put_body(100, flows, 10));
    static const enum zn_acc_reason want[] = { ZN_REASON_OK,       ZN_REASON_NO_FLOW,
                                               ZN_REASON_NO_GRANT, ZN_REASON_NO_FLOW,
                                               ZN_REASON_IN_FRAME, ZN_REASON_NO_FLOW,
                                               ZN_REASON_TOO_LONG, ZN_REASON_NO_FLOW,
                                               ZN_REASON_OK,       ZN_REASON_OK };
    static const uint32_t seqs[] = { SND, 0, SND + 1, 0, SND + 3, 0, SND, 0, SND + 5, SND + 6 };
    for (unsigned i = 0; i < 10; i++)
        soft_rig_expect(&rig, i, ZN_RECORD_SENT, want[i], flows[i],
                        want[i] == ZN_REASON_OK ? 100 : 0, seqs[i], list.cookie);
    soft_rig_expect(&rig, 10, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, 77, 0, 3, list.cookie);
    assert_int_equal(rig.packets, 3);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_SEGMENTS), 4);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_SKIPPED), 7);

    // Those refused for want of room are blocked now, the others are not.
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &list, body, put_body(100, flows, 10));
    for (unsigned i = 0; i < 10; i++) {
        bool blocked = want[i] != ZN_REASON_OK && want[i] != ZN_REASON_NO_FLOW;
        assert_int_equal(rig.record[i].reason, blocked ? ZN_REASON_BLOCKED : want[i]);
    }
}

static void list_that_ends_early_is_told(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 9, 10, 11 };
    struct zn_acc_command list = list_command(70, 3);
    size_t whole = put_body(70, flows, 3);
    for (size_t len = 70; len < whole; len++) {
        size_t words = len > 128 ? (len - 128) / 4 : 0;
        uint32_t bad = soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD);
        soft_rig_clear(&rig);
        soft_rig_command(&rig, &list, body, len);
        assert_int_equal(rig.packets, words);
        assert_int_equal(rig.records, words + 1);
        soft_rig_expect(&rig, (unsigned)words, ZN_RECORD_BROADCAST_END, ZN_REASON_BAD_COMMAND, 77,
                        0, (uint32_t)words, list.cookie);
        assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_COMMANDS_BAD), bad + 1);
    }
}

static void group_members_get_a_copy(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 5, 4, 3, 2, 1, 0, 15, 14, 13, 12 };
    struct zn_acc_command group = soft_command(ZN_MSG_BROADCAST_GROUP, SOFT_RIG_MEMBERS - 9);
    set_members(SOFT_RIG_MEMBERS - 10, flows, 10);
    group.length = 200;
    group.count = 9;
    soft_rig_command(&rig, &group, pattern, 200);
    for (unsigned i = 0; i < 9; i++) {
        check_copy(i, flows[i + 1], SND + flows[i + 1], 200, SOFT_ACK);
        soft_rig_expect(&rig, i, ZN_RECORD_SENT, ZN_REASON_OK, flows[i + 1], 200,
                        SND + flows[i + 1], group.cookie);
    }
    soft_rig_expect(&rig, 9, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, group.flow, 0, 9, group.cookie);
    assert_int_equal(rig.packets, 9);
}

static void group_leaves_out_whom_it_names(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 5, 4, 3, 30, 1, 0 };
    static const uint32_t skips[] = { 30, 5, 0, 19 };
    static const enum zn_acc_reason want[] = {
        ZN_REASON_LEFT_OUT, ZN_REASON_OK, ZN_REASON_OK,
        ZN_REASON_NO_FLOW,  ZN_REASON_OK, ZN_REASON_LEFT_OUT
    };
    struct zn_acc_command group = soft_command(ZN_MSG_BROADCAST_GROUP, 0);
    struct zn_acc_command list = list_command(10, 6);
    set_members(0, flows, 6);
    group.length = 70;
    group.count = 6;
    group.ids = 4;
    soft_rig_command(&rig, &group, body, put_body(70, skips, 4));
    for (unsigned i = 0; i < 6; i++)
        soft_rig_expect(&rig, i, ZN_RECORD_SENT, want[i], flows[i],
                        want[i] == ZN_REASON_OK ? 70 : 0,
                        want[i] == ZN_REASON_NO_FLOW ? 0 : SND + flows[i], group.cookie);
    soft_rig_expect(&rig, 6, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, 0, 0, 3, group.cookie);
    // To be left out blocks nobody.
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &list, body, put_body(10, flows, 6));
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(rig.record[i].reason, flows[i] == 30 ? ZN_REASON_NO_FLOW : ZN_REASON_OK);
}

// LEFT_OUT comes before BLOCKED, and that before IN_FRAME.
static void group_checks_come_in_their_order(void **state)
{
    (void)state;
    static const uint32_t flows[] = { 5, 6 }, skips[] = { 5 };
    struct zn_acc_command group = soft_command(ZN_MSG_BROADCAST_GROUP, 0);
    struct zn_acc_command open = soft_command(ZN_MSG_SEGMENT, 5);
    struct zn_acc_command list = list_command(10, 2);
    set_members(0, flows, 2);
    open.length = 1;
    open.flags = ZN_CMD_OPEN;
    for (uint32_t flow = 5; flow <= 6; flow++) {
        open.flow = flow;
        soft_rig_command(&rig, &open, pattern, 1);
    }
    soft_rig_command(&rig, &list, body, put_body(10, flows, 2)); // IN_FRAME, and blocks them
    assert_int_equal(rig.record[2].reason, ZN_REASON_IN_FRAME);
    group.length = 10;
    group.count = 2;
    group.ids = 1;
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &group, body, put_body(10, skips, 1));
    assert_int_equal(rig.record[0].reason, ZN_REASON_LEFT_OUT);
    assert_int_equal(rig.record[1].reason, ZN_REASON_BLOCKED);
}

static void members_that_end_early_are_written(void **state)
{
    (void)state;
    static const uint32_t before[] = { 1, 2, 3, 4 }, after[] = { 7, 8, 9, 10 };
    struct zn_acc_command members = soft_command(ZN_MSG_MEMBERS, 0);
    struct zn_acc_command group = soft_command(ZN_MSG_BROADCAST_GROUP, 0);
    set_members(0, before, 4);
    members.ids = 4;
    members.flags = ZN_CMD_QUIET;
    soft_rig_command(&rig, &members, after, 11); // two words and a bit
    soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_BAD_COMMAND, 0, 0, 0, members.cookie);
    group.length = 5;
    group.count = 4;
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &group, pattern, 5);
    static const uint32_t want[] = { 7, 8, 3, 4 };
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(rig.record[i].flow, want[i]);
}

// Replies and heartbeats may come between the copies, and get sequence numbers of their own.
static void copies_one_by_one_let_heartbeats_between(void **state)
{
    (void)state;
    struct soft_peer peer = soft_peer_make(25);
    struct zn_acc_flow_address address = soft_address(&peer);
    struct zn_acc_command add = soft_add_command(30, 0, 500), list = list_command(10, 2);
    add.heartbeat_ms = 5;
    soft_rig_command(&rig, &add, &address, sizeof(address));
    soft_rig_clear(&rig);
    size_t len = put_body(10, (const uint32_t[]){ 30, 30 }, 2);
    uint8_t message[64 + 256];
    memcpy(message, &list, sizeof(list));
    memcpy(message + sizeof(list), body, len);
    zn_soft_set_time(rig.soft, 5);
    assert_false(zn_soft_command_tx(rig.soft, message, sizeof(list) + len));
    assert_int_equal(rig.records, 0);
    assert_true(zn_soft_copy(rig.soft));
    assert_true(zn_soft_heartbeat(rig.soft, 30));
    assert_true(zn_soft_copy(rig.soft));
    assert_false(zn_soft_copy(rig.soft));
    assert_false(zn_soft_copy(rig.soft));
    soft_rig_expect(&rig, 0, ZN_RECORD_SENT, ZN_REASON_OK, 30, 10, 500, list.cookie);
    soft_rig_expect(&rig, 1, ZN_RECORD_HEARTBEAT, ZN_REASON_OK, 30, 3, 510, 0);
    soft_rig_expect(&rig, 2, ZN_RECORD_SENT, ZN_REASON_OK, 30, 10, 513, list.cookie);
    soft_rig_expect(&rig, 3, ZN_RECORD_BROADCAST_END, ZN_REASON_OK, 77, 0, 2, list.cookie);
    assert_int_equal(rig.records, 4);
}

int main(void)
{
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(list_each_receiver_gets_a_copy),
        CASE(list_of_nobody_ends),
        CASE(list_refused_receivers_are_told),
        CASE(list_that_ends_early_is_told),
        CASE(group_members_get_a_copy),
        CASE(group_leaves_out_whom_it_names),
        CASE(group_checks_come_in_their_order),
        CASE(members_that_end_early_are_written),
        CASE(copies_one_by_one_let_heartbeats_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
