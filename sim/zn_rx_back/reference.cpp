// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <algorithm>
#include <cstring>

namespace zn
{

namespace
{

struct Frame {
    size_t offset;
    uint8_t b0;
    uint64_t length;
    bool split, complete;
    Bytes text; // what is there of its payload
};

// Reads one segment byte by byte. `payload` is unmasked in place.
class Walk
{
  public:
    Walk(const State &state, unsigned flags, uint32_t max_frame)
        : state(state), flags_(flags), max_frame_(max_frame),
          split_(state.fill != 0 && state.fill != ZN_FILL_PAYLOAD)
    {
    }
    State state;
    std::vector<Frame> frames;

    unsigned run(Bytes &payload)
    {
        for (size_t i = 0; i < payload.size(); i++) {
            if (state.fill == ZN_FILL_PAYLOAD) {
                payload[i] ^= state.key[0];
                std::rotate(state.key.begin(), state.key.begin() + 1, state.key.end());
                if (!frames.empty() && open_)
                    frames.back().text.push_back(payload[i]);
                if (--state.length == 0)
                    end_frame();
            } else if (header_byte(payload[i])) {
                if (unsigned reason = judge())
                    return reason;
                begin_frame(i + 1);
            }
        }
        return ZN_REASON_OK;
    }

  private:
    // True when the header is complete.
    bool header_byte(uint8_t byte)
    {
        const unsigned at = state.fill++;
        if (at == 0) {
            state.b0 = byte;
            return false;
        }
        if (at == 1) {
            state.b1 = byte;
            return !(byte & 0x80);
        }
        const unsigned short_length = state.b1 & 0x7f;
        const unsigned extra = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
        if (at < 2 + extra) {
            const uint64_t longer = (uint64_t)state.length << 8 | byte;
            state.length = state.length == UINT32_MAX || longer > UINT32_MAX ? UINT32_MAX : longer;
            return false;
        }
        state.key[at - 2 - extra] = byte;
        return at == 2 + extra + 3;
    }

    uint64_t length() const
    {
        return (state.b1 & 0x7f) >= 126 ? state.length : state.b1 & 0x7f;
    }

    unsigned judge() const
    {
        const unsigned opcode = state.b0 & 15, short_length = state.b1 & 0x7f;
        const bool fin = state.b0 & 0x80, rsv1 = state.b0 & 0x40, rsv23 = state.b0 & 0x30;
        if (!(state.b1 & 0x80))
            return ZN_REASON_FRAME_UNMASKED;
        if (rsv23 || (opcode >= 3 && opcode <= 7) || opcode >= 11)
            return ZN_REASON_FRAME_RESERVED;
        if (rsv1 && !((flags_ & ZN_FLOW_DEFLATE) && (opcode == 1 || opcode == 2)))
            return ZN_REASON_FRAME_RESERVED;
        if (opcode >= 8 && (short_length > 125 || !fin))
            return ZN_REASON_FRAME_CONTROL;
        if ((short_length == 126 && length() < 126) || (short_length == 127 && length() < 65536))
            return ZN_REASON_FRAME_LENGTH;
        return length() > max_frame_ ? ZN_REASON_FRAME_TOO_BIG : ZN_REASON_OK;
    }

    void begin_frame(size_t offset)
    {
        frames.push_back({ offset, state.b0, length(), split_, false, {} });
        split_ = false;
        open_ = true;
        state.length = (uint32_t)length();
        state.fill = ZN_FILL_PAYLOAD;
        if (state.length == 0)
            end_frame();
    }

    void end_frame()
    {
        if (open_)
            frames.back().complete = true;
        open_ = false;
        state = State{};
    }

    unsigned flags_;
    uint32_t max_frame_;
    bool split_;
    bool open_ = false; // the frame whose payload is read is frames.back()
};

void put_state(Bytes &out, size_t at, const State &state)
{
    zn_acc_ws_state s{};
    s.fill = (uint8_t)state.fill;
    s.b0 = state.b0;
    s.b1 = state.b1;
    s.length = state.length;
    std::copy(state.key.begin(), state.key.end(), s.key);
    memcpy(&out[at], &s, sizeof s);
}

bool is_text(const Frame &frame, const char *text)
{
    return frame.b0 == 0x81 && frame.complete && !frame.split &&
           frame.text == Bytes(text, text + strlen(text));
}

// Marks heartbeats; finds the first frame that the core may answer.
void look_at_frames(const std::vector<Frame> &frames, unsigned described, unsigned flags,
                    zn_acc_frame_desc *desc, Expected *expected)
{
    for (unsigned i = 0; i < described; i++) {
        const bool engine = flags & ZN_FLOW_ENGINE;
        if (engine && is_text(frames[i], "3")) {
            desc[i].flags |= ZN_FRAME_HEARTBEAT;
            expected->heartbeat = true;
        }
        const bool ping = (flags & ZN_FLOW_ANSWER) && (frames[i].b0 & 15) == 9 &&
                          frames[i].complete && !frames[i].split;
        const bool probe = engine && is_text(frames[i], "2probe");
        if (expected->ask >= 0 || !(ping || probe))
            continue;
        expected->ask = (int)i;
        expected->reply.b0 = ping ? 0x8a : 0x81;
        expected->reply.payload = frames[i].text;
        if (probe)
            expected->reply.payload[0] = '3';
    }
}

} // namespace

Expected Reference::receive(const Packet &packet)
{
    Expected expected;
    zn_acc_rx_annotation a{};
    Bytes bytes = packet.bytes;
    Flow &flow = flow_[packet.flow];
    const bool too_long = bytes.size() > settings.packet_max;
    a.kind = ZN_MSG_RX_PACKET;
    a.version = ZN_CONTRACT_VERSION;
    a.reason = (uint8_t)(too_long ? ZN_REASON_BAD_LENGTH : packet.reason);
    a.flags = !too_long && packet.checksum_ok ? ZN_RX_CHECKSUM_OK : 0;
    a.packet_length = (uint16_t)(too_long ? 0 : bytes.size());
    State before = flow.state;
    if (a.reason == ZN_REASON_OK) {
        a.payload_offset = (uint16_t)packet.payload_offset;
        a.payload_length = (uint16_t)packet.payload_length;
        if (!packet.hit || !flow.valid)
            a.reason = ZN_REASON_NO_FLOW;
        else if (!settings.receive_on || !(flow.flags & ZN_FLOW_RECEIVE))
            a.reason = ZN_REASON_DISABLED;
        else if (flow.broken)
            a.reason = ZN_REASON_WAIT_RESYNC;
        else if (packet.seq != flow.rcv_nxt)
            a.reason = ZN_REASON_OUT_OF_SEQUENCE;
        if (a.reason == ZN_REASON_OK) {
            auto begin = bytes.begin() + packet.payload_offset;
            Bytes payload(begin, begin + packet.payload_length);
            Walk walk(flow.state, flow.flags, flow.max_frame);
            a.reason = (uint8_t)walk.run(payload);
            if (a.reason != ZN_REASON_OK) {
                flow.broken = true;
            } else {
                std::copy(payload.begin(), payload.end(), begin);
                flow.state = walk.state;
                flow.rcv_nxt += packet.payload_length;
                const unsigned described = std::min<size_t>(walk.frames.size(), 4);
                for (unsigned i = 0; i < described; i++) {
                    const Frame &f = walk.frames[i];
                    a.frame[i].offset = (uint16_t)f.offset;
                    a.frame[i].b0 = f.b0;
                    a.frame[i].length = (uint32_t)f.length;
                    a.frame[i].flags = (uint8_t)((f.split ? ZN_FRAME_SPLIT : 0) |
                                                 (f.complete ? ZN_FRAME_COMPLETE : 0));
                }
                a.frames = (uint8_t)std::min<size_t>(walk.frames.size(), 255);
                look_at_frames(walk.frames, described, flow.flags, a.frame, &expected);
                if (expected.heartbeat)
                    flow.last_seen = (uint16_t)settings.now_ms;
                if (expected.ask >= 0) {
                    expected.reply.flow = packet.flow;
                    expected.reply.cookie = packet.seq + a.frame[expected.ask].offset;
                }
            }
        }
        if (a.reason != ZN_REASON_NO_FLOW) {
            a.flags |= ZN_RX_FLOW;
            a.flow = packet.flow;
            a.rcv_nxt = flow.rcv_nxt;
        }
    }
    expected.reason = a.reason;
    expected.frames = a.frames;
    expected.bytes.resize(sizeof a);
    memcpy(expected.bytes.data(), &a, sizeof a);
    if (a.flags & ZN_RX_FLOW)
        put_state(expected.bytes, offsetof(zn_acc_rx_annotation, state), before);
    expected.bytes.insert(expected.bytes.end(), bytes.begin(), bytes.end());
    return expected;
}

Bytes Reference::command(const Command &command, unsigned beat_bytes)
{
    Flow &flow = flow_[command.flow];
    zn_acc_report_header header{};
    zn_acc_report_record record{};
    header.kind = ZN_MSG_REPORT;
    header.version = ZN_CONTRACT_VERSION;
    header.count = 1;
    header.now_ms = settings.now_ms;
    record.kind = ZN_RECORD_RX_DONE;
    record.flow = command.flow;
    record.cookie = command.cookie;
    record.reason = (uint8_t)command.table_reason;
    if (command.op == Op::resync || command.op == Op::read)
        record.reason = flow.valid ? ZN_REASON_OK : ZN_REASON_NO_FLOW;
    if (record.reason == ZN_REASON_OK) {
        if (command.op == Op::add)
            flow = Flow{ true, false, 0, {}, 0, command.flags, command.max_frame };
        if (command.op == Op::add || command.op == Op::resync) {
            flow.rcv_nxt = command.rcv_nxt;
            flow.state = command.state;
            flow.broken = false;
        }
        if (command.op == Op::erase)
            flow.valid = false;
        if (command.op == Op::read)
            record.seq = flow.last_seen;
    }
    const size_t body = (sizeof record + beat_bytes - 1) / beat_bytes * beat_bytes;
    Bytes report(sizeof header + body);
    memcpy(report.data(), &header, sizeof header);
    memcpy(report.data() + sizeof header, &record, sizeof record);
    return report;
}

} // namespace zn
