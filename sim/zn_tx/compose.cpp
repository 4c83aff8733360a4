// SPDX-License-Identifier: Apache-2.0
// A segment's bytes, field by field as the RFCs draw them; checksums are taken of the finished
// bytes (RFC 1071).
#include "reference.h"

namespace tx
{

namespace
{

void put16(Bytes &out, unsigned value)
{
    out.push_back(static_cast<uint8_t>(value >> 8));
    out.push_back(static_cast<uint8_t>(value));
}

void put32(Bytes &out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out, value & 0xffff);
}

void put(Bytes &out, const uint8_t *bytes, size_t length)
{
    out.insert(out.end(), bytes, bytes + length);
}

void set16(Bytes &out, size_t at, unsigned value)
{
    out[at] = static_cast<uint8_t>(value >> 8);
    out[at + 1] = static_cast<uint8_t>(value);
}

unsigned checksum(const Bytes &bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes.size(); i++)
        sum += i % 2 ? bytes[i] : bytes[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<unsigned>(~sum & 0xffff);
}

Bytes tcp(const Flow &flow, const Bytes &payload, bool push)
{
    Bytes out;
    put(out, flow.address.local_port, 2);
    put(out, flow.address.peer_port, 2);
    put32(out, flow.snd_nxt);
    put32(out, flow.ack);
    put16(out, 0x5010u | (push ? 8 : 0));
    put16(out, flow.window);
    put32(out, 0);
    put(out, payload.data(), payload.size());
    return out;
}

Bytes ipv4(const Flow &flow, const Settings &settings, size_t length)
{
    Bytes out = { 0x45, settings.tos };
    put16(out, static_cast<unsigned>(20 + length));
    put16(out, flow.ip_id);
    put16(out, 0x4000);
    out.push_back(settings.ttl);
    out.push_back(6);
    put16(out, 0);
    put(out, flow.address.local_address, 4);
    put(out, flow.address.peer_address, 4);
    set16(out, 10, checksum(out));
    return out;
}

Bytes ipv6(const Flow &flow, const Settings &settings, size_t length)
{
    Bytes out;
    put32(out, 6u << 28 | uint32_t{ settings.tos } << 20);
    put16(out, static_cast<unsigned>(length));
    out.push_back(6);
    out.push_back(settings.ttl);
    put(out, flow.address.local_address, 16);
    put(out, flow.address.peer_address, 16);
    return out;
}

} // namespace

Bytes Reference::compose(const Flow &flow, const Bytes &payload, bool push) const
{
    const bool v6 = flow.address.ip_version == 6;
    const size_t address = v6 ? 16 : 4;
    Bytes segment = tcp(flow, payload, push);
    Bytes summed;
    put(summed, flow.address.local_address, address);
    put(summed, flow.address.peer_address, address);
    put32(summed, static_cast<uint32_t>(segment.size()));
    put32(summed, 6);
    put(summed, segment.data(), segment.size());
    set16(segment, 16, checksum(summed));

    Bytes out;
    put(out, flow.address.peer_mac, 6);
    put(out, settings.local_mac, 6);
    if (flow.address.has_vlan) {
        put16(out, 0x8100);
        put(out, flow.address.vlan, 2);
    }
    put16(out, v6 ? 0x86dd : 0x0800);
    const Bytes ip =
        v6 ? ipv6(flow, settings, segment.size()) : ipv4(flow, settings, segment.size());
    put(out, ip.data(), ip.size());
    put(out, segment.data(), segment.size());
    return out;
}

} // namespace tx
