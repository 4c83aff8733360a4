// SPDX-License-Identifier: Apache-2.0
#include "tcp/packet.h"

#include <errno.h>
#include <string.h>

enum {
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_VLAN = 0x8100,
    ETH_IPV6 = 0x86dd,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_ICMP6 = 58,
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_SCALE = 3,
    OPT_SACK_PERMITTED = 4,
    OPT_SACK = 5,
    SCALE_MAX = 14,
};

uint64_t zn__sum_add(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; len >= 4; p += 4, len -= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        sum += word;
    }
    uint8_t rest[4] = { 0 };
    uint32_t word;
    if (len != 0)
        memcpy(rest, p, len);
    memcpy(&word, rest, 4);
    return sum + word;
}

uint16_t zn__sum_finish(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static enum zn_packet_kind parse_ip4(struct zn_packet *packet, bool verified)
{
    const uint8_t *ip = packet->bytes + packet->l3;
    size_t room = packet->len - packet->l3;
    if (room < 20 || ip[0] >> 4 != 4)
        return ZN_PACKET_BAD;
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t total = zn__get16(ip + 2);
    if (header < 20 || header > total || total > room)
        return ZN_PACKET_BAD;
    if (!verified && zn__sum_finish(zn__sum_add(0, ip, header)) != 0)
        return ZN_PACKET_BAD;
    if ((zn__get16(ip + 6) & 0x3fff) != 0) // offset or MF
        return ZN_PACKET_OTHER;
    packet->l4 = (uint16_t)(packet->l3 + header);
    packet->end = (uint16_t)(packet->l3 + total);
    if (ip[9] == PROTO_TCP)
        return ZN_PACKET_TCP;
    return ip[9] == PROTO_ICMP ? ZN_PACKET_ICMP : ZN_PACKET_OTHER;
}

static enum zn_packet_kind parse_ip6(struct zn_packet *packet)
{
    const uint8_t *ip = packet->bytes + packet->l3;
    size_t room = packet->len - packet->l3;
    if (room < 40 || ip[0] >> 4 != 6)
        return ZN_PACKET_BAD;
    size_t payload = zn__get16(ip + 4);
    if (payload > room - 40)
        return ZN_PACKET_BAD;
    packet->link.v6 = true;
    packet->l4 = (uint16_t)(packet->l3 + 40);
    packet->end = (uint16_t)(packet->l4 + payload);
    if (ip[6] == PROTO_TCP)
        return ZN_PACKET_TCP;
    return ip[6] == PROTO_ICMP6 ? ZN_PACKET_ICMP6 : ZN_PACKET_OTHER;
}

enum zn_packet_kind zn__packet_parse(uint8_t *bytes, size_t len, bool verified,
                                     struct zn_packet *packet_out)
{
    *packet_out = (struct zn_packet){ .bytes = bytes, .len = len };
    if (len < 14 || len > UINT16_MAX)
        return ZN_PACKET_BAD;
    memcpy(packet_out->link.peer_mac, bytes + 6, 6);
    uint16_t type = zn__get16(bytes + 12);
    packet_out->l3 = 14;
    if (type == ETH_VLAN) {
        if (len < 18)
            return ZN_PACKET_BAD;
        memcpy(packet_out->link.vlan, bytes + 14, 2);
        packet_out->link.has_vlan = true;
        type = zn__get16(bytes + 16);
        packet_out->l3 = 18;
    }
    packet_out->l4 = packet_out->l3;
    packet_out->end = (uint16_t)len;
    switch (type) {
    case ETH_IPV4:
        return parse_ip4(packet_out, verified);
    case ETH_IPV6:
        return parse_ip6(packet_out);
    case ETH_ARP:
        return ZN_PACKET_ARP;
    default:
        return ZN_PACKET_OTHER;
    }
}

static void parse_sack(const uint8_t *data, size_t len, struct zn_segment *segment)
{
    for (; len >= 8 && segment->sack_blocks < ZN_TCP_SACK_BLOCKS; data += 8, len -= 8)
        segment->sack[segment->sack_blocks++] =
            (struct zn_sack_block){ zn__get32(data), zn__get32(data + 4) };
}

static void parse_option(uint8_t kind, const uint8_t *data, size_t len, struct zn_segment *segment)
{
    bool syn = segment->flags & ZN_TCP_SYN;
    if (kind == OPT_MSS && len == 2 && syn) {
        segment->has_mss = true;
        segment->mss = zn__get16(data);
    } else if (kind == OPT_SCALE && len == 1 && syn) {
        segment->has_scale = true;
        segment->scale = data[0] > SCALE_MAX ? SCALE_MAX : data[0];
    } else if (kind == OPT_SACK_PERMITTED && len == 0 && syn) {
        segment->sack_permitted = true;
    } else if (kind == OPT_SACK && len % 8 == 0) {
        parse_sack(data, len, segment);
    }
}

static void parse_options(const uint8_t *p, size_t len, struct zn_segment *segment)
{
    while (len > 0 && p[0] != OPT_END) {
        if (p[0] == OPT_NOP) {
            p++;
            len--;
            continue;
        }
        if (len < 2 || p[1] < 2 || p[1] > len)
            return;
        parse_option(p[0], p + 2, (size_t)p[1] - 2, segment);
        len -= p[1];
        p += p[1];
    }
}

// The pseudo-header's part of the sum (RFC 9293 section 3.1, RFC 8200 section 8.1).
static uint64_t pseudo_sum(const struct zn_tuple *tuple, bool v6, size_t tcp_len)
{
    size_t address = v6 ? 16 : 4;
    uint8_t rest[8] = { 0, 0, 0, 0, 0, 0, 0, PROTO_TCP };
    zn__put32(rest, (uint32_t)tcp_len);
    uint64_t sum = zn__sum_add(0, tuple->peer_address, address);
    sum = zn__sum_add(sum, tuple->local_address, address);
    return zn__sum_add(sum, rest, sizeof(rest));
}

static void parse_tuple(const struct zn_packet *packet, struct zn_tuple *tuple)
{
    const uint8_t *ip = packet->bytes + packet->l3;
    const uint8_t *tcp = packet->bytes + packet->l4;
    size_t address = packet->link.v6 ? 16 : 4;
    size_t source = packet->link.v6 ? 8 : 12;
    memcpy(tuple->peer_address, ip + source, address);
    memcpy(tuple->local_address, ip + source + address, address);
    memcpy(tuple->peer_port, tcp, 2);
    memcpy(tuple->local_port, tcp + 2, 2);
}

int zn__segment_parse(const struct zn_packet *packet, bool verified, struct zn_segment *segment_out)
{
    uint8_t *tcp = packet->bytes + packet->l4;
    size_t len = (size_t)(packet->end - packet->l4);
    *segment_out = (struct zn_segment){ .link = packet->link };
    if (len < 20)
        return -EBADMSG;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < 20 || header > len)
        return -EBADMSG;
    parse_tuple(packet, &segment_out->tuple);
    if (!verified && zn__sum_finish(zn__sum_add(
                         pseudo_sum(&segment_out->tuple, packet->link.v6, len), tcp, len)) != 0)
        return -EBADMSG;
    segment_out->seq = zn__get32(tcp + 4);
    segment_out->ack = zn__get32(tcp + 8);
    segment_out->flags = tcp[13] & 0x3f;
    segment_out->window = zn__get16(tcp + 14);
    segment_out->payload = tcp + header;
    segment_out->payload_len = (uint32_t)(len - header);
    parse_options(tcp + 20, header - 20, segment_out);
    return 0;
}

static size_t compose_link(const struct zn_segment_out *out, uint8_t *p)
{
    memcpy(p, out->link->peer_mac, 6);
    memcpy(p + 6, out->local_mac, 6);
    size_t at = 12;
    if (out->link->has_vlan) {
        zn__put16(p + at, ETH_VLAN);
        memcpy(p + at + 2, out->link->vlan, 2);
        at += 4;
    }
    zn__put16(p + at, out->link->v6 ? ETH_IPV6 : ETH_IPV4);
    return at + 2;
}

static size_t compose_ip(const struct zn_segment_out *out, uint8_t *p, size_t tcp_len)
{
    const struct zn_tuple *t = out->tuple;
    if (out->link->v6) {
        memset(p, 0, 8);
        p[0] = 0x60;
        zn__put16(p + 4, (uint16_t)tcp_len);
        p[6] = PROTO_TCP;
        p[7] = 64;
        memcpy(p + 8, t->local_address, 16);
        memcpy(p + 24, t->peer_address, 16);
        return 40;
    }
    memset(p, 0, 12);
    p[0] = 0x45;
    zn__put16(p + 2, (uint16_t)(20 + tcp_len));
    zn__put16(p + 4, out->ip_id);
    p[6] = 0x40; // DF
    p[8] = 64;
    p[9] = PROTO_TCP;
    memcpy(p + 12, t->local_address, 4);
    memcpy(p + 16, t->peer_address, 4);
    uint16_t sum = zn__sum_finish(zn__sum_add(0, p, 20));
    memcpy(p + 10, &sum, 2);
    return 20;
}

static size_t compose_options(const struct zn_segment_out *out, uint8_t *p)
{
    size_t at = 0;
    if (out->flags & ZN_TCP_SYN && out->mss != 0) {
        p[at] = OPT_MSS;
        p[at + 1] = 4;
        zn__put16(p + at + 2, out->mss);
        at += 4;
    }
    if (out->flags & ZN_TCP_SYN && out->sack_permitted) {
        memcpy(p + at, (uint8_t[]){ OPT_NOP, OPT_NOP, OPT_SACK_PERMITTED, 2 }, 4);
        at += 4;
    }
    if (out->flags & ZN_TCP_SYN && out->scale != 255) {
        memcpy(p + at, (uint8_t[]){ OPT_NOP, OPT_SCALE, 3, out->scale }, 4);
        at += 4;
    }
    if (out->sack_blocks != 0) {
        uint8_t bytes = (uint8_t)(2 + 8 * out->sack_blocks);
        memcpy(p + at, (uint8_t[]){ OPT_NOP, OPT_NOP, OPT_SACK, bytes }, 4);
        at += 4;
        for (unsigned i = 0; i < out->sack_blocks; i++, at += 8) {
            zn__put32(p + at, out->sack[i].start);
            zn__put32(p + at + 4, out->sack[i].end);
        }
    }
    return at;
}

size_t zn__segment_compose(const struct zn_segment_out *out, uint8_t *headers)
{
    size_t l3 = compose_link(out, headers);
    size_t l4 = l3 + (out->link->v6 ? 40 : 20);
    uint8_t *tcp = headers + l4;
    size_t header = 20 + compose_options(out, tcp + 20);
    compose_ip(out, headers + l3, header + out->payload_len);
    memcpy(tcp, out->tuple->local_port, 2);
    memcpy(tcp + 2, out->tuple->peer_port, 2);
    zn__put32(tcp + 4, out->seq);
    zn__put32(tcp + 8, out->ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = out->flags;
    zn__put16(tcp + 14, out->window);
    memset(tcp + 16, 0, 4);
    uint64_t sum = pseudo_sum(out->tuple, out->link->v6, header + out->payload_len);
    sum = zn__sum_add(sum, tcp, header);
    sum = zn__sum_add(sum, out->payload, out->payload_len);
    uint16_t folded = zn__sum_finish(sum);
    memcpy(tcp + 16, &folded, 2);
    return l4 + header;
}
