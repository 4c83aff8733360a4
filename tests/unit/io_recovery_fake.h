// SPDX-License-Identifier: Apache-2.0
// What the tests of connection state recovery share: a namespace with recovery on, and a client
// that has seen something and goes away.
#ifndef ZN_TESTS_IO_RECOVERY_FAKE_H
#define ZN_TESTS_IO_RECOVERY_FAKE_H

#include "io_fake.h"

#include "socketio/recovery.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct zn_namespace *ns;

#define SID(n) "S00000000000000000" #n
#define HELD "\"pid\":\"S0000000000000000002\",\"offset\":"

static inline void start(unsigned threads, bool run_middlewares)
{
    struct zn_io_options options = { .recovery_ms = 120000,
                                     .recovery_run_middlewares = run_middlewares };
    fake_start(threads, &options);
    ns = zn_of(&fake.server, "/");
    take_notes();
}

static inline int teardown(void **state)
{
    (void)state;
    fake_stop();
    return 0;
}

static inline void on_connection(struct zn_socket *socket, void *user)
{
    (void)user;
    note("%s recovered %d %s|", zn_socket_id(socket), zn_socket_recovered(socket),
         zn_socket_data(socket));
}

// A client with rooms r1 and data that has seen "seen", offset Q7xdoZa, and goes away.
static inline void lose_client(const char *reason)
{
    zn_on_connection(ns, on_connection, NULL);
    struct zn_session *session = fake_connect(0, "0");
    zn_join(fake_socket(session), "r1");
    zn_socket_set_data(fake_socket(session), "{\"foo\":1}");
    zn_to(ns, NULL, "seen", NULL);
    assert_string_equal(fake_sent(session), "2[\"seen\",\"Q7xdoZa\"]|");
    if (reason != NULL)
        fake_close(session, reason);
    else
        fake_text(session, "1");
    take_notes();
}

#endif
