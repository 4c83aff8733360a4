// SPDX-License-Identifier: Apache-2.0
// Headers as they stand on the wire: Ethernet, IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293).
//
// Thread: pure functions.
#ifndef ZN_SOFT_WIRE_H
#define ZN_SOFT_WIRE_H

#include <stdint.h>
#include <string.h>

// Bytes of headers.
enum {
    ZN__ETHERNET_HEADER = 14,
    ZN__VLAN_TAG = 4,
    ZN__IPV4_HEADER = 20, // without options
    ZN__IPV6_HEADER = 40,
    ZN__TCP_HEADER = 20, // without options
    ZN__HEADERS_MAX = ZN__ETHERNET_HEADER + ZN__VLAN_TAG + ZN__IPV6_HEADER + ZN__TCP_HEADER,
};

enum {
    ZN__TYPE_IPV4 = 0x0800,
    ZN__TYPE_VLAN = 0x8100,
    ZN__TYPE_IPV6 = 0x86dd,
    ZN__PROTOCOL_TCP = 6,
};

enum {
    ZN__TCP_FIN = 1 << 0,
    ZN__TCP_SYN = 1 << 1,
    ZN__TCP_RST = 1 << 2,
    ZN__TCP_PSH = 1 << 3,
    ZN__TCP_ACK = 1 << 4,
    ZN__TCP_URG = 1 << 5,
};

static inline uint16_t zn__be16(uint16_t value)
{
    return __builtin_bswap16(value);
}

static inline uint32_t zn__be32(uint32_t value)
{
    return __builtin_bswap32(value);
}

static inline uint16_t zn__load_be16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof(value));
    return zn__be16(value);
}

static inline uint32_t zn__load_be32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof(value));
    return zn__be32(value);
}

static inline void zn__store_be16(uint8_t *p, uint16_t value)
{
    value = zn__be16(value);
    memcpy(p, &value, sizeof(value));
}

static inline void zn__store_be32(uint8_t *p, uint32_t value)
{
    value = zn__be32(value);
    memcpy(p, &value, sizeof(value));
}

#endif
