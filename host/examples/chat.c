// SPDX-License-Identifier: Apache-2.0
// A chat server in one file, to learn the API from: rooms, acknowledgements, broadcasts, volatile
// messages, and what happens when somebody goes away.
//
//   build/examples/chat 3000     then open http://localhost:3000/ in two tabs
//
// JSON goes in and out as text. An application that looks deeper into it uses a JSON library.
#include <zapnic/zapnic.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 32, TEXT_MAX_LEN = 2000 };

static const char page[] =
    "<!doctype html><meta charset=utf-8><title>chat</title>\n"
    "<p><input id=name value=Ada> in <input id=room value=lobby> <button id=join>Join</button>\n"
    "<ul id=log></ul><p id=typing></p><form><input id=text size=60></form>\n"
    "<script src=/socket.io/socket.io.js></script><script src=/chat.js></script>\n";

static const char script[] =
    "const $ = (id) => document.getElementById(id), socket = io();\n"
    "const log = (line) => $('log').append(Object.assign(document.createElement('li'),\n"
    "                                                     { textContent: line }));\n"
    "$('join').onclick = () => socket.emit('join', $('room').value, $('name').value,\n"
    "                                      (answer) => log(`* ${answer}`));\n"
    "$('text').oninput = () => socket.volatile.emit('typing');\n"
    "document.forms[0].onsubmit = () => {\n"
    "  socket.emit('say', $('text').value); $('text').value = ''; return false; };\n"
    "socket.on('said', (name, text) => {\n"
    "  log(`${name}: ${text}`); $('typing').textContent = ''; });\n"
    "socket.on('typing', (name) => { $('typing').textContent = `${name} is typing`; });\n"
    "socket.on('came', (name) => log(`* ${name} came`));\n"
    "socket.on('left', (name) => log(`* ${name} left`));\n";

static struct zn_server *server;
static struct zn_namespace *chat;

// Whom a socket is; hangs on it with zn_socket_set_user().
struct person {
    char room[NAME_MAX_LEN + 8];
    char name[NAME_MAX_LEN + 8]; // a JSON string, with its quotes
};

// Takes the JSON string at *json of up to `max` bytes, as it is written, and moves behind it.
// False: something else stands there.
static bool take_string(const char **json, const char *end, size_t max, struct zn_data *out)
{
    const char *p = *json;

    if (p == end || *p++ != '"')
        return false;
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    if (p >= end || (size_t)(p + 1 - *json) > max)
        return false;
    *out = (struct zn_data){ *json, (size_t)(p + 1 - *json) };
    *json = p + 1 < end && p[1] == ',' ? p + 2 : p + 1;
    return true;
}

// Tells everybody in the person's room but the person.
static void tell_others(struct zn_socket *socket, const char *event, unsigned flags)
{
    const struct person *person = zn_socket_user(socket);
    const char *rooms[] = { person->room };
    struct zn_target others = { .ns = chat, .rooms = rooms, .rooms_len = 1, .sender = socket };
    struct zn_message message = { .event = event, .args = ZN_JSON(person->name), .flags = flags };

    if (person->room[0] != '\0')
        zn_broadcast(&others, &message);
}

// socket.on('join', (room, name, callback) => ...)
static void on_join(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct person *person = zn_socket_user(socket);
    const char *json = event->args.json, *end = json + event->args.json_len;
    struct zn_data room, name;

    (void)user;
    if (!take_string(&json, end, NAME_MAX_LEN, &room) ||
        !take_string(&json, end, NAME_MAX_LEN, &name)) {
        if (event->has_ack)
            zn_ack(socket, event->ack_id, &ZN_JSON("\"a room and a name, please\""));
        return;
    }
    if (person->room[0] != '\0') {
        tell_others(socket, "left", 0);
        zn_leave(socket, person->room);
    }
    // The prefix keeps strangers' room names apart from the rooms that are named by socket ids.
    snprintf(person->room, sizeof person->room, "chat:%.*s", (int)room.len, (const char *)room.p);
    snprintf(person->name, sizeof person->name, "%.*s", (int)name.len, (const char *)name.p);
    zn_join(socket, person->room);
    tell_others(socket, "came", 0);
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &ZN_JSON("\"welcome\""));
}

// socket.on('say', (text) => io.to(room).emit('said', name, text))
static void on_say(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct person *person = zn_socket_user(socket);
    const char *json = event->args.json;
    char args[NAME_MAX_LEN + TEXT_MAX_LEN + 16];
    struct zn_data text;

    (void)user;
    if (person->room[0] == '\0' ||
        !take_string(&json, json + event->args.json_len, TEXT_MAX_LEN, &text))
        return;
    snprintf(args, sizeof args, "%s,%.*s", person->name, (int)text.len, (const char *)text.p);
    zn_to(chat, person->room, "said", &ZN_JSON(args));
}

// socket.on('typing', () => socket.volatile.to(room).emit('typing', name))
static void on_typing(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)event;
    (void)user;
    tell_others(socket, "typing", ZN_VOLATILE);
}

static void on_connection(struct zn_socket *socket, void *user)
{
    (void)user;
    zn_socket_set_user(socket, calloc(1, sizeof(struct person)));
    if (zn_socket_user(socket) == NULL)
        zn_disconnect(socket, true);
}

// The last that is heard of a socket.
static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    (void)reason;
    (void)user;
    if (zn_socket_user(socket) != NULL)
        tell_others(socket, "left", 0);
    free(zn_socket_user(socket));
    zn_socket_set_user(socket, NULL);
}

static void on_signal(int number)
{
    (void)number;
    zn_server_stop(server, 1000); // NOLINT(bugprone-signal-handler): this one is safe there
}

static void on_ready(struct zn_server *self, void *user)
{
    const uint16_t *port = user;

    (void)self;
    printf("listening on http://localhost:%u\n", *port);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 3000;
    struct zn_server_options options = { .ready = on_ready, .ready_user = &port };
    int err = zn_server_create(&options, &server);

    if (err == 0)
        err = zn_io(server, &(struct zn_io_options){ .engine.path = "/socket.io/" });
    if (err < 0) {
        fprintf(stderr, "chat: cannot start: %s\n", strerror(-err));
        return 1;
    }
    chat = zn_of(server, "/");
    zn_on_connection(chat, on_connection, NULL);
    zn_on(chat, "join", on_join, NULL);
    zn_on(chat, "say", on_say, NULL);
    zn_on(chat, "typing", on_typing, NULL);
    zn_on_disconnect(chat, on_disconnect, NULL);
    zn_serve_static(server, "/", "text/html; charset=utf-8", page, sizeof page - 1);
    zn_serve_static(server, "/chat.js", "application/javascript", script, sizeof script - 1);
    err = zn_server_listen(server, NULL, port, &port);
    if (err < 0) {
        fprintf(stderr, "chat: cannot listen on port %u: %s\n", port, strerror(-err));
        return 1;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    err = zn_server_run(server);
    zn_server_destroy(server);
    return err < 0;
}
