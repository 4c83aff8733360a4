// SPDX-License-Identifier: Apache-2.0
// Opening, warming up, measuring. See run.h.
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static const uint64_t open_timeout_ns = 20 * NS_PER_S;

int run_sample(struct run *r, struct run_sample *out)
{
    if (proc_cpu_read(getpid(), &out->load) != 0)
        return -ESRCH;
    if (r->opt.server_pid > 0 && proc_cpu_read(r->opt.server_pid, &out->server) != 0) {
        fprintf(stderr, "load: no process %d\n", (int)r->opt.server_pid);
        return -ESRCH;
    }
    out->wall_ns = clock_ns();
    return 0;
}

int run_open(struct run *r)
{
    int rc = client_open_range(&r->client, 0, r->opt.conns, open_timeout_ns);
    if (rc != 0)
        fprintf(stderr, "load: %zu of %u connections open: %s\n", r->client.ready_count,
                r->opt.conns, rc == -ECONNABORTED ? r->client.last_error : strerror(-rc));
    return rc;
}

int run_ready(struct run *r)
{
    struct client *cl = &r->client;
    uint64_t until_ns = clock_ns() + (uint64_t)(r->opt.seconds * 1e9);
    while (clock_ns() < until_ns) {
        if (cl->conns[0].fd < 0 && client_open(cl, &cl->conns[0]) != 0)
            return -EIO;
        int rc = client_poll(cl, 20 * NS_PER_MS);
        if (rc != 0 || cl->ready_count > 0)
            return rc;
        if (cl->conns[0].fd < 0)
            usleep(20000);
    }
    return -ETIMEDOUT;
}

// Sends what is due, and returns how long to wait for the next.
static uint64_t send_due(struct run *r, uint64_t now)
{
    if (!r->on_due)
        return UINT64_MAX;
    if (r->due_ns == 0)
        r->due_ns = now;
    for (; r->due_ns <= now; r->due_ns += (uint64_t)(1e9 / r->opt.rate))
        r->on_due(r, r->due_ns);
    return r->due_ns - now;
}

static int poll_until(struct run *r, uint64_t until_ns, void (*turn)(struct run *r))
{
    for (;;) {
        uint64_t now = clock_ns();
        if (now >= until_ns)
            return 0;
        uint64_t wait_ns = send_due(r, now);
        if (wait_ns > until_ns - now)
            wait_ns = until_ns - now;
        if (wait_ns > 100 * NS_PER_MS)
            wait_ns = 100 * NS_PER_MS;
        int rc = client_poll(&r->client, wait_ns);
        if (rc != 0)
            return rc;
        if (turn)
            turn(r);
    }
}

int run_poll_for(struct run *r, double seconds)
{
    return poll_until(r, clock_ns() + (uint64_t)(seconds * 1e9), NULL);
}

int run_interval(struct run *r, void (*turn)(struct run *r))
{
    int rc = poll_until(r, clock_ns() + (uint64_t)(r->opt.warmup_s * 1e9), turn);
    if (rc == 0)
        rc = run_sample(r, &r->begin);
    if (rc != 0)
        return rc;
    r->measuring = true;
    rc = poll_until(r, r->begin.wall_ns + (uint64_t)(r->opt.seconds * 1e9), turn);
    r->measuring = false;
    return rc != 0 ? rc : run_sample(r, &r->end);
}
