// SPDX-License-Identifier: Apache-2.0
// What the core sends by itself: replies and heartbeats.
#include "cases.h"
#include "messages.h"
#include "rig.h"

#include <algorithm>

namespace tx
{

namespace
{

Reply pong(uint32_t flow, const Bytes &payload)
{
    return { flow, flow * 0x01010101, 0x8a, payload };
}

unsigned count(const Rig &rig, unsigned kind, unsigned reason)
{
    unsigned found = 0;
    for (const Record &record : rig.records)
        found += record.kind == kind && record.reason == reason;
    return found;
}

void lengths(zn::Tap &tap)
{
    zn::Random random(60);
    Rig rig;
    for (unsigned shape = 0; shape < shapes; shape++)
        rig.send(message(open_flow(shape, 77), address(random, shape)));
    std::string why = rig.settle();
    for (uint32_t length = 0; length <= 125; length++) {
        rig.set_time(length << 10); // a new period
        for (unsigned shape = 0; shape < shapes; shape++)
            rig.reply(pong(shape, random_bytes(random, length)));
        why += rig.settle();
    }
    tap.ok(why.empty() && rig.reference.counts.reply == 4 * 126,
           "reply_of_each_length_leaves" + why);
}

void rate(zn::Tap &tap)
{
    zn::Random random(61);
    Settings settings;
    settings.rate_period = 4;
    Rig rig(settings);
    zn_acc_command add = open_flow(2, 1);
    add.replies = 3;
    rig.send(message(add, address(random, 0)));
    std::string why = rig.settle();
    bool good = true;
    for (const uint32_t now : { 0u, 15u, 16u, 31u, 32u, 16u + (256u << 4) }) {
        rig.set_time(now);
        for (unsigned i = 0; i < 5; i++)
            rig.reply(pong(2, Bytes(3)));
        why += rig.settle();
        const unsigned sent = now == 15 || now == 31 ? 0 : 3;
        good &= count(rig, ZN_RECORD_REPLY, ZN_REASON_OK) == sent;
        good &= count(rig, ZN_RECORD_REPLY, ZN_REASON_RATE) == 5 - sent;
    }
    tap.ok(good && why.empty(), "replies_above_the_rate_wait_for_the_next_period" + why);
    add = open_flow(3, 1);
    add.replies = 0;
    rig.send(message(add, address(random, 0)));
    why = rig.settle();
    rig.reply(pong(3, {}));
    why += rig.settle();
    tap.ok(why.empty() && count(rig, ZN_RECORD_REPLY, ZN_REASON_RATE) == 1,
           "rate_of_0_allows_no_reply" + why);
}

// In a long broadcast, replies do not wait for its end, and the broadcast goes on meanwhile.
void among_copies(zn::Tap &tap)
{
    zn::Random random(62);
    Rig rig;
    for (uint32_t flow = 0; flow < 8; flow++)
        rig.send(message(open_flow(flow, flow), address(random, flow % shapes)));
    std::string why = rig.settle();
    std::vector<uint32_t> ids(2000);
    for (uint32_t &id : ids)
        id = static_cast<uint32_t>(random.below(8));
    rig.send(with_lists(command(ZN_MSG_BROADCAST_LIST, 0), random_bytes(random, 16), ids));
    for (unsigned i = 0; i < 50; i++)
        rig.reply(pong(i % 8, random_bytes(random, i)));
    why += rig.settle();
    unsigned longest = 0, run = 0, replies = 0;
    bool begun = false;
    for (const Record &record : rig.records) {
        replies += record.kind == ZN_RECORD_REPLY;
        begun |= record.kind == ZN_RECORD_SENT;
        run = begun && record.kind == ZN_RECORD_REPLY ? run + 1 : 0;
        longest = std::max(longest, run);
        if (replies == 50)
            break;
    }
    const bool before_end = rig.records.back().kind == ZN_RECORD_BROADCAST_END;
    tap.ok(why.empty() && replies == 50 && before_end && longest == 1,
           "replies_and_copies_of_a_broadcast_take_turns" + why);
}

void heartbeats(zn::Tap &tap)
{
    zn::Random random(63);
    Settings settings;
    settings.heartbeats_on = true;
    Rig rig(settings);
    rig.set_time(65000); // the due times wrap
    for (uint32_t flow = 0; flow < 8; flow++) {
        zn_acc_command add = open_flow(flow, 100 * flow);
        add.heartbeat_ms = 1000;
        add.flow_flags = flow == 1 ? 0 : ZN_FLOW_ENGINE;
        if (flow == 2)
            add.heartbeat_ms = 0;
        if (flow == 3)
            add.flags = ZN_CMD_OPEN;
        if (flow == 4)
            add.limit = add.snd_nxt + 2;
        if (flow == 5)
            add.mss = 2;
        if (flow == 6)
            add.limit = add.snd_nxt + 3;
        rig.send(message(add, address(random, flow % shapes)));
    }
    std::string why = rig.settle();
    tap.ok(why.empty() && count(rig, ZN_RECORD_HEARTBEAT, 0) == 0,
           "heartbeat_before_its_time_is_not_sent" + why);
    rig.set_time(65999);
    why = rig.settle();
    tap.ok(why.empty() && rig.records.empty(), "heartbeat_one_ms_early_is_not_sent" + why);
    rig.set_time(66000);
    why = rig.settle();
    std::vector<uint32_t> flows;
    for (const Record &record : rig.records)
        flows.push_back(record.flow);
    std::sort(flows.begin(), flows.end());
    tap.ok(why.empty() && flows == std::vector<uint32_t>({ 0, 6, 7 }),
           "heartbeat_due_is_sent_where_it_is_allowed" + why);
    zn_acc_command grant = command(ZN_MSG_GRANT, 4);
    grant.limit = 1000;
    rig.send(message(grant));
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 3), Bytes(5))); // ends the frame
    why = rig.settle();
    tap.ok(why.empty() && count(rig, ZN_RECORD_HEARTBEAT, 0) == 2,
           "heartbeat_that_could_not_be_sent_is_sent_when_it_can" + why);
    rig.set_time(69000);
    why = rig.settle();
    tap.ok(why.empty() && count(rig, ZN_RECORD_HEARTBEAT, 0) == 12,
           "heartbeats_missed_are_made_up_for" + why);
    settings.heartbeats_on = false;
    rig.set_settings(settings);
    rig.set_time(72000);
    why = rig.settle();
    tap.ok(why.empty() && rig.records.empty(), "heartbeats_switched_off_are_not_sent" + why);
}

// While commands keep the flows busy, heartbeats get their turn.
void busy(zn::Tap &tap)
{
    zn::Random random(64);
    Settings settings;
    settings.heartbeats_on = true;
    Rig rig(settings);
    for (uint32_t flow = 0; flow < sizes.flows; flow++) {
        zn_acc_command add = open_flow(flow, 1);
        add.heartbeat_ms = 1000;
        add.flow_flags = ZN_FLOW_ENGINE;
        rig.send(message(add, address(random, 0)));
    }
    std::string why = rig.settle();
    rig.set_time(1000);
    std::vector<uint32_t> ids(64 * (sizes.flows + 2) + 200, 0xffffffff); // a refused copy a cycle
    rig.send(with_lists(command(ZN_MSG_BROADCAST_LIST, 0), Bytes(1), ids));
    why += rig.settle();
    tap.ok(why.empty() && rig.records.back().kind == ZN_RECORD_BROADCAST_END &&
               count(rig, ZN_RECORD_HEARTBEAT, 0) == sizes.flows,
           "heartbeats_are_sent_while_a_broadcast_takes_every_cycle" + why);
}

} // namespace

void own_cases(zn::Tap &tap)
{
    lengths(tap);
    rate(tap);
    among_copies(tap);
    heartbeats(tap);
    busy(tap);
}

} // namespace tx
