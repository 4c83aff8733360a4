// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "bench/axil.h"
#include "contract/contract.h"

#ifdef BENCH_Flows
#define GIVEN(name, production) BENCH_##name
#else
#define GIVEN(name, production) production
#endif

namespace
{

constexpr uint32_t ms_cycles = GIVEN(MsCycles, 250000);
constexpr unsigned counters = ZN_COUNTER_COMMANDS_BAD + 1;
constexpr unsigned reasons = ZN_REASON_BLOCKED + 1;

// Pulses at random; counts what it gave.
class Events : public zn::Agent
{
  public:
    explicit Events(Vdut &dut) : dut_(dut)
    {
    }
    uint32_t count[counters] = {};
    bool on = false;
    void drive() override
    {
        packet_ = pulse(dut_.count_packet_i, ZN_COUNTER_RX_PACKETS);
        dut_.count_reason_i = random_.below(reasons);
        dut_.count_frames_i = random_.chance(10) ? 255 : random_.below(12);
        if (packet_) {
            count[dut_.count_reason_i]++;
            count[ZN_COUNTER_RX_FRAMES] += dut_.count_frames_i;
        }
        pulse(dut_.count_report_i, ZN_COUNTER_RX_REPORTS);
        pulse(dut_.count_raw_i, ZN_COUNTER_TX_RAW);
        pulse(dut_.count_segment_i, ZN_COUNTER_TX_SEGMENTS);
        pulse(dut_.count_skipped_i, ZN_COUNTER_TX_SKIPPED);
        pulse(dut_.count_reply_i, ZN_COUNTER_REPLIES);
        pulse(dut_.count_reply_refused_i, ZN_COUNTER_REPLIES_REFUSED);
        pulse(dut_.count_reply_missed_i, ZN_COUNTER_REPLIES_MISSED);
        pulse(dut_.count_heartbeat_i, ZN_COUNTER_HEARTBEATS);
        pulse(dut_.count_heartbeat_seen_i, ZN_COUNTER_HEARTBEATS_SEEN);
        pulse(dut_.count_command_i, ZN_COUNTER_COMMANDS);
        pulse(dut_.count_bad_i, ZN_COUNTER_COMMANDS_BAD);
    }
    void sample() override
    {
    }

  private:
    bool pulse(uint8_t &port, unsigned counter)
    {
        port = on && random_.chance(40);
        count[counter] += port;
        return port;
    }
    Vdut &dut_;
    zn::Random random_{ 5 };
    bool packet_ = false;
};

std::map<uint32_t, uint32_t> params(zn::Axil &axil)
{
    std::map<uint32_t, uint32_t> list;
    for (uint32_t at = ZN_REG_PARAMS; at < ZN_REG_COUNTERS; at += 8) {
        const uint32_t id = axil.read(at);
        if (id == ZN_PARAM_END)
            break;
        list[id] = axil.read(at + 4);
    }
    return list;
}

void check_identity(zn::Tap &tap, zn::Axil &axil)
{
    tap.ok(axil.read(ZN_REG_MAGIC) == 0x43494e5a, "magic_after_reset_reads");
    tap.ok(axil.read(ZN_REG_CONTRACT) == ZN_CONTRACT_VERSION, "contract_after_reset_reads");
    const std::map<uint32_t, uint32_t> expected = {
        { ZN_PARAM_FLOWS, GIVEN(Flows, 65536) },
        { ZN_PARAM_FRAMES, 4 },
        { ZN_PARAM_MEMBERS, GIVEN(Members, 65536) },
        { ZN_PARAM_PAYLOAD, GIVEN(PayloadMax, 2048) },
        { ZN_PARAM_PACKET, GIVEN(PacketMax, 2048) },
        { ZN_PARAM_SKIPS, GIVEN(Skips, 16) },
        { ZN_PARAM_DATA_BITS, GIVEN(DataWidth, 512) },
        { ZN_PARAM_BUCKETS, GIVEN(Buckets, 32768) },
    };
    tap.ok(params(axil) == expected, "params_list_names_each_once");
}

// Writes random words with random strobes to every word below the counters, beside what should
// become of them.
void check_settings(zn::Tap &tap, zn::Bench &bench, zn::Axil &axil)
{
    const std::map<uint32_t, uint32_t> masks = {
        { ZN_REG_CONTROL, 7 },     { ZN_REG_RATE_PERIOD, 15 },       { ZN_REG_REPORT_WAIT, ~0u },
        { ZN_REG_LOCAL_MAC, ~0u }, { ZN_REG_LOCAL_MAC + 4, 0xffff }, { ZN_REG_HOP, 0xffff }
    };
    std::map<uint32_t, uint32_t> mask = masks, held;
    for (uint32_t i = 0; i < 10; i++)
        mask[ZN_REG_HASH_KEY + 4 * i] = ~0u;
    bool zero = true;
    for (const auto &[at, bits] : mask)
        zero = zero && axil.read(at) == 0;
    tap.ok(zero, "settings_after_reset_are_0");

    zn::Random random(7);
    bool good = true;
    for (unsigned i = 0; i < 500; i++) {
        const uint32_t at = 4 * random.below(ZN_REG_COUNTERS / 4), value = random.bits();
        if (at == ZN_REG_MS_CYCLES)
            continue;
        const unsigned strobes = random.below(16);
        uint32_t bytes = 0;
        for (unsigned b = 0; b < 4; b++)
            bytes |= strobes >> b & 1 ? 0xffu << 8 * b : 0;
        axil.write(at, value, strobes);
        if (mask.count(at))
            held[at] = (value & bytes & mask[at]) | (held[at] & ~bytes);
        for (const auto &[word, bits] : mask)
            if (i % 20 == 0 || word == at)
                good = good && axil.read(word) == held[word];
    }
    tap.ok(good, "settings_written_with_strobes_read_back");
    tap.ok(axil.read(ZN_REG_MAGIC) == 0x43494e5a &&
               axil.read(ZN_REG_CONTRACT) == ZN_CONTRACT_VERSION,
           "words_read_only_keep_their_value");
    zn::Bytes key;
    for (uint32_t i = 0; i < 40; i++)
        key.push_back(held[ZN_REG_HASH_KEY + i / 4 * 4] >> 8 * (i % 4));
    const zn::Bytes settings = zn::Port(bench.dut.settings_o).get();
    tap.ok(std::equal(key.begin(), key.end(), settings.begin()),
           "settings_out_hold_the_key_in_byte_order");
}

void check_clock(zn::Tap &tap, zn::Bench &bench, zn::Axil &axil)
{
    Vdut &dut = bench.dut;
    axil.write(ZN_REG_MS_CYCLES, 10);
    const uint32_t begin = dut.now_ms_o;
    bench.run_until([&] { return dut.now_ms_o != begin; }, 20);
    const uint64_t turned = bench.now();
    bool steady = true;
    for (uint32_t i = 1; i <= 100; i++) {
        bench.cycles(9);
        steady = steady && dut.now_ms_o == begin + i;
        bench.cycle();
        steady = steady && dut.now_ms_o == begin + i + 1;
    }
    tap.ok(steady && bench.now() - turned == 1000, "clock_at_10_cycles_turns_each_10_cycles");
    axil.write(ZN_REG_MS_CYCLES, 0);
    const uint32_t stopped = dut.now_ms_o;
    bench.cycles(1000);
    tap.ok(dut.now_ms_o == stopped && axil.read(ZN_REG_NOW_MS) == stopped,
           "clock_at_0_stands_still");
}

} // namespace

int main()
{
    zn::Tap tap;
    zn::Bench bench;
    zn::Axil axil(bench, zn::axil_ports(bench.dut), 1);
    Events events(bench.dut);
    bench.add(events);
    bench.reset();
    const uint64_t begin = bench.now();
    tap.ok(axil.read(ZN_REG_MS_CYCLES) == ms_cycles, "clock_after_reset_has_its_cycles");
    const bool turned = bench.run_until([&] { return bench.dut.now_ms_o == 1; }, 2 * ms_cycles);
    tap.ok(turned && bench.now() - begin == ms_cycles, "clock_after_reset_turns_after_its_cycles");
    check_identity(tap, axil);
    check_settings(tap, bench, axil);
    check_clock(tap, bench, axil);
    tap.ok(axil.read(0xffc) == 0 && axil.read(ZN_REG_COUNTERS + 4 * counters) == 0,
           "words_unknown_read_0");

    events.on = true;
    bench.cycles(5000);
    events.on = false;
    bench.cycles(2);
    bool equal = true;
    for (unsigned i = 0; i < counters; i++)
        equal = equal && axil.read(ZN_REG_COUNTERS + 4 * i) == events.count[i];
    tap.ok(equal, "counters_count_every_pulse");
    return tap.done();
}
