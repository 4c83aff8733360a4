// SPDX-License-Identifier: Apache-2.0
// How many cycles things take when nobody pauses.
#include "cases.h"
#include "messages.h"
#include "rig.h"

namespace tx
{

namespace
{

constexpr unsigned copies = 500;

uint64_t beats_of(size_t headers, size_t payload)
{
    return (headers + payload + beat_bytes - 1) / beat_bytes;
}

// Copies of a broadcast leave back to back: as many cycles as beats, from the first to the last.
void broadcast(zn::Tap &tap, size_t length, unsigned shape, bool of_group)
{
    zn::Random random(80);
    Rig rig;
    std::vector<uint32_t> ids(of_group ? sizes.members : copies);
    for (uint32_t flow = 0; flow < 8; flow++)
        rig.send(message(open_flow(flow, flow), address(random, shape)));
    for (uint32_t &id : ids)
        id = static_cast<uint32_t>(random.below(8));
    if (of_group)
        rig.send(members(0, ids));
    std::string why = rig.settle();
    rig.watch.restart();
    zn_acc_command group = command(ZN_MSG_BROADCAST_GROUP, 0);
    group.count = sizes.members;
    const Bytes payload = random_bytes(random, length);
    rig.send(of_group ? with_lists(group, payload, {})
                      : with_lists(command(ZN_MSG_BROADCAST_LIST, 0), payload, ids));
    why += rig.settle();
    const uint64_t beats = beats_of(54 + (shape & 1) * 4 + (shape >> 1) * 20, length);
    const uint64_t cycles = rig.watch.last_beat - rig.watch.first_beat + 1;
    tap.ok(why.empty() && rig.watch.beats == beats * ids.size() && cycles == rig.watch.beats,
           zn::text("broadcast_%s_of_%zu_bytes_headers_%u_takes_%u_cycles_a_copy",
                    of_group ? "group" : "list", length, shape, static_cast<unsigned>(beats)) +
               why);
    tap.note(zn::text("%zu copies, %u beats, %u cycles", ids.size(),
                      static_cast<unsigned>(rig.watch.beats), static_cast<unsigned>(cycles)));
}

// Segments of one command each: the next payload arrives while the last one leaves.
void segments(zn::Tap &tap, size_t length)
{
    zn::Random random(81);
    Rig rig;
    for (uint32_t flow = 0; flow < 8; flow++)
        rig.send(message(open_flow(flow, flow), address(random, 0)));
    std::string why = rig.settle();
    rig.watch.restart();
    for (unsigned i = 0; i < copies; i++)
        rig.send(with_payload(command(ZN_MSG_SEGMENT, i % 8), random_bytes(random, length)));
    why += rig.settle();
    const uint64_t in = copies * beats_of(64, length), out = copies * beats_of(54, length);
    const uint64_t cycles = rig.watch.last_beat - rig.watch.first_beat + 1;
    tap.ok(why.empty() && rig.watch.beats == out && cycles <= std::max(in, out) + 2,
           zn::text("segments_of_%zu_bytes_are_limited_by_a_port", length) + why);
    tap.note(zn::text("%u segments, %u beats in, %u beats out, %u cycles", copies,
                      static_cast<unsigned>(in), static_cast<unsigned>(out),
                      static_cast<unsigned>(cycles)));
}

// From the last beat of a command to the first of its packet.
void latency(zn::Tap &tap)
{
    zn::Random random(82);
    Rig rig;
    rig.send(message(open_flow(1, 1), address(random, 0)));
    std::string why = rig.settle();
    rig.watch.restart();
    const uint64_t begin = rig.watch.cycle;
    const Bytes segment = with_payload(command(ZN_MSG_SEGMENT, 1), random_bytes(random, 64));
    rig.send(segment);
    why += rig.settle();
    const uint64_t taken = begin + segment.size() / beat_bytes;
    const uint64_t cycles = rig.watch.first_beat - taken;
    tap.ok(why.empty() && cycles <= 25, "segment_leaves_within_25_cycles" + why);
    tap.note(zn::text("%u cycles", static_cast<unsigned>(cycles)));
}

} // namespace

void rate_cases(zn::Tap &tap)
{
    for (const size_t length : { 1, 10, 16, 64, 128, 512, 1400 }) {
        for (unsigned shape = 0; shape < shapes; shape++)
            broadcast(tap, length, shape, false);
        broadcast(tap, length, 0, true);
    }
    for (const size_t length : { 64, 512, 1400 })
        segments(tap, length);
    latency(tap);
}

} // namespace tx
