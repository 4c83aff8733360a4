// SPDX-License-Identifier: Apache-2.0
// Many client connections on one epoll loop: TCP, WebSocket handshake, Engine.IO 4 open and
// heartbeat, Socket.IO 5 CONNECT, framing. A scenario owns one client and hears from it by
// callbacks on the one thread there is. Connections are an array; a closed one keeps its place.
#ifndef BENCH_LOAD_CLIENT_H
#define BENCH_LOAD_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

enum conn_state {
    CONN_IDLE,       // not opened yet, or closed
    CONN_CONNECTING, // TCP
    CONN_UPGRADING,  // waiting for 101
    CONN_OPENING,    // waiting for Engine.IO open
    CONN_JOINING,    // waiting for Socket.IO CONNECT
    CONN_READY
};

struct conn {
    int fd;
    enum conn_state state;
    bool stalled;       // never read again (a scenario's slow reader)
    bool want_write;    // EPOLLOUT is armed
    uint32_t owed;      // scenario's: messages to send when this read is done
    uint32_t seen;      // scenario's: messages received
    uint64_t opened_ns; // when connect() was called
    char *http;         // the handshake answer so far, http_len bytes
    size_t http_len;
    uint8_t *out; // bytes that the kernel did not take yet
    size_t out_len, out_cap;
    uint64_t *sent_ns; // scenario's: when each outstanding message was sent
    struct frame_parser parser;
};

struct client;

// All optional. on_message hears every completed frame that is not the transport's own business;
// on_chunk every piece of payload; on_read_done follows each read that brought bytes.
struct client_events {
    void (*on_ready)(struct client *cl, struct conn *c);
    void (*on_message)(struct client *cl, struct conn *c, const struct frame_step *f);
    void (*on_chunk)(struct client *cl, struct conn *c, const struct frame_step *f);
    void (*on_read_done)(struct client *cl, struct conn *c);
    void (*on_closed)(struct client *cl, struct conn *c);
};

struct client {
    struct client_events on;
    void *scenario;
    struct sockaddr_in server;
    bool sio;
    const char *path; // of the request line
    struct conn *conns;
    size_t conn_count;
    size_t ready_count;
    uint64_t closed_count; // connections that the server ended or that failed
    const char *last_error;
    uint64_t seed;
    uint64_t read_ns; // the clock right after the latest recv()
    int epfd;
    uint8_t *buffer; // shared receive buffer
    size_t buffer_len;
};

// Returns 0 or -errno. conns connections are allocated, none opened.
int client_init(struct client *cl, size_t conns, uint16_t port, bool sio, uint64_t seed);
void client_deinit(struct client *cl);

// Starts connecting one idle connection. Returns 0 or -errno.
int client_open(struct client *cl, struct conn *c);

// Opens connections from..to-1, a few hundred at a time, and returns when all are ready: 0, or
// -errno when one fails or timeout_ns passes without progress.
int client_open_range(struct client *cl, size_t from, size_t to, uint64_t timeout_ns);

// Waits up to timeout_ns and handles what is there. Returns 0 or -errno.
int client_poll(struct client *cl, uint64_t timeout_ns);

// Sends bytes in order; what the kernel does not take is kept. Closes the connection when that
// fails.
void conn_send(struct client *cl, struct conn *c, const uint8_t *data, size_t len);

// Closes at once with RST, so that no port stays in TIME_WAIT. on_closed is not called.
void conn_reset(struct client *cl, struct conn *c);

// Stops reading a connection for good while it stays open.
void conn_stall(struct client *cl, struct conn *c);

#endif
