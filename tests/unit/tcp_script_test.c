// SPDX-License-Identifier: Apache-2.0
// Runs tests/tcp/*.pkt, one case a script. Their language is in tests/tcp/README.md.
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_rig.h"

enum { TOLERANCE_US = 1500, PEERS = 256, LINES = 400, WORDS = 40 };

// One script's run. Sequence numbers in scripts are relative: the peer's to `irs`, ours to the
// SYN-ACK's.
struct script {
    struct tcp_rig rig;
    const char *file;
    int line;
    unsigned peer;
    bool v6;
    uint16_t port; // of the server, when not the one that listens
    uint32_t irs;
    uint32_t iss[PEERS];
    uint64_t peer_sent[PEERS]; // unused bytes of the pattern start here
    size_t written[PEERS];
    int conn_of[PEERS];
};

static _Noreturn void wrong(const struct script *s, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fail_msg("%s:%d: %s", s->file, s->line, text);
    abort();
}

static struct tcp_rig_conn *conn(struct script *s)
{
    // The connection that this peer's tuple belongs to, newest first.
    struct zn_tuple tuple, own = { 0 };
    struct zn_tcp_link link;
    tcp_rig_peer(s->peer, s->v6, &tuple, &link);
    memcpy(own.peer_port, tuple.local_port, 2);
    for (unsigned i = s->rig.conns_len; i-- > 0;) {
        struct tcp_rig_conn *c = &s->rig.conns[i];
        if (c->conn == NULL && s->conn_of[s->peer] == (int)i)
            return c;
        if (c->conn != NULL && memcmp(zn_tcp_tuple(c->conn)->peer_port, own.peer_port, 2) == 0) {
            s->conn_of[s->peer] = (int)i;
            return c;
        }
    }
    wrong(s, "no connection was accepted from peer %u", s->peer);
}

static uint8_t flags_of(const struct script *s, const char *word)
{
    uint8_t flags = 0;
    for (; *word != '\0'; word++) {
        const char *names = "FSRP.U";
        const char *at = strchr(names, *word);
        if (at == NULL && *word != '-')
            wrong(s, "flags?");
        if (at != NULL)
            flags |= (uint8_t)(1 << (at - names));
    }
    return flags;
}

// What a packet line says; members that are not said are not compared.
struct packet_line {
    uint8_t flags;
    uint32_t start, len;
    bool has_ack, has_win, has_options, bare_seq;
    uint32_t ack, win;
    bool mss, scale, sack_ok;
    unsigned mss_value, scale_value, sacks;
    struct zn_sack_block sack[4];
    uint8_t raw[40]; // options as bytes
    size_t raw_len;
};

static size_t parse_hex(const char *hex, uint8_t *bytes, size_t room)
{
    size_t len = 0;
    for (; hex[0] != '\0' && hex[1] != '\0' && len < room; hex += 2)
        bytes[len++] = (uint8_t)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
    return len;
}

static void parse_option(const struct script *s, char *word, struct packet_line *p)
{
    unsigned a, b;
    if (sscanf(word, "mss:%u", &a) == 1) {
        p->mss = true;
        p->mss_value = a;
    } else if (sscanf(word, "wscale:%u", &a) == 1) {
        p->scale = true;
        p->scale_value = a;
    } else if (strcmp(word, "sackOK") == 0) {
        p->sack_ok = true;
    } else if (strncmp(word, "opt:", 4) == 0) {
        p->raw_len = parse_hex(word + 4, p->raw, sizeof(p->raw));
        if (p->raw_len % 4 != 0)
            wrong(s, "options are whole words");
    } else if (sscanf(word, "sack:%u:%u", &a, &b) == 2 && p->sacks < 4) {
        p->sack[p->sacks++] = (struct zn_sack_block){ a, b };
    } else {
        wrong(s, "option '%s'?", word);
    }
    p->has_options = true;
}

static struct packet_line parse_packet(const struct script *s, char **words, int count)
{
    struct packet_line p = { 0 };
    unsigned end;
    p.flags = flags_of(s, words[0]);
    if (count < 2 || sscanf(words[1], "%u:%u(%u)", &p.start, &end, &p.len) != 3 ||
        end - p.start != p.len)
        wrong(s, "start:end(len)?");
    for (int i = 2; i < count; i++) {
        if (strcmp(words[i], "ack") == 0 && i + 1 < count) {
            p.has_ack = true;
            p.ack = (uint32_t)strtoul(words[++i], NULL, 10);
        } else if (strcmp(words[i], "win") == 0 && i + 1 < count) {
            p.has_win = true;
            p.win = (uint32_t)strtoul(words[++i], NULL, 10);
        } else if (strcmp(words[i], "nooptions") == 0) {
            p.has_options = true;
        } else {
            parse_option(s, words[i], &p);
        }
    }
    return p;
}

static void inject(struct script *s, char **words, int count)
{
    struct packet_line p = parse_packet(s, words, count);
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
    tcp_rig_peer(s->peer, s->v6, &tuple, &link);
    if (s->port != 0)
        zn__put16(tuple.peer_port, s->port);
    for (unsigned i = 0; i < p.sacks; i++) {
        p.sack[i].start += s->iss[s->peer];
        p.sack[i].end += s->iss[s->peer];
    }
    struct zn_segment_out out = {
        .tuple = &tuple,
        .link = &link,
        .local_mac = mac,
        .seq = s->irs + p.start,
        .ack = p.has_ack ? s->iss[s->peer] + p.ack : 0,
        .window = (uint16_t)(p.has_win ? p.win : 65535),
        .flags = p.flags,
        .mss = (uint16_t)p.mss_value,
        .scale = p.scale ? (uint8_t)p.scale_value : 255,
        .sack_permitted = p.sack_ok,
        .sack_blocks = (uint8_t)p.sacks,
        .sack = p.sack,
        // Byte 1 of the sequence space is the first of the stream.
        .payload = tcp_rig_stream() + (p.start > 0 ? p.start - 1 : 0),
        .payload_len = p.len,
    };
    tcp_rig_segment(&s->rig, &out, p.raw, p.raw_len);
}

static void expect_bytes(const struct script *s, const struct zn_segment *segment, uint32_t start)
{
    for (uint32_t i = 0; i < segment->payload_len; i++)
        if (segment->payload[i] != tcp_rig_byte(start - 1 + i))
            wrong(s, "byte %u of the payload is wrong", i);
}

static void expect_options(const struct script *s, const struct zn_segment *got,
                           const struct packet_line *want)
{
    if (got->has_mss != want->mss || (want->mss && got->mss != want->mss_value))
        wrong(s, "mss is %u", got->mss);
    if (got->has_scale != want->scale || (want->scale && got->scale != want->scale_value))
        wrong(s, "wscale is %d", got->has_scale ? got->scale : -1);
    if (got->sack_permitted != want->sack_ok)
        wrong(s, "sackOK is %d", got->sack_permitted);
    if (got->sack_blocks != want->sacks)
        wrong(s, "%u SACK blocks", got->sack_blocks);
    for (unsigned i = 0; i < want->sacks; i++)
        if (got->sack[i].start - s->irs != want->sack[i].start ||
            got->sack[i].end - s->irs != want->sack[i].end)
            wrong(s, "SACK block %u is %u:%u", i, got->sack[i].start - s->irs,
                  got->sack[i].end - s->irs);
}

static void expect(struct script *s, char **words, int count)
{
    struct packet_line want = parse_packet(s, words, count);
    struct tcp_rig_packet *packet = tcp_rig_take(&s->rig);
    if (packet == NULL)
        wrong(s, "no packet left");
    const struct zn_segment *got = &packet->segment;
    if (want.flags & ZN_TCP_SYN)
        s->iss[s->peer] = got->seq;
    uint32_t iss = s->iss[s->peer];
    if (got->flags != want.flags || got->seq - iss != want.start || got->payload_len != want.len)
        wrong(s, "got flags %02x %u:%u(%u) ack %u", got->flags, got->seq - iss,
              got->seq - iss + got->payload_len, got->payload_len, got->ack - s->irs);
    if (want.has_ack && got->ack - s->irs != want.ack)
        wrong(s, "ack is %u", got->ack - s->irs);
    if (want.has_win && got->window != want.win)
        wrong(s, "win is %u", got->window);
    if (want.has_options)
        expect_options(s, got, &want);
    if (packet->at_us + TOLERANCE_US < s->rig.now_us || packet->at_us > s->rig.now_us)
        wrong(s, "it left %lld us before", (long long)(s->rig.now_us - packet->at_us));
    expect_bytes(s, got, want.start);
}

static void write_bytes(struct script *s, size_t len, bool full)
{
    struct iovec iov = { (void *)(tcp_rig_stream() + s->written[s->peer]), len };
    int err = zn_tcp_send(conn(s)->conn, &iov, 1);
    if (err != (full ? -ENOBUFS : 0))
        wrong(s, "write: %s", strerror(-err));
    s->written[s->peer] += full ? 0 : len;
    tcp_rig_advance(&s->rig, s->rig.now_us);
}

static void garbage(struct script *s, const char *hex)
{
    uint8_t bytes[TCP_RIG_MTU];
    tcp_rig_inject(&s->rig, bytes, parse_hex(hex, bytes, sizeof(bytes)));
}

// The next packet that left, byte by byte; ".." is any.
static void leaves(struct script *s, const char *hex)
{
    const struct tcp_rig_packet *packet = tcp_rig_take(&s->rig);
    if (packet == NULL || strlen(hex) != 2 * packet->len)
        wrong(s, "%zu bytes left", packet == NULL ? 0 : packet->len);
    for (size_t i = 0; i < packet->len; i++, hex += 2)
        if (hex[0] != '.' && packet->bytes[i] != strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16))
            wrong(s, "byte %zu is %02x", i, packet->bytes[i]);
}

// A router says that our segment with number `seq` was too long for its link.
static void too_big(struct script *s, uint32_t mtu, uint32_t seq)
{
    uint8_t packet[128] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
    struct zn_tuple sent;
    struct zn_tcp_link link;
    tcp_rig_peer(s->peer, s->v6, &sent, &link);
    size_t header = s->v6 ? 40 : 20, address = s->v6 ? 16 : 4, source = s->v6 ? 8 : 12;
    uint8_t *ip = packet + 14, *icmp = ip + header, *quote = icmp + 8, *tcp = quote + header;
    size_t len = 8 + header + 8;
    // The router's packet comes from the peer's address; the quote is ours to the peer.
    memcpy(ip + source, sent.local_address, address);
    memcpy(ip + source + address, sent.peer_address, address);
    memcpy(quote + source, sent.peer_address, address);
    memcpy(quote + source + address, sent.local_address, address);
    memcpy(tcp, sent.peer_port, 2);
    memcpy(tcp + 2, sent.local_port, 2);
    zn__put32(tcp + 4, s->iss[s->peer] + seq);
    zn__put32(icmp + 4, mtu);
    uint64_t sum = 0;
    if (s->v6) {
        packet[12] = 0x86;
        packet[13] = 0xdd;
        ip[0] = quote[0] = 0x60;
        zn__put16(ip + 4, (uint16_t)len);
        ip[6] = 58;
        quote[6] = 6;
        icmp[0] = 2;
        sum = zn__sum_add(0, ip + 8, 32);
        sum = zn__sum_add(sum, (uint8_t[]){ 0, 0, 0, (uint8_t)len, 0, 0, 0, 58 }, 8);
    } else {
        ip[0] = quote[0] = 0x45;
        zn__put16(ip + 2, (uint16_t)(20 + len));
        ip[9] = 1;
        quote[9] = 6;
        uint16_t ip_sum = zn__sum_finish(zn__sum_add(0, ip, 20));
        memcpy(ip + 10, &ip_sum, 2);
        icmp[0] = 3;
        icmp[1] = 4;
    }
    uint16_t icmp_sum = zn__sum_finish(zn__sum_add(sum, icmp, len));
    memcpy(icmp + 2, &icmp_sum, 2);
    tcp_rig_inject(&s->rig, packet, 14 + header + len);
}

#define COUNTER(member)                                                                            \
    {                                                                                              \
#member, offsetof(struct zn_tcp_stats, member), sizeof(((struct zn_tcp_stats *)0)->member) \
    }
static const struct {
    const char *name;
    size_t at, size;
} counters[] = {
    COUNTER(accepted),
    COUNTER(refused),
    COUNTER(cookies_sent),
    COUNTER(cookies_good),
    COUNTER(half_timed_out),
    COUNTER(retransmitted),
    COUNTER(timeouts),
    COUNTER(fast_recoveries),
    COUNTER(probes),
    COUNTER(drop_bad),
    COUNTER(drop_other),
    COUNTER(drop_not_ours),
    COUNTER(drop_no_port),
    COUNTER(drop_half_full),
    COUNTER(drop_out_of_window),
    COUNTER(drop_hold_full),
    COUNTER(drop_hold_share),
    COUNTER(drop_queue_full),
    COUNTER(queue_bytes),
    COUNTER(challenges_withheld),
    COUNTER(drop_conns_full),
    COUNTER(drop_bad_ack),
    COUNTER(drop_bad_record),
    COUNTER(challenges),
    COUNTER(resets_in),
    COUNTER(resets_out),
    COUNTER(conns),
    COUNTER(halves),
    COUNTER(time_waits),
    COUNTER(hold_used),
};

static uint64_t counter(const struct script *s, const char *name)
{
    const char *stats = (const char *)zn_tcp_stats(s->rig.tcp);
    for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
        uint64_t value = 0; // little-endian, as the project's contract with the device is
        if (strcmp(name, counters[i].name) != 0)
            continue;
        memcpy(&value, stats + counters[i].at, counters[i].size);
        return value;
    }
    wrong(s, "counter '%s'?", name);
}

static void expect_number(const struct script *s, const char *what, uint64_t got, const char *want)
{
    if (want == NULL || got != strtoull(want, NULL, 10))
        wrong(s, "%s is %llu", what, (unsigned long long)got);
}

static void call_conn(struct script *s, const char *verb, const char *arg)
{
    struct tcp_rig_conn *c = conn(s);
    if (strcmp(verb, "shutdown") == 0)
        zn_tcp_shutdown(c->conn);
    else if (strcmp(verb, "close") == 0)
        zn_tcp_release(c->conn, false);
    else if (strcmp(verb, "abort") == 0)
        zn_tcp_release(c->conn, true);
    else if (strcmp(verb, "want") == 0 && arg != NULL)
        zn_tcp_want(c->conn, strcmp(arg, "on") == 0);
    else if (strcmp(verb, "received") == 0)
        expect_number(s, "received", c->received, arg);
    else if (strcmp(verb, "sent") == 0)
        expect_number(s, "sent", c->sent, arg);
    else if (strcmp(verb, "ended") == 0)
        expect_number(s, "ended", c->ended, arg);
    else if (strcmp(verb, "closed") == 0)
        expect_number(s, "closed", c->closed, arg);
    else if (strcmp(verb, "broke") == 0)
        expect_number(s, "broke", (uint64_t)-c->broke, arg);
    else
        wrong(s, "'%s'?", verb);
    tcp_rig_advance(&s->rig, s->rig.now_us);
}

static void run_line(struct script *s, char *line);

// A handshake, with all options or with "plain" none.
static void connect_peer(struct script *s, bool plain)
{
    static const char *const with[] = { "< S 0:0(0) win 65535 mss:1460 sackOK wscale:7",
                                        "> S. 0:0(0) ack 1", "< . 1:1(0) ack 1 win 512",
                                        "accepted" };
    static const char *const without[] = { "< S 0:0(0) win 65535", "> S. 0:0(0) ack 1",
                                           "< . 1:1(0) ack 1 win 65535", "accepted" };
    for (int i = 0; i < 4; i++) {
        char line[100];
        snprintf(line, sizeof(line), "%s", plain ? without[i] : with[i]);
        run_line(s, line);
    }
}

static void run_words(struct script *s, char **words, int count)
{
    const char *verb = words[0];
    const char *arg = count > 1 ? words[1] : NULL;
    if (strcmp(verb, "<") == 0 && count > 1)
        inject(s, words + 1, count - 1);
    else if (strcmp(verb, ">") == 0 && count > 1)
        expect(s, words + 1, count - 1);
    else if (strcmp(verb, "connect") == 0)
        connect_peer(s, arg != NULL);
    else if (strcmp(verb, "peer") == 0 && arg != NULL)
        s->peer = (unsigned)strtoul(arg, NULL, 10) % PEERS;
    else if (strcmp(verb, "port") == 0 && arg != NULL)
        s->port = (uint16_t)strtoul(arg, NULL, 10);
    else if (strcmp(verb, "ipv6") == 0)
        s->v6 = true;
    else if (strcmp(verb, "iss") == 0 && arg != NULL)
        tcp_rig_iss(&s->rig, s->peer, s->v6, (uint32_t)strtoul(arg, NULL, 10));
    else if (strcmp(verb, "irs") == 0 && arg != NULL)
        s->irs = (uint32_t)strtoul(arg, NULL, 10);
    else if (strcmp(verb, "write") == 0 && arg != NULL)
        write_bytes(s, strtoul(arg, NULL, 10), count > 2);
    else if (strcmp(verb, "count") == 0 && count == 3)
        expect_number(s, arg, counter(s, arg), words[2]);
    else if (strcmp(verb, "drop") == 0 && arg != NULL)
        for (unsigned long n = strtoul(arg, NULL, 10); n > 0; n--) {
            if (tcp_rig_take(&s->rig) == NULL)
                wrong(s, "no packet to drop");
        }
    else if (strcmp(verb, "nothing") == 0) {
        if (s->rig.count != 0)
            wrong(s, "a packet left");
    } else if (strcmp(verb, "accepted") == 0)
        (void)conn(s);
    else if (strcmp(verb, "packet") == 0 && arg != NULL)
        garbage(s, arg);
    else if (strcmp(verb, "leaves") == 0 && arg != NULL)
        leaves(s, arg);
    else if (strcmp(verb, "toobig") == 0 && count == 3)
        too_big(s, (uint32_t)strtoul(arg, NULL, 10), (uint32_t)strtoul(words[2], NULL, 10));
    else
        call_conn(s, verb, arg);
}

// "option NAME VALUE" lines stand first.
static bool config_line(const char *line, struct zn_tcp_config *config)
{
    char name[40];
    unsigned long value;
    if (sscanf(line, "option %39s %lu", name, &value) != 2)
        return false;
    if (strcmp(name, "window") == 0)
        config->window = (uint32_t)value;
    else if (strcmp(name, "half_max") == 0)
        config->half_max = (uint32_t)value;
    else if (strcmp(name, "half_per_source_max") == 0)
        config->half_per_source_max = (uint32_t)value;
    else if (strcmp(name, "conns_max") == 0)
        config->conns_max = (uint32_t)value;
    else if (strcmp(name, "time_wait_max") == 0)
        config->time_wait_max = (uint32_t)value;
    else if (strcmp(name, "hold_blocks") == 0)
        config->hold_blocks = (uint32_t)value;
    else if (strcmp(name, "queue_max") == 0)
        config->queue_max = value;
    else if (strcmp(name, "linger_ms") == 0)
        config->linger_ms = (uint32_t)value;
    else if (strcmp(name, "keepalive_ms") == 0)
        config->keepalive_ms = (uint32_t)value;
    else
        return false;
    return true;
}

static void run_line(struct script *s, char *line)
{
    char *words[WORDS];
    int count = 0;
    for (char *w = strtok(line, " \t\n"); w != NULL && count < WORDS; w = strtok(NULL, " \t\n"))
        words[count++] = w;
    if (count == 0 || words[0][0] == '#')
        return;
    int first = 0;
    if (words[0][0] == '+') {
        tcp_rig_advance(&s->rig, s->rig.now_us + (uint64_t)(strtod(words[0] + 1, NULL) * 1e6));
        first = 1;
    }
    if (first < count)
        run_words(s, words + first, count - first);
}

static void run_script(void **state)
{
    static struct script s;
    s = (struct script){ .file = *state, .irs = 1000000 };
    struct zn_tcp_config config = tcp_rig_config();
    char line[512];
    FILE *file = fopen(s.file, "r");
    assert_non_null(file);
    memset(s.conn_of, -1, sizeof(s.conn_of));
    bool started = false;
    while (fgets(line, sizeof(line), file) != NULL) {
        s.line++;
        if (!started && (line[0] == '#' || line[0] == '\n' || config_line(line, &config)))
            continue;
        if (!started)
            tcp_rig_init(&s.rig, &config);
        started = true;
        run_line(&s, line);
    }
    fclose(file);
    assert_true(started);
    if (s.rig.count != 0)
        wrong(&s, "%u packets were not expected", s.rig.count);
    assert_int_equal(s.rig.bad_bytes, 0);
    tcp_rig_deinit(&s.rig);
}

int main(void)
{
    glob_t found;
    if (glob("tests/tcp/*.pkt", 0, NULL, &found) != 0) {
        fprintf(stderr, "no tests/tcp/*.pkt here\n");
        return 1;
    }
    struct CMUnitTest *tests = calloc(found.gl_pathc, sizeof(*tests));
    for (size_t i = 0; i < found.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){ strrchr(found.gl_pathv[i], '/') + 1, run_script, NULL, NULL,
                                        found.gl_pathv[i] };
    int failed = _cmocka_run_group_tests("tcp_script", tests, found.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
