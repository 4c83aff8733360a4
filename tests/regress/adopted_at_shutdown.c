// SPDX-License-Identifier: Apache-2.0
// A connection that was handed over to the reactor of its session, and adopted there, but not
// announced by the datapath when the server ended: the bytes of its request were never freed.
#include "core/server.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define POLL "GET /engine.io/?EIO=4&transport=polling"
#define END " HTTP/1.1\r\nHost: localhost\r\n\r\n"

enum { WARM = 64, ROUNDS = 64, MOVED_LEAST = 240 }; // bytes that one such connection held at least

// Opens a session on `reactor`; its id goes to sid[21].
static struct zn_mem_peer *session_open(struct zn_reactor *reactor, char sid[21])
{
    char answer[2048];
    struct zn_mem_peer *peer = zn_dp_mem_connect(reactor->dp);
    zn_dp_mem_write(peer, POLL END, sizeof(POLL END) - 1);
    for (int i = 0; i < 4; i++)
        assert_true(zn__reactor_turn(reactor, 0) >= 0);
    ssize_t len = zn_dp_mem_read(peer, answer, sizeof(answer) - 1);
    assert_true(len > 0);
    answer[len] = '\0';
    const char *found = strstr(answer, "\"sid\":\"");
    assert_non_null(found);
    snprintf(sid, 21, "%s", found + 7);
    return peer;
}

static void serve_and_end_with_a_move_under_way(void)
{
    static const struct zn_server_options options = { .threads = 2 };
    static const struct zn_engine_options engine = { .path = "/engine.io/" };
    static const struct zn_engine_handlers handlers = { 0 };
    struct zn_server *server;
    char sid[21], request[256];
    assert_int_equal(zn__server_create(&options, &zn_dp_mem, &server), 0);
    assert_int_equal(zn_engine_attach(server, &engine, &handlers, NULL), 0);
    struct zn_reactor *home = &server->reactors[0];
    struct zn_reactor *other = &server->reactors[1];
    assert_int_equal(zn__server_start(home), 0);
    assert_int_equal(zn__server_start(other), 0);

    struct zn_mem_peer *first = session_open(home, sid);
    struct zn_mem_peer *second = zn_dp_mem_connect(other->dp);
    int len = snprintf(request, sizeof(request), "%s&sid=%s%s", POLL, sid, END);
    zn_dp_mem_write(second, request, (size_t)len);
    for (int i = 0; i < 4; i++)
        assert_true(zn__reactor_turn(other, 0) >= 0);
    assert_null(other->conns); // it has left,
    assert_null(home->arriving);
    assert_true(zn__reactor_turn(home, 0) >= 0);
    assert_non_null(home->arriving); // and the datapath has it and has not said so

    zn__server_end(home);
    zn__server_end(other);
    zn_server_destroy(server);
    zn_dp_mem_free(first);
    zn_dp_mem_free(second);
}

static void move_under_way_is_freed_at_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < WARM; i++)
        serve_and_end_with_a_move_under_way();
    // What malloc keeps for each thread counts as used: it has settled by now.
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < ROUNDS; i++)
        serve_and_end_with_a_move_under_way();
    size_t after = mallinfo2().uordblks;
    assert_true(after < before + ROUNDS * MOVED_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(move_under_way_is_freed_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
