// SPDX-License-Identifier: Apache-2.0
// What the core says by itself: pongs, answers to probes, their rate and room, heartbeats and their
// answers.
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

// Sequence numbers that wrap soon.
#define RCV UINT32_C(0xfffffff0)
#define SND UINT32_C(0xfffffffd)
enum { FLOW = 8, ALL = 15 };

static struct soft_rig rig;
static struct soft_peer peer;
static uint8_t packet[4096], payload[2048];
static size_t payload_len;
static uint32_t received;
static const uint8_t key[4] = { 9, 8, 7, 6 };

static int setup(void **state)
{
    (void)state;
    soft_rig_init(&rig);
    peer = soft_peer_make(1);
    payload_len = 0;
    received = RCV;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    return 0;
}

static void add_flow(uint8_t flags, uint16_t replies, uint16_t heartbeat_ms)
{
    struct zn_acc_command add = soft_add_command(FLOW, RCV, SND);
    struct zn_acc_flow_address address = soft_address(&peer);
    add.flow_flags = flags;
    add.replies = replies;
    add.heartbeat_ms = heartbeat_ms;
    soft_rig_command(&rig, &add, &address, sizeof(address));
    assert_int_equal(rig.record[1].reason, ZN_REASON_OK);
    soft_rig_clear(&rig);
}

static void put(uint8_t first, const void *bytes, size_t len)
{
    payload_len += soft_frame_make(payload + payload_len, first, key, bytes, len);
}

// The frames that were put, `len` bytes of them, arrive.
static struct zn_acc_rx_annotation arrive_part(size_t len, bool may_take)
{
    struct zn_acc_rx_annotation annotation;
    struct soft_segment segment = {
        .seq = received, .flags = SOFT_ACK, .payload = payload, .len = len
    };
    zn_soft_receive(rig.soft, packet, soft_packet_make(packet, &peer, &segment), false, may_take,
                    &annotation);
    assert_int_equal(annotation.reason, ZN_REASON_OK);
    received += (uint32_t)len;
    memmove(payload, payload + len, payload_len - len);
    payload_len -= len;
    return annotation;
}

static struct zn_acc_rx_annotation arrive(void)
{
    return arrive_part(payload_len, true);
}

// Packet `at` is this frame of ours, pushed, at `seq`.
static void check_frame(unsigned at, uint32_t seq, uint8_t first, const void *bytes, size_t len)
{
    struct soft_sent sent;
    assert_true(at < rig.packets);
    const char *wrong = soft_packet_read(rig.packet[at].bytes, rig.packet[at].len, &sent);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_int_equal(sent.flags, SOFT_ACK | SOFT_PSH);
    assert_int_equal(sent.seq, seq);
    assert_int_equal(sent.window, 501);
    assert_int_equal(sent.ack, RCV);
    assert_int_equal(sent.len, 2 + len);
    assert_int_equal(sent.payload[0], first);
    assert_int_equal(sent.payload[1], len);
    assert_memory_equal(sent.payload + 2, bytes, len);
}

static void ping_of_each_length_has_its_pong(void **state)
{
    (void)state;
    uint8_t bytes[125];
    uint32_t sent = SND;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 3);
    add_flow(ALL, 255, 0);
    for (size_t len = 0; len <= 125; len++) {
        put(0x89, bytes, len);
        uint32_t cookie = received + 6;
        struct zn_acc_rx_annotation a = arrive();
        assert_int_equal(a.frame[0].flags, ZN_FRAME_COMPLETE | ZN_FRAME_TAKEN);
        assert_int_equal(rig.packets, 0); // not before the transmit side is asked
        assert_true(zn_soft_reply(rig.soft));
        assert_false(zn_soft_reply(rig.soft));
        check_frame(0, sent, 0x8a, bytes, len);
        soft_rig_expect(&rig, 0, ZN_RECORD_REPLY, ZN_REASON_OK, FLOW, (uint16_t)(2 + len), sent,
                        cookie);
        sent += (uint32_t)(2 + len);
        soft_rig_clear(&rig);
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES), 126);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_TX_SEGMENTS), 0);
}

static void probe_is_answered(void **state)
{
    (void)state;
    add_flow(ZN_FLOW_RECEIVE | ZN_FLOW_ENGINE, 1, 0);
    put(0x81, "2probe", 6);
    uint32_t cookie = received + 6;
    assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE | ZN_FRAME_TAKEN);
    assert_true(zn_soft_reply(rig.soft));
    check_frame(0, SND, 0x81, "3probe", 6);
    soft_rig_expect(&rig, 0, ZN_RECORD_REPLY, ZN_REASON_OK, FLOW, 8, SND, cookie);
}

// Frames that look like questions, and flows that may not be answered for.
static void others_are_not_taken(void **state)
{
    (void)state;
    static const struct {
        uint8_t flags, first;
        const char *text;
    } frames[] = { { ALL & ~ZN_FLOW_ANSWER, 0x89, "x" },
                   { ALL & ~ZN_FLOW_ENGINE, 0x81, "2probe" },
                   { ALL, 0x82, "2probe" },
                   { ALL, 0x01, "2probe" },
                   { ALL, 0xc1, "2probe" },
                   { ALL, 0x81, "3probe" },
                   { ALL, 0x81, "2prob" },
                   { ALL, 0x81, "2probex" },
                   { ALL, 0x8a, "x" },
                   { ALL, 0x88, "xx" },
                   { ALL, 0x80, "2probe" },
                   { ALL, 0x81, "2" } };
    for (unsigned i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
        soft_rig_deinit(&rig);
        setup(NULL);
        add_flow(frames[i].flags, 255, 0);
        put(frames[i].first, frames[i].text, strlen(frames[i].text));
        assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE);
        assert_false(zn_soft_reply(rig.soft));
        assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES_MISSED), 0);
    }
}

// A ping that is cut is the host's, whichever part of it came first.
static void ping_in_two_packets_is_not_taken(void **state)
{
    (void)state;
    add_flow(ALL, 255, 0);
    for (size_t cut = 1; cut < 6 + 4; cut++) {
        put(0x89, "ping", 4);
        unsigned flags = arrive_part(cut, true).frame[0].flags;
        flags |= arrive().frame[0].flags;
        assert_int_equal(flags & ZN_FRAME_TAKEN, 0);
        assert_int_equal(flags & ZN_FRAME_SPLIT, cut < 6 ? ZN_FRAME_SPLIT : 0);
        assert_false(zn_soft_reply(rig.soft));
    }
    put(0x89, "ping", 4); // and a whole one behind a cut one is taken
    put(0x89, "pong", 4);
    arrive_part(3, true);
    struct zn_acc_rx_annotation a = arrive();
    assert_int_equal(a.frame[0].flags, ZN_FRAME_COMPLETE | ZN_FRAME_SPLIT);
    assert_int_equal(a.frame[1].flags, ZN_FRAME_COMPLETE | ZN_FRAME_TAKEN);
}

static void first_ping_of_a_packet_is_taken(void **state)
{
    (void)state;
    add_flow(ALL, 255, 0);
    put(0x81, "abc", 3);
    put(0x89, "first", 5);
    put(0x81, "2probe", 6);
    put(0x89, "third", 5);
    struct zn_acc_rx_annotation a = arrive();
    static const uint8_t want[4] = { 0, ZN_FRAME_TAKEN, 0, 0 };
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(a.frame[i].flags, ZN_FRAME_COMPLETE | want[i]);
    assert_true(zn_soft_reply(rig.soft));
    assert_false(zn_soft_reply(rig.soft));
    check_frame(0, SND, 0x8a, "first", 5);
}

static void ping_behind_four_frames_is_not_taken(void **state)
{
    (void)state;
    add_flow(ALL, 255, 0);
    for (unsigned i = 0; i < 4; i++)
        put(0x81, "x", 1);
    put(0x89, "fifth", 5);
    assert_int_equal(arrive().frames, 5);
    assert_false(zn_soft_reply(rig.soft));
}

static void ping_without_room_is_missed(void **state)
{
    (void)state;
    add_flow(ALL, 255, 0);
    for (unsigned i = 0; i < SOFT_RIG_REPLIES + 2; i++) {
        put(0x89, &i, 1);
        unsigned flags = arrive().frame[0].flags;
        assert_int_equal(flags, ZN_FRAME_COMPLETE | (i < SOFT_RIG_REPLIES ? ZN_FRAME_TAKEN : 0));
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES_MISSED), 2);
    for (unsigned round = 0; round < 5; round++) { // the ring goes round
        assert_true(zn_soft_reply(rig.soft));
        put(0x89, &round, 1);
        assert_int_equal(arrive_part(payload_len, false).frame[0].flags, ZN_FRAME_COMPLETE);
        put(0x89, &round, 1);
        assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE | ZN_FRAME_TAKEN);
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES_MISSED), 7);
    static const uint8_t want[] = { 0, 1, 2, 0, 1 };
    for (unsigned i = 0; i < 5; i++) {
        struct soft_sent sent;
        assert_null(soft_packet_read(rig.packet[i].bytes, rig.packet[i].len, &sent));
        assert_int_equal(sent.payload[2], want[i]);
    }
}

static void replies_switched_off_leave_pings_to_the_host(void **state)
{
    (void)state;
    add_flow(ALL, 255, 0);
    put(0x89, "x", 1);
    arrive();
    zn_soft_write(rig.soft, ZN_REG_CONTROL, 5);
    put(0x89, "y", 1);
    assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES_MISSED), 0);
    assert_true(zn_soft_reply(rig.soft)); // that it took, it answers
    soft_rig_expect(&rig, 0, ZN_RECORD_REPLY, ZN_REASON_OK, FLOW, 3, SND, RCV + 6);
    assert_false(zn_soft_reply(rig.soft));
}

// All subsets of what can be in the way of a reply.
static void reply_checks_come_in_their_order(void **state)
{
    (void)state;
    static const enum zn_acc_reason order[] = { ZN_REASON_NO_FLOW, ZN_REASON_RATE,
                                                ZN_REASON_IN_FRAME, ZN_REASON_TOO_LONG,
                                                ZN_REASON_NO_GRANT };
    for (unsigned set = 0; set < 32; set++) {
        struct zn_acc_command add = soft_add_command(FLOW, RCV, SND);
        struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, FLOW);
        struct zn_acc_flow_address address = soft_address(&peer);
        enum zn_acc_reason want = ZN_REASON_OK;
        soft_rig_deinit(&rig);
        setup(NULL);
        add.replies = set & 2 ? 0 : 1;
        add.flags = set & 4 ? ZN_CMD_OPEN : 0;
        add.mss = set & 8 ? 6 : 7;
        add.limit = SND + (set & 16 ? 6 : 7);
        soft_rig_command(&rig, &add, &address, sizeof(address));
        put(0x89, "hello", 5);
        arrive();
        if (set & 1)
            soft_rig_command(&rig, &delete, &address, sizeof(address));
        soft_rig_clear(&rig);
        for (unsigned i = 5; i-- > 0;)
            want = set >> i & 1 ? order[i] : want;
        assert_true(zn_soft_reply(rig.soft));
        soft_rig_expect(&rig, 0, ZN_RECORD_REPLY, want, FLOW, want == ZN_REASON_OK ? 7 : 0,
                        want == ZN_REASON_NO_FLOW ? 0 : SND, RCV + 6);
        assert_int_equal(rig.packets, want == ZN_REASON_OK ? 1 : 0);
        assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_REPLIES_REFUSED),
                         want == ZN_REASON_OK ? 0 : 1);
    }
}

// `replies` a period, and a new period brings as many again.
static void replies_are_limited_a_period(void **state)
{
    (void)state;
    add_flow(ALL, 3, 0);
    zn_soft_write(rig.soft, ZN_REG_RATE_PERIOD, 7);
    for (uint32_t now = 0; now < 128 * 300; now += 16) { // past where the period's 8 bits wrap
        soft_rig_clear(&rig);
        zn_soft_set_time(rig.soft, now);
        put(0x89, "x", 1);
        arrive();
        assert_true(zn_soft_reply(rig.soft));
        assert_int_equal(rig.record[0].reason, now % 128 < 48 ? ZN_REASON_OK : ZN_REASON_RATE);
    }
}

// A refused one does not count.
static void reply_refused_leaves_the_rate(void **state)
{
    (void)state;
    struct zn_acc_command segment = soft_command(ZN_MSG_SEGMENT, FLOW);
    add_flow(ALL, 1, 0);
    segment.length = 1;
    segment.flags = ZN_CMD_OPEN;
    soft_rig_command(&rig, &segment, "x", 1);
    for (unsigned i = 0; i < 2; i++) {
        put(0x89, "x", 1);
        arrive();
        assert_true(zn_soft_reply(rig.soft));
        assert_int_equal(rig.record[1 + i].reason, ZN_REASON_IN_FRAME);
    }
    segment.flags = 0;
    soft_rig_command(&rig, &segment, "x", 1);
    put(0x89, "x", 1);
    arrive();
    assert_true(zn_soft_reply(rig.soft));
    assert_int_equal(rig.record[4].reason, ZN_REASON_OK);
}

// --- Heartbeats

static void heartbeat_leaves_when_it_is_due(void **state)
{
    (void)state;
    uint32_t sent = SND;
    zn_soft_set_time(rig.soft, 0xffff0000 - 100); // the clock's low bits wrap, later all of it
    add_flow(ALL, 0, 50);
    for (uint32_t past = 0; past < 70000; past += 10) {
        soft_rig_clear(&rig);
        zn_soft_set_time(rig.soft, 0xffff0000 - 100 + past);
        bool due = past > 0 && past % 50 == 0;
        assert_int_equal(zn_soft_heartbeat(rig.soft, FLOW), due);
        assert_int_equal(rig.records, due);
        if (!due)
            continue;
        check_frame(0, sent, 0x81, "2", 1);
        soft_rig_expect(&rig, 0, ZN_RECORD_HEARTBEAT, ZN_REASON_OK, FLOW, 3, sent, 0);
        sent += 3;
    }
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_HEARTBEATS), 1399);
}

static void heartbeat_that_is_late_keeps_its_times(void **state)
{
    (void)state;
    add_flow(ALL, 0, 50);
    zn_soft_set_time(rig.soft, 120);
    assert_true(zn_soft_heartbeat(rig.soft, FLOW));
    assert_true(zn_soft_heartbeat(rig.soft, FLOW)); // that of 100
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    zn_soft_set_time(rig.soft, 149);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    zn_soft_set_time(rig.soft, 150);
    assert_true(zn_soft_heartbeat(rig.soft, FLOW));
}

static void heartbeat_waits_for_what_is_in_its_way(void **state)
{
    (void)state;
    struct zn_acc_command segment = soft_command(ZN_MSG_SEGMENT, FLOW);
    struct zn_acc_command grant = soft_command(ZN_MSG_GRANT, FLOW);
    add_flow(ALL, 0, 50);
    zn_soft_set_time(rig.soft, 50);
    zn_soft_write(rig.soft, ZN_REG_CONTROL, 3);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    zn_soft_write(rig.soft, ZN_REG_CONTROL, 7);
    segment.length = 1;
    segment.flags = ZN_CMD_OPEN;
    soft_rig_command(&rig, &segment, "x", 1);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    segment.flags = 0;
    soft_rig_command(&rig, &segment, "x", 1);
    grant.limit = SND + 2 + 2;
    soft_rig_command(&rig, &grant, NULL, 0);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    grant.limit = SND + 2 + 3;
    soft_rig_command(&rig, &grant, NULL, 0);
    assert_true(zn_soft_heartbeat(rig.soft, FLOW));
    assert_false(zn_soft_heartbeat(rig.soft, SOFT_RIG_FLOWS));
    assert_false(zn_soft_heartbeat(rig.soft, FLOW + 1));
}

static void heartbeat_only_of_engine_flows(void **state)
{
    (void)state;
    add_flow(ALL & ~ZN_FLOW_ENGINE, 0, 50);
    zn_soft_set_time(rig.soft, 50);
    assert_false(zn_soft_heartbeat(rig.soft, FLOW));
    put(0x81, "3", 1);
    assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE);
}

static void poll_answers_all_and_finds_due_heartbeats(void **state)
{
    (void)state;
    for (uint32_t flow = 0; flow < SOFT_RIG_FLOWS; flow++) {
        struct soft_peer each = soft_peer_make(flow);
        struct zn_acc_command add = soft_add_command(flow, RCV, SND);
        struct zn_acc_flow_address address = soft_address(&each);
        add.heartbeat_ms = flow == FLOW ? 0 : (uint16_t)(100 + flow);
        soft_rig_command(&rig, &add, &address, sizeof(address));
    }
    peer = soft_peer_make(FLOW);
    put(0x89, "a", 1);
    arrive();
    put(0x89, "b", 1);
    arrive();
    soft_rig_clear(&rig);
    zn_soft_set_time(rig.soft, 120);
    zn_soft_poll(rig.soft, 10);
    assert_int_equal(rig.records, 2 + 9); // of flows 0 to 9 but FLOW
    assert_int_equal(rig.record[0].kind, ZN_RECORD_REPLY);
    zn_soft_poll(rig.soft, SOFT_RIG_FLOWS);
    assert_int_equal(rig.records, 2 + 20); // to flow 20
    zn_soft_poll(rig.soft, SOFT_RIG_FLOWS);
    assert_int_equal(rig.records, 2 + 20);
}

static void heartbeat_answer_is_stamped(void **state)
{
    (void)state;
    struct zn_acc_command read = soft_command(ZN_MSG_READ, FLOW);
    add_flow(ALL, 0, 50);
    zn_soft_set_time(rig.soft, 0x12345678);
    put(0x81, "3", 1);
    put(0x82, "3", 1);
    put(0x81, "33", 2);
    put(0x81, "3", 1);
    struct zn_acc_rx_annotation a = arrive();
    static const uint8_t want[4] = { ZN_FRAME_HEARTBEAT, 0, 0, ZN_FRAME_HEARTBEAT };
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(a.frame[i].flags, ZN_FRAME_COMPLETE | want[i]);
    soft_rig_command(&rig, &read, NULL, 0);
    soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_OK, FLOW, 0, 0x5678, read.cookie);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_HEARTBEATS_SEEN), 1);
    zn_soft_set_time(rig.soft, 0x12345700);
    put(0x81, "3", 1); // its header began earlier
    arrive_part(1, true);
    assert_int_equal(arrive().frame[0].flags, ZN_FRAME_COMPLETE | ZN_FRAME_SPLIT);
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &read, NULL, 0);
    assert_int_equal(rig.record[1].seq, 0x5678);
}

int main(void)
{
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(ping_of_each_length_has_its_pong),
        CASE(probe_is_answered),
        CASE(others_are_not_taken),
        CASE(ping_in_two_packets_is_not_taken),
        CASE(first_ping_of_a_packet_is_taken),
        CASE(ping_behind_four_frames_is_not_taken),
        CASE(ping_without_room_is_missed),
        CASE(replies_switched_off_leave_pings_to_the_host),
        CASE(reply_checks_come_in_their_order),
        CASE(replies_are_limited_a_period),
        CASE(reply_refused_leaves_the_rate),
        CASE(heartbeat_leaves_when_it_is_due),
        CASE(heartbeat_that_is_late_keeps_its_times),
        CASE(heartbeat_waits_for_what_is_in_its_way),
        CASE(heartbeat_only_of_engine_flows),
        CASE(poll_answers_all_and_finds_due_heartbeats),
        CASE(heartbeat_answer_is_stamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
