// SPDX-License-Identifier: Apache-2.0
#define ZN_CLOCK clk
#define ZN_RESET rst
#define ZN_RESET_ON 1
#include "bench/axil.h"
#include "shell/traffic.h"

namespace
{

constexpr unsigned packets = 60; // a case

// tuser of RX is {timestamp, bad_frame}, of TX {tag, bad_frame}: 97 and 17 bits.
zn::Bytes rx_user(zn::Random &random, bool bad)
{
    zn::Bytes user(13);
    for (uint8_t &byte : user)
        byte = static_cast<uint8_t>(random.bits());
    user[12] &= 1;
    user[0] = (user[0] & ~1) | bad;
    return user;
}

zn::Bytes tx_user(uint16_t tag)
{
    const uint32_t user = uint32_t(tag) << 1;
    return { uint8_t(user), uint8_t(user >> 8), uint8_t(user >> 16) };
}

bool all_zero(const zn::Bytes &bytes)
{
    for (const uint8_t byte : bytes)
        if (byte)
            return false;
    return true;
}

class Rig
{
  public:
    Rig(zn::Pause idle, zn::Pause stall)
        : wire_in_({ dut().s_axis_sync_rx_tvalid,
                     dut().s_axis_sync_rx_tready,
                     dut().s_axis_sync_rx_tdata,
                     dut().s_axis_sync_rx_tkeep,
                     dut().s_axis_sync_rx_tlast,
                     { dut().s_axis_sync_rx_tuser } },
                   idle, 1),
          host_in_({ dut().s_axis_sync_tx_tvalid,
                     dut().s_axis_sync_tx_tready,
                     dut().s_axis_sync_tx_tdata,
                     dut().s_axis_sync_tx_tkeep,
                     dut().s_axis_sync_tx_tlast,
                     { dut().s_axis_sync_tx_tuser } },
                   idle, 2),
          completed_({ dut().s_axis_sync_tx_cpl_valid, dut().s_axis_sync_tx_cpl_ready,
                       dut().s_axis_sync_tx_cpl_tag },
                     idle, 3),
          host_out_({ dut().m_axis_sync_rx_tvalid,
                      dut().m_axis_sync_rx_tready,
                      dut().m_axis_sync_rx_tdata,
                      dut().m_axis_sync_rx_tkeep,
                      dut().m_axis_sync_rx_tlast,
                      { dut().m_axis_sync_rx_tuser } },
                    stall, 4),
          wire_out_({ dut().m_axis_sync_tx_tvalid,
                      dut().m_axis_sync_tx_tready,
                      dut().m_axis_sync_tx_tdata,
                      dut().m_axis_sync_tx_tkeep,
                      dut().m_axis_sync_tx_tlast,
                      { dut().m_axis_sync_tx_tuser } },
                    stall, 5),
          completions_({ dut().m_axis_sync_tx_cpl_valid,
                         dut().m_axis_sync_tx_cpl_ready,
                         dut().m_axis_sync_tx_cpl_tag,
                         {},
                         {},
                         { dut().m_axis_sync_tx_cpl_ts } },
                       stall, 6),
          axil_(bench_,
                { dut().s_axil_app_ctrl_awvalid, dut().s_axil_app_ctrl_awready,
                  dut().s_axil_app_ctrl_awaddr, dut().s_axil_app_ctrl_wvalid,
                  dut().s_axil_app_ctrl_wready, dut().s_axil_app_ctrl_wdata,
                  dut().s_axil_app_ctrl_wstrb, dut().s_axil_app_ctrl_bvalid,
                  dut().s_axil_app_ctrl_bready, dut().s_axil_app_ctrl_arvalid,
                  dut().s_axil_app_ctrl_arready, dut().s_axil_app_ctrl_araddr,
                  dut().s_axil_app_ctrl_rvalid, dut().s_axil_app_ctrl_rready,
                  dut().s_axil_app_ctrl_rdata },
                7)
    {
        for (zn::Agent *agent : std::initializer_list<zn::Agent *>{
                 &wire_in_, &host_in_, &completed_, &host_out_, &wire_out_, &completions_ })
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
            const zn::Sent sent{ zn::ethernet_packet(random_, zn::packet_size(random_)),
                                 random_.chance(20) };
            received_.push_back(sent);
            wire_in_.send_packet(sent.packet, { rx_user(random_, sent.bad) });
            const zn::Bytes raw = zn::ethernet_packet(random_, zn::packet_size(random_));
            raw_.push_back(raw);
            tags_.push_back(static_cast<uint16_t>(random_.bits()));
            host_in_.send_packet(zn::raw_command(raw), { tx_user(tags_.back()) });
        }
        for (unsigned i = 0; i < packets; i++) // of the MAC, for what the core sent
            completed_.send({ { 0, 0 } });
        bench_.run_until([&] { return finished(); }, 200000);
        bench_.cycles(4000); // what is still inside comes out
        return verdict();
    }

  private:
    Vdut &dut()
    {
        return bench_.dut;
    }

    bool finished() const
    {
        return wire_in_.idle() && host_in_.idle() && completed_.idle() &&
               completions_.taken() == packets;
    }

    std::string verdict()
    {
        if (!finished())
            return "not all was taken";
        zn::Bytes message;
        std::vector<zn::Bytes> user;
        for (const zn::Sent &sent : received_) {
            if (!host_out_.fetch_packet(&message, &user) || !all_zero(user[0]))
                return "a packet to the host is missing, or has a tuser";
            const std::string why = zn::check_annotated(message, sent);
            if (!why.empty())
                return why;
        }
        for (const zn::Bytes &raw : raw_)
            if (!wire_out_.fetch_packet(&message, &user) || message != raw || !all_zero(user[0]))
                return "a packet to the MAC is missing or differs";
        for (const uint16_t tag : tags_) {
            const zn::Beat &beat = completions_.beats.front();
            if (beat.data != zn::Bytes{ uint8_t(tag), uint8_t(tag >> 8) } ||
                !all_zero(beat.side[0]))
                return "a completion has another tag, or a time";
            completions_.beats.pop_front();
        }
        if (!host_out_.beats.empty() || !wire_out_.beats.empty() || !completions_.beats.empty())
            return "more left than came in";
        return host_out_.breach() + wire_out_.breach() + completions_.breach();
    }

    zn::Bench bench_;
    zn::Source wire_in_, host_in_, completed_;
    zn::Sink host_out_, wire_out_, completions_;
    zn::Axil axil_;
    zn::Random random_{ 8 };
    std::vector<zn::Sent> received_;
    std::vector<zn::Bytes> raw_;
    std::vector<uint16_t> tags_;
};

} // namespace

int main()
{
    zn::Tap tap;
    {
        Rig rig(zn::Pause::never, zn::Pause::never);
        tap.ok(rig.axil().read(ZN_REG_MAGIC) == 0x43494e5a,
               "registers_on_the_application_port_answer");
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
