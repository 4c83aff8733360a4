// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

#include <algorithm>

namespace zn
{

namespace
{

constexpr size_t header_bytes = 78;      // zn_rx_front_pkg's HeaderBytes
constexpr unsigned headers_latency = 13; // zn_rx_front's head
constexpr unsigned end_latency = 10 + (BENCH_DataWidth == 512   ? 5
                                       : BENCH_DataWidth == 256 ? 4
                                       : BENCH_DataWidth == 128 ? 3
                                                                : 2);

// A packet of this many beats; TCP if it is long enough.
void send_beats(Front &front, size_t beats, Random &random)
{
    Recipe recipe;
    recipe.tuple = random_tuple(random, random.chance(50));
    const size_t size = beats * beat_bytes - random.below(beat_bytes);
    const size_t headers = build(recipe, random).size();
    if (size < headers)
        recipe.cut = static_cast<int>(size);
    else
        recipe.payload = static_cast<unsigned>(size - headers);
    front.send(recipe);
}

void beats_per_cycle(Tap &tap, Front &front, size_t beats, Random &random)
{
    const unsigned packets = 2000 / static_cast<unsigned>(beats) + 50;
    for (unsigned i = 0; i < packets; i++)
        send_beats(front, beats, random);
    const std::string why = front.drain();
    tap.ok(why.empty() && front.beats == (packets - 1) * beats && front.cycles == front.beats,
           text("packets_of_%zu_beats_pass_one_beat_a_cycle: %.3f cycles a beat", beats,
                static_cast<double>(front.cycles) / static_cast<double>(front.beats)) +
               because(why));
}

void lone_packet(Tap &tap, Front &front, size_t size, Random &random)
{
    Recipe recipe;
    recipe.payload = static_cast<unsigned>(size) - 54;
    const uint64_t begin = front.bench.now();
    front.send(build(recipe, random), false);
    const std::string why = front.drain();
    const size_t gathered = (std::min(size, header_bytes) + beat_bytes - 1) / beat_bytes;
    const uint64_t took = front.first_cycle - begin - gathered;
    const unsigned latency =
        size <= beat_bytes ? std::max(headers_latency, end_latency) : headers_latency;
    tap.ok(why.empty() && took == latency,
           text("packet_of_%zu_bytes_alone_leaves_%u_cycles_after_its_headers: %llu", size, latency,
                (unsigned long long)took) +
               because(why));
}

// When packets and commands both wait, they take turns.
void turns(Tap &tap, Front &front, size_t beats, Random &random)
{
    for (unsigned i = 0; i < 200; i++) {
        send_beats(front, beats, random);
        Command command;
        command.op = Command::read;
        command.cookie = i;
        front.command(command);
    }
    const std::string why = front.drain();
    bool alternate = why.empty();
    for (size_t i = 1; alternate && i < front.order.size(); i++)
        alternate = front.order[i] != front.order[i - 1];
    // The first packet waits until its headers are gathered, a beat for each.
    const uint64_t gathering = (header_bytes + beat_bytes - 1) / beat_bytes;
    tap.ok(alternate && front.cycles < front.beats + gathering,
           text("packets_of_%zu_beats_and_commands_take_turns", beats) + because(why));
}

// The input waits when the output does, and nothing is lost when it goes on.
void long_stall(Tap &tap, Front &front, Random &random)
{
    for (unsigned i = 0; i < 300; i++)
        send_beats(front, 1 + random.below(4), random);
    front.pauses(Pause::never, Pause::never, Pause::bursts);
    expect_drained(tap, front, "packets_behind_a_long_stall_pass");
    front.pauses(Pause::never, Pause::never, Pause::never);
}

} // namespace

void rate_cases(Tap &tap, Front &front)
{
    Random random(25);
    for (const size_t beats : { 1, 2, 3, 8, 9, 10, 11, 24 })
        beats_per_cycle(tap, front, beats, random);
    for (const size_t size : { 60u, 64u, 78u, 79u, 128u, 600u })
        lone_packet(tap, front, size, random);
    for (const size_t beats : { 1, 2, 5 })
        turns(tap, front, beats, random);
    long_stall(tap, front, random);
}

} // namespace zn
