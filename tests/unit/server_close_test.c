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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_reader_that_catches_up_keeps_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
