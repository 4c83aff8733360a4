// SPDX-License-Identifier: Apache-2.0
// The host's end of the AXI-Lite ports axil_* of a model: one access at a time, with pauses drawn
// at random.
//
// Thread: one.
#ifndef ZN_SIM_AXIL_H
#define ZN_SIM_AXIL_H

#include "bench/bench.h"

namespace zn
{

class Axil
{
  public:
    Axil(Bench &bench, uint64_t random_stream) : bench_(bench), random_(random_stream)
    {
        Vdut &dut = bench.dut;
        dut.axil_awvalid_i = dut.axil_wvalid_i = dut.axil_bready_i = 0;
        dut.axil_arvalid_i = dut.axil_rready_i = 0;
    }

    // Address and data come at the same time or one after the other.
    void write(uint32_t address, uint32_t value, unsigned strobes = 15)
    {
        Vdut &dut = bench_.dut;
        unsigned address_in = random_.below(4), data_in = random_.below(4);
        dut.axil_awaddr_i = address;
        dut.axil_wdata_i = value;
        dut.axil_wstrb_i = strobes;
        bool taken = false;
        while (!taken) {
            dut.axil_awvalid_i = address_in == 0;
            dut.axil_wvalid_i = data_in == 0;
            settle();
            taken =
                dut.axil_awvalid_i && dut.axil_awready_o && dut.axil_wvalid_i && dut.axil_wready_o;
            address_in -= address_in > 0;
            data_in -= data_in > 0;
            bench_.cycle();
        }
        dut.axil_awvalid_i = dut.axil_wvalid_i = 0;
        answer(dut.axil_bvalid_o, dut.axil_bready_i);
    }

    uint32_t read(uint32_t address)
    {
        Vdut &dut = bench_.dut;
        bench_.cycles(random_.below(3));
        dut.axil_araddr_i = address;
        dut.axil_arvalid_i = 1;
        for (bool taken = false; !taken;) {
            settle();
            taken = dut.axil_arready_o;
            bench_.cycle();
        }
        dut.axil_arvalid_i = 0;
        return answer(dut.axil_rvalid_o, dut.axil_rready_i, &dut.axil_rdata_o);
    }

  private:
    void settle()
    {
        bench_.dut.clk_i = 0;
        bench_.dut.eval();
    }

    // Waits for the answer, leaves it standing for some cycles, takes it.
    template <class Flag>
    uint32_t answer(const Flag &valid, Flag &ready, const uint32_t *data = nullptr)
    {
        unsigned stall = random_.below(4);
        for (;;) {
            ready = stall == 0;
            settle();
            const bool taken = valid && ready;
            const uint32_t value = data ? *data : 0;
            stall -= stall > 0;
            bench_.cycle();
            if (!taken)
                continue;
            ready = 0;
            return value;
        }
    }

    Bench &bench_;
    Random random_;
};

} // namespace zn

#endif
