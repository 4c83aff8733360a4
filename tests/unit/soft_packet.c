// SPDX-License-Identifier: Apache-2.0
// Packets, plainly.
#include "soft_packet.h"

#include <string.h>

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

struct soft_peer soft_peer_make(uint32_t n)
{
    struct soft_peer peer = {
        .v6 = n & 1, .has_vlan = n % 3 == 2, .peer_port = (uint16_t)(20000 + n), .local_port = 443
    };
    size_t address_len = peer.v6 ? 16 : 4;
    for (size_t i = 0; i < address_len; i++) {
        peer.peer_address[i] = (uint8_t)(10 + i * 7 + (n >> 3));
        peer.local_address[i] = (uint8_t)(192 - i * 5);
    }
    put32(peer.peer_address, 0x0a000000 + n);
    put32(peer.mac, 0x02005e00 + n);
    put16(peer.mac + 4, n);
    if (peer.has_vlan)
        put16(peer.vlan, 0x6000 + n % 4096);
    return peer;
}

size_t soft_packet_ip(const struct soft_peer *peer)
{
    return peer->has_vlan ? 18 : 14;
}

size_t soft_packet_tcp(const struct soft_peer *peer)
{
    return soft_packet_ip(peer) + (peer->v6 ? 40 : 20);
}

static uint32_t add_words(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    return sum;
}

static uint16_t checksum(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

// Over pseudo-header and segment, its checksum field included.
static uint16_t tcp_checksum(const uint8_t *ip, bool v6, const uint8_t *tcp, size_t len)
{
    uint32_t sum = v6 ? add_words(0, ip + 8, 32) : add_words(0, ip + 12, 8);
    sum += 6 + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
    return checksum(add_words(sum, tcp, len));
}

void soft_packet_seal(uint8_t *packet, const struct soft_peer *peer)
{
    uint8_t *ip = packet + soft_packet_ip(peer), *tcp = packet + soft_packet_tcp(peer);
    size_t tcp_len = peer->v6 ? get16(ip + 4) : get16(ip + 2) - 20u;
    put16(tcp + 16, 0);
    put16(tcp + 16, tcp_checksum(ip, peer->v6, tcp, tcp_len));
    if (!peer->v6) {
        put16(ip + 10, 0);
        put16(ip + 10, checksum(add_words(0, ip, 20)));
    }
}

size_t soft_packet_make(uint8_t *out, const struct soft_peer *peer,
                        const struct soft_segment *segment)
{
    static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 };
    size_t at = soft_packet_ip(peer), tcp_len = 20 + segment->tcp_options + segment->len;
    uint8_t *ip = out + at, *tcp = out + soft_packet_tcp(peer);
    memset(out, 0, SOFT_HEADERS_MAX);
    memcpy(out, our_mac, 6);
    memcpy(out + 6, peer->mac, 6);
    if (peer->has_vlan) {
        put16(out + 12, 0x8100);
        memcpy(out + 14, peer->vlan, 2);
    }
    put16(out + at - 2, peer->v6 ? 0x86dd : 0x0800);
    if (peer->v6) {
        put32(ip, 0x60012345);
        put16(ip + 4, (uint32_t)tcp_len);
        ip[6] = 6;
        ip[7] = 55;
        memcpy(ip + 8, peer->peer_address, 16);
        memcpy(ip + 24, peer->local_address, 16);
    } else {
        put32(ip, 0x45080000 + 20 + (uint32_t)tcp_len);
        put32(ip + 4, 0x12344000);
        ip[8] = 55;
        ip[9] = 6;
        memcpy(ip + 12, peer->peer_address, 4);
        memcpy(ip + 16, peer->local_address, 4);
    }
    put16(tcp, peer->peer_port);
    put16(tcp + 2, peer->local_port);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    tcp[12] = (uint8_t)((20 + segment->tcp_options) / 4 << 4);
    tcp[13] = segment->flags;
    put16(tcp + 14, segment->window);
    memset(tcp + 20, 1, segment->tcp_options); // no operation
    if (segment->len > 0)
        memcpy(tcp + 20 + segment->tcp_options, segment->payload, segment->len);
    soft_packet_seal(out, peer);
    return (size_t)(tcp - out) + tcp_len;
}

static const char *read_ip(const uint8_t *ip, size_t len, struct soft_sent *sent)
{
    if (len < (sent->v6 ? 60 : 40))
        return "cut off";
    if (sent->v6) {
        if ((get32(ip) & 0xf00fffff) != 0x60000000)
            return "IPv6 version or flow label";
        sent->tos = (uint8_t)(get16(ip) >> 4);
        sent->ttl = ip[7];
        memcpy(sent->from, ip + 8, 16);
        memcpy(sent->to, ip + 24, 16);
        return get16(ip + 4) == len - 40 && ip[6] == 6 ? NULL : "IPv6 length or next header";
    }
    if (checksum(add_words(0, ip, 20)) != 0)
        return "IPv4 checksum";
    sent->tos = ip[1];
    sent->ip_id = get16(ip + 4);
    sent->ip_flags = get16(ip + 6);
    sent->ttl = ip[8];
    memcpy(sent->from, ip + 12, 4);
    memcpy(sent->to, ip + 16, 4);
    return ip[0] == 0x45 && get16(ip + 2) == len && ip[9] == 6 ? NULL : "IPv4 length or protocol";
}

const char *soft_packet_read(const uint8_t *packet, size_t len, struct soft_sent *sent)
{
    memset(sent, 0, sizeof(*sent));
    if (len < 54)
        return "cut off";
    memcpy(sent->destination, packet, 6);
    memcpy(sent->source, packet + 6, 6);
    sent->has_vlan = get16(packet + 12) == 0x8100;
    if (sent->has_vlan)
        memcpy(sent->vlan, packet + 14, 2);
    const uint8_t *ip = packet + (sent->has_vlan ? 18 : 14);
    size_t ip_len = len - (size_t)(ip - packet);
    uint16_t type = get16(ip - 2);
    if (type != 0x86dd && type != 0x0800)
        return "Ethernet type";
    sent->v6 = type == 0x86dd;
    const char *wrong = read_ip(ip, ip_len, sent);
    if (wrong != NULL)
        return wrong;
    const uint8_t *tcp = ip + (sent->v6 ? 40 : 20);
    size_t tcp_len = ip_len - (sent->v6 ? 40 : 20);
    if (tcp[12] != 0x50)
        return "TCP header length";
    if (tcp_checksum(ip, sent->v6, tcp, tcp_len) != 0)
        return "TCP checksum";
    sent->from_port = get16(tcp);
    sent->to_port = get16(tcp + 2);
    sent->seq = get32(tcp + 4);
    sent->ack = get32(tcp + 8);
    sent->flags = tcp[13];
    sent->window = get16(tcp + 14);
    sent->urgent = get16(tcp + 18);
    sent->payload = tcp + 20;
    sent->len = tcp_len - 20;
    return NULL;
}

size_t soft_frame_make(uint8_t *out, uint8_t first, const uint8_t key[4], const void *payload,
                       size_t len)
{
    size_t at = 2;
    out[0] = first;
    out[1] = (uint8_t)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
    if (len >= 65536) {
        put32(out + at, 0);
        put32(out + at + 4, (uint32_t)len);
        at += 8;
    } else if (len >= 126) {
        put16(out + at, (uint32_t)len);
        at += 2;
    }
    memcpy(out + at, key, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        out[at + i] = ((const uint8_t *)payload)[i] ^ key[i % 4];
    return at + len;
}

uint32_t soft_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}
