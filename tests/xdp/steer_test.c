// SPDX-License-Identifier: Apache-2.0
// The XDP program of driver/xdp, run by the kernel on packets of ours (BPF_PROG_TEST_RUN, which
// takes none shorter than an Ethernet header): verdict and counter of each. Needs root. Guards are
// set to hours, and time passes by moving a bucket's stamp back, so that the clock does not matter.
#include "xdp/steer.h"

#include "xdp/steer.skel.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
// cmocka's header needs those above.
#include <bpf/bpf.h>
#include <cmocka.h>

enum { PORT = 3000, SYN = 0x02, ACK = 0x10, ROOM = 256, BURST = 5 };

static const uint64_t hour_ns = 3600ULL * 1000000000;

// What a packet is to look like; zero is an ordinary segment for the port over IPv4.
struct shape {
    bool ip6;
    unsigned tags;
    unsigned tag_type;    // 0: 802.1Q
    unsigned ether_type;  // 0: that of IP
    unsigned protocol;    // 0: TCP
    unsigned fragment;    // IPv4's flags and offset
    unsigned ip_words;    // IPv4 header length to claim
    unsigned version;     // to claim
    int ip_len_off;       // added to the length that IP claims
    unsigned tcp_words;   // header length to claim
    unsigned tcp_options; // bytes
    unsigned port;        // 0: PORT
    unsigned flags;       // 0: ACK
    uint8_t source;       // last byte of the addresses
    uint8_t destination;
};

static struct zn_steer_bpf *steer;
static int xsk;
static uint8_t packet[ROOM];

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put_ip4(uint8_t *at, const struct shape *s, unsigned tcp_len)
{
    memset(at, 0, 20);
    at[0] = (uint8_t)((s->version ? s->version : 4) << 4 | (s->ip_words ? s->ip_words : 5));
    put16(at + 2, (unsigned)((int)(20 + tcp_len) + s->ip_len_off));
    put16(at + 6, s->fragment);
    at[8] = 64;
    at[9] = (uint8_t)(s->protocol ? s->protocol : IPPROTO_TCP);
    memcpy(at + 12, (uint8_t[]){ 10, 0, 0, s->source }, 4);
    memcpy(at + 16, (uint8_t[]){ 10, 0, 1, s->destination }, 4);
    return at + 20;
}

static uint8_t *put_ip6(uint8_t *at, const struct shape *s, unsigned tcp_len)
{
    memset(at, 0, 40);
    at[0] = (uint8_t)((s->version ? s->version : 6) << 4);
    put16(at + 4, (unsigned)((int)tcp_len + s->ip_len_off));
    at[6] = (uint8_t)(s->protocol ? s->protocol : IPPROTO_TCP);
    at[7] = 64;
    at[8] = at[24] = 0xfd;
    at[23] = s->source;
    at[38] = 1;
    at[39] = s->destination;
    return at + 40;
}

// Into `packet`, with five bytes of payload. Its length.
static size_t make(const struct shape *s)
{
    unsigned tcp_len = 20 + s->tcp_options + 5;
    uint8_t *at = packet;
    memset(packet, 0, sizeof(packet));
    at += 12;
    for (unsigned i = 0; i < s->tags; i++)
        at = put16(put16(at, s->tag_type ? s->tag_type : ETH_P_8021Q), 7);
    at = put16(at, s->ether_type ? s->ether_type : s->ip6 ? ETH_P_IPV6 : ETH_P_IP);
    at = s->ip6 ? put_ip6(at, s, tcp_len) : put_ip4(at, s, tcp_len);
    put16(at, 40000);
    put16(at + 2, s->port ? s->port : PORT);
    at[12] = (uint8_t)((s->tcp_words ? s->tcp_words : 5 + s->tcp_options / 4) << 4);
    at[13] = (uint8_t)(s->flags ? s->flags : ACK);
    return (size_t)(at - packet) + tcp_len;
}

static uint64_t counter(unsigned index)
{
    uint64_t each[1024];
    uint64_t sum = 0;
    int cpus = libbpf_num_possible_cpus();
    assert_in_range(cpus, 1, 1024);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(steer->maps.zn_counters), &index, each), 0);
    for (int i = 0; i < cpus; i++)
        sum += each[i];
    return sum;
}

static int action_of(enum zn_steer_counter verdict)
{
    if (verdict == ZN_STEER_REDIRECTED)
        return XDP_REDIRECT;
    return verdict == ZN_STEER_SYN_LIMITED || verdict == ZN_STEER_PACKET_LIMITED ? XDP_DROP
                                                                                 : XDP_PASS;
}

// Gives the first `len` bytes of `packet` to the program: its action, and one count more, there.
static void expect_len(size_t len, enum zn_steer_counter verdict)
{
    uint64_t before[ZN_STEER_COUNTERS];
    struct bpf_test_run_opts run = { .sz = sizeof(run),
                                     .data_in = packet,
                                     .data_size_in = (uint32_t)len };
    for (unsigned i = 0; i < ZN_STEER_COUNTERS; i++)
        before[i] = counter(i);
    assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(steer->progs.zn_steer), &run), 0);
    for (unsigned i = 0; i < ZN_STEER_COUNTERS; i++)
        assert_int_equal(counter(i) - before[i], i == verdict);
    assert_int_equal(run.retval, action_of(verdict));
}

static void expect(struct shape shape, enum zn_steer_counter verdict)
{
    expect_len(make(&shape), verdict);
}

static int setup(void **state)
{
    (void)state;
    uint32_t queue = 0;
    int entries = 64;
    steer = zn_steer_bpf__open_and_load();
    assert_non_null(steer);
    steer->data_zn->zn_config = (struct zn_steer_config){
        .magic = ZN_STEER_MAGIC,
        .version = ZN_STEER_VERSION,
        .ports_len = 1,
        .ports = { htons(PORT) },
    };
    // A socket with a fill ring may enter the map before it is bound.
    xsk = socket(AF_XDP, SOCK_RAW, 0);
    assert_true(xsk >= 0);
    assert_int_equal(setsockopt(xsk, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries)), 0);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(steer->maps.xsks_map), &queue, &xsk, 0), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    zn_steer_bpf__destroy(steer);
    close(xsk);
    return 0;
}

static void packet_cut_anywhere_passes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct shape shape = { .ip6 = i & 1, .tags = i >> 1 & 1, .tcp_options = i & 4 ? 12 : 0 };
        size_t len = make(&shape);
        for (size_t cut = ETH_HLEN; cut < len; cut++)
            expect_len(cut, ZN_STEER_MALFORMED);
        expect_len(len, ZN_STEER_REDIRECTED);
        expect_len(len + 6, ZN_STEER_REDIRECTED); // padding of the link
    }
}

static void lengths_that_lie_pass(void **state)
{
    (void)state;
    expect((struct shape){ .ip_words = 4 }, ZN_STEER_MALFORMED);
    expect((struct shape){ .ip_words = 15 }, ZN_STEER_MALFORMED);
    // The IP header ends behind the packet, but not behind the link's padding.
    expect_len(make(&(struct shape){ .ip_words = 15 }) + 100, ZN_STEER_MALFORMED);
    expect((struct shape){ .version = 6 }, ZN_STEER_MALFORMED);
    expect((struct shape){ .ip6 = true, .version = 4 }, ZN_STEER_MALFORMED);
    for (int ip6 = 0; ip6 < 2; ip6++) {
        expect((struct shape){ .ip6 = ip6, .tcp_words = 4 }, ZN_STEER_MALFORMED);
        expect((struct shape){ .ip6 = ip6, .tcp_words = 6 }, ZN_STEER_REDIRECTED);
        expect((struct shape){ .ip6 = ip6, .tcp_words = 7 }, ZN_STEER_MALFORMED);
        expect((struct shape){ .ip6 = ip6, .ip_len_off = -5 }, ZN_STEER_REDIRECTED);
        expect((struct shape){ .ip6 = ip6, .ip_len_off = -6 }, ZN_STEER_MALFORMED);
        expect((struct shape){ .ip6 = ip6, .ip_len_off = 1 }, ZN_STEER_MALFORMED);
        // The TCP header fits the packet, but not what IP says of it.
        expect((struct shape){ .ip6 = ip6, .tcp_words = 6, .ip_len_off = -5 }, ZN_STEER_MALFORMED);
    }
}

static void packets_of_others_pass(void **state)
{
    (void)state;
    expect((struct shape){ .ether_type = ETH_P_ARP }, ZN_STEER_OTHER);
    expect((struct shape){ .protocol = IPPROTO_UDP }, ZN_STEER_OTHER);
    expect((struct shape){ .protocol = IPPROTO_ICMP }, ZN_STEER_OTHER);
    expect((struct shape){ .port = 22 }, ZN_STEER_OTHER);
    expect((struct shape){ .ip6 = true, .port = 22 }, ZN_STEER_OTHER);
    expect((struct shape){ .tags = 1, .port = 22 }, ZN_STEER_OTHER);
    expect((struct shape){ .tags = 2 }, ZN_STEER_OTHER);
    expect((struct shape){ .tags = 1, .tag_type = ETH_P_8021AD }, ZN_STEER_OTHER);
    for (unsigned header = 0; header < 256; header++)
        if (header != IPPROTO_TCP)
            expect((struct shape){ .ip6 = true, .protocol = header | 256 }, // a byte takes 0 so
                   header == IPPROTO_FRAGMENT ? ZN_STEER_FRAGMENT : ZN_STEER_OTHER);
}

static void fragments_pass(void **state)
{
    (void)state;
    expect((struct shape){ .fragment = 0x4000 }, ZN_STEER_REDIRECTED); // "don't fragment"
    expect((struct shape){ .fragment = 0x2000 }, ZN_STEER_FRAGMENT);
    expect((struct shape){ .fragment = 0x2001 }, ZN_STEER_FRAGMENT);
    expect((struct shape){ .fragment = 0x1fff }, ZN_STEER_FRAGMENT);
}

static void ports_and_addresses_select(void **state)
{
    (void)state;
    struct zn_steer_config *config = &steer->data_zn->zn_config;
    for (unsigned i = 0; i < ZN_STEER_PORTS; i++)
        config->ports[i] = htons((uint16_t)(PORT + i));
    expect((struct shape){ .port = PORT + 1 }, ZN_STEER_OTHER);
    config->ports_len = ZN_STEER_PORTS;
    for (unsigned i = 0; i < ZN_STEER_PORTS; i++)
        expect((struct shape){ .port = PORT + i }, ZN_STEER_REDIRECTED);
    expect((struct shape){ .port = PORT + ZN_STEER_PORTS }, ZN_STEER_OTHER);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.1.9", config->addresses[0]), 1);
    assert_int_equal(inet_pton(AF_INET6, "fd00::109", config->addresses[7]), 1);
    config->addresses_len = 7;
    expect((struct shape){ .destination = 9 }, ZN_STEER_REDIRECTED);
    expect((struct shape){ .destination = 8 }, ZN_STEER_OTHER);
    expect((struct shape){ .ip6 = true, .destination = 9 }, ZN_STEER_OTHER);
    config->addresses_len = 8;
    expect((struct shape){ .ip6 = true, .destination = 9 }, ZN_STEER_REDIRECTED);
}

static void program_without_configuration_passes(void **state)
{
    (void)state;
    steer->data_zn->zn_config = (struct zn_steer_config){ 0 };
    expect((struct shape){ 0 }, ZN_STEER_OTHER);
    expect((struct shape){ .ip6 = true }, ZN_STEER_OTHER);
}

static void queue_without_server_passes(void **state)
{
    (void)state;
    uint32_t queue = 0;
    assert_int_equal(bpf_map_delete_elem(bpf_map__fd(steer->maps.xsks_map), &queue), 0);
    expect((struct shape){ 0 }, ZN_STEER_NO_SOCKET);
}

// Moves both buckets of the source of `shape` so far back, as if that time had passed.
static void pass_time(const struct shape *shape, uint64_t ns)
{
    uint8_t key[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = shape->source };
    uint8_t key6[16] = { 0xfd, [15] = shape->source };
    struct zn_steer_source source;
    int fd = bpf_map__fd(steer->maps.zn_sources);
    if (shape->ip6)
        memcpy(key, key6, sizeof(key));
    assert_int_equal(bpf_map_lookup_elem(fd, key, &source), 0);
    assert_int_equal(source.magic, ZN_STEER_MAGIC);
    assert_int_equal(source.version, ZN_STEER_VERSION);
    source.packet_full_ns -= source.packet_full_ns > ns ? ns : source.packet_full_ns;
    source.syn_full_ns -= source.syn_full_ns > ns ? ns : source.syn_full_ns;
    assert_int_equal(bpf_map_update_elem(fd, key, &source, BPF_EXIST), 0);
}

// A bucket of BURST tokens that gains one an hour, from full to empty, and on.
static void exhaust(struct shape shape, enum zn_steer_counter limited)
{
    struct shape other = shape;
    other.source = (uint8_t)(shape.source + 1);
    for (int i = 0; i < BURST; i++)
        expect(shape, ZN_STEER_REDIRECTED);
    for (int i = 0; i < 3; i++)
        expect(shape, limited);
    expect(other, ZN_STEER_REDIRECTED);
    pass_time(&shape, hour_ns);
    expect(shape, ZN_STEER_REDIRECTED);
    expect(shape, limited);
    pass_time(&shape, 2 * hour_ns);
    expect(shape, ZN_STEER_REDIRECTED);
    expect(shape, ZN_STEER_REDIRECTED);
    expect(shape, limited);
    pass_time(&shape, 100 * hour_ns); // never more than full
    for (int i = 0; i < BURST; i++)
        expect(shape, ZN_STEER_REDIRECTED);
    expect(shape, limited);
}

static void syn_flood_is_limited(void **state)
{
    (void)state;
    steer->data_zn->zn_config.syn = (struct zn_steer_guard){ hour_ns, BURST * hour_ns };
    for (int ip6 = 0; ip6 < 2; ip6++) {
        struct shape syn = { .ip6 = ip6, .source = 20, .flags = SYN };
        exhaust(syn, ZN_STEER_SYN_LIMITED);
        syn.flags = ACK;
        expect(syn, ZN_STEER_REDIRECTED);
        syn.flags = SYN | ACK;
        expect(syn, ZN_STEER_REDIRECTED);
        syn.flags = SYN;
        syn.port = 22; // the kernel's business
        expect(syn, ZN_STEER_OTHER);
    }
}

static void packet_flood_is_limited(void **state)
{
    (void)state;
    steer->data_zn->zn_config.packet = (struct zn_steer_guard){ hour_ns, BURST * hour_ns };
    for (int ip6 = 0; ip6 < 2; ip6++) {
        exhaust((struct shape){ .ip6 = ip6, .source = 30 }, ZN_STEER_PACKET_LIMITED);
        exhaust((struct shape){ .ip6 = ip6, .source = 40, .flags = SYN }, ZN_STEER_PACKET_LIMITED);
    }
}

static void bucket_of_one_lets_the_first_through(void **state)
{
    (void)state;
    steer->data_zn->zn_config.syn = (struct zn_steer_guard){ hour_ns, hour_ns };
    expect((struct shape){ .flags = SYN }, ZN_STEER_REDIRECTED);
    expect((struct shape){ .flags = SYN }, ZN_STEER_SYN_LIMITED);
}

static void guards_that_are_off_remember_nobody(void **state)
{
    (void)state;
    uint8_t key[16];
    for (int i = 0; i < 100; i++)
        expect((struct shape){ .flags = SYN }, ZN_STEER_REDIRECTED);
    assert_int_not_equal(bpf_map_get_next_key(bpf_map__fd(steer->maps.zn_sources), NULL, key), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(packet_cut_anywhere_passes),
        CASE(lengths_that_lie_pass),
        CASE(packets_of_others_pass),
        CASE(fragments_pass),
        CASE(ports_and_addresses_select),
        CASE(program_without_configuration_passes),
        CASE(queue_without_server_passes),
        CASE(syn_flood_is_limited),
        CASE(packet_flood_is_limited),
        CASE(bucket_of_one_lets_the_first_through),
        CASE(guards_that_are_off_remember_nobody),
    };
    if (geteuid() != 0) {
        puts("# SKIP no root, which XDP programs need");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
