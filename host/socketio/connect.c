// SPDX-License-Identifier: Apache-2.0
// A client enters a namespace: the namespace is found or made, middlewares are asked one after the
// other, now or later, then the socket is connected or refused.
//
// Thread: the session's reactor.
#include "ack.h"
#include "client.h"
#include "core/buffer.h"
#include "describe.h"
#include "recovery.h"
#include "room.h"
#include "socket.h"

#include "proto/json.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

// The handle that a middleware answers. It keeps the socket until it does.
struct zn_next {
    struct zn_socket *socket;
    size_t index;                 // of the next middleware
    struct zn_restore *restore;   // what was saved of the socket, NULL: nothing
    struct zn_next *next, **link; // in shard->connecting
};

static void next_free(struct zn_next *next)
{
    *next->link = next->next;
    if (next->next != NULL)
        next->next->link = next->link;
    free(next);
}

static struct zn_next *next_create(struct zn_socket *socket)
{
    struct zn_next *next = calloc(1, sizeof(*next));
    if (next == NULL)
        return NULL;
    struct zn_io_shard *shard = zn__socket_shard(socket);
    next->socket = socket;
    next->next = shard->connecting;
    next->link = &shard->connecting;
    if (next->next != NULL)
        next->next->link = &next->next;
    shard->connecting = next;
    return next;
}

void zn__connect_free_all(struct zn_io_shard *shard)
{
    while (shard->connecting != NULL) {
        struct zn_next *next = shard->connecting;
        zn__room_leave_all(next->socket);
        zn__socket_free(next->socket);
        if (next->restore != NULL)
            zn__restore_free(next->restore);
        next_free(next);
    }
}

// --- Refusal --------------------------------------------------------------------------------

// CONNECT_ERROR for a namespace by its name, since it may not exist.
static void send_error(struct zn_session *session, struct zn_slice nsp, const char *message,
                       const char *data_json)
{
    struct zn_buffer *text = NULL;
    bool with_data = data_json != NULL && zn__utf8_valid(data_json, strlen(data_json)) &&
                     zn__json_valid((struct zn_slice){ data_json, strlen(data_json) });
    if (zn__buffer_room(&text, ZN_SIO_HEAD_MAX + nsp.len) < 0)
        return;
    text->len =
        (size_t)zn__sio_head_write((char *)text->data, text->cap, ZN_SIO_CONNECT_ERROR, 0, nsp, -1);
    int err = zn__buffer_add(&text, "{\"message\":", 11);
    if (err == 0)
        err = zn__describe_text((struct zn_slice){ message, strlen(message) }, &text);
    if (err == 0 && with_data)
        err = zn__buffer_add(&text, ",\"data\":", 8);
    if (err == 0 && with_data)
        err = zn__buffer_add(&text, data_json, strlen(data_json));
    if (err == 0)
        err = zn__buffer_add(&text, "}", 1);
    if (err == 0) {
        struct zn_packet packet;
        zn__packet_init(&packet, '4', 0);
        zn__packet_add(&packet, (const char *)text->data, text->len);
        (void)zn__session_send(session, &packet);
        zn__packet_deinit(&packet);
    }
    free(text);
}

// --- The answer -----------------------------------------------------------------------------

static void send_connected(struct zn_socket *socket)
{
    char json[80];
    int len = socket->space->ns->log != NULL
                  ? snprintf(json, sizeof(json), "{\"sid\":\"%s\",\"pid\":\"%s\"}", socket->id,
                             socket->pid)
                  : snprintf(json, sizeof(json), "{\"sid\":\"%s\"}", socket->id);
    (void)zn__socket_send(socket, ZN_SIO_CONNECT, (struct zn_slice){ json, (size_t)len });
}

static void connected(struct zn_socket *socket)
{
    if (socket->space->ns->log != NULL)
        zn__recovery_enter(socket);
    struct zn_session *session = socket->session;
    struct zn_client *client = zn__client_of(session);
    struct zn_io_shard *shard = zn__socket_shard(socket);
    bool first = !client->connected;
    client->connected = true;
    client->entered = shard->turn;
    if (!zn__timer_armed(&shard->turn_end))
        zn__reactor_timer(shard->reactor, &shard->turn_end, ZN_TIMER_IO, 0);
    if (first)
        zn__reactor_untimer(shard->reactor, &client->timer);
    ZN_COUNT(shard->reactor, sockets_now, 1);
    send_connected(socket);
    zn__handlers_call_socket(zn__socket_handlers(socket, ZN_HANDLER_CONNECTION), socket);
    if (first)
        zn__session_forget_handshake(session);
}

// The middlewares have agreed.
static void next_accept(struct zn_next *next)
{
    struct zn_socket *socket = next->socket;
    struct zn_restore *restore = next->restore;
    next_free(next);
    if (restore != NULL)
        zn__restore_replay(restore, socket); // before the answer
    if (zn__space_add(socket->space, socket) < 0) {
        send_error(socket->session, zn__namespace_slice(socket->space->ns), "Out of memory", NULL);
        zn__socket_bury(socket);
        return;
    }
    socket->state = ZN_SOCKET_CONNECTED;
    connected(socket);
}

static void next_refuse(struct zn_next *next, const char *message, const char *data_json)
{
    struct zn_socket *socket = next->socket;
    send_error(socket->session, zn__namespace_slice(socket->space->ns), message, data_json);
    if (next->restore != NULL)
        zn__restore_free(next->restore);
    next_free(next);
    zn__socket_bury(socket);
}

// The client has gone meanwhile; what was saved waits for its next attempt.
static void next_abandon(struct zn_next *next)
{
    if (next->restore != NULL)
        zn__restore_return(next->restore, next->socket);
    zn__socket_bury(next->socket);
    next_free(next);
}

static void next_run(struct zn_next *next)
{
    struct zn_socket *socket = next->socket;
    const struct zn_io *io = zn__socket_shard(socket)->io;
    const struct zn_handler_list *list = zn__socket_handlers(socket, ZN_HANDLER_MIDDLEWARE);
    bool skip = next->restore != NULL && !io->options.recovery_run_middlewares;
    if (next->index >= list->len || skip) {
        next_accept(next);
        return;
    }
    const struct zn_handler *handler = &list->at[next->index++];
    handler->fn.middleware(socket, next, handler->user);
}

void zn_next(struct zn_next *next, const char *error_message, const char *error_data_json)
{
    struct zn_socket *socket = next->socket;
    struct zn_io_shard *shard = zn__socket_shard(socket);
    zn__io_enter(shard);
    if (socket->session == NULL || zn__client_of(socket->session)->closing)
        next_abandon(next);
    else if (error_message != NULL)
        next_refuse(next, error_message, error_data_json);
    else
        next_run(next);
    zn__io_leave(shard);
}

// --- Who comes back before he was seen to go ------------------------------------------------

// A client whose connection broke may be here again before the reactor that had it has read the
// end of the old one. A mail goes there, stays for its next turns, in which whatever the kernel had
// by now is read and sessions are ended, and comes home; then the client is looked up once more.
enum { STAY_TURNS = 3 }; // the rest of the input, the end behind it, and the session's

struct visit {
    struct zn_mail mail;
    struct zn_next *next;
    unsigned home;
    unsigned stay; // turns left
};

static void visit_drop(struct zn_mail *mail)
{
    free(mail);
}

static void next_look_again(struct zn_next *next)
{
    struct zn_socket *socket = next->socket;
    struct zn_io_shard *shard = zn__socket_shard(socket);
    unsigned living;
    zn__io_enter(shard);
    if (socket->session == NULL || zn__client_of(socket->session)->closing) {
        next_abandon(next);
    } else {
        next->restore = zn__restore_find(
            socket->space, (struct zn_slice){ socket->auth, strlen(socket->auth) }, &living);
        if (next->restore != NULL)
            zn__restore_apply(next->restore, socket);
        next_run(next);
    }
    zn__io_leave(shard);
}

static void visit_home(struct zn_reactor *reactor, struct zn_mail *mail)
{
    (void)reactor;
    struct zn_next *next = ((struct visit *)mail)->next;
    free(mail);
    next_look_again(next);
}

// On the reactor that has, or had, the client.
static void visit_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    struct visit *visit = (struct visit *)mail;
    if (visit->stay > 0) {
        visit->stay--;
        (void)zn__reactor_mail(reactor, reactor->index, mail);
    } else {
        mail->run = visit_home;
        (void)zn__reactor_mail(reactor, visit->home, mail);
    }
}

// Lets the client wait for its old connection's end on that reactor. A visit that gets lost for
// want of room in a mailbox leaves it to its connect timeout. Whether it waits.
static bool next_waits(struct zn_next *next, unsigned living)
{
    struct zn_reactor *reactor = zn__socket_shard(next->socket)->reactor;
    struct visit *visit = malloc(sizeof(*visit));
    if (visit == NULL)
        return false;
    *visit = (struct visit){ .mail = { .run = visit_run, .drop = visit_drop },
                             .next = next,
                             .home = reactor->index,
                             .stay = STAY_TURNS };
    return zn__reactor_mail(reactor, living, &visit->mail) == 0;
}

// --- The request ----------------------------------------------------------------------------

// A NUL-terminated copy of the CONNECT payload, "{}" if there is none.
static char *auth_copy(struct zn_slice data)
{
    return data.len > 0 ? strndup(data.p, data.len) : strdup("{}");
}

static void connect_space(struct zn_session *session, struct zn_space *space, char *auth)
{
    struct zn_restore *restore = NULL;
    unsigned living = ZN_THREADS_MAX;
    if (space->ns->log != NULL)
        restore = zn__restore_find(space, (struct zn_slice){ auth, strlen(auth) }, &living);
    if (strcmp(auth, "{}") == 0) {
        free(auth);
        auth = NULL;
    }
    struct zn_socket *socket = zn__socket_create(space, session, auth);
    struct zn_next *next = socket != NULL ? next_create(socket) : NULL;
    if (next == NULL) {
        if (socket != NULL)
            zn__socket_bury(socket);
        else
            free(auth);
        if (restore != NULL)
            zn__restore_free(restore);
        send_error(session, zn__namespace_slice(space->ns), "Out of memory", NULL);
        return;
    }
    next->restore = restore;
    if (restore != NULL)
        zn__restore_apply(restore, socket);
    if (living == ZN_THREADS_MAX || !next_waits(next, living))
        next_run(next);
}

void zn__connect(struct zn_session *session, const struct zn_sio_packet *packet)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    if (shard->reactor->stopping)
        return;
    char *auth = auth_copy(packet->data);
    struct zn_space *space = NULL;
    if (auth != NULL && zn__client_of(session)->sockets_len < ZN_CLIENT_SOCKETS_MAX)
        space = zn__namespace_open(shard, packet->nsp, auth);
    if (space == NULL) {
        send_error(session, packet->nsp, "Invalid namespace", NULL);
        free(auth);
        return;
    }
    connect_space(session, space, auth);
}
