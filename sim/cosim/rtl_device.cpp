// SPDX-License-Identifier: Apache-2.0
// The RTL core as a device under test. Its clock stands still but in advance(), so that the model
// can do everything at the same ms.
#include <cstdlib>
#include <stdexcept>

#include "core/zn_sim.h"
#include "device.h"

namespace cosim
{

namespace
{

// Cycles of a ms while the clock moves: enough for a look at every flow's heartbeat.
enum { STANDS = 0xffffffff, MS_CYCLES_MAX = 64, MESSAGE_MAX = 1 << 17 };

class RtlDevice : public Device
{
  public:
    explicit RtlDevice(uint64_t seed) : buffer_(MESSAGE_MAX)
    {
        if (zn_sim_create(nullptr, seed, &sim_) < 0)
            throw std::runtime_error("the core does not become ready");
        if (const char *waves = getenv("WAVES"))
            zn_sim_trace(sim_, waves);
        const zn_sim_params *built = zn_sim_built(sim_);
        params_.flows = built->flows;
        params_.members = built->members;
        params_.buckets = built->buckets;
        params_.payload_max = built->payload_max;
        params_.packet_max = built->packet_max;
        params_.skips = built->skips;
        params_.data_bits = built->data_bits;
        zn_sim_write(sim_, ZN_REG_MS_CYCLES, static_cast<uint32_t>(STANDS));
    }
    ~RtlDevice() override
    {
        zn_sim_destroy(sim_);
    }
    const Params &params() const override
    {
        return params_;
    }
    void wire_push(const Bytes &packet, bool broken) override
    {
        zn_sim_push_wire(sim_, packet.data(), packet.size(), broken);
    }
    void host_push(const Bytes &message) override
    {
        zn_sim_push_host(sim_, message.data(), message.size());
    }
    bool wire_pop(Bytes &packet, Stamp &stamp) override
    {
        zn_sim_stamp at;
        return popped(zn_sim_pop_wire(sim_, buffer_.data(), buffer_.size(), &at), packet, at,
                      stamp);
    }
    bool host_pop(Bytes &message, Stamp &stamp) override
    {
        zn_sim_stamp at;
        return popped(zn_sim_pop_host(sim_, buffer_.data(), buffer_.size(), &at), message, at,
                      stamp);
    }
    void run(unsigned cycles) override
    {
        zn_sim_clock(sim_, cycles);
    }
    uint32_t read(uint32_t offset) override
    {
        return zn_sim_read(sim_, offset);
    }
    void write(uint32_t offset, uint32_t value) override
    {
        zn_sim_write(sim_, offset, value);
    }
    uint32_t advance(uint32_t ms) override
    {
        const uint32_t from = read(ZN_REG_NOW_MS);
        write(ZN_REG_MS_CYCLES, ms > 1000 ? 2 : MS_CYCLES_MAX);
        while (read(ZN_REG_NOW_MS) - from < ms)
            continue;
        write(ZN_REG_MS_CYCLES, static_cast<uint32_t>(STANDS));
        return read(ZN_REG_NOW_MS);
    }
    void set_stall(Port port, Stall stall) override
    {
        zn_sim_set_stall(sim_, static_cast<zn_sim_port>(port), stall.percent, stall.longest);
    }
    PortCount count(Port port) const override
    {
        const zn_sim_port_count count = zn_sim_count(sim_, static_cast<zn_sim_port>(port));
        return { count.beats, count.refused };
    }
    uint64_t cycles() const override
    {
        return zn_sim_cycles(sim_);
    }
    bool is_rtl() const override
    {
        return true;
    }

  private:
    bool popped(long len, Bytes &to, const zn_sim_stamp &at, Stamp &stamp) const
    {
        if (len < 0)
            return false;
        to.assign(buffer_.begin(), buffer_.begin() + len);
        stamp = { at.first, at.last };
        return true;
    }

    zn_sim *sim_ = nullptr;
    Params params_;
    Bytes buffer_;
};

} // namespace

std::unique_ptr<Device> device_create_rtl(uint64_t seed)
{
    return std::make_unique<RtlDevice>(seed);
}

} // namespace cosim
