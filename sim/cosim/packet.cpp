// SPDX-License-Identifier: Apache-2.0
#include "packet.h"

#include <algorithm>
#include <cstring>

namespace cosim
{

namespace
{

enum { ETHER_LEN = 14, VLAN_LEN = 4, IP4_LEN = 20, IP6_LEN = 40, TCP_LEN = 20, PROTOCOL_TCP = 6 };

uint32_t sum_bytes(const uint8_t *data, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(data + i);
    return len % 2 ? sum + static_cast<uint32_t>(data[len - 1] << 8) : sum;
}

uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
}

// RFC 9293 section 3.1: over pseudo-header, TCP header and payload. 0 when a checksum in place is
// right.
uint16_t tcp_checksum(const uint8_t *ip, bool v6, const uint8_t *tcp, size_t len)
{
    uint32_t sum = v6 ? sum_bytes(ip + 8, 32, 0) : sum_bytes(ip + 12, 8, 0);
    return fold(sum_bytes(tcp, len, sum + PROTOCOL_TCP + static_cast<uint32_t>(len)));
}

void put_ip(uint8_t *ip, const Endpoint &end, size_t tcp_len, uint16_t id)
{
    if (end.v6) {
        ip[0] = 0x60;
        put16(ip + 4, static_cast<uint32_t>(tcp_len));
        ip[6] = PROTOCOL_TCP;
        ip[7] = 64;
        std::memcpy(ip + 8, end.peer, 16);
        std::memcpy(ip + 24, end.local, 16);
        return;
    }
    ip[0] = 0x45;
    put16(ip + 2, static_cast<uint32_t>(IP4_LEN + tcp_len));
    put16(ip + 4, id);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = PROTOCOL_TCP;
    std::memcpy(ip + 12, end.peer, 4);
    std::memcpy(ip + 16, end.local, 4);
    put16(ip + 10, fold(sum_bytes(ip, IP4_LEN, 0)));
}

} // namespace

Endpoint endpoint_random(Random &random, uint16_t peer_port)
{
    Endpoint end;
    end.v6 = random.percent(40);
    end.has_vlan = random.percent(30);
    if (end.has_vlan)
        random.fill(end.vlan, 2);
    random.fill(end.peer_mac + 1, 5);
    random.fill(end.peer, end.v6 ? 16 : 4);
    random.fill(end.local, end.v6 ? 16 : 4);
    end.peer_port = peer_port;
    end.local_port = static_cast<uint16_t>(random.percent(50) ? 443 : random.range(1, 65535));
    return end;
}

zn_acc_flow_address endpoint_address(const Endpoint &end, uint16_t ip_id)
{
    zn_acc_flow_address address = {};
    std::memcpy(address.peer_mac, end.peer_mac, 6);
    std::memcpy(address.vlan, end.vlan, 2);
    address.ip_version = end.v6 ? 6 : 4;
    address.has_vlan = end.has_vlan;
    std::memcpy(address.peer_address, end.peer, 16);
    std::memcpy(address.local_address, end.local, 16);
    put16(address.peer_port, end.peer_port);
    put16(address.local_port, end.local_port);
    address.ip_id = ip_id;
    return address;
}

size_t packet_ip_offset(const Endpoint &end)
{
    return ETHER_LEN + (end.has_vlan ? VLAN_LEN : 0);
}

size_t packet_tcp_offset(const Endpoint &end)
{
    return packet_ip_offset(end) + (end.v6 ? IP6_LEN : IP4_LEN);
}

Bytes packet_build(const Endpoint &end, const Segment &segment, const uint8_t *payload, size_t len)
{
    const size_t ip = packet_ip_offset(end), tcp = packet_tcp_offset(end);
    const size_t tcp_len = TCP_LEN + segment.options_len + len;
    Bytes packet(tcp + tcp_len + segment.padding);
    std::memcpy(&packet[0], "\x02\x5a\x4e\x49\x43\x00", 6);
    std::memcpy(&packet[6], end.peer_mac, 6);
    if (end.has_vlan) {
        put16(&packet[12], 0x8100);
        std::memcpy(&packet[14], end.vlan, 2);
    }
    put16(&packet[ip - 2], end.v6 ? 0x86dd : 0x0800);
    put_ip(&packet[ip], end, tcp_len, static_cast<uint16_t>(segment.seq));
    uint8_t *t = &packet[tcp];
    put16(t, end.peer_port);
    put16(t + 2, end.local_port);
    put32(t + 4, segment.seq);
    put32(t + 8, segment.ack);
    t[12] = static_cast<uint8_t>((TCP_LEN + segment.options_len) / 4 << 4);
    t[13] = segment.flags;
    put16(t + 14, segment.window);
    std::memset(t + TCP_LEN, 1, segment.options_len);
    if (len)
        std::memcpy(t + TCP_LEN + segment.options_len, payload, len);
    put16(t + 16, tcp_checksum(&packet[ip], end.v6, t, tcp_len));
    for (size_t i = tcp + tcp_len; i < packet.size(); i++)
        packet[i] = static_cast<uint8_t>(i * 37);
    return packet;
}

void packet_fix_checksums(Bytes &packet)
{
    if (packet.size() < ETHER_LEN)
        return;
    size_t ip = get16(&packet[12]) == 0x8100 ? ETHER_LEN + VLAN_LEN : ETHER_LEN;
    if (packet.size() < ip + IP4_LEN)
        return;
    const bool v6 = packet[ip] >> 4 == 6;
    const size_t ip_len = v6 ? IP6_LEN : (packet[ip] & 15) * 4u;
    if (ip_len < IP4_LEN || packet.size() < ip + ip_len)
        return;
    const size_t all = v6 ? IP6_LEN + get16(&packet[ip + 4]) : get16(&packet[ip + 2]);
    if (!v6) {
        put16(&packet[ip + 10], 0);
        put16(&packet[ip + 10], fold(sum_bytes(&packet[ip], ip_len, 0)));
    }
    if (all < ip_len + TCP_LEN || packet.size() < ip + all)
        return;
    uint8_t *tcp = &packet[ip + ip_len];
    put16(tcp + 16, 0);
    put16(tcp + 16, tcp_checksum(&packet[ip], v6, tcp, all - ip_len));
}

Received packet_parse(const Bytes &packet)
{
    Received out;
    auto bad = [&](const char *why) {
        out.error = why;
        return out;
    };
    if (packet.size() < ETHER_LEN + IP4_LEN + TCP_LEN)
        return bad("shorter than its headers");
    size_t ip = ETHER_LEN;
    if (get16(&packet[12]) == 0x8100) {
        out.has_vlan = true;
        std::memcpy(out.vlan, &packet[14], 2);
        ip += VLAN_LEN;
    }
    const uint32_t type = get16(&packet[ip - 2]);
    out.v6 = type == 0x86dd;
    if (!out.v6 && type != 0x0800)
        return bad("neither IPv4 nor IPv6");
    const size_t tcp = ip + (out.v6 ? IP6_LEN : IP4_LEN);
    if (packet.size() < tcp + TCP_LEN)
        return bad("no room for TCP");
    const uint8_t *p = &packet[ip], *t = &packet[tcp];
    const size_t all = out.v6 ? IP6_LEN + get16(p + 4) : get16(p + 2);
    if (all != packet.size() - ip)
        return bad("IP length is not the packet's");
    if (out.v6 ? p[0] != 0x60 && p[0] >> 4 != 6 : p[0] != 0x45 || p[6] != 0x40 || p[7] != 0)
        return bad("IP version, length or fragment");
    if ((out.v6 ? p[6] : p[9]) != PROTOCOL_TCP)
        return bad("not TCP");
    if (!out.v6 && fold(sum_bytes(p, IP4_LEN, 0)) != 0)
        return bad("IP checksum");
    if (tcp_checksum(p, out.v6, t, packet.size() - tcp) != 0)
        return bad("TCP checksum");
    if (t[12] != 0x50 || get16(t + 18) != 0)
        return bad("TCP header length or urgent pointer");
    std::memcpy(out.from, p + (out.v6 ? 8 : 12), out.v6 ? 16 : 4);
    std::memcpy(out.to, p + (out.v6 ? 24 : 16), out.v6 ? 16 : 4);
    out.from_port = static_cast<uint16_t>(get16(t));
    out.to_port = static_cast<uint16_t>(get16(t + 2));
    out.seq = get32(t + 4);
    out.ack = get32(t + 8);
    out.flags = t[13];
    out.window = static_cast<uint16_t>(get16(t + 14));
    out.payload.assign(t + TCP_LEN, t + (packet.size() - tcp));
    return out;
}

} // namespace cosim
