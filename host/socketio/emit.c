// SPDX-License-Identifier: Apache-2.0
// One event to one socket.
//
// Thread: the socket's reactor.
#include "ack.h"
#include "outgoing.h"
#include "recovery.h"
#include "socket.h"

#include <errno.h>

// Sends what is laid out, its listeners told first. They may end the socket.
static int emit_outgoing(struct zn_socket *socket, struct zn_outgoing *out)
{
    zn__outgoing_notify(socket, out->event, &out->args, out->id);
    int err = socket->session != NULL ? zn__session_send(socket->session, &out->packet) : -ENOTCONN;
    return err == -EAGAIN ? 0 : err; // a volatile one that was dropped has done its work
}

static int emit_expecting(struct zn_socket *socket, const struct zn_message *message)
{
    struct zn_outgoing out;
    int64_t id = zn__ack_id(socket->space->ns);
    int err = zn__outgoing_event(&out, socket->space->ns, message, id, false);
    if (err < 0)
        return err;
    err = zn__ack_expect(socket, (uint64_t)id, message->ack, message->user, message->timeout_ms);
    if (err == 0) {
        err = emit_outgoing(socket, &out);
        if (err < 0 && socket->session != NULL)
            zn__ack_forget(socket, (uint64_t)id);
    }
    zn__outgoing_deinit(&out);
    return err;
}

static int emit_plain(struct zn_socket *socket, const struct zn_message *message)
{
    struct zn_outgoing out;
    int err = zn__outgoing_event(&out, socket->space->ns, message, ZN_OUTGOING_NO_ID, false);
    if (err < 0)
        return err;
    err = emit_outgoing(socket, &out);
    zn__outgoing_deinit(&out);
    return err;
}

int zn_emit_message(struct zn_socket *socket, const struct zn_message *message)
{
    if (socket->session == NULL || socket->state == ZN_SOCKET_DEAD)
        return -ENOTCONN;
    struct zn_io_shard *shard = zn__socket_shard(socket);
    bool logged = socket->space->ns->log != NULL && !(message->flags & ZN_VOLATILE) &&
                  socket->state != ZN_SOCKET_PENDING;
    int err;
    zn__io_enter(shard);
    if (message->ack != NULL)
        err = emit_expecting(socket, message);
    else if (logged)
        err = zn__recovery_emit(socket, message);
    else
        err = emit_plain(socket, message);
    zn__io_leave(shard);
    return err;
}

int zn_emit(struct zn_socket *socket, const char *event, const struct zn_args *args)
{
    struct zn_message message = { .event = event };
    if (args != NULL)
        message.args = *args;
    return zn_emit_message(socket, &message);
}
