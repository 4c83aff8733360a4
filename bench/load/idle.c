// SPDX-License-Identifier: Apache-2.0
// Scenario idle: what a connection that says nothing costs the server in memory. A few connections
// come and go first, so that what a server sets up once is not counted as theirs.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

enum { FIRST_CONNS = 64 };

static int read_memory(struct run *r, struct proc_memory *memory, uint64_t *slab, uint64_t *tcp)
{
    *slab = proc_slab_read();
    *tcp = proc_tcp_buffers_read();
    return proc_memory_read(r->opt.server_pid, memory);
}

int run_idle(struct run *r)
{
    struct client *cl = &r->client;
    size_t first = r->opt.conns < FIRST_CONNS ? r->opt.conns : FIRST_CONNS;
    if (r->opt.server_pid <= 0) {
        fputs("load: idle needs --pid\n", stderr);
        return -EINVAL;
    }
    int rc = client_open_range(cl, 0, first, 10 * NS_PER_S);
    for (size_t i = 0; i < first; i++)
        conn_reset(cl, &cl->conns[i]);
    if (rc == 0)
        rc = run_poll_for(r, r->opt.warmup_s);
    if (rc == 0)
        rc = read_memory(r, &r->memory_before, &r->slab_before, &r->tcp_before);
    if (rc == 0)
        rc = run_open(r);
    if (rc != 0)
        return rc;
    rc = run_interval(r, NULL);
    r->count = cl->ready_count;
    return rc != 0 ? rc : read_memory(r, &r->memory_after, &r->slab_after, &r->tcp_after);
}
