// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <algorithm>
#include <cstring>

namespace zn
{

namespace
{

Bytes random_bytes(Random &random, size_t count)
{
    Bytes bytes(count);
    for (uint8_t &byte : bytes)
        byte = (uint8_t)random.bits();
    return bytes;
}

Bytes words(const char *s)
{
    return Bytes(s, s + strlen(s));
}

template <class T> const T &pick(Random &random, const std::vector<T> &from)
{
    return from[random.below(from.size())];
}

// A frame that breaks one rule.
Bytes bad_frame(Random &random, unsigned flags)
{
    Bytes f;
    switch (random.below(8)) {
    case 0: // not masked
        f = frame(random, 0x82, random_bytes(random, random.below(200)));
        f[1] &= 0x7f;
        return f;
    case 1:
        return frame(random, (uint8_t)(0x82 | 0x10 << random.below(2)), random_bytes(random, 5));
    case 2: // RSV1 where it was not agreed
        return frame(random, flags & ZN_FLOW_DEFLATE ? 0xc0 : 0xc1, random_bytes(random, 5));
    case 3: // opcode
        return frame(
            random,
            (uint8_t)(0x80 | (random.chance(50) ? random.range(3, 7) : random.range(11, 15))),
            random_bytes(random, random.below(20)));
    case 4: // a control frame without FIN
        return frame(random, (uint8_t)random.range(8, 10), random_bytes(random, 3));
    case 5: // a long one
        return frame(random, (uint8_t)(0x80 | random.range(8, 10)),
                     random_bytes(random, random.range(126, 200)));
    case 6: { // not the shortest form
        const bool wide = random.chance(50);
        return frame(random, 0x82, random_bytes(random, random.below(wide ? 300 : 126)),
                     wide ? 8 : 2);
    }
    default: // too big
        f = frame(random, 0x82, {}, 8);
        for (unsigned i = 2; i < 10; i++)
            f[i] = (uint8_t)(random.chance(50) ? 0 : random.bits());
        f[6] |= 0x80;
        return f;
    }
}

Bytes good_frame(Random &random, const Mix &mix, unsigned flags)
{
    if (random.chance(mix.talk)) {
        switch (random.below(8)) {
        case 0:
            return frame(random, 0x81, words("2probe"));
        case 1:
            return frame(random, 0x81, words("3"));
        case 2:
            return frame(random, 0x81, words(random.chance(50) ? "2prob" : "2prober"));
        case 3:
            return frame(random, 0x01, words(random.chance(50) ? "3" : "2probe"));
        case 4:
            return frame(random, 0x82, words(random.chance(50) ? "3" : "2probe"));
        default:
            return frame(random, (uint8_t)(0x80 | random.range(8, 10)),
                         random_bytes(random, random.below(126)));
        }
    }
    uint8_t b0 = (uint8_t)(random.below(3) | random.below(2) << 7);
    if ((flags & ZN_FLOW_DEFLATE) && (b0 & 3) != 0 && random.chance(50))
        b0 |= 0x40;
    return frame(random, b0, random_bytes(random, pick(random, mix.frame_sizes)));
}

} // namespace

Bytes frame(Random &random, uint8_t b0, const Bytes &payload, unsigned length_form)
{
    const size_t length = payload.size();
    if (length_form == 0)
        length_form = length >= 65536 ? 8 : length >= 126 ? 2 : 1;
    Bytes f{ b0, (uint8_t)(0x80 | (length_form == 8 ? 127 : length_form == 2 ? 126 : length)) };
    for (unsigned i = length_form; length_form > 1 && i-- > 0;)
        f.push_back((uint8_t)(length >> 8 * i));
    const Bytes key = random_bytes(random, 4);
    f.insert(f.end(), key.begin(), key.end());
    for (size_t i = 0; i < length; i++)
        f.push_back(payload[i] ^ key[i % 4]);
    return f;
}

void Client::more(Random &random, const Mix &mix, unsigned flags)
{
    const Bytes f = random.below(1000) < mix.bad_frame ? bad_frame(random, flags)
                                                       : good_frame(random, mix, flags);
    bytes_.insert(bytes_.end(), f.begin(), f.end());
}

Bytes Client::peek(Random &random, const Mix &mix, unsigned flags, size_t count)
{
    while (bytes_.size() < count)
        more(random, mix, flags);
    return Bytes(bytes_.begin(), bytes_.begin() + (long)count);
}

void Client::drop(size_t count)
{
    bytes_.erase(bytes_.begin(), bytes_.begin() + (long)count);
}

State Client::restart(Random &random, const Mix &mix, unsigned flags)
{
    State s;
    const Bytes f = good_frame(random, mix, flags);
    const unsigned form = f[1] & 0x7f;
    const unsigned extra = form == 127 ? 8 : form == 126 ? 2 : 0;
    const size_t header = 6 + extra,
                 at = random.chance(60) ? random.below(header) : random.below(f.size());
    bytes_.assign(f.begin() + (long)at, f.end());
    if (at == 0)
        return s;
    s.fill = (unsigned)std::min<size_t>(at, 15);
    s.b0 = f[0];
    if (at >= 2)
        s.b1 = f[1];
    for (size_t i = 2; i < 2 + extra && i < at; i++)
        s.length = s.length << 8 | f[i];
    for (size_t i = 0; i < 4 && 2 + extra + i < at; i++)
        s.key[i] = f[2 + extra + i];
    if (at >= header) {
        const size_t done = at - header;
        s.fill = ZN_FILL_PAYLOAD;
        s.length = (uint32_t)(f.size() - at);
        std::rotate(s.key.begin(), s.key.begin() + done % 4, s.key.end());
        if (s.length == 0)
            s = State{};
    }
    return s;
}

Packet wrap(Random &random, const Bytes &payload, unsigned payload_offset, unsigned padding)
{
    Packet p;
    p.bytes = random_bytes(random, payload_offset);
    p.bytes.insert(p.bytes.end(), payload.begin(), payload.end());
    const Bytes tail = random_bytes(random, padding);
    p.bytes.insert(p.bytes.end(), tail.begin(), tail.end());
    p.payload_offset = payload_offset;
    p.payload_length = (unsigned)payload.size();
    return p;
}

Traffic::Traffic(const Mix &mix, Reference &reference, uint64_t stream, unsigned overhead)
    : mix_(mix), reference_(reference), random_(stream), overhead_(overhead), client_(mix.flows)
{
}

Command Traffic::add(unsigned flow)
{
    Command c;
    c.op = Op::add;
    c.flow = flow;
    c.cookie = (uint32_t)random_.bits();
    c.rcv_nxt = (uint32_t)random_.bits();
    c.flags = random_.chance(95) ? ZN_FLOW_RECEIVE | (unsigned)random_.below(16)
                                 : (unsigned)random_.below(16);
    c.max_frame = random_.chance(70)   ? 70000
                  : random_.chance(50) ? 0xfffffffe
                                       : (uint32_t)random_.range(1, 1100);
    c.state = client_[flow].restart(random_, mix_, c.flags);
    return c;
}

std::vector<Command> Traffic::adds()
{
    std::vector<Command> all;
    for (unsigned f = 0; f < mix_.flows; f++)
        all.push_back(add(f));
    return all;
}

std::vector<Command> Traffic::reads()
{
    std::vector<Command> all(mix_.flows);
    for (unsigned f = 0; f < mix_.flows; f++) {
        all[f].flow = f;
        all[f].cookie = (uint32_t)random_.bits();
    }
    return all;
}

Item Traffic::command()
{
    Item item;
    item.is_command = true;
    Command &c = item.command;
    const bool valid = reference_.flow(flow_).valid;
    c.flow = flow_;
    c.cookie = (uint32_t)random_.bits();
    switch (random_.below(valid ? 5 : 3)) {
    case 0:
        c.op = Op::read;
        break;
    case 1:
    case 2:
        if (!valid) {
            c = add(flow_);
            c.table_reason = random_.chance(20) ? ZN_REASON_TABLE_FULL : ZN_REASON_OK;
            break;
        }
        // fall through
    case 3:
        c.op = Op::resync;
        c.rcv_nxt = (uint32_t)random_.bits();
        c.state = client_[flow_].restart(random_, mix_, reference_.flow(flow_).flags);
        break;
    default:
        c.op = Op::erase;
        c.table_reason = random_.chance(20) ? ZN_REASON_NO_FLOW : ZN_REASON_OK;
        break;
    }
    return item;
}

// Makes it a packet that is not to be treated.
void Traffic::disturb(Packet *packet)
{
    disturbed_ = true;
    switch (random_.below(4)) {
    case 0:
        packet->seq += (uint32_t)random_.range(1, 3) * (random_.chance(50) ? 1 : -1u);
        break;
    case 1:
        packet->seq ^= 1u << random_.below(32);
        break;
    case 2:
        packet->hit = false;
        packet->flow = (unsigned)random_.below(mix_.flows);
        break;
    default: // the front end found something; then lengths and flow mean nothing
        packet->reason = (unsigned)random_.range(ZN_REASON_NOT_TCP, ZN_REASON_NO_PAYLOAD);
        packet->checksum_ok = packet->reason >= ZN_REASON_TCP_FLAGS;
        if (random_.chance(50)) {
            packet->payload_offset = (unsigned)random_.below(65536) >> random_.below(16);
            packet->payload_length = (unsigned)random_.below(65536) >> random_.below(16);
        }
        if (random_.chance(30))
            packet->bytes.resize(random_.range(1, 80));
        break;
    }
}

Item Traffic::segment(unsigned flow)
{
    Item item;
    const Flow &f = reference_.flow(flow);
    const unsigned offset = (unsigned)(random_.chance(60) ? 54 : random_.range(54, 118));
    const unsigned room = reference_.settings.packet_max - overhead_;
    size_t size = random_.chance(mix_.tiny) ? random_.range(1, mix_.tiny_max)
                                            : random_.range(1, std::min(mix_.payload_max, room));
    if (random_.below(1000) < mix_.too_long)
        size = reference_.settings.packet_max + random_.below(300) - 60;
    const Bytes payload = client_[flow].peek(random_, mix_, f.flags, size);
    item.packet =
        wrap(random_, payload, offset, random_.chance(20) ? (unsigned)random_.below(70) : 0);
    item.packet.seq = f.rcv_nxt;
    item.packet.flow = flow;
    item.packet.hit = f.valid;
    if (item.packet.bytes.size() > reference_.settings.packet_max)
        item.packet.reason = ZN_REASON_BAD_LENGTH;
    if (random_.chance(mix_.untreated))
        disturb(&item.packet);
    return item;
}

Item Traffic::next()
{
    disturbed_ = false;
    if (!random_.chance(mix_.same))
        flow_ = (unsigned)random_.below(mix_.flows);
    const Flow &f = reference_.flow(flow_);
    if (random_.chance(mix_.command) || ((f.broken || !f.valid) && random_.chance(40)))
        return command();
    return segment(flow_);
}

void Traffic::accept(const Item &item, unsigned reason)
{
    if (!item.is_command && reason == ZN_REASON_OK)
        client_[item.packet.flow].drop(item.packet.payload_length);
}

} // namespace zn
