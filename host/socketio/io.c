// SPDX-License-Identifier: Apache-2.0
// See io.h: making and unmaking the layer.
#include "io.h"

#include "ack.h"
#include "choose.h"
#include "client.h"
#include "gather.h"
#include "namespace.h"
#include "recovery.h"
#include "survey.h"

#include <errno.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 45000 };

void zn__io_leave(struct zn_io_shard *shard)
{
    if (--shard->depth > 0)
        return;
    while (shard->dead != NULL) {
        struct zn_socket *socket = shard->dead;
        shard->dead = socket->next;
        zn__socket_free(socket);
    }
}

struct zn_io_shard *zn__io_self(const struct zn_io *io)
{
    struct zn_reactor *reactor = zn__reactor_self();
    return reactor != NULL && reactor->server == io->server ? reactor->io : NULL;
}

static void io_timer(struct zn_reactor *reactor, struct zn_timer *timer)
{
    if (timer->spare == ZN_IO_TIMER_GATHER)
        zn__gather_timeout(reactor, timer);
    else if (timer->spare == ZN_IO_TIMER_SURVEY)
        zn__survey_timeout(reactor, timer);
    else if (timer->spare == ZN_IO_TIMER_TURN)
        reactor->io->turn++;
    else
        zn__recovery_trim(reactor->io);
}

int zn_io(struct zn_server *server, const struct zn_io_options *options)
{
    if (server->io != NULL)
        return -EEXIST;
    struct zn_io *io = calloc(1, sizeof(*io));
    if (io == NULL)
        return -ENOMEM;
    io->server = server;
    if (options != NULL)
        io->options = *options;
    if (io->options.connect_timeout_ms == 0)
        io->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (io->options.engine.path == NULL)
        io->options.engine.path = "/socket.io/";
    pthread_mutex_init(&io->lock, NULL);
    zn__table_init(&io->names, zn__namespace_key, server->secret);
    int err = 0;
    if (io->options.recovery_ms > 0)
        err = zn__recovery_create(io);
    server->io = io;
    if (err == 0 && zn_of(server, "/") == NULL)
        err = -ENOMEM;
    if (err == 0)
        err = zn__engine_attach(server, &io->options.engine, &zn__client_ops, io, &io->engine);
    if (err < 0) {
        server->io = NULL;
        zn__io_destroy(io);
        return err;
    }
    if (!io->options.no_client)
        zn__engine_serve_client(io->engine);
    server->on_timer[ZN_TIMER_CLIENT] = zn__client_timeout;
    server->on_timer[ZN_TIMER_ACK] = zn__ack_timeout;
    server->on_timer[ZN_TIMER_IO] = io_timer;
    return 0;
}

void zn__io_destroy(struct zn_io *io)
{
    while (io->all != NULL) {
        struct zn_namespace *ns = io->all;
        io->all = ns->next;
        zn__namespace_destroy(ns);
    }
    zn__table_deinit(&io->names);
    if (io->recovery != NULL)
        zn__recovery_destroy(io->recovery);
    pthread_mutex_destroy(&io->lock);
    free(io);
}

int zn__io_shard_create(struct zn_io *io, struct zn_reactor *reactor, struct zn_io_shard **out)
{
    struct zn_io_shard *shard = calloc(1, sizeof(*shard));
    if (shard == NULL)
        return -ENOMEM;
    shard->io = io;
    shard->reactor = reactor;
    shard->turn = 1;
    shard->turn_end.spare = ZN_IO_TIMER_TURN;
    shard->trim.spare = ZN_IO_TIMER_TRIM;
    zn__table_init(&shard->spaces, zn__space_key, reactor->server->secret);
    zn__table_init(&shard->gathers, zn__gather_key, reactor->server->secret);
    *out = shard;
    return 0;
}

void zn__io_shard_destroy(struct zn_io_shard *shard)
{
    zn__reactor_untimer(shard->reactor, &shard->turn_end);
    zn__reactor_untimer(shard->reactor, &shard->trim);
    zn__connect_free_all(shard);
    zn__gather_free_all(shard);
    struct zn_space *space;
    uint32_t cursor = 0;
    while ((space = zn__table_next(&shard->spaces, &cursor)) != NULL)
        zn__space_destroy(space);
    zn__table_deinit(&shard->spaces);
    zn__io_enter(shard);
    zn__io_leave(shard); // the dead
    free(shard->chosen);
    free(shard);
}

void zn__io_shard_stop(struct zn_io_shard *shard)
{
    zn__io_enter(shard);
    struct zn_space *space;
    uint32_t cursor = 0;
    while ((space = zn__table_next(&shard->spaces, &cursor)) != NULL) {
        struct zn_choice choice;
        struct zn_target all = { .ns = space->ns };
        if (zn__choose(space, &all, &choice) < 0)
            continue;
        for (size_t i = 0; i < choice.len; i++) {
            struct zn_socket *socket = zn__choice_at(&choice, i);
            if (socket != NULL)
                zn__socket_end(socket, "server shutting down");
        }
        zn__choice_end(&choice);
    }
    zn__io_leave(shard);
}
