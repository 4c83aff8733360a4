// SPDX-License-Identifier: Apache-2.0
// The receive front as a bench drives it: packets and commands go in, what comes out is compared
// with the reference. The order between packets and commands is the front's to choose; the
// reference follows the order that comes out.
//
// Thread: one.
#ifndef ZN_SIM_RX_FRONT_FRONT_H
#define ZN_SIM_RX_FRONT_FRONT_H

#include <array>
#include <deque>
#include <string>

#include "bench/bench.h"
#include "zn_rx_front/reference.h"

namespace zn
{

constexpr size_t beat_bytes = BENCH_DataWidth / 8;

struct Command {
    enum Op { add = 1, remove, resync, read } op = add;
    Tuple tuple = {};
    uint32_t seq = 0;
    uint32_t flow = 0;
    uint32_t cookie = 0;
    unsigned flags = 0;
    uint32_t max_frame = 0;
    std::array<uint8_t, 11> state = {}; // 84 bits, the highest byte holds 4
};

class Front
{
  public:
    Front();

    // Waits for the walk through the table; the cycles it took.
    uint64_t reset();
    // With random bytes after the last beat's end, and the MAC's mark on beats that are not the
    // last.
    void send(const Bytes &packet, bool bad);
    void send(const Recipe &recipe)
    {
        send(build(recipe, random_), recipe.bad);
    }
    void command(const Command &command);
    void pauses(Pause packets, Pause commands, Pause out);
    // Runs until all that was sent has come out, and compares it. What went wrong first, or
    // nothing.
    std::string drain();

    // Of the last drain(): when its first beat left, cycles and beats from behind its first
    // packet's last beat to its last one, and in which order packets (p) and commands (c) left.
    uint64_t first_cycle = 0;
    uint64_t cycles = 0;
    uint64_t beats = 0;
    std::string order;
    // Packets seen with each reason, and of those with reason OK the ones that hit; commands by
    // reason.
    std::array<uint64_t, 32> reasons{};
    std::array<uint64_t, 32> command_reasons{};
    uint64_t hits = 0;

    Bench bench;
    FlowTable table;

  private:
    struct Sent {
        Bytes bytes;
        bool bad;
    };

    std::string compare_next(size_t count);
    std::string compare_packet(const Bytes &bytes, const std::vector<Bytes> &side);
    std::string compare_command(const std::vector<Bytes> &side);

    Random random_{ 11 };
    Source packets_;
    Source commands_;
    Sink out_;
    std::deque<Sent> sent_;
    std::deque<Command> commanded_;
};

} // namespace zn

#endif
