// SPDX-License-Identifier: Apache-2.0
// Report packets, and that each sequence number is reported exactly once.
#include "cases.h"
#include "messages.h"
#include "rig.h"

namespace tx
{

namespace
{

constexpr unsigned batch = 64;

void reads(Rig &rig, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        rig.send(message(command(ZN_MSG_READ, 1)));
}

void batches(zn::Tap &tap)
{
    Settings settings;
    settings.report_wait = 2000;
    Rig rig(settings);
    std::string why;
    for (const unsigned count : { 1u, 2u, 3u, 4u, 5u, 17u, 32u, batch - 1 }) {
        rig.batches.clear();
        rig.watch.reports = 0;
        reads(rig, count);
        why += rig.settle();
        why += rig.batches == std::map<unsigned, unsigned>{ { count, 1 } } ? "" : ": split";
    }
    tap.ok(why.empty(), "records_that_come_within_the_wait_share_a_report" + why);
    rig.batches.clear();
    rig.watch.reports = 0;
    reads(rig, 3 * batch);
    why = rig.settle();
    tap.ok(why.empty() && rig.batches == std::map<unsigned, unsigned>{ { batch, 3 } },
           "report_that_is_full_does_not_wait" + why);
    settings.report_wait = 0;
    rig.set_settings(settings);
    rig.batches.clear();
    rig.watch.reports = 0;
    reads(rig, 1);
    why = rig.settle();
    tap.ok(why.empty() && rig.batches == std::map<unsigned, unsigned>{ { 1, 1 } },
           "record_alone_is_reported" + why);
}

// A host that takes reports slowly stalls the transmit side; nothing is lost (settle() compares all
// records).
void slow_host(zn::Tap &tap)
{
    zn::Random random(70);
    Rig rig;
    rig.set_pauses({ zn::Pause::never, zn::Pause::never, zn::Pause::mostly, zn::Pause::never,
                     zn::Pause::never });
    for (uint32_t flow = 0; flow < 8; flow++)
        rig.send(message(open_flow(flow, flow), address(random, flow % shapes)));
    std::vector<uint32_t> ids(3000);
    for (uint32_t &id : ids)
        id = static_cast<uint32_t>(random.below(16));
    rig.send(with_lists(command(ZN_MSG_BROADCAST_LIST, 0), random_bytes(random, 3), ids));
    const std::string why = rig.settle();
    tap.ok(why.empty() && rig.records.size() == 8 + 3000 + 1,
           "records_for_a_slow_host_are_all_reported" + why);
}

// From the records alone: numbers of a flow follow each other without gap or overlap.
void each_number_once(zn::Tap &tap)
{
    zn::Random random(71);
    Rig rig;
    std::map<uint32_t, uint32_t> next;
    std::string why;
    for (uint32_t flow = 0; flow < 8; flow++) {
        next[flow] = static_cast<uint32_t>(random.bits());
        zn_acc_command add = open_flow(flow, next[flow]);
        add.limit = add.snd_nxt + 20000;
        rig.send(message(add, address(random, flow % shapes)));
    }
    why = rig.settle();
    for (unsigned i = 0; i < 300; i++) {
        const Bytes payload = random_bytes(random, random.range(1, 300));
        if (random.chance(50))
            rig.send(with_payload(command(ZN_MSG_SEGMENT, static_cast<uint32_t>(random.below(8))),
                                  payload));
        else
            rig.send(
                with_lists(command(ZN_MSG_BROADCAST_LIST, 0), payload, { 0, 1, 2, 3, 4, 5, 6, 7 }));
        if (random.chance(30))
            rig.reply(
                { static_cast<uint32_t>(random.below(8)), i, 0x8a, random_bytes(random, i % 126) });
    }
    why += rig.settle();
    unsigned wrong = 0;
    for (const Record &record : rig.records) {
        if (record.kind != ZN_RECORD_SENT && record.kind != ZN_RECORD_REPLY)
            continue;
        wrong += record.seq != next[record.flow];
        next[record.flow] += record.length;
    }
    tap.ok(why.empty() && wrong == 0, "number_of_a_flow_is_reported_exactly_once" + why);
}

} // namespace

void report_cases(zn::Tap &tap)
{
    batches(tap);
    slow_host(tap);
    each_number_once(tap);
}

} // namespace tx
