// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/front.h"

#include <algorithm>

namespace zn
{

namespace
{

// Fields of a packed struct, from its last to its first.
class Packer
{
  public:
    Packer &put(uint64_t value, unsigned bits)
    {
        for (unsigned i = 0; i < bits; i++, at_++) {
            if (at_ % 8 == 0)
                bytes_.push_back(0);
            bytes_.back() |= static_cast<uint8_t>((value >> i & 1) << at_ % 8);
        }
        return *this;
    }
    template <class Array> Packer &put_bytes(const Array &bytes)
    {
        for (const uint8_t byte : bytes)
            put(byte, 8);
        return *this;
    }
    const Bytes &bytes() const
    {
        return bytes_;
    }

  private:
    Bytes bytes_;
    size_t at_ = 0;
};

Bytes hash_key()
{
    Random random(12);
    Bytes key(40);
    for (uint8_t &byte : key)
        byte = static_cast<uint8_t>(random.bits());
    return key;
}

constexpr unsigned op_packet = 0;

Bytes pack_meta(const Command &c, bool with_tuple)
{
    const Tuple tuple = with_tuple ? c.tuple : Tuple();
    Packer p;
    for (size_t i = 0; i < 10; i++)
        p.put(c.state[i], 8);
    p.put(c.state[10], 4).put(c.max_frame, 32).put(c.flags, 4).put(c.cookie, 32).put(c.flow, 32);
    p.put(0, 16).put(0, 16).put(c.seq, 32);
    p.put_bytes(tuple.local_port)
        .put_bytes(tuple.peer_port)
        .put_bytes(tuple.local)
        .put_bytes(tuple.peer)
        .put(tuple.v6, 1);
    return p.put(c.op, 3).bytes();
}

Bytes pack_packet_meta(const Verdict &verdict, uint32_t seq)
{
    Packer p;
    p.put(0, 64).put(0, 20).put(0, 32).put(0, 4).put(0, 32).put(0, 32);
    p.put(verdict.followed ? verdict.payload_length : 0, 16)
        .put(verdict.followed ? verdict.payload_offset : 0, 16);
    p.put(seq, 32);
    for (unsigned i = 0; i < 289; i++)
        p.put(0, 1);
    return p.put(op_packet, 3).bytes();
}

uint64_t field(const Bytes &bytes, size_t at, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bits; i++)
        value |= static_cast<uint64_t>(bytes[(at + i) / 8] >> (at + i) % 8 & 1) << i;
    return value;
}

// A port has whole words.
bool same(Bytes expected, const Bytes &seen)
{
    expected.resize(seen.size());
    return expected == seen;
}

constexpr size_t meta_seq_at = 84 + 32 + 4 + 32 + 32 + 16 + 16;
constexpr size_t meta_op_at = meta_seq_at + 32 + 289;
enum { side_meta, side_lookup, side_end };

struct Lookup {
    bool hit;
    uint32_t flow;
    unsigned flags;
    uint32_t max_frame;
    unsigned reason;

    explicit Lookup(const Bytes &bytes)
        : hit(field(bytes, 76, 1)), flow(static_cast<uint32_t>(field(bytes, 44, 32))),
          flags(static_cast<unsigned>(field(bytes, 40, 4))),
          max_frame(static_cast<uint32_t>(field(bytes, 8, 32))),
          reason(static_cast<unsigned>(field(bytes, 0, 8)))
    {
    }
};

} // namespace

Front::Front()
    : table(BENCH_Buckets, hash_key()), packets_({ bench.dut.s_valid_i,
                                                   bench.dut.s_ready_o,
                                                   bench.dut.s_data_i,
                                                   bench.dut.s_keep_i,
                                                   bench.dut.s_last_i,
                                                   { bench.dut.s_bad_i } },
                                                 Pause::never, 13),
      commands_({ bench.dut.cmd_valid_i, bench.dut.cmd_ready_o, bench.dut.cmd_meta_i },
                Pause::never, 14),
      out_({ bench.dut.m_valid_o,
             bench.dut.m_ready_i,
             bench.dut.m_data_o,
             bench.dut.m_keep_o,
             bench.dut.m_last_o,
             { bench.dut.m_meta_o, bench.dut.m_lookup_o, bench.dut.m_end_o } },
           Pause::never, 15)
{
    bench.add(packets_);
    bench.add(commands_);
    bench.add(out_);
    Port(bench.dut.settings_i).set(hash_key());
}

uint64_t Front::reset()
{
    bench.reset(1);
    table.clear();
    sent_.clear();
    commanded_.clear();
    out_.beats.clear();
    const uint64_t begin = bench.now();
    bench.run_until([&] { return bench.dut.ready_after_reset_o; }, 1u << 20);
    return bench.now() - begin;
}

void Front::send(const Bytes &packet, bool bad)
{
    for (size_t at = 0; at < packet.size(); at += beat_bytes) {
        const size_t n = std::min(beat_bytes, packet.size() - at);
        Beat beat;
        beat.data.assign(packet.begin() + static_cast<long>(at),
                         packet.begin() + static_cast<long>(at + n));
        while (beat.data.size() < beat_bytes)
            beat.data.push_back(static_cast<uint8_t>(random_.bits()));
        beat.keep = n == 64 ? ~uint64_t{ 0 } : (uint64_t{ 1 } << n) - 1;
        beat.last = at + n == packet.size();
        beat.side = { Bytes{ static_cast<uint8_t>(beat.last ? bad : random_.chance(20)) } };
        packets_.send(std::move(beat));
    }
    sent_.push_back({ packet, bad });
}

void Front::command(const Command &command)
{
    Beat beat;
    beat.data = pack_meta(command, true);
    commands_.send(std::move(beat));
    commanded_.push_back(command);
}

void Front::pauses(Pause packets, Pause commands, Pause out)
{
    packets_.set_pause(packets);
    commands_.set_pause(commands);
    out_.set_pause(out);
}

std::string Front::drain()
{
    size_t count = sent_.size() + commanded_.size(), idle = 0;
    uint64_t taken = out_.taken();
    uint64_t behind_first = 0;
    first_cycle = cycles = beats = 0;
    order.clear();
    while (count && idle < 2000) {
        bench.cycle();
        idle++;
        if (out_.taken() == taken)
            continue;
        idle = 0;
        taken = out_.taken();
        if (!first_cycle)
            first_cycle = bench.now();
        if (behind_first) {
            beats++;
            cycles = bench.now() - behind_first;
        }
        if (!out_.beats.back().last)
            continue;
        if (!behind_first)
            behind_first = bench.now();
        count--;
        const std::string why = compare_next(order.size());
        if (!why.empty())
            return why;
    }
    if (count)
        return text("%zu packets and %zu commands did not come out", sent_.size(),
                    commanded_.size());
    bench.cycles(40);
    return out_.beats.empty() ? out_.breach() : "beats that were not sent came out";
}

std::string Front::compare_next(size_t count)
{
    for (const Beat &beat : out_.beats)
        for (const unsigned i : { side_meta, side_lookup })
            if (beat.side[i] != out_.beats.back().side[i])
                return text("%s changed within packet %zu", i == side_meta ? "meta" : "lookup",
                            count);
    Bytes bytes;
    std::vector<Bytes> side;
    out_.fetch_packet(&bytes, &side);
    const bool is_packet = field(side[side_meta], meta_op_at, 3) == op_packet;
    if (is_packet ? sent_.empty() : commanded_.empty())
        return text("one %s too many, after %zu", is_packet ? "packet" : "command", count);
    order.push_back(is_packet ? 'p' : 'c');
    const std::string why = is_packet ? compare_packet(bytes, side) : compare_command(side);
    if (is_packet)
        sent_.pop_front();
    else
        commanded_.pop_front();
    return why.empty() ? why
                       : text("%zu, %s of %zu bytes: ", count, is_packet ? "packet" : "command",
                              bytes.size()) +
                             why;
}

std::string Front::compare_packet(const Bytes &bytes, const std::vector<Bytes> &side)
{
    const Sent &sent = sent_.front();
    if (bytes != sent.bytes)
        return "bytes changed";
    const Verdict verdict = judge(sent.bytes, sent.bad, BENCH_PacketMax);
    reasons[verdict.reason]++;
    const Bytes end =
        Packer().put(verdict.length, 16).put(verdict.checksum_ok, 1).put(verdict.reason, 8).bytes();
    if (!same(end, side[side_end]))
        return text("end: reason %u, checksum %u, length %zu expected, %u, %u, %u seen",
                    verdict.reason, verdict.checksum_ok, verdict.length,
                    (unsigned)field(side[side_end], 17, 8), (unsigned)field(side[side_end], 16, 1),
                    (unsigned)field(side[side_end], 0, 16));
    // The sequence number means nothing when the headers do not lead to it.
    const uint32_t seq = verdict.followed
                             ? verdict.seq
                             : static_cast<uint32_t>(field(side[side_meta], meta_seq_at, 32));
    if (!same(pack_packet_meta(verdict, seq), side[side_meta]))
        return "meta differs";
    const FlowTable::Entry *entry = verdict.followed ? table.find(verdict.tuple) : nullptr;
    const Lookup lookup(side[side_lookup]);
    if (lookup.hit != (entry != nullptr))
        return text("lookup: hit %u, reason %u", lookup.hit, verdict.reason);
    if (entry && (lookup.flow != entry->flow || lookup.flags != entry->flags ||
                  lookup.max_frame != entry->max_frame))
        return text("lookup: flow %u expected, %u seen", entry->flow, lookup.flow);
    hits += entry && verdict.reason == ZN_REASON_OK;
    return "";
}

std::string Front::compare_command(const std::vector<Bytes> &side)
{
    const Command &command = commanded_.front();
    if (!same(pack_meta(command, false), side[side_meta]))
        return "meta differs";
    if (!same({}, side[side_end]))
        return "end is not 0";
    unsigned reason = ZN_REASON_OK;
    if (command.op == Command::add)
        reason =
            table.add({ true, 0, command.flow, command.tuple, command.flags, command.max_frame });
    if (command.op == Command::remove)
        reason = table.remove(command.tuple, command.flow);
    command_reasons[reason]++;
    const Lookup lookup(side[side_lookup]);
    if (lookup.reason != reason || lookup.flow != command.flow || lookup.flags != command.flags ||
        lookup.max_frame != command.max_frame || lookup.hit != (reason == ZN_REASON_OK))
        return text("lookup of op %d: reason %u expected, %u seen", command.op, reason,
                    lookup.reason);
    return "";
}

} // namespace zn
