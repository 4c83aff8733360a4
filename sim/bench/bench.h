// SPDX-License-Identifier: Apache-2.0
// Clock, reset and waveforms of one model. Every bench's model is called Vdut; its clock is clk_i,
// its reset rst_i.
//
// Thread: one.
#ifndef ZN_SIM_BENCH_H
#define ZN_SIM_BENCH_H

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include <verilated.h>
#if VM_TRACE
#include <verilated_fst_c.h>
#endif

#include "Vdut.h"
#include "bench/stream.h"
#include "bench/tap.h"

#ifndef ZN_CLOCK
#define ZN_CLOCK clk_i
#define ZN_RESET rst_i
#define ZN_RESET_ON 1
#endif

namespace zn
{

class Bench
{
    VerilatedContext context_{};

  public:
    // Everything in the model that has not been set or reset holds random bits, its inputs too.
    // Waveforms, when built with TRACE=1, go to the file that the environment's WAVES names,
    // default waves.fst.
    Bench() : dut((prepare(&context_), &context_), "dut")
    {
#if VM_TRACE
        context_.traceEverOn(true);
        dut.trace(&trace_, 99);
        const char *file = getenv("WAVES");
        trace_.open(file ? file : "waves.fst");
#endif
    }
    ~Bench()
    {
#if VM_TRACE
        trace_.close();
#endif
        dut.final();
    }

    Vdut dut;

    // The agent takes part in every cycle from now on; it is not owned.
    void add(Agent &agent)
    {
        agents_.push_back(&agent);
    }

    // A template, as a model may do without a reset.
    template <class Model = Vdut> void reset(unsigned cycles = 4)
    {
        for (Agent *agent : agents_)
            agent->drive();
        Model &model = dut;
        model.ZN_RESET = ZN_RESET_ON;
        for (unsigned i = 0; i < cycles; i++)
            step();
        model.ZN_RESET = !ZN_RESET_ON;
    }

    // One clock cycle.
    void cycle()
    {
        for (Agent *agent : agents_)
            agent->drive();
        dut.ZN_CLOCK = 0;
        evaluate();
        for (Agent *agent : agents_)
            agent->sample();
        dut.ZN_CLOCK = 1;
        evaluate();
        cycles_++;
    }

    void cycles(unsigned count)
    {
        while (count--)
            cycle();
    }

    // Cycles until `done` holds; false if it does not within `limit`.
    bool run_until(const std::function<bool()> &done, uint64_t limit)
    {
        for (; !done(); limit--) {
            if (limit == 0)
                return false;
            cycle();
        }
        return true;
    }

    // Cycles since the model was made, those of reset not counted.
    uint64_t now() const
    {
        return cycles_;
    }

  private:
    static void prepare(VerilatedContext *context)
    {
        context->randReset(2);
        context->randSeed(static_cast<int>(seed() & 0x7fffffff));
    }

    void evaluate()
    {
        dut.eval();
#if VM_TRACE
        trace_.dump(context_.time());
#endif
        context_.timeInc(2);
    }

    void step()
    {
        dut.ZN_CLOCK = 0;
        evaluate();
        dut.ZN_CLOCK = 1;
        evaluate();
    }

#if VM_TRACE
    VerilatedFstC trace_{};
#endif
    std::vector<Agent *> agents_{};
    uint64_t cycles_ = 0;
};

} // namespace zn

#endif
