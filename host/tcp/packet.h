// SPDX-License-Identifier: Apache-2.0
// Packets as bytes: what a segment says, and segments to send. Pure functions over the caller's
// memory.
#ifndef ZN_TCP_PACKET_H
#define ZN_TCP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    ZN_TCP_FIN = 0x01,
    ZN_TCP_SYN = 0x02,
    ZN_TCP_RST = 0x04,
    ZN_TCP_PSH = 0x08,
    ZN_TCP_ACK = 0x10,
    ZN_TCP_URG = 0x20,
};

enum {
    ZN_TCP_SACK_BLOCKS = 4,      // what 40 bytes of options hold
    ZN_PACKET_HEADERS_MAX = 118, // Ethernet, VLAN, IPv6, TCP with all options
};

// Both ends of a connection, as bytes on the wire. IPv4 addresses stand in the first four bytes,
// the rest is 0, so that two tuples compare with memcmp.
struct zn_tuple {
    uint8_t peer_address[16];
    uint8_t local_address[16];
    uint8_t peer_port[2];
    uint8_t local_port[2];
};

// The link under a connection: answers go back the way that the peer's packets came.
struct zn_tcp_link {
    uint8_t peer_mac[6];
    uint8_t vlan[2]; // tag control information
    bool has_vlan;
    bool v6;
};

struct zn_sack_block {
    uint32_t start;
    uint32_t end; // exclusive
};

struct zn_segment {
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    uint32_t seq;
    uint32_t ack;
    uint16_t window; // as on the wire, not scaled
    uint8_t flags;
    uint8_t sack_blocks;
    bool has_mss;
    bool has_scale;
    bool sack_permitted;
    uint8_t scale; // at most 14 (RFC 7323 section 2.3)
    uint16_t mss;
    struct zn_sack_block sack[ZN_TCP_SACK_BLOCKS];
    uint8_t *payload; // in the packet
    uint32_t payload_len;
};

enum zn_packet_kind {
    ZN_PACKET_TCP,
    ZN_PACKET_ARP,
    ZN_PACKET_ICMP,
    ZN_PACKET_ICMP6,
    ZN_PACKET_OTHER,
    ZN_PACKET_BAD, // lengths contradict each other, a header is cut off, or a checksum is wrong
};

// Where the layers of a packet lie.
struct zn_packet {
    uint8_t *bytes;
    size_t len;
    struct zn_tcp_link link;
    uint16_t l3;  // offset of the IP or ARP header
    uint16_t l4;  // offset behind the IP header
    uint16_t end; // offset behind the IP packet; what follows is padding
};

// Walks Ethernet (one VLAN tag at most), IPv4 without fragments and IPv6 without extension headers.
// IPv4's header checksum is looked at unless `verified`.
enum zn_packet_kind zn__packet_parse(uint8_t *bytes, size_t len, bool verified,
                                     struct zn_packet *packet_out);

// Reads the TCP header and options of a ZN_PACKET_TCP. Every option length is checked; an option
// that does not fit ends the list, as do unknown ones of length 0 or 1 (RFC 9293 section 3.1). 0 or
// -EBADMSG: header or checksum is wrong (the checksum is looked at unless `verified`).
int zn__segment_parse(const struct zn_packet *packet, bool verified,
                      struct zn_segment *segment_out);

// What a segment that the host makes itself consists of.
struct zn_segment_out {
    const struct zn_tuple *tuple;
    const struct zn_tcp_link *link;
    const uint8_t *local_mac;
    uint32_t seq;
    uint32_t ack;
    uint16_t window;
    uint16_t ip_id;
    uint8_t flags;
    uint8_t sack_blocks;
    bool sack_permitted;
    uint8_t scale; // with SYN: 0 to 14; 255: no option
    uint16_t mss;  // with SYN: 0: no option
    const struct zn_sack_block *sack;
    const uint8_t *payload;
    uint32_t payload_len;
};

// Writes all headers, checksums included, to `headers[0, ZN_PACKET_HEADERS_MAX)`; returns their
// length.
size_t zn__segment_compose(const struct zn_segment_out *out, uint8_t *headers);

// Ones' complement sum of bytes (RFC 1071) added to `sum`; folded by zn__sum_finish().
uint64_t zn__sum_add(uint64_t sum, const void *data, size_t len);
uint16_t zn__sum_finish(uint64_t sum); // in wire order

static inline uint16_t zn__get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t zn__get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void zn__put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void zn__put32(uint8_t *p, uint32_t v)
{
    zn__put16(p, (uint16_t)(v >> 16));
    zn__put16(p + 2, (uint16_t)v);
}

#endif
