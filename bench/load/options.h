// SPDX-License-Identifier: Apache-2.0
// Command line of the load generator. Parsed once at start, read-only afterwards.
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "message.h"

struct options {
    const char *scenario;
    const char *peer;     // copied to the output
    const char *question; // copied to the output
    uint16_t port;
    pid_t server_pid; // 0: server CPU is not measured
    bool sio;
    uint32_t conns; // connections or subscribers
    uint32_t depth; // messages in flight per connection, or broadcasts outstanding
    uint32_t size;  // bytes of user data in a message
    enum message_text text;
    double warmup_s, seconds;
    double rate; // messages or broadcasts a second, whatever comes back; 0: closed loop
    uint64_t seed;
    int core;         // -1: not pinned
    uint32_t run;     // copied to the output
    bool allow_bound; // report a run in which the generator was the bottleneck, marked so
};

// Fills *out. Returns 0, or -EINVAL after saying on stderr what is wrong.
int options_parse(struct options *out, int argc, char **argv);
void options_usage(void);

#endif
