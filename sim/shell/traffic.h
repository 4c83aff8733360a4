// SPDX-License-Identifier: Apache-2.0
// Traffic that shows whether a wrapper connects the core rightly: packets of the wire that pass,
// each behind its annotation, and packets of the host that leave as they are (RAW). What the core
// does with flows is tested elsewhere.
//
// Thread: one.
#ifndef ZN_SIM_SHELL_TRAFFIC_H
#define ZN_SIM_SHELL_TRAFFIC_H

#include "bench/bench.h"
#include "contract/contract.h"

namespace zn
{

struct Sent {
    Bytes packet;
    bool bad = false;
};

// An Ethernet packet of a type that is neither IPv4 nor IPv6.
inline Bytes ethernet_packet(Random &random, size_t len)
{
    Bytes packet(len);
    for (uint8_t &byte : packet)
        byte = static_cast<uint8_t>(random.bits());
    packet[12] = 0x88;
    packet[13] = 0xb5;
    return packet;
}

// Sizes around those of beats, and others.
inline size_t packet_size(Random &random)
{
    static const size_t edges[] = { 14, 60, 63, 64, 65, 127, 128, 129, 1513, 1514, 2047, 2048 };
    return random.chance(50) ? edges[random.below(sizeof edges / sizeof *edges)]
                             : random.range(14, 2048);
}

inline Bytes raw_command(const Bytes &packet)
{
    struct zn_acc_command command = {};
    command.kind = ZN_MSG_RAW;
    command.version = ZN_CONTRACT_VERSION;
    command.length = static_cast<uint16_t>(packet.size());
    const uint8_t *header = reinterpret_cast<const uint8_t *>(&command);
    Bytes message(header, header + sizeof command);
    message.insert(message.end(), packet.begin(), packet.end());
    return message;
}

// What is wrong with a message to the host that should hold `sent`, or nothing.
inline std::string check_annotated(const Bytes &message, const Sent &sent)
{
    struct zn_acc_rx_annotation annotation;
    if (message.size() != sizeof annotation + sent.packet.size())
        return text("%zu bytes for a packet of %zu", message.size(), sent.packet.size());
    memcpy(&annotation, message.data(), sizeof annotation);
    const unsigned reason = sent.bad ? ZN_REASON_BAD_PACKET : ZN_REASON_NOT_TCP;
    if (annotation.kind != ZN_MSG_RX_PACKET || annotation.reason != reason ||
        annotation.packet_length != sent.packet.size())
        return text("kind %u, reason %u, length %u", annotation.kind, annotation.reason,
                    annotation.packet_length);
    if (!std::equal(sent.packet.begin(), sent.packet.end(), message.begin() + sizeof annotation))
        return "the packet's bytes differ";
    return "";
}

} // namespace zn

#endif
