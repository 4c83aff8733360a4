// SPDX-License-Identifier: Apache-2.0
// The host's end of the AXI-Lite ports of a model: one access at a time, with pauses drawn
// at random.
//
// Thread: one.
#ifndef ZN_SIM_AXIL_H
#define ZN_SIM_AXIL_H

#include "bench/bench.h"

namespace zn
{

// The ports, from the bench's point of view.
struct AxilPorts {
    Port awvalid, awready, awaddr, wvalid, wready, wdata, wstrb, bvalid, bready;
    Port arvalid, arready, araddr, rvalid, rready, rdata;
};

// Those of a model whose ports are called axil_*.
template <class Model> AxilPorts axil_ports(Model &dut)
{
    return { dut.axil_awvalid_i, dut.axil_awready_o, dut.axil_awaddr_i,  dut.axil_wvalid_i,
             dut.axil_wready_o,  dut.axil_wdata_i,   dut.axil_wstrb_i,   dut.axil_bvalid_o,
             dut.axil_bready_i,  dut.axil_arvalid_i, dut.axil_arready_o, dut.axil_araddr_i,
             dut.axil_rvalid_o,  dut.axil_rready_i,  dut.axil_rdata_o };
}

class Axil
{
  public:
    Axil(Bench &bench, const AxilPorts &ports, uint64_t random_stream)
        : bench_(bench), ports_(ports), random_(random_stream)
    {
        for (Port *port :
             { &ports_.awvalid, &ports_.wvalid, &ports_.bready, &ports_.arvalid, &ports_.rready })
            port->set_number(0);
    }

    // Address and data come at the same time or one after the other.
    void write(uint32_t address, uint32_t value, unsigned strobes = 15)
    {
        unsigned address_in = random_.below(4), data_in = random_.below(4);
        ports_.awaddr.set_number(address);
        ports_.wdata.set_number(value);
        if (ports_.wstrb.size())
            ports_.wstrb.set_number(strobes);
        for (bool taken = false; !taken;) {
            ports_.awvalid.set_number(address_in == 0);
            ports_.wvalid.set_number(data_in == 0);
            settle();
            taken = address_in == 0 && data_in == 0 && ports_.awready.number() &&
                    ports_.wready.number();
            address_in -= address_in > 0;
            data_in -= data_in > 0;
            bench_.cycle();
        }
        ports_.awvalid.set_number(0);
        ports_.wvalid.set_number(0);
        answer(ports_.bvalid, ports_.bready, Port());
    }

    uint32_t read(uint32_t address)
    {
        bench_.cycles(random_.below(3));
        ports_.araddr.set_number(address);
        ports_.arvalid.set_number(1);
        for (bool taken = false; !taken;) {
            settle();
            taken = ports_.arready.number();
            bench_.cycle();
        }
        ports_.arvalid.set_number(0);
        return answer(ports_.rvalid, ports_.rready, ports_.rdata);
    }

  private:
    void settle()
    {
        bench_.dut.ZN_CLOCK = 0;
        bench_.dut.eval();
    }

    // Waits for the answer, leaves it standing for some cycles, takes it.
    uint32_t answer(const Port &valid, Port &ready, const Port &data)
    {
        unsigned stall = random_.below(4);
        for (;;) {
            ready.set_number(stall == 0);
            settle();
            const bool taken = valid.number() && stall == 0;
            const uint32_t value = data.size() ? data.number() : 0;
            stall -= stall > 0;
            bench_.cycle();
            if (!taken)
                continue;
            ready.set_number(0);
            return value;
        }
    }

    Bench &bench_;
    AxilPorts ports_;
    Random random_;
};

} // namespace zn

#endif
