// SPDX-License-Identifier: Apache-2.0
#include "frames.h"

#include <algorithm>
#include <cstring>

namespace cosim
{

namespace
{

enum { LENGTH_16 = 126, LENGTH_64 = 127 };

void put_length(Bytes &out, const Frame &frame, uint8_t mask)
{
    const size_t len = frame.payload.size();
    const bool longer = frame.fault == ZN_REASON_FRAME_LENGTH;
    if (frame.claimed) {
        out.push_back(mask | LENGTH_64);
        out.resize(out.size() + 8);
        put32(&out[out.size() - 8], static_cast<uint32_t>(frame.claimed >> 32));
        put32(&out[out.size() - 4], static_cast<uint32_t>(frame.claimed));
    } else if (len < LENGTH_16 && !longer) {
        out.push_back(static_cast<uint8_t>(mask | len));
    } else if (len < 65536 && !(longer && len >= LENGTH_16)) {
        out.push_back(mask | LENGTH_16);
        out.resize(out.size() + 2);
        put16(&out[out.size() - 2], static_cast<uint32_t>(len));
    } else {
        out.push_back(mask | LENGTH_64);
        out.resize(out.size() + 8);
        put32(&out[out.size() - 4], static_cast<uint32_t>(len));
    }
}

// Bytes of a header whose second byte is b1.
unsigned header_need(uint8_t b1, bool client)
{
    const unsigned length = b1 & 127;
    return 2 + (length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0) + (client ? 4 : 0);
}

} // namespace

size_t frame_header_len(size_t payload_len)
{
    return payload_len < LENGTH_16 ? 6 : payload_len < 65536 ? 8 : 14;
}

Bytes frame_encode(const Frame &frame, const uint8_t key[4])
{
    Bytes out = { frame.b0 };
    if (frame.fault == ZN_REASON_FRAME_UNMASKED) {
        put_length(out, frame, 0);
        append(out, frame.payload);
        return out;
    }
    put_length(out, frame, WS_MASK);
    out.insert(out.end(), key, key + 4);
    for (size_t i = 0; i < frame.payload.size(); i++)
        out.push_back(frame.payload[i] ^ key[i % 4]);
    return out;
}

Bytes frame_encode_server(const Frame &frame)
{
    Bytes out = { frame.b0 };
    put_length(out, frame, 0);
    append(out, frame.payload);
    return out;
}

bool state_equal(const zn_acc_ws_state &a, const zn_acc_ws_state &b)
{
    return a.fill == b.fill && a.b0 == b.b0 && a.b1 == b.b1 && a.length == b.length &&
           std::memcmp(a.key, b.key, 4) == 0;
}

void FrameReader::set_state(const zn_acc_ws_state &state)
{
    state_ = state;
    fault_ = ZN_REASON_OK;
}

Fault FrameReader::judge() const
{
    const uint8_t op = state_.b0 & 15;
    const uint32_t field = state_.b1 & 127;
    if (client_ && !(state_.b1 & WS_MASK))
        return ZN_REASON_FRAME_UNMASKED;
    if ((state_.b0 & 0x30) || (op > 2 && op < 8) || op > 10)
        return ZN_REASON_FRAME_RESERVED;
    if ((state_.b0 & WS_RSV1) && !(agreed_.deflate && (op == OP_TEXT || op == OP_BINARY)))
        return ZN_REASON_FRAME_RESERVED;
    if (op >= 8 && (field > 125 || !(state_.b0 & WS_FIN)))
        return ZN_REASON_FRAME_CONTROL;
    if ((field == LENGTH_16 && state_.length < LENGTH_16) ||
        (field == LENGTH_64 && state_.length < 65536))
        return ZN_REASON_FRAME_LENGTH;
    const uint32_t length = field < LENGTH_16 ? field : state_.length;
    return length > agreed_.max_frame ? ZN_REASON_FRAME_TOO_BIG : ZN_REASON_OK;
}

void FrameReader::header_byte(uint8_t byte)
{
    const unsigned at = state_.fill++;
    if (at == 0) {
        state_.b0 = byte;
        return;
    }
    if (at == 1) {
        state_.b1 = byte;
    } else {
        const unsigned key_at = header_need(state_.b1, client_) - (client_ ? 4 : 0);
        if (client_ && at >= key_at)
            state_.key[at - key_at] = byte;
        else if (state_.length >> 24)
            state_.length = 0xffffffff;
        else
            state_.length = state_.length << 8 | byte;
    }
    const bool unmasked = client_ && !(state_.b1 & WS_MASK);
    if (unmasked || state_.fill == header_need(state_.b1, client_))
        header_done();
}

void FrameReader::header_done()
{
    fault_ = judge();
    if (fault_)
        return;
    const uint32_t field = state_.b1 & 127;
    const uint32_t length = field < LENGTH_16 ? field : state_.length;
    const Begin begin = { state_.b0, length, header_need(state_.b1, client_) };
    if (length) {
        state_.fill = ZN_FILL_PAYLOAD;
        state_.length = length;
    } else {
        state_ = {};
    }
    if (on_begin)
        on_begin(begin);
    if (!length && on_end)
        on_end();
}

size_t FrameReader::payload(const uint8_t *data, size_t len, bool masked)
{
    const size_t take = std::min<size_t>(len, state_.length);
    if (on_payload && (!masked || !client_)) {
        on_payload(data, take);
    } else if (on_payload) {
        Bytes plain(data, data + take);
        for (size_t i = 0; i < take; i++)
            plain[i] ^= state_.key[i % 4];
        on_payload(plain.data(), take);
    }
    std::rotate(state_.key, state_.key + take % 4, state_.key + 4);
    state_.length -= static_cast<uint32_t>(take);
    if (!state_.length) {
        state_ = {};
        if (on_end)
            on_end();
    }
    return take;
}

size_t FrameReader::feed(const uint8_t *data, size_t len, bool masked)
{
    size_t at = 0;
    while (at < len && !fault_) {
        if (state_.fill == ZN_FILL_PAYLOAD)
            at += payload(data + at, len - at, masked);
        else
            header_byte(data[at++]);
    }
    return at;
}

} // namespace cosim
