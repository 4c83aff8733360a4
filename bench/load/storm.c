// SPDX-License-Identifier: Apache-2.0
// Scenario storm: handshakes, a number of them under way at once. A connection is closed with RST
// as soon as it is ready (Socket.IO: when CONNECT is answered), and the next one starts.
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "run.h"

static void on_ready(struct client *cl, struct conn *c)
{
    (void)cl;
    c->owed = 1;
}

static void on_read_done(struct client *cl, struct conn *c)
{
    struct run *r = cl->scenario;
    if (c->owed == 0)
        return;
    if (r->measuring) {
        r->count++;
        histogram_add(&r->latency, cl->read_ns - c->opened_ns);
    }
    conn_reset(cl, c);
}

static void reopen(struct run *r)
{
    struct client *cl = &r->client;
    for (size_t i = 0; i < cl->conn_count; i++)
        if (cl->conns[i].fd < 0 && client_open(cl, &cl->conns[i]) != 0)
            cl->closed_count++;
}

int run_storm(struct run *r)
{
    r->client.scenario = r;
    r->client.on = (struct client_events){ .on_ready = on_ready, .on_read_done = on_read_done };
    reopen(r);
    return run_interval(r, reopen);
}
