// SPDX-License-Identifier: Apache-2.0
#include "bench/passage.h"

namespace
{

// Fills it without taking anything out; false if a word too few or too many fits, or the count is
// wrong.
bool fill(zn::Bench &bench, unsigned depth)
{
    Vdut &dut = bench.dut;
    for (unsigned i = 0; i < depth; i++) {
        dut.valid_i = 1;
        zn::Port(dut.data_i).set_number(i & 0xff);
        dut.ready_i = 0;
        bench.cycle();
        if (dut.count_o != i + 1 || dut.valid_o != 1 || dut.ready_o != (i + 1 < depth))
            return false;
    }
    return true;
}

bool drain(zn::Bench &bench, unsigned depth)
{
    Vdut &dut = bench.dut;
    dut.valid_i = 0;
    for (unsigned i = 0; i < depth; i++) {
        if (!dut.valid_o || zn::Port(dut.data_o).number() != (i & 0xff))
            return false;
        dut.ready_i = 1;
        bench.cycle();
        if (dut.count_o != depth - 1 - i || !dut.ready_o)
            return false;
    }
    return !dut.valid_o;
}

} // namespace

int main()
{
    zn::Tap tap;
    {
        zn::Bench bench;
        bench.dut.valid_i = 0;
        bench.dut.ready_i = 0;
        bench.reset();
        bench.cycle();
        tap.ok(fill(bench, BENCH_Depth), "words_up_to_depth_fit");
        tap.ok(drain(bench, BENCH_Depth), "words_of_a_full_fifo_come_out_in_order");
        tap.ok(fill(bench, BENCH_Depth) && drain(bench, BENCH_Depth),
               "fifo_emptied_can_be_filled_again");
    }
    zn::Bench bench;
    Vdut &dut = bench.dut;
    zn::Passage passage(tap, bench, { dut.valid_i, dut.ready_o, dut.data_i },
                        { dut.valid_o, dut.ready_i, dut.data_o }, BENCH_Width);
    bench.reset();
    bench.cycle();
    passage.matrix(1000);
    passage.rate(1, 1000);
    return tap.done();
}
