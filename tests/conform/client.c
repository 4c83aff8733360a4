// SPDX-License-Identifier: Apache-2.0
// --client-contract: what socket.io-client's own test suite expects of its server.
#include "conform.h"
#include "slice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const any_origin[] = { "*" };

static void iso_date(struct zn_socket *socket, char out[64])
{
    uint64_t now_ms = zn_now_ms(zn_socket_server(socket));
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(out, 64, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(now_ms % 1000));
}

static void on_hi(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)event;
    (void)user;
    zn_emit(socket, "hi", NULL);
}

static void on_echo(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &event->args);
}

static void on_ack_answer(struct zn_socket *socket, int err, const struct zn_args *args, void *user)
{
    struct js first, second, test;

    (void)user;
    if (err == 0 && js_arg(args, 0, &first) && js_is(first, "5") && js_arg(args, 1, &second) &&
        js_get(second, "test", &test) && js_is(test, "true"))
        zn_emit(socket, "got it", NULL);
}

static void on_ack(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)event;
    (void)user;
    zn_emit_message(socket, &(struct zn_message){ .event = "ack", .ack = on_ack_answer });
}

static void on_get_ack_date(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    char date[64], text[80];

    (void)user;
    iso_date(socket, date);
    snprintf(text, sizeof text, "\"%s\"", date);
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &ZN_JSON(text));
}

static void on_get_date(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    char date[64], text[80];

    (void)event;
    (void)user;
    iso_date(socket, date);
    snprintf(text, sizeof text, "\"%s\"", date);
    zn_emit(socket, "takeDate", &ZN_JSON(text));
}

static void on_get_date_obj(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    char date[64], text[80];

    (void)event;
    (void)user;
    iso_date(socket, date);
    snprintf(text, sizeof text, "{\"date\":\"%s\"}", date);
    zn_emit(socket, "takeDateObj", &ZN_JSON(text));
}

static void on_get_utf8(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    static const char *const texts[] = { "\"てすと\"", "\"Я Б Г Д Ж Й\"", "\"Ä ä Ü ü ß\"",
                                         "\"utf8 — string\"", "\"utf8 — string\"" };

    (void)event;
    (void)user;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        zn_emit(socket, "takeUtf8", &ZN_JSON(texts[i]));
}

static void on_false(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)event;
    (void)user;
    zn_emit(socket, "false", &ZN_JSON("false"));
}

// Events that are answered with eight bytes; `user` is the answer's name.
static void on_binary_wanted(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    static const struct zn_data bytes = { "asdfasdf", 8 };
    struct zn_args args = ZN_JSON("{\"_placeholder\":true,\"num\":0}");

    (void)event;
    args.bin = &bytes;
    args.bin_len = 1;
    zn_emit(socket, user, &args);
}

static void on_buffa(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (js_is_binary(&event->args, 0))
        zn_emit(socket, "buffack", NULL);
}

static void on_jsonbuff(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct js arg, hello, message, mark, goodbye;

    (void)user;
    if (event->args.bin_len == 1 && js_arg(&event->args, 0, &arg) && js_get(arg, "hello", &hello) &&
        js_is(hello, "\"lol\"") && js_get(arg, "message", &message) &&
        js_get(message, "_placeholder", &mark) && js_is(mark, "true") &&
        js_get(arg, "goodbye", &goodbye) && js_is(goodbye, "\"gotcha\""))
        zn_emit(socket, "jsonbuff-ack", NULL);
}

static char abuff1_seen;

static void on_abuff1(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (js_is_binary(&event->args, 0))
        zn_socket_set_user(socket, &abuff1_seen);
}

static void on_abuff2(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (js_is_binary(&event->args, 0) && zn_socket_user(socket) == &abuff1_seen)
        zn_emit(socket, "abuff2-ack", NULL);
}

static void on_get_handshake(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_handshake handshake;
    char *json;

    (void)user;
    zn_socket_handshake(socket, &handshake);
    json = conform_handshake_json(&handshake);
    if (event->has_ack && json != NULL)
        zn_ack(socket, event->ack_id, &ZN_JSON(json));
    free(json);
}

static void on_get_id(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    char text[64];

    (void)user;
    snprintf(text, sizeof text, "\"%s\"", zn_socket_id(socket));
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &ZN_JSON(text));
}

static void emit_handshake(struct zn_socket *socket, void *user)
{
    struct zn_handshake handshake;
    char *json;

    (void)user;
    zn_socket_handshake(socket, &handshake);
    json = conform_handshake_json(&handshake);
    if (json != NULL)
        zn_emit(socket, "handshake", &ZN_JSON(json));
    free(json);
}

static void check_query(struct zn_socket *socket, struct zn_next *next, void *user)
{
    struct zn_handshake handshake;

    (void)user;
    zn_socket_handshake(socket, &handshake);
    zn_next(next, conform_query_has(&handshake, "fail") ? "Auth failed (main namespace)" : NULL,
            NULL);
}

static void refuse_all(struct zn_socket *socket, struct zn_next *next, void *user)
{
    (void)socket;
    (void)user;
    zn_next(next, "Auth failed (custom namespace)", NULL);
}

static void allow_now(void *request)
{
    zn_request_allow(request);
}

static void allow_later(struct zn_request *request, const struct zn_handshake *handshake,
                        void *user)
{
    struct conform *conform = user;

    (void)handshake;
    if (zn_after(conform->server, 10, allow_now, request) == NULL)
        zn_request_refuse(request, NULL);
}

static void root_events(struct zn_namespace *root)
{
    zn_use(root, check_query, NULL);
    zn_on(root, "hi", on_hi, NULL);
    zn_on(root, "echo", on_echo, NULL);
    zn_on(root, "ack", on_ack, NULL);
    zn_on(root, "getAckDate", on_get_ack_date, NULL);
    zn_on(root, "getDate", on_get_date, NULL);
    zn_on(root, "getDateObj", on_get_date_obj, NULL);
    zn_on(root, "getUtf8", on_get_utf8, NULL);
    zn_on(root, "false", on_false, NULL);
    zn_on(root, "doge", on_binary_wanted, "doge");
    zn_on(root, "getbin", on_binary_wanted, "takebin");
    zn_on(root, "buffa", on_buffa, NULL);
    zn_on(root, "jsonbuff", on_jsonbuff, NULL);
    zn_on(root, "abuff1", on_abuff1, NULL);
    zn_on(root, "abuff2", on_abuff2, NULL);
    zn_on(root, "getHandshake", on_get_handshake, NULL);
    zn_on(root, "getId", on_get_id, NULL);
}

int conform_client(struct conform *conform)
{
    static const char *const names[] = { "/",      "/no", "/foo", "/abc", "/timeout_socket",
                                         "/valid", "/asd" };
    struct zn_namespace *ns[sizeof names / sizeof names[0]];
    int err;

    conform->io.engine.cors = (struct zn_cors){ .origins = any_origin, .origins_len = 1 };
    conform->io.engine.keep_handshake = true;
    conform->io.engine.allow = allow_later;
    conform->io.engine.allow_user = conform;
    err = zn_io(conform->server, &conform->io);
    if (err < 0)
        return err;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ns[i] = zn_of(conform->server, names[i]);
        if (ns[i] == NULL)
            return -ENOMEM;
    }
    root_events(ns[0]);
    zn_use(ns[1], refuse_all, NULL);
    zn_on(ns[2], "getId", on_get_id, NULL);
    zn_on_connection(ns[3], emit_handshake, NULL);
    return 0;
}
