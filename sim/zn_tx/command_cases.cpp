// SPDX-License-Identifier: Apache-2.0
// Messages: what each needs, what is refused, and that what follows a refused one is not hurt.
#include "cases.h"
#include "messages.h"
#include "rig.h"

#include <cstddef>

namespace tx
{

namespace
{

constexpr uint32_t cookie = 0x600dbad5;

// A message that is good as it stands, by name. The first bytes of each are what it cannot do
// without.
struct Good {
    const char *name;
    Bytes bytes;
    size_t needed;
};

zn_acc_command cookied(uint8_t kind, uint32_t flow)
{
    zn_acc_command out = command(kind, flow);
    out.cookie = cookie;
    return out;
}

std::vector<Good> good_messages(zn::Random &random)
{
    const Bytes payload = random_bytes(random, 70);
    const std::vector<uint32_t> ids = { 1, 2, 3 };
    zn_acc_command add = open_flow(4, 9);
    add.cookie = cookie;
    zn_acc_command group = cookied(ZN_MSG_BROADCAST_GROUP, 3);
    group.count = 5;
    return {
        { "raw", with_payload(cookied(ZN_MSG_RAW, 0), payload), 64 + 70 },
        { "segment", with_payload(cookied(ZN_MSG_SEGMENT, 1), payload), 64 + 70 },
        { "add", message(add, address(random, 3)), 128 },
        { "delete", message(cookied(ZN_MSG_DELETE, 2), address(random, 0)), 128 },
        { "grant", message(cookied(ZN_MSG_GRANT, 3)), 64 },
        { "resync", message(cookied(ZN_MSG_RESYNC, 3)), 64 },
        { "read", message(cookied(ZN_MSG_READ, 3)), 64 },
        { "members", with_lists(cookied(ZN_MSG_MEMBERS, 2), {}, ids), 64 },
        { "list", with_lists(cookied(ZN_MSG_BROADCAST_LIST, 0), payload, ids), 64 + 70 },
        { "group", with_lists(group, payload, ids), 64 + 128 + 12 },
    };
}

void prepare(Rig &rig, zn::Random &random)
{
    for (uint32_t i = 0; i < 8; i++)
        rig.send(message(open_flow(i, i << 28), address(random, i % shapes)));
    rig.send(members(0, { 0, 1, 2, 3, 4, 5, 6, 7 }));
}

// A segment after the message tells whether the stream is in step still, and a READ whether the
// flow is.
std::string then_good(Rig &rig, zn::Random &random)
{
    rig.send(with_payload(command(ZN_MSG_SEGMENT, 6), random_bytes(random, 33)));
    rig.send(message(command(ZN_MSG_READ, 6)));
    return rig.settle();
}

bool refused(const Rig &rig)
{
    const Record &record = rig.records.front();
    return record.kind == ZN_RECORD_DONE && record.reason == ZN_REASON_BAD_COMMAND &&
           record.seq == 0 && record.length == 0;
}

Bytes with(Bytes bytes, size_t at, uint64_t value, size_t size)
{
    memcpy(bytes.data() + at, &value, size);
    return bytes;
}

// Cut at each byte: refused when it needs more, done when it does not.
void cuts(zn::Tap &tap)
{
    zn::Random random(50);
    for (const Good &good : good_messages(random)) {
        std::string why;
        for (size_t size = 1; why.empty() && size <= good.bytes.size(); size++) {
            Rig rig;
            prepare(rig, random);
            why = rig.settle();
            rig.send(Bytes(good.bytes.begin(), good.bytes.begin() + static_cast<ptrdiff_t>(size)));
            why += then_good(rig, random);
            if (!why.empty() || rig.records.empty())
                why += zn::text(": cut at %zu", size);
            else if (refused(rig) != (size < good.needed) && good.name != std::string("members"))
                why = zn::text(": refused wrongly at %zu", size);
            else if (size < 64 && (rig.records.front().cookie || rig.records.front().flow))
                why = zn::text(": cookie of a header cut at %zu", size);
        }
        tap.ok(why.empty(),
               zn::text("%s_cut_anywhere_is_refused_if_it_needs_more", good.name) + why);
    }
}

void lasts(zn::Tap &tap)
{
    zn::Random random(51);
    std::string why;
    for (const Good &good : good_messages(random)) {
        for (const size_t more : { 1, 7, 8, 63, 64, 65, 1000 }) {
            Rig rig;
            prepare(rig, random);
            why += rig.settle();
            Bytes bytes = good.bytes;
            bytes.resize(bytes.size() + more, 0x5a);
            rig.send(bytes);
            why += then_good(rig, random);
            if (refused(rig))
                why += zn::text(": %s and %zu bytes", good.name, more);
        }
    }
    tap.ok(why.empty(), "message_longer_than_it_says_is_done_and_the_rest_skipped" + why);
}

struct Wrong {
    const char *name;
    std::string of;
    size_t at;
    uint64_t value;
    size_t size;
};

void fields(zn::Tap &tap)
{
    const size_t version = offsetof(zn_acc_command, version), kind = offsetof(zn_acc_command, kind),
                 flow = offsetof(zn_acc_command, flow), length = offsetof(zn_acc_command, length),
                 count = offsetof(zn_acc_command, count), ids = offsetof(zn_acc_command, ids);
    const uint64_t flows = sizes.flows, table = sizes.members;
    std::vector<Wrong> wrongs = {
        { "length_0", "raw", length, 0, 2 },
        { "length_0", "list", length, 0, 2 },
        { "length_0", "group", length, 0, 2 },
        { "member_past_the_table", "members", flow, table - 2, 4 },
        { "member_that_wraps", "members", flow, 0xffffffff, 4 },
        { "member_past_the_table", "group", count, table - 2, 4 },
        { "count_that_wraps", "group", count, 0xffffffff, 4 },
        { "member_out_of_range", "group", flow, table, 4 },
        { "too_many_to_leave_out", "group", ids, sizes.skips + 1, 2 },
    };
    for (const char *of : { "raw", "segment", "list", "group" })
        wrongs.push_back({ "length_above_the_buffer", of, length, sizes.payload_max + 1, 2 });
    for (const char *of : { "segment", "add", "delete", "grant", "resync", "read" }) {
        wrongs.push_back({ "flow_out_of_range", of, flow, flows, 4 });
        wrongs.push_back({ "flow_far_out_of_range", of, flow, 0x80000000u | 1, 4 });
    }
    for (const char *of : { "raw", "segment", "add", "grant", "members", "list", "group" }) {
        wrongs.push_back({ "version_0", of, version, 0, 1 });
        wrongs.push_back({ "version_2", of, version, 2, 1 });
        for (const unsigned value : { 0, 15, 26, 255 })
            wrongs.push_back({ "unknown_kind", of, kind, value, 1 });
    }
    zn::Random random(52);
    std::map<std::string, Bytes> good;
    for (const Good &message : good_messages(random))
        good[message.name] = message.bytes;
    for (const Wrong &wrong : wrongs) {
        Rig rig;
        prepare(rig, random);
        std::string why = rig.settle();
        Bytes bytes = with(good[wrong.of], wrong.at, wrong.value, wrong.size);
        bytes.resize(bytes.size() + sizes.payload_max + 64, 0x77); // enough for what the field says
        rig.send(bytes);
        why += then_good(rig, random);
        const bool back = why.empty() && refused(rig) && rig.records.front().cookie == cookie;
        tap.ok(back, zn::text("%s_with_%s_is_refused", wrong.of.c_str(), wrong.name) + why);
    }
}

// QUIET commands have no record; refused ones have.
void quiet(zn::Tap &tap)
{
    zn::Random random(53);
    Rig rig;
    prepare(rig, random);
    std::string why = rig.settle();
    zn_acc_command grant = command(ZN_MSG_GRANT, 1), write = command(ZN_MSG_MEMBERS, 0);
    grant.flags = write.flags = ZN_CMD_QUIET;
    rig.send(message(grant));
    rig.send(with_lists(write, {}, { 5, 6 }));
    why += rig.settle();
    tap.ok(why.empty() && rig.records.empty(), "command_quiet_has_no_record" + why);
    write.flow = sizes.members;
    rig.send(with_lists(write, {}, { 5, 6 }));
    write.flow = 0;
    Bytes cut = with_lists(write, {}, { 5, 6 });
    cut.resize(cut.size() - 3);
    rig.send(cut);
    tap.ok(rig.settle().empty() && rig.records.size() == 2,
           "command_quiet_that_is_refused_has_a_record");
}

} // namespace

void command_cases(zn::Tap &tap)
{
    cuts(tap);
    lasts(tap);
    fields(tap);
    quiet(tap);
}

} // namespace tx
