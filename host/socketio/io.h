// SPDX-License-Identifier: Apache-2.0
// Socket.IO v5 on top of Engine.IO sessions: the layer's own objects.
//
//   zn_io          one a server: options, all namespaces
//   zn_io_shard    one a reactor: its share of the layer
//   zn_namespace   one a name, server-wide: handlers, ack ids                 namespace.h
//   zn_space       a namespace on one reactor: its sockets and rooms          namespace.h
//   zn_client      one a session, in its user bytes: its sockets              client.h
//   zn_socket      a client in a namespace                                    socket.h
//
// Thread: io and namespaces are set up before the reactors run; what changes later (dynamic
// namespaces, recovery) stands under a mutex. All else belongs to its reactor.
#ifndef ZN_CORE_IO_H
#define ZN_CORE_IO_H

#include "core/reactor.h"
#include "core/server.h"
#include "core/table.h"

#include <zapnic/zapnic.h>

#include <pthread.h>

struct zn_namespace;
struct zn_next;
struct zn_recovery;
struct zn_socket;
struct zn_space;

struct zn_io {
    struct zn_server *server;
    struct zn_io_options options; // defaults filled in
    struct zn_engine *engine;
    pthread_mutex_t lock;         // guards what follows while the reactors run
    struct zn_table names;        // namespaces by name, without parents
    struct zn_namespace *parents; // in the order they were made
    struct zn_namespace *all;     // every namespace
    unsigned children_len;        // made on demand
    struct zn_recovery *recovery; // NULL: off
};

struct zn_io_shard {
    struct zn_io *io;
    struct zn_reactor *reactor;
    unsigned depth;             // entries below on the stack; nothing is freed while > 0
    struct zn_socket *dead;     // freed when depth is 0 again
    struct zn_table spaces;     // by namespace name
    struct zn_next *connecting; // middlewares that have not said yes or no
    struct zn_socket **chosen;  // stack of receivers, see choose.h
    size_t chosen_len, chosen_cap;
    const struct zn_args *handled; // of the event that a handler is looking at, or NULL
    uint32_t turn;                 // counts the turns in which clients came into namespaces, from 1
    struct zn_timer turn_end;      // comes when what was read in this turn has been seen to
    struct zn_timer trim;          // recovery: something here has become too old
    struct zn_table gathers; // questions to all reactors that are not answered yet, see gather.h
    uint64_t last_ask;
};

// Around everything that may call the application: sockets that end meanwhile stay readable
// until the outermost leave.
static inline void zn__io_enter(struct zn_io_shard *shard)
{
    shard->depth++;
}

void zn__io_leave(struct zn_io_shard *shard);

// The shard of the calling thread, or NULL when it is no reactor of this server.
struct zn_io_shard *zn__io_self(const struct zn_io *io);

// Timers of kind ZN_TIMER_IO say in `spare` what they are.
enum zn_io_timer {
    ZN_IO_TIMER_GATHER,
    ZN_IO_TIMER_SURVEY,
    ZN_IO_TIMER_TURN,
    ZN_IO_TIMER_TRIM,
};

#endif
