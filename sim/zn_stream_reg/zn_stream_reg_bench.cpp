// SPDX-License-Identifier: Apache-2.0
#include "bench/passage.h"

int main()
{
    zn::Tap tap;
    zn::Bench bench;
    Vdut &dut = bench.dut;
    zn::Passage passage(tap, bench, { dut.valid_i, dut.ready_o, dut.data_i },
                        { dut.valid_o, dut.ready_i, dut.data_o }, BENCH_Width);
    bench.reset();
    passage.matrix(1000);
    passage.rate(1, 1000);
    return tap.done();
}
