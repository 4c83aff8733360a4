// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

namespace
{

constexpr unsigned ports = BENCH_Ports;

// The first request after `served`, around the circle; `ports` if there is none.
unsigned next_port(unsigned requests, unsigned served)
{
    for (unsigned i = 1; i <= ports; i++)
        if (requests >> (served + i) % ports & 1)
            return (served + i) % ports;
    return ports;
}

} // namespace

int main()
{
    zn::Tap tap;
    zn::Bench bench;
    Vdut &dut = bench.dut;
    zn::Random random(1);
    dut.request_i = 0;
    dut.advance_i = 0;
    bench.reset();
    unsigned served = ports - 1; // after reset the first port comes first
    unsigned wrong = 0, longest = 0;
    std::vector<unsigned> waits(ports, 0);
    for (unsigned i = 0; i < 20000; i++) {
        const unsigned requests = random.chance(20) ? (1u << ports) - 1 : random.below(1u << ports);
        const bool advance = requests && random.chance(70);
        const unsigned expected = next_port(requests, served);
        dut.request_i = requests;
        dut.advance_i = advance;
        dut.clk_i = 0;
        dut.eval();
        wrong += dut.grant_o != (expected == ports ? 0 : 1u << expected);
        bench.cycle();
        for (unsigned p = 0; p < ports; p++) {
            if (!(requests >> p & 1) || (advance && p == expected))
                waits[p] = 0;
            else
                waits[p] += advance;
            longest = std::max(longest, waits[p]);
        }
        if (advance)
            served = expected;
    }
    tap.ok(wrong == 0, "grants_go_around_in_order");
    tap.ok(longest == ports - 1, "requests_wait_for_each_other_port_once");
    return tap.done();
}
