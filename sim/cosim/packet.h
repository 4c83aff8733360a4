// SPDX-License-Identifier: Apache-2.0
// Ethernet, IP and TCP: packets of clients, built and taken apart independently of the
// accelerator's model.
#ifndef ZN_COSIM_PACKET_H
#define ZN_COSIM_PACKET_H

#include "bytes.h"
#include "model.h"

namespace cosim
{

enum : uint8_t { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

// A connection's two ends. Addresses of IPv4 are in the first four bytes, the rest 0.
struct Endpoint {
    bool v6 = false;
    bool has_vlan = false;
    uint8_t vlan[2] = { 0, 0 };
    uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
    uint8_t peer[16] = { 0 };
    uint8_t local[16] = { 0 };
    uint16_t peer_port = 0;
    uint16_t local_port = 0;
};

Endpoint endpoint_random(Random &random, uint16_t peer_port);
zn_acc_flow_address endpoint_address(const Endpoint &end, uint16_t ip_id);

// What else is in a client's segment.
struct Segment {
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint16_t window = 1000;
    uint8_t flags = TCP_ACK;
    uint8_t options_len = 0; // bytes of TCP options, a multiple of 4 up to 40
    uint8_t padding = 0;     // bytes after the IP packet
};

// A whole packet from the client, checksums right.
Bytes packet_build(const Endpoint &end, const Segment &segment, const uint8_t *payload, size_t len);

// Where things are in a packet that packet_build() made.
size_t packet_ip_offset(const Endpoint &end);
size_t packet_tcp_offset(const Endpoint &end);

// Makes the checksums of a packet right, if its headers say enough to find them. For packets of
// others.
void packet_fix_checksums(Bytes &packet);

// A packet that the accelerator sent to a client, taken apart; error is null if all of it is as it
// has to be.
struct Received {
    const char *error = nullptr;
    bool v6 = false;
    bool has_vlan = false;
    uint8_t vlan[2] = { 0, 0 };
    uint8_t from[16] = { 0 };
    uint8_t to[16] = { 0 };
    uint16_t from_port = 0;
    uint16_t to_port = 0;
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint16_t window = 0;
    uint8_t flags = 0;
    Bytes payload;
};
Received packet_parse(const Bytes &packet);

} // namespace cosim

#endif
