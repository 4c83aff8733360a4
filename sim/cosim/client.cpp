// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <stdexcept>

namespace cosim
{

namespace
{

Bytes text(const char *s)
{
    Bytes out;
    for (; *s; s++)
        out.push_back(static_cast<uint8_t>(*s));
    return out;
}

} // namespace

Client::Client(Random &random, int id, const Endpoint &end, uint32_t isn, Agreed agreed,
               Taste taste)
    : random_(random), id_(id), end_(end), isn_(isn), agreed_(agreed), taste_(taste)
{
}

size_t Client::length_random()
{
    static const uint32_t edges[] = { 1, 4, 124, 125, 126, 127, 128, 1000, 1460 };
    size_t len;
    if (random_.percent(taste_.huge))
        len = random_.percent(30) ? random_.range(65535, 65536) : random_.below(70000);
    else if (random_.percent(20))
        len = edges[random_.below(sizeof edges / sizeof edges[0])];
    else
        len = random_.below(taste_.longest + 1);
    return std::min<size_t>(len, agreed_.max_frame);
}

Frame Client::frame_faulty()
{
    Frame frame;
    switch (random_.below(5)) {
    case 0:
        frame.fault = ZN_REASON_FRAME_UNMASKED;
        frame.b0 = static_cast<uint8_t>(random_.next());
        break;
    case 1: {
        static const uint8_t opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
        frame.fault = ZN_REASON_FRAME_RESERVED;
        frame.b0 = static_cast<uint8_t>(WS_FIN | opcodes[random_.below(10)]);
        if (random_.percent(50))
            frame.b0 = static_cast<uint8_t>(WS_FIN | OP_TEXT | 0x10 << random_.below(2));
        else if (random_.percent(30))
            frame.b0 = WS_FIN | WS_RSV1 | OP_PING;
        else if (random_.percent(30))
            frame.b0 = WS_RSV1 | OP_CONTINUE;
        break;
    }
    case 2:
        frame.fault = ZN_REASON_FRAME_CONTROL;
        frame.b0 = static_cast<uint8_t>(random_.range(OP_CLOSE, OP_PONG));
        if (random_.percent(50)) {
            frame.b0 |= WS_FIN;
            frame.payload = random_.bytes(random_.range(126, 300));
            return frame;
        }
        break;
    case 3:
        frame.fault = ZN_REASON_FRAME_LENGTH;
        frame.payload = random_.bytes(random_.below(400));
        return frame;
    default:
        frame.fault = ZN_REASON_FRAME_TOO_BIG;
        frame.claimed = std::max<uint64_t>(uint64_t(agreed_.max_frame) + 1, 65536);
        if (random_.percent(60))
            frame.claimed += random_.next() >> random_.range(8, 40);
        return frame;
    }
    frame.payload = random_.bytes(random_.below(60));
    return frame;
}

Frame Client::frame_random()
{
    Frame frame;
    if (random_.percent(taste_.fault))
        return frame_faulty();
    if (random_.percent(taste_.ping)) {
        frame.b0 = WS_FIN | (random_.percent(80) ? OP_PING : OP_PONG);
        frame.payload = random_.bytes(random_.below(126));
    } else if (random_.percent(taste_.engine)) {
        static const char *const texts[] = {
            "3", "2probe", "2", "3probe", "2probf", "33", "2prob"
        };
        frame.b0 = WS_FIN | OP_TEXT;
        frame.payload = text(texts[random_.percent(60) ? random_.below(2) : random_.below(7)]);
        if (random_.percent(5))
            frame.b0 = OP_TEXT; // not whole: must not count as one of them
    } else {
        frame.b0 = static_cast<uint8_t>(random_.below(3) | (random_.percent(70) ? WS_FIN : 0));
        if (agreed_.deflate && (frame.b0 & 15) != OP_CONTINUE && random_.percent(40))
            frame.b0 |= WS_RSV1;
        if (!random_.percent(taste_.empty))
            frame.payload = random_.bytes(length_random());
    }
    if (frame.payload.size() > agreed_.max_frame)
        frame.payload.resize(agreed_.max_frame);
    return frame;
}

void Client::add(const Frame &frame)
{
    uint8_t key[4];
    random_.fill(key, 4);
    const Bytes bytes = frame_encode(frame, key);
    const uint64_t start = stream_.size();
    append(stream_, bytes);
    const uint64_t end = stream_.size();
    places_.push_back({ frame, start, end - frame.payload.size(), end });
}

void Client::adopt(const Bytes &stream)
{
    FrameReader reader(agreed_, true);
    Place place = {};
    uint64_t at = 0;
    reader.on_begin = [&](const FrameReader::Begin &begin) {
        place.frame = {};
        place.frame.b0 = begin.b0;
        place.payload = at + 1;
        place.start = place.payload - begin.header_len;
    };
    reader.on_payload = [&](const uint8_t *data, size_t len) {
        place.frame.payload.insert(place.frame.payload.end(), data, data + len);
    };
    reader.on_end = [&] {
        place.end = place.payload + place.frame.payload.size();
        places_.push_back(place);
    };
    for (; at < stream.size(); at++)
        reader.feed(&stream[at], 1, true);
    if (reader.fault() || !reader.at_header())
        throw std::runtime_error("a recorded stream that is not whole frames");
    append(stream_, stream);
}

void Client::generate(size_t len)
{
    while (end() - sent_ < len)
        add(frame_random());
}

Sent Client::segment(uint64_t offset, size_t len)
{
    Segment segment;
    segment.seq = seq(offset);
    segment.ack = static_cast<uint32_t>(random_.next());
    segment.window = static_cast<uint16_t>(random_.next());
    segment.flags = random_.percent(50) ? TCP_ACK : TCP_ACK | TCP_PSH;
    segment.options_len = static_cast<uint8_t>(random_.percent(50) ? 0 : random_.below(11) * 4);
    segment.padding = static_cast<uint8_t>(random_.percent(80) ? 0 : random_.below(20));
    Sent sent;
    sent.bytes = packet_build(end_, segment, stream_.data() + offset, len);
    sent.connection = id_;
    sent.offset = offset;
    sent.payload_len = static_cast<uint32_t>(len);
    sent.payload_at = static_cast<uint32_t>(packet_tcp_offset(end_) + 20 + segment.options_len);
    return sent;
}

Sent Client::next(size_t max)
{
    const size_t len = std::min<uint64_t>(max, end() - sent_);
    Sent sent = segment(sent_, len);
    sent_ += len;
    return sent;
}

void sent_corrupt(Random &random, Sent &sent, const Endpoint &end)
{
    sent.corrupted = true;
    if (random.percent(20)) {
        sent.broken = true;
        return;
    }
    // One bit, of those that a checksum covers: from TTL (IPv4) and addresses (IPv6) on.
    const size_t tcp = packet_tcp_offset(end);
    const size_t first = packet_ip_offset(end) + 8;
    const size_t last = sent.payload_at + sent.payload_len;
    for (;;) {
        const size_t at =
            random.range(static_cast<uint32_t>(first), static_cast<uint32_t>(last - 1));
        if (at == tcp + 12)
            continue; // moves the payload, which the sender's knowledge of the packet does not
        sent.bytes[at] ^= static_cast<uint8_t>(1 << random.below(8));
        return;
    }
}

} // namespace cosim
