// SPDX-License-Identifier: Apache-2.0
// The conformance server's command line.
#include "conform.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum opt {
    OPT_PORT = 256,
    OPT_HOST,
    OPT_PING_INTERVAL,
    OPT_PING_TIMEOUT,
    OPT_MAX_PAYLOAD,
    OPT_CONNECT_TIMEOUT,
    OPT_RECOVERY,
    OPT_REDIS,
    OPT_QUIET,
    OPT_CLIENT,
    OPT_REMOTE,
    OPT_BENCH,
    OPT_THREADS,
    OPT_DATAPATH,
    OPT_BUFFER,
    OPT_UNFINISHED,
    OPT_OVERFLOW,
    OPT_CERT,
    OPT_KEY,
    OPT_UPGRADE_TIMEOUT,
    OPT_THRESHOLD,
    OPT_DEFLATE,
    OPT_NO_CLIENT,
    OPT_VERBOSE,
    OPT_HELP,
};

static const struct option long_options[] = {
    { "port", required_argument, NULL, OPT_PORT },
    { "host", required_argument, NULL, OPT_HOST },
    { "ping-interval", required_argument, NULL, OPT_PING_INTERVAL },
    { "ping-timeout", required_argument, NULL, OPT_PING_TIMEOUT },
    { "max-payload", required_argument, NULL, OPT_MAX_PAYLOAD },
    { "connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT },
    { "upgrade-timeout", required_argument, NULL, OPT_UPGRADE_TIMEOUT },
    { "recovery", required_argument, NULL, OPT_RECOVERY },
    { "redis", required_argument, NULL, OPT_REDIS },
    { "quiet", no_argument, NULL, OPT_QUIET },
    { "client-contract", no_argument, NULL, OPT_CLIENT },
    { "remote-contract", no_argument, NULL, OPT_REMOTE },
    { "bench", required_argument, NULL, OPT_BENCH },
    { "threads", required_argument, NULL, OPT_THREADS },
    { "datapath", required_argument, NULL, OPT_DATAPATH },
    { "buffer", required_argument, NULL, OPT_BUFFER },
    { "unfinished", required_argument, NULL, OPT_UNFINISHED },
    { "overflow", required_argument, NULL, OPT_OVERFLOW },
    { "deflate", no_argument, NULL, OPT_DEFLATE },
    { "deflate-threshold", required_argument, NULL, OPT_THRESHOLD },
    { "cert", required_argument, NULL, OPT_CERT },
    { "key", required_argument, NULL, OPT_KEY },
    { "no-client", no_argument, NULL, OPT_NO_CLIENT },
    { "verbose", no_argument, NULL, OPT_VERBOSE },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

static const char help[] =
    "usage: zapnic-conform [options]\n"
    "  --port N               0, the default: any; the port is printed on stdout\n"
    "  --host ADDRESS         address to listen on (all)\n"
    "  --ping-interval MS     300      --ping-timeout MS     200\n"
    "  --connect-timeout MS   1000     --upgrade-timeout MS  10000\n"
    "  --max-payload BYTES    1000000  --recovery MS         off\n"
    "  --quiet                no `auth` event on connection\n"
    "  --client-contract      what socket.io-client's own tests expect\n"
    "  --remote-contract      every broadcast operator, asked for by the client\n"
    "  --bench echo|bcast     the leanest handlers, intervals 25000 and 20000\n"
    "  --threads N            1        --datapath NAME       auto\n"
    "  --buffer BYTES         output queued a connection\n"
    "  --unfinished BYTES     incomplete messages on all connections\n"
    "  --overflow WHAT        disconnect, drop-oldest or drop-newest\n"
    "  --deflate              permessage-deflate on Engine.IO too\n"
    "  --deflate-threshold N  bytes from which messages are deflated\n"
    "  --cert FILE --key FILE TLS\n"
    "  --no-client            no bundle of the client under the path\n"
    "  --verbose              the server's own events on stderr\n";

static int number(const char *name, unsigned long long max, unsigned long long *out)
{
    char *end;

    errno = 0;
    *out = strtoull(optarg, &end, 10);
    if (errno == 0 && end != optarg && *end == '\0' && *optarg != '-' && *out <= max)
        return 0;
    fprintf(stderr, "zapnic-conform: --%s takes a number from 0 to %llu, not '%s'\n", name, max,
            optarg);
    return -EINVAL;
}

static int number32(const char *name, uint32_t *out)
{
    unsigned long long value;
    int err = number(name, UINT32_MAX, &value);

    if (err == 0)
        *out = (uint32_t)value;
    return err;
}

static int number_size(const char *name, size_t *out)
{
    unsigned long long value;
    int err = number(name, 1ULL << 40, &value);

    if (err == 0)
        *out = (size_t)value;
    return err;
}

static int choice(const char *name, const char *const words[], unsigned *out)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(optarg, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    fprintf(stderr, "zapnic-conform: --%s does not know '%s'; see --help\n", name, optarg);
    return -EINVAL;
}

static int set_choice(struct conform *conform, int opt)
{
    static const char *const benches[] = { "echo", "bcast", NULL };
    static const char *const policies[] = { "disconnect", "drop-oldest", "drop-newest", NULL };
    unsigned n;
    int err = opt == OPT_BENCH ? choice("bench", benches, &n) : choice("overflow", policies, &n);

    if (err < 0)
        return err;
    if (opt == OPT_BENCH)
        conform->contract = n == 0 ? CONTRACT_BENCH_ECHO : CONTRACT_BENCH_BCAST;
    else
        conform->server_options.overflow = (enum zn_overflow)n;
    return 0;
}

static int set_number(struct conform *conform, int opt, const char *name)
{
    struct zn_engine_options *engine = &conform->io.engine;
    unsigned long long value;

    switch (opt) {
    case OPT_PORT:
        if (number(name, 65535, &value) < 0)
            return -EINVAL;
        conform->port = (uint16_t)value;
        return 0;
    case OPT_THREADS:
        if (number(name, 1024, &value) < 0)
            return -EINVAL;
        conform->server_options.threads = (unsigned)value;
        return 0;
    case OPT_PING_INTERVAL:
        return number32(name, &engine->ping_interval_ms);
    case OPT_PING_TIMEOUT:
        return number32(name, &engine->ping_timeout_ms);
    case OPT_UPGRADE_TIMEOUT:
        return number32(name, &engine->upgrade_timeout_ms);
    case OPT_CONNECT_TIMEOUT:
        return number32(name, &conform->io.connect_timeout_ms);
    case OPT_RECOVERY:
        return number32(name, &conform->io.recovery_ms);
    case OPT_THRESHOLD:
        return number32(name, &conform->deflate.threshold);
    case OPT_BUFFER:
        return number_size(name, &conform->server_options.buffer_max);
    case OPT_UNFINISHED:
        return number_size(name, &conform->server_options.unfinished_max);
    default:
        return number_size(name, &engine->max_payload);
    }
}

static int set(struct conform *conform, int opt, const char *name)
{
    switch (opt) {
    case OPT_HOST:
        conform->host = optarg;
        return 0;
    case OPT_QUIET:
        conform->quiet = true;
        return 0;
    case OPT_VERBOSE:
        conform->verbose = true;
        return 0;
    case OPT_CLIENT:
        conform->contract = CONTRACT_CLIENT;
        return 0;
    case OPT_REMOTE:
        conform->contract = CONTRACT_REMOTE;
        return 0;
    case OPT_DATAPATH:
        conform->server_options.datapath = optarg;
        return 0;
    case OPT_CERT:
        conform->server_options.cert_path = optarg;
        return 0;
    case OPT_KEY:
        conform->server_options.key_path = optarg;
        return 0;
    case OPT_DEFLATE:
        conform->io.engine.deflate.enabled = true;
        return 0;
    case OPT_NO_CLIENT:
        conform->io.no_client = true;
        return 0;
    case OPT_BENCH:
    case OPT_OVERFLOW:
        return set_choice(conform, opt);
    case OPT_REDIS:
        fputs("zapnic-conform: this build has no Redis yet; leave --redis out\n", stderr);
        return -EINVAL;
    case OPT_HELP:
        fputs(help, stdout);
        return 1;
    case '?':
        fputs("zapnic-conform: see --help\n", stderr);
        return -EINVAL;
    default:
        return set_number(conform, opt, name);
    }
}

static void fill_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

// What the contract asks for where the command line says nothing.
static void fill_defaults(struct conform *conform)
{
    struct zn_engine_options *engine = &conform->io.engine;
    bool bench = conform->contract >= CONTRACT_BENCH_ECHO;
    bool client = conform->contract == CONTRACT_CLIENT;

    fill_default(&engine->ping_interval_ms, bench ? 25000 : client ? 2000 : 300);
    fill_default(&engine->ping_timeout_ms, bench || client ? 20000 : 200);
    fill_default(&conform->io.connect_timeout_ms, bench || client ? 45000 : 1000);
    if (client)
        fill_default(&conform->io.recovery_ms, 120 * 1000);
    if (engine->max_payload == 0)
        engine->max_payload = 1000 * 1000;
    engine->deflate.threshold = conform->deflate.threshold;
    if (conform->server_options.threads == 0)
        conform->server_options.threads = 1;
    conform->server_options.http_body_max = engine->max_payload;
}

int conform_parse(int argc, char **argv, struct conform *conform)
{
    int opt, index = 0;

    memset(conform, 0, sizeof *conform);
    conform->server_options.datapath = "auto";
    conform->io.engine.path = "/socket.io/";
    conform->deflate.enabled = true;
    while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        int err = set(conform, opt, long_options[index].name);
        if (err != 0)
            return err;
    }
    if (optind < argc) {
        fprintf(stderr, "zapnic-conform: '%s' is no option; see --help\n", argv[optind]);
        return -EINVAL;
    }
    fill_defaults(conform);
    return 0;
}
