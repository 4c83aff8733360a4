// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/reference.h"

#include <algorithm>

namespace zn
{

namespace
{

// A packet's bytes with bounds: walking stops at the first that is missing.
class Walk
{
  public:
    explicit Walk(const Bytes &bytes) : bytes_(bytes)
    {
    }
    bool has(size_t end) const
    {
        return bytes_.size() >= end;
    }
    unsigned at8(size_t at) const
    {
        return bytes_.at(at);
    }
    unsigned at16(size_t at) const
    {
        return at8(at) << 8 | at8(at + 1);
    }
    uint32_t at32(size_t at) const
    {
        return static_cast<uint32_t>(at16(at)) << 16 | at16(at + 2);
    }
    const uint8_t *data() const
    {
        return bytes_.data();
    }
    size_t size() const
    {
        return bytes_.size();
    }

  private:
    const Bytes &bytes_;
};

constexpr unsigned none = ~0u; // no reason to stop here

struct Ip {
    size_t at = 0; // the header
    size_t tcp = 0;
    size_t tcp_len = 0;
    bool v6 = false;
};

unsigned link_layer(const Walk &p, Ip *ip)
{
    if (!p.has(14))
        return ZN_REASON_BAD_LENGTH;
    size_t type_at = 12;
    if (p.at16(type_at) == 0x8100) {
        if (!p.has(18))
            return ZN_REASON_BAD_LENGTH;
        type_at = 16;
    }
    const unsigned type = p.at16(type_at);
    if (type != 0x0800 && type != 0x86dd)
        return ZN_REASON_NOT_TCP;
    ip->v6 = type == 0x86dd;
    ip->at = type_at + 2;
    return none;
}

// `whole`: also what needs the packet's end and its checksum.
unsigned ipv4(const Walk &p, Ip *ip, bool whole)
{
    if (!p.has(ip->at + 20))
        return ZN_REASON_BAD_LENGTH;
    const unsigned header = (p.at8(ip->at) & 15) * 4, total = p.at16(ip->at + 2);
    if (header < 20 || total < header || (whole && !p.has(ip->at + total)))
        return ZN_REASON_BAD_LENGTH;
    if (p.at8(ip->at) >> 4 != 4 || p.at8(ip->at + 9) != 6)
        return ZN_REASON_NOT_TCP;
    if (header != 20)
        return ZN_REASON_IP_OPTIONS;
    if ((p.at16(ip->at + 6) & 0x2000) || (p.at16(ip->at + 6) & 0x1fff))
        return ZN_REASON_FRAGMENT;
    if (whole && ones_sum(p.data() + ip->at, 20) != 0xffff)
        return ZN_REASON_BAD_IP_CHECKSUM;
    ip->tcp = ip->at + 20;
    ip->tcp_len = total - 20;
    return none;
}

unsigned ipv6(const Walk &p, Ip *ip, bool whole)
{
    static const unsigned extensions[] = { 0, 43, 44, 50, 51, 60, 135, 139, 140 };
    if (!p.has(ip->at + 40))
        return ZN_REASON_BAD_LENGTH;
    ip->tcp = ip->at + 40;
    ip->tcp_len = p.at16(ip->at + 4);
    if (whole && !p.has(ip->tcp + ip->tcp_len))
        return ZN_REASON_BAD_LENGTH;
    if (p.at8(ip->at) >> 4 != 6)
        return ZN_REASON_NOT_TCP;
    const unsigned next = p.at8(ip->at + 6);
    if (std::find(std::begin(extensions), std::end(extensions), next) != std::end(extensions))
        return ZN_REASON_IP_OPTIONS;
    return next == 6 ? none : static_cast<unsigned>(ZN_REASON_NOT_TCP);
}

unsigned tcp_lengths(const Walk &p, const Ip &ip)
{
    if (ip.tcp_len < 20 || !p.has(ip.tcp + 20))
        return ZN_REASON_BAD_LENGTH;
    const unsigned header = (p.at8(ip.tcp + 12) >> 4) * 4;
    return header < 20 || header > ip.tcp_len ? static_cast<unsigned>(ZN_REASON_BAD_LENGTH) : none;
}

uint16_t tcp_sum(const Walk &p, const Ip &ip)
{
    const size_t addresses = ip.v6 ? 32 : 8;
    const uint8_t tail[] = { 0, 6, static_cast<uint8_t>(ip.tcp_len >> 8),
                             static_cast<uint8_t>(ip.tcp_len) };
    uint32_t sum = ones_sum(p.data() + ip.tcp - addresses, addresses);
    sum = ones_sum(tail, sizeof tail, sum);
    return ones_sum(p.data() + ip.tcp, ip.tcp_len, sum);
}

Tuple tuple_of(const Walk &p, const Ip &ip)
{
    Tuple tuple;
    tuple.v6 = ip.v6;
    const size_t each = ip.v6 ? 16 : 4;
    const uint8_t *addresses = p.data() + ip.tcp - 2 * each;
    std::copy(addresses, addresses + each, tuple.peer.begin());
    std::copy(addresses + each, addresses + 2 * each, tuple.local.begin());
    std::copy(p.data() + ip.tcp, p.data() + ip.tcp + 2, tuple.peer_port.begin());
    std::copy(p.data() + ip.tcp + 2, p.data() + ip.tcp + 4, tuple.local_port.begin());
    return tuple;
}

unsigned headers(const Walk &p, Ip *ip, bool whole)
{
    unsigned reason = link_layer(p, ip);
    if (reason == none)
        reason = ip->v6 ? ipv6(p, ip, whole) : ipv4(p, ip, whole);
    return reason == none ? tcp_lengths(p, *ip) : reason;
}

unsigned last_steps(const Walk &p, const Ip &ip)
{
    const unsigned flags = p.at8(ip.tcp + 13), header = (p.at8(ip.tcp + 12) >> 4) * 4;
    const unsigned fin = 1, syn = 2, rst = 4, ack = 16, urg = 32;
    if (!(flags & ack) || (flags & (fin | syn | rst | urg)))
        return ZN_REASON_TCP_FLAGS;
    return ip.tcp_len == header ? ZN_REASON_NO_PAYLOAD : ZN_REASON_OK;
}

} // namespace

Verdict judge(const Bytes &packet, bool bad, size_t packet_max)
{
    const Walk p(packet);
    Verdict verdict;
    Ip ip;
    verdict.followed = headers(p, &ip, false) == none;
    if (verdict.followed) {
        const unsigned header = (p.at8(ip.tcp + 12) >> 4) * 4;
        verdict.tuple = tuple_of(p, ip);
        verdict.seq = p.at32(ip.tcp + 4);
        verdict.payload_offset = static_cast<unsigned>(ip.tcp) + header;
        verdict.payload_length = static_cast<unsigned>(ip.tcp_len) - header;
    }

    if (packet.size() > packet_max) {
        verdict.reason = ZN_REASON_BAD_LENGTH;
        return verdict;
    }
    verdict.length = packet.size();
    if (bad) {
        verdict.reason = ZN_REASON_BAD_PACKET;
        return verdict;
    }
    const unsigned reason = headers(p, &ip, true);
    if (reason != none) {
        verdict.reason = reason;
        return verdict;
    }
    if (tcp_sum(p, ip) != 0xffff) {
        verdict.reason = ZN_REASON_BAD_TCP_CHECKSUM;
        return verdict;
    }
    verdict.checksum_ok = true;
    verdict.reason = last_steps(p, ip);
    return verdict;
}

uint32_t toeplitz(const Bytes &message, const Bytes &key)
{
    const auto key_bit = [&](size_t i) { return key.at(i / 8) >> (7 - i % 8) & 1u; };
    uint32_t hash = 0, window = 0;
    for (size_t i = 0; i < 32; i++)
        window = window << 1 | key_bit(i);
    for (size_t i = 0; i < 8 * message.size(); i++) {
        if (message[i / 8] >> (7 - i % 8) & 1)
            hash ^= window;
        window = window << 1 | key_bit(i + 32);
    }
    return hash;
}

uint32_t FlowTable::hash(const Tuple &tuple) const
{
    Bytes message(tuple.peer.begin(), tuple.peer.end());
    message.insert(message.end(), tuple.local.begin(), tuple.local.end());
    message.insert(message.end(), tuple.peer_port.begin(), tuple.peer_port.end());
    message.insert(message.end(), tuple.local_port.begin(), tuple.local_port.end());
    return toeplitz(message, key_);
}

unsigned FlowTable::add(const Entry &entry)
{
    const uint32_t hashed = hash(entry.tuple);
    Entry *slot = bucket(hashed), *free = nullptr;
    for (unsigned i = 0; i < 4; i++) {
        if (slot[i].used && slot[i].hash >> 16 == hashed >> 16)
            return ZN_REASON_TABLE_FULL;
        if (!slot[i].used && !free)
            free = &slot[i];
    }
    if (!free)
        return ZN_REASON_TABLE_FULL;
    *free = entry;
    free->used = true;
    free->hash = hashed;
    return ZN_REASON_OK;
}

unsigned FlowTable::remove(const Tuple &tuple, uint32_t flow)
{
    Entry *slot = bucket(hash(tuple));
    for (unsigned i = 0; i < 4; i++)
        if (slot[i].used && slot[i].flow == flow) {
            slot[i].used = false;
            return ZN_REASON_OK;
        }
    return ZN_REASON_NO_FLOW;
}

const FlowTable::Entry *FlowTable::find(const Tuple &tuple) const
{
    for (const Entry &entry : slots_)
        if (entry.used && entry.tuple == tuple)
            return &entry;
    return nullptr;
}

void FlowTable::clear()
{
    std::fill(slots_.begin(), slots_.end(), Entry());
}

} // namespace zn
