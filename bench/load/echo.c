// SPDX-License-Identifier: Apache-2.0
// Scenario echo: every connection keeps a number of messages in flight and sends one for each that
// returns. The frames are made once: a server cannot tell, and the generator must be cheaper than
// it.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "random.h"
#include "run.h"

enum {
    CHECK_ALL_LEN = 1024,  // up to this length every byte of every message is compared,
    CHECK_EVERY = 64,      // of longer ones every byte of one in so many
    OPEN_LOOP_DEPTH = 1024 // places in flight on a connection with --rate
};

struct echo {
    struct run *run;
    uint8_t *wire;  // depth messages in a row
    uint32_t depth; // messages in flight on one connection at most
    uint32_t next;  // open loop: the connection whose turn it is
};

// c->owed is how many places in flight are free; takes count of them.
static void send_messages(struct client *cl, struct conn *c, uint32_t count, uint64_t now)
{
    struct echo *e = cl->scenario;
    for (uint32_t i = 0; i < count; i++)
        c->sent_ns[(c->seen + e->depth - c->owed--) % e->depth] = now;
    conn_send(cl, c, e->wire, count * e->run->message.wire_len);
}

static void on_chunk(struct client *cl, struct conn *c, const struct frame_step *f)
{
    struct echo *e = cl->scenario;
    const struct message *m = &e->run->message;
    if (m->len > CHECK_ALL_LEN && c->seen % CHECK_EVERY != 0)
        return;
    if (c->parser.len == m->len && (c->parser.head[0] & 15) == m->opcode &&
        memcmp(m->payload + f->chunk_off, f->chunk, f->chunk_len) != 0)
        e->run->wrong++;
}

static void on_message(struct client *cl, struct conn *c, const struct frame_step *f)
{
    struct echo *e = cl->scenario;
    struct run *r = e->run;
    if (!message_is(&r->message, f)) {
        bool head_of_binary =
            r->opt.sio && r->opt.text == MESSAGE_BINARY && f->opcode == FRAME_TEXT;
        r->wrong += !head_of_binary;
        return;
    }
    if (c->owed == e->depth) { // more came back than was sent
        r->wrong++;
        return;
    }
    uint64_t *sent = &c->sent_ns[c->seen++ % e->depth];
    c->owed++;
    if (r->measuring) {
        r->count++;
        histogram_add(&r->latency, cl->read_ns - *sent);
    }
}

static void on_read_done(struct client *cl, struct conn *c)
{
    struct echo *e = cl->scenario;
    if (e->run->opt.rate == 0 && c->owed > 0)
        send_messages(cl, c, c->owed, cl->read_ns);
}

// Open loop: the next connection sends one message, as of the moment that it was due. With all
// places taken the server has lost the race by far, which is a failed run.
static void on_due(struct run *r, uint64_t due_ns)
{
    struct echo *e = r->client.scenario;
    struct conn *c = &r->client.conns[e->next++ % r->opt.conns];
    if (c->owed == 0) {
        r->lost++;
        return;
    }
    send_messages(&r->client, c, 1, due_ns);
}

static int start(struct run *r, struct echo *e)
{
    int rc = run_open(r);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < r->opt.conns; i++) {
        struct conn *c = &r->client.conns[i];
        c->sent_ns = calloc(e->depth, sizeof(*c->sent_ns));
        if (!c->sent_ns)
            return -ENOMEM;
        c->owed = e->depth;
        if (r->opt.rate == 0)
            send_messages(&r->client, c, e->depth, clock_ns());
    }
    if (r->opt.rate > 0)
        r->on_due = on_due;
    return run_interval(r, NULL);
}

int run_echo(struct run *r)
{
    struct echo e = { .run = r, .depth = r->opt.rate > 0 ? OPEN_LOOP_DEPTH : r->opt.depth };
    size_t one = r->message.wire_len;
    e.wire = malloc(one * e.depth);
    if (!e.wire)
        return -ENOMEM;
    for (uint32_t i = 0; i < e.depth; i++)
        message_write(&r->message, e.wire + i * one, 0, &r->client.seed);
    r->client.scenario = &e;
    r->client.on = (struct client_events){ .on_chunk = on_chunk,
                                           .on_message = on_message,
                                           .on_read_done = on_read_done };
    int rc = start(r, &e);
    free(e.wire);
    return rc;
}
