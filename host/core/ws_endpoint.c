// SPDX-License-Identifier: Apache-2.0
// Plain WebSocket endpoints: the public zn_ws_*() functions. A struct zn_ws is the connection.
#include "conn.h"
#include "hello.h"
#include "http.h"
#include "options.h"
#include "server.h"

// The endpoint's connections on one reactor.
struct endpoint_shard {
    struct zn_conn **conns;
    uint32_t len, cap;
};

struct zn_ws_endpoint {
    struct zn_server *server;
    char *path;
    struct zn_ws_options options;
    struct zn_slice *protocols;
    struct zn_ws_handlers handlers;
    void *user;
    struct endpoint_shard shards[ZN_THREADS_MAX];
};

static struct zn_ws *public_of(struct zn_conn *conn)
{
    return (struct zn_ws *)conn;
}

static struct zn_conn *conn_of(const struct zn_ws *ws)
{
    return (struct zn_conn *)ws;
}

const struct zn_ws_options *zn__endpoint_options(const struct zn_ws_endpoint *endpoint)
{
    return &endpoint->options;
}

// --- Connections ---------------------------------------------------------------------------------

static int shard_add(struct zn_conn *conn)
{
    struct endpoint_shard *shard = &conn->endpoint->shards[conn->reactor->index];
    if (shard->len == shard->cap) {
        uint32_t cap = shard->cap == 0 ? 16 : shard->cap * 2;
        struct zn_conn **conns = realloc(shard->conns, cap * sizeof(struct zn_conn *));
        if (conns == NULL)
            return -ENOMEM;
        shard->conns = conns;
        shard->cap = cap;
    }
    conn->slot = shard->len;
    shard->conns[shard->len++] = conn;
    return 0;
}

static void shard_remove(struct zn_conn *conn)
{
    struct endpoint_shard *shard = &conn->endpoint->shards[conn->reactor->index];
    struct zn_conn *last = shard->conns[--shard->len];
    shard->conns[conn->slot] = last;
    last->slot = conn->slot;
}

void zn__endpoint_message(struct zn_conn *conn, bool binary, uint8_t *data, size_t len)
{
    const struct zn_ws_endpoint *endpoint = conn->endpoint;
    if (endpoint->handlers.message != NULL)
        endpoint->handlers.message(public_of(conn), binary, data, len, endpoint->user);
}

void zn__endpoint_control(struct zn_conn *conn, enum zn_ws_opcode opcode, const uint8_t *p,
                          size_t len)
{
    const struct zn_ws_endpoint *endpoint = conn->endpoint;
    if (opcode == ZN_WS_PING && endpoint->handlers.ping != NULL)
        endpoint->handlers.ping(public_of(conn), p, len, endpoint->user);
    else if (opcode == ZN_WS_PONG && endpoint->handlers.pong != NULL)
        endpoint->handlers.pong(public_of(conn), p, len, endpoint->user);
    if (!conn->dead && !conn->closing)
        zn__ws_arm(conn);
}

void zn__endpoint_gone(struct zn_conn *conn)
{
    if (!conn->attached)
        return;
    conn->attached = false;
    shard_remove(conn);
    const struct zn_ws_endpoint *endpoint = conn->endpoint;
    const struct zn_buffer *reason = conn->close_received ? conn->message : NULL;
    if (endpoint->handlers.close != NULL)
        endpoint->handlers.close(public_of(conn), conn->close_code,
                                 reason != NULL ? (const char *)reason->data : "",
                                 reason != NULL ? reason->len : 0, endpoint->user);
}

void zn__endpoint_drained(struct zn_conn *conn)
{
    const struct zn_ws_endpoint *endpoint = conn->endpoint;
    if (conn->attached && endpoint->handlers.drain != NULL)
        endpoint->handlers.drain(public_of(conn), endpoint->user);
}

void zn__endpoint_tell_dropped(struct zn_conn *conn)
{
    const struct zn_ws_endpoint *endpoint = conn->endpoint;
    size_t count = conn->dropped;
    conn->dropped = 0;
    if (conn->attached && endpoint->handlers.dropped != NULL)
        endpoint->handlers.dropped(public_of(conn), count, endpoint->user);
}

// --- Handshake -----------------------------------------------------------------------------------

static bool origin_refused(struct zn_conn *conn, const struct zn_cors *cors)
{
    struct zn_slice origin;
    return cors->check_upgrades &&
           zn__http_header_find(&conn->http->req, zn__http_head(conn), ZN_SLICE("origin"),
                                &origin) &&
           !zn__cors_allows(cors, origin);
}

static void endpoint_open(struct zn_conn *conn, struct zn_ws_endpoint *endpoint)
{
    if (shard_add(conn) < 0) {
        zn__conn_abort(conn);
        return;
    }
    conn->attached = true;
    zn__ws_arm(conn);
    if (endpoint->handlers.open == NULL)
        return;
    struct zn_hello *hello = zn__hello_create(conn);
    struct zn_handshake handshake = { .url = "", .query = "", .headers = "{}", .address = "" };
    if (hello != NULL)
        zn__hello_show(hello, &handshake);
    endpoint->handlers.open(public_of(conn), &handshake, endpoint->user);
    zn__hello_destroy(hello);
}

void zn__endpoint_request(struct zn_conn *conn, struct zn_ws_endpoint *endpoint)
{
    const struct zn_http_req *req = &conn->http->req;
    const char *head = zn__http_head(conn);
    struct zn_slice key;
    struct zn_slice protocol;
    int status = zn__ws_handshake_check(req, head, &key);
    if (status == 0 && zn__ws_subprotocol_choose(req, head, endpoint->protocols,
                                                 endpoint->options.protocols_len, &protocol) < 0)
        status = 400;
    if (status == 0 && origin_refused(conn, &endpoint->options.cors))
        status = 403;
    if (status != 0) {
        zn__http_refuse_upgrade(conn, (unsigned)status,
                                status == 426 ? "Sec-WebSocket-Version: 13\r\n" : "",
                                status == 403 ? "Forbidden" : "Bad Request");
        return;
    }
    struct zn_deflate_params params;
    char extension[ZN_DEFLATE_RESPONSE_MAX];
    struct zn_deflate_config config = zn__deflate_config(&endpoint->options.deflate);
    size_t extension_len = zn__deflate_negotiate(req, head, &config, &params, extension);
    if (zn__http_switch(conn, protocol, (struct zn_slice){ extension, extension_len },
                        (struct zn_slice){ NULL, 0 }) < 0) {
        zn__conn_abort(conn);
        return;
    }
    zn__ws_start(conn, ZN_WS_PLAIN, endpoint, extension_len > 0 ? &params : NULL);
    for (size_t i = 0; i < endpoint->options.protocols_len; i++)
        if (protocol.len > 0 && zn__slice_eq(protocol, endpoint->protocols[i]))
            conn->protocol = (uint8_t)(i + 1);
    endpoint_open(conn, endpoint);
}

// --- Public --------------------------------------------------------------------------------------

static void endpoint_defaults(struct zn_ws_options *options)
{
    if (options->message_max == 0)
        options->message_max = 16u << 20;
    if (options->fragments_max == 0)
        options->fragments_max = 16384;
    if (options->ping_timeout_ms == 0)
        options->ping_timeout_ms = 20000;
    zn__deflate_defaults(&options->deflate);
}

void zn__endpoint_destroy(struct zn_ws_endpoint *endpoint)
{
    if (endpoint == NULL)
        return;
    for (unsigned i = 0; i < ZN_THREADS_MAX; i++)
        free(endpoint->shards[i].conns);
    for (size_t i = 0; endpoint->protocols != NULL && i < endpoint->options.protocols_len; i++)
        free((char *)endpoint->protocols[i].p);
    free(endpoint->protocols);
    zn__cors_free(&endpoint->options.cors);
    free(endpoint->path);
    free(endpoint);
}

struct zn_ws_endpoint *zn_ws_attach(struct zn_server *server, const char *path,
                                    const struct zn_ws_options *options,
                                    const struct zn_ws_handlers *handlers, void *user)
{
    struct zn_ws_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (endpoint == NULL || server->routes_len == ZN_ROUTES_MAX)
        goto fail;
    endpoint->server = server;
    endpoint->user = user;
    endpoint->handlers = *handlers;
    if (options != NULL)
        endpoint->options = *options;
    endpoint->options.cors = (struct zn_cors){ 0 };
    endpoint_defaults(&endpoint->options);
    endpoint->path = strdup(path);
    endpoint->protocols = calloc(endpoint->options.protocols_len + 1, sizeof(struct zn_slice));
    if (endpoint->path == NULL || endpoint->protocols == NULL ||
        (options != NULL && zn__cors_copy(&endpoint->options.cors, &options->cors) < 0))
        goto fail;
    for (size_t i = 0; i < endpoint->options.protocols_len; i++) {
        const char *copy = strdup(options->protocols[i]);
        if (copy == NULL)
            goto fail;
        endpoint->protocols[i] = (struct zn_slice){ copy, strlen(copy) };
    }
    server->routes[server->routes_len++] = (struct zn_route){
        .kind = ZN_ROUTE_WS, .path = endpoint->path, .path_len = strlen(path), .ws = endpoint
    };
    return endpoint;
fail:
    zn__endpoint_destroy(endpoint);
    return NULL;
}

static void message_packet(struct zn_packet *packet, const void *data, size_t len, unsigned flags)
{
    zn__packet_init(packet, 0, flags);
    packet->binary = (flags & ZN_BINARY) != 0;
    zn__packet_add(packet, data, len);
}

int zn_ws_send(struct zn_ws *ws, const void *data, size_t len, unsigned flags)
{
    struct zn_conn *conn = conn_of(ws);
    struct zn_packet packet;
    message_packet(&packet, data, len, flags);
    int err = zn__ws_packet(conn, &packet);
    zn__packet_deinit(&packet);
    return err;
}

int zn_ws_ping(struct zn_ws *ws, const void *data, size_t len)
{
    return len > ZN_WS_CONTROL_MAX ? -EMSGSIZE : zn__ws_control(conn_of(ws), ZN_WS_PING, data, len);
}

int zn_ws_pong(struct zn_ws *ws, const void *data, size_t len)
{
    return len > ZN_WS_CONTROL_MAX ? -EMSGSIZE : zn__ws_control(conn_of(ws), ZN_WS_PONG, data, len);
}

int zn_ws_close(struct zn_ws *ws, uint16_t code, const char *reason)
{
    if (code != 0 && !zn__ws_close_code_valid(code))
        return -EINVAL;
    zn__ws_close(conn_of(ws), code,
                 (struct zn_slice){ reason, reason != NULL ? strlen(reason) : 0 });
    return 0;
}

void zn_ws_terminate(struct zn_ws *ws)
{
    zn__conn_abort_soon(conn_of(ws));
}

size_t zn_ws_buffered(const struct zn_ws *ws)
{
    return conn_of(ws)->out.bytes;
}

const char *zn_ws_protocol(const struct zn_ws *ws)
{
    const struct zn_conn *conn = conn_of(ws);
    return conn->protocol == 0 ? "" : conn->endpoint->protocols[conn->protocol - 1].p;
}

void *zn_ws_user(const struct zn_ws *ws)
{
    return conn_of(ws)->user;
}

void zn_ws_set_user(struct zn_ws *ws, void *user)
{
    conn_of(ws)->user = user;
}

// A publication on its way to another reactor.
struct publish_mail {
    struct zn_mail mail;
    struct zn_ws_endpoint *endpoint;
    unsigned flags;
    size_t len;
    uint8_t data[];
};

static void publish_local(struct zn_reactor *reactor, struct zn_ws_endpoint *endpoint,
                          const void *data, size_t len, unsigned flags)
{
    struct endpoint_shard *shard = &endpoint->shards[reactor->index];
    struct zn_packet packet;
    message_packet(&packet, data, len, flags);
    for (uint32_t i = 0; i < shard->len; i++)
        (void)zn__ws_packet(shard->conns[i], &packet);
    zn__packet_deinit(&packet);
}

static void publish_drop(struct zn_mail *mail)
{
    free(mail);
}

static void publish_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    struct publish_mail *publish = (struct publish_mail *)mail;
    publish_local(reactor, publish->endpoint, publish->data, publish->len, publish->flags);
    free(publish);
}

int zn_ws_publish(struct zn_ws_endpoint *endpoint, const void *data, size_t len, unsigned flags)
{
    struct zn_reactor *reactor = zn__reactor_self();
    if (reactor == NULL || reactor->server != endpoint->server)
        return -EINVAL;
    publish_local(reactor, endpoint, data, len, flags);
    int err = 0;
    for (unsigned i = 0; i < endpoint->server->threads; i++) {
        if (i == reactor->index)
            continue;
        struct publish_mail *publish = malloc(sizeof(*publish) + len);
        if (publish == NULL)
            return -ENOMEM;
        publish->mail = (struct zn_mail){ .run = publish_run, .drop = publish_drop };
        publish->endpoint = endpoint;
        publish->flags = flags;
        publish->len = len;
        memcpy(publish->data, data, len);
        int sent = zn__reactor_mail(reactor, i, &publish->mail);
        err = sent < 0 ? sent : err;
    }
    return err;
}
