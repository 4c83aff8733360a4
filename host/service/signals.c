// SPDX-License-Identifier: Apache-2.0
// Signals as calls on an ordinary thread, see signals.h.
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum {
    SIGNAL_END = SIGUSR1, // what zn__signals_stop() wakes the thread with
    SAME_STOP_S = 1,      // a supervisor may signal the whole group and the process besides
};

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGNAL_END);
}

void zn__signals_block(void)
{
    sigset_t set;

    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void *wait_for_signals(void *arg)
{
    const struct zn_signals *signals = arg;
    struct timespec now, stopped = { 0 };
    bool stopping = false;
    sigset_t set;
    int number;

    signal_set(&set);
    for (;;) {
        if (sigwait(&set, &number) != 0)
            continue;
        if (number == SIGNAL_END)
            return NULL;
        if (number == SIGHUP) {
            signals->fn(ZN_SIGNAL_RELOAD, signals->user);
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (stopping && now.tv_sec - stopped.tv_sec <= SAME_STOP_S)
            continue;
        if (stopping)
            _exit(1);
        stopping = true;
        stopped = now;
        signals->fn(ZN_SIGNAL_STOP, signals->user);
    }
}

int zn__signals_start(struct zn_signals *signals, zn_signal_fn fn, void *user)
{
    signals->fn = fn;
    signals->user = user;
    return -pthread_create(&signals->thread, NULL, wait_for_signals, signals);
}

void zn__signals_stop(struct zn_signals *signals)
{
    pthread_kill(signals->thread, SIGNAL_END);
    pthread_join(signals->thread, NULL);
}
