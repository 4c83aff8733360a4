// SPDX-License-Identifier: Apache-2.0
// See mem_server.h.
#include "mem_server.h"

#include "proto/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "mem_server: %s\n", what);
    abort();
}

static void engine_open(struct zn_session *session, void *user)
{
    (void)session;
    ((struct mem_server *)user)->opened++;
}

static void engine_message(struct zn_session *session, bool binary, const void *data, size_t len,
                           void *user)
{
    ((struct mem_server *)user)->messages++;
    (void)zn_session_send(session, data, len, binary ? ZN_BINARY : 0);
}

static void engine_close(struct zn_session *session, const char *reason, void *user)
{
    (void)session;
    (void)reason;
    ((struct mem_server *)user)->closed++;
}

static void ws_message(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    ((struct mem_server *)user)->messages++;
    (void)zn_ws_send(ws, data, len, binary ? ZN_BINARY : 0);
}

static void on_connection(struct zn_socket *socket, void *user)
{
    ((struct mem_server *)user)->connects++;
    (void)zn_join(socket, "all");
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    (void)socket;
    (void)reason;
    ((struct mem_server *)user)->disconnects++;
}

static void on_message(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    (void)zn_emit(socket, "message-back", &event->args);
}

static void on_ask(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (event->has_ack)
        (void)zn_ack(socket, event->ack_id, &event->args);
}

static void engine_attach(struct mem_server *mem)
{
    static const char *const origins[] = { "*" };
    static const struct zn_engine_handlers handlers = { engine_open, engine_message, engine_close };
    struct zn_engine_options options = { .path = "/engine.io/",
                                         .ping_interval_ms = 300,
                                         .ping_timeout_ms = 200,
                                         .max_payload = 100000,
                                         .cors = { .origins = origins, .origins_len = 1 } };
    require(zn_engine_attach(mem->server, &options, &handlers, mem) == 0, "no engine");
}

static void io_attach(struct mem_server *mem)
{
    struct zn_io_options options = { .engine = { .path = "/socket.io/",
                                                 .ping_interval_ms = 300,
                                                 .ping_timeout_ms = 200,
                                                 .max_payload = 100000 },
                                     .connect_timeout_ms = 1000 };
    require(zn_io(mem->server, &options) == 0, "no Socket.IO");
    mem->root = zn_of(mem->server, "/");
    require(mem->root != NULL, "no namespace");
    zn_on_connection(mem->root, on_connection, mem);
    zn_on_disconnect(mem->root, on_disconnect, mem);
    zn_on(mem->root, "message", on_message, mem);
    zn_on(mem->root, "ask", on_ask, mem);
}

void mem_server_start(struct mem_server *mem, const struct zn_server_options *options)
{
    static const struct zn_ws_handlers handlers = { .message = ws_message };
    static const struct zn_ws_options ws_options = { .message_max = 1 << 20,
                                                     .deflate = { .enabled = true } };
    struct zn_server_options own = { 0 };
    if (options != NULL)
        own = *options;
    own.threads = 1;
    *mem = (struct mem_server){ 0 };
    require(zn__server_create(&own, &zn_dp_mem, &mem->server) == 0, "no server");
    engine_attach(mem);
    io_attach(mem);
    mem->endpoint = zn_ws_attach(mem->server, "/ws", &ws_options, &handlers, mem);
    require(mem->endpoint != NULL, "no endpoint");
    mem->reactor = &mem->server->reactors[0];
    require(zn__server_start(mem->reactor) == 0, "no reactor");
}

void mem_server_stop(struct mem_server *mem)
{
    zn__server_end(mem->reactor);
    zn_server_destroy(mem->server);
}

void mem_server_settle(struct mem_server *mem)
{
    for (unsigned quiet = 0; quiet < 2;)
        quiet = zn__reactor_turn(mem->reactor, 0) > 0 ? 0 : quiet + 1;
}

void mem_server_wait(struct mem_server *mem, unsigned ms)
{
    while (ms-- > 0)
        mem_server_skip(mem, 1);
}

void mem_server_skip(struct mem_server *mem, unsigned ms)
{
    zn_dp_mem_advance(mem->reactor->dp, ms * UINT64_C(1000000));
    mem_server_settle(mem);
}

struct zn_mem_peer *mem_server_connect(struct mem_server *mem)
{
    struct zn_mem_peer *peer = zn_dp_mem_connect(mem->reactor->dp);
    require(peer != NULL, "no peer");
    mem_server_settle(mem);
    return peer;
}

void mem_server_say(struct mem_server *mem, struct zn_mem_peer *peer, const void *p, size_t len)
{
    zn_dp_mem_write(peer, p, len);
    mem_server_settle(mem);
}

const char *mem_server_hear(struct zn_mem_peer *peer, size_t *len_out)
{
    static char heard[1 << 20];
    size_t len = 0;
    ssize_t n;
    while (len < sizeof(heard) - 1 &&
           (n = zn_dp_mem_read(peer, heard + len, sizeof(heard) - 1 - len)) > 0)
        len += (size_t)n;
    heard[len] = '\0';
    if (len_out != NULL)
        *len_out = len;
    return heard;
}

size_t mem_upgrade_write(char *out, size_t cap, const char *target)
{
    int n = snprintf(out, cap,
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     target);
    require(n > 0 && (size_t)n < cap, "target too long");
    return (size_t)n;
}

size_t mem_frame_write(uint8_t *out, unsigned first, const void *p, size_t len)
{
    static const uint8_t key[4] = { 0x11, 0x22, 0x33, 0x44 };
    size_t head = zn__ws_head_write(out, (uint8_t)first, len);
    out[1] |= 0x80;
    memcpy(out + head, key, 4);
    for (size_t i = 0; i < len; i++)
        out[head + 4 + i] = ((const uint8_t *)p)[i] ^ key[i % 4];
    return head + 4 + len;
}
