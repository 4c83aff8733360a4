// SPDX-License-Identifier: Apache-2.0
// See engine.h: setting an Engine.IO endpoint up, for the layer above it, which may be the
// application itself (zn_engine_attach).
#include "engine.h"

#include "options.h"
#include "server.h"

#include <assert.h>
#include <stdio.h>

static void engine_defaults(struct zn_engine_options *options)
{
    if (options->ping_interval_ms == 0)
        options->ping_interval_ms = 25000;
    if (options->ping_timeout_ms == 0)
        options->ping_timeout_ms = 20000;
    if (options->upgrade_timeout_ms == 0)
        options->upgrade_timeout_ms = 10000;
    if (options->max_payload == 0)
        options->max_payload = 1000000;
    zn__deflate_defaults(&options->deflate);
}

// "/name/" whatever slashes were given.
static char *path_normal(const char *path)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[0] == '/') {
        path++;
        len--;
    }
    char *normal = malloc(len + 3);
    if (normal == NULL)
        return NULL;
    int n = snprintf(normal, len + 3, len > 0 ? "/%.*s/" : "/", (int)len, path);
    assert(n > 0);
    return normal;
}

void zn__engine_destroy(struct zn_engine *engine)
{
    if (engine == NULL)
        return;
    zn__cors_free(&engine->options.cors);
    free((char *)engine->options.cookie);
    free(engine->owned_user);
    free(engine->path);
    free(engine);
}

int zn__engine_attach(struct zn_server *server, const struct zn_engine_options *options,
                      const struct zn_session_ops *ops, void *user, struct zn_engine **engine_out)
{
    if (server->routes_len == ZN_ROUTES_MAX)
        return -ENOSPC;
    struct zn_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return -ENOMEM;
    engine->server = server;
    engine->ops = *ops;
    engine->user = user;
    engine->options = *options;
    engine->options.cookie = NULL;
    engine->options.cors = (struct zn_cors){ 0 };
    engine_defaults(&engine->options);
    engine->path = path_normal(options->path != NULL ? options->path : "/engine.io/");
    if (options->cookie != NULL)
        engine->options.cookie = strdup(options->cookie);
    if (engine->path == NULL || (options->cookie != NULL && engine->options.cookie == NULL) ||
        zn__cors_copy(&engine->options.cors, &options->cors) < 0) {
        zn__engine_destroy(engine);
        return -ENOMEM;
    }
    engine->path_len = strlen(engine->path);
    engine->options.path = engine->path;
    server->routes[server->routes_len++] = (struct zn_route){ .kind = ZN_ROUTE_ENGINE,
                                                              .path = engine->path,
                                                              .path_len = engine->path_len,
                                                              .engine = engine };
    *engine_out = engine;
    return 0;
}

void zn__engine_serve_client(struct zn_engine *engine)
{
    engine->serves_client = true;
}

void *zn__engine_user(const struct zn_engine *engine)
{
    return engine->user;
}

const struct zn_engine_options *zn__engine_options(const struct zn_engine *engine)
{
    return &engine->options;
}

// --- The application as the layer above ----------------------------------------------------------

// What zn_engine_attach() was given; the engine's user.
struct app_engine {
    struct zn_engine_handlers handlers;
    void *user;
};

static void app_open(struct zn_session *session)
{
    const struct app_engine *app = session->engine->user;
    zn__session_forget_handshake(session);
    if (app->handlers.open != NULL)
        app->handlers.open(session, app->user);
}

static void app_message(struct zn_session *session, bool binary, uint8_t *data, size_t len)
{
    const struct app_engine *app = session->engine->user;
    if (app->handlers.message != NULL)
        app->handlers.message(session, binary, data, len, app->user);
}

static void app_close(struct zn_session *session, const char *reason)
{
    const struct app_engine *app = session->engine->user;
    if (app->handlers.close != NULL)
        app->handlers.close(session, reason, app->user);
}

int zn_engine_attach(struct zn_server *server, const struct zn_engine_options *options,
                     const struct zn_engine_handlers *handlers, void *user)
{
    static const struct zn_session_ops ops = { .open = app_open,
                                               .message = app_message,
                                               .close = app_close };
    struct app_engine *app = malloc(sizeof(*app));
    if (app == NULL)
        return -ENOMEM;
    *app = (struct app_engine){ *handlers, user };
    struct zn_engine *engine;
    int err = zn__engine_attach(server, options, &ops, app, &engine);
    if (err < 0)
        free(app);
    else
        engine->owned_user = app;
    return err;
}

int zn_session_send(struct zn_session *session, const void *data, size_t len, unsigned flags)
{
    struct zn_packet packet;
    zn__packet_init(&packet, '0' + ZN_EIO_MESSAGE, flags);
    packet.binary = (flags & ZN_BINARY) != 0;
    zn__packet_add(&packet, data, len);
    int err = zn__session_send(session, &packet);
    zn__packet_deinit(&packet);
    return err;
}
