// SPDX-License-Identifier: Apache-2.0
// See options.h.
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_usage(void)
{
    fputs("usage: load SCENARIO --port N [options]\n"
          "  echo     every connection keeps --depth messages in flight\n"
          "  fanout   one of --conns subscribers publishes, --depth broadcasts outstanding\n"
          "  slow     fanout with one subscriber in a hundred that never reads\n"
          "  storm    handshakes, --conns under way at once, closed when complete\n"
          "  idle     opens --conns connections and reads the server's memory\n"
          "options:\n"
          "  --pid P            the server's process: measures its CPU time and memory\n"
          "  --proto raw|sio    plain WebSocket, or Socket.IO 5 over Engine.IO 4 (raw)\n"
          "  --conns N (100)  --depth N (1)  --size BYTES (64)  --text ascii|utf8|binary (ascii)\n"
          "  --warmup S (1)  --seconds S (3)  --seed N (1)  --core N  --peer NAME  --run N\n"
          "  --allow-bound      report a run in which this generator was the bottleneck\n",
          stderr);
}

static int number(const char *name, const char *text, double min, double max, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= min && *out <= max)
        return 0;
    fprintf(stderr, "load: --%s must lie between %g and %g\n", name, min, max);
    return -EINVAL;
}

// Index of text in a NULL-ended list, or -1 after a message.
static int choice(const char *name, const char *text, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(text, list[i]) == 0)
            return i;
    fprintf(stderr, "load: --%s does not know %s\n", name, text);
    return -1;
}

enum {
    OPT_PORT, OPT_PID, OPT_PROTO, OPT_CONNS, OPT_DEPTH, OPT_SIZE, OPT_TEXT, OPT_WARMUP, OPT_SECONDS,
    OPT_SEED, OPT_CORE, OPT_RUN, OPT_PEER, OPT_BOUND
};

static const struct option table[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"pid", required_argument, NULL, OPT_PID},
    {"proto", required_argument, NULL, OPT_PROTO},
    {"conns", required_argument, NULL, OPT_CONNS},
    {"depth", required_argument, NULL, OPT_DEPTH},
    {"size", required_argument, NULL, OPT_SIZE},
    {"text", required_argument, NULL, OPT_TEXT},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"core", required_argument, NULL, OPT_CORE},
    {"run", required_argument, NULL, OPT_RUN},
    {"peer", required_argument, NULL, OPT_PEER},
    {"allow-bound", no_argument, NULL, OPT_BOUND},
    {0},
};

static int parse_one(struct options *o, int opt, const char *name, const char *text)
{
    static const char *const protos[] = {"raw", "sio", NULL};
    static const char *const texts[] = {"ascii", "utf8", "binary", NULL};
    static const struct { double min, max; } range[] = {
        [OPT_PORT] = {1, 65535},    [OPT_PID] = {1, 4194304},    [OPT_CONNS] = {1, 1000000},
        [OPT_DEPTH] = {1, 4096},    [OPT_SIZE] = {MESSAGE_SIZE_MIN, 16777216},
        [OPT_WARMUP] = {0, 3600},   [OPT_SECONDS] = {0.1, 86400}, [OPT_SEED] = {0, 9e15},
        [OPT_CORE] = {0, 1023},     [OPT_RUN] = {0, 1000000},
    };
    double value = 0;
    int index = 0;
    if (opt == OPT_PROTO || opt == OPT_TEXT) {
        index = choice(name, text, opt == OPT_PROTO ? protos : texts);
        if (index < 0)
            return -EINVAL;
    } else if (opt != OPT_PEER && opt != OPT_BOUND &&
               number(name, text, range[opt].min, range[opt].max, &value) != 0) {
        return -EINVAL;
    }
    switch (opt) {
    case OPT_PORT: o->port = (uint16_t)value; break;
    case OPT_PID: o->server_pid = (pid_t)value; break;
    case OPT_PROTO: o->sio = index == 1; break;
    case OPT_CONNS: o->conns = (uint32_t)value; break;
    case OPT_DEPTH: o->depth = (uint32_t)value; break;
    case OPT_SIZE: o->size = (uint32_t)value; break;
    case OPT_TEXT: o->text = (enum message_text)index; break;
    case OPT_WARMUP: o->warmup_s = value; break;
    case OPT_SECONDS: o->seconds = value; break;
    case OPT_SEED: o->seed = (uint64_t)value; break;
    case OPT_CORE: o->core = (int)value; break;
    case OPT_RUN: o->run = (uint32_t)value; break;
    case OPT_PEER: o->peer = text; break;
    default: o->allow_bound = true; break;
    }
    return 0;
}

int options_parse(struct options *out, int argc, char **argv)
{
    *out = (struct options){.peer = "server", .conns = 100, .depth = 1, .size = 64, .warmup_s = 1,
                            .seconds = 3, .seed = 1, .core = -1};
    int opt, index = 0;
    while ((opt = getopt_long(argc, argv, "", table, &index)) != -1)
        if (opt == '?' || parse_one(out, opt, table[index].name, optarg) != 0)
            return -EINVAL;
    if (optind + 1 != argc || out->port == 0) {
        options_usage();
        return -EINVAL;
    }
    out->scenario = argv[optind];
    return 0;
}
