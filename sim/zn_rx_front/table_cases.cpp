// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

namespace zn
{

namespace
{

using Tuples = std::vector<Tuple>;

// Tuples of one bucket, with tags of their own.
Tuples of_one_bucket(const FlowTable &table, size_t count, Random &random)
{
    Tuples tuples;
    std::vector<uint32_t> hashes;
    while (tuples.size() < count) {
        const Tuple tuple = random_tuple(random, random.chance(50));
        const uint32_t hash = table.hash(tuple);
        bool fits = true;
        for (const uint32_t other : hashes)
            fits =
                fits && other % BENCH_Buckets == hash % BENCH_Buckets && other >> 16 != hash >> 16;
        if (!fits)
            continue;
        tuples.push_back(tuple);
        hashes.push_back(hash);
    }
    return tuples;
}

// Another tuple with the bucket and the tag of `tuple`. The hash is linear, so what the two ports
// add can be searched for.
Tuple twin_of(const FlowTable &table, const Tuple &tuple, Random &random)
{
    const uint32_t wanted = table.hash(tuple);
    for (;;) {
        Tuple other = random_tuple(random, tuple.v6);
        const uint32_t seen = table.hash(other);
        if (seen >> 16 == wanted >> 16 && seen % BENCH_Buckets == wanted % BENCH_Buckets &&
            !(other == tuple))
            return other;
    }
}

Recipe packet_of(const Tuple &tuple, unsigned payload)
{
    Recipe recipe;
    recipe.tuple = tuple;
    recipe.payload = payload;
    return recipe;
}

// One after the other, each let through before the next.
class Steps
{
  public:
    Steps(Tap &tap, Front &front, Random &random) : tap_(tap), front_(front), random_(random)
    {
    }
    void add(const char *name, const Tuple &tuple, uint32_t flow, unsigned reason)
    {
        front_.command(add_of(tuple, flow, random_));
        command(name, reason);
    }
    void remove(const char *name, const Tuple &tuple, uint32_t flow, unsigned reason)
    {
        front_.command(remove_of(tuple, flow, random_));
        command(name, reason);
    }
    void packet(const char *name, const Tuple &tuple, bool hit)
    {
        const uint64_t before = front_.hits;
        front_.send(packet_of(tuple, 9));
        const std::string why = front_.drain();
        tap_.ok(why.empty() && front_.hits - before == hit, name + because(why));
    }

  private:
    void command(const char *name, unsigned reason)
    {
        const uint64_t before = front_.command_reasons[reason];
        const std::string why = front_.drain();
        tap_.ok(why.empty() && front_.command_reasons[reason] == before + 1, name + because(why));
    }

    Tap &tap_;
    Front &front_;
    Random &random_;
};

void one_by_one(Tap &tap, Front &front, Random &random)
{
    const Tuples tuples = of_one_bucket(front.table, 5, random);
    Steps steps(tap, front, random);
    steps.packet("packet_of_empty_table_misses", tuples[0], false);
    for (uint32_t i = 0; i < 4; i++)
        steps.add("add_takes_a_free_slot", tuples[i], 10 + i, ZN_REASON_OK);
    for (uint32_t i = 0; i < 4; i++)
        steps.packet("packet_of_added_flow_hits", tuples[i], true);
    steps.add("add_to_full_bucket_is_table_full", tuples[4], 20, ZN_REASON_TABLE_FULL);
    steps.packet("packet_of_refused_flow_misses", tuples[4], false);
    steps.remove("delete_of_refused_flow_is_no_flow", tuples[4], 20, ZN_REASON_NO_FLOW);
    steps.remove("delete_frees_the_slot", tuples[2], 12, ZN_REASON_OK);
    steps.packet("packet_of_deleted_flow_misses", tuples[2], false);
    steps.packet("packet_of_neighbour_still_hits", tuples[3], true);
    steps.remove("delete_again_is_no_flow", tuples[2], 12, ZN_REASON_NO_FLOW);
    steps.add("add_takes_the_freed_slot", tuples[4], 12, ZN_REASON_OK);
    steps.packet("packet_of_reused_flow_id_hits", tuples[4], true);
    for (const uint32_t i : { 0u, 1u, 3u })
        steps.remove("delete_of_the_others_works", tuples[i], 10 + i, ZN_REASON_OK);

    const Tuple twin = twin_of(front.table, tuples[4], random);
    steps.add("add_with_equal_tag_is_table_full", twin, 21, ZN_REASON_TABLE_FULL);
    steps.packet("packet_with_equal_tag_misses", twin, false);
    steps.packet("packet_of_the_other_with_the_tag_hits", tuples[4], true);
    steps.remove("delete_with_another_tuple_of_the_bucket_works", twin, 12, ZN_REASON_OK);
    steps.packet("packet_after_that_misses", tuples[4], false);
}

// The same bytes in both versions of IP; and tuples that differ in one bit.
void near_misses(Tap &tap, Front &front, Random &random)
{
    for (const bool v6 : { false, true }) {
        const Tuple tuple = random_tuple(random, v6);
        front.command(add_of(tuple, 30, random));
        expect_drained(tap, front, text("ipv%d_flow_is_added", v6 ? 6 : 4));
        for (unsigned bit = 0; bit < (v6 ? 128u : 32u); bit++)
            for (const bool peer : { false, true }) {
                Tuple other = tuple;
                (peer ? other.peer : other.local)[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
                front.send(packet_of(other, 1));
            }
        for (unsigned bit = 0; bit < 16; bit++)
            for (const bool peer : { false, true }) {
                Tuple other = tuple;
                (peer ? other.peer_port : other.local_port)[bit / 8] ^=
                    static_cast<uint8_t>(1u << bit % 8);
                front.send(packet_of(other, 1));
            }
        Tuple swapped = tuple;
        std::swap(swapped.peer, swapped.local);
        std::swap(swapped.peer_port, swapped.local_port);
        front.send(packet_of(swapped, 1));
        const uint64_t before = front.hits;
        expect_drained(tap, front, text("ipv%d_tuple_with_one_other_bit_misses", v6 ? 6 : 4));
        tap.ok(front.hits == before, text("ipv%d_tuple_with_one_other_bit_never_hits", v6 ? 6 : 4));
        front.command(remove_of(tuple, 30, random));
        front.drain();
    }
    Tuple four = random_tuple(random, false), six = four;
    six.v6 = true;
    front.command(add_of(four, 31, random));
    front.drain();
    front.send(packet_of(six, 1));
    front.send(packet_of(four, 1));
    const uint64_t before = front.hits;
    expect_drained(tap, front, "ipv6_tuple_with_the_bytes_of_ipv4_misses");
    tap.ok(front.hits == before + 1, "ipv4_tuple_with_its_own_bytes_hits");
    front.command(remove_of(four, 31, random));
    front.drain();
}

// A few flows of one bucket come and go while their packets pass, as close together as can be. An
// ADD of a flow that is there is refused for its tag.
void storms(Tap &tap, Front &front, Random &random)
{
    const Tuples tuples = of_one_bucket(front.table, 6, random);
    for (const Pause commands : all_pauses)
        for (const Pause packets : all_pauses) {
            front.pauses(packets, commands, random.chance(50) ? Pause::never : Pause::sometimes);
            for (unsigned i = 0; i < 400; i++) {
                const uint32_t flow = static_cast<uint32_t>(random.below(tuples.size()));
                Command command = random.chance(50) ? add_of(tuples[flow], flow, random)
                                                    : remove_of(tuples[flow], flow, random);
                if (random.chance(10))
                    command.op = random.chance(50) ? Command::read : Command::resync;
                front.command(command);
                front.send(
                    packet_of(tuples[random.below(tuples.size())], random.chance(80) ? 2 : 100));
            }
            expect_drained(tap, front,
                           text("storm_of_commands_%s_packets_%s_is_in_order", pause_name(commands),
                                pause_name(packets)));
            for (uint32_t flow = 0; flow < tuples.size(); flow++)
                front.command(remove_of(tuples[flow], flow, random));
            front.drain();
        }
    front.pauses(Pause::never, Pause::never, Pause::never);
}

// Every flow id once, wherever it falls.
void all_flows(Tap &tap, Front &front, Random &random)
{
    Tuples tuples;
    for (uint32_t flow = 0; flow < BENCH_Flows; flow++) {
        tuples.push_back(random_tuple(random, flow & 1));
        front.command(add_of(tuples[flow], flow, random));
    }
    expect_drained(tap, front, "flow_of_every_id_is_added_or_refused");
    for (unsigned round = 0; round < 4; round++)
        for (const Tuple &tuple : tuples)
            front.send(packet_of(tuple, 1 + static_cast<unsigned>(random.below(40))));
    expect_drained(tap, front, "flow_of_every_id_is_found");
    front.reset();
    for (const Tuple &tuple : tuples)
        front.send(packet_of(tuple, 1));
    const uint64_t before = front.hits;
    expect_drained(tap, front, "packets_after_reset_miss");
    tap.ok(front.hits == before, "table_after_reset_is_empty");
}

} // namespace

void table_cases(Tap &tap, Front &front)
{
    Random random(23);
    one_by_one(tap, front, random);
    near_misses(tap, front, random);
    storms(tap, front, random);
    all_flows(tap, front, random);
}

} // namespace zn
