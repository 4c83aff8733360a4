// SPDX-License-Identifier: Apache-2.0
// What the options of an Engine.IO endpoint change for its clients: path, origins, cookie,
// transports, and the application's word over who may open a session.
#include "mem_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct mem_server mem;
static struct zn_session *opened;
static const char *closed_reason;
static struct zn_request *asked;
static char asked_query[128];

static void on_open(struct zn_session *session, void *user)
{
    (void)user;
    opened = session;
}

static void on_close(struct zn_session *session, const char *reason, void *user)
{
    (void)user;
    closed_reason = reason;
    opened = opened == session ? NULL : opened;
}

static void start(const struct zn_engine_options *options)
{
    static const struct zn_engine_handlers handlers = { .open = on_open, .close = on_close };
    struct zn_engine_options own = *options;
    own.path = "app"; // slashes are added
    opened = NULL;
    closed_reason = NULL;
    asked = NULL;
    mem_server_start(&mem, NULL);
    assert_int_equal(zn_engine_attach(mem.server, &own, &handlers, NULL), 0);
    zn__reactor_enter(mem.reactor);
}

static void stop(void)
{
    struct zn_stats stats;
    zn_server_stats(mem.server, &stats);
    assert_int_equal(stats.connections_now, 0);
    mem_server_stop(&mem);
}

// The answer to a request of `method` with more `headers`, from a client that goes away then.
static const char *ask(const char *method, const char *query, const char *headers)
{
    char request[1024];
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    int n = snprintf(request, sizeof(request),
                     "%s /app/?EIO=4&transport=%s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, query,
                     headers);
    mem_server_say(&mem, peer, request, (size_t)n);
    const char *answer = mem_server_hear(peer, NULL);
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    return answer;
}

// The same for an upgrade to WebSocket.
static const char *upgrade(const char *query, const char *headers)
{
    char all[512];
    snprintf(all, sizeof(all),
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s",
             headers);
    return ask("GET", query, all);
}

static void assert_has(const char *answer, const char *text)
{
    if (strstr(answer, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, answer);
}

static void assert_status(const char *answer, const char *status)
{
    if (strncmp(answer + strlen("HTTP/1.1 "), status, 3) != 0)
        fail_msg("not %s: %s", status, answer);
}

static const char *const listed[] = { "https://a.example", "https://*.b.example" };
static const struct zn_cors list = { .origins = listed, .origins_len = 2, .credentials = true };

static void path_not_given_is_the_references(void **state)
{
    static const struct zn_engine_handlers handlers = { 0 };
    static const struct zn_server_options options = { .threads = 1 };
    struct zn_server *server;
    (void)state;
    assert_int_equal(zn__server_create(&options, &zn_dp_mem, &server), 0);
    assert_int_equal(zn_io(server, NULL), 0);
    assert_int_equal(zn_io(server, NULL), -EEXIST);
    assert_int_equal(zn_engine_attach(server, &(struct zn_engine_options){ 0 }, &handlers, NULL),
                     0);
    assert_string_equal(server->routes[0].path, "/socket.io/");
    assert_string_equal(server->routes[1].path, "/engine.io/");
    zn_server_destroy(server);
}

static void origin_on_the_list_is_allowed_by_name(void **state)
{
    static const char *const origins[] = { "https://a.example", "https://x.b.example" };
    char header[64], line[96];
    (void)state;
    start(&(struct zn_engine_options){ .cors = list });
    for (size_t i = 0; i < 2; i++) {
        snprintf(header, sizeof(header), "Origin: %s\r\n", origins[i]);
        snprintf(line, sizeof(line), "\r\nAccess-Control-Allow-Origin: %s\r\n", origins[i]);
        const char *answer = ask("GET", "polling", header);
        assert_status(answer, "200");
        assert_has(answer, line);
        assert_has(answer, "\r\nAccess-Control-Allow-Credentials: true\r\n");
        assert_has(answer, "\r\nVary: Origin\r\n");
        answer = ask("OPTIONS", "polling", header);
        assert_status(answer, "204");
        assert_has(answer, line);
    }
    mem_server_wait(&mem, 50000);
    stop();
}

static void origin_off_the_list_is_not_allowed(void **state)
{
    static const char *const headers[] = { "", "Origin: https://b.example\r\n",
                                           "Origin: http://a.example\r\n",
                                           "Origin: https://a.example.evil\r\n",
                                           "Origin: null\r\n" };
    (void)state;
    start(&(struct zn_engine_options){ .cors = list });
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char *answer = ask("GET", "polling", headers[i]);
        assert_null(strstr(answer, "Access-Control-Allow-Origin"));
        assert_null(strstr(ask("OPTIONS", "polling", headers[i]), "Access-Control-Allow-Origin"));
    }
    mem_server_wait(&mem, 50000);
    stop();
}

static void upgrade_from_foreign_origin_is_refused_when_checked(void **state)
{
    struct zn_cors checked = list;
    (void)state;
    checked.check_upgrades = true;
    start(&(struct zn_engine_options){ .cors = checked });
    assert_status(upgrade("websocket", "Origin: https://evil.example\r\n"), "403");
    assert_null(opened);
    assert_status(upgrade("websocket", "Origin: https://a.example\r\n"), "101");
    assert_status(upgrade("websocket", ""), "101");
    stop();
    start(&(struct zn_engine_options){ .cors = list });
    assert_status(upgrade("websocket", "Origin: https://evil.example\r\n"), "101");
    stop();
}

static void cookie_carries_the_session_id(void **state)
{
    char line[128];
    (void)state;
    start(&(struct zn_engine_options){ .cookie = "io" });
    const char *answer = ask("GET", "polling", "");
    snprintf(line, sizeof(line), "\r\nSet-Cookie: io=%s; Path=/; HttpOnly; SameSite=Lax\r\n",
             zn_session_id(opened));
    assert_has(answer, line);
    snprintf(line, sizeof(line), "0{\"sid\":\"%s\",", zn_session_id(opened));
    assert_has(answer, line);
    zn_session_close(opened);
    mem_server_settle(&mem);
    assert_has(upgrade("websocket", ""), "\r\nSet-Cookie: io=");
    stop();
    start(&(struct zn_engine_options){ .cookie = NULL });
    assert_null(strstr(upgrade("websocket", ""), "Set-Cookie"));
    stop();
}

static void transport_switched_off_is_unknown(void **state)
{
    (void)state;
    start(&(struct zn_engine_options){ .no_polling = true });
    assert_has(ask("GET", "polling", ""), "{\"code\":0,\"message\":\"Transport unknown\"}");
    assert_status(upgrade("websocket", ""), "101");
    stop();
    start(&(struct zn_engine_options){ .no_websocket = true });
    const char *answer = upgrade("websocket", "");
    assert_status(answer, "400");
    assert_has(answer, "Transport unknown");
    assert_has(ask("GET", "polling", ""), "\"upgrades\":[]");
    mem_server_wait(&mem, 50000);
    stop();
}

static void upgrades_switched_off_are_not_offered(void **state)
{
    (void)state;
    start(&(struct zn_engine_options){ .no_upgrades = true });
    assert_has(ask("GET", "polling", ""), "\"upgrades\":[]");
    mem_server_wait(&mem, 50000);
    stop();
}

static void closed_by_the_application_ends_the_poll(void **state)
{
    char request[256];
    (void)state;
    start(&(struct zn_engine_options){ 0 });
    ask("GET", "polling", "");
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    int n = snprintf(request, sizeof(request),
                     "GET /app/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n\r\n",
                     zn_session_id(opened));
    mem_server_say(&mem, peer, request, (size_t)n);
    assert_string_equal(mem_server_hear(peer, NULL), "");
    zn_session_close(opened);
    mem_server_settle(&mem);
    assert_string_equal(closed_reason, "forced close");
    const char *answer = mem_server_hear(peer, NULL);
    assert_status(answer, "200");
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "1");
    mem_server_say(&mem, peer, request, (size_t)n);
    assert_has(mem_server_hear(peer, NULL), "{\"code\":1,");
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    stop();
}

// --- Who may come

static void decide_later(struct zn_request *request, const struct zn_handshake *handshake,
                         void *user)
{
    (void)user;
    assert_null(asked);
    asked = request;
    snprintf(asked_query, sizeof(asked_query), "%s", handshake->query);
}

static void refuse(struct zn_request *request, const struct zn_handshake *handshake, void *user)
{
    (void)handshake;
    zn_request_refuse(request, user);
}

static void client_refused_gets_403_on_every_transport(void **state)
{
    (void)state;
    start(&(struct zn_engine_options){ .allow = refuse });
    const char *answer = ask("GET", "polling", "");
    assert_status(answer, "403");
    assert_has(answer, "\r\n\r\n{\"code\":4,\"message\":\"Forbidden\"}");
    answer = upgrade("websocket", "");
    assert_status(answer, "403");
    assert_has(answer, "Forbidden");
    assert_null(opened);
    stop();
    start(&(struct zn_engine_options){ .allow = refuse, .allow_user = "say \"please\"" });
    assert_has(ask("GET", "polling", ""), "{\"code\":4,\"message\":\"say \\\"please\\\"\"}");
    stop();
}

static void client_waits_for_a_late_decision(void **state)
{
    char request[512];
    (void)state;
    start(&(struct zn_engine_options){ .allow = decide_later });
    for (int refused = 0; refused < 2; refused++) {
        struct zn_mem_peer *peer = mem_server_connect(&mem);
        mem_server_say(
            &mem, peer, request,
            mem_upgrade_write(request, sizeof(request), "/app/?EIO=4&transport=websocket"));
        assert_string_equal(mem_server_hear(peer, NULL), "");
        assert_string_equal(asked_query, "EIO=4&transport=websocket");
        if (refused)
            zn_request_refuse(asked, NULL);
        else
            zn_request_allow(asked);
        asked = NULL;
        mem_server_settle(&mem);
        assert_status(mem_server_hear(peer, NULL), refused ? "403" : "101");
        zn_dp_mem_free(peer);
        mem_server_settle(&mem);
    }
    stop();
}

static void decision_after_the_client_left_is_harmless(void **state)
{
    char request[512];
    (void)state;
    start(&(struct zn_engine_options){ .allow = decide_later });
    for (unsigned i = 0; i < 2; i++) {
        struct zn_mem_peer *peer = mem_server_connect(&mem);
        mem_server_say(
            &mem, peer, request,
            mem_upgrade_write(request, sizeof(request), "/app/?EIO=4&transport=websocket"));
        zn_dp_mem_reset(peer);
        zn_dp_mem_free(peer);
        mem_server_settle(&mem);
        if (i == 0)
            zn_request_refuse(asked, NULL);
        else
            zn_request_allow(asked);
        asked = NULL;
        mem_server_settle(&mem);
        assert_null(opened);
    }
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_not_given_is_the_references),
        cmocka_unit_test(origin_on_the_list_is_allowed_by_name),
        cmocka_unit_test(origin_off_the_list_is_not_allowed),
        cmocka_unit_test(upgrade_from_foreign_origin_is_refused_when_checked),
        cmocka_unit_test(cookie_carries_the_session_id),
        cmocka_unit_test(transport_switched_off_is_unknown),
        cmocka_unit_test(upgrades_switched_off_are_not_offered),
        cmocka_unit_test(closed_by_the_application_ends_the_poll),
        cmocka_unit_test(client_refused_gets_403_on_every_transport),
        cmocka_unit_test(client_waits_for_a_late_decision),
        cmocka_unit_test(decision_after_the_client_left_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
