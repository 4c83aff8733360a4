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
    fputs(
        "usage: load SCENARIO --port N [options]\n"
        "  echo     every connection keeps --depth messages in flight\n"
        "  fanout   one of --conns subscribers publishes, --depth broadcasts outstanding\n"
        "  slow     fanout with one subscriber in a hundred that never reads\n"
        "  storm    handshakes, --conns under way at once, closed when complete\n"
        "  herd     all --conns connect, are cut, and reconnect at once\n"
        "  idle     opens --conns connections and reads the server's memory\n"
        "  ready    succeeds as soon as one connection could be opened\n"
        "options:\n"
        "  --pid P            the server's process: measures its CPU time and memory\n"
        "  --proto raw|sio    plain WebSocket, or Socket.IO 5 over Engine.IO 4 (raw)\n"
        "  --conns N (100)  --depth N (1)  --size BYTES (64)  --text ascii|utf8|binary (ascii)\n"
        "  --rate N           echo, fanout: N messages a second whatever comes back (open loop);\n"
        "                     latency counts from the moment that each was due\n"
        "  --warmup S (1)  --seconds S (3)  --seed N (1)  --core N\n"
        "  --question NAME  --peer NAME  --run N    copied to the output\n"
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
    OPT_PORT,
    OPT_PID,
    OPT_CONNS,
    OPT_DEPTH,
    OPT_SIZE,
    OPT_WARMUP,
    OPT_SECONDS,
    OPT_SEED,
    OPT_CORE,
    OPT_RUN,
    OPT_RATE,
    OPT_NUMBERS, // those before are numbers
    OPT_PROTO = OPT_NUMBERS,
    OPT_TEXT,
    OPT_PEER,
    OPT_QUESTION,
    OPT_BOUND
};

static const struct option table[] = {
    { "port", required_argument, NULL, OPT_PORT },
    { "pid", required_argument, NULL, OPT_PID },
    { "conns", required_argument, NULL, OPT_CONNS },
    { "depth", required_argument, NULL, OPT_DEPTH },
    { "size", required_argument, NULL, OPT_SIZE },
    { "warmup", required_argument, NULL, OPT_WARMUP },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "seed", required_argument, NULL, OPT_SEED },
    { "core", required_argument, NULL, OPT_CORE },
    { "run", required_argument, NULL, OPT_RUN },
    { "rate", required_argument, NULL, OPT_RATE },
    { "proto", required_argument, NULL, OPT_PROTO },
    { "text", required_argument, NULL, OPT_TEXT },
    { "peer", required_argument, NULL, OPT_PEER },
    { "question", required_argument, NULL, OPT_QUESTION },
    { "allow-bound", no_argument, NULL, OPT_BOUND },
    { 0 },
};

struct range {
    double min, max, value; // value: what holds when the option is absent
};

static int parse_word(struct options *o, int opt, const char *text)
{
    static const char *const protos[] = { "raw", "sio", NULL };
    static const char *const texts[] = { "ascii", "utf8", "binary", NULL };
    int index = 0;
    if (opt == OPT_PROTO) {
        index = choice("proto", text, protos);
        o->sio = index == 1;
    } else if (opt == OPT_TEXT) {
        index = choice("text", text, texts);
        o->text = (enum message_text)index;
    } else if (opt == OPT_PEER) {
        o->peer = text;
    } else if (opt == OPT_QUESTION) {
        o->question = text;
    } else {
        o->allow_bound = true;
    }
    return index < 0 ? -EINVAL : 0;
}

static void take_numbers(struct options *o, const struct range *n)
{
    o->port = (uint16_t)n[OPT_PORT].value;
    o->server_pid = (pid_t)n[OPT_PID].value;
    o->conns = (uint32_t)n[OPT_CONNS].value;
    o->depth = (uint32_t)n[OPT_DEPTH].value;
    o->size = (uint32_t)n[OPT_SIZE].value;
    o->warmup_s = n[OPT_WARMUP].value;
    o->seconds = n[OPT_SECONDS].value;
    o->seed = (uint64_t)n[OPT_SEED].value;
    o->core = (int)n[OPT_CORE].value;
    o->run = (uint32_t)n[OPT_RUN].value;
    o->rate = n[OPT_RATE].value;
}

int options_parse(struct options *out, int argc, char **argv)
{
    struct range numbers[OPT_NUMBERS] = {
        [OPT_PORT] = { 1, 65535, 0 },
        [OPT_PID] = { 1, 4194304, 0 },
        [OPT_CONNS] = { 1, 1000000, 100 },
        [OPT_DEPTH] = { 1, 4096, 1 },
        [OPT_SIZE] = { MESSAGE_SIZE_MIN, 16777216, 64 },
        [OPT_WARMUP] = { 0, 3600, 1 },
        [OPT_SECONDS] = { 0.1, 86400, 3 },
        [OPT_SEED] = { 0, 9e15, 1 },
        [OPT_CORE] = { 0, 1023, -1 },
        [OPT_RUN] = { 0, 1000000, 0 },
        [OPT_RATE] = { 0, 10000000, 0 },
    };
    *out = (struct options){ .peer = "server", .question = "" };
    int opt, index = 0;
    while ((opt = getopt_long(argc, argv, "", table, &index)) != -1) {
        if (opt == '?')
            return -EINVAL;
        struct range *n = opt < OPT_NUMBERS ? &numbers[opt] : NULL;
        int rc = n ? number(table[index].name, optarg, n->min, n->max, &n->value)
                   : parse_word(out, opt, optarg);
        if (rc != 0)
            return rc;
    }
    take_numbers(out, numbers);
    if (optind + 1 != argc || out->port == 0) {
        options_usage();
        return -EINVAL;
    }
    out->scenario = argv[optind];
    return 0;
}
