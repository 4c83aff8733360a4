// SPDX-License-Identifier: Apache-2.0
// A whole server without a kernel: clients come over the datapath in memory, and what is sent to
// them is taken at once and forgotten. So a bench measures the server's own work alone.
//
// Thread: that of sink_server_start(), which becomes the reactor's.
#ifndef ZN_BENCH_SINK_SERVER_H
#define ZN_BENCH_SINK_SERVER_H

#include "core/server.h"

struct sink_server {
    struct zn_server *server;
    struct zn_reactor *reactor;
    struct zn_mem_peer **peers; // the clients' ends
    size_t peers_len, peers_cap;
};

// In this order: create, attach to `server` what is asked of it, start. Failures end the program.
void sink_server_create(struct sink_server *sink);
void sink_server_start(struct sink_server *sink);
void sink_server_stop(struct sink_server *sink); // destroys the server too

// A client whose WebSocket handshake for `target` is done; `extensions` is a header line with its
// CR LF, or "".
struct zn_mem_peer *sink_server_connect(struct sink_server *sink, const char *target,
                                        const char *extensions);
// A client in the Socket.IO namespace "/".
struct zn_mem_peer *sink_server_connect_sio(struct sink_server *sink);

// Sends a text message of at most 1000 bytes from the client; it is seen to in the next turn.
void sink_server_say(struct zn_mem_peer *peer, const char *text, size_t len);

// One turn of the loop: what has come in is seen to, and what was queued is sent.
void sink_server_turn(struct sink_server *sink);

#endif
