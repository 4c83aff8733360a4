// SPDX-License-Identifier: Apache-2.0
// See socket.h.
#include "socket.h"

#include "ack.h"
#include "client.h"
#include "recovery.h"
#include "room.h"

#include "proto/json.h"
#include "proto/sio.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdlib.h>

struct zn_socket *zn__socket_create(struct zn_space *space, struct zn_session *session, char *auth)
{
    struct zn_io_shard *shard = space->shard;
    size_t pid_len = shard->io->recovery != NULL ? ZN_EIO_SID_LEN + 1 : 0;
    size_t size = offsetof(struct zn_socket, pid) + pid_len;
    struct zn_socket *socket = calloc(1, size > sizeof(*socket) ? size : sizeof(*socket));
    if (socket == NULL)
        return NULL;
    socket->session = session;
    socket->space = space;
    socket->auth = auth;
    zn__reactor_sid(shard->reactor, socket->id);
    if (pid_len > 0)
        zn__reactor_sid(shard->reactor, socket->pid);
    zn__client_add(session, socket);
    return socket;
}

void zn__socket_bury(struct zn_socket *socket)
{
    struct zn_io_shard *shard = zn__socket_shard(socket);
    zn__room_leave_all(socket);
    if (socket->session != NULL)
        zn__client_remove(socket->session, socket);
    socket->state = ZN_SOCKET_DEAD;
    socket->session = NULL;
    socket->next = shard->dead;
    shard->dead = socket;
}

void zn__socket_free(struct zn_socket *socket)
{
    zn__acks_free(socket);
    free(socket->seats);
    free(socket->data);
    free(socket->auth);
    free(socket);
}

void zn__socket_end(struct zn_socket *socket, const char *reason)
{
    if (socket->state != ZN_SOCKET_CONNECTED)
        return;
    struct zn_space *space = socket->space;
    socket->state = ZN_SOCKET_CLOSING;
    zn__handlers_call_reason(zn__socket_handlers(socket, ZN_HANDLER_DISCONNECTING), socket, reason);
    if (space->ns->log != NULL)
        zn__recovery_save(socket, reason);
    zn__room_leave_all(socket);
    zn__space_remove(space, socket);
    zn__client_remove(socket->session, socket);
    socket->state = ZN_SOCKET_DEAD;
    ZN_COUNT(space->shard->reactor, sockets_now, -1);
    zn__acks_cancel(socket, -ECONNRESET);
    zn__handlers_call_reason(zn__socket_handlers(socket, ZN_HANDLER_DISCONNECT), socket, reason);
    socket->session = NULL;
    socket->next = space->shard->dead;
    space->shard->dead = socket;
}

int zn__socket_send(struct zn_socket *socket, unsigned type, struct zn_slice data)
{
    const struct zn_namespace *ns = socket->space->ns;
    char head[ZN_SIO_HEAD_MAX + ZN_NAMESPACE_NAME_MAX];
    ssize_t len = zn__sio_head_write(head, sizeof(head), (enum zn_sio_type)type, 0,
                                     zn__namespace_slice(ns), -1);
    struct zn_packet packet;
    zn__packet_init(&packet, '4', 0);
    zn__packet_add(&packet, head, (size_t)len);
    zn__packet_add(&packet, data.p, data.len);
    int err = zn__session_send(socket->session, &packet);
    zn__packet_deinit(&packet);
    return err;
}

// --- The public API -------------------------------------------------------------------------

const char *zn_socket_id(const struct zn_socket *socket)
{
    return socket->id;
}

struct zn_namespace *zn_socket_namespace(const struct zn_socket *socket)
{
    return socket->space->ns;
}

struct zn_server *zn_socket_server(const struct zn_socket *socket)
{
    return socket->space->ns->io->server;
}

unsigned zn_socket_thread(const struct zn_socket *socket)
{
    return zn__socket_shard(socket)->reactor->index;
}

bool zn_socket_connected(const struct zn_socket *socket)
{
    return socket->state == ZN_SOCKET_CONNECTED || socket->state == ZN_SOCKET_CLOSING;
}

bool zn_socket_recovered(const struct zn_socket *socket)
{
    return socket->recovered;
}

const char *zn_socket_transport(const struct zn_socket *socket)
{
    return socket->session != NULL ? zn__session_transport(socket->session) : "";
}

void zn_socket_handshake(const struct zn_socket *socket, struct zn_handshake *out)
{
    if (socket->session != NULL)
        zn__session_handshake(socket->session, out);
    else
        *out = (struct zn_handshake){ .url = "", .query = "", .headers = "{}", .address = "" };
    out->auth = socket->auth != NULL ? socket->auth : "{}";
}

void *zn_socket_user(const struct zn_socket *socket)
{
    return socket->user;
}

void zn_socket_set_user(struct zn_socket *socket, void *user)
{
    socket->user = user;
}

const char *zn_socket_data(const struct zn_socket *socket)
{
    return socket->data != NULL ? socket->data : "{}";
}

int zn_socket_set_data(struct zn_socket *socket, const char *json)
{
    if (json == NULL || !zn__utf8_valid(json, strlen(json)) ||
        !zn__json_valid((struct zn_slice){ json, strlen(json) }))
        return -EINVAL;
    char *data = strdup(json);
    if (data == NULL)
        return -ENOMEM;
    free(socket->data);
    socket->data = data;
    return 0;
}

size_t zn_socket_buffered(const struct zn_socket *socket)
{
    return socket->session != NULL ? zn__session_buffered(socket->session) : 0;
}

void zn_disconnect(struct zn_socket *socket, bool close)
{
    if (socket->state != ZN_SOCKET_CONNECTED)
        return;
    struct zn_io_shard *shard = zn__socket_shard(socket);
    struct zn_session *session = socket->session;
    zn__io_enter(shard);
    if (close) {
        zn__client_disconnect(session);
    } else {
        zn__socket_send(socket, ZN_SIO_DISCONNECT, (struct zn_slice){ NULL, 0 });
        zn__socket_end(socket, "server namespace disconnect");
    }
    zn__io_leave(shard);
}
