// SPDX-License-Identifier: Apache-2.0
#define ZN_CLOCK axis_aclk
#define ZN_RESET axis_aresetn
#define ZN_RESET_ON 0
#include "bench/axil.h"
#include "shell/traffic.h"

namespace
{

constexpr unsigned packets = 60; // a case
constexpr uint16_t host_end = 1 << BENCH_Interface;
constexpr uint16_t mac_end = 1 << (6 + BENCH_Interface);

uint16_t number(const zn::Bytes &bytes)
{
    return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

class Rig
{
  public:
    Rig(zn::Pause idle, zn::Pause stall)
        : wire_in_({ dut().s_axis_adap_rx_250mhz_tvalid, dut().s_axis_adap_rx_250mhz_tready,
                     dut().s_axis_adap_rx_250mhz_tdata, dut().s_axis_adap_rx_250mhz_tkeep,
                     dut().s_axis_adap_rx_250mhz_tlast },
                   idle, 1),
          host_in_({ dut().s_axis_qdma_h2c_tvalid, dut().s_axis_qdma_h2c_tready,
                     dut().s_axis_qdma_h2c_tdata, dut().s_axis_qdma_h2c_tkeep,
                     dut().s_axis_qdma_h2c_tlast },
                   idle, 2),
          host_out_({ dut().m_axis_qdma_c2h_tvalid,
                      dut().m_axis_qdma_c2h_tready,
                      dut().m_axis_qdma_c2h_tdata,
                      dut().m_axis_qdma_c2h_tkeep,
                      dut().m_axis_qdma_c2h_tlast,
                      { dut().m_axis_qdma_c2h_tuser_size, dut().m_axis_qdma_c2h_tuser_src,
                        dut().m_axis_qdma_c2h_tuser_dst } },
                    stall, 4),
          wire_out_(
              { dut().m_axis_adap_tx_250mhz_tvalid,
                dut().m_axis_adap_tx_250mhz_tready,
                dut().m_axis_adap_tx_250mhz_tdata,
                dut().m_axis_adap_tx_250mhz_tkeep,
                dut().m_axis_adap_tx_250mhz_tlast,
                { dut().m_axis_adap_tx_250mhz_tuser_size, dut().m_axis_adap_tx_250mhz_tuser_src,
                  dut().m_axis_adap_tx_250mhz_tuser_dst } },
              stall, 5),
          axil_(bench_,
                { dut().s_axil_awvalid,
                  dut().s_axil_awready,
                  dut().s_axil_awaddr,
                  dut().s_axil_wvalid,
                  dut().s_axil_wready,
                  dut().s_axil_wdata,
                  {},
                  dut().s_axil_bvalid,
                  dut().s_axil_bready,
                  dut().s_axil_arvalid,
                  dut().s_axil_arready,
                  dut().s_axil_araddr,
                  dut().s_axil_rvalid,
                  dut().s_axil_rready,
                  dut().s_axil_rdata },
                7)
    {
        for (zn::Agent *agent :
             std::initializer_list<zn::Agent *>{ &wire_in_, &host_in_, &host_out_, &wire_out_ })
            bench_.add(*agent);
        bench_.reset();
    }

    zn::Axil &axil()
    {
        return axil_;
    }

    // Packets both ways at once; what went wrong, or nothing.
    std::string run()
    {
        for (unsigned i = 0; i < packets; i++) {
            received_.push_back({ zn::ethernet_packet(random_, zn::packet_size(random_)) });
            wire_in_.send_packet(received_.back().packet);
            raw_.push_back(zn::ethernet_packet(random_, zn::packet_size(random_)));
            host_in_.send_packet(zn::raw_command(raw_.back()));
        }
        bench_.run_until([&] { return wire_in_.idle() && host_in_.idle(); }, 200000);
        bench_.cycles(6000); // what is still inside comes out
        return verdict();
    }

  private:
    Vdut &dut()
    {
        return bench_.dut;
    }

    // Takes one packet whose beats all have the same, right tuser.
    static bool fetch(zn::Sink &sink, uint16_t src, uint16_t dst, zn::Bytes *packet)
    {
        const size_t queued = sink.beats.size();
        const std::deque<zn::Beat> before = sink.beats;
        if (!sink.fetch_packet(packet))
            return false;
        for (size_t i = 0; i < queued - sink.beats.size(); i++) {
            const std::vector<zn::Bytes> &side = before[i].side;
            if (number(side[0]) != packet->size() || number(side[1]) != src ||
                number(side[2]) != dst)
                return false;
        }
        return true;
    }

    std::string verdict()
    {
        zn::Bytes message;
        for (const zn::Sent &sent : received_) {
            if (!fetch(host_out_, mac_end, host_end, &message))
                return "a packet to the host is missing, or its tuser is wrong";
            const std::string why = zn::check_annotated(message, sent);
            if (!why.empty())
                return why;
        }
        for (const zn::Bytes &raw : raw_)
            if (!fetch(wire_out_, host_end, mac_end, &message) || message != raw)
                return "a packet to the MAC is missing or differs, or its tuser is wrong";
        if (!host_out_.beats.empty() || !wire_out_.beats.empty())
            return "more left than came in";
        return host_out_.breach() + wire_out_.breach();
    }

    zn::Bench bench_;
    zn::Source wire_in_, host_in_;
    zn::Sink host_out_, wire_out_;
    zn::Axil axil_;
    zn::Random random_{ 8 };
    std::vector<zn::Sent> received_;
    std::vector<zn::Bytes> raw_;
};

} // namespace

int main()
{
    zn::Tap tap;
    {
        Rig rig(zn::Pause::never, zn::Pause::never);
        tap.ok(rig.axil().read(ZN_REG_MAGIC) == 0x43494e5a, "registers_of_the_box_answer");
        rig.axil().write(ZN_REG_HOP, 0x1040);
        tap.ok(rig.axil().read(ZN_REG_HOP) == 0x1040, "registers_written_read_back");
    }
    for (const zn::Pause idle : zn::all_pauses)
        for (const zn::Pause stall : zn::all_pauses) {
            const std::string why = Rig(idle, stall).run();
            tap.ok(why.empty(), zn::text("packets_idle_%s_stall_%s_pass_both_ways",
                                         zn::pause_name(idle), zn::pause_name(stall)));
            if (!why.empty())
                tap.note(why);
        }
    return tap.done();
}
