// SPDX-License-Identifier: Apache-2.0
// Headers are kept ready a flow; a segment copies them and writes what differs. The TCP checksum is
// put together from sums of its parts: the flow's addresses and ports, this segment's fields, and
// the payload.
#include "soft/compose.h"
#include "soft/checksum.h"

enum { VERSION_AND_LENGTH = 0x45, DONT_FRAGMENT = 0x4000, TCP_HEADER_WORDS = ZN__TCP_HEADER / 4 };

// Returns the bytes written.
static size_t put_ethernet(uint8_t *out, const struct zn_acc_flow_address *address)
{
    uint16_t type = address->ip_version == 6 ? ZN__TYPE_IPV6 : ZN__TYPE_IPV4;
    size_t at = 12;
    memcpy(out, address->peer_mac, sizeof(address->peer_mac));
    if (address->has_vlan) {
        zn__store_be16(out + at, ZN__TYPE_VLAN);
        memcpy(out + at + 2, address->vlan, sizeof(address->vlan));
        at += ZN__VLAN_TAG;
    }
    zn__store_be16(out + at, type);
    return at + 2;
}

static size_t put_ipv4(uint8_t *out, const struct zn_acc_flow_address *address)
{
    out[0] = VERSION_AND_LENGTH;
    zn__store_be16(out + 6, DONT_FRAGMENT);
    out[9] = ZN__PROTOCOL_TCP;
    memcpy(out + 12, address->local_address, 4);
    memcpy(out + 16, address->peer_address, 4);
    return ZN__IPV4_HEADER;
}

static size_t put_ipv6(uint8_t *out, const struct zn_acc_flow_address *address)
{
    out[6] = ZN__PROTOCOL_TCP;
    memcpy(out + 8, address->local_address, 16);
    memcpy(out + 24, address->peer_address, 16);
    return ZN__IPV6_HEADER;
}

void zn__soft_compose_prepare(struct zn__soft_tx_flow *tx,
                              const struct zn_acc_flow_address *address)
{
    uint8_t *out = tx->headers;
    memset(out, 0, sizeof(tx->headers));
    tx->v6 = address->ip_version == 6;
    size_t used = tx->v6 ? 16 : 4;
    tx->ip_id = address->ip_id;
    tx->address_sum = zn__soft_sum_fold(zn__soft_sum(address->local_address, used) +
                                        zn__soft_sum(address->peer_address, used));
    tx->port_sum = zn__soft_sum_fold(zn__soft_sum(address->local_port, 2) +
                                     zn__soft_sum(address->peer_port, 2));
    size_t at = put_ethernet(out, address);
    tx->ip_at = (uint8_t)at;
    at += tx->v6 ? put_ipv6(out + at, address) : put_ipv4(out + at, address);
    memcpy(out + at, address->local_port, 2);
    memcpy(out + at + 2, address->peer_port, 2);
    out[at + 12] = TCP_HEADER_WORDS << 4;
    tx->headers_len = (uint8_t)(at + ZN__TCP_HEADER);
}

// What differs in the IP header from segment to segment.
static void write_ip(const struct zn__soft_settings *settings, struct zn__soft_tx_flow *tx,
                     uint8_t *ip, uint16_t tcp_len)
{
    if (tx->v6) {
        ip[0] = (uint8_t)(0x60 | settings->tos >> 4);
        ip[1] = (uint8_t)(settings->tos << 4);
        zn__store_be16(ip + 4, tcp_len);
        ip[7] = settings->ttl;
        return;
    }
    uint16_t total_len = zn__be16((uint16_t)(ZN__IPV4_HEADER + tcp_len));
    uint16_t id = zn__be16(tx->ip_id++);
    // From the fields, not from memory: that would wait for the bytes just written.
    uint64_t sum = tx->address_sum;
    sum += zn__be16((uint16_t)(VERSION_AND_LENGTH << 8 | settings->tos));
    sum += total_len;
    sum += id;
    sum += zn__be16(DONT_FRAGMENT);
    sum += zn__be16((uint16_t)(settings->ttl << 8 | ZN__PROTOCOL_TCP));
    uint16_t checksum = (uint16_t)~zn__soft_sum_fold(sum);
    ip[1] = settings->tos;
    memcpy(ip + 2, &total_len, sizeof(total_len));
    memcpy(ip + 4, &id, sizeof(id));
    ip[8] = settings->ttl;
    memcpy(ip + 10, &checksum, sizeof(checksum));
}

void zn__soft_compose(struct zn_soft *soft, struct zn__soft_tx_flow *tx, uint16_t len, uint64_t sum,
                      bool push)
{
    uint8_t *out = soft->headers, *ip = out + tx->ip_at;
    uint8_t *tcp = out + tx->headers_len - ZN__TCP_HEADER;
    uint16_t tcp_len = (uint16_t)(ZN__TCP_HEADER + len);
    memcpy(out, tx->headers, sizeof(tx->headers));
    memcpy(out + 6, soft->settings.local_mac, sizeof(soft->settings.local_mac));
    write_ip(&soft->settings, tx, ip, tcp_len);

    uint8_t flags = ZN__TCP_ACK | (push ? ZN__TCP_PSH : 0);
    uint32_t seq = zn__be32(tx->snd_nxt), ack = zn__be32(tx->ack);
    uint16_t window = zn__be16(tx->window);
    memcpy(tcp + 4, &seq, sizeof(seq));
    memcpy(tcp + 8, &ack, sizeof(ack));
    tcp[13] = flags;
    memcpy(tcp + 14, &window, sizeof(window));
    sum += tx->address_sum;
    sum += tx->port_sum;
    sum += zn__be16(ZN__PROTOCOL_TCP);
    sum += zn__be16(tcp_len);
    sum += seq;
    sum += ack;
    sum += zn__be16((uint16_t)(TCP_HEADER_WORDS << 12 | flags));
    sum += window;
    uint16_t checksum = (uint16_t)~zn__soft_sum_fold(sum);
    memcpy(tcp + 16, &checksum, sizeof(checksum));
}
