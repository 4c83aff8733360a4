// SPDX-License-Identifier: Apache-2.0
// See steer.h. Runs on each packet that the interface receives, on the CPU that received it. All it
// reads are the headers of the wire and its own maps, so the kernel's public headers are enough and
// no description of the running kernel (vmlinux.h) is needed.
#include "steer.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { IP_FRAGMENT = 0x3fff }; // more fragments, or an offset

struct vlan_tag {
    __be16 tci;
    __be16 type;
};

struct address {
    __u8 bytes[16];
};

// What the headers of one packet say.
struct packet {
    struct address source;
    struct address destination;
    __u32 room; // bytes that IP leaves to TCP
    __be16 port;
    int opens; // SYN without ACK
};

// DPDK finds it by this name.
struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, ZN_STEER_QUEUES);
} xsks_map SEC(".maps");

// A map of one element, which an object file can bring along.
struct zn_steer_config zn_config SEC(ZN_STEER_CONFIG) = { 0 };

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, __u64);
    __uint(max_entries, ZN_STEER_COUNTERS);
} zn_counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __type(key, struct address);
    __type(value, struct zn_steer_source);
    __uint(max_entries, ZN_STEER_SOURCES);
} zn_sources SEC(".maps");

static __always_inline void mapped(struct address *to, __be32 from)
{
    __builtin_memset(to, 0, 10);
    to->bytes[10] = to->bytes[11] = 0xff;
    __builtin_memcpy(to->bytes + 12, &from, 4);
}

// The readers return where the next header begins, or NULL with `verdict` set.

static __always_inline void *read_ip4(void *at, void *end, struct packet *packet,
                                      enum zn_steer_counter *verdict)
{
    struct iphdr *ip = at;
    *verdict = ZN_STEER_MALFORMED;
    if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
        return NULL;
    if (ip->frag_off & bpf_htons(IP_FRAGMENT)) {
        *verdict = ZN_STEER_FRAGMENT;
        return NULL;
    }
    if (ip->protocol != IPPROTO_TCP) {
        *verdict = ZN_STEER_OTHER;
        return NULL;
    }
    __u32 len = ip->ihl * 4u;
    __u32 total = bpf_ntohs(ip->tot_len);
    if (total < len || at + total > end)
        return NULL;
    packet->room = total - len;
    mapped(&packet->source, ip->saddr);
    mapped(&packet->destination, ip->daddr);
    return at + len;
}

// Extension headers, a fragment's among them, are the kernel's.
static __always_inline void *read_ip6(void *at, void *end, struct packet *packet,
                                      enum zn_steer_counter *verdict)
{
    struct ipv6hdr *ip = at;
    *verdict = ZN_STEER_MALFORMED;
    if ((void *)(ip + 1) > end || ip->version != 6)
        return NULL;
    if (ip->nexthdr != IPPROTO_TCP) {
        *verdict = ip->nexthdr == IPPROTO_FRAGMENT ? ZN_STEER_FRAGMENT : ZN_STEER_OTHER;
        return NULL;
    }
    __u32 payload = bpf_ntohs(ip->payload_len);
    if ((void *)(ip + 1) + payload > end)
        return NULL;
    packet->room = payload;
    __builtin_memcpy(&packet->source, &ip->saddr, sizeof(packet->source));
    __builtin_memcpy(&packet->destination, &ip->daddr, sizeof(packet->destination));
    return ip + 1;
}

// Ethernet, at most one VLAN tag, IP. Returns the TCP header.
static __always_inline void *read_link(void *at, void *end, struct packet *packet,
                                       enum zn_steer_counter *verdict)
{
    struct ethhdr *ethernet = at;
    *verdict = ZN_STEER_MALFORMED;
    if ((void *)(ethernet + 1) > end)
        return NULL;
    __be16 type = ethernet->h_proto;
    at = ethernet + 1;
    if (type == bpf_htons(ETH_P_8021Q)) {
        struct vlan_tag *tag = at;
        if ((void *)(tag + 1) > end)
            return NULL;
        type = tag->type;
        at = tag + 1;
    }
    if (type == bpf_htons(ETH_P_IP))
        return read_ip4(at, end, packet, verdict);
    if (type == bpf_htons(ETH_P_IPV6))
        return read_ip6(at, end, packet, verdict);
    *verdict = ZN_STEER_OTHER;
    return NULL;
}

static __always_inline int same(const __u8 *a, const __u8 *b)
{
    int differs = 0;
    for (int i = 0; i < 16; i++)
        differs |= a[i] ^ b[i];
    return !differs;
}

static __always_inline int is_ours(const struct packet *packet)
{
    const struct zn_steer_config *config = &zn_config;
    int ours = 0;
    for (__u32 i = 0; i < ZN_STEER_PORTS; i++)
        ours |= i < config->ports_len && config->ports[i] == packet->port;
    if (!ours || config->addresses_len == 0)
        return ours;
    for (__u32 i = 0; i < ZN_STEER_ADDRESSES && i < config->addresses_len; i++)
        if (same(config->addresses[i], packet->destination.bytes))
            return 1;
    return 0;
}

// Takes a token: the bucket is full one interval later. A bucket that would be full only beyond its
// size is empty. Two CPUs that take at once may take one token together.
static __always_inline int take(const struct zn_steer_guard *guard, __u64 *full_ns, __u64 now_ns)
{
    if (guard->interval_ns == 0)
        return 1;
    __u64 full = (*full_ns > now_ns ? *full_ns : now_ns) + guard->interval_ns;
    if (full - now_ns > guard->burst_ns)
        return 0;
    *full_ns = full;
    return 1;
}

// The guards' verdict: ZN_STEER_REDIRECTED lets the packet through.
static __always_inline enum zn_steer_counter judge(const struct packet *packet)
{
    const struct zn_steer_config *config = &zn_config;
    if (config->packet.interval_ns == 0 && config->syn.interval_ns == 0)
        return ZN_STEER_REDIRECTED;
    struct zn_steer_source *source = bpf_map_lookup_elem(&zn_sources, &packet->source);
    if (!source) {
        struct zn_steer_source fresh = { .magic = ZN_STEER_MAGIC, .version = ZN_STEER_VERSION };
        bpf_map_update_elem(&zn_sources, &packet->source, &fresh, BPF_NOEXIST);
        source = bpf_map_lookup_elem(&zn_sources, &packet->source);
        if (!source)
            return ZN_STEER_REDIRECTED; // no room for one to guard
    }
    __u64 now_ns = bpf_ktime_get_ns();
    if (!take(&config->packet, &source->packet_full_ns, now_ns))
        return ZN_STEER_PACKET_LIMITED;
    if (packet->opens && !take(&config->syn, &source->syn_full_ns, now_ns))
        return ZN_STEER_SYN_LIMITED;
    return ZN_STEER_REDIRECTED;
}

static __always_inline enum zn_steer_counter classify(const struct xdp_md *ctx)
{
    void *end = (void *)(long)ctx->data_end;
    struct packet packet;
    enum zn_steer_counter verdict;
    struct tcphdr *tcp = read_link((void *)(long)ctx->data, end, &packet, &verdict);
    if (!tcp)
        return verdict;
    if ((void *)(tcp + 1) > end)
        return ZN_STEER_MALFORMED;
    packet.port = tcp->dest;
    packet.opens = tcp->syn && !tcp->ack;
    if (!is_ours(&packet))
        return ZN_STEER_OTHER;
    if (tcp->doff < 5 || tcp->doff * 4u > packet.room)
        return ZN_STEER_MALFORMED;
    return judge(&packet);
}

SEC("xdp")
int zn_steer(struct xdp_md *ctx)
{
    __u32 counter = classify(ctx);
    int action = XDP_PASS;
    if (counter == ZN_STEER_PACKET_LIMITED || counter == ZN_STEER_SYN_LIMITED) {
        action = XDP_DROP;
    } else if (counter == ZN_STEER_REDIRECTED) {
        action = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
        if (action != XDP_REDIRECT)
            counter = ZN_STEER_NO_SOCKET;
    }
    __u64 *count = bpf_map_lookup_elem(&zn_counters, &counter);
    if (count)
        (*count)++;
    return action;
}

char zn_license[] SEC("license") = "Apache-2.0";
