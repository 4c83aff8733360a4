// SPDX-License-Identifier: Apache-2.0
// One run of one scenario: what all scenarios share. Lives in main(); single thread.
#ifndef BENCH_LOAD_RUN_H
#define BENCH_LOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "histogram.h"
#include "message.h"
#include "options.h"
#include "proc.h"

// The clocks at one moment.
struct run_sample {
    uint64_t wall_ns;
    struct proc_cpu server;
    struct proc_cpu load;
};

struct run {
    struct options opt;
    struct client client;
    struct message message;
    struct run_sample begin, end;
    void (*on_due)(struct run *r, uint64_t due_ns); // open loop: sends the message due at due_ns
    uint64_t due_ns;                                // when the next one is
    bool measuring;                                 // between begin and end
    uint64_t count;          // messages, deliveries or handshakes while measuring
    uint64_t wrong;          // messages that differ from what was sent, or came out of order
    uint64_t lost;           // deliveries missing after the run
    uint64_t stalled_closed; // stalled readers that the server dropped
    struct histogram latency;
    struct histogram spread; // fan-out: first to last copy of one broadcast
    struct proc_memory memory_before, memory_after;
    uint64_t slab_before, slab_after;
    uint64_t tcp_before, tcp_after;
};

// Scenarios. Each returns 0, or -errno after saying on stderr what happened.
int run_echo(struct run *r);
int run_fanout(struct run *r, bool slow);
int run_storm(struct run *r);
int run_herd(struct run *r);
int run_idle(struct run *r);

// Waits until the server answers one handshake, at most --seconds.
int run_ready(struct run *r);

// Opens all connections; says on stderr what failed.
int run_open(struct run *r);

// Warms up, then measures for the time asked: each turn polls the client, then calls turn (may be
// NULL).
int run_interval(struct run *r, void (*turn)(struct run *r));

// Reads the clocks. Returns 0 or -ESRCH.
int run_sample(struct run *r, struct run_sample *out);

// Polls for a while without measuring.
int run_poll_for(struct run *r, double seconds);

#endif
