// SPDX-License-Identifier: Apache-2.0
// See sink_server.h.
#include "sink_server.h"

#include "proto/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000, EVENTS = 8 };

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", what);
    abort();
}

// The datapath's send: everything is out.
static void take_all(struct zn_dp *dp, struct zn_dp_send *burst, unsigned burst_len)
{
    (void)dp;
    for (unsigned i = 0; i < burst_len; i++) {
        burst[i].taken = 0;
        for (unsigned k = 0; k < burst[i].iov_len; k++)
            burst[i].taken += burst[i].iov[k].iov_len;
    }
}

// The datapath's poll, a few events at a time: it clears the whole array first, which would cost
// more than what is measured.
static int poll_few(struct zn_dp *dp, struct zn_dp_event *events, unsigned max, uint64_t timeout_ns)
{
    return zn_dp_mem.poll(dp, events, max < EVENTS ? max : EVENTS, timeout_ns);
}

void sink_server_create(struct sink_server *sink)
{
    static const struct zn_server_options options = { .threads = 1 };
    *sink = (struct sink_server){ 0 };
    require(zn__server_create(&options, &zn_dp_mem, &sink->server) == 0, "no server");
    sink->reactor = &sink->server->reactors[0];
}

void sink_server_start(struct sink_server *sink)
{
    static struct zn_dp_ops ops;
    zn__reactor_enter(sink->reactor);
    require(zn__server_start(sink->reactor) == 0, "no reactor");
    ops = zn_dp_mem;
    ops.send = take_all;
    ops.poll = poll_few;
    sink->reactor->dp->ops = &ops;
}

void sink_server_stop(struct sink_server *sink)
{
    zn__server_end(sink->reactor);
    for (size_t i = 0; i < sink->peers_len; i++)
        zn_dp_mem_free(sink->peers[i]);
    free(sink->peers);
    zn_server_destroy(sink->server);
}

void sink_server_turn(struct sink_server *sink)
{
    require(zn__reactor_turn(sink->reactor, 0) >= 0, "the loop failed");
}

// Turns until there is nothing left to do.
static void settle(struct sink_server *sink)
{
    for (unsigned quiet = 0; quiet < 2;)
        quiet = zn__reactor_turn(sink->reactor, 0) > 0 ? 0 : quiet + 1;
}

struct zn_mem_peer *sink_server_connect(struct sink_server *sink, const char *target,
                                        const char *extensions)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n%s"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     target, extensions);
    require(n > 0 && (size_t)n < sizeof(head), "handshake too long");
    if (sink->peers_len == sink->peers_cap) {
        sink->peers_cap = sink->peers_cap > 0 ? sink->peers_cap * 2 : 64;
        sink->peers = realloc(sink->peers, sink->peers_cap * sizeof(*sink->peers));
        require(sink->peers != NULL, "no memory");
    }
    int64_t before = sink->reactor->counters.websockets_now;
    struct zn_mem_peer *peer = zn_dp_mem_connect(sink->reactor->dp);
    sink->peers[sink->peers_len++] = peer;
    zn_dp_mem_write(peer, head, (size_t)n);
    settle(sink);
    require(sink->reactor->counters.websockets_now == before + 1, "handshake refused");
    return peer;
}

struct zn_mem_peer *sink_server_connect_sio(struct sink_server *sink)
{
    int64_t before = sink->reactor->counters.sockets_now;
    struct zn_mem_peer *peer =
        sink_server_connect(sink, "/socket.io/?EIO=4&transport=websocket", "");
    sink_server_say(peer, "40", 2);
    settle(sink);
    require(sink->reactor->counters.sockets_now == before + 1, "no Socket.IO connection");
    return peer;
}

void sink_server_say(struct zn_mem_peer *peer, const char *text, size_t len)
{
    static const uint8_t no_mask[4];
    uint8_t frame[14 + TEXT_MAX];
    require(len <= TEXT_MAX, "text too long");
    size_t head = zn__ws_head_write(frame, 0x80 | ZN_WS_TEXT, len);
    frame[1] |= 0x80;
    memcpy(frame + head, no_mask, sizeof(no_mask));
    memcpy(frame + head + sizeof(no_mask), text, len);
    zn_dp_mem_write(peer, frame, head + sizeof(no_mask) + len);
}
