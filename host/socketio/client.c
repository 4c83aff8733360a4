// SPDX-License-Identifier: Apache-2.0
// See client.h: what comes in from a session is decoded and given to the socket of its namespace.
#include "client.h"

#include "ack.h"
#include "attachments.h"
#include "choose.h"
#include "room.h"
#include "socket.h"

#include "proto/json.h"

#include <errno.h>
#include <stdlib.h>

enum { NAME_SMALL = 256 };

static void client_open(struct zn_session *session)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    zn__reactor_timer(shard->reactor, &zn__client_of(session)->timer, ZN_TIMER_CLIENT,
                      shard->io->options.connect_timeout_ms);
}

void zn__client_timeout(struct zn_reactor *reactor, struct zn_timer *timer)
{
    struct zn_client *client =
        (struct zn_client *)((char *)timer - offsetof(struct zn_client, timer));
    if (client->attachments != NULL)
        ZN_COUNT(reactor, rejected_sio, 1);
    zn__client_close(zn__session_of(client), "forced close", client->attachments != NULL);
}

void zn__client_close(struct zn_session *session, const char *reason, bool discard)
{
    struct zn_client *client = zn__client_of(session);
    if (client->closing)
        return;
    client->closing = true;
    zn__session_close(session, reason, discard);
}

void zn__client_disconnect(struct zn_session *session)
{
    struct zn_client *client = zn__client_of(session);
    struct zn_socket *socket = client->sockets;
    while (socket != NULL) {
        if (socket->state != ZN_SOCKET_CONNECTED) {
            socket = socket->next;
            continue;
        }
        zn__socket_send(socket, ZN_SIO_DISCONNECT, (struct zn_slice){ NULL, 0 });
        zn__socket_end(socket, "server namespace disconnect");
        socket = client->sockets; // the callbacks may have changed the list
    }
    zn__client_close(session, "forced server close", false);
}

void zn__client_add(struct zn_session *session, struct zn_socket *socket)
{
    struct zn_client *client = zn__client_of(session);
    socket->next = client->sockets;
    client->sockets = socket;
    client->sockets_len++;
}

void zn__client_remove(struct zn_session *session, struct zn_socket *socket)
{
    struct zn_client *client = zn__client_of(session);
    struct zn_socket **link = &client->sockets;
    while (*link != socket)
        link = &(*link)->next;
    *link = socket->next;
    socket->next = NULL;
    client->sockets_len--;
}

static struct zn_socket *client_socket(const struct zn_client *client, struct zn_slice nsp)
{
    struct zn_socket *socket = client->sockets;
    while (socket != NULL && !zn__slice_eq(zn__namespace_slice(socket->space->ns), nsp))
        socket = socket->next;
    return socket;
}

// Malformed, or out of order: the connection ends, as the reference's does.
static void client_reject(struct zn_session *session)
{
    ZN_COUNT(zn__session_reactor(session), rejected_sio, 1);
    zn__client_close(session, "forced close", false);
}

// The same for a binary packet that could not be kept.
static void client_reject_binary(struct zn_session *session, int err)
{
    if (err == -ENOBUFS)
        zn__session_close_code(session, ZN_WS_CLOSE_TRY_LATER);
    client_reject(session);
}

// --- Events ---------------------------------------------------------------------------------

static void call_event(struct zn_socket *socket, const struct zn_event *event)
{
    const struct zn_handlers *handlers = socket->space->ns->handlers;
    zn__handlers_call_event(&handlers->lists[ZN_HANDLER_ANY], socket, event);
    if (socket->state != ZN_SOCKET_CONNECTED)
        return;
    const struct zn_handler_list *list =
        zn__handlers_event(handlers, (struct zn_slice){ event->name, event->name_len });
    if (list != NULL)
        zn__handlers_call_event(list, socket, event);
}

// The event's name without escapes, NUL-terminated: in place when it has none, else in `small`, or
// in *large_out, malloc'ed, when that is too small. NULL: no memory.
static const char *event_name(struct zn_slice value, char small[NAME_SMALL], char **large_out,
                              size_t *len_out)
{
    char *text = (char *)value.p; // of the message, which is writable
    *large_out = NULL;
    if (*text != '"') { // a number
        text[value.len] = '\0';
        *len_out = value.len;
        return text;
    }
    if (memchr(text, '\\', value.len) == NULL) {
        text[value.len - 1] = '\0';
        *len_out = value.len - 2;
        return text + 1;
    }
    char *out = small;
    if (value.len > NAME_SMALL && (out = *large_out = malloc(value.len)) == NULL)
        return NULL;
    size_t cap = value.len > NAME_SMALL ? value.len : NAME_SMALL;
    *len_out = (size_t)zn__json_string(value, out, cap - 1);
    out[*len_out] = '\0';
    return out;
}

static void client_event(struct zn_socket *socket, const struct zn_sio_packet *packet,
                         const struct zn_args *args)
{
    char small[NAME_SMALL];
    char *large;
    struct zn_event event = { .args = *args, .has_ack = packet->has_id, .ack_id = packet->id };
    event.name = event_name(packet->event, small, &large, &event.name_len);
    struct zn_io_shard *shard = zn__client_shard(socket->session);
    shard->handled = args;
    if (event.name != NULL)
        call_event(socket, &event);
    shard->handled = NULL;
    free(large);
}

// A client that connects, disconnects and connects again before the answer comes says CONNECT
// twice in a row; one answer serves both. Later the second one is an error.
static bool answer_unseen(struct zn_session *session)
{
    return zn__client_of(session)->entered == zn__client_shard(session)->turn;
}

static void client_packet(struct zn_session *session, const struct zn_sio_packet *packet,
                          const struct zn_data *bin, unsigned bin_len)
{
    struct zn_client *client = zn__client_of(session);
    struct zn_socket *socket = client_socket(client, packet->nsp);
    if (packet->type == ZN_SIO_CONNECT) {
        if (socket == NULL)
            zn__connect(session, packet);
        else if (socket->state != ZN_SOCKET_PENDING && !answer_unseen(session))
            client_reject(session);
        return;
    }
    if (socket == NULL || socket->state != ZN_SOCKET_CONNECTED ||
        packet->type == ZN_SIO_CONNECT_ERROR) {
        client_reject(session);
        return;
    }
    struct zn_args args = { packet->args.p, packet->args.len, bin, bin_len };
    if (packet->type == ZN_SIO_EVENT || packet->type == ZN_SIO_BINARY_EVENT)
        client_event(socket, packet, &args);
    else if (packet->type == ZN_SIO_DISCONNECT)
        zn__socket_end(socket, "client namespace disconnect");
    else if (packet->has_id)
        zn__ack_answer(socket, packet->id, &args);
}

// --- Messages -------------------------------------------------------------------------------

static void client_text(struct zn_session *session, struct zn_slice text)
{
    struct zn_client *client = zn__client_of(session);
    if (client->attachments != NULL) {
        client_reject(session);
        return;
    }
    if (text.len > 0 && (text.p[0] == '5' || text.p[0] == '6')) {
        // Nobody's attachments are kept before he has been let in.
        int err = client->connected ? zn__attachments_create(zn__session_reactor(session), text,
                                                             &client->attachments)
                                    : -EPROTO;
        if (err < 0)
            client_reject_binary(session, err);
        else
            zn__reactor_timer(zn__session_reactor(session), &client->timer, ZN_TIMER_CLIENT,
                              zn__client_shard(session)->io->server->options.message_timeout_ms);
        return;
    }
    struct zn_sio_packet packet;
    if (zn__sio_decode(text, &packet) < 0)
        client_reject(session);
    else
        client_packet(session, &packet, NULL, 0);
}

static void client_binary(struct zn_session *session, const uint8_t *data, size_t len)
{
    struct zn_client *client = zn__client_of(session);
    struct zn_attachments *attachments = client->attachments;
    size_t max = zn__engine_options(zn__session_engine(session))->max_payload;
    int got = attachments != NULL ? zn__attachments_add(attachments, data, len, max) : -EPROTO;
    if (got < 0) {
        client_reject_binary(session, got);
    } else if (got == 1) {
        zn__reactor_untimer(zn__session_reactor(session), &client->timer);
        client->attachments = NULL;
        client_packet(session, &attachments->packet, attachments->at, attachments->len);
        zn__attachments_destroy(attachments);
    }
}

static void client_message(struct zn_session *session, bool binary, uint8_t *data, size_t len)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    zn__io_enter(shard);
    if (zn__client_of(session)->closing)
        ; // nothing is delivered any more
    else if (binary)
        client_binary(session, data, len);
    else
        client_text(session, (struct zn_slice){ (const char *)data, len });
    zn__io_leave(shard);
}

static void client_closed(struct zn_session *session, const char *reason)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    struct zn_client *client = zn__client_of(session);
    zn__io_enter(shard);
    client->closing = true;
    zn__reactor_untimer(shard->reactor, &client->timer);
    if (client->attachments != NULL)
        zn__attachments_destroy(client->attachments);
    client->attachments = NULL;
    while (client->sockets != NULL) {
        struct zn_socket *socket = client->sockets;
        if (socket->state == ZN_SOCKET_CONNECTED) {
            zn__socket_end(socket, reason);
        } else { // stays with its middleware until that answers
            zn__client_remove(session, socket);
            zn__room_leave_all(socket);
            socket->session = NULL;
        }
    }
    zn__io_leave(shard);
}

static void client_drain(struct zn_session *session)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    struct zn_choice choice;
    zn__io_enter(shard);
    if (zn__choose_client(session, &choice) == 0) {
        for (size_t i = 0; i < choice.len; i++) {
            struct zn_socket *socket = zn__choice_at(&choice, i);
            if (socket != NULL)
                zn__handlers_call_socket(zn__socket_handlers(socket, ZN_HANDLER_DRAIN), socket);
        }
        zn__choice_end(&choice);
    }
    zn__io_leave(shard);
}

static void client_dropped(struct zn_session *session, size_t count)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    struct zn_choice choice;
    zn__io_enter(shard);
    if (zn__choose_client(session, &choice) == 0) {
        for (size_t i = 0; i < choice.len; i++) {
            struct zn_socket *socket = zn__choice_at(&choice, i);
            if (socket != NULL)
                zn__handlers_call_count(zn__socket_handlers(socket, ZN_HANDLER_DROPPED), socket,
                                        count);
        }
        zn__choice_end(&choice);
    }
    zn__io_leave(shard);
}

const struct zn_session_ops zn__client_ops = {
    .user_size = sizeof(struct zn_client),
    .open = client_open,
    .message = client_message,
    .close = client_closed,
    .drain = client_drain,
    .dropped = client_dropped,
};
