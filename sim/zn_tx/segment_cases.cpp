// SPDX-License-Identifier: Apache-2.0
// Segments of one flow: lengths, headers, grants, blocking.
#include "cases.h"
#include "messages.h"
#include "rig.h"

namespace tx
{

namespace
{

void add_shapes(Rig &rig, zn::Random &random)
{
    for (unsigned shape = 0; shape < shapes; shape++)
        rig.send(message(open_flow(shape, 0xfffffc00), address(random, shape)));
}

// Each length of payload behind each kind of headers, over the wrap of the sequence numbers.
void lengths(zn::Tap &tap)
{
    zn::Random random(30);
    Rig rig;
    add_shapes(rig, random);
    std::string why;
    for (uint32_t length = 1; why.empty() && length <= sizes.payload_max; length++) {
        zn_acc_command list = command(ZN_MSG_BROADCAST_LIST, 0);
        list.flags = length & 1 ? ZN_CMD_PUSH : 0;
        rig.send(with_lists(list, random_bytes(random, length), { 0, 1, 2, 3 }));
        rig.send(
            with_payload(command(ZN_MSG_SEGMENT, length % shapes), random_bytes(random, length)));
        if (length % 128 == 0 || length == sizes.payload_max)
            why = rig.settle();
    }
    tap.ok(why.empty() && rig.reference.counts.segment == 5ull * sizes.payload_max,
           "segment_of_each_length_leaves_with_each_kind_of_headers" + why);
}

void extremes(zn::Tap &tap)
{
    zn::Random random(31);
    Rig rig;
    add_shapes(rig, random);
    for (unsigned shape = 0; shape < shapes; shape++) {
        for (const uint8_t byte : { 0x00, 0xff }) {
            rig.send(with_payload(command(ZN_MSG_SEGMENT, shape), Bytes(sizes.payload_max, byte)));
            rig.send(with_payload(command(ZN_MSG_SEGMENT, shape), Bytes(1, byte)));
        }
    }
    tap.ok(rig.settle().empty(), "payload_of_zeros_and_ones_has_right_checksum");

    for (unsigned shape = 0; shape < shapes; shape++)
        rig.send(with_payload(command(ZN_MSG_SEGMENT, shape), {}));
    const std::string why = rig.settle();
    bool bare = why.empty() && rig.records.size() == shapes;
    for (unsigned i = 0; bare && i < shapes; i++)
        bare =
            rig.records[i].length == 0 && rig.packets[i].size() == 54 + (i & 1) * 4 + (i >> 1) * 20;
    tap.ok(bare, "segment_without_payload_leaves_as_headers_alone" + why);
}

uint8_t last_reason(Rig &rig)
{
    return rig.settle().empty() && !rig.records.empty() ? rig.records.back().reason : 255;
}

// To the last byte of a grant that ends behind the wrap, and not one further.
void grants(zn::Tap &tap)
{
    zn::Random random(32);
    bool good = true;
    for (const uint32_t begin : { 0u, 100u, 0x7fffff00u, 0x80000000u, 0xffffff00u, 0xffffffffu }) {
        Rig rig;
        zn_acc_command add = open_flow(5, begin);
        add.limit = begin + 300;
        rig.send(message(add, address(random, 0)));
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(200)));
        good &= last_reason(rig) == ZN_REASON_OK;
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(101)));
        good &= last_reason(rig) == ZN_REASON_NO_GRANT;
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(100)));
        good &= last_reason(rig) == ZN_REASON_BLOCKED;
        zn_acc_command grant = command(ZN_MSG_GRANT, 5);
        grant.limit = begin + 300;
        grant.flags = ZN_CMD_UNBLOCK;
        rig.send(message(grant));
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(100)));
        good &= last_reason(rig) == ZN_REASON_OK;
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(1)));
        good &= last_reason(rig) == ZN_REASON_NO_GRANT;
        grant.limit = begin + 200; // behind what was sent
        rig.send(message(grant));
        rig.send(with_payload(command(ZN_MSG_SEGMENT, 5), Bytes(1)));
        good &= last_reason(rig) == ZN_REASON_NO_GRANT;
    }
    tap.ok(good, "segment_ends_at_its_grant_wherever_numbers_wrap");
}

void checks(zn::Tap &tap)
{
    zn::Random random(33);
    Rig rig;
    zn_acc_command add = open_flow(7, 1);
    add.mss = 100;
    rig.send(message(add, address(random, 0)));
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 7), Bytes(100)));
    tap.ok(last_reason(rig) == ZN_REASON_OK, "segment_of_mss_bytes_leaves");
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 7), Bytes(101)));
    tap.ok(last_reason(rig) == ZN_REASON_TOO_LONG, "segment_above_mss_is_refused");
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 7), Bytes(1)));
    tap.ok(last_reason(rig) == ZN_REASON_BLOCKED, "segment_after_a_refused_one_is_blocked");
    zn_acc_command bare = command(ZN_MSG_SEGMENT, 7);
    bare.window = 77;
    rig.send(message(bare));
    tap.ok(last_reason(rig) == ZN_REASON_OK, "acknowledgement_of_a_blocked_flow_leaves");
    rig.send(message(command(ZN_MSG_READ, 7)));
    tap.ok(last_reason(rig) == ZN_REASON_OK && rig.records.back().seq == 101 &&
               rig.records.back().length == 77,
           "read_reports_next_number_and_window");
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 8), Bytes(1)));
    tap.ok(last_reason(rig) == ZN_REASON_NO_FLOW,
           "segment_of_a_flow_that_was_not_added_is_refused");
    rig.send(message(command(ZN_MSG_DELETE, 7), address(random, 0)));
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 7), Bytes(1)));
    tap.ok(last_reason(rig) == ZN_REASON_NO_FLOW, "segment_of_a_deleted_flow_is_refused");
}

} // namespace

void segment_cases(zn::Tap &tap)
{
    lengths(tap);
    extremes(tap);
    grants(tap);
    checks(tap);
}

} // namespace tx
