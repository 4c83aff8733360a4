// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/packets.h"

#include <algorithm>

namespace zn
{

namespace
{

void put(Bytes &bytes, uint64_t value, unsigned count)
{
    while (count--)
        bytes.push_back(static_cast<uint8_t>(value >> 8 * count));
}

void put_random(Bytes &bytes, Random &random, size_t count)
{
    while (count--)
        bytes.push_back(static_cast<uint8_t>(random.bits()));
}

template <size_t N> void put_first(Bytes &bytes, const std::array<uint8_t, N> &from, size_t count)
{
    bytes.insert(bytes.end(), from.begin(), from.begin() + static_cast<long>(count));
}

void store16(uint8_t *at, unsigned value)
{
    at[0] = static_cast<uint8_t>(value >> 8);
    at[1] = static_cast<uint8_t>(value);
}

Bytes ipv4(const Recipe &r, Random &random, size_t segment)
{
    Bytes ip;
    const unsigned words = 5 + r.ip_options;
    put(ip,
        (r.version < 0 ? 4u : static_cast<unsigned>(r.version)) << 4 |
            (r.ihl < 0 ? words : static_cast<unsigned>(r.ihl)),
        1);
    put(ip, random.bits(), 1);
    put(ip, static_cast<uint64_t>(static_cast<int>(4 * words + segment) + r.total_more), 2);
    put(ip, random.bits(), 2);
    put(ip, r.fragment, 2);
    put(ip, random.bits(), 1);
    put(ip, r.protocol, 1);
    put(ip, 0, 2);
    put_first(ip, r.tuple.peer, 4);
    put_first(ip, r.tuple.local, 4);
    put_random(ip, random, 4 * r.ip_options);
    store16(&ip[10], static_cast<uint16_t>(~ones_sum(ip.data(), ip.size())) ^ r.ip_sum_flip);
    return ip;
}

Bytes ipv6(const Recipe &r, Random &random, size_t segment)
{
    Bytes ip;
    put(ip,
        (r.version < 0 ? 6u : static_cast<unsigned>(r.version)) << 28 | (random.bits() & 0xfffffff),
        4);
    put(ip, static_cast<uint64_t>(static_cast<int>(segment) + r.total_more), 2);
    put(ip, r.protocol, 1);
    put(ip, random.bits(), 1);
    put_first(ip, r.tuple.peer, 16);
    put_first(ip, r.tuple.local, 16);
    return ip;
}

Bytes tcp(const Recipe &r, Random &random)
{
    Bytes segment;
    const unsigned words = 5 + r.tcp_options;
    put_first(segment, r.tuple.peer_port, 2);
    put_first(segment, r.tuple.local_port, 2);
    put(segment, r.seq, 4);
    put(segment, random.bits(), 4);
    put(segment, (r.data_offset < 0 ? words : static_cast<unsigned>(r.data_offset)) << 4, 1);
    put(segment, r.flags, 1);
    put(segment, random.bits(), 2);
    put(segment, 0, 2);
    put(segment, random.bits(), 2);
    put_random(segment, random, 4 * r.tcp_options);
    if (r.fill < 0)
        put_random(segment, random, r.payload);
    else
        segment.resize(segment.size() + r.payload, static_cast<uint8_t>(r.fill));
    segment.resize(segment.size() - std::min<size_t>(segment.size(), r.tcp_missing));
    if (segment.size() < 18)
        return segment;

    Bytes pseudo;
    put_first(pseudo, r.tuple.peer, 16);
    put_first(pseudo, r.tuple.local, 16);
    put(pseudo, segment.size(), 4);
    put(pseudo, 6, 4);
    const uint16_t sum =
        ones_sum(segment.data(), segment.size(), ones_sum(pseudo.data(), pseudo.size()));
    store16(&segment[16], static_cast<uint16_t>(~sum) ^ r.tcp_sum_flip);
    return segment;
}

} // namespace

uint16_t ones_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? bytes[i] : static_cast<uint32_t>(bytes[i]) << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
}

Tuple random_tuple(Random &random, bool v6)
{
    Tuple tuple;
    tuple.v6 = v6;
    for (size_t i = 0; i < (v6 ? 16 : 4); i++) {
        tuple.peer[i] = static_cast<uint8_t>(random.bits());
        tuple.local[i] = static_cast<uint8_t>(random.bits());
    }
    for (size_t i = 0; i < 2; i++) {
        tuple.peer_port[i] = static_cast<uint8_t>(random.bits());
        tuple.local_port[i] = static_cast<uint8_t>(random.bits());
    }
    return tuple;
}

Bytes build(const Recipe &r, Random &random)
{
    Bytes packet;
    put_random(packet, random, 12);
    for (const uint16_t tag : r.tags) {
        put(packet, tag, 2);
        put(packet, random.bits(), 2);
    }
    put(packet,
        r.ethertype < 0 ? (r.tuple.v6 ? 0x86ddu : 0x0800u) : static_cast<unsigned>(r.ethertype), 2);
    const Bytes segment = tcp(r, random);
    const Bytes ip = r.tuple.v6 ? ipv6(r, random, segment.size()) : ipv4(r, random, segment.size());
    packet.insert(packet.end(), ip.begin(), ip.end());
    packet.insert(packet.end(), segment.begin(), segment.end());
    put_random(packet, random, r.padding);
    if (r.cut >= 0 && static_cast<size_t>(r.cut) < packet.size())
        packet.resize(static_cast<size_t>(r.cut));
    return packet;
}

} // namespace zn
