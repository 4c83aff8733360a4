// SPDX-License-Identifier: Apache-2.0
// Clients come into namespaces and leave them: CONNECT, auth, middlewares, dynamic namespaces,
// time limits, reasons of leaving, and what must not be said in which state.
#include "io_fake.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SID(n) "S000000000000000000" #n

static struct zn_next *waiting;

static void on_connection(struct zn_socket *socket, void *user)
{
    struct zn_handshake shake;
    zn_socket_handshake(socket, &shake);
    note("%s+%s %s %s %s|", (const char *)user, zn_socket_id(socket), shake.auth, shake.headers,
         zn_socket_connected(socket) ? "in" : "out");
}

static void on_disconnecting(struct zn_socket *socket, const char *reason, void *user)
{
    note("%s~%s %d|", (const char *)user, reason, zn_socket_connected(socket));
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    note("%s-%s %d|", (const char *)user, reason, zn_socket_connected(socket));
}

static void watch(const char *name)
{
    struct zn_namespace *ns = zn_of(&fake.server, name);
    zn_on_connection(ns, on_connection, (void *)name);
    zn_on_disconnecting(ns, on_disconnecting, (void *)name);
    zn_on_disconnect(ns, on_disconnect, (void *)name);
}

static int setup(void **state)
{
    (void)state;
    struct zn_io_options options = { .connect_timeout_ms = 500 };
    fake_start(1, &options);
    watch("/");
    watch("/x");
    take_notes();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_stop();
    return 0;
}

static void connect_answers_with_sid(void **state)
{
    (void)state;
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{\"token\":1}");
    assert_string_equal(fake_sent(session), "0{\"sid\":\"" SID(1) "\"}|");
    assert_string_equal(take_notes(), "/+" SID(1) " {\"token\":1} {\"host\":\"x\"} in|");
    assert_true(session->forgotten);
    fake_text(session, "0/x,");
    assert_string_equal(fake_sent(session), "0/x,{\"sid\":\"" SID(2) "\"}|");
    assert_string_equal(take_notes(), "/x+" SID(2) " {} {} in|");
}

static void connect_without_comma_works(void **state)
{
    (void)state;
    struct zn_session *session = fake_open(0);
    fake_text(session, "0/x");
    assert_string_equal(fake_sent(session), "0/x,{\"sid\":\"" SID(1) "\"}|");
    take_notes();
    fake_text(session, "1/x");
    assert_string_equal(take_notes(),
                        "/x~client namespace disconnect 1|/x-client namespace disconnect 0|");
    assert_null(session->closing);
}

static void connect_unknown_namespace_refused(void **state)
{
    (void)state;
    struct zn_session *session = fake_open(0);
    fake_text(session, "0/nope,{}");
    assert_string_equal(fake_sent(session), "4/nope,{\"message\":\"Invalid namespace\"}|");
    fake_text(session, "0/x?token=1,{}");
    assert_string_equal(fake_sent(session), "4/x?token=1,{\"message\":\"Invalid namespace\"}|");
    assert_null(session->closing);
}

static void connect_late_closes(void **state)
{
    (void)state;
    struct zn_session *late = fake_open(0);
    struct zn_session *good = fake_connect(0, "0");
    fake_text(good, "1"); // once in is enough
    fake_advance(499);
    assert_null(late->closing);
    fake_advance(1);
    assert_non_null(late->closing);
    assert_null(good->closing);
}

static void connect_twice_closes(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    take_notes();
    fake_text(session, "0"); // in one go: the client has not seen the answer yet
    assert_null(session->closing);
    assert_string_equal(fake_sent(session), "");
    fake_advance(0);
    fake_text(session, "0");
    assert_string_equal(session->closing, "forced close");
    fake_turn();
    assert_string_equal(take_notes(), "/~forced close 1|/-forced close 0|");
}

static void packet_out_of_place_closes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2[\"a\"]",
        "2/x,[\"a\"]",
        "3/x,1[]",
        "1/x",
        "4/x,\"no\"",
        "abc",
        "2",
        "2{}",
        "2abc[\"x\"]",
        "2[\"connect\"]",
        "2[\"disconnecting\"]",
        "7",
        "",
        "50-[\"a\"]",
        "511-[\"a\"]",
        "51-[\"a\"," PLACE(1) "]",
        "2[{}]",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zn_session *session = i == 0 ? fake_open(0) : fake_connect(0, "0");
        fake_text(session, bad[i]);
        assert_string_equal(session->closing, "forced close");
        fake_text(session, "2[\"later\"]"); // nothing more is read
        fake_turn();
    }
    assert_int_equal(fake.server.reactors[0].counters.sockets_now, 0);
    assert_int_equal(fake.server.reactors[0].counters.rejected_sio, sizeof(bad) / sizeof(bad[0]));
}

static void session_close_tells_every_namespace(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "0/x,");
    take_notes();
    fake_close(session, "ping timeout");
    const char *notes = take_notes();
    assert_non_null(strstr(notes, "/~ping timeout 1|/-ping timeout 0|"));
    assert_non_null(strstr(notes, "/x~ping timeout 1|/x-ping timeout 0|"));
}

static void disconnect_leaves_the_connection(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0/x,");
    take_notes();
    zn_disconnect(fake_socket(session), false);
    assert_string_equal(fake_sent(session), "1/x,|");
    assert_string_equal(take_notes(),
                        "/x~server namespace disconnect 1|/x-server namespace disconnect 0|");
    assert_null(session->closing);
    fake_text(session, "0/x,"); // and again
    assert_int_equal(strncmp(fake_sent(session), "0/x,", 4), 0);
}

static void disconnect_with_close_ends_all(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "0/x,");
    take_notes();
    fake_sent(session);
    zn_disconnect(fake_socket(session), true);
    assert_string_equal(fake_sent(session), "1/x,|1|");
    assert_string_equal(session->closing, "forced server close");
    fake_turn();
    assert_string_equal(take_notes(),
                        "/x~server namespace disconnect 1|/x-server namespace disconnect 0|"
                        "/~server namespace disconnect 1|/-server namespace disconnect 0|");
}

static void shard_stop_tells_sockets(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    take_notes();
    zn__io_shard_stop(fake.server.reactors[0].io);
    assert_string_equal(take_notes(), "/~server shutting down 1|/-server shutting down 0|");
    assert_string_equal(fake_sent(session), "");
}

// --- Middlewares

static void pass(struct zn_socket *socket, struct zn_next *next, void *user)
{
    note("%s%d|", (const char *)user, zn_socket_connected(socket));
    zn_join(socket, "early");
    zn_next(next, NULL, NULL);
}

static void refuse(struct zn_socket *socket, struct zn_next *next, void *user)
{
    (void)socket;
    zn_next(next, "no \"way\"", user);
}

static void wait(struct zn_socket *socket, struct zn_next *next, void *user)
{
    (void)user;
    zn_emit(socket, "hold", NULL);
    waiting = next;
}

static void middlewares_run_in_order(void **state)
{
    (void)state;
    struct zn_namespace *ns = zn_of(&fake.server, "/m");
    zn_use(ns, pass, "a");
    zn_use(ns, pass, "b");
    struct zn_session *session = fake_open(0);
    fake_text(session, "0/m,");
    assert_string_equal(take_notes(), "a0|b0|");
    assert_string_equal(fake_sent(session), "0/m,{\"sid\":\"" SID(1) "\"}|");
    zn_to(ns, "early", "e", NULL);
    assert_string_equal(fake_sent(session), "2/m,[\"e\"]|");
}

static void middleware_refusal_answers_error(void **state)
{
    (void)state;
    zn_use(zn_of(&fake.server, "/m"), pass, "a");
    zn_use(zn_of(&fake.server, "/m"), refuse, "{\"code\":7}");
    zn_use(zn_of(&fake.server, "/n"), refuse, "{broken");
    struct zn_session *session = fake_open(0);
    fake_text(session, "0/m,");
    assert_string_equal(fake_sent(session),
                        "4/m,{\"message\":\"no \\\"way\\\"\",\"data\":{\"code\":7}}|");
    fake_text(session, "0/n,");
    assert_string_equal(fake_sent(session), "4/n,{\"message\":\"no \\\"way\\\"\"}|");
    assert_int_equal(fake.server.reactors[0].counters.sockets_now, 0);
    fake_advance(500); // still in no namespace
    assert_non_null(session->closing);
}

static void middleware_answering_later_connects(void **state)
{
    (void)state;
    struct zn_namespace *ns = zn_of(&fake.server, "/m");
    zn_use(ns, wait, NULL);
    struct zn_session *session = fake_open(0);
    fake_text(session, "0/m,");
    assert_string_equal(fake_sent(session), "2/m,[\"hold\"]|");
    fake_text(session, "0/m,"); // impatient
    zn_to(ns, NULL, "all", NULL);
    assert_string_equal(fake_sent(session), "");
    zn_next(waiting, NULL, NULL);
    assert_string_equal(fake_sent(session), "0/m,{\"sid\":\"" SID(1) "\"}|");
}

static void middleware_answering_too_late_is_harmless(void **state)
{
    (void)state;
    struct zn_namespace *ns = zn_of(&fake.server, "/m");
    zn_use(ns, wait, NULL);
    zn_on_connection(ns, on_connection, "/m");
    fake_close(fake_connect(0, "0/m,"), "transport close");
    zn_next(waiting, NULL, NULL);
    struct zn_session *session = fake_connect(0, "0/m,");
    fake_text(session, "0");
    zn_disconnect(fake_socket(session), true); // the session is about to end
    take_notes();
    zn_next(waiting, "no", NULL);
    fake_turn();
    fake_connect(0, "0/m,"); // never answered: freed with the shard
    assert_string_equal(take_notes(), "");
}

// --- Dynamic namespaces

static bool match(const char *name, const char *auth, void *user)
{
    note("?%s %s|", name, auth);
    return strncmp(name, user, strlen(user)) == 0;
}

static void dynamic_namespace_shares_handlers(void **state)
{
    (void)state;
    struct zn_namespace *other = zn_of_match(&fake.server, match, "/other");
    struct zn_namespace *parent = zn_of_match(&fake.server, match, "/room-");
    assert_non_null(other);
    zn_on_connection(parent, on_connection, "p");
    struct zn_session *a = fake_open(0);
    fake_text(a, "0/room-1,{\"k\":1}");
    assert_string_equal(fake_sent(a), "0/room-1,{\"sid\":\"" SID(1) "\"}|");
    assert_string_equal(take_notes(), "?/room-1 {\"k\":1}|?/room-1 {\"k\":1}|"
                                      "p+" SID(1) " {\"k\":1} {\"host\":\"x\"} in|");
    struct zn_session *b = fake_connect(0, "0/room-1,");
    fake_text(b, "0/room-2,");
    fake_text(b, "0/rum,");
    assert_non_null(strstr(fake_sent(b), "4/rum,{\"message\":\"Invalid namespace\"}|"));
    struct zn_target all = { .ns = parent };
    struct zn_message message = { .event = "hi" };
    assert_int_equal(zn_broadcast(&all, &message), 0);
    assert_string_equal(fake_sent(a), "2/room-1,[\"hi\"]|");
    assert_string_equal(fake_sent(b), "2/room-2,[\"hi\"]|2/room-1,[\"hi\"]|");
    assert_string_equal(zn_namespace_name(zn_of(&fake.server, "/room-1")), "/room-1");
    assert_int_equal(zn_fetch_sockets(&all, NULL, NULL), -EINVAL);
}

static bool match_and_make(const char *name, const char *auth, void *user)
{
    (void)auth;
    (void)user;
    return zn_of(&fake.server, name) != NULL;
}

static void dynamic_namespace_made_meanwhile_is_taken(void **state)
{
    (void)state;
    zn_of_match(&fake.server, match_and_make, NULL);
    struct zn_session *session = fake_connect(0, "0/new,");
    assert_ptr_equal(zn_socket_namespace(fake_socket(session)), zn_of(&fake.server, "/new"));
    assert_int_equal(fake.server.io->children_len, 0);
}

static void namespaces_of_a_client_are_limited(void **state)
{
    (void)state;
    zn_of_match(&fake.server, match, "/");
    struct zn_session *session = fake_open(0);
    for (unsigned i = 0; i < 257; i++) {
        char connect[32];
        snprintf(connect, sizeof(connect), "0/n%u,", i);
        fake_text(session, connect);
        assert_int_equal(fake_sent(session)[0], i < 256 ? '0' : '4');
        take_notes();
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(connect_answers_with_sid),
        CASE(connect_without_comma_works),
        CASE(connect_unknown_namespace_refused),
        CASE(connect_late_closes),
        CASE(connect_twice_closes),
        CASE(packet_out_of_place_closes),
        CASE(session_close_tells_every_namespace),
        CASE(disconnect_leaves_the_connection),
        CASE(disconnect_with_close_ends_all),
        CASE(shard_stop_tells_sockets),
        CASE(middlewares_run_in_order),
        CASE(middleware_refusal_answers_error),
        CASE(middleware_answering_later_connects),
        CASE(middleware_answering_too_late_is_harmless),
        CASE(dynamic_namespace_shares_handlers),
        CASE(dynamic_namespace_made_meanwhile_is_taken),
        CASE(namespaces_of_a_client_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
