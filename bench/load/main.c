// SPDX-License-Identifier: Apache-2.0
// Load generator for WebSocket and Socket.IO servers: one scenario a run, one thread, one line of
// JSON. Exit codes: 0 reported, 1 failed, 2 usage, 3 refused because the generator was the
// bottleneck.
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "run.h"

static int run_scenario(struct run *r)
{
    const char *name = r->opt.scenario;
    if (strcmp(name, "echo") == 0)
        return run_echo(r);
    if (strcmp(name, "fanout") == 0 || strcmp(name, "slow") == 0)
        return run_fanout(r, name[0] == 's');
    if (strcmp(name, "storm") == 0)
        return run_storm(r);
    if (strcmp(name, "herd") == 0)
        return run_herd(r);
    if (strcmp(name, "idle") == 0)
        return run_idle(r);
    options_usage();
    return -EINVAL;
}

int main(int argc, char **argv)
{
    struct run *r = calloc(1, sizeof(*r));
    if (!r || options_parse(&r->opt, argc, argv) != 0)
        return 2;
    if (r->opt.core >= 0) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET((size_t)r->opt.core, &cores);
        if (sched_setaffinity(0, sizeof(cores), &cores) != 0)
            perror("load: --core");
    }
    uint64_t seed = r->opt.seed;
    int code = 1;
    if (message_init(&r->message, r->opt.sio, r->opt.text, r->opt.size, &seed) != 0 ||
        client_init(&r->client, r->opt.conns, r->opt.port, r->opt.sio, seed) != 0) {
        perror("load");
        return 1;
    }
    bool only_ready = strcmp(r->opt.scenario, "ready") == 0;
    int rc = only_ready ? run_ready(r) : run_scenario(r);
    if (rc == 0)
        code = only_ready ? 0 : (int)report_run(r);
    else
        fprintf(stderr, "load: %s: %s\n", r->opt.scenario, strerror(-rc));
    client_deinit(&r->client);
    message_deinit(&r->message);
    free(r);
    return code;
}
