// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "bench/bench.h"

namespace
{

constexpr unsigned ports = BENCH_Ports;
constexpr unsigned bytes = BENCH_Width / 8;

struct Item {
    zn::Bytes data;
    bool last;
};

// Feeds all ports at once, as their data share one variable of the model.
class Feeder : public zn::Agent
{
  public:
    Feeder(Vdut &dut, zn::Pause pause) : dut_(dut)
    {
        for (unsigned p = 0; p < ports; p++)
            pacers_.emplace_back(pause, 10 + p);
    }
    std::deque<Item> queue[ports];
    void drive() override
    {
        zn::Bytes all(ports * bytes, 0);
        unsigned valid = 0, last = 0;
        for (unsigned p = 0; p < ports; p++) {
            const bool paused = pacers_[p].paused();
            shown_[p] = !queue[p].empty() && (shown_[p] || !paused);
            if (!shown_[p])
                continue;
            valid |= 1u << p;
            last |= queue[p].front().last << p;
            std::copy(queue[p].front().data.begin(), queue[p].front().data.end(),
                      all.begin() + p * bytes);
        }
        dut_.valid_i = valid;
        dut_.last_i = last;
        zn::Port(dut_.data_i).set(all);
    }
    void sample() override
    {
        for (unsigned p = 0; p < ports; p++)
            if (shown_[p] && (dut_.ready_o >> p & 1)) {
                queue[p].pop_front();
                shown_[p] = false;
            }
    }

  private:
    Vdut &dut_;
    std::vector<zn::Pacer> pacers_;
    bool shown_[ports] = {};
};

struct Run {
    std::string why;
    uint64_t took;
    std::vector<unsigned> order; // ports of the packets, as they came out
};

// `packets` packets a port, of 1 to `longest` beats. Byte 0 of a beat names the port.
Run run(zn::Pause idle, zn::Pause stall, unsigned packets, unsigned longest)
{
    zn::Bench bench;
    Vdut &dut = bench.dut;
    Feeder feeder(dut, idle);
    zn::Sink sink({ dut.valid_o, dut.ready_i, dut.data_o, {}, dut.last_o }, stall, 2);
    bench.add(feeder);
    bench.add(sink);
    bench.reset();
    zn::Random random(3);
    std::deque<Item> expected[ports];
    uint64_t beats = 0;
    for (unsigned p = 0; p < ports; p++)
        for (unsigned k = 0; k < packets; k++)
            for (unsigned n = random.range(1, longest); n > 0; n--, beats++) {
                Item item{ zn::Bytes(bytes), n == 1 };
                for (uint8_t &byte : item.data)
                    byte = static_cast<uint8_t>(random.bits());
                item.data[0] = item.data[0] / ports * ports + p;
                if (item.data[0] % ports != p) // above 255
                    item.data[0] = p;
                feeder.queue[p].push_back(item);
                expected[p].push_back(item);
            }
    Run result;
    if (!bench.run_until([&] { return sink.beats.size() >= beats; }, 100 + 20 * beats)) {
        result.why = zn::text("%zu of %zu beats arrived", sink.beats.size(), (size_t)beats);
        return result;
    }
    result.took = bench.now();
    bool inside = false;
    unsigned port = 0;
    for (const zn::Beat &beat : sink.beats) {
        if (!inside)
            result.order.push_back(port = beat.data[0] % ports);
        if (expected[port].empty() || beat.last != expected[port].front().last ||
            !std::equal(expected[port].front().data.begin(), expected[port].front().data.end(),
                        beat.data.begin())) {
            result.why = zn::text("a beat of port %u is not its next one", port);
            return result;
        }
        expected[port].pop_front();
        inside = !beat.last;
    }
    result.took -= beats;
    result.why = sink.breach();
    return result;
}

bool goes_around(const std::vector<unsigned> &order)
{
    for (size_t i = 0; i < order.size(); i++)
        if (order[i] != i % ports)
            return false;
    return true;
}

} // namespace

int main()
{
    zn::Tap tap;
    for (const zn::Pause idle : zn::all_pauses)
        for (const zn::Pause stall : zn::all_pauses)
            for (const unsigned longest : { 1u, 2u, 9u }) {
                const Run got = run(idle, stall, 100, longest);
                tap.ok(got.why.empty(),
                       zn::text("packets_up_to_%u_beats_idle_%s_stall_%s_stay_whole%s%s", longest,
                                zn::pause_name(idle), zn::pause_name(stall),
                                got.why.empty() ? "" : ": ", got.why.c_str()));
            }
    const Run full = run(zn::Pause::never, zn::Pause::never, 100, 3);
    tap.ok(full.why.empty() && full.took == 1, "packets_without_pause_pass_one_beat_a_cycle");
    tap.ok(goes_around(full.order), "packets_of_busy_ports_take_turns");
    return tap.done();
}
