// SPDX-License-Identifier: Apache-2.0
// The receive back end against a reference that reads one byte at a time; and its rate.
#include "rig.h"
#include "traffic.h"

namespace
{

using namespace zn;

constexpr unsigned overhead = 200; // headers and padding of a packet, at most

const std::vector<unsigned> all_sizes = { 0,  1,  2,  3,  4,  5,   6,   7,   8,    9,     10,   11,
                                          12, 13, 14, 50, 64, 125, 126, 127, 1000, 65535, 65536 };
const std::vector<unsigned> small_sizes = { 0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 14 };

// Mixes that the pauses are crossed with.
const std::vector<Mix> &mixes()
{
    static const std::vector<Mix> all = [] {
        std::vector<Mix> m(5);
        m[0].frame_sizes = all_sizes;
        m[1].frame_sizes = small_sizes; // one flow, a few bytes each
        m[1].flows = 1;
        m[1].tiny = 100;
        m[1].tiny_max = 4;
        m[1].untreated = 2;
        m[1].command = 1;
        m[2].frame_sizes = all_sizes; // flows taking turns
        m[2].flows = 3;
        m[2].same = 20;
        m[2].tiny = 90;
        m[3].frame_sizes = small_sizes; // bad frames
        m[3].bad_frame = 100;
        m[3].tiny = 70;
        m[3].command = 20;
        m[4].frame_sizes = { 0 }; // most headers
        m[4].flows = flows;
        m[4].talk = 0;
        m[4].tiny = 20;
        m[4].payload_max = packet_max;
        return m;
    }();
    return all;
}

// Makes one flow known, or known anew.
void start(Rig &rig, unsigned flow, const State &state, uint32_t seq,
           unsigned flags = ZN_FLOW_RECEIVE)
{
    Command c;
    c.flow = flow;
    if (rig.reference.flow(flow).valid) {
        c.op = Op::erase;
        rig.send(c);
    }
    c.op = Op::add;
    c.rcv_nxt = seq;
    c.state = state;
    c.flags = flags;
    c.max_frame = 1 << 20;
    rig.send(c);
}

// `items` packets and commands of a mix; what went wrong, or nothing.
std::string run(Rig &rig, const Mix &mix, uint64_t stream, unsigned items)
{
    Traffic traffic(mix, rig.reference, stream, overhead);
    for (unsigned f = 0; f < mix.flows; f++)
        if (rig.reference.flow(f).valid) {
            Command c;
            c.op = Op::erase;
            c.flow = f;
            rig.send(c);
        }
    for (const Command &c : traffic.adds())
        rig.send(c);
    for (unsigned i = 0; i < items; i++) {
        const Item item = traffic.next();
        unsigned reason = 0;
        if (item.is_command)
            rig.send(item.command);
        else
            reason = rig.send(item.packet);
        traffic.accept(item, reason);
    }
    for (const Command &c : traffic.reads())
        rig.send(c);
    const std::string why = rig.drain();
    rig.reference.settings.now_ms += 12345;
    rig.apply_settings();
    return why;
}

void verdict(Tap &tap, const std::string &name, const std::string &why)
{
    tap.ok(why.empty(), why.empty() ? name : name + ": " + why);
}

// All mixes, for each way of pausing.
void matrix(Tap &tap, Counts *seen)
{
    for (const Pause idle : all_pauses)
        for (const Pause stall : all_pauses) {
            Rig rig(idle, stall);
            std::string why;
            for (unsigned m = 0; why.empty() && m < mixes().size(); m++)
                why = run(rig, mixes()[m], 100 + m, 100);
            if (why.empty() && rig.counts().missed != 0)
                why = "a reply was not taken though there was room";
            for (unsigned r = 0; r < 32; r++)
                seen->reason[r] += rig.counts().reason[r];
            seen->heartbeats += rig.counts().heartbeats;
            verdict(tap,
                    text("packets_idle_%s_stall_%s_match", pause_name(idle), pause_name(stall)),
                    why);
        }
}

// Each mix for long, without pauses.
void streams(Tap &tap, Counts *seen)
{
    for (unsigned m = 0; m < mixes().size(); m++) {
        Rig rig(Pause::never, Pause::never);
        const std::string why = run(rig, mixes()[m], 200 + m, 4000);
        for (unsigned r = 0; r < 32; r++)
            seen->reason[r] += rig.counts().reason[r];
        verdict(tap, text("packets_of_mix_%u_match", m), why);
    }
}

void all_reasons(Tap &tap, const Counts &seen)
{
    std::string missing;
    for (unsigned r = ZN_REASON_OK; r <= ZN_REASON_FRAME_TOO_BIG; r++)
        if (seen.reason[r] == 0)
            missing += text(" %u", r);
    tap.ok(missing.empty() && seen.heartbeats > 0, "runs_above_cover_all_reasons" + missing);
}

// A header cut into segments in each possible way, a packet right behind the other. `step`: every
// step-th way.
void header_cuts(Tap &tap, unsigned length, unsigned step)
{
    Random random(9);
    Rig rig(Pause::never, Pause::never);
    const Bytes whole = frame(random, 0x82, Bytes(length, 'x'));
    const size_t header = whole.size() - length, used = header + std::min(length, 3u);
    const Bytes bytes(whole.begin(), whole.begin() + (long)used);
    std::string why;
    for (uint32_t cuts = 0; why.empty() && cuts < 1u << (used - 1); cuts += step) {
        uint32_t seq = (uint32_t)random.bits();
        start(rig, 1, State{}, seq);
        size_t from = 0;
        for (size_t i = 1; i <= used; i++)
            if (i == used || (cuts >> (i - 1) & 1)) {
                Packet p = wrap(random, Bytes(bytes.begin() + (long)from, bytes.begin() + (long)i),
                                54 + cuts % 3 * 5, 0);
                p.seq = seq;
                p.flow = 1;
                rig.send(p);
                seq += (uint32_t)(i - from);
                from = i;
            }
        if (cuts % 64 == 0)
            why = rig.drain();
    }
    if (why.empty())
        why = rig.drain();
    if (why.empty() && rig.counts().reason[0] != rig.counts().packets)
        why = "packets were not treated";
    verdict(tap, text("header_of_%zu_bytes_cut_anywhere_matches", header), why);
}

// RESYNC into each state of a frame, then the rest of it in pieces of `piece` bytes.
void resyncs(Tap &tap, unsigned piece)
{
    Random random(10);
    Rig rig(Pause::never, Pause::never);
    std::string why;
    start(rig, 2, State{}, 0);
    for (const unsigned length : { 0u, 1u, 5u, 125u, 126u, 300u, 65536u }) {
        const Bytes whole = frame(random, 0x82, Bytes(length, 'y'));
        const size_t header = whole.size() - length;
        Reference parse(1, Settings{ true, true, 1, packet_max });
        parse.flow_to_tune(0) = Flow{ true, false, 0, State{}, 0, ZN_FLOW_RECEIVE, 1 << 20 };
        for (size_t at = 0; why.empty() && at < std::min(whole.size(), header + 9); at++) {
            Command c;
            c.op = Op::resync;
            c.flow = 2;
            c.rcv_nxt = (uint32_t)random.bits();
            c.state = parse.flow(0).state;
            rig.send(c);
            const size_t end = std::min(whole.size(), at + 40);
            for (size_t from = at; from < end; from += piece) {
                const size_t to = std::min(end, from + piece);
                Packet p = wrap(random, Bytes(whole.begin() + (long)from, whole.begin() + (long)to),
                                66, 0);
                p.seq = c.rcv_nxt + (uint32_t)(from - at);
                p.flow = 2;
                rig.send(p);
            }
            why = rig.drain();
            Packet p = wrap(random, { whole[at] }, 54, 0); // the reference's state, one byte on
            p.seq = (uint32_t)at;
            parse.receive(p);
        }
    }
    if (why.empty() && rig.counts().reason[0] != rig.counts().packets)
        why = "packets were not treated";
    verdict(tap, text("resync_into_any_state_then_pieces_of_%u_match", piece), why);
}

void switched_off(Tap &tap)
{
    Rig rig(Pause::sometimes, Pause::never);
    std::string why = run(rig, mixes()[0], 300, 200);
    rig.reference.settings.replies_on = false;
    rig.apply_settings();
    const uint64_t before = rig.replies_taken;
    if (why.empty())
        why = run(rig, mixes()[0], 301, 200);
    if (why.empty() && (before == 0 || rig.replies_taken != before))
        why = text("%u replies, then %u", (unsigned)before, (unsigned)rig.replies_taken);
    verdict(tap, "pings_replies_off_are_not_taken", why);
    rig.reference.settings.receive_on = false;
    rig.apply_settings();
    const uint64_t treated = rig.counts().reason[0];
    if (why.empty())
        why = run(rig, mixes()[0], 302, 200);
    if (why.empty() && (treated == 0 || rig.counts().reason[0] != treated))
        why = "a packet was treated";
    verdict(tap, "packets_receive_off_pass_as_disabled", why);
}

// Nobody takes replies until all packets are out.
void replies_stuck(Tap &tap)
{
    constexpr unsigned packets = 20;
    Rig rig(Pause::never, Pause::never, false);
    Random random(12);
    start(rig, 3, State{}, 0, ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER);
    uint32_t seq = 0;
    for (unsigned i = 0; i < packets; i++) {
        const Bytes ping = frame(random, 0x89, Bytes(i * 6, 'p'));
        Packet p = wrap(random, ping, 54, 0);
        p.seq = seq;
        p.flow = 3;
        seq += (uint32_t)ping.size();
        rig.send(p);
    }
    rig.bench.cycles(packets * (256 / beat_bytes + 2) + 200);
    rig.take_replies();
    std::string why = rig.drain();
    if (why.empty() &&
        (rig.replies_taken == 0 || rig.replies_taken + rig.counts().missed != packets))
        why =
            text("%u taken, %u missed", (unsigned)rig.replies_taken, (unsigned)rig.counts().missed);
    if (why.empty() && rig.counts().missed == 0)
        why = "none was missed";
    verdict(tap, "pings_replies_stuck_are_taken_or_counted", why);
}

struct Rate {
    std::string why;
    uint64_t beats = 0, cycles = 0;
};

// `packets` packets with `payload` bytes each, of frames of `size` bytes with their headers;
// nothing ever waits.
Rate rate(unsigned size, unsigned offset, unsigned payload, unsigned packets,
          unsigned distinct_flows)
{
    Rig rig(Pause::never, Pause::never);
    Random random(11);
    const unsigned length = size - (size >= 65536 ? 14 : size >= 134 ? 8 : 6);
    std::vector<Bytes> stream(distinct_flows);
    std::vector<uint32_t> seq(distinct_flows);
    for (unsigned f = 0; f < distinct_flows; f++)
        start(rig, f, State{}, 0);
    Rate result;
    result.why = rig.drain();
    rig.meter.beats = 0;
    for (unsigned i = 0; i < packets; i++) {
        const unsigned f = i % distinct_flows;
        while (stream[f].size() < payload) {
            const Bytes more = frame(random, 0x82, Bytes(length, 'z'));
            stream[f].insert(stream[f].end(), more.begin(), more.end());
        }
        Packet p = wrap(random, Bytes(stream[f].begin(), stream[f].begin() + payload), offset, 0);
        stream[f].erase(stream[f].begin(), stream[f].begin() + payload);
        p.seq = seq[f];
        p.flow = f;
        seq[f] += payload;
        rig.send(p);
    }
    if (result.why.empty())
        result.why = rig.drain();
    if (result.why.empty() && rig.counts().reason[0] != packets)
        result.why = "packets were not treated";
    result.beats = rig.meter.beats;
    result.cycles = rig.meter.cycles;
    return result;
}

// Frames of one size at each phase between frames and beats.
void rates(Tap &tap, unsigned payload, unsigned packets, unsigned distinct_flows)
{
    std::string table;
    for (const unsigned size : { 6u, 7u, 8u, 16u, 32u, 50u, 64u, 125u, 126u, 1000u, 65536u }) {
        uint64_t beats = 0, cycles = 0;
        std::string why;
        for (unsigned phase = 0; why.empty() && phase < beat_bytes; phase++) {
            const Rate r = rate(size, 54 + phase, payload, packets, distinct_flows);
            why = r.why;
            beats += r.beats;
            cycles += r.cycles;
        }
        if (why.empty() && cycles != beats)
            why = text("%.4f beats a cycle", (double)beats / (double)cycles);
        table += text(" %u:%.3f", size, (double)beats / (double)cycles);
        verdict(tap,
                text("frames_of_%u_bytes_in_%u_of_%u_flows_leave_a_beat_a_cycle", size, payload,
                     distinct_flows),
                why);
    }
    tap.note(text("beats a cycle, payload %u, %u flows, by bytes of a frame:%s", payload,
                  distinct_flows, table.c_str()));
}

} // namespace

int main()
{
    Tap tap;
    Counts seen;
    const bool wide = beat_bytes == 64;
    matrix(tap, &seen);
    streams(tap, &seen);
    all_reasons(tap, seen);
    header_cuts(tap, 3, 1);
    header_cuts(tap, 126, 1);
    header_cuts(tap, 65536, wide ? 1 : 37);
    for (const unsigned piece : { 1u, 2u, 3u, 7u, 40u })
        resyncs(tap, piece);
    switched_off(tap);
    replies_stuck(tap);
    rates(tap, 1, 40, 1);
    rates(tap, 10, 40, 1);
    rates(tap, 10, 40, 2);
    rates(tap, 1400, 6, 1);
    return tap.done();
}
