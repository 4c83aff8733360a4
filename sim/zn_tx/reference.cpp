// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <algorithm>

namespace tx
{

namespace
{

size_t padded(size_t length)
{
    return (length + 63) / 64 * 64;
}

bool is_broadcast(const zn_acc_command &command)
{
    return command.kind == ZN_MSG_BROADCAST_LIST || command.kind == ZN_MSG_BROADCAST_GROUP;
}

} // namespace

std::vector<uint32_t> words(const Bytes &bytes, size_t at, size_t count)
{
    std::vector<uint32_t> out;
    for (; out.size() < count && at + 4 <= bytes.size(); at += 4) {
        uint32_t word;
        memcpy(&word, bytes.data() + at, 4);
        out.push_back(word);
    }
    return out;
}

Reference::Reference(const Sizes &sizes, const Settings &set)
    : settings(set), sizes_(sizes), flows_(sizes.flows), members_(sizes.members)
{
}

void Reference::message(const Bytes &bytes)
{
    Message message;
    if (bytes.size() >= sizeof(message.command)) {
        memcpy(&message.command, bytes.data(), sizeof(message.command));
        message.body.assign(bytes.begin() + sizeof(message.command), bytes.end());
        message.whole_header = true;
    }
    messages_.push_back(message);
}

void Reference::reply(const Reply &reply)
{
    replies_.push_back(reply);
}

bool Reference::waits() const
{
    return !messages_.empty() || broadcast_.active || !replies_.empty();
}

Flow *Reference::known(uint32_t id)
{
    return id < sizes_.flows && flows_[id].valid ? &flows_[id] : nullptr;
}

Record Reference::note(Record record)
{
    seen[{ record.kind, record.reason }]++;
    if (record.reason == ZN_REASON_BAD_COMMAND)
        counts.bad++;
    return record;
}

// --- The host's messages.

bool Reference::next_host(Record *record)
{
    while (broadcast_.active || !messages_.empty()) {
        if (step(record))
            return true;
    }
    return false;
}

bool Reference::step(Record *record)
{
    order_++;
    if (broadcast_.active)
        return step_broadcast(record);
    const Message &message = messages_.front();
    counts.command++;
    if (good(message) && is_broadcast(message.command)) {
        begin_broadcast(message);
        return false;
    }
    const bool made =
        good(message) ? begin(message, record) : done(message, ZN_REASON_BAD_COMMAND, record);
    messages_.pop_front();
    return made;
}

bool Reference::good_broadcast(const Message &message) const
{
    const zn_acc_command &command = message.command;
    if (command.length == 0 || command.length > sizes_.payload_max ||
        message.body.size() < command.length)
        return false;
    if (command.kind == ZN_MSG_BROADCAST_LIST)
        return true;
    return uint64_t{ command.flow } + command.count <= sizes_.members &&
           command.ids <= sizes_.skips &&
           (command.ids == 0 || message.body.size() >= padded(command.length) + 4u * command.ids);
}

bool Reference::good(const Message &message) const
{
    const zn_acc_command &command = message.command;
    const size_t body = message.body.size();
    const bool flow_good = command.flow < sizes_.flows;
    if (!message.whole_header || command.version != ZN_CONTRACT_VERSION)
        return false;
    switch (command.kind) {
    case ZN_MSG_RAW:
        return command.length > 0 && command.length <= sizes_.payload_max && body >= command.length;
    case ZN_MSG_SEGMENT:
        return flow_good && command.length <= sizes_.payload_max && body >= command.length;
    case ZN_MSG_ADD:
    case ZN_MSG_DELETE:
        return flow_good && body >= sizeof(zn_acc_flow_address);
    case ZN_MSG_GRANT:
    case ZN_MSG_RESYNC:
    case ZN_MSG_READ:
        return flow_good;
    case ZN_MSG_MEMBERS:
        return uint64_t{ command.flow } + command.ids <= sizes_.members;
    default:
        return is_broadcast(command) && good_broadcast(message);
    }
}

bool Reference::begin(const Message &message, Record *record)
{
    switch (message.command.kind) {
    case ZN_MSG_RAW:
        return raw(message);
    case ZN_MSG_SEGMENT:
        return segment(message, record);
    case ZN_MSG_MEMBERS:
        return members(message, record);
    default:
        return one_flow(message, record);
    }
}

bool Reference::done(const Message &message, uint8_t reason, Record *record)
{
    *record = note({ ZN_RECORD_DONE, reason, 0, message.command.flow, 0, message.command.cookie });
    return true;
}

bool Reference::raw(const Message &message)
{
    Bytes bytes(message.body.begin(), message.body.begin() + message.command.length);
    packets.push_back({ bytes, order_, true, true });
    counts.raw++;
    return false;
}

bool Reference::members(const Message &message, Record *record)
{
    const std::vector<uint32_t> ids = words(message.body, 0, message.command.ids);
    std::copy(ids.begin(), ids.end(), members_.begin() + message.command.flow);
    const bool early = ids.size() < message.command.ids;
    if (!early && (message.command.flags & ZN_CMD_QUIET))
        return false;
    return done(message, early ? ZN_REASON_BAD_COMMAND : ZN_REASON_OK, record);
}

void Reference::add(const Message &message)
{
    const zn_acc_command &command = message.command;
    Flow flow;
    flow.valid = true;
    flow.open = command.flags & ZN_CMD_OPEN;
    flow.flags = command.flow_flags;
    memcpy(&flow.address, message.body.data(), sizeof(flow.address));
    flow.ip_id = flow.address.ip_id;
    flow.snd_nxt = command.snd_nxt;
    flow.limit = command.limit;
    flow.ack = command.ack;
    flow.window = command.window;
    flow.mss = command.mss;
    flow.heartbeat_ms = command.heartbeat_ms;
    flow.due_ms = static_cast<uint16_t>(now_ms + command.heartbeat_ms);
    flow.replies = command.replies;
    flows_[command.flow] = flow;
}

// ADD, DELETE, GRANT, RESYNC, READ.
bool Reference::one_flow(const Message &message, Record *record)
{
    const zn_acc_command &command = message.command;
    if (command.kind == ZN_MSG_ADD)
        add(message);
    Flow *flow = known(command.flow);
    Record out = { ZN_RECORD_DONE, ZN_REASON_NO_FLOW, 0, command.flow, 0, command.cookie };
    if (flow) {
        out.reason = ZN_REASON_OK;
        out.seq = flow->snd_nxt;
        out.length = command.kind == ZN_MSG_READ ? flow->window : 0;
        if (command.kind == ZN_MSG_DELETE)
            flow->valid = false;
        if (command.kind == ZN_MSG_GRANT) {
            flow->limit = command.limit;
            flow->ack = command.ack;
            flow->window = command.window;
            if (command.flags & ZN_CMD_UNBLOCK)
                flow->blocked = false;
        }
    }
    if (command.kind != ZN_MSG_GRANT) {
        Onward to{ command, {} };
        if (command.kind == ZN_MSG_ADD || command.kind == ZN_MSG_DELETE)
            memcpy(&to.address, message.body.data(), sizeof(to.address));
        onward.push_back(to);
    } else if (command.flags & ZN_CMD_QUIET) {
        return false;
    }
    *record = note(out);
    return true;
}

// --- Segments.

uint8_t Reference::room(const Flow &flow, size_t length) const
{
    if (length > flow.mss)
        return ZN_REASON_TOO_LONG;
    const uint32_t left = flow.limit - flow.snd_nxt - static_cast<uint32_t>(length);
    return left >= 0x80000000u ? ZN_REASON_NO_GRANT : ZN_REASON_OK;
}

void Reference::send(Flow &flow, const Bytes &payload, bool push, bool of_host)
{
    packets.push_back({ compose(flow, payload, push), order_, of_host, false });
    flow.snd_nxt += static_cast<uint32_t>(payload.size());
    flow.ip_id++;
}

bool Reference::segment(const Message &message, Record *record)
{
    const zn_acc_command &command = message.command;
    Record out = { ZN_RECORD_SENT, ZN_REASON_NO_FLOW, 0, command.flow, 0, command.cookie };
    if (Flow *flow = known(command.flow)) {
        flow->window = command.window;
        flow->ack = command.ack;
        out.seq = flow->snd_nxt;
        if (command.length == 0)
            out.reason = ZN_REASON_OK;
        else if (flow->blocked)
            out.reason = ZN_REASON_BLOCKED;
        else
            out.reason = room(*flow, command.length);
        if (out.reason != ZN_REASON_OK) {
            flow->blocked = true;
        } else {
            Bytes payload(message.body.begin(), message.body.begin() + command.length);
            send(*flow, payload, command.flags & ZN_CMD_PUSH, true);
            out.length = command.length;
            if (command.length > 0)
                flow->open = command.flags & ZN_CMD_OPEN;
        }
    }
    (out.reason == ZN_REASON_OK ? counts.segment : counts.skipped)++;
    *record = note(out);
    return true;
}

void Reference::begin_broadcast(const Message &message)
{
    const zn_acc_command &command = message.command;
    const std::vector<uint32_t> ids = words(message.body, padded(command.length), command.ids);
    broadcast_ = Broadcast();
    broadcast_.active = true;
    broadcast_.payload.assign(message.body.begin(), message.body.begin() + command.length);
    broadcast_.early = ids.size() < command.ids;
    if (command.kind == ZN_MSG_BROADCAST_LIST) {
        broadcast_.receivers = ids;
    } else {
        broadcast_.skips = ids;
        broadcast_.receivers.assign(members_.begin() + command.flow,
                                    members_.begin() + command.flow + command.count);
    }
}

bool Reference::step_broadcast(Record *record)
{
    Broadcast &b = broadcast_;
    const zn_acc_command &command = messages_.front().command;
    if (b.next == b.receivers.size()) {
        const uint8_t reason = b.early ? ZN_REASON_BAD_COMMAND : ZN_REASON_OK;
        *record =
            note({ ZN_RECORD_BROADCAST_END, reason, 0, command.flow, b.sent, command.cookie });
        b.active = false;
        messages_.pop_front();
        return true;
    }
    const uint32_t id = b.receivers[b.next++];
    Record out = { ZN_RECORD_SENT, ZN_REASON_NO_FLOW, 0, id, 0, command.cookie };
    if (Flow *flow = known(id)) {
        out.seq = flow->snd_nxt;
        if (std::count(b.skips.begin(), b.skips.end(), id))
            out.reason = ZN_REASON_LEFT_OUT;
        else if (flow->blocked)
            out.reason = ZN_REASON_BLOCKED;
        else
            out.reason = flow->open ? uint8_t{ ZN_REASON_IN_FRAME } : room(*flow, b.payload.size());
        if (out.reason == ZN_REASON_OK) {
            send(*flow, b.payload, command.flags & ZN_CMD_PUSH, true);
            out.length = static_cast<uint16_t>(b.payload.size());
            b.sent++;
        } else if (out.reason != ZN_REASON_LEFT_OUT) {
            flow->blocked = true;
        }
    }
    (out.reason == ZN_REASON_OK ? counts.segment : counts.skipped)++;
    *record = note(out);
    return true;
}

// --- What the core says by itself.

bool Reference::next_reply(Record *record)
{
    if (replies_.empty())
        return false;
    const Reply reply = replies_.front();
    replies_.pop_front();
    Bytes frame = { reply.b0, static_cast<uint8_t>(reply.payload.size()) };
    frame.insert(frame.end(), reply.payload.begin(), reply.payload.end());
    Record out = { ZN_RECORD_REPLY, ZN_REASON_NO_FLOW, 0, reply.flow, 0, reply.cookie };
    if (Flow *flow = known(reply.flow)) {
        const unsigned period = now_ms >> settings.rate_period & 255;
        const unsigned replied = flow->period == period ? flow->replied : 0;
        out.seq = flow->snd_nxt;
        if (replied >= flow->replies)
            out.reason = ZN_REASON_RATE;
        else
            out.reason = flow->open ? uint8_t{ ZN_REASON_IN_FRAME } : room(*flow, frame.size());
        if (out.reason == ZN_REASON_OK) {
            flow->period = period;
            flow->replied = replied + 1;
            send(*flow, frame, true, false);
            out.length = static_cast<uint16_t>(frame.size());
        }
    }
    (out.reason == ZN_REASON_OK ? counts.reply : counts.reply_refused)++;
    *record = note(out);
    return true;
}

bool Reference::heartbeat(uint32_t id, Record *record)
{
    const Bytes frame = { 0x81, 1, '2' };
    Flow *flow = known(id);
    if (!flow || !settings.heartbeats_on || !(flow->flags & ZN_FLOW_ENGINE) ||
        flow->heartbeat_ms == 0 || flow->open || room(*flow, frame.size()) != ZN_REASON_OK)
        return false;
    if (static_cast<uint16_t>(now_ms - flow->due_ms) >= 0x8000)
        return false;
    *record = note({ ZN_RECORD_HEARTBEAT, ZN_REASON_OK, 3, id, flow->snd_nxt, 0 });
    flow->due_ms = static_cast<uint16_t>(flow->due_ms + flow->heartbeat_ms);
    send(*flow, frame, true, false);
    counts.heartbeat++;
    return true;
}

} // namespace tx
