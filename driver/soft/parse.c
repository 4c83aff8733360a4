// SPDX-License-Identifier: Apache-2.0
// The walk through a packet's headers, from the front: each header is whole, then its lengths are
// right, then what it says is looked at.
//
// Thread: pure functions.
#include "soft/parse.h"
#include "soft/checksum.h"
#include "soft/wire.h"

#include <string.h>

enum { FRAGMENT_BITS = 0x3fff }; // offset and MF

// Where the IP packet's parts are.
struct ip {
    const uint8_t *addresses; // peer's, local; the TCP segment follows at once
    size_t addresses_len;     // of both
    const uint8_t *tcp;
    size_t tcp_len;
};

// The header's and the whole packet's length.
static bool ipv4_lengths_good(const uint8_t *ip, size_t left)
{
    size_t header_len = (ip[0] & 15) * 4, total_len = zn__load_be16(ip + 2);
    return header_len >= ZN__IPV4_HEADER && total_len >= header_len && total_len <= left;
}

static enum zn_acc_reason parse_ipv4(const uint8_t *ip, size_t left, struct ip *out)
{
    if (left < ZN__IPV4_HEADER || !ipv4_lengths_good(ip, left))
        return ZN_REASON_BAD_LENGTH;
    if (ip[0] >> 4 != 4 || ip[9] != ZN__PROTOCOL_TCP)
        return ZN_REASON_NOT_TCP;
    if (ip[0] != 0x45)
        return ZN_REASON_IP_OPTIONS;
    if (zn__load_be16(ip + 6) & FRAGMENT_BITS)
        return ZN_REASON_FRAGMENT;
    if (zn__soft_sum_fold(zn__soft_sum(ip, ZN__IPV4_HEADER)) != 0xffff)
        return ZN_REASON_BAD_IP_CHECKSUM;
    out->addresses = ip + 12;
    out->addresses_len = 8;
    out->tcp = ip + ZN__IPV4_HEADER;
    out->tcp_len = zn__load_be16(ip + 2) - (size_t)ZN__IPV4_HEADER;
    return ZN_REASON_OK;
}

static bool is_extension(uint8_t next_header)
{
    switch (next_header) {
    case 0:
    case 43:
    case 44:
    case 50:
    case 51:
    case 60:
    case 135:
    case 139:
    case 140:
        return true;
    default:
        return false;
    }
}

static enum zn_acc_reason parse_ipv6(const uint8_t *ip, size_t left, struct ip *out)
{
    if (left < ZN__IPV6_HEADER || zn__load_be16(ip + 4) > left - ZN__IPV6_HEADER)
        return ZN_REASON_BAD_LENGTH;
    if (ip[0] >> 4 != 6)
        return ZN_REASON_NOT_TCP;
    if (ip[6] != ZN__PROTOCOL_TCP)
        return is_extension(ip[6]) ? ZN_REASON_IP_OPTIONS : ZN_REASON_NOT_TCP;
    out->addresses = ip + 8;
    out->addresses_len = 32;
    out->tcp = ip + ZN__IPV6_HEADER;
    out->tcp_len = zn__load_be16(ip + 4);
    return ZN_REASON_OK;
}

static enum zn_acc_reason parse_ip(const uint8_t *packet, size_t len, bool *v6, struct ip *out)
{
    if (len < ZN__ETHERNET_HEADER)
        return ZN_REASON_BAD_LENGTH;
    size_t at = ZN__ETHERNET_HEADER;
    uint16_t type = zn__load_be16(packet + 12);
    if (type == ZN__TYPE_VLAN) {
        at += ZN__VLAN_TAG;
        if (len < at)
            return ZN_REASON_BAD_LENGTH;
        type = zn__load_be16(packet + 16);
    }
    *v6 = type == ZN__TYPE_IPV6;
    if (type == ZN__TYPE_IPV4)
        return parse_ipv4(packet + at, len - at, out);
    if (type == ZN__TYPE_IPV6)
        return parse_ipv6(packet + at, len - at, out);
    return ZN_REASON_NOT_TCP;
}

// RFC 9293 section 3.1. Addresses and segment lie side by side.
static bool tcp_checksum_good(const struct ip *ip)
{
    uint64_t sum = zn__soft_sum(ip->addresses, ip->addresses_len + ip->tcp_len);
    sum += zn__be16(ZN__PROTOCOL_TCP);
    sum += zn__be16((uint16_t)ip->tcp_len);
    return zn__soft_sum_fold(sum) == 0xffff;
}

static bool tcp_flags_good(uint8_t flags)
{
    unsigned seen = ZN__TCP_URG | ZN__TCP_ACK | ZN__TCP_RST | ZN__TCP_SYN | ZN__TCP_FIN;
    return (flags & seen) == ZN__TCP_ACK;
}

static void tuple_read(const struct ip *ip, struct zn__soft_tuple *tuple)
{
    size_t each = ip->addresses_len / 2;
    if (each == 4) {
        memset(tuple, 0, sizeof(*tuple));
        memcpy(tuple->peer_address, ip->addresses, 4);
        memcpy(tuple->local_address, ip->addresses + 4, 4);
    } else {
        memcpy(tuple->peer_address, ip->addresses, 16);
        memcpy(tuple->local_address, ip->addresses + 16, 16);
    }
    memcpy(tuple->peer_port, ip->tcp, 2);
    memcpy(tuple->local_port, ip->tcp + 2, 2);
}

static enum zn_acc_reason parse(const uint8_t *packet, size_t len, struct zn__soft_segment *segment)
{
    struct ip ip;
    enum zn_acc_reason reason = parse_ip(packet, len, &segment->v6, &ip);
    if (reason != ZN_REASON_OK)
        return reason;
    if (ip.tcp_len < ZN__TCP_HEADER)
        return ZN_REASON_BAD_LENGTH;
    size_t header_len = (ip.tcp[12] >> 4) * 4;
    if (header_len < ZN__TCP_HEADER || header_len > ip.tcp_len)
        return ZN_REASON_BAD_LENGTH;
    if (!tcp_checksum_good(&ip))
        return ZN_REASON_BAD_TCP_CHECKSUM;
    segment->checksum_ok = true;
    if (!tcp_flags_good(ip.tcp[13]))
        return ZN_REASON_TCP_FLAGS;
    if (header_len == ip.tcp_len)
        return ZN_REASON_NO_PAYLOAD;
    tuple_read(&ip, &segment->tuple);
    segment->seq = zn__load_be32(ip.tcp + 4);
    segment->payload_offset = (uint16_t)(ip.tcp + header_len - packet);
    segment->payload_len = (uint16_t)(ip.tcp_len - header_len);
    return ZN_REASON_OK;
}

void zn__soft_parse(const uint8_t *packet, size_t len, struct zn__soft_segment *segment)
{
    segment->checksum_ok = false;
    segment->reason = (uint8_t)parse(packet, len, segment);
}
