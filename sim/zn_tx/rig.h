// SPDX-License-Identifier: Apache-2.0
// The module with both ends of each of its streams, and the comparison with the reference.
//
// Thread: one.
#ifndef ZN_SIM_TX_RIG_H
#define ZN_SIM_TX_RIG_H

#include "bench/bench.h"
#include "reference.h"

namespace tx
{

constexpr Sizes sizes = { BENCH_Flows, BENCH_Members, BENCH_PayloadMax, BENCH_Skips };
constexpr unsigned beat_bytes = BENCH_DataWidth / 8;

// How the ends pause.
struct Pauses {
    zn::Pause host = zn::Pause::never;
    zn::Pause wire = zn::Pause::never;
    zn::Pause reports = zn::Pause::never;
    zn::Pause onward = zn::Pause::never;
    zn::Pause replies = zn::Pause::never;
};

// Counts the cycles in which a stream moves a beat, and adds up the pulses of the counters.
class Watch : public zn::Agent
{
  public:
    explicit Watch(Vdut &dut) : dut_(dut)
    {
    }
    void drive() override
    {
    }
    void sample() override;

    uint64_t cycle = 0;
    uint64_t first_beat = 0; // on the wire, since restart()
    uint64_t last_beat = 0;
    uint64_t beats = 0;
    Counts counts{};
    uint64_t reports = 0;
    void restart()
    {
        beats = 0;
    }

  private:
    Vdut &dut_;
};

class Rig
{
  public:
    explicit Rig(const Settings &settings = {});

    void set_pauses(const Pauses &pauses);
    // Only when nothing is under way.
    void set_settings(const Settings &settings);
    void set_time(uint32_t now_ms);

    // To the module and to the reference.
    void send(const Bytes &message);
    void reply(const Reply &reply);

    // Lets all that was sent have its effect, and compares what came out with the reference.
    // Returns what went wrong, or nothing.
    std::string settle();

    zn::Bench bench;
    Reference reference;
    Watch watch;
    // Of the last settle(): the records in order, and the packets on the wire.
    std::vector<Record> records;
    std::vector<Bytes> packets;
    // Report packets since the beginning, by the number of their records.
    std::map<unsigned, unsigned> batches;

  private:
    bool quiet();
    std::string take_reports();
    std::string follow_records();
    std::string follow_wire();
    std::string follow_onward();
    std::string check_counts() const;

    zn::Source host_;
    zn::Source replies_;
    zn::Sink wire_;
    zn::Sink reports_;
    zn::Sink onward_;
};

} // namespace tx

#endif
