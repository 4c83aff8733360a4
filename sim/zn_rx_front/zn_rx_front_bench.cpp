// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

namespace zn
{

std::string because(const std::string &why)
{
    return why.empty() ? why : ": " + why;
}

void expect_drained(Tap &tap, Front &front, const std::string &name)
{
    const std::string why = front.drain();
    tap.ok(why.empty(), name + because(why));
}

static Command random_command(Command::Op op, const Tuple &tuple, uint32_t flow, Random &random)
{
    Command command;
    command.op = op;
    command.tuple = tuple;
    command.flow = flow;
    command.seq = static_cast<uint32_t>(random.bits());
    command.cookie = static_cast<uint32_t>(random.bits());
    command.flags = static_cast<unsigned>(random.below(16));
    command.max_frame = static_cast<uint32_t>(random.bits());
    for (uint8_t &byte : command.state)
        byte = static_cast<uint8_t>(random.bits());
    return command;
}

Command add_of(const Tuple &tuple, uint32_t flow, Random &random)
{
    return random_command(Command::add, tuple, flow, random);
}

Command remove_of(const Tuple &tuple, uint32_t flow, Random &random)
{
    return random_command(Command::remove, tuple, flow, random);
}

} // namespace zn

// Nothing is taken before the table is clear, and that takes a cycle a bucket. What was inside is
// gone.
static void reset_cases(zn::Tap &tap, zn::Front &front)
{
    front.send(zn::Recipe());
    front.bench.cycles(zn::beat_bytes == 8 ? 9 : 4);
    const uint64_t cycles = front.reset();
    tap.ok(cycles >= BENCH_Buckets && cycles <= BENCH_Buckets + 4,
           "table_is_clear_a_cycle_a_bucket_after_reset");
    zn::expect_drained(tap, front, "packet_inside_at_reset_is_gone");

    front.bench.reset();
    front.table.clear();
    front.send(zn::Recipe());
    const uint64_t begin = front.bench.now();
    zn::expect_drained(tap, front, "packet_that_waits_for_the_table_passes");
    tap.ok(front.first_cycle - begin > BENCH_Buckets,
           "packet_that_waits_for_the_table_is_not_taken_before");
}

int main()
{
    zn::Tap tap;
    tap.note(zn::text("seed %llu, %d bits, %d buckets", (unsigned long long)zn::seed(),
                      BENCH_DataWidth, BENCH_Buckets));
    zn::Front front;
    front.reset();
    reason_cases(tap, front);
    length_cases(tap, front);
    table_cases(tap, front);
    random_cases(tap, front);
    rate_cases(tap, front);
    reset_cases(tap, front);
    return tap.done();
}
