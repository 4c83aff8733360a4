// SPDX-License-Identifier: Apache-2.0
#include "zn_sim.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include <verilated.h>
#if VM_TRACE
#include <verilated_fst_c.h>
#endif

#include "Vzn_core.h"

namespace
{

// The parameters that the core was Verilated with.
constexpr zn_sim_params built = { SIM_DataWidth,  SIM_Flows,     SIM_Buckets, SIM_Members,
                                  SIM_PayloadMax, SIM_PacketMax, SIM_Skips };
constexpr size_t BEAT = SIM_DataWidth / 8;
enum { RESET_CYCLES = 8, READY_CYCLES = 1 << 20, REGISTER_CYCLES = 1000 };

using Bytes = std::vector<uint8_t>;

struct Packet {
    Bytes bytes;
    bool broken;
    zn_sim_stamp stamp;
};

// When a port stalls.
class Stalls
{
  public:
    void seed(uint64_t seed)
    {
        state_ = seed * 0x9e3779b97f4a7c15u | 1;
    }
    void set(unsigned percent, unsigned longest)
    {
        percent_ = percent;
        longest_ = longest ? longest : 1;
        left_ = 0;
    }
    bool next()
    {
        if (!left_ && percent_ && random() % 100 < percent_)
            left_ = 1 + static_cast<unsigned>(random() % longest_);
        if (!left_)
            return false;
        left_--;
        return true;
    }

  private:
    uint64_t random()
    {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1du >> 16;
    }
    uint64_t state_ = 1;
    unsigned percent_ = 0;
    unsigned longest_ = 1;
    unsigned left_ = 0;
};

// Cuts packets into beats. A beat that was offered stays until it is taken.
struct Source {
    std::deque<Packet> queue;
    size_t at = 0; // bytes of the first packet that were taken
    bool offered = false;
    Stalls stalls;
    zn_sim_port_count count = {};

    // True: the next beat is offered, `size` bytes of it.
    bool offer(size_t &size, bool &last)
    {
        if (queue.empty())
            return false;
        if (!offered && stalls.next())
            return false;
        offered = true;
        const size_t left = queue.front().bytes.size() - at;
        size = left < BEAT ? left : BEAT;
        last = left <= BEAT;
        return true;
    }
    const uint8_t *data() const
    {
        return queue.front().bytes.data() + at;
    }
    void clocked(bool ready)
    {
        if (!offered)
            return;
        if (!ready) {
            count.refused++;
            return;
        }
        count.beats++;
        offered = false;
        at += BEAT;
        if (at >= queue.front().bytes.size()) {
            queue.pop_front();
            at = 0;
        }
    }
};

// Puts beats together.
struct Sink {
    std::deque<Packet> queue;
    Packet packet = {};
    Stalls stalls;
    bool ready = false;
    zn_sim_port_count count = {};

    void clocked(bool valid, const void *data, uint64_t keep, bool last, uint64_t cycle)
    {
        if (!valid)
            return;
        if (!ready) {
            count.refused++;
            return;
        }
        count.beats++;
        if (packet.bytes.empty())
            packet.stamp.first = cycle;
        const auto size = static_cast<size_t>(__builtin_popcountll(keep));
        const auto *bytes = static_cast<const uint8_t *>(data);
        packet.bytes.insert(packet.bytes.end(), bytes, bytes + size);
        if (!last)
            return;
        packet.stamp.last = cycle;
        queue.push_back(std::move(packet));
        packet = {};
    }
};

} // namespace

struct zn_sim {
    explicit zn_sim(uint64_t seed) : core((prepare(&context, seed), &context), "core")
    {
        for (Source *source : { &wire_in, &host_in })
            source->stalls.seed(seed++ + 11);
        for (Sink *sink : { &host_out, &wire_out })
            sink->stalls.seed(seed++ + 23);
    }
    ~zn_sim()
    {
#if VM_TRACE
        if (trace)
            trace->close();
#endif
        core.final();
    }
    static void prepare(VerilatedContext *context, uint64_t seed)
    {
        context->randReset(2);
        context->randSeed(static_cast<int>(seed & 0x7fffffff));
#if VM_TRACE
        context->traceEverOn(true);
#endif
    }

    VerilatedContext context;
    Vzn_core core;
    Source wire_in, host_in;
    Sink host_out, wire_out;
    uint64_t cycles = 0;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> trace;
#endif
};

namespace
{

void evaluate(zn_sim &sim, int clock)
{
    sim.core.clk_i = static_cast<CData>(clock);
    sim.core.eval();
#if VM_TRACE
    if (sim.trace)
        sim.trace->dump(sim.context.time());
#endif
    sim.context.timeInc(1);
}

uint64_t keep_of(size_t size)
{
    return size == 64 ? ~uint64_t(0) : (uint64_t(1) << size) - 1;
}

// Ports are seen as bytes, whatever their width; the simulation's machine is little-endian.
template <class Data, class Keep> bool drive(Source &source, Data &data, Keep &keep, CData &last)
{
    size_t size = 0;
    bool is_last = false;
    if (!source.offer(size, is_last))
        return false;
    std::memcpy(&data, source.data(), size);
    keep = static_cast<Keep>(keep_of(size));
    last = is_last;
    return true;
}

void cycle(zn_sim &sim)
{
    Vzn_core &core = sim.core;
    core.rx_valid_i = drive(sim.wire_in, core.rx_data_i, core.rx_keep_i, core.rx_last_i);
    core.rx_bad_i = core.rx_valid_i && core.rx_last_i && sim.wire_in.queue.front().broken;
    core.host_tx_valid_i =
        drive(sim.host_in, core.host_tx_data_i, core.host_tx_keep_i, core.host_tx_last_i);
    sim.host_out.ready = !sim.host_out.stalls.next();
    sim.wire_out.ready = !sim.wire_out.stalls.next();
    core.host_rx_ready_i = sim.host_out.ready;
    core.tx_ready_i = sim.wire_out.ready;
    evaluate(sim, 0);
    sim.wire_in.clocked(core.rx_ready_o);
    sim.host_in.clocked(core.host_tx_ready_o);
    sim.host_out.clocked(core.host_rx_valid_o, &core.host_rx_data_o, core.host_rx_keep_o,
                         core.host_rx_last_o, sim.cycles);
    sim.wire_out.clocked(core.tx_valid_o, &core.tx_data_o, core.tx_keep_o, core.tx_last_o,
                         sim.cycles);
    evaluate(sim, 1);
    sim.cycles++;
}

bool start(zn_sim &sim)
{
    Vzn_core &core = sim.core;
    core.axil_awvalid_i = core.axil_wvalid_i = core.axil_bready_i = 0;
    core.axil_arvalid_i = core.axil_rready_i = 0;
    core.rx_valid_i = core.host_tx_valid_i = core.host_rx_ready_i = core.tx_ready_i = 0;
    core.rst_i = 1;
    for (int i = 0; i < RESET_CYCLES;
         i++) { // what comes out before the reset has worked is nothing
        evaluate(sim, 0);
        evaluate(sim, 1);
    }
    core.rst_i = 0;
    for (int i = 0; i < READY_CYCLES; i++) {
        cycle(sim);
        if (core.ready_o)
            return true;
    }
    return false;
}

bool differs(uint32_t asked, uint32_t is)
{
    return asked && asked != is;
}

long pop(Sink &sink, void *to, size_t size, zn_sim_stamp *stamp)
{
    if (sink.queue.empty())
        return -EAGAIN;
    const Packet &packet = sink.queue.front();
    const size_t len = packet.bytes.size();
    if (len > size)
        return -EMSGSIZE;
    std::memcpy(to, packet.bytes.data(), len);
    if (stamp)
        *stamp = packet.stamp;
    sink.queue.pop_front();
    return static_cast<long>(len);
}

void push(Source &source, const void *data, size_t len, bool broken)
{
    const auto *bytes = static_cast<const uint8_t *>(data);
    if (len)
        source.queue.push_back({ Bytes(bytes, bytes + len), broken, {} });
}

} // namespace

int zn_sim_create(const struct zn_sim_params *params, uint64_t seed, struct zn_sim **sim_out)
{
    if (params &&
        (differs(params->data_bits, built.data_bits) || differs(params->flows, built.flows) ||
         differs(params->buckets, built.buckets) || differs(params->members, built.members) ||
         differs(params->payload_max, built.payload_max) ||
         differs(params->packet_max, built.packet_max) || differs(params->skips, built.skips)))
        return -EINVAL;
    auto sim = std::make_unique<zn_sim>(seed);
    if (!start(*sim))
        return -EIO;
    *sim_out = sim.release();
    return 0;
}

void zn_sim_destroy(struct zn_sim *sim)
{
    delete sim;
}

const struct zn_sim_params *zn_sim_built(const struct zn_sim *)
{
    return &built;
}

int zn_sim_trace(struct zn_sim *sim, const char *path)
{
#if VM_TRACE
    sim->trace = std::make_unique<VerilatedFstC>();
    sim->core.trace(sim->trace.get(), 99);
    sim->trace->open(path);
    return 0;
#else
    (void)sim;
    (void)path;
    return -ENOTSUP;
#endif
}

void zn_sim_push_wire(struct zn_sim *sim, const void *packet, size_t len, bool broken)
{
    push(sim->wire_in, packet, len, broken);
}

void zn_sim_push_host(struct zn_sim *sim, const void *message, size_t len)
{
    push(sim->host_in, message, len, false);
}

size_t zn_sim_queued(const struct zn_sim *sim, enum zn_sim_port port)
{
    return port == ZN_SIM_WIRE_IN   ? sim->wire_in.queue.size()
           : port == ZN_SIM_HOST_IN ? sim->host_in.queue.size()
                                    : 0;
}

long zn_sim_pop_wire(struct zn_sim *sim, void *packet, size_t size, struct zn_sim_stamp *stamp)
{
    return pop(sim->wire_out, packet, size, stamp);
}

long zn_sim_pop_host(struct zn_sim *sim, void *message, size_t size, struct zn_sim_stamp *stamp)
{
    return pop(sim->host_out, message, size, stamp);
}

void zn_sim_clock(struct zn_sim *sim, unsigned cycles)
{
    while (cycles--)
        cycle(*sim);
}

uint64_t zn_sim_cycles(const struct zn_sim *sim)
{
    return sim->cycles;
}

uint32_t zn_sim_read(struct zn_sim *sim, uint32_t offset)
{
    Vzn_core &core = sim->core;
    core.axil_araddr_i = static_cast<SData>(offset);
    core.axil_arvalid_i = 1;
    core.axil_rready_i = 1;
    for (int i = 0; i < REGISTER_CYCLES; i++) {
        // What stands before the clock's edge is what the edge takes.
        core.clk_i = 0;
        core.eval();
        const bool taken = core.axil_arready_o, done = core.axil_rvalid_o;
        const uint32_t value = core.axil_rdata_o;
        cycle(*sim);
        if (taken)
            core.axil_arvalid_i = 0;
        if (done) {
            core.axil_rready_i = 0;
            return value;
        }
    }
    throw std::runtime_error("zn_sim: a register read has no answer");
}

void zn_sim_write(struct zn_sim *sim, uint32_t offset, uint32_t value)
{
    Vzn_core &core = sim->core;
    core.axil_awaddr_i = static_cast<SData>(offset);
    core.axil_wdata_i = value;
    core.axil_wstrb_i = 15;
    core.axil_awvalid_i = core.axil_wvalid_i = core.axil_bready_i = 1;
    for (int i = 0; i < REGISTER_CYCLES; i++) {
        core.clk_i = 0;
        core.eval();
        const bool address = core.axil_awready_o, data = core.axil_wready_o,
                   done = core.axil_bvalid_o;
        cycle(*sim);
        if (address)
            core.axil_awvalid_i = 0;
        if (data)
            core.axil_wvalid_i = 0;
        if (done) {
            core.axil_bready_i = 0;
            return;
        }
    }
    throw std::runtime_error("zn_sim: a register write has no answer");
}

void zn_sim_set_stall(struct zn_sim *sim, enum zn_sim_port port, unsigned percent, unsigned longest)
{
    Stalls *stalls[] = { &sim->wire_in.stalls, &sim->host_out.stalls, &sim->host_in.stalls,
                         &sim->wire_out.stalls };
    stalls[port]->set(percent, longest);
}

struct zn_sim_port_count zn_sim_count(const struct zn_sim *sim, enum zn_sim_port port)
{
    const zn_sim_port_count *counts[] = { &sim->wire_in.count, &sim->host_out.count,
                                          &sim->host_in.count, &sim->wire_out.count };
    return *counts[port];
}
