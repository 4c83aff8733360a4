// SPDX-License-Identifier: Apache-2.0
// The reasons that disconnect handlers are given, by the reference's names, for every way in which
// a client on WebSocket or long polling can end.
#include "mem_server.h"

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
static struct zn_socket *socket_now;
static char told[128]; // "disconnecting|disconnect"

static void on_connection(struct zn_socket *socket, void *user)
{
    (void)user;
    socket_now = socket;
}

static void on_disconnecting(struct zn_socket *socket, const char *reason, void *user)
{
    (void)socket;
    (void)user;
    snprintf(told, sizeof(told), "%s", reason);
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    (void)socket;
    (void)user;
    size_t len = strlen(told);
    snprintf(told + len, sizeof(told) - len, "|%s", reason);
    socket_now = NULL;
}

static int setup(void **state)
{
    (void)state;
    mem_server_start(&mem, NULL);
    zn_on_connection(mem.root, on_connection, NULL);
    zn_on_disconnecting(mem.root, on_disconnecting, NULL);
    zn_on_disconnect(mem.root, on_disconnect, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_server_stop(&mem);
    return 0;
}

static void say_frame(struct zn_mem_peer *peer, unsigned first, const char *text)
{
    uint8_t frame[256];
    mem_server_say(&mem, peer, frame, mem_frame_write(frame, first, text, strlen(text)));
}

// A socket on WebSocket.
static struct zn_mem_peer *join(void)
{
    char request[512];
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    mem_server_say(
        &mem, peer, request,
        mem_upgrade_write(request, sizeof(request), "/socket.io/?EIO=4&transport=websocket"));
    say_frame(peer, 0x81, "40");
    assert_non_null(socket_now);
    told[0] = '\0';
    zn__reactor_enter(mem.reactor);
    return peer;
}

static void leave(struct zn_mem_peer *peer, const char *reason)
{
    char both[128];
    snprintf(both, sizeof(both), "%s|%s", reason, reason);
    mem_server_settle(&mem);
    assert_string_equal(told, both);
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
}

static void frame_of_the_client_gives_its_reason(void **state)
{
    static const struct {
        unsigned first;
        const char *payload, *reason;
    } cases[] = {
        { 0x81, "41", "client namespace disconnect" },
        { 0x88, "\x03\xe8", "transport close" },
        { 0xc1, "2", "transport error" },     // compressed, which was not agreed on
        { 0x81, "4\xff", "transport error" }, // not UTF-8
        { 0x81, "9", "parse error" },         // no Engine.IO packet
        { 0x81, "4abc", "forced close" },     // no Socket.IO packet
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zn_mem_peer *peer = join();
        say_frame(peer, cases[i].first, cases[i].payload);
        leave(peer, cases[i].reason);
    }
}

static void end_of_the_connection_is_transport_close(void **state)
{
    (void)state;
    struct zn_mem_peer *peer = join();
    zn_dp_mem_fin(peer);
    leave(peer, "transport close");
    peer = join();
    zn_dp_mem_reset(peer);
    leave(peer, "transport close");
}

static void silence_is_ping_timeout(void **state)
{
    (void)state;
    struct zn_mem_peer *peer = join();
    mem_server_wait(&mem, 501);
    leave(peer, "ping timeout");
}

static void server_that_throws_out_is_server_namespace_disconnect(void **state)
{
    (void)state;
    for (int close = 0; close < 2; close++) {
        struct zn_mem_peer *peer = join();
        zn_disconnect(socket_now, close != 0);
        leave(peer, "server namespace disconnect");
    }
}

static void say_request(struct zn_mem_peer *peer, const char *method, const char *sid,
                        const char *body)
{
    char request[512];
    int n = snprintf(request, sizeof(request),
                     "%s /socket.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: a\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, sid, strlen(body), body);
    mem_server_say(&mem, peer, request, (size_t)n);
}

// A socket on long polling, with a poll waiting, whose client posts `body`.
static void post_gives(const char *body, const char *reason)
{
    char sid[] = "&sid=....................";
    struct zn_mem_peer *poll = mem_server_connect(&mem), *post = mem_server_connect(&mem);
    say_request(poll, "GET", "", "");
    const char *at = strstr(mem_server_hear(poll, NULL), "{\"sid\":\"");
    assert_non_null(at);
    memcpy(sid + 5, at + 8, 20);
    say_request(post, "POST", sid, "40");
    say_request(poll, "GET", sid, "");
    assert_non_null(strstr(mem_server_hear(poll, NULL), "40{\"sid\":"));
    told[0] = '\0';
    say_request(poll, "GET", sid, "");
    say_request(post, "POST", sid, body);
    leave(post, reason);
    zn_dp_mem_free(poll);
    mem_server_settle(&mem);
}

static void post_of_the_client_gives_its_reason(void **state)
{
    (void)state;
    post_gives("41", "client namespace disconnect");
    post_gives("1", "transport close");
    post_gives("9", "parse error");
    post_gives("4abc", "forced close");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(frame_of_the_client_gives_its_reason),
        CASE(end_of_the_connection_is_transport_close),
        CASE(silence_is_ping_timeout),
        CASE(server_that_throws_out_is_server_namespace_disconnect),
        CASE(post_of_the_client_gives_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
