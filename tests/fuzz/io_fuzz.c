// SPDX-License-Identifier: Apache-2.0
// A few clients on two reactors say anything in any order to an application that does what it
// can: the layer neither breaks nor leaks, and all that it sends is well-formed.
//
// The input is a list of steps: a byte that says what and who, for messages a length and bytes.
#include "../unit/io_fake.h"

#include "proto/sio.h"
#include "proto/utf8.h"

enum { CLIENTS = 4, NEXTS = 8 };

static struct zn_session *clients[CLIENTS];
static struct {
    struct zn_next *next;
    unsigned reactor;
} nexts[NEXTS];
static unsigned nexts_len;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sent(const struct zn_packet *packet)
{
    char *text = malloc(packet->text_len + 1);
    size_t len = 0;
    assert(text != NULL);
    for (unsigned i = 0; i < packet->parts_len; i++) {
        if (packet->parts[i].len > 0)
            memcpy(text + len, packet->parts[i].p, packet->parts[i].len);
        len += packet->parts[i].len;
    }
    assert(len == packet->text_len);
    assert(zn__utf8_valid(text, len));
    struct zn_sio_packet decoded;
    assert(zn__sio_decode((struct zn_slice){ text, len }, &decoded) == 0);
    assert(decoded.attachments == packet->bin_len);
    free(text);
}

static void on_sockets(const struct zn_socket_info *sockets, size_t len, void *user)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        assert(zn__json_valid(
            (struct zn_slice){ sockets[i].handshake, strlen(sockets[i].handshake) }));
}

static void on_names(const char *const *names, size_t len, void *user)
{
    (void)names;
    (void)len;
    (void)user;
}

static void on_ack(struct zn_socket *socket, int err, const struct zn_args *args, void *user)
{
    (void)user;
    if (err == 0)
        zn_emit(socket, "answered", args);
}

static void on_answers(const struct zn_answers *answers, void *user)
{
    for (size_t i = 0; i < answers->len; i++)
        zn_to(user, NULL, "answer", &answers->first_args[i]);
}

// What an event makes the application do hangs on the first letter of its name.
static void on_event(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    struct zn_namespace *ns = zn_socket_namespace(socket);
    const char *rooms[] = { event->name, zn_socket_id(socket) };
    struct zn_target target = { .ns = ns,
                                .rooms = rooms,
                                .rooms_len = event->args.json_len % 3,
                                .except = rooms,
                                .except_len = event->name_len % 2,
                                .sender = event->has_ack ? socket : NULL };
    struct zn_message message = { .event = event->name,
                                  .args = event->args,
                                  .timeout_ms = 50,
                                  .flags = event->args.json_len % 2 };
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &event->args);
    switch (event->name[0]) {
    case 'e':
        zn_emit_message(socket, &message);
        break;
    case 'k':
        message.ack = on_ack;
        zn_emit_message(socket, &message);
        break;
    case 'b':
        zn_broadcast(&target, &message);
        break;
    case 'q':
        zn_broadcast_ack(&target, &message, on_answers, ns);
        break;
    case 'j':
        zn_join(socket, event->name);
        break;
    case 'l':
        zn_leave(socket, event->name);
        break;
    case 'J':
        zn_sockets_join(&target, rooms, 2);
        break;
    case 'L':
        zn_sockets_leave(&target, rooms, 2);
        break;
    case 'd':
        zn_disconnect(socket, event->name_len % 2);
        break;
    case 'D':
        zn_disconnect_sockets(&target, event->name_len % 2);
        break;
    case 'f':
        zn_fetch_sockets(&target, on_sockets, NULL);
        zn_all_rooms(ns, on_names, NULL);
        break;
    case 's':
        zn_socket_set_data(socket, event->name + 1);
        break;
    default:
        break;
    }
}

static void on_out(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (event->name_len % 7 == 3)
        zn_disconnect(socket, false);
}

static void on_leaving(struct zn_socket *socket, const char *reason, void *user)
{
    (void)user;
    zn_to(zn_socket_namespace(socket), NULL, reason, NULL);
}

static void keep(struct zn_socket *socket, struct zn_next *next, void *user)
{
    (void)user;
    zn_join(socket, "b");
    if (nexts_len == NEXTS) {
        zn_next(next, "full", "{\"n\":1}");
        return;
    }
    nexts[nexts_len].next = next;
    nexts[nexts_len++].reactor = zn_socket_thread(socket);
}

static bool match(const char *name, const char *auth, void *user)
{
    (void)auth;
    (void)user;
    return name[1] == 'd';
}

static void serve(struct zn_namespace *ns)
{
    zn_on_any(ns, on_event, NULL);
    zn_on_disconnecting(ns, on_leaving, NULL);
    zn_on_disconnect(ns, on_leaving, NULL);
}

static void message(unsigned who, bool binary, const uint8_t *data, size_t len)
{
    if (clients[who] == NULL)
        clients[who] = fake_open(who % 2);
    if (binary) {
        fake_binary(clients[who], data, len);
    } else if (zn__utf8_valid(data, len)) { // which is the session's to see to
        char text[256];
        memcpy(text, data, len);
        text[len] = '\0';
        fake_text(clients[who], text);
    }
}

static void turn(void)
{
    fake_turn();
    for (unsigned i = 0; i < CLIENTS; i++) { // those that it ended are no more in the list
        const struct zn_session *session = fake.sessions;
        while (session != NULL && session != clients[i])
            session = session->next;
        if (session == NULL)
            clients[i] = NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool recovery = size > 0 && (data[0] & 1);
    fake_start(2, &(struct zn_io_options){ .recovery_ms = recovery ? 1000 : 0,
                                           .recovery_run_middlewares = true });
    fake.sink = check_sent;
    nexts_len = 0;
    serve(zn_of(&fake.server, "/"));
    serve(zn_of_match(&fake.server, match, NULL));
    struct zn_namespace *ns = zn_of(&fake.server, "/m");
    serve(ns);
    zn_use(ns, keep, NULL);
    zn_on_any_outgoing(ns, on_out, NULL);
    for (size_t i = 1; i < size; i++) {
        unsigned who = data[i] % CLIENTS, what = data[i] / CLIENTS % 8;
        if (what < 4) {
            size_t len = i + 1 < size ? data[i + 1] : 0;
            if (len > 255 || i + 2 + len > size)
                break;
            message(who, what == 3, data + i + 2, len);
            i += 1 + len;
        } else if (what == 4) {
            fake_advance(data[i]);
        } else if (what == 5 && nexts_len > 0) {
            nexts_len--;
            fake_on(nexts[nexts_len].reactor);
            zn_next(nexts[nexts_len].next, who == 0 ? "no" : NULL, NULL);
        } else if (what == 6 && clients[who] != NULL) {
            fake_close(clients[who], "transport close");
            clients[who] = NULL;
        } else {
            turn();
        }
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = NULL;
    fake_stop();
    return 0;
}
