// SPDX-License-Identifier: Apache-2.0
// One reactor a thread: its datapath, clock, timers, arena of outgoing bytes, mailboxes, and what
// lives on it (connections, sessions, sockets). Reactors share nothing but the server's
// set-up, which does not change while they run; they meet in mailboxes only.
//
// Thread: the reactor's own, but for zn__reactor_post().
#ifndef ZN_CORE_REACTOR_H
#define ZN_CORE_REACTOR_H

#include "chunk.h"
#include "table.h"
#include "wheel.h"

#include "datapath/datapath.h"

#include <zapnic/zapnic.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct conn_move;
struct zn_buffer;
struct zn_conn;
struct zn_http;
struct zn_reactor;
struct zn_session;
struct zn_io_shard;

// What a timer belongs to; the timer stands inside that object.
enum zn_timer_kind {
    ZN_TIMER_CONN,    // connection: head, idle, close and ping deadlines
    ZN_TIMER_SESSION, // Engine.IO: heartbeat, upgrade
    ZN_TIMER_CLIENT,  // Socket.IO: connect timeout of a client
    ZN_TIMER_ACK,     // Socket.IO: an acknowledgement's deadline
    ZN_TIMER_IO,      // Socket.IO: anything else of a shard (recovery, requests)
    ZN_TIMER_ALARM,   // zn_after()
    ZN_TIMER_RETRY,   // mail that did not fit into a ring
    ZN_TIMER_STOP,    // the drain's deadline of an orderly stop
    ZN_TIMER_KINDS,
};

typedef void (*zn_timer_fn)(struct zn_reactor *reactor, struct zn_timer *timer);

// A message from one reactor to another, allocated by the sender. `run` is called on the receiver's
// thread and owns the mail from then on (frees it). `drop` frees it when nobody will run it.
struct zn_mail {
    void (*run)(struct zn_reactor *reactor, struct zn_mail *mail);
    void (*drop)(struct zn_mail *mail);
    struct zn_mail *next; // in the sender's backlog
};

// Counters of one reactor: written by its thread, read by any (zn_server_stats).
struct zn_counters {
    _Atomic uint64_t connections, handshakes, upgrades;
    _Atomic uint64_t messages_in, messages_out, bytes_in, bytes_out;
    _Atomic uint64_t dropped_volatile, dropped_overflow, overflow_disconnects;
    _Atomic uint64_t rejected_http, rejected_ws, rejected_eio, rejected_sio;
    _Atomic uint64_t pongs_offloaded;
    _Atomic uint64_t ping_timeouts, mail_dropped, unfinished_refused;
    _Atomic int64_t connections_now, sessions_now, sockets_now, websockets_now, buffered_now;
    _Atomic int64_t unfinished_now;
};

// Adds without a locked instruction: there is one writer.
#define ZN_COUNT(reactor, field, n)                                                                \
    atomic_store_explicit(&(reactor)->counters.field,                                              \
                          atomic_load_explicit(&(reactor)->counters.field, memory_order_relaxed) + \
                              (n),                                                                 \
                          memory_order_relaxed)

struct zn_zpool;

struct zn_reactor {
    struct zn_server *server;
    unsigned index;
    struct zn_dp *dp;
    struct zn_dp_frames *frames; // of the input that is being read; NULL: no accelerator saw it
    uint64_t now_ms;             // monotonic, of this turn
    uint64_t wall_ms;            // since the epoch, of this turn
    struct zn_wheel wheel;
    struct zn_arena arena;
    struct zn_conn *dirty; // connections with output to flush at the end of the turn, in order
    struct zn_conn **dirty_end;
    struct zn_table sessions;   // Engine.IO sessions by sid
    struct zn_conn *conns;      // all connections
    struct conn_move *arriving; // handed over to this reactor, not announced by the datapath yet
    struct zn_conn *leaving;    // ended ones whose output the datapath still holds
    struct zn_io_shard *io;     // the Socket.IO layer's, see io.h
    struct zn_zpool *zpool;
    struct zn_counters counters;
    size_t unfinished_claimed; // its share of the server's limit, see unfinished.h
    // Mail: rings[i] carries mail from reactor i to this one; backlog[i] is what does not fit
    // into reactor i's ring yet (bounded by the server's mail_max).
    struct zn_ring *rings;
    struct zn_mail_queue {
        struct zn_mail *head, *tail;
        unsigned len;
    } * backlog;
    // zn_post() from foreign threads.
    pthread_mutex_t post_lock;
    struct zn_mail *post_head, *post_tail;
    unsigned post_len;
    atomic_bool post_pending;
    bool closed;        // no more posts (under post_lock)
    uint64_t wake_mask; // reactors that got mail in this turn
    struct zn_timer retry;
    struct zn_timer stop;
    bool busy; // mail is left over: do not sleep
    bool stopping;
    bool done;
    struct zn_alarm *alarms;    // of zn_after()
    struct zn_session *closing; // sessions that end in this turn
    struct zn_http *http_spare; // the exchange that ended last
    char date[40];              // Date header's value, of second date_s
    uint64_t date_s;
    uint8_t entropy[240];
    unsigned entropy_left;
};

enum {
    ZN_THREADS_MAX = 64,
    ZN_MAIL_RING = 4096, // mails on their way from one reactor to another
};

// init and deinit: mailboxes, on any thread while none runs. open and close: the datapath, on the
// reactor's own thread.
int zn__reactor_init(struct zn_reactor *reactor, struct zn_server *server, unsigned index);
int zn__reactor_open(struct zn_reactor *reactor);
void zn__reactor_close(struct zn_reactor *reactor);
void zn__reactor_deinit(struct zn_reactor *reactor);
void zn__reactor_enter(struct zn_reactor *reactor); // this thread is the reactor's
void zn__reactor_retry(struct zn_reactor *reactor, struct zn_timer *timer);
void zn__reactor_stop_due(struct zn_reactor *reactor, struct zn_timer *timer);

// Sets (again) and cancels a timer; `ms` from now.
void zn__reactor_timer(struct zn_reactor *reactor, struct zn_timer *timer, enum zn_timer_kind kind,
                       uint64_t ms);
void zn__reactor_untimer(struct zn_reactor *reactor, struct zn_timer *timer);

// Sends mail to reactor `to` of the same server (which may be this one: it is run in the next
// turn). Mail from one reactor to another arrives in order. Above the limit the mail is dropped,
// counted and -ENOBUFS returned.
int zn__reactor_mail(struct zn_reactor *reactor, unsigned to, struct zn_mail *mail);

// The same from a thread that is no reactor.
int zn__reactor_post(struct zn_reactor *reactor, struct zn_mail *mail);

// The reactor that this thread runs, or NULL.
struct zn_reactor *zn__reactor_self(void);

// Runs the reactor until it is done; `turn` runs one loop turn (tests on mem call it themselves).
void zn__reactor_run(struct zn_reactor *reactor);
int zn__reactor_turn(struct zn_reactor *reactor, uint64_t wait_ns);

// Fills `out` with CSPRNG bytes (buffered); 20-character base64url ids.
void zn__reactor_random(struct zn_reactor *reactor, void *out, size_t len);
void zn__reactor_sid(struct zn_reactor *reactor, char out[21]); // plain: not bound to a reactor

void zn__log(struct zn_server *server, enum zn_log_level level, const char *event,
             const char *fields_format, ...) __attribute__((format(printf, 4, 5)));

#endif
