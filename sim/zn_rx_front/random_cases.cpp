// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

namespace zn
{

namespace
{

void add_fault(Recipe &r, Random &random)
{
    switch (random.below(16)) {
    case 0:
        r.tags.push_back(random.chance(50) ? 0x8100 : 0x88a8);
        break;
    case 1:
        r.ethertype = static_cast<int>(random.below(0x10000));
        break;
    case 2:
        r.version = static_cast<int>(random.below(16));
        break;
    case 3:
        r.ihl = static_cast<int>(random.below(16));
        break;
    case 4:
        r.ip_options = static_cast<unsigned>(random.below(11));
        break;
    case 5:
        r.total_more = static_cast<int>(random.below(100)) - 50;
        break;
    case 6:
        r.fragment = static_cast<uint16_t>(1u << random.below(16));
        break;
    case 7:
        r.protocol = static_cast<uint8_t>(random.bits());
        break;
    case 8:
        r.ip_sum_flip = static_cast<uint16_t>(1u << random.below(16));
        break;
    case 9:
        r.data_offset = static_cast<int>(random.below(16));
        break;
    case 10:
        r.flags = static_cast<uint8_t>(random.bits());
        break;
    case 11:
        r.tcp_sum_flip = static_cast<uint16_t>(1u << random.below(16));
        break;
    case 12:
        r.tcp_missing = static_cast<unsigned>(random.below(60));
        break;
    case 13:
        r.cut = static_cast<int>(random.range(1, 130));
        break;
    case 14:
        r.bad = true;
        break;
    case 15:
        r.payload = static_cast<unsigned>(random.below(3));
        break;
    }
}

Recipe random_recipe(const std::vector<Tuple> &known, Random &random)
{
    Recipe r;
    r.tuple = random.chance(70) ? known[random.below(known.size())]
                                : random_tuple(random, random.chance(50));
    if (random.chance(40))
        r.tags = { 0x8100 };
    r.seq = static_cast<uint32_t>(random.bits());
    r.tcp_options = random.chance(50) ? 0 : static_cast<unsigned>(random.below(11));
    r.payload = static_cast<unsigned>(random.chance(97) ? random.below(3 * beat_bytes)
                                                        : random.below(BENCH_PacketMax + 20));
    if (random.chance(30))
        r.padding = static_cast<unsigned>(random.below(20));
    if (random.chance(10))
        r.payload = 0;
    if (random.chance(50))
        return r;

    for (uint64_t faults = random.range(1, 3); faults--;)
        add_fault(r, random);
    return r;
}

Bytes random_packet(const std::vector<Tuple> &known, Random &random, bool *bad)
{
    const Recipe recipe = random_recipe(known, random);
    Bytes packet = build(recipe, random);
    *bad = recipe.bad;
    if (random.chance(10))
        packet[random.below(packet.size())] ^= static_cast<uint8_t>(1u << random.below(8));
    if (random.chance(3))
        for (uint8_t &byte : packet)
            byte = static_cast<uint8_t>(random.bits());
    return packet;
}

} // namespace

void random_cases(Tap &tap, Front &front)
{
    Random random(24);
    std::vector<Tuple> known;
    for (uint32_t flow = 0; flow < 12; flow++) {
        known.push_back(random_tuple(random, flow & 1));
        front.command(add_of(known[flow], flow, random));
    }
    expect_drained(tap, front, "flows_for_random_packets_are_added");

    front.reasons.fill(0);
    front.hits = 0;
    for (const Pause idle : all_pauses)
        for (const Pause stall : all_pauses) {
            front.pauses(idle, Pause::mostly, stall);
            for (unsigned i = 0; i < 600; i++) {
                bool bad = false;
                const Bytes packet = random_packet(known, random, &bad);
                front.send(packet, bad);
                const uint32_t flow = static_cast<uint32_t>(random.below(known.size()));
                if (random.chance(10))
                    front.command(remove_of(known[flow], flow, random)),
                        front.command(add_of(known[flow], flow, random));
            }
            expect_drained(tap, front,
                           text("random_packets_idle_%s_stall_%s_are_judged", pause_name(idle),
                                pause_name(stall)));
        }
    front.pauses(Pause::never, Pause::never, Pause::never);

    for (unsigned reason = ZN_REASON_OK; reason <= ZN_REASON_NO_PAYLOAD; reason++)
        tap.ok(front.reasons[reason] >= 50,
               text("random_packets_reach_reason_%u_often: %llu", reason,
                    (unsigned long long)front.reasons[reason]));
    tap.ok(front.hits >= 500,
           text("random_packets_hit_often: %llu", (unsigned long long)front.hits));
}

} // namespace zn
