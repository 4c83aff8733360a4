// SPDX-License-Identifier: Apache-2.0
#include "rig.h"
#include "fields.h"

namespace tx
{

using zn::text;

namespace
{

// No stream has moved for this many cycles: longer than the walk over all flows, the longest pause
// and the wait for a batch of records together.
constexpr uint64_t still_cycles = 1200;
constexpr uint64_t settle_limit = 4000000;

enum { OP_ADD = 1, OP_DELETE = 2, OP_RESYNC = 3, OP_READ = 4 };

std::string difference(const Record &got, const Record &want)
{
    return text(
        "record kind %u reason %u length %u flow %u seq %08x cookie %08x, expected %u %u %u %u "
        "%08x %08x",
        got.kind, got.reason, got.length, got.flow, got.seq, got.cookie, want.kind, want.reason,
        want.length, want.flow, want.seq, want.cookie);
}

std::string difference(const Bytes &got, const Bytes &want)
{
    if (got.size() != want.size())
        return text("packet of %zu bytes, expected %zu", got.size(), want.size());
    size_t at = 0;
    while (got[at] == want[at])
        at++;
    return text("packet of %zu bytes differs at %zu: %02x, expected %02x", got.size(), at, got[at],
                want[at]);
}

unsigned op_of(uint8_t kind)
{
    switch (kind) {
    case ZN_MSG_ADD:
        return OP_ADD;
    case ZN_MSG_DELETE:
        return OP_DELETE;
    case ZN_MSG_RESYNC:
        return OP_RESYNC;
    default:
        return OP_READ;
    }
}

Bytes state_bytes(FieldReader &fields)
{
    const Bytes key = fields.get_bytes(4), length = fields.get_bytes(4);
    const uint8_t b1 = static_cast<uint8_t>(fields.get(8)),
                  b0 = static_cast<uint8_t>(fields.get(8));
    Bytes out = { static_cast<uint8_t>(fields.get(4)), b0, b1, 0 };
    out.insert(out.end(), length.begin(), length.end());
    out.insert(out.end(), key.begin(), key.end());
    return out;
}

// Whether an rx_meta_t has what this command needs on the receive side.
bool same_meta(const Bytes &meta, const Onward &want)
{
    const zn_acc_command &command = want.command;
    const uint8_t *state = reinterpret_cast<const uint8_t *>(&command.state);
    const bool has_state = command.kind == ZN_MSG_ADD || command.kind == ZN_MSG_RESYNC;
    const bool has_tuple = command.kind == ZN_MSG_ADD || command.kind == ZN_MSG_DELETE;
    FieldReader fields(meta);
    bool same = state_bytes(fields) == Bytes(state, state + 12) || !has_state;
    same &= fields.get(32) == command.max_frame || command.kind != ZN_MSG_ADD;
    same &= fields.get(4) == command.flow_flags || command.kind != ZN_MSG_ADD;
    same &= fields.get(32) == command.cookie;
    same &= fields.get(32) == command.flow;
    fields.get(32); // of packets
    same &= fields.get(32) == command.rcv_nxt || !has_state;
    const zn_acc_flow_address &address = want.address;
    same &= fields.get_bytes(2) == Bytes(address.local_port, address.local_port + 2) || !has_tuple;
    same &= fields.get_bytes(2) == Bytes(address.peer_port, address.peer_port + 2) || !has_tuple;
    same &= fields.get_bytes(16) == Bytes(address.local_address, address.local_address + 16) ||
            !has_tuple;
    same &= fields.get_bytes(16) == Bytes(address.peer_address, address.peer_address + 16) ||
            !has_tuple;
    same &= fields.get(1) == (address.ip_version == 6) || !has_tuple;
    return same && fields.get(3) == op_of(command.kind);
}

} // namespace

void Watch::sample()
{
    cycle++;
    if (dut_.m_valid_o && dut_.m_ready_i) {
        if (beats++ == 0)
            first_beat = cycle;
        last_beat = cycle;
    }
    counts.raw += dut_.count_raw_o;
    counts.segment += dut_.count_segment_o;
    counts.skipped += dut_.count_skipped_o;
    counts.reply += dut_.count_reply_o;
    counts.reply_refused += dut_.count_reply_refused_o;
    counts.heartbeat += dut_.count_heartbeat_o;
    counts.command += dut_.count_command_o;
    counts.bad += dut_.count_bad_o;
    reports += dut_.count_report_o;
}

Rig::Rig(const Settings &settings)
    : reference(sizes, settings), watch(bench.dut),
      host_({ bench.dut.s_valid_i, bench.dut.s_ready_o, bench.dut.s_data_i, bench.dut.s_keep_i,
              bench.dut.s_last_i },
            zn::Pause::never, 11),
      replies_({ bench.dut.reply_valid_i, bench.dut.reply_ready_o, bench.dut.reply_i },
               zn::Pause::never, 12),
      wire_({ bench.dut.m_valid_o, bench.dut.m_ready_i, bench.dut.m_data_o, bench.dut.m_keep_o,
              bench.dut.m_last_o },
            zn::Pause::never, 13),
      reports_({ bench.dut.r_valid_o, bench.dut.r_ready_i, bench.dut.r_data_o, bench.dut.r_keep_o,
                 bench.dut.r_last_o },
               zn::Pause::never, 14),
      onward_({ bench.dut.cmd_valid_o, bench.dut.cmd_ready_i, bench.dut.cmd_meta_o },
              zn::Pause::never, 15)
{
    bench.add(host_);
    bench.add(replies_);
    bench.add(wire_);
    bench.add(reports_);
    bench.add(onward_);
    set_settings(settings);
    set_time(0);
    bench.reset();
    bench.add(watch);
    bench.run_until([&] { return bench.dut.ready_after_reset_o; }, 1000);
}

void Rig::set_pauses(const Pauses &pauses)
{
    host_.set_pause(pauses.host);
    wire_.set_pause(pauses.wire);
    reports_.set_pause(pauses.reports);
    onward_.set_pause(pauses.onward);
    replies_.set_pause(pauses.replies);
}

void Rig::set_settings(const Settings &settings)
{
    FieldWriter fields;
    fields.put(Bytes(), 320); // hash_key
    fields.put(settings.tos, 8);
    fields.put(settings.ttl, 8);
    fields.put(Bytes(settings.local_mac, settings.local_mac + 6), 48);
    fields.put(settings.report_wait, 32);
    fields.put(settings.rate_period, 4);
    fields.put(settings.heartbeats_on, 1);
    fields.put(0, 2); // replies_on, receive_on
    zn::Port(bench.dut.settings_i).set(fields.bytes);
    reference.settings = settings;
}

void Rig::set_time(uint32_t now_ms)
{
    bench.dut.now_ms_i = now_ms;
    reference.now_ms = now_ms;
}

void Rig::send(const Bytes &message)
{
    host_.send_packet(message);
    reference.message(message);
}

void Rig::reply(const Reply &reply)
{
    FieldWriter fields;
    Bytes payload = reply.payload;
    payload.resize(128, 0xa5); // behind the payload anything may stand
    fields.put(payload, 1024);
    fields.put(reply.payload.size(), 7);
    fields.put(reply.b0, 8);
    fields.put(reply.cookie, 32);
    fields.put(reply.flow, 32);
    replies_.send({ fields.bytes });
    reference.reply(reply);
}

bool Rig::quiet()
{
    uint64_t moved = 0, since = bench.now();
    return bench.run_until(
        [&] {
            const uint64_t now = host_.taken() + replies_.taken() + wire_.taken() +
                                 reports_.taken() + onward_.taken();
            if (now != moved)
                since = bench.now();
            moved = now;
            return host_.idle() && replies_.idle() &&
                   bench.now() - since > still_cycles + reference.settings.report_wait;
        },
        settle_limit);
}

std::string Rig::take_reports()
{
    Bytes report;
    while (reports_.fetch_packet(&report)) {
        zn_acc_report_header header;
        memcpy(&header, report.data(), sizeof(header));
        const size_t size = sizeof(header) + header.count * sizeof(Record);
        const size_t whole = (size + beat_bytes - 1) / beat_bytes * beat_bytes;
        if (header.kind != ZN_MSG_REPORT || header.version != ZN_CONTRACT_VERSION ||
            header.count == 0 || header.now_ms != reference.now_ms || report.size() != whole)
            return text("report header of %u records in %zu bytes", header.count, report.size());
        for (size_t i = size; i < whole; i++) {
            if (report[i])
                return "report whose last beat is not filled with zeros";
        }
        for (size_t i = 8; i < sizeof(header); i++) {
            if (report[i])
                return "report header whose reserved bytes are not 0";
        }
        batches[header.count]++;
        for (size_t at = sizeof(header); at < size; at += sizeof(Record)) {
            Record record;
            memcpy(&record, report.data() + at, sizeof(record));
            records.push_back(record);
        }
    }
    return "";
}

// The reference does the operations in the order of the records.
std::string Rig::follow_records()
{
    for (const Record &got : records) {
        Record want{};
        bool found;
        if (got.kind == ZN_RECORD_REPLY)
            found = reference.next_reply(&want);
        else if (got.kind == ZN_RECORD_HEARTBEAT)
            found = reference.heartbeat(got.flow, &want);
        else
            found = reference.next_host(&want);
        if (!found)
            return text("record kind %u of flow %u that nothing explains", got.kind, got.flow);
        if (memcmp(&got, &want, sizeof(got)))
            return difference(got, want);
    }
    Record extra;
    if (reference.next_host(&extra) || reference.waits())
        return "a record is missing";
    return "";
}

// Packets of the host's leave in its order; those of replies and heartbeats in the order of
// records. A raw packet has no record, so that only its place among the host's is known.
std::string Rig::follow_wire()
{
    std::deque<Packet> raws, segments;
    for (const Packet &packet : reference.packets)
        (packet.raw ? raws : segments).push_back(packet);
    reference.packets.clear();
    Bytes got;
    while (wire_.fetch_packet(&got)) {
        packets.push_back(got);
        uint64_t next_segment = UINT64_MAX;
        for (const Packet &packet : segments) {
            if (packet.of_host) {
                next_segment = packet.order;
                break;
            }
        }
        const bool raw_may = !raws.empty() && raws.front().order < next_segment;
        const bool segment_may = !segments.empty() && !(raw_may && segments.front().of_host);
        if (segment_may && got == segments.front().bytes)
            segments.pop_front();
        else if (raw_may && got == raws.front().bytes)
            raws.pop_front();
        else if (segment_may)
            return difference(got, segments.front().bytes);
        else
            return raw_may ? difference(got, raws.front().bytes) : "a packet too many";
    }
    return segments.empty() && raws.empty() ? "" : "a packet is missing";
}

std::string Rig::follow_onward()
{
    for (; !onward_.beats.empty(); onward_.beats.pop_front(), reference.onward.pop_front()) {
        if (reference.onward.empty())
            return "a command to the receive side too many";
        if (!same_meta(onward_.beats.front().data, reference.onward.front()))
            return text("command %u to the receive side differs",
                        reference.onward.front().command.kind);
    }
    return reference.onward.empty() ? "" : "a command to the receive side is missing";
}

std::string Rig::check_counts() const
{
    const Counts &got = watch.counts, &want = reference.counts;
    uint64_t reports = 0;
    for (const auto &batch : batches)
        reports += batch.second;
    if (got.raw != want.raw || got.segment != want.segment || got.skipped != want.skipped ||
        got.reply != want.reply || got.reply_refused != want.reply_refused ||
        got.heartbeat != want.heartbeat || got.command != want.command || got.bad != want.bad)
        return "counters differ";
    return watch.reports == reports ? "" : "counter of report packets differs";
}

std::string Rig::settle()
{
    records.clear();
    packets.clear();
    if (!quiet())
        return "it does not come to rest";
    for (const zn::Sink *sink : { &wire_, &reports_, &onward_ }) {
        if (!sink->breach().empty())
            return sink->breach();
    }
    std::string why = take_reports();
    if (why.empty())
        why = follow_records();
    if (why.empty())
        why = follow_wire();
    if (why.empty())
        why = follow_onward();
    return why.empty() ? check_counts() : why;
}

} // namespace tx
