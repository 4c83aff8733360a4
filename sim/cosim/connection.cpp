// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

#include <algorithm>
#include <cstring>

#include "cover.h"
#include "message.h"

namespace cosim
{

namespace
{

const Bytes HEARTBEAT_FRAME = { WS_FIN | OP_TEXT, 1, '2' };

Bytes answer_to(const Frame &frame)
{
    Frame out;
    out.b0 = WS_FIN | OP_PONG;
    out.payload = frame.payload;
    if ((frame.b0 & 15) == OP_TEXT) {
        out.b0 = WS_FIN | OP_TEXT;
        out.payload = { '3', 'p', 'r', 'o', 'b', 'e' };
    }
    return frame_encode_server(out);
}

size_t length_bin(uint64_t length)
{
    static const uint64_t edges[] = { 0, 1, 4, 124, 125, 126, 127, 65535, 65536 };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        if (edges[i] == length)
            return i;
    }
    return length > 65536 ? 9 : ~size_t(0);
}

} // namespace

Connection::Connection(Random &random, int id, uint32_t flow, const Endpoint &end,
                       const Settings &settings, Taste taste)
    : flow_(flow), settings_(settings),
      client_(random, id, end, settings.isn,
              Agreed{ (settings.flags & ZN_FLOW_DEFLATE) != 0, settings.max_frame }, taste),
      receiver_(client_),
      sender_(flow, end, settings.snd_nxt, settings.snd_nxt + settings.room, settings.mss)
{
}

Message Connection::add(Random &random)
{
    zn_acc_command command = command_of(ZN_MSG_ADD, flow_, static_cast<uint32_t>(random.next()));
    command.flow_flags = settings_.flags;
    command.window = static_cast<uint16_t>(random.next());
    command.ack = static_cast<uint32_t>(random.next());
    command.limit = settings_.snd_nxt + settings_.room;
    command.snd_nxt = settings_.snd_nxt;
    command.rcv_nxt = client_.seq(receiver_.next());
    command.max_frame = settings_.max_frame;
    command.state = receiver_.state();
    command.mss = settings_.mss;
    command.heartbeat_ms = settings_.heartbeat_ms;
    command.replies = settings_.replies;
    stage_ = ADDING;
    return message_with(command,
                        endpoint_address(client_.endpoint(), static_cast<uint16_t>(random.next())));
}

Message Connection::remove(Random &random)
{
    stage_ = DELETING;
    return message_with(command_of(ZN_MSG_DELETE, flow_, static_cast<uint32_t>(random.next())),
                        endpoint_address(client_.endpoint(), 0));
}

bool Connection::needs_resync() const
{
    return stage_ == UP && known_ && stands_ && !resync_waits_;
}

Message Connection::resync(Random &random, bool ahead)
{
    zn_acc_command command = command_of(ZN_MSG_RESYNC, flow_, static_cast<uint32_t>(random.next()));
    command.state = receiver_.state();
    command.rcv_nxt = client_.seq(receiver_.next());
    zn_acc_ws_state later;
    const uint64_t span = client_.sent() > receiver_.next() ? client_.sent() - receiver_.next() : 0;
    if (ahead && span) {
        const uint64_t at = receiver_.next() + 1 + random.next() % span;
        if (receiver_.state_ahead(at, later)) {
            command.state = later;
            command.rcv_nxt = client_.seq(at);
            cover_hit(COVER_RESYNC, COVER_RESYNC_AHEAD);
        }
    }
    resync_waits_ = true;
    return message_of(command);
}

void Connection::on_rx_done(const zn_acc_report_record &record, const zn_acc_command &command)
{
    if (command.kind == ZN_MSG_RESYNC)
        resync_waits_ = false;
    if (command.kind == ZN_MSG_DELETE) {
        known_ = false;
        forgotten();
    } else if (!record.reason && command.kind != ZN_MSG_READ) {
        known_ = true;
        stands_ = false;
        core_rcv_nxt_ = command.rcv_nxt;
        split_.valid = false;
        if (command.kind == ZN_MSG_RESYNC) {
            cover_hit(COVER_RESYNC_FILL, command.state.fill);
            cover_hit(COVER_RESYNC, broken_ ? COVER_RESYNC_BROKEN : COVER_RESYNC_OK);
        }
        broken_ = false;
    }
}

void Connection::on_done(const zn_acc_report_record &record, const zn_acc_command &command)
{
    if (command.kind == ZN_MSG_ADD && !record.reason && stage_ == ADDING)
        stage_ = UP;
    if (command.kind == ZN_MSG_DELETE)
        forgotten();
}

// DELETE's two records, in any order.
void Connection::forgotten()
{
    if (stage_ == DELETING && half_gone_)
        stage_ = GONE;
    half_gone_ = true;
}

void Connection::check_committed(const Sent &sent, const zn_acc_rx_annotation &annotation)
{
    ZN_CHECK(CHECK_COMMITTED, annotation.reason || !(sent.corrupted || sent.broken),
             "a packet with a damaged byte was treated");
    if (!(annotation.flags & ZN_RX_FLOW))
        return;
    if (!annotation.reason) {
        ZN_CHECK(CHECK_COMMITTED, client_.seq(sent.offset) == core_rcv_nxt_,
                 "flow %u: treated at %u, it waited for %u", flow_, client_.seq(sent.offset),
                 core_rcv_nxt_);
        core_rcv_nxt_ += sent.payload_len;
    }
    ZN_CHECK(CHECK_COMMITTED, annotation.rcv_nxt == core_rcv_nxt_,
             "flow %u: stands at %u, not %u, after a packet of reason %u", flow_,
             annotation.rcv_nxt, core_rcv_nxt_, annotation.reason);
}

// The frames of a treated packet, by our own parser.
void Connection::check_treated(const Sent &sent, const zn_acc_rx_annotation &annotation,
                               const uint8_t *packet)
{
    ZN_CHECK(CHECK_UNCHANGED,
             annotation.payload_offset == sent.payload_at &&
                 annotation.payload_length == sent.payload_len,
             "payload is said to be %u bytes at %u, not %u at %u", annotation.payload_length,
             annotation.payload_offset, sent.payload_len, sent.payload_at);
    const size_t end = sent.payload_at + sent.payload_len;
    check_equal(CHECK_UNCHANGED, "headers of a treated packet", packet, sent.payload_at,
                sent.bytes.data(), sent.payload_at);
    check_equal(CHECK_UNCHANGED, "padding of a treated packet", packet + end,
                sent.bytes.size() - end, sent.bytes.data() + end, sent.bytes.size() - end);
    FrameReader reader(client_.agreed(), true);
    reader.set_state(annotation.state);
    size_t at = 0;
    unsigned frames = 0;
    reader.on_begin = [&](const FrameReader::Begin &begin) {
        const unsigned i = std::min(frames++, 254u);
        if (i >= 4)
            return;
        const zn_acc_frame_desc &desc = annotation.frame[i];
        const bool split = at + 1 < begin.header_len;
        const bool complete = begin.length <= sent.payload_len - (at + 1);
        ZN_CHECK(CHECK_DESCRIPTORS,
                 desc.offset == at + 1 && desc.b0 == begin.b0 && desc.length == begin.length &&
                     !(desc.flags & ZN_FRAME_SPLIT) == !split &&
                     !(desc.flags & ZN_FRAME_COMPLETE) == !complete,
                 "frame %u: 0x%02x at %u, %u bytes, flags %u", i, desc.b0, desc.offset, desc.length,
                 desc.flags);
        cover_hit(COVER_FRAME_LENGTH, length_bin(begin.length));
    };
    for (; at < sent.payload_len && !reader.fault(); at++)
        reader.feed(packet + sent.payload_at + at, 1, false);
    ZN_CHECK(CHECK_DESCRIPTORS, annotation.frames == std::min(frames, 255u), "%u frames, not %u",
             annotation.frames, frames);
}

void Connection::cover_headers(const Sent &sent, const zn_acc_rx_annotation &annotation,
                               const uint8_t *packet)
{
    const unsigned beat = cover_beat_bytes();
    FrameReader reader(client_.agreed(), true);
    reader.set_state(annotation.state);
    size_t at = 0, start = 0;
    bool whole = false, first = annotation.state.fill && annotation.state.fill != ZN_FILL_PAYLOAD;
    reader.on_begin = [&](const FrameReader::Begin &begin) {
        if (whole)
            cover_hit(COVER_HEADER_PHASE,
                      cover_phase_bin(begin.header_len, (sent.payload_at + start) % beat));
        else if (first && split_.valid)
            cover_hit(COVER_SPLIT, cover_split_bin(begin.header_len, split_.bytes, split_.phase));
        first = false;
    };
    for (; at < sent.payload_len; at++) {
        if (reader.at_header()) {
            whole = true;
            start = at;
        }
        reader.feed(packet + sent.payload_at + at, 1, false);
    }
    const uint8_t fill = reader.state().fill;
    split_.valid = whole && fill && fill != ZN_FILL_PAYLOAD;
    split_.bytes = fill;
    split_.phase = static_cast<unsigned>((sent.payload_at + start) % beat);
    const unsigned options =
        (sent.payload_at - static_cast<unsigned>(packet_tcp_offset(client_.endpoint())) - 20) / 4;
    cover_hit(COVER_HEADERS,
              (client_.endpoint().v6 * 2u + client_.endpoint().has_vlan) * 11 + options);
}

void Connection::on_packet(const Sent &sent, const zn_acc_rx_annotation &annotation,
                           const uint8_t *packet)
{
    check_committed(sent, annotation);
    const bool treated = !annotation.reason;
    if (treated) {
        treated_++;
        check_treated(sent, annotation, packet);
        cover_headers(sent, annotation, packet);
        for (const auto &frame : annotation.frame) {
            if (frame.flags & ZN_FRAME_TAKEN)
                taken_.insert(sent.offset + frame.offset);
        }
    } else {
        split_.valid = false;
    }
    if (sent.corrupted || sent.broken || !sent.payload_len)
        return;
    receiver_.take(sent.offset, packet + sent.payload_at, sent.payload_len,
                   treated ? &annotation.state : nullptr);
    for (size_t place : receiver_.take_asking()) {
        if (!taken_.count(client_.places()[place].payload) && !answered_by_core_.count(place))
            answer(place);
    }
    if (annotation.flags & ZN_RX_FLOW) {
        stands_ = !treated && core_rcv_nxt_ != client_.seq(receiver_.next());
        if (annotation.reason == ZN_REASON_WAIT_RESYNC ||
            annotation.reason >= ZN_REASON_FRAME_UNMASKED) {
            stands_ = true;
            broken_ = true;
        }
    }
}

size_t Connection::place_of(uint64_t payload) const
{
    const auto &places = client_.places();
    auto at = std::lower_bound(
        places.begin(), places.end(), payload,
        [](const Client::Place &place, uint64_t offset) { return place.payload < offset; });
    ZN_CHECK(CHECK_ANSWERED, at != places.end() && at->payload == payload,
             "flow %u: the core answers a frame that is not there", flow_);
    return static_cast<size_t>(at - places.begin());
}

// The host answers by itself.
void Connection::answer(size_t place)
{
    const Frame &frame = client_.places()[place].frame;
    const bool probe = (frame.b0 & 15) == OP_TEXT;
    if (!answered_.insert(place).second || (probe && !(settings_.flags & ZN_FLOW_ENGINE)))
        return;
    if (!probe)
        pongs_.push_back(frame.payload);
    sender_.queue(answer_to(frame), false);
}

void Connection::on_reply(const zn_acc_report_record &record)
{
    const uint64_t payload = client_.offset(record.cookie, receiver_.next());
    const auto at = taken_.find(payload);
    ZN_CHECK(CHECK_ANSWERED, at != taken_.end(), "flow %u: a REPLY to what was not taken", flow_);
    taken_.erase(at);
    const size_t place = place_of(payload);
    const Frame &frame = client_.places()[place].frame;
    if (record.reason) {
        answer(place);
        return;
    }
    answered_by_core_.insert(place);
    if ((frame.b0 & 15) == OP_PING)
        pongs_.push_back(frame.payload);
    sender_.on_other(record, answer_to(frame), true);
}

void Connection::on_heartbeat(const zn_acc_report_record &record)
{
    sender_.on_other(record, HEARTBEAT_FRAME, true);
}

void Connection::finish()
{
    sender_.finish();
    if (stage_ == DELETING || stage_ == GONE)
        return;
    ZN_CHECK(CHECK_RECOVERED, receiver_.next() == client_.end(), "flow %u: %llu of %llu bytes",
             flow_, static_cast<unsigned long long>(receiver_.next()),
             static_cast<unsigned long long>(client_.end()));
    ZN_CHECK(CHECK_ANSWERED, taken_.empty(), "flow %u: %zu pings without REPLY", flow_,
             taken_.size());
    if (stage_ != UP || !sender_.is_idle())
        return;
    std::vector<Bytes> got = sender_.pongs();
    std::sort(got.begin(), got.end());
    std::sort(pongs_.begin(), pongs_.end());
    ZN_CHECK(CHECK_ANSWERED, got == pongs_, "flow %u: the client has %zu pongs, not %zu", flow_,
             got.size(), pongs_.size());
    for (size_t i = 0; i < client_.places().size(); i++) {
        const Frame &frame = client_.places()[i].frame;
        ZN_CHECK(CHECK_ANSWERED,
                 frame.fault || frame.b0 != (WS_FIN | OP_PING) || answered_.count(i) ||
                     answered_by_core_.count(i),
                 "flow %u: ping %zu has no answer", flow_, i);
    }
}

} // namespace cosim
