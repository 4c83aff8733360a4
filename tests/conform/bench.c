// SPDX-License-Identifier: Apache-2.0
// The bench contracts: the least that an application can do with a message. Arguments are passed on
// as the text that they came in.
#include "conform.h"

#include <errno.h>

static struct zn_namespace *root;

static void echo(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    zn_emit(socket, "msg", &event->args);
}

static void join(struct zn_socket *socket, void *user)
{
    (void)user;
    zn_join(socket, "room");
}

static void fan_out(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)socket;
    (void)user;
    zn_to(root, "room", "msg", &event->args);
}

static void ws_echo(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    (void)user;
    zn_ws_send(ws, data, len, binary ? ZN_BINARY : 0);
}

static void ws_fan_out(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    struct conform *conform = user;

    (void)ws;
    zn_ws_publish(conform->ws, data, len, binary ? ZN_BINARY : 0);
}

int conform_bench(struct conform *conform)
{
    static const struct zn_ws_handlers echo_handlers = { .message = ws_echo };
    static const struct zn_ws_handlers fan_out_handlers = { .message = ws_fan_out };
    bool fan = conform->contract == CONTRACT_BENCH_BCAST;
    int err = zn_io(conform->server, &conform->io);

    if (err < 0)
        return err;
    root = zn_of(conform->server, "/");
    if (root == NULL)
        return -ENOMEM;
    if (fan)
        zn_on_connection(root, join, conform);
    zn_on(root, "msg", fan ? fan_out : echo, conform);
    conform->ws = zn_ws_attach(conform->server, "*", &(struct zn_ws_options){ 0 },
                               fan ? &fan_out_handlers : &echo_handlers, conform);
    return conform->ws != NULL ? 0 : -ENOMEM;
}
