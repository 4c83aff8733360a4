// SPDX-License-Identifier: Apache-2.0
// Signals as calls on an ordinary thread, see signals.h.
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

// What zn__signals_stop() wakes the thread with.
enum { SIGNAL_END = SIGUSR1 };

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
        if (stopping)
            _exit(1);
        stopping = true;
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
