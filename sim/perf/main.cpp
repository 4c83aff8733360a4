// SPDX-License-Identifier: Apache-2.0
// How many cycles the core takes: client frames of many sizes at every beat phase, a ping's answer,
// a broadcast's copies. Prints a table, and writes the same as JSON to the file that the
// environment's JSON names.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/tap.h"
#include "cosim/client.h"
#include "cosim/message.h"
#include "cosim/noise.h"

namespace
{

using namespace cosim;

enum {
    FLOWS = 8,
    PACKETS = 24,   // in one measurement
    SEGMENT = 1448, // payload bytes of a full one, with TCP timestamps
    ROOM = 1 << 28,
    STEP = 32,
    CYCLES_MAX = 20000,
    RECEIVERS = 48,
    OTHERS = 200,
    WARM_UP = 4, // packets or copies that are left out of a measurement
};

struct Row {
    std::string what;
    double least, most; // over phases or repetitions
    const char *unit;
};

std::vector<Row> rows;

class Core
{
  public:
    Core() : device_(device_create_rtl(1)), random_(1)
    {
        device_->write(ZN_REG_CONTROL, 7);
        device_->write(ZN_REG_REPORT_WAIT, 64);
        for (uint32_t i = 0; i < 40; i += 4)
            device_->write(ZN_REG_HASH_KEY + i, static_cast<uint32_t>(random_.next()));
        for (uint32_t flow = 0; flow < device_->params().flows; flow++)
            add(flow);
        settle(2 * device_->params().flows, 0, 0);
    }
    Device &device()
    {
        return *device_;
    }
    Random &random()
    {
        return random_;
    }
    const Endpoint &end(uint32_t flow) const
    {
        return ends_[flow];
    }
    uint32_t &seq(uint32_t flow)
    {
        return seqs_[flow];
    }
    // Runs until `records` records, `packets` packets and `segments` segments came since the last
    // call, which are in `up` and `out` then; false if they do not come.
    bool settle(size_t records, size_t packets, size_t segments)
    {
        up.clear();
        out.clear();
        for (unsigned cycles = 0; records || packets || segments; cycles += STEP) {
            if (cycles > CYCLES_MAX)
                return false;
            device_->run(STEP);
            Got got;
            while (device_->host_pop(got.bytes, got.stamp)) {
                const size_t count = got.bytes[0] == ZN_MSG_REPORT ? got.bytes[2] : 0;
                records -= std::min(records, count);
                packets -= packets && !count;
                up.push_back(got);
            }
            while (device_->wire_pop(got.bytes, got.stamp)) {
                segments -= segments > 0;
                out.push_back(got);
            }
        }
        return true;
    }
    // At `flow`'s next sequence number.
    void push(uint32_t flow, const Bytes &payload, uint8_t options_len)
    {
        Segment segment;
        segment.seq = seqs_[flow];
        segment.options_len = options_len;
        seqs_[flow] += static_cast<uint32_t>(payload.size());
        device_->wire_push(packet_build(ends_[flow], segment, payload.data(), payload.size()),
                           false);
    }

    struct Got {
        Bytes bytes;
        Stamp stamp;
    };
    std::vector<Got> up, out;

  private:
    void add(uint32_t flow)
    {
        Endpoint end = endpoint_random(random_, static_cast<uint16_t>(1000 + flow));
        end.v6 = end.has_vlan = false;
        std::fill(end.peer + 4, end.peer + 16, static_cast<uint8_t>(0));
        std::fill(end.local + 4, end.local + 16, static_cast<uint8_t>(0));
        ends_.push_back(end);
        seqs_.push_back(0);
        zn_acc_command command = command_of(ZN_MSG_ADD, flow, flow);
        command.flow_flags = ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER;
        command.limit = ROOM;
        command.mss = SEGMENT;
        command.max_frame = 0xfffffffe;
        command.replies = 255;
        device_->host_push(message_with(command, endpoint_address(end, 0)).bytes);
    }

    std::unique_ptr<Device> device_;
    Random random_;
    std::vector<Endpoint> ends_;
    std::vector<uint32_t> seqs_;
};

Bytes client_frame(Random &random, size_t payload_len, uint8_t b0)
{
    Frame frame;
    frame.b0 = b0;
    frame.payload = random.bytes(payload_len);
    uint8_t key[4];
    random.fill(key, 4);
    return frame_encode(frame, key);
}

// Bytes of payload of a client's frame that has `total` in all.
size_t payload_of(size_t total)
{
    return total < 6 + 126 ? total - 6 : total < 8 + 65536 ? total - 8 : total - 14;
}

// A stream of frames of `total` bytes each (0: any), after one that moves them by `phase`.
Bytes stream_of(Random &random, size_t total, unsigned phase)
{
    Bytes stream = client_frame(random, phase, WS_FIN | OP_BINARY);
    while (stream.size() < PACKETS * SEGMENT) {
        const size_t len = total ? payload_of(total) : random.below(random.percent(70) ? 30 : 500);
        append(stream, client_frame(random, len, WS_FIN | OP_BINARY));
    }
    stream.resize(PACKETS * SEGMENT);
    return stream;
}

// Full segments of FLOWS flows in turn, back to back: cycles for each beat to the host, of which
// the annotation is one a packet. Fails if one was not treated.
double frames_measure(Core &core, size_t total, unsigned phase)
{
    const Bytes stream = stream_of(core.random(), total, phase);
    for (size_t i = 0; i < PACKETS; i++) {
        // Every flow is at a frame's header: the stream goes round.
        const auto from = stream.begin() + static_cast<ptrdiff_t>(i / FLOWS * SEGMENT);
        core.push(static_cast<uint32_t>(i % FLOWS), Bytes(from, from + SEGMENT), 12);
    }
    core.settle(0, PACKETS, 0);
    size_t beats = 0, treated = 0;
    const unsigned beat = core.device().params().data_bits / 8;
    std::vector<Stamp> stamps;
    for (const Core::Got &got : core.up) {
        if (got.bytes[0] != ZN_MSG_RX_PACKET)
            continue;
        treated += got.bytes[2] == ZN_REASON_OK;
        if (stamps.size() >= WARM_UP)
            beats += (got.bytes.size() + beat - 1) / beat;
        stamps.push_back(got.stamp);
    }
    if (treated != PACKETS)
        return -1;
    return static_cast<double>(stamps.back().last - stamps[WARM_UP - 1].last) /
           static_cast<double>(beats);
}

// Every flow starts at a header again.
void frames_reset(Core &core)
{
    for (uint32_t flow = 0; flow < FLOWS; flow++) {
        zn_acc_command command = command_of(ZN_MSG_RESYNC, flow, 0);
        command.rcv_nxt = core.seq(flow);
        core.device().host_push(message_of(command).bytes);
    }
    core.settle(2 * FLOWS, 0, 0);
}

bool frames(Core &core, zn::Tap &tap)
{
    const unsigned beat = core.device().params().data_bits / 8;
    bool good = true;
    for (size_t total : { 6, 7, 8, 16, 32, 50, 64, 125, 126, 1000, 65536, 0 }) {
        double least = 1e9, most = 0;
        for (unsigned phase = 0; phase<beat; phase += total> 126 ? 5 : 1) {
            frames_reset(core);
            const double cycles = frames_measure(core, total, phase);
            good = good && cycles > 0;
            least = std::min(least, cycles);
            most = std::max(most, cycles);
        }
        rows.push_back(
            { total ? zn::text("frames of %zu bytes", total) : "frames of 6 to 508 bytes, mixed",
              least, most, "cycles a beat" });
        tap.ok(good && most < 1.005, zn::text("perf_%s_take_a_cycle_a_beat",
                                              total ? std::to_string(total).c_str() : "mixed"));
    }
    return good;
}

// Packets of which most are refused, for all reasons, back to back. Long ones among short ones
// leave a gap now and then, as a packet is held until it is judged.
bool others(Core &core, zn::Tap &tap)
{
    const unsigned beat = core.device().params().data_bits / 8;
    frames_reset(core);
    for (uint32_t i = 0; i < OTHERS; i++) {
        const Sent sent =
            noise_packet(core.random(), core.end(i % FLOWS), core.device().params().packet_max);
        core.device().wire_push(sent.bytes, sent.broken);
    }
    if (!core.settle(0, OTHERS, 0))
        return false;
    size_t beats = 0;
    for (size_t i = WARM_UP; i < core.up.size(); i++)
        beats += (core.up[i].bytes.size() + beat - 1) / beat;
    const double cycles =
        static_cast<double>(core.up.back().stamp.last - core.up[WARM_UP - 1].stamp.last) /
        static_cast<double>(beats);
    rows.push_back(
        { "packets of all kinds, most of them refused", cycles, cycles, "cycles a beat" });
    tap.ok(cycles < 1.1, "perf_refused_packets_take_hardly_more");
    return true;
}

// From the last beat of the ping's packet to the first of the pong's.
bool pings(Core &core)
{
    const unsigned beat = core.device().params().data_bits / 8;
    for (size_t packet_len : { 64u, 1500u + 14 }) {
        double least = 1e9, most = 0;
        for (int i = 0; i < 16; i++) {
            frames_reset(core);
            const size_t room = packet_len - 54;
            Bytes payload = client_frame(core.random(), room < 20 ? room - 6 : 4, WS_FIN | OP_PING);
            if (payload.size() < room)
                append(payload, client_frame(core.random(), payload_of(room - payload.size()),
                                             WS_FIN | OP_BINARY));
            core.device().run(static_cast<unsigned>(i));
            const uint64_t start = core.device().cycles();
            core.push(0, payload, 0);
            if (!core.settle(1, 1, 1))
                return false;
            const double last = static_cast<double>(start + (packet_len + beat - 1) / beat - 1);
            const double cycles = static_cast<double>(core.out[0].stamp.first) - last;
            least = std::min(least, cycles);
            most = std::max(most, cycles);
        }
        rows.push_back(
            { zn::text("ping in %zu bytes, last beat in to the pong's first out", packet_len),
              least, most, "cycles" });
    }
    return true;
}

bool broadcasts(Core &core)
{
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < RECEIVERS; i++)
        ids.push_back(i);
    for (size_t len : { 16, 64, 128, 512, 1400 }) {
        zn_acc_command command = command_of(ZN_MSG_BROADCAST_LIST, 0, 1);
        command.length = static_cast<uint16_t>(len);
        command.ids = RECEIVERS;
        core.device().host_push(message_broadcast(command, core.random().bytes(len), ids).bytes);
        if (!core.settle(RECEIVERS + 1, 0, RECEIVERS))
            return false;
        double least = 1e9, most = 0;
        for (size_t i = WARM_UP; i + 1 < core.out.size(); i++) {
            const auto cycles =
                static_cast<double>(core.out[i + 1].stamp.last - core.out[i].stamp.last);
            least = std::min(least, cycles);
            most = std::max(most, cycles);
        }
        const double all =
            static_cast<double>(core.out.back().stamp.last - core.out[WARM_UP].stamp.last) /
            (RECEIVERS - 1 - WARM_UP);
        rows.push_back({ zn::text("broadcast of %zu bytes, a copy", len), all, most, "cycles" });
    }
    return true;
}

bool write_json(const std::string &path, unsigned bits)
{
    FILE *file = fopen(path.c_str(), "w");
    if (!file)
        return false;
    fprintf(file, "{\"data_bits\": %u, \"rows\": [", bits);
    for (size_t i = 0; i < rows.size(); i++)
        fprintf(file, "%s\n  {\"what\": \"%s\", \"least\": %.3f, \"most\": %.3f, \"unit\": \"%s\"}",
                i ? "," : "", rows[i].what.c_str(), rows[i].least, rows[i].most, rows[i].unit);
    fprintf(file, "\n]}\n");
    return fclose(file) == 0;
}

bool write_table(zn::Tap &tap, const std::string &path, unsigned bits)
{
    FILE *file = fopen(path.c_str(), "w");
    if (!file)
        return false;
    const std::string head = zn::text("A core of %u bits", bits);
    std::vector<std::string> lines = { zn::text("%-60s %9s %9s", head.c_str(), "least", "most") };
    for (const Row &row : rows)
        lines.push_back(
            zn::text("%-60s %9.3f %9.3f %s", row.what.c_str(), row.least, row.most, row.unit));
    for (const std::string &line : lines) {
        fprintf(file, "%s\n", line.c_str());
        tap.note(line);
    }
    return fclose(file) == 0;
}

} // namespace

int main(int, char **argv)
{
    zn::Tap tap;
    Core core;
    tap.ok(frames(core, tap), "perf_frames_are_treated");
    tap.ok(others(core, tap), "perf_refused_packets_pass");
    tap.ok(pings(core), "perf_pings_are_answered");
    tap.ok(broadcasts(core), "perf_copies_are_sent");
    const std::string program = argv[0], folder = program.substr(0, program.rfind('/') + 1);
    const unsigned bits = core.device().params().data_bits;
    tap.ok(write_json(folder + "results.json", bits), "perf_results_are_written");
    tap.ok(write_table(tap, folder + "table", bits), "perf_table_is_written");
    return tap.done();
}
