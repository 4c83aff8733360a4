// SPDX-License-Identifier: Apache-2.0
// Lists, groups, and flows to leave out.
#include "cases.h"
#include "messages.h"
#include "rig.h"

#include <algorithm>

namespace tx
{

namespace
{

constexpr uint32_t flows = sizes.flows;
constexpr uint32_t table = sizes.members;

void add_all(Rig &rig, zn::Random &random)
{
    for (uint32_t i = 0; i < flows; i++)
        rig.send(message(open_flow(i, i * 0x1000000), address(random, i % shapes)));
}

std::vector<uint32_t> range(uint32_t first, uint32_t count)
{
    std::vector<uint32_t> out(count);
    for (uint32_t i = 0; i < count; i++)
        out[i] = (first + i) % flows;
    return out;
}

Bytes group(uint32_t first, uint32_t count, const Bytes &payload,
            const std::vector<uint32_t> &skips)
{
    zn_acc_command out = command(ZN_MSG_BROADCAST_GROUP, first);
    out.count = count;
    return with_lists(out, payload, skips);
}

Bytes list(const Bytes &payload, const std::vector<uint32_t> &ids)
{
    return with_lists(command(ZN_MSG_BROADCAST_LIST, 0), payload, ids);
}

// Settles; whether the last broadcast ended well with so many copies.
bool sent(Rig &rig, uint32_t copies)
{
    if (!rig.settle().empty() || rig.records.empty())
        return false;
    const Record &end = rig.records.back();
    return end.kind == ZN_RECORD_BROADCAST_END && end.reason == ZN_REASON_OK && end.seq == copies &&
           rig.packets.size() == copies;
}

void lists(zn::Tap &tap)
{
    zn::Random random(40);
    Rig rig;
    add_all(rig, random);
    tap.ok(rig.settle().empty(), "flows_added_are_reported");
    bool good = true;
    for (uint32_t count = 0; count <= flows; count++) {
        rig.send(list(random_bytes(random, 100), range(count, count)));
        good &= sent(rig, count);
    }
    tap.ok(good, "list_of_each_count_reaches_its_receivers");
    rig.send(list(random_bytes(random, 5), std::vector<uint32_t>(500, 3)));
    tap.ok(sent(rig, 500), "list_with_one_flow_many_times_sends_as_often");
    rig.send(list(random_bytes(random, 5), { 3, 4, 3, 4, 5, 3, 4, 5, 3 }));
    tap.ok(sent(rig, 9), "list_with_flows_in_turn_sends_to_each_in_turn");
    std::vector<uint32_t> many(5000);
    for (uint32_t &id : many)
        id = static_cast<uint32_t>(random.below(flows));
    rig.send(list(random_bytes(random, 20), many));
    tap.ok(sent(rig, 5000), "list_longer_than_any_buffer_is_worked_through");
}

void groups(zn::Tap &tap)
{
    zn::Random random(41);
    Rig rig;
    add_all(rig, random);
    rig.send(members(0, range(0, table)));
    rig.send(group(0, table, random_bytes(random, 60), {}));
    tap.ok(sent(rig, table), "group_of_the_whole_table_is_reached");
    rig.send(group(table - 1, 1, random_bytes(random, 60), {}));
    tap.ok(sent(rig, 1), "group_of_the_last_member_is_reached");
    rig.send(group(table, 0, random_bytes(random, 60), {}));
    tap.ok(sent(rig, 0), "group_without_members_behind_the_table_ends_at_once");
    rig.send(members(table - 2, { 7, 9 }));
    rig.send(members(0, { 9 }));
    rig.send(group(table - 2, 2, random_bytes(random, 60), {}));
    rig.send(group(0, 2, random_bytes(random, 60), {}));
    const std::string why = rig.settle();
    std::vector<uint32_t> to;
    for (const Record &record : rig.records) {
        if (record.kind == ZN_RECORD_SENT)
            to.push_back(record.flow);
    }
    tap.ok(why.empty() && to == std::vector<uint32_t>({ 7, 9, 9, 1 }),
           "member_written_is_the_receiver" + why);

    bool good = true;
    for (uint32_t skips = 0; skips <= sizes.skips; skips++) {
        rig.send(members(0, range(0, flows)));
        rig.send(group(0, flows, random_bytes(random, 60), range(11, skips)));
        good &= rig.settle().empty() && rig.packets.size() == flows - skips;
    }
    tap.ok(good, "group_with_each_count_of_flows_to_leave_out_omits_them");
    rig.send(group(0, flows, random_bytes(random, 60), { 0xffffffff, flows, 3, 3 }));
    tap.ok(sent(rig, flows - 1), "flow_to_leave_out_may_be_named_twice_or_not_exist");
    rig.send(group(0, flows, random_bytes(random, 60), {}));
    tap.ok(sent(rig, flows), "flows_left_out_are_forgotten_after_their_broadcast");
}

void receivers(zn::Tap &tap)
{
    zn::Random random(42);
    Rig rig;
    add_all(rig, random);
    rig.send(list(Bytes(9), { 0, flows, 0xffffffff, flows + 1, 1 }));
    tap.ok(sent(rig, 2), "receivers_out_of_range_get_nothing");
    zn_acc_command open = command(ZN_MSG_SEGMENT, 1);
    open.flags = ZN_CMD_OPEN;
    rig.send(with_payload(open, Bytes(10)));
    rig.send(list(Bytes(9), { 0, 1, 2 }));
    tap.ok(sent(rig, 3) == false && rig.packets.size() == 3 &&
               rig.records[2].reason == ZN_REASON_IN_FRAME,
           "receiver_inside_a_frame_gets_nothing");
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 1), Bytes(10)));
    rig.send(list(Bytes(9), { 0, 1, 2 }));
    tap.ok(rig.settle().empty() && rig.records[0].reason == ZN_REASON_BLOCKED &&
               rig.records[2].reason == ZN_REASON_BLOCKED,
           "receiver_that_missed_a_copy_is_blocked");
}

} // namespace

void broadcast_cases(zn::Tap &tap)
{
    lists(tap);
    groups(tap);
    receivers(tap);
}

} // namespace tx
