// SPDX-License-Identifier: Apache-2.0
// build/zapnic-conform: sets the chosen contract up, prints `listening on port N`, and runs until
// SIGTERM or SIGINT.
#include "conform.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { DRAIN_MS = 1000 };

static void on_log(enum zn_log_level level, const char *event, const char *fields, void *user)
{
    const struct conform *conform = user;

    if (level <= ZN_LOG_WARN || conform->verbose)
        fprintf(stderr, "%s %s\n", event, fields != NULL ? fields : "");
}

// Signals are taken by this thread alone, so that no handler runs in the midst of anything.
static void *wait_for_signal(void *arg)
{
    struct conform *conform = arg;
    sigset_t set;
    int signal_number;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    while (sigwait(&set, &signal_number) != 0)
        continue;
    zn_server_stop(conform->server, DRAIN_MS);
    return NULL;
}

static int set_up(struct conform *conform)
{
    switch (conform->contract) {
    case CONTRACT_CLIENT:
        return conform_client(conform);
    case CONTRACT_REMOTE:
        return conform_remote(conform);
    case CONTRACT_BENCH_ECHO:
    case CONTRACT_BENCH_BCAST:
        return conform_bench(conform);
    default:
        return conform_echo(conform);
    }
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "zapnic-conform: %s: %s\n", what, strerror(-err));
    return 1;
}

static void on_ready(struct zn_server *server, void *user)
{
    const struct conform *conform = user;

    (void)server;
    printf("listening on port %u\n", conform->port);
    fflush(stdout);
}

static int run(struct conform *conform)
{
    pthread_t waiter;
    int err = set_up(conform);

    if (err < 0)
        return fail("cannot set the contract up", err);
    err = zn_server_listen(conform->server, conform->host, conform->port, &conform->port);
    if (err < 0)
        return fail("cannot listen", err);
    err = -pthread_create(&waiter, NULL, wait_for_signal, conform);
    if (err < 0)
        return fail("cannot start a thread", err);
    err = zn_server_run(conform->server);
    if (err < 0)
        pthread_cancel(waiter); // no signal has come, it still waits
    pthread_join(waiter, NULL);
    return err < 0 ? fail("the server ended", err) : 0;
}

int main(int argc, char **argv)
{
    static struct conform conform;
    sigset_t set;
    int err = conform_parse(argc, argv, &conform);

    if (err != 0)
        return err < 0 ? 2 : 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    conform.server_options.log = on_log;
    conform.server_options.log_user = &conform;
    conform.server_options.ready = on_ready;
    conform.server_options.ready_user = &conform;
    if (conform_nic_open(&conform) < 0)
        return 1;
    err = zn_server_create(&conform.server_options, &conform.server);
    if (err < 0)
        return fail("cannot make the server; look at --datapath, --cert and --key", err);
    err = run(&conform);
    zn_server_destroy(conform.server);
    return err;
}
