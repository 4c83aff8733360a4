// SPDX-License-Identifier: Apache-2.0
// The default contract: plain Engine.IO and plain WebSocket echo, and the Socket.IO events that
// protocol suites use.
#include "conform.h"

#include <errno.h>

static const char *const any_origin[] = { "*" };

static void session_message(struct zn_session *session, bool binary, const void *data, size_t len,
                            void *user)
{
    (void)user;
    zn_session_send(session, data, len, binary ? ZN_BINARY : 0);
}

static void ws_message(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    (void)user;
    zn_ws_send(ws, data, len, binary ? ZN_BINARY : 0);
}

static void on_connection(struct zn_socket *socket, void *user)
{
    struct zn_handshake handshake;

    (void)user;
    zn_socket_handshake(socket, &handshake);
    zn_emit(socket, "auth", &ZN_JSON(handshake.auth));
}

static void on_message(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    zn_emit(socket, "message-back", &event->args);
}

static void on_message_with_ack(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &event->args);
}

static void on_emit_answer(struct zn_socket *socket, int err, const struct zn_args *args,
                           void *user)
{
    (void)user;
    if (err == 0)
        zn_emit(socket, "emit-with-ack", args);
}

static void on_emit_with_ack(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_message message = { .event = "emit-with-ack",
                                  .args = event->args,
                                  .ack = on_emit_answer };

    (void)user;
    zn_emit_message(socket, &message);
}

static int attach_plain(struct conform *conform)
{
    struct zn_engine_options engine = conform->io.engine;
    struct zn_ws_options ws = { .message_max = 64 << 20,
                                .fragments_max = 1000 * 1000,
                                .deflate = conform->deflate };
    static const struct zn_engine_handlers engine_handlers = { .message = session_message };
    static const struct zn_ws_handlers ws_handlers = { .message = ws_message };
    int err;

    engine.path = "/engine.io/";
    engine.cors = (struct zn_cors){ .origins = any_origin, .origins_len = 1 };
    err = zn_engine_attach(conform->server, &engine, &engine_handlers, conform);
    if (err < 0)
        return err;
    conform->ws = zn_ws_attach(conform->server, "/ws", &ws, &ws_handlers, conform);
    return conform->ws != NULL ? 0 : -ENOMEM;
}

int conform_echo(struct conform *conform)
{
    struct zn_namespace *root, *custom;
    int err = attach_plain(conform);

    if (err < 0)
        return err;
    err = zn_io(conform->server, &conform->io);
    if (err < 0)
        return err;
    root = zn_of(conform->server, "/");
    custom = zn_of(conform->server, "/custom");
    if (root == NULL || custom == NULL)
        return -ENOMEM;
    if (!conform->quiet) {
        zn_on_connection(root, on_connection, conform);
        zn_on_connection(custom, on_connection, conform);
    }
    zn_on(root, "message", on_message, conform);
    zn_on(root, "message-with-ack", on_message_with_ack, conform);
    zn_on(root, "emit-with-ack", on_emit_with_ack, conform);
    return 0;
}
