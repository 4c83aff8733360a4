// SPDX-License-Identifier: Apache-2.0
// What a host must answer to be reached: ARP (RFC 826), neighbour discovery (RFC 4861), echo (RFC
// 792, 4443); and what routers tell about the path's MTU (RFC 1191, 8201). Answers go back the way
// the question came, so there is no neighbour cache that could be poisoned.
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum {
    ARP_LEN = 28,
    ETHERNET_MAX = 18, // with a tag
    ECHO_MAX = 1500,
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMP_ECHO = 8,
    ICMP6_TOO_BIG = 2,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_SOLICIT = 135,
    ICMP6_ADVERTISE = 136,
    PROTO_TCP = 6,
    MTU_MIN_V4 = 576,
    MTU_MIN_V6 = 1280,
};

static bool is_zero(const uint8_t *p, size_t len)
{
    static const uint8_t zero[16];
    return memcmp(p, zero, len) == 0;
}

bool zn__tcp_is_ours(const struct zn_tcp *tcp, const uint8_t *address, bool v6)
{
    const struct zn_tcp_config *c = &tcp->config;
    if (!v6)
        return !is_zero(c->ip4, 4) && memcmp(address, c->ip4, 4) == 0;
    return !is_zero(address, 16) &&
           (memcmp(address, c->ip6, 16) == 0 || memcmp(address, c->ip6_link, 16) == 0);
}

// Whether somebody may be there: not a group, not the network or the loop, not we (RFC 9293
// section 3.9.2.3, RFC 1122 section 3.2.1.3).
bool zn__tcp_is_peer(const struct zn_tcp *tcp, const uint8_t *address, bool v6)
{
    static const uint8_t loop[16] = { [15] = 1 };
    if (zn__tcp_is_ours(tcp, address, v6))
        return false;
    if (!v6)
        return address[0] != 0 && address[0] != 127 && address[0] < 224;
    return address[0] != 0xff && !is_zero(address, 16) && memcmp(address, loop, 16) != 0;
}

// Sends the question's packet back, changed in place: Ethernet addresses are turned here.
static void answer(struct zn_tcp *tcp, const struct zn_packet *packet)
{
    memcpy(packet->bytes, packet->link.peer_mac, 6);
    memcpy(packet->bytes + 6, tcp->config.mac, 6);
    struct zn_acc_command command = { .kind = ZN_MSG_RAW,
                                      .version = ZN_CONTRACT_VERSION,
                                      .length = packet->end };
    struct iovec body = { packet->bytes, packet->end };
    tcp->config.sink.command(tcp->config.user, &command, &body, 1);
}

void zn__tcp_arp(struct zn_tcp *tcp, const struct zn_packet *packet)
{
    static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 }; // Ethernet, IPv4
    uint8_t *arp = packet->bytes + packet->l3;
    if (packet->len - packet->l3 < ARP_LEN || memcmp(arp, request, sizeof(request)) != 0 ||
        !zn__tcp_is_ours(tcp, arp + 24, false)) {
        tcp->stats.drop_not_ours++;
        return;
    }
    struct zn_packet reply = *packet;
    reply.end = (uint16_t)(packet->l3 + ARP_LEN);
    arp[7] = 2;
    memcpy(arp + 18, arp + 8, 10); // target: who asked
    memcpy(arp + 8, tcp->config.mac, 6);
    memcpy(arp + 14, tcp->config.ip4, 4);
    answer(tcp, &reply);
}

// The connection that an ICMP error quotes: our packet's IP header and at least 8 bytes of TCP. Its
// sequence number must be in flight, or the error is a blind attack (RFC 5927 section 4).
static struct zn_tcp_conn *quoted(struct zn_tcp *tcp, const uint8_t *quote, size_t len, bool v6)
{
    size_t header = v6 ? 40 : len >= 20 ? (size_t)(quote[0] & 15) * 4 : 0;
    if (header < 20 || len < header + 8)
        return NULL;
    struct zn_tuple tuple = { 0 };
    size_t address = v6 ? 16 : 4;
    const uint8_t *source = quote + (v6 ? 8 : 12);
    if (quote[v6 ? 6 : 9] != PROTO_TCP)
        return NULL;
    memcpy(tuple.local_address, source, address);
    memcpy(tuple.peer_address, source + address, address);
    memcpy(tuple.local_port, quote + header, 2);
    memcpy(tuple.peer_port, quote + header + 2, 2);
    uint32_t entry = zn__tcp_find(tcp, &tuple);
    if (zn__entry_kind(entry) != ZN_ENTRY_CONN)
        return NULL;
    struct zn_tcp_conn *conn = zn__tcp_conn(tcp, zn__entry_index(entry));
    uint32_t seq = zn__get32(quote + header + 4);
    return zn__seq_le(conn->snd_una, seq) && zn__seq_lt(seq, conn->snd_nxt) ? conn : NULL;
}

// Segments that were too long for the path are lost: they go again, shorter. An IPv6 link that
// takes less than 1280 bytes is none (RFC 8201 section 4).
static void path_mtu(struct zn_tcp_conn *conn, uint32_t mtu)
{
    uint32_t headers = conn->link.v6 ? 60 : 40;
    if (conn->link.v6 && mtu < MTU_MIN_V6)
        return;
    uint32_t mss = (mtu < MTU_MIN_V4 ? MTU_MIN_V4 : mtu) - headers;
    if (mss >= conn->mss)
        return;
    conn->mss = (uint16_t)mss;
    zn__tcp_mark_long_lost(conn);
    zn__tcp_mark(conn);
}

void zn__tcp_icmp(struct zn_tcp *tcp, const struct zn_packet *packet)
{
    uint8_t *icmp = packet->bytes + packet->l4;
    uint8_t *ip = packet->bytes + packet->l3;
    size_t len = (size_t)(packet->end - packet->l4);
    if (len < 8 || !zn__tcp_is_ours(tcp, ip + 16, false) || !zn__tcp_is_peer(tcp, ip + 12, false) ||
        zn__sum_finish(zn__sum_add(0, icmp, len)) != 0) {
        tcp->stats.drop_not_ours++;
        return;
    }
    if (icmp[0] == ICMP_UNREACHABLE && icmp[1] == ICMP_FRAGMENTATION_NEEDED) {
        struct zn_tcp_conn *conn = quoted(tcp, icmp + 8, len - 8, false);
        if (conn != NULL)
            path_mtu(conn, zn__get16(icmp + 6));
        return;
    }
    if (icmp[0] != ICMP_ECHO || icmp[1] != 0 || len > ECHO_MAX) {
        tcp->stats.drop_other++;
        return;
    }
    icmp[0] = ICMP_ECHO_REPLY;
    memset(icmp + 2, 0, 2);
    uint16_t sum = zn__sum_finish(zn__sum_add(0, icmp, len));
    memcpy(icmp + 2, &sum, 2);
    uint8_t peer[4];
    memcpy(peer, ip + 12, 4);
    memcpy(ip + 12, tcp->config.ip4, 4);
    memcpy(ip + 16, peer, 4);
    ip[8] = 64;
    memset(ip + 10, 0, 2);
    sum = zn__sum_finish(zn__sum_add(0, ip, (size_t)(packet->l4 - packet->l3)));
    memcpy(ip + 10, &sum, 2);
    answer(tcp, packet);
}

static uint16_t icmp6_sum(const uint8_t *ip, const uint8_t *icmp, size_t len)
{
    uint8_t rest[8] = { 0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 58 };
    uint64_t sum = zn__sum_add(0, ip + 8, 32);
    return zn__sum_finish(zn__sum_add(zn__sum_add(sum, rest, sizeof(rest)), icmp, len));
}

// Turns the addresses, `ours` as source, and sends.
static void answer6(struct zn_tcp *tcp, struct zn_packet *packet, const uint8_t *ours, size_t len)
{
    uint8_t *ip = packet->bytes + packet->l3;
    uint8_t *icmp = packet->bytes + packet->l4;
    uint8_t source[16];
    memcpy(source, ours, 16);
    memcpy(ip + 24, ip + 8, 16);
    memcpy(ip + 8, source, 16);
    zn__put16(ip + 4, (uint16_t)len);
    ip[7] = 255;
    packet->end = (uint16_t)(packet->l4 + len);
    memset(icmp + 2, 0, 2);
    uint16_t sum = icmp6_sum(ip, icmp, len);
    memcpy(icmp + 2, &sum, 2);
    answer(tcp, packet);
}

// RFC 4861 section 7.2.4. A solicitation comes from the link itself: its hop limit is still 255.
// With an unspecified source it asks whether an address is taken, which is answered to all nodes.
static void solicited(struct zn_tcp *tcp, const struct zn_packet *packet, size_t len)
{
    static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
    enum { ADVERTISEMENT = 32 }; // with the option, that the question may be too short for
    uint8_t bytes[ETHERNET_MAX + 40 + ADVERTISEMENT];
    const uint8_t *question = packet->bytes + packet->l4;
    if (len < 24 || packet->bytes[packet->l3 + 7] != 255 || question[1] != 0 ||
        !zn__tcp_is_ours(tcp, question + 8, true)) {
        tcp->stats.drop_not_ours++;
        return;
    }
    struct zn_packet reply = *packet;
    reply.bytes = bytes;
    memcpy(bytes, packet->bytes, packet->l4 + 24u);
    uint8_t *ip = bytes + packet->l3;
    uint8_t *icmp = bytes + packet->l4;
    bool anyone = is_zero(ip + 8, 16);
    if (anyone) {
        memcpy(ip + 8, all_nodes, 16);
        memcpy(reply.link.peer_mac, (uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
    }
    icmp[0] = ICMP6_ADVERTISE;
    memset(icmp + 4, 0, 4);
    icmp[4] = anyone ? 0x20 : 0x60; // override; solicited
    icmp[24] = 2;                   // target link-layer address
    icmp[25] = 1;
    memcpy(icmp + 26, tcp->config.mac, 6);
    answer6(tcp, &reply, icmp + 8, ADVERTISEMENT);
}

void zn__tcp_icmp6(struct zn_tcp *tcp, const struct zn_packet *packet)
{
    struct zn_packet reply = *packet;
    uint8_t *ip = packet->bytes + packet->l3;
    uint8_t *icmp = packet->bytes + packet->l4;
    size_t len = (size_t)(packet->end - packet->l4);
    if (len < 8 || icmp6_sum(ip, icmp, len) != 0) {
        tcp->stats.drop_bad++;
        return;
    }
    if (icmp[0] == ICMP6_SOLICIT) {
        solicited(tcp, &reply, len);
        return;
    }
    if (!zn__tcp_is_ours(tcp, ip + 24, true) || !zn__tcp_is_peer(tcp, ip + 8, true)) {
        tcp->stats.drop_not_ours++;
    } else if (icmp[0] == ICMP6_TOO_BIG) {
        struct zn_tcp_conn *conn = quoted(tcp, icmp + 8, len - 8, true);
        if (conn != NULL)
            path_mtu(conn, zn__get32(icmp + 4));
    } else if (icmp[0] == ICMP6_ECHO && len <= ECHO_MAX) {
        icmp[0] = ICMP6_ECHO_REPLY;
        answer6(tcp, &reply, ip + 24, len);
    } else {
        tcp->stats.drop_other++;
    }
}
