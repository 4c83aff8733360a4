// SPDX-License-Identifier: Apache-2.0
// Scenarios fanout and slow: subscriber 0 publishes, keeps a number of broadcasts outstanding, and
// sends the next one when it has its own copy back of an earlier one. Every subscriber must see
// every broadcast once and in order. In slow one subscriber in a hundred never reads.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "random.h"
#include "run.h"

enum {
    SLOTS = 1 << 16, // broadcasts under way that are followed at once
    STALLED_EVERY = 100,
    DRAIN_S = 10
};

struct slot {
    uint32_t seq;
    uint32_t copies;
    uint64_t sent_ns;
    uint64_t first_ns;
};

struct fanout {
    struct run *run;
    uint8_t *wire;
    uint32_t next_seq;
    uint32_t readers;   // subscribers that read
    uint64_t delivered; // copies received since the start
    bool stopped;
    struct slot slots[SLOTS];
};

static void publish(struct fanout *f, uint32_t count, uint64_t now)
{
    struct run *r = f->run;
    for (uint32_t i = 0; i < count; i++) {
        struct slot *s = &f->slots[f->next_seq % SLOTS];
        *s = (struct slot){ .seq = f->next_seq, .sent_ns = now };
        message_write(&r->message, f->wire + i * r->message.wire_len, f->next_seq++,
                      &r->client.seed);
    }
    conn_send(&r->client, &r->client.conns[0], f->wire, count * r->message.wire_len);
}

static void count_copy(struct fanout *f, uint32_t seq, uint64_t now)
{
    struct run *r = f->run;
    struct slot *s = &f->slots[seq % SLOTS];
    f->delivered++;
    r->count += r->measuring;
    if (s->seq != seq)
        return;
    if (s->copies++ == 0)
        s->first_ns = now;
    if (s->copies == f->readers && r->measuring) {
        histogram_add(&r->latency, now - s->sent_ns);
        histogram_add(&r->spread, now - s->first_ns);
    }
}

static void on_message(struct client *cl, struct conn *c, const struct frame_step *step)
{
    struct fanout *f = cl->scenario;
    struct run *r = f->run;
    if (!message_is(&r->message, step)) {
        bool head_of_binary =
            r->opt.sio && r->opt.text == MESSAGE_BINARY && step->opcode == FRAME_TEXT;
        r->wrong += !head_of_binary;
        return;
    }
    uint32_t seq = message_seq(&r->message, step);
    if (seq != c->seen++) {
        r->wrong++;
        c->seen = seq + 1;
    }
    count_copy(f, seq, cl->read_ns);
    c->owed++;
}

static void on_read_done(struct client *cl, struct conn *c)
{
    struct fanout *f = cl->scenario;
    uint32_t owed = c->owed;
    c->owed = 0;
    if (c == cl->conns && owed > 0 && !f->stopped && f->run->opt.rate == 0)
        publish(f, owed < f->run->opt.depth ? owed : f->run->opt.depth, cl->read_ns);
}

static void on_closed(struct client *cl, struct conn *c)
{
    struct fanout *f = cl->scenario;
    f->run->stalled_closed += c->stalled;
}

// Open loop: one broadcast, as of the moment that it was due.
static void on_due(struct run *r, uint64_t due_ns)
{
    publish(r->client.scenario, 1, due_ns);
}

// Stalls every hundredth subscriber, with a small receive buffer so that the server feels it soon.
static void stall_some(struct fanout *f)
{
    struct client *cl = &f->run->client;
    int small = 4096;
    for (uint32_t i = STALLED_EVERY - 1; i < f->run->opt.conns; i += STALLED_EVERY) {
        setsockopt(cl->conns[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        conn_stall(cl, &cl->conns[i]);
        f->readers--;
    }
}

// Lets the broadcasts under way arrive; what has not come by then is lost.
static int drain(struct fanout *f)
{
    uint64_t due = (uint64_t)f->next_seq * f->readers;
    uint64_t until_ns = clock_ns() + DRAIN_S * NS_PER_S;
    f->stopped = true;
    while (f->delivered < due && clock_ns() < until_ns) {
        int rc = client_poll(&f->run->client, 100 * NS_PER_MS);
        if (rc != 0)
            return rc;
    }
    f->run->lost = due > f->delivered ? due - f->delivered : 0;
    return 0;
}

static int fanout(struct fanout *f, bool slow)
{
    struct run *r = f->run;
    int rc = run_open(r);
    if (rc != 0)
        return rc;
    f->readers = r->opt.conns;
    if (slow)
        stall_some(f);
    if (r->opt.server_pid > 0)
        proc_memory_read(r->opt.server_pid, &r->memory_before);
    if (r->opt.rate > 0)
        r->on_due = on_due;
    else
        publish(f, r->opt.depth, clock_ns());
    rc = run_interval(r, NULL);
    if (r->opt.server_pid > 0)
        proc_memory_read(r->opt.server_pid, &r->memory_after);
    return rc != 0 ? rc : drain(f);
}

int run_fanout(struct run *r, bool slow)
{
    struct fanout *f = calloc(1, sizeof(*f));
    uint8_t *wire = malloc(r->message.wire_len * r->opt.depth);
    int rc = -ENOMEM;
    if (f && wire) {
        f->run = r;
        f->wire = wire;
        r->client.scenario = f;
        r->client.on = (struct client_events){ .on_message = on_message,
                                               .on_read_done = on_read_done,
                                               .on_closed = on_closed };
        rc = fanout(f, slow);
    }
    free(wire);
    free(f);
    return rc;
}
