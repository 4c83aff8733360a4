// SPDX-License-Identifier: Apache-2.0
// --remote-contract: broadcasts and requests with every operator, asked for by the client in JSON.
//
// Answers may come after the socket that asked has gone. What waits for one stands in a list behind
// the socket and is cut off when the socket disconnects; both happen on the socket's thread.
#include "conform.h"
#include "slice.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// A `do` that waits for its answer.
struct pending {
    struct zn_socket *socket; // NULL: gone
    uint64_t ack_id;
    struct pending *next, **link;
};

// A list of strings out of JSON; the strings belong to `json`.
struct names {
    json_t *json;
    const char **list;
    size_t len;
};

struct query {
    struct zn_namespace *ns;
    struct js text; // q
    struct names rooms, except;
    struct zn_target target;
    struct zn_message message;
    json_t *event; // holds message.event
};

static void answer(struct zn_socket *socket, uint64_t ack_id, const char *json)
{
    zn_ack(socket, ack_id, &ZN_JSON(json));
}

static struct pending *pending_create(struct zn_socket *socket, uint64_t ack_id)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (pending == NULL)
        return NULL;
    pending->socket = socket;
    pending->ack_id = ack_id;
    pending->next = zn_socket_user(socket);
    if (pending->next != NULL)
        pending->next->link = &pending->next;
    zn_socket_set_user(socket, pending);
    return pending;
}

// Answers if the socket is still there, and frees. NULL: no answer.
static void pending_answer(struct pending *pending, const struct zn_args *args)
{
    if (pending->next != NULL)
        pending->next->link = pending->link;
    if (pending->link != NULL)
        *pending->link = pending->next;
    else if (pending->socket != NULL)
        zn_socket_set_user(pending->socket, pending->next);
    if (pending->socket != NULL && args != NULL)
        zn_ack(pending->socket, pending->ack_id, args);
    free(pending);
}

static void pending_finish(struct pending *pending, const char *json)
{
    pending_answer(pending, json != NULL ? &ZN_JSON(json) : NULL);
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    struct pending *pending = zn_socket_user(socket), *next;

    (void)reason;
    (void)user;
    for (; pending != NULL; pending = next) {
        next = pending->next;
        pending->socket = NULL;
        pending->next = NULL;
        pending->link = NULL;
    }
    zn_socket_set_user(socket, NULL);
}

static json_t *load(struct js text)
{
    return json_loadb(text.p, text.len, JSON_DECODE_ANY, NULL);
}

// The strings of an array, or one string, at `key` of q. None is an empty list.
static int names_init(struct names *names, struct js q, const char *key)
{
    struct js text;
    size_t len;

    memset(names, 0, sizeof *names);
    if (!js_get(q, key, &text))
        return 0;
    names->json = load(text);
    if (json_is_string(names->json)) {
        json_t *list = json_array();
        json_array_append_new(list, names->json);
        names->json = list;
    }
    len = json_array_size(names->json);
    names->list = calloc(len + 1, sizeof *names->list);
    if (names->list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < len; i++) {
        const char *name = json_string_value(json_array_get(names->json, i));
        if (name != NULL)
            names->list[names->len++] = name;
    }
    return 0;
}

static void names_deinit(struct names *names)
{
    free(names->list);
    json_decref(names->json);
}

static bool flag(struct js q, const char *name, const char *value)
{
    struct js flags, text;

    return js_get(q, "flags", &flags) && js_get(flags, name, &text) && js_is(text, value);
}

static unsigned flags_of(struct js q)
{
    return (flag(q, "volatile", "true") ? (unsigned)ZN_VOLATILE : 0) |
           (flag(q, "local", "true") ? (unsigned)ZN_LOCAL : 0) |
           (flag(q, "compress", "false") ? (unsigned)ZN_NO_COMPRESS : 0);
}

static int query_init(struct query *query, struct zn_socket *socket, const struct zn_event *event,
                      struct js q)
{
    struct js text;
    struct zn_message *message = &query->message;

    memset(query, 0, sizeof *query);
    query->ns = zn_socket_namespace(socket);
    query->text = q;
    message->flags = flags_of(q);
    message->args.bin = event->args.bin;
    message->args.bin_len = event->args.bin_len;
    if (js_get(q, "ev", &text)) {
        query->event = load(text);
        message->event = json_string_value(query->event);
    }
    if (js_get(q, "args", &text)) {
        text = js_inside(text);
        message->args.json = text.p;
        message->args.json_len = text.len;
    }
    if (js_get(q, "timeout", &text))
        message->timeout_ms = (uint32_t)strtoul(text.p, NULL, 10);
    if (names_init(&query->rooms, q, "rooms") < 0 || names_init(&query->except, q, "except") < 0)
        return -ENOMEM;
    query->target = (struct zn_target){
        .ns = query->ns,
        .rooms = query->rooms.list,
        .rooms_len = query->rooms.len,
        .except = query->except.list,
        .except_len = query->except.len,
        .sender = js_get(q, "self", &text) && js_is(text, "true") ? socket : NULL,
        .flags = message->flags & ZN_LOCAL,
    };
    return 0;
}

static void query_deinit(struct query *query)
{
    names_deinit(&query->rooms);
    names_deinit(&query->except);
    json_decref(query->event);
}

// --- Operations -----------------------------------------------------------------------------

static int do_emit(struct query *query, struct pending *pending)
{
    int err =
        query->message.event != NULL ? zn_broadcast(&query->target, &query->message) : -EINVAL;

    if (err >= 0)
        pending_finish(pending, "\"ok\"");
    return err;
}

// Adds `base` to the numbers of all binary values in `value`.
static void renumber(json_t *value, size_t base)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_true(json_object_get(value, "_placeholder"))) {
        json_int_t num = json_integer_value(json_object_get(value, "num"));
        json_object_set_new(value, "num", json_integer(num + (json_int_t)base));
        return;
    }
    json_array_foreach(value, i, child)
    {
        renumber(child, base);
    }
    json_object_foreach(value, key, child)
    {
        renumber(child, base);
    }
}

// The first arguments as one array, with all their binary values behind each other in `bin`.
static json_t *answers_json(const struct zn_answers *answers, struct zn_data *bin, size_t *bin_len)
{
    json_t *list = json_array();

    for (size_t i = 0; i < answers->len; i++) {
        const struct zn_args *args = &answers->first_args[i];
        json_t *value = load((struct js){ args->json, args->json_len });
        renumber(value, *bin_len);
        if (args->bin_len > 0)
            memcpy(bin + *bin_len, args->bin, args->bin_len * sizeof *bin);
        *bin_len += args->bin_len;
        json_array_append_new(list, value != NULL ? value : json_null());
    }
    if (answers->err == 0)
        return list;
    return json_pack("{s:s,s:o}", "error", "operation has timed out", "responses", list);
}

static void on_answers(const struct zn_answers *answers, void *user)
{
    size_t bin_len = 0;
    struct zn_data *bin;

    for (size_t i = 0; i < answers->len; i++)
        bin_len += answers->first_args[i].bin_len;
    bin = calloc(bin_len + 1, sizeof *bin);
    bin_len = 0;
    json_t *all = bin != NULL ? answers_json(answers, bin, &bin_len) : NULL;
    char *text = json_dumps(all, JSON_COMPACT);
    struct zn_args args = { text, text != NULL ? strlen(text) : 0, bin, (unsigned)bin_len };
    pending_answer(user, text != NULL ? &args : NULL);
    free(text);
    json_decref(all);
    free(bin);
}

static int do_emit_ack(struct query *query, struct pending *pending)
{
    if (query->message.event == NULL)
        return -EINVAL;
    return zn_broadcast_ack(&query->target, &query->message, on_answers, pending);
}

// `arg` names rooms, or says whether the connection ends too.
static int do_sockets(struct query *query, struct pending *pending, const char *op)
{
    struct names arg;
    struct js close;
    int err = names_init(&arg, query->text, "arg");

    if (err == 0 && strcmp(op, "socketsJoin") == 0)
        err = zn_sockets_join(&query->target, arg.list, arg.len);
    else if (err == 0 && strcmp(op, "socketsLeave") == 0)
        err = zn_sockets_leave(&query->target, arg.list, arg.len);
    else if (err == 0)
        err = zn_disconnect_sockets(&query->target,
                                    js_get(query->text, "arg", &close) && js_is(close, "true"));
    names_deinit(&arg);
    if (err >= 0)
        pending_finish(pending, "\"ok\"");
    return err;
}

static json_t *names_json(const char *const *names, size_t len)
{
    json_t *list = json_array();

    for (size_t i = 0; i < len; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *socket_json(const struct zn_socket_info *info)
{
    struct js handshake = { info->handshake, strlen(info->handshake) }, auth = { "{}", 2 };

    js_get(handshake, "auth", &auth);
    return json_pack("{s:s,s:o,s:o,s:o}", "id", info->id, "rooms",
                     names_json(info->rooms, info->rooms_len), "data",
                     load((struct js){ info->data, strlen(info->data) }), "auth", load(auth));
}

static void finish_with(struct pending *pending, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    pending_finish(pending, text);
    free(text);
    json_decref(value);
}

static void on_sockets(const struct zn_socket_info *sockets, size_t len, void *user)
{
    json_t *list = json_array();

    for (size_t i = 0; i < len; i++)
        json_array_append_new(list, socket_json(&sockets[i]));
    finish_with(user, list);
}

static void on_names(const char *const *names, size_t len, void *user)
{
    finish_with(user, names_json(names, len));
}

static int run(const char *op, struct query *query, struct pending *pending)
{
    if (strcmp(op, "emit") == 0)
        return do_emit(query, pending);
    if (strcmp(op, "emitAck") == 0)
        return do_emit_ack(query, pending);
    if (strncmp(op, "sockets", 7) == 0 || strcmp(op, "disconnectSockets") == 0)
        return do_sockets(query, pending, op);
    if (strcmp(op, "fetchSockets") == 0)
        return zn_fetch_sockets(&query->target, on_sockets, pending);
    if (strcmp(op, "allRooms") == 0)
        return zn_all_rooms(query->ns, on_names, pending);
    // This build is a cluster of one: there is no other server to emit to or to hear from.
    if (strcmp(op, "serverSideEmit") == 0)
        pending_finish(pending, "\"ok\"");
    else if (strcmp(op, "serverSideEmitAck") == 0 || strcmp(op, "sseGot") == 0)
        pending_finish(pending, "[]");
    else
        return -EINVAL;
    return 0;
}

static void on_do(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct js q, text;
    struct query query;
    struct pending *pending;
    json_t *op;
    int err;

    (void)user;
    if (!event->has_ack)
        return;
    if (!js_arg(&event->args, 0, &q) || !js_get(q, "op", &text)) {
        answer(socket, event->ack_id, "{\"error\":\"op is missing\"}");
        return;
    }
    pending = pending_create(socket, event->ack_id);
    if (pending == NULL)
        return;
    op = load(text);
    err = query_init(&query, socket, event, q);
    if (err == 0)
        err = run(json_is_string(op) ? json_string_value(op) : "", &query, pending);
    if (err < 0)
        finish_with(pending, json_pack("{s:s}", "error", strerror(-err)));
    query_deinit(&query);
    json_decref(op);
}

// --- Rooms and data -------------------------------------------------------------------------

static void on_join_or_leave(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct js text;
    json_t *room = js_arg(&event->args, 0, &text) ? load(text) : NULL;

    if (json_is_string(room)) {
        if (user != NULL)
            zn_leave(socket, json_string_value(room));
        else
            zn_join(socket, json_string_value(room));
    }
    json_decref(room);
    if (event->has_ack)
        answer(socket, event->ack_id, "\"ok\"");
}

static void on_connection(struct zn_socket *socket, void *user)
{
    struct zn_handshake handshake;
    struct js who;
    char *data;

    (void)user;
    zn_socket_handshake(socket, &handshake);
    if (zn_socket_recovered(socket) ||
        !js_get((struct js){ handshake.auth, strlen(handshake.auth) }, "who", &who))
        return;
    data = malloc(who.len + 16);
    if (data == NULL)
        return;
    memcpy(data, "{\"who\":", 7);
    memcpy(data + 7, who.p, who.len);
    memcpy(data + 7 + who.len, "}", 2);
    zn_socket_set_data(socket, data);
    free(data);
}

int conform_remote(struct conform *conform)
{
    static const char *const names[] = { "/", "/admin" };
    static char leave;
    int err;

    conform->io.engine.keep_handshake = true;
    err = zn_io(conform->server, &conform->io);
    if (err < 0)
        return err;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zn_namespace *ns = zn_of(conform->server, names[i]);
        if (ns == NULL)
            return -ENOMEM;
        zn_on_connection(ns, on_connection, NULL);
        zn_on_disconnect(ns, on_disconnect, NULL);
        zn_on(ns, "join", on_join_or_leave, NULL);
        zn_on(ns, "leave", on_join_or_leave, &leave);
        zn_on(ns, "do", on_do, NULL);
    }
    return 0;
}
