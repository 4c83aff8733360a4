// SPDX-License-Identifier: Apache-2.0
#include "follower.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "cover.h"

namespace cosim
{

namespace
{

enum { REPLIES_MAX = 4096, SETTLE_STEP = 64, STUCK_STEPS = 2000, SCAN_STEPS = 64, COUNTERS = 64 };

bool goes_to_receive_side(uint8_t kind)
{
    return kind == ZN_MSG_ADD || kind == ZN_MSG_DELETE || kind == ZN_MSG_RESYNC ||
           kind == ZN_MSG_READ;
}

bool is_broadcast(const Message &message)
{
    const uint8_t kind = message.bytes[0];
    return !message.bad && (kind == ZN_MSG_BROADCAST_LIST || kind == ZN_MSG_BROADCAST_GROUP);
}

std::string show(const zn_acc_report_record &r)
{
    char text[128];
    std::snprintf(text, sizeof text, "kind %u reason %u length %u flow %u seq %u cookie %u", r.kind,
                  r.reason, r.length, r.flow, r.seq, r.cookie);
    return text;
}

} // namespace

Follower::Follower(Device &device) : device_(device)
{
    const Params &params = device.params();
    zn_soft_config config = {};
    config.flows = params.flows;
    config.members = params.members;
    config.buckets = params.buckets;
    config.payload_max = params.payload_max;
    config.skips_max = params.skips;
    config.packet_max = params.packet_max;
    config.replies_max = REPLIES_MAX;
    config.sink.wire = on_model_wire;
    config.sink.record = on_model_record;
    config.sink.user = this;
    if (zn_soft_create(&config, &model_) < 0)
        throw std::runtime_error("the model cannot be created");
}

Follower::~Follower()
{
    zn_soft_destroy(model_);
}

void Follower::on_model_wire(void *user, const struct iovec *iov, unsigned len)
{
    auto *self = static_cast<Follower *>(user);
    Bytes packet;
    for (unsigned i = 0; i < len; i++) {
        auto *from = static_cast<const uint8_t *>(iov[i].iov_base);
        packet.insert(packet.end(), from, from + iov[i].iov_len);
    }
    (self->doing_raw_ ? self->expected_raw_ : self->expected_).push_back({ packet, self->doing_ });
}

void Follower::on_model_record(void *user, const zn_acc_report_record *record)
{
    static_cast<Follower *>(user)->records_.push_back(*record);
}

void Follower::wire_push(Sent sent)
{
    device_.wire_push(sent.bytes, sent.broken);
    sent_.push_back(std::move(sent));
}

void Follower::host_push(Message message)
{
    device_.host_push(message.bytes);
    if (!message.bad && goes_to_receive_side(message.bytes[0]))
        rx_commands_.push_back(message);
    commands_.push_back(std::move(message));
    do_silent();
}

void Follower::run(unsigned cycles)
{
    device_.run(cycles);
    pull();
}

void Follower::pull()
{
    Bytes bytes;
    Stamp stamp;
    while (device_.wire_pop(bytes, stamp))
        wire_.push_back(bytes);
    while (device_.host_pop(bytes, stamp)) {
        ZN_CHECK(CHECK_ORDER, bytes.size() >= sizeof(zn_acc_rx_annotation),
                 "a message of %zu bytes to the host: %02x %02x %02x %02x", bytes.size(), bytes[0],
                 bytes[1], bytes[2], bytes[3]);
        if (bytes[0] == ZN_MSG_RX_PACKET)
            follow_packet(bytes);
        else
            follow_report(bytes);
    }
    match_wire();
}

void Follower::follow_packet(const Bytes &message)
{
    ZN_CHECK(CHECK_ORDER, !sent_.empty(), "a packet to the host that nobody sent");
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    zn_acc_rx_annotation got, want;
    std::memcpy(&got, message.data(), sizeof got);
    bool took = false;
    for (const auto &frame : got.frame)
        took |= frame.flags & ZN_FRAME_TAKEN;
    Bytes packet = sent.bytes;
    zn_soft_receive(model_, packet.data(), packet.size(), sent.broken, took, &want);
    check_equal(CHECK_ANNOTATION, "annotation", message.data(), sizeof got,
                reinterpret_cast<const uint8_t *>(&want), sizeof want);
    check_equal(CHECK_PACKET, "packet to the host", message.data() + sizeof got,
                message.size() - sizeof got, packet.data(), packet.size());
    taken_ += took;
    cover_packet(got, sent);
    if (listener_)
        listener_->on_packet(sent, got, message.data() + sizeof got, message.size() - sizeof got);
}

void Follower::cover_packet(const zn_acc_rx_annotation &got, const Sent &sent)
{
    const unsigned beat = device_.params().data_bits / 8;
    cover_hit(COVER_RX_REASON, got.reason);
    cover_hit(COVER_END_PHASE, sent.bytes.size() % beat);
    if (got.reason)
        return;
    cover_hit(COVER_CARRIED, got.state.fill);
    cover_hit(COVER_PAYLOAD_PHASE, got.payload_offset % beat);
    cover_hit(COVER_FRAMES, got.frames);
    for (unsigned i = 0; i < 4 && i < got.frames; i++)
        cover_hit(COVER_DESC_FLAGS, got.frame[i].flags);
    if (got.rcv_nxt < got.payload_length)
        cover_hit(COVER_WRAP, got.rcv_nxt ? COVER_WRAP_RX_INSIDE : COVER_WRAP_RX_EDGE);
}

void Follower::follow_report(const Bytes &message)
{
    zn_acc_report_header header;
    std::memcpy(&header, message.data(), sizeof header);
    const size_t beat = device_.params().data_bits / 8;
    const size_t body = header.count * sizeof(zn_acc_report_record);
    ZN_CHECK(CHECK_RECORD, header.kind == ZN_MSG_REPORT && header.version == ZN_CONTRACT_VERSION,
             "a message of kind %u version %u", header.kind, header.version);
    ZN_CHECK(CHECK_RECORD,
             header.count && message.size() == sizeof header + (body + beat - 1) / beat * beat,
             "a report of %u records in %zu bytes", header.count, message.size());
    ZN_CHECK(CHECK_RECORD, clock_moves_ || header.now_ms == now_ms_, "now_ms %u, not %u",
             header.now_ms, now_ms_);
    for (size_t i = offsetof(zn_acc_report_header, reserved_5); i < message.size(); i++)
        ZN_CHECK(CHECK_RECORD, (i >= sizeof header && i < sizeof header + body) || !message[i],
                 "byte %zu of a report is not 0", i);
    reports_++;
    for (unsigned i = 0; i < header.count; i++) {
        zn_acc_report_record record;
        std::memcpy(&record, &message[sizeof header + i * sizeof record], sizeof record);
        follow_record(record);
        do_silent();
    }
}

void Follower::follow_record(const zn_acc_report_record &record)
{
    cover_hit(COVER_RECORD, record.kind * COVER_RECORD_REASONS + record.reason);
    doing_ = NONE;
    switch (record.kind) {
    case ZN_RECORD_RX_DONE:
        follow_rx_done(record);
        return;
    case ZN_RECORD_REPLY:
        ZN_CHECK(CHECK_ORDER, taken_, "a REPLY before the packet that it answers");
        taken_--;
        zn_soft_reply(model_);
        break;
    case ZN_RECORD_HEARTBEAT:
        zn_soft_heartbeat(model_, record.flow);
        break;
    default:
        follow_command(record);
        return;
    }
    match_record(record);
    if (!record.reason && record.seq + record.length < record.seq)
        cover_hit(COVER_WRAP,
                  record.seq + record.length ? COVER_WRAP_TX_INSIDE : COVER_WRAP_TX_EDGE);
    if (listener_)
        listener_->on_record(record, nullptr);
}

void Follower::follow_rx_done(const zn_acc_report_record &record)
{
    ZN_CHECK(CHECK_ORDER, !rx_commands_.empty(), "an RX_DONE too many: %s", show(record).c_str());
    const Message command = std::move(rx_commands_.front());
    rx_commands_.pop_front();
    zn_soft_command_rx(model_, command.bytes.data(), command.bytes.size());
    match_record(record);
    if (listener_)
        listener_->on_rx_done(record, command);
}

void Follower::follow_command(const zn_acc_report_record &record)
{
    doing_ = next_command_ - 1;
    if (broadcast_) {
        broadcast_ = zn_soft_copy(model_);
    } else {
        ZN_CHECK(CHECK_ORDER, !commands_.empty(), "a record too many: %s", show(record).c_str());
        do_command();
        if (broadcast_)
            broadcast_ = zn_soft_copy(model_);
    }
    match_record(record);
    if (record.kind == ZN_RECORD_SENT && !record.reason && record.length &&
        record.seq + record.length < record.seq)
        cover_hit(COVER_WRAP,
                  record.seq + record.length ? COVER_WRAP_TX_INSIDE : COVER_WRAP_TX_EDGE);
    if (listener_)
        listener_->on_record(record, &current_);
}

void Follower::do_command()
{
    current_ = std::move(commands_.front());
    commands_.pop_front();
    doing_ = next_command_++;
    doing_raw_ = current_.bytes[0] == ZN_MSG_RAW;
    const bool goes_on = zn_soft_command_tx(model_, current_.bytes.data(), current_.bytes.size());
    doing_raw_ = false;
    if (goes_on != (!current_.bad && goes_to_receive_side(current_.bytes[0])))
        throw std::logic_error("the harness and the model disagree whether a command is good");
    broadcast_ = is_broadcast(current_);
}

void Follower::do_silent()
{
    while (!broadcast_ && !commands_.empty() && commands_.front().silent) {
        do_command();
        if (!records_.empty())
            throw std::logic_error("a silent command that has a record: " + show(records_.front()));
    }
}

void Follower::match_record(const zn_acc_report_record &got)
{
    ZN_CHECK(CHECK_RECORD, records_.size() == 1, "the model has %zu records for: %s",
             records_.size(), show(got).c_str());
    const zn_acc_report_record want = records_.front();
    records_.pop_front();
    ZN_CHECK(CHECK_RECORD, !std::memcmp(&got, &want, sizeof got), "record is %s, not %s",
             show(got).c_str(), show(want).c_str());
}

void Follower::match_wire()
{
    while (!wire_.empty()) {
        const Bytes packet = wire_.front();
        if (!expected_raw_.empty() && packet == expected_raw_.front().bytes) {
            ZN_CHECK(CHECK_WIRE,
                     expected_.empty() || expected_.front().command == NONE ||
                         expected_.front().command > expected_raw_.front().command,
                     "a RAW packet before the segment of an earlier command");
            expected_raw_.pop_front();
        } else if (!expected_.empty()) {
            const Expected want = std::move(expected_.front());
            expected_.pop_front();
            check_equal(CHECK_WIRE, "packet to the wire", packet.data(), packet.size(),
                        want.bytes.data(), want.bytes.size());
            ZN_CHECK(CHECK_WIRE,
                     want.command == NONE || expected_raw_.empty() ||
                         expected_raw_.front().command > want.command,
                     "a segment before an earlier RAW packet");
            if (listener_)
                listener_->on_wire(packet);
        } else {
            return; // its record is still on its way
        }
        wire_.pop_front();
    }
}

bool Follower::settled() const
{
    return sent_.empty() && commands_.empty() && rx_commands_.empty() && !broadcast_ && !taken_ &&
           expected_.empty() && expected_raw_.empty() && wire_.empty();
}

std::string Follower::pending() const
{
    char text[160];
    std::snprintf(
        text, sizeof text,
        "waits for %zu packets, %zu commands, %zu of them on the receive side%s, %zu "
        "replies, %zu packets and %zu RAW packets to the wire; %zu there are not explained",
        sent_.size(), commands_.size(), rx_commands_.size(), broadcast_ ? ", in a broadcast" : "",
        taken_, expected_.size(), expected_raw_.size(), wire_.size());
    return text;
}

void Follower::settle()
{
    unsigned idle = 0;
    std::string before;
    while (!settled()) {
        run(SETTLE_STEP);
        const std::string now = pending();
        idle = now == before ? idle + 1 : 0;
        before = now;
        ZN_CHECK(CHECK_SETTLES, idle < STUCK_STEPS, "%s", now.c_str());
    }
}

void Follower::write(uint32_t offset, uint32_t value)
{
    settle();
    device_.write(offset, value);
    zn_soft_write(model_, offset, value);
    run(SETTLE_STEP);
}

// While the clock moves only heartbeats happen, and what those do does not depend on when.
void Follower::advance(uint32_t ms)
{
    settle();
    clock_moves_ = true;
    now_ms_ = device_.advance(ms);
    zn_soft_set_time(model_, now_ms_);
    for (int i = 0; i < SCAN_STEPS; i++)
        run(SETTLE_STEP);
    settle();
    clock_moves_ = false;
    for (uint32_t flow = 0; flow < device_.params().flows; flow++)
        ZN_CHECK(CHECK_SETTLES, !zn_soft_heartbeat(model_, flow), "flow %u has no heartbeat", flow);
}

void Follower::compare_counters()
{
    settle();
    for (uint32_t i = 0; i < COUNTERS; i++) {
        const uint32_t offset = ZN_REG_COUNTERS + i * 4;
        if (i == ZN_COUNTER_RX_REPORTS) {
            const uint32_t got = device_.is_rtl() ? device_.read(offset) : 0;
            const uint64_t want = device_.is_rtl() ? reports_ : 0;
            ZN_CHECK(CHECK_COUNTERS, got == want, "reports: %u, not %llu", got,
                     static_cast<unsigned long long>(want));
            continue;
        }
        const uint32_t got = device_.read(offset), want = zn_soft_read(model_, offset);
        ZN_CHECK(CHECK_COUNTERS, got == want, "counter %u is %u, not %u", i, got, want);
    }
}

} // namespace cosim
