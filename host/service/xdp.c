// SPDX-License-Identifier: Apache-2.0
// See xdp.h. What does it is in driver/xdp, which needs libbpf; its functions are weak here, so
// that a program built without says so.
#include "xdp.h"

#include "xdp/steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma weak zn_steer_attach
#pragma weak zn_steer_detach
#pragma weak zn_steer_stats
#pragma weak zn_steer_write

enum { BURST_NS = 1000000000 }; // a guard's bucket holds what comes in a second

static const char *const modes[] = { "auto", "native", "generic" };
enum { MODES = sizeof(modes) / sizeof(*modes) };

static const char *const counters[ZN_STEER_COUNTERS] = {
    [ZN_STEER_REDIRECTED] = "redirected",
    [ZN_STEER_NO_SOCKET] = "no_socket",
    [ZN_STEER_PACKET_LIMITED] = "packet_limited",
    [ZN_STEER_SYN_LIMITED] = "syn_limited",
    [ZN_STEER_OTHER] = "other",
    [ZN_STEER_FRAGMENT] = "fragment",
    [ZN_STEER_MALFORMED] = "malformed",
};

static const char *const explained[ZN_STEER_COUNTERS] = {
    [ZN_STEER_REDIRECTED] = "to the server",
    [ZN_STEER_NO_SOCKET] = "to the kernel: no server at their queue",
    [ZN_STEER_PACKET_LIMITED] = "dropped: over --packet-rate",
    [ZN_STEER_SYN_LIMITED] = "dropped: over --syn-rate",
    [ZN_STEER_OTHER] = "to the kernel: not the server's",
    [ZN_STEER_FRAGMENT] = "to the kernel: fragments",
    [ZN_STEER_MALFORMED] = "to the kernel: shorter than their headers say",
};

// What the command line says.
struct request {
    const char *subject; // interface, or the file of `program`
    enum zn_steer_mode mode;
    struct zn_steer_config config;
    bool json;
};

static int usage(FILE *out)
{
    fputs(
        "usage: zapnic xdp attach IFACE --port N [--address IP] [--syn-rate N] [--packet-rate N]\n"
        "                               [--mode auto|native|generic]\n"
        "       zapnic xdp detach IFACE\n"
        "       zapnic xdp stats IFACE [--json]\n"
        "       zapnic xdp program FILE\n\n"
        "  attach   give TCP packets for the port to AF_XDP, all others to the kernel\n"
        "  detach   give all packets to the kernel again\n"
        "  stats    count what became of them\n"
        "  program  write what attach would attach to FILE, for DPDK's xdp_prog=FILE\n\n"
        "  --port N         repeat for more, up to 8\n"
        "  --address IP     only packets to there, IPv4 or IPv6; repeat for more, up to 8;\n"
        "                   default: any\n"
        "  --syn-rate N     connections that one source address may open a second; 0: any (default)\n"
        "  --packet-rate N  packets that one source address may send a second; 0: any (default)\n"
        "  --mode MODE      native (in the driver), generic (any driver), auto (default): native\n"
        "                   where the driver can\n"
        "  --json           one JSON object\n",
        out);
    return out == stdout ? 0 : 2;
}

// --- Words ------------------------------------------------------------------------------------

static int wrong(const char *flag, const char *value, const char *takes)
{
    fprintf(stderr, "zapnic xdp: --%s takes %s, not '%s'\n", flag, takes, value);
    return -EINVAL;
}

static bool number(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out <= max;
}

static int take_port(struct zn_steer_config *config, const char *value)
{
    unsigned long port;
    if (!number(value, 65535, &port) || port == 0)
        return wrong("port", value, "a number from 1 to 65535");
    if (config->ports_len == ZN_STEER_PORTS)
        return wrong("port", value, "8 ports at most");
    config->ports[config->ports_len++] = htons((uint16_t)port);
    return 0;
}

static int take_address(struct zn_steer_config *config, const char *value)
{
    if (config->addresses_len == ZN_STEER_ADDRESSES)
        return wrong("address", value, "8 addresses at most");
    uint8_t *to = config->addresses[config->addresses_len];
    if (inet_pton(AF_INET, value, to + 12) == 1)
        to[10] = to[11] = 0xff;
    else if (inet_pton(AF_INET6, value, to) != 1)
        return wrong("address", value, "an IP address");
    config->addresses_len++;
    return 0;
}

static int take_rate(struct zn_steer_guard *guard, const char *flag, const char *value)
{
    unsigned long rate;
    if (!number(value, BURST_NS, &rate))
        return wrong(flag, value, "a number from 0 to 1000000000");
    *guard = (struct zn_steer_guard){ 0 };
    if (rate > 0)
        *guard = (struct zn_steer_guard){ .interval_ns = BURST_NS / rate, .burst_ns = BURST_NS };
    return 0;
}

static int take_mode(enum zn_steer_mode *mode, const char *value)
{
    for (unsigned i = 0; i < MODES; i++) {
        if (strcmp(value, modes[i]) == 0) {
            *mode = (enum zn_steer_mode)i;
            return 0;
        }
    }
    return wrong("mode", value, "auto, native or generic");
}

static int take_flag(struct request *request, int opt, const char *value)
{
    switch (opt) {
    case 'p':
        return take_port(&request->config, value);
    case 'a':
        return take_address(&request->config, value);
    case 's':
        return take_rate(&request->config.syn, "syn-rate", value);
    case 'r':
        return take_rate(&request->config.packet, "packet-rate", value);
    case 'm':
        return take_mode(&request->mode, value);
    case 'j':
        request->json = true;
        return 0;
    default:
        return -EINVAL; // getopt has said why
    }
}

// --- Commands ---------------------------------------------------------------------------------

static int said(int err, const char *text)
{
    if (err != 0)
        fprintf(stderr, "zapnic xdp: %s\n", text);
    return err != 0;
}

static int attach(const struct request *request)
{
    char err[ZN_STEER_ERR];
    return said(zn_steer_attach(request->subject, &request->config, request->mode, err), err);
}

static int detach(const struct request *request)
{
    char err[ZN_STEER_ERR];
    return said(zn_steer_detach(request->subject, err), err);
}

static int program(const struct request *request)
{
    char err[ZN_STEER_ERR];
    return said(zn_steer_write(request->subject, &request->config, err), err);
}

static void print_json(const struct request *request, const struct zn_steer_stats *stats)
{
    // The kernel takes quotes and backslashes in an interface's name, and no blanks.
    printf("{\"interface\":\"");
    for (const char *c = request->subject; *c != '\0'; c++)
        printf(*c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? "\\u%04x" : "%c",
               (unsigned char)*c);
    printf("\",\"mode\":\"%s\"", modes[stats->mode]);
    for (int i = 0; i < ZN_STEER_COUNTERS; i++)
        printf(",\"%s\":%llu", counters[i], (unsigned long long)stats->counters[i]);
    puts("}");
}

static void print_text(const struct request *request, const struct zn_steer_stats *stats)
{
    printf("%s, %s mode, port", request->subject, modes[stats->mode]);
    for (unsigned i = 0; i < stats->config.ports_len && i < ZN_STEER_PORTS; i++)
        printf(" %d", ntohs(stats->config.ports[i]));
    putchar('\n');
    for (int i = 0; i < ZN_STEER_COUNTERS; i++)
        printf("  %-14s %12llu  %s\n", counters[i], (unsigned long long)stats->counters[i],
               explained[i]);
}

static int stats(const struct request *request)
{
    struct zn_steer_stats stats;
    char err[ZN_STEER_ERR];
    if (said(zn_steer_stats(request->subject, &stats, err), err))
        return 1;
    (request->json ? print_json : print_text)(request, &stats);
    return 0;
}

static const struct command {
    const char *name;
    int (*run)(const struct request *request);
    const char *flags; // of `options`, by value
} commands[] = {
    { "attach", attach, "pasrm" },
    { "detach", detach, "" },
    { "stats", stats, "j" },
    { "program", program, "pasr" },
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct option options[] = {
    { "port", required_argument, NULL, 'p' },
    { "address", required_argument, NULL, 'a' },
    { "syn-rate", required_argument, NULL, 's' },
    { "packet-rate", required_argument, NULL, 'r' },
    { "mode", required_argument, NULL, 'm' },
    { "json", no_argument, NULL, 'j' },
    { 0 },
};

// `argv[0]` is the command's name.
static int run(const struct command *command, int argc, char **argv)
{
    struct request request = { .config = { .magic = ZN_STEER_MAGIC, .version = ZN_STEER_VERSION } };
    int opt;
    optind = 1;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != '?' && strchr(command->flags, opt) == NULL) {
            fprintf(stderr, "zapnic xdp: %s has no such flag as '%s'\n", command->name,
                    argv[optind - 1]);
            return 2;
        }
        if (take_flag(&request, opt, optarg) != 0)
            return 2;
    }
    if (argc - optind != 1)
        return usage(stderr);
    request.subject = argv[optind];
    if (strchr(command->flags, 'p') != NULL && request.config.ports_len == 0) {
        fprintf(stderr, "zapnic xdp: %s needs --port, that of the server\n", command->name);
        return 2;
    }
    if (zn_steer_attach == NULL) {
        fputs("zapnic xdp: this program was built without libbpf; install clang, bpftool and "
              "libbpf-dev, and build it again\n",
              stderr);
        return 1;
    }
    return command->run(&request);
}

int zn__xdp(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return usage(stdout);
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    return usage(stderr);
}
