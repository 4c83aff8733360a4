// SPDX-License-Identifier: Apache-2.0
// The server object: set-up shared read-only by all reactors.
#ifndef ZN_CORE_SERVER_H
#define ZN_CORE_SERVER_H

#include "reactor.h"

enum { ZN_ROUTES_MAX = 64, ZN_LISTENERS_MAX = 8 };

struct zn_io;

enum zn_route_kind { ZN_ROUTE_ENGINE, ZN_ROUTE_WS, ZN_ROUTE_STATIC };

struct zn_route {
    enum zn_route_kind kind;
    const char *path; // exact for STATIC and WS ("*": all), prefix for ENGINE
    size_t path_len;
    union {
        struct zn_engine *engine;
        struct zn_ws_endpoint *ws;
        struct zn_static *file;
    };
};

// An address that the reactors listen on.
struct zn_listener {
    int fd; // holds the port
    struct sockaddr_storage addr;
    socklen_t addr_len;
};

struct zn_server {
    struct zn_server_options options; // defaults filled in
    uint64_t secret[2];               // SipHash key
    struct zn_reactor *reactors;
    unsigned threads;
    const struct zn_dp_ops *dp_ops;
    struct zn_tls *tls;
    struct zn_route routes[ZN_ROUTES_MAX];
    unsigned routes_len;
    struct zn_io *io; // the Socket.IO layer, NULL: none
    zn_timer_fn on_timer[ZN_TIMER_KINDS];
    _Atomic size_t unfinished_claimed; // the reactors' shares together
    unsigned mail_max;                 // mails backlogged from one reactor to another
    struct zn_listener listeners[ZN_LISTENERS_MAX];
    unsigned listeners_len;
    pthread_barrier_t barrier;
    atomic_int start_error;
    atomic_bool running;
    atomic_bool stop_asked;
    atomic_int stoppers;       // threads (and signal handlers) inside zn_server_stop()
    _Atomic uint32_t drain_ms; // written before stop_asked
};

// A server on a given datapath: zn_server_create() for tests on mem. A reactor is started and ended
// on its own thread; between them zn__reactor_turn() runs it.
int zn__server_create(const struct zn_server_options *options, const struct zn_dp_ops *dp_ops,
                      struct zn_server **server_out);
int zn__server_start(struct zn_reactor *reactor);
void zn__server_end(struct zn_reactor *reactor);
void zn__alarm_fire(struct zn_reactor *reactor, struct zn_timer *timer);
void zn__log_text(struct zn_server *server, enum zn_log_level level, const char *event,
                  const char *text);

void zn__endpoint_destroy(struct zn_ws_endpoint *endpoint);

// Per-reactor state of the Socket.IO layer, made and freed by the server with each reactor.
int zn__io_shard_create(struct zn_io *io, struct zn_reactor *reactor, struct zn_io_shard **out);
void zn__io_shard_destroy(struct zn_io_shard *shard);
// Orderly stop: disconnect the sockets of this reactor ("server shutting down").
void zn__io_shard_stop(struct zn_io_shard *shard);
void zn__io_destroy(struct zn_io *io);

#endif
