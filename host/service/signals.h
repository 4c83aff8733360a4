// SPDX-License-Identifier: Apache-2.0
// Signals as calls on an ordinary thread: nothing runs in the midst of anything, and the server's
// functions may be called.
#ifndef ZN_SERVICE_SIGNALS_H
#define ZN_SERVICE_SIGNALS_H

#include <pthread.h>

enum zn_signal {
    ZN_SIGNAL_STOP,   // SIGTERM, SIGINT; once: a later one ends the process at once
    ZN_SIGNAL_RELOAD, // SIGHUP
};

typedef void (*zn_signal_fn)(enum zn_signal signal, void *user);

struct zn_signals {
    pthread_t thread;
    zn_signal_fn fn;
    void *user;
};

// Call it before any thread is made, so that all of them leave the signals alone.
void zn__signals_block(void);

// Calls fn on a thread of its own. `signals` is in use until stop. 0 or negative errno.
int zn__signals_start(struct zn_signals *signals, zn_signal_fn fn, void *user);
void zn__signals_stop(struct zn_signals *signals);

#endif
