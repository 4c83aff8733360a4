// SPDX-License-Identifier: Apache-2.0
// Scenario herd: all clients are connected, are cut off together, and reconnect at once, as after a
// network failure. The measured interval ends when the last one is back.
#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "run.h"

enum { BACK_S = 60 };

static void on_ready(struct client *cl, struct conn *c)
{
    struct run *r = cl->scenario;
    if (r->measuring) {
        r->count++;
        histogram_add(&r->latency, clock_ns() - c->opened_ns);
    }
}

static int reconnect(struct run *r)
{
    struct client *cl = &r->client;
    uint64_t until_ns = clock_ns() + BACK_S * NS_PER_S;
    for (size_t i = 0; i < cl->conn_count; i++) {
        int rc = client_open(cl, &cl->conns[i]);
        if (rc != 0)
            return rc;
    }
    while (cl->ready_count < cl->conn_count && clock_ns() < until_ns) {
        int rc = client_poll(cl, 100 * NS_PER_MS);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int run_herd(struct run *r)
{
    struct client *cl = &r->client;
    cl->scenario = r;
    cl->on = (struct client_events){ .on_ready = on_ready };
    int rc = run_open(r);
    if (rc == 0)
        rc = run_poll_for(r, r->opt.warmup_s);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < cl->conn_count; i++)
        conn_reset(cl, &cl->conns[i]);
    rc = run_sample(r, &r->begin);
    if (rc != 0)
        return rc;
    r->measuring = true;
    rc = reconnect(r);
    r->measuring = false;
    r->lost = cl->conn_count - cl->ready_count;
    return rc != 0 ? rc : run_sample(r, &r->end);
}
