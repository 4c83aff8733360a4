// SPDX-License-Identifier: Apache-2.0
// A whole server on the mem datapath, for tests and fuzz targets: its clock moves when the test
// says so, and its peers are buffers.
#ifndef ZN_TESTS_MEM_SERVER_H
#define ZN_TESTS_MEM_SERVER_H

#include "core/server.h"

#include <zapnic/zapnic.h>

struct mem_server {
    struct zn_server *server;
    struct zn_reactor *reactor;
    struct zn_namespace *root;
    struct zn_ws_endpoint *endpoint;
    unsigned opened, closed;        // sessions of /engine.io/
    unsigned messages;              // of /engine.io/ and /ws
    unsigned connects, disconnects; // sockets of /
};

// Starts a server with an Engine.IO echo at /engine.io/ (ping 300/200 ms), a WebSocket echo at /ws
// (deflate on), and Socket.IO at /socket.io/ whose / echoes `message` and acks `ask`, and joins
// everybody to the room `all`. `options` may be NULL.
void mem_server_start(struct mem_server *mem, const struct zn_server_options *options);
void mem_server_stop(struct mem_server *mem);

// Runs the loop until it has nothing to do.
void mem_server_settle(struct mem_server *mem);
// Moves the clock on in steps of a millisecond, settling after each.
void mem_server_wait(struct mem_server *mem, unsigned ms);
// Moves it on in one step.
void mem_server_skip(struct mem_server *mem, unsigned ms);

// Connects, writes, settles.
struct zn_mem_peer *mem_server_connect(struct mem_server *mem);
void mem_server_say(struct mem_server *mem, struct zn_mem_peer *peer, const void *p, size_t len);
// All that has arrived, NUL-terminated, in a buffer that the next call overwrites; *len_out may be
// NULL.
const char *mem_server_hear(struct zn_mem_peer *peer, size_t *len_out);

// The bytes of an upgrade request for `target`, and of a masked frame; both return the length.
size_t mem_upgrade_write(char *out, size_t cap, const char *target);
size_t mem_frame_write(uint8_t *out, unsigned first, const void *p, size_t len);

#endif
