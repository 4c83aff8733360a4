// SPDX-License-Identifier: Apache-2.0
// Ends of connections on the mem datapath: each has a deadline that nothing takes away, and its
// owner hears of it in time.
#include "core/conn.h"
#include "mem_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct zn_mem_peer *ws_open(struct mem_server *mem, const char *target)
{
    char request[512];
    struct zn_mem_peer *peer = mem_server_connect(mem);
    mem_server_say(mem, peer, request, mem_upgrade_write(request, sizeof(request), target));
    return peer;
}

// A reader that catches up while it is being closed and then says nothing.
static void closing_reader_that_catches_up_keeps_its_deadline(void **state)
{
    (void)state;
    struct mem_server mem;
    mem_server_start(&mem, &(struct zn_server_options){ .buffer_max = 100000 });
    struct zn_mem_peer *peer = ws_open(&mem, "/ws");
    zn_dp_mem_window(peer, 0);
    struct zn_conn *conn = mem.reactor->conns;
    char *data = calloc(1, 60000);
    assert_int_equal(zn_ws_send((struct zn_ws *)conn, data, 60000, ZN_BINARY), 0);
    mem_server_settle(&mem);
    assert_true(conn->paused);
    assert_int_equal(zn_ws_close((struct zn_ws *)conn, 1000, NULL), 0);
    mem_server_settle(&mem);
    zn_dp_mem_window(peer, 1 << 20);
    mem_server_settle(&mem);
    mem_server_hear(peer, NULL);
    mem_server_settle(&mem);
    mem_server_wait(&mem, 1100);
    assert_null(mem.reactor->conns);
    free(data);
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

static void hold_request(struct zn_request *request, const struct zn_handshake *handshake,
                         void *user)
{
    (void)handshake;
    *(struct zn_request **)user = request;
}

// A client that ends its side while somebody decides over its session.
static void undecided_request_half_closed_is_let_go(void **state)
{
    (void)state;
    struct mem_server mem;
    struct zn_request *request = NULL;
    mem_server_start(&mem, NULL);
    static const struct zn_engine_handlers handlers = { 0 };
    struct zn_engine_options options = { .path = "/held/",
                                         .allow = hold_request,
                                         .allow_user = &request };
    assert_int_equal(zn_engine_attach(mem.server, &options, &handlers, NULL), 0);
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    static const char text[] =
        "GET /held/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
    mem_server_say(&mem, peer, text, sizeof(text) - 1);
    assert_non_null(request);
    zn_dp_mem_fin(peer);
    mem_server_settle(&mem);
    assert_null(mem.reactor->conns);
    zn_request_allow(request);
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    mem_server_stop(&mem);
}

// What a GET carries is no request of its own.
static void body_of_a_get_is_not_the_next_request(void **state)
{
    (void)state;
    struct mem_server mem;
    mem_server_start(&mem, NULL);
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    static const char text[] = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\n"
                               "Host: localhost\r\nContent-Length: 35\r\n\r\n"
                               "GET /hidden HTTP/1.1\r\nHost: host\r\n\r\n";
    mem_server_say(&mem, peer, text, sizeof(text) - 1);
    const char *heard = mem_server_hear(peer, NULL);
    assert_non_null(strstr(heard, "200 OK"));
    assert_null(strstr(heard, "404"));
    assert_non_null(strstr(heard, "Connection: close"));
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

static void note_close(struct zn_ws *ws, uint16_t code, const char *reason, size_t reason_len,
                       void *user)
{
    (void)ws;
    (void)code;
    (void)reason;
    *(size_t *)user += 1 + reason_len;
}

// The beginning of a message is not the reason of an end.
static void close_within_a_message_reports_no_reason(void **state)
{
    (void)state;
    static const uint8_t tails[][8] = { { 0x88, 0x80, 0, 0, 0, 0 }, { 0xf1, 0x80, 0, 0, 0, 0 } };
    for (unsigned i = 0; i < 2; i++) {
        struct mem_server mem;
        size_t noted = 0;
        mem_server_start(&mem, NULL);
        static const struct zn_ws_handlers handlers = { .close = note_close };
        assert_non_null(zn_ws_attach(mem.server, "/noted", NULL, &handlers, &noted));
        struct zn_mem_peer *peer = ws_open(&mem, "/noted");
        uint8_t frame[32];
        mem_server_say(&mem, peer, frame, mem_frame_write(frame, 0x01, "begun", 5));
        mem_server_say(&mem, peer, tails[i], 6);
        mem_server_wait(&mem, 1100);
        assert_int_equal(noted, 1);
        zn_dp_mem_free(peer);
        mem_server_stop(&mem);
    }
}

// A client whose WebSocket ends in the turn in which its session is closed.
static void session_closed_as_its_websocket_ends_is_over_at_once(void **state)
{
    (void)state;
    struct mem_server mem;
    mem_server_start(&mem, NULL);
    struct zn_mem_peer *peer = ws_open(&mem, "/engine.io/?EIO=4&transport=websocket");
    struct zn_session *session = mem.reactor->conns->session;
    zn_session_close(session);
    static const uint8_t close[] = { 0x88, 0x80, 0, 0, 0, 0 };
    mem_server_say(&mem, peer, close, sizeof(close));
    assert_int_equal(mem.closed, 1);
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

// Input that comes in the turn in which a request was refused.
static void pipeline_behind_a_refusal_is_read_once(void **state)
{
    (void)state;
    struct mem_server mem;
    struct zn_request *request = NULL;
    mem_server_start(&mem, NULL);
    static const struct zn_engine_handlers handlers = { 0 };
    struct zn_engine_options options = { .path = "/held/",
                                         .allow = hold_request,
                                         .allow_user = &request };
    assert_int_equal(zn_engine_attach(mem.server, &options, &handlers, NULL), 0);
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    static const char held[] =
        "GET /held/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
    mem_server_say(&mem, peer, held, sizeof(held) - 1);
    struct zn_request *first = request;
    assert_non_null(first);
    request = NULL;
    zn_request_refuse(first, "no");
    static const char next[] = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";
    mem_server_say(&mem, peer, next, sizeof(next) - 1);
    assert_null(request);
    const char *heard = mem_server_hear(peer, NULL);
    assert_non_null(strstr(heard, "403"));
    assert_non_null(strstr(heard, "404"));
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_reader_that_catches_up_keeps_its_deadline),
        cmocka_unit_test(undecided_request_half_closed_is_let_go),
        cmocka_unit_test(body_of_a_get_is_not_the_next_request),
        cmocka_unit_test(close_within_a_message_reports_no_reason),
        cmocka_unit_test(session_closed_as_its_websocket_ends_is_over_at_once),
        cmocka_unit_test(pipeline_behind_a_refusal_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
