// SPDX-License-Identifier: Apache-2.0
#include "sender.h"

#include <algorithm>
#include <cstring>

#include "cover.h"
#include "message.h"

namespace cosim
{

namespace
{

constexpr Agreed SERVER_AGREED = { true, 0xfffffffe };

} // namespace

Sender::Sender(uint32_t flow, const Endpoint &end, uint32_t snd_nxt, uint32_t limit, uint16_t mss)
    : flow_(flow), end_(end), mss_(mss), snd_nxt_(snd_nxt), wire_next_(snd_nxt), limit_(limit),
      farthest_(limit), reader_(SERVER_AGREED, false)
{
    reader_.on_begin = [this](const FrameReader::Begin &begin) {
        frame_b0_ = begin.b0;
        frame_.clear();
    };
    reader_.on_payload = [this](const uint8_t *data, size_t len) {
        frame_.insert(frame_.end(), data, data + len);
    };
    reader_.on_end = [this] {
        if (frame_b0_ == (WS_FIN | OP_PONG))
            pongs_.push_back(frame_);
    };
}

void Sender::queue(const Bytes &frame, bool first)
{
    auto at = frames_.end();
    if (first) {
        at =
            std::find_if(frames_.begin(), frames_.end(), [](const Out &out) { return !out.asked; });
    }
    frames_.insert(at, { frame, 0, 0 });
}

bool Sender::wants() const
{
    return !blocked_ && std::any_of(frames_.begin(), frames_.end(),
                                    [](const Out &out) { return out.asked < out.bytes.size(); });
}

Message Sender::next(Random &random, size_t max)
{
    zn_acc_command command =
        command_of(ZN_MSG_SEGMENT, flow_, static_cast<uint32_t>(random.next()));
    command.ack = static_cast<uint32_t>(random.next());
    command.window = static_cast<uint16_t>(random.next());
    command.flags = random.percent(50) ? ZN_CMD_PUSH : 0;
    if (!max) {
        segments_.push_back({ frames_.end(), 0 });
        return message_of(command);
    }
    auto frame = frames_.begin();
    while (frame->asked == frame->bytes.size())
        ++frame;
    const size_t len = std::min(max, frame->bytes.size() - frame->asked);
    const auto from = frame->bytes.begin() + static_cast<ptrdiff_t>(frame->asked);
    const Bytes body(from, from + static_cast<ptrdiff_t>(len));
    frame->asked += len;
    segments_.push_back({ frame, len });
    command.length = static_cast<uint16_t>(len);
    if (frame->asked < frame->bytes.size())
        command.flags |= ZN_CMD_OPEN;
    return message_with(command, body);
}

Message Sender::grant(Random &random, uint32_t bytes, bool quiet)
{
    zn_acc_command command = command_of(ZN_MSG_GRANT, flow_, static_cast<uint32_t>(random.next()));
    command.ack = static_cast<uint32_t>(random.next());
    command.window = static_cast<uint16_t>(random.next());
    if (static_cast<int32_t>(snd_nxt_ + bytes - limit_) > 0)
        limit_ = snd_nxt_ + bytes;
    farthest_ = limit_;
    command.limit = limit_;
    command.flags = quiet ? ZN_CMD_QUIET : 0;
    if (is_blocked()) {
        command.flags |= ZN_CMD_UNBLOCK;
        blocked_ = false;
        for (Out &out : frames_)
            out.asked = out.done;
    }
    return message_of(command);
}

void Sender::report(const zn_acc_report_record &record, const Bytes &payload, bool own)
{
    ZN_CHECK(CHECK_REPORTED_ONCE, record.seq == snd_nxt_ && record.length == payload.size(),
             "flow %u: seq %u and %u bytes are reported, not %u and %zu", flow_, record.seq,
             record.length, snd_nxt_, payload.size());
    snd_nxt_ += record.length;
    reported_.push_back({ record.seq, payload, own });
    match();
}

void Sender::on_segment(const zn_acc_report_record &record)
{
    const Asked asked = segments_.front();
    segments_.pop_front();
    if (record.reason && record.reason != ZN_REASON_NO_FLOW && asked.len)
        blocked_ = true;
    if (record.reason)
        return;
    Bytes payload;
    if (asked.len) {
        const auto from = asked.frame->bytes.begin() + static_cast<ptrdiff_t>(asked.frame->done);
        payload.assign(from, from + static_cast<ptrdiff_t>(asked.len));
        asked.frame->done += asked.len;
        if (asked.frame->done == asked.frame->bytes.size())
            frames_.erase(asked.frame);
    }
    report(record, payload, false);
}

void Sender::on_other(const zn_acc_report_record &record, const Bytes &payload, bool own)
{
    if (!record.reason) {
        if (own && payload[0] == (WS_FIN | OP_PONG))
            cover_hit(COVER_REPLY_LENGTH, payload.size() - 2);
        report(record, payload, own);
    } else if (!own && record.reason != ZN_REASON_NO_FLOW && record.reason != ZN_REASON_LEFT_OUT) {
        blocked_ = true;
        queue(payload, true);
    }
}

void Sender::on_wire(const Received &packet)
{
    ZN_CHECK(CHECK_GRANT,
             packet.payload.empty() ||
                 static_cast<int32_t>(farthest_ - packet.seq - packet.payload.size()) >= 0,
             "flow %u: %zu bytes from %u, the limit is %u", flow_, packet.payload.size(),
             packet.seq, farthest_);
    ZN_CHECK(CHECK_REPORTED_ONCE, packet.seq == wire_next_, "flow %u: a segment at %u, not %u",
             flow_, packet.seq, wire_next_);
    wire_next_ += static_cast<uint32_t>(packet.payload.size());
    const bool right = packet.v6 == end_.v6 && packet.has_vlan == end_.has_vlan &&
                       !std::memcmp(packet.to, end_.peer, 16) &&
                       !std::memcmp(packet.from, end_.local, 16) &&
                       packet.to_port == end_.peer_port && packet.from_port == end_.local_port &&
                       (packet.flags & ~TCP_PSH) == TCP_ACK;
    ZN_CHECK(CHECK_SENT_CONTENT, right, "flow %u: addresses, VLAN tag or flags of a segment",
             flow_);
    received_.push_back(packet);
    match();
}

void Sender::match()
{
    while (!reported_.empty() && !received_.empty()) {
        const Reported reported = std::move(reported_.front());
        const Received received = std::move(received_.front());
        reported_.pop_front();
        received_.pop_front();
        ZN_CHECK(CHECK_REPORTED_ONCE, reported.seq == received.seq,
                 "flow %u: %u is reported, %u sent", flow_, reported.seq, received.seq);
        check_equal(CHECK_SENT_CONTENT, "payload of a segment", received.payload.data(),
                    received.payload.size(), reported.payload.data(), reported.payload.size());
        ZN_CHECK(CHECK_BOUNDARY, !reported.own || reader_.at_header(),
                 "flow %u: a frame of the core's inside one of the host's, at %u", flow_,
                 reported.seq);
        reader_.feed(received.payload.data(), received.payload.size(), false);
        ZN_CHECK(CHECK_BOUNDARY, !reported.own || reader_.at_header(),
                 "flow %u: a frame of the core's that does not end, at %u", flow_, reported.seq);
    }
}

void Sender::finish() const
{
    ZN_CHECK(CHECK_REPORTED_ONCE, reported_.empty() && received_.empty(),
             "flow %u: %zu segments were only reported, %zu only sent", flow_, reported_.size(),
             received_.size());
}

} // namespace cosim
