// SPDX-License-Identifier: Apache-2.0
// The receive back end with everything around it, and what is to come out of it.
//
// Thread: one.
#ifndef ZN_RX_BACK_RIG_H
#define ZN_RX_BACK_RIG_H

#include <algorithm>
#include <cstring>

#include "bench/bench.h"
#include "port.h"
#include "reference.h"

namespace zn
{

constexpr unsigned beat_bytes = BENCH_DataWidth / 8;
constexpr unsigned flows = BENCH_Flows;
constexpr unsigned packet_max = BENCH_PacketMax;

// What the counter ports count.
struct Counts {
    uint64_t reason[32] = {};
    uint64_t packets = 0, frames = 0, missed = 0, heartbeats = 0;
    bool operator==(const Counts &o) const
    {
        return std::equal(reason, reason + 32, o.reason) && packets == o.packets &&
               frames == o.frames && missed == o.missed && heartbeats == o.heartbeats;
    }
};

class Counter : public Agent
{
  public:
    explicit Counter(Vdut &dut) : dut_(dut)
    {
    }
    Counts counts;
    void drive() override
    {
    }
    void sample() override
    {
        if (dut_.rst_i)
            return;
        if (dut_.count_packet_o) {
            counts.packets++;
            counts.reason[dut_.count_reason_o & 31]++;
            counts.frames += dut_.count_frames_o;
        }
        counts.missed += dut_.count_reply_missed_o;
        counts.heartbeats += dut_.count_heartbeat_o;
    }

  private:
    Vdut &dut_;
};

// Beats to the host, and the cycles that they took from the first to the last one.
class Meter : public Agent
{
  public:
    explicit Meter(Vdut &dut) : dut_(dut)
    {
    }
    uint64_t beats = 0, cycles = 0;
    void drive() override
    {
    }
    void sample() override
    {
        now_++;
        if (dut_.m_valid_o && dut_.m_ready_i) {
            first_ = beats++ == 0 ? now_ : first_;
            cycles = now_ - first_ + 1;
        }
    }

  private:
    Vdut &dut_;
    uint64_t now_ = 0, first_ = 0;
};

class Rig
{
  public:
    Bench bench;
    Meter meter;
    Reference reference;
    uint64_t replies_taken = 0;

    // Replies wait for take_replies() unless `replies`.
    Rig(Pause idle, Pause stall, bool replies = true)
        : meter(bench.dut), reference(flows, Settings{ true, true, 1, packet_max }), random_(77),
          source_({ bench.dut.s_valid_i,
                    bench.dut.s_ready_o,
                    bench.dut.s_data_i,
                    bench.dut.s_keep_i,
                    bench.dut.s_last_i,
                    { bench.dut.s_meta_i, bench.dut.s_lookup_i, bench.dut.s_end_i } },
                  idle, 1),
          sink_({ bench.dut.m_valid_o, bench.dut.m_ready_i, bench.dut.m_data_o, bench.dut.m_keep_o,
                  bench.dut.m_last_o },
                stall, 2),
          replies_({ bench.dut.reply_valid_o, bench.dut.reply_ready_i, bench.dut.reply_o },
                   Pause::never, 3),
          counter_(bench.dut)
    {
        bench.add(source_);
        bench.add(sink_);
        bench.dut.reply_ready_i = 0;
        if (replies)
            take_replies();
        bench.add(counter_);
        bench.add(meter);
        apply_settings();
        bench.reset(40);
    }

    void take_replies()
    {
        bench.add(replies_);
    }

    // To the model; only while nothing is on its way.
    void apply_settings()
    {
        const Settings &s = reference.settings;
        Port(bench.dut.settings_i)
            .set(pack({ { s.receive_on, 1 },
                        { s.replies_on, 1 },
                        { 0, 1 },
                        { 4, 4 },
                        { 0, 32 },
                        { 0, 48 },
                        { 64, 8 },
                        { 0, 8 },
                        { 0, 320 } }));
        bench.dut.now_ms_i = s.now_ms;
    }

    void send(const Command &c)
    {
        const Flow &f = reference.flow(c.flow);
        const unsigned op = 1 + (c.op == Op::add      ? 0
                                 : c.op == Op::erase  ? 1
                                 : c.op == Op::resync ? 2
                                                      : 3);
        Beat beat{ noise(), ~0ull >> (64 - beat_bytes), true, {} };
        beat.side = {
            meta_port(op, c.rcv_nxt, (unsigned)random_.below(200), (unsigned)random_.below(200),
                      c.flow, c.cookie, c.flags, c.max_frame, c.state),
            lookup_port(true, c.flow, f.flags, f.max_frame, c.table_reason),
            end_port((unsigned)random_.below(10), random_.chance(50), (unsigned)random_.below(2000))
        };
        source_.send(beat);
        Expected e;
        e.bytes = reference.command(c, beat_bytes);
        e.reason = ~0u;
        expected_.push_back(e);
    }

    unsigned send(const Packet &p)
    {
        const Flow f = reference.flow(p.flow);
        const Expected e = reference.receive(p);
        expected_.push_back(e);
        const Bytes meta = meta_port(0, p.seq, p.payload_offset, p.payload_length,
                                     (uint32_t)random_.bits(), 0, 0, 0, State{});
        const Bytes lookup =
            lookup_port(p.hit, p.flow, f.flags, f.max_frame, (unsigned)random_.below(3));
        for (size_t at = 0; at < p.bytes.size(); at += beat_bytes) {
            const size_t count = std::min<size_t>(beat_bytes, p.bytes.size() - at);
            Beat beat{ noise(), ~0ull >> (64 - count), at + count == p.bytes.size(), {} };
            std::copy(p.bytes.begin() + (long)at, p.bytes.begin() + (long)(at + count),
                      beat.data.begin());
            beat.side = { meta, lookup,
                          beat.last
                              ? end_port(p.reason, p.checksum_ok, (unsigned)p.bytes.size())
                              : end_port((unsigned)random_.below(10), random_.chance(50), 7) };
            source_.send(beat);
        }
        in_beats_ += (p.bytes.size() + beat_bytes - 1) / beat_bytes;
        return e.reason;
    }

    // Lets everything come out; what went wrong, or nothing.
    std::string drain()
    {
        const uint64_t limit =
            3000 + flows +
            40 * (in_beats_ + 100 * expected_.size() / beat_bytes + expected_.size());
        size_t packets = 0;
        const bool all = bench.run_until(
            [&] {
                for (; seen_ < sink_.beats.size(); seen_++)
                    packets += sink_.beats[seen_].last;
                return packets >= expected_.size();
            },
            limit);
        seen_ = 0;
        in_beats_ = 0;
        bench.cycles(60);
        std::string why = check();
        if (why.empty() && !all)
            why = "packets are missing";
        if (why.empty())
            why = sink_.breach().empty() ? replies_.breach() : sink_.breach();
        return why;
    }

    const Counts &counts() const
    {
        return want_;
    }

  private:
    Bytes noise()
    {
        Bytes bytes(beat_bytes);
        for (uint8_t &byte : bytes)
            byte = (uint8_t)random_.bits();
        return bytes;
    }

    std::string check()
    {
        for (size_t n = 0; !expected_.empty(); n++, expected_.pop_front()) {
            Expected &e = expected_.front();
            Bytes got;
            if (!sink_.fetch_packet(&got))
                return text("%zu packets did not come", expected_.size());
            if (e.reason != ~0u) {
                want_.packets++;
                want_.reason[e.reason]++;
                want_.frames += e.frames;
                want_.heartbeats += e.heartbeat;
            }
            if (e.ask >= 0 && reference.settings.replies_on) {
                const size_t at = offsetof(zn_acc_rx_annotation, frame) +
                                  sizeof(zn_acc_frame_desc) * (unsigned)e.ask +
                                  offsetof(zn_acc_frame_desc, flags);
                if (got.size() > at && (got[at] & ZN_FRAME_TAKEN)) {
                    e.bytes[at] |= ZN_FRAME_TAKEN;
                    want_replies_.push_back(e.reply);
                } else {
                    want_.missed++;
                }
            }
            if (got != e.bytes)
                return differs(n, e, got);
        }
        Bytes more;
        if (sink_.fetch_packet(&more))
            return "a packet came that was not sent";
        for (; !want_replies_.empty(); want_replies_.pop_front()) {
            if (replies_.beats.empty())
                return "a reply did not come";
            if (!(reply_from_port(replies_.beats.front().data) == want_replies_.front()))
                return "a reply differs";
            replies_.beats.pop_front();
            replies_taken++;
        }
        if (!replies_.beats.empty())
            return "a reply came that was not taken";
        return want_ == counter_.counts ? "" : "counters differ";
    }

    static std::string differs(size_t n, const Expected &e, const Bytes &got)
    {
        size_t at = 0;
        while (at < got.size() && at < e.bytes.size() && got[at] == e.bytes[at])
            at++;
        return text(
            "packet %zu (reason %u, got %u) differs at byte %zu: %02x, not %02x; %zu bytes, not %zu",
            n, e.reason, got.size() > 2 ? got[2] : 999u, at, at < got.size() ? got[at] : 0,
            at < e.bytes.size() ? e.bytes[at] : 0, got.size(), e.bytes.size());
    }

    Random random_;
    Source source_;
    Sink sink_;
    Sink replies_;
    Counter counter_;
    std::deque<Expected> expected_;
    std::deque<Reply> want_replies_;
    Counts want_;
    uint64_t in_beats_ = 0;
    size_t seen_ = 0;
};

} // namespace zn

#endif
