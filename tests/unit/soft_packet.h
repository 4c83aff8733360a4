// SPDX-License-Identifier: Apache-2.0
// Packets for tests of the accelerator, made and read byte by byte, with nothing of the code under
// test.
#ifndef ZN_TESTS_SOFT_PACKET_H
#define ZN_TESTS_SOFT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOFT_FIN = 1,
    SOFT_SYN = 2,
    SOFT_RST = 4,
    SOFT_PSH = 8,
    SOFT_ACK = 16,
    SOFT_URG = 32,
    SOFT_HEADERS_MAX = 14 + 4 + 60 + 60,
};

// One end of a connection, as the other sees it. Addresses of IPv4 are in the first four bytes.
struct soft_peer {
    bool v6, has_vlan;
    uint8_t mac[6];
    uint8_t vlan[2];
    uint8_t peer_address[16], local_address[16];
    uint16_t peer_port, local_port;
};

// Peer number `n`: all its fields depend on it, among them v6 (n odd) and has_vlan (every third).
struct soft_peer soft_peer_make(uint32_t n);

// The peer's segment to us; good lengths and checksums. `tcp_options`: bytes, a multiple of 4.
// Returns its length.
struct soft_segment {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    const void *payload;
    size_t len;
    size_t tcp_options;
};
size_t soft_packet_make(uint8_t *out, const struct soft_peer *peer,
                        const struct soft_segment *segment);

// Makes both checksums of a packet good again after a change.
void soft_packet_seal(uint8_t *packet, const struct soft_peer *peer);

// Where its IP and TCP headers begin.
size_t soft_packet_ip(const struct soft_peer *peer);
size_t soft_packet_tcp(const struct soft_peer *peer);

// What a segment from us to a peer says.
struct soft_sent {
    bool v6, has_vlan;
    uint8_t destination[6], source[6];
    uint8_t vlan[2];
    uint8_t tos, ttl;
    uint16_t ip_id, ip_flags;
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint16_t window, urgent;
    uint8_t flags;
    const uint8_t *payload;
    size_t len;
};

// Reads a packet; NULL, or what is wrong with it: a length, a header that is not as we send them, a
// checksum.
const char *soft_packet_read(const uint8_t *packet, size_t len, struct soft_sent *sent);

// A masked frame; returns its length. `first`: FIN, RSV, opcode.
size_t soft_frame_make(uint8_t *out, uint8_t first, const uint8_t key[4], const void *payload,
                       size_t len);

// Xorshift; the seed is not 0.
uint32_t soft_random(uint32_t *seed);

#endif
