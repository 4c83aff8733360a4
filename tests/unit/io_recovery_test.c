// SPDX-License-Identifier: Apache-2.0
// Connection state recovery: offsets, what is saved and replayed, what is not, and its limits.
#include "io_recovery_fake.h"

static struct zn_next *waiting;

static int setup(void **state)
{
    (void)state;
    start(1, false);
    return 0;
}

static void add_room(const char *room, void *user)
{
    (void)user;
    note("%s,", room);
}

static void events_carry_offsets(void **state)
{
    (void)state;
    struct zn_session *session = fake_open(0);
    fake_text(session, "0");
    assert_string_equal(fake_sent(session), "0{\"sid\":\"" SID(01) "\",\"pid\":\"" SID(02) "\"}|");
    struct zn_message message = { .event = "v", .flags = ZN_VOLATILE };
    struct zn_data bin = { "\1", 1 };
    struct zn_args args = ZN_JSON(PLACE(0));
    args.bin = &bin;
    args.bin_len = 1;
    zn_to(ns, NULL, "a", &ZN_JSON("1"));
    zn_emit(fake_socket(session), "b", NULL);
    zn_emit_message(fake_socket(session), &message);
    zn_to(ns, NULL, "c", &args);
    fake_advance(1);
    zn_to(ns, NULL, "d", NULL);
    assert_string_equal(fake_sent(session),
                        "2[\"a\",1,\"Q7xdoZa\"]|2[\"b\",\"Q7xdoZa.0\"]|2[\"v\"]|"
                        "51-[\"c\"," PLACE(0) ",\"Q7xdoZa.1\"]|<01>"
                                              "2[\"d\",\"Q7xdoZb\"]|");
    assert_int_equal(zn_to(ns, NULL, "d", &ZN_JSON("{")), -EINVAL);
}

static void on_ack(struct zn_socket *socket, int err, const struct zn_args *args, void *user)
{
    (void)socket;
    (void)err;
    (void)args;
    (void)user;
}

static void emit_is_for_its_socket_alone(void **state)
{
    (void)state;
    struct zn_session *a = fake_connect(0, "0");
    struct zn_session *b = fake_connect(0, "0");
    zn_join(fake_socket(b), zn_socket_id(fake_socket(a)));
    zn_emit(fake_socket(a), "mine", NULL);
    assert_string_equal(fake_sent(a), "2[\"mine\",\"Q7xdoZa\"]|");
    assert_string_equal(fake_sent(b), "");
}

static void events_with_acks_carry_none(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    struct zn_message message = { .event = "q", .ack = on_ack };
    zn_emit_message(fake_socket(session), &message);
    assert_string_equal(fake_sent(session), "20[\"q\"]|");
}

static void client_gets_what_it_missed(void **state)
{
    (void)state;
    lose_client("transport close");
    const char *rooms[] = { "r1", "r2" }, *own = SID(01);
    struct zn_data bin = { "\3", 1 };
    struct zn_args args = ZN_JSON(PLACE(0));
    args.bin = &bin;
    args.bin_len = 1;
    struct zn_target but = { .ns = ns, .except = rooms, .except_len = 1 };
    struct zn_message hidden = { .event = "hidden" };
    zn_to(ns, NULL, "m1", NULL);
    zn_to(ns, "r1", "m2", &args);
    zn_to(ns, "r2", "other room", NULL);
    zn_broadcast(&but, &hidden);
    zn_to(ns, own, "m3", NULL);
    fake_advance(119000);
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\",\"token\":\"t\"}");
    assert_string_equal(fake_sent(session),
                        "2[\"m1\",\"Q7xdoZa.0\"]|51-[\"m2\"," PLACE(
                            0) ","
                               "\"Q7xdoZa.1\"]|<03>2[\"m3\",\"Q7xdoZa.4\"]|"
                               "0{\"sid\":\"" SID(01) "\",\"pid\":\"" SID(02) "\"}|");
    assert_string_equal(take_notes(), SID(01) " recovered 1 {\"foo\":1}|");
    zn_rooms(fake_socket(session), add_room, NULL);
    assert_string_equal(take_notes(), SID(01) ",r1,");
    zn_to(ns, "r1", "live", NULL);
    assert_non_null(strstr(fake_sent(session), "live"));
    fake_close(session, "ping timeout"); // and once more
    session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa.4\"}");
    assert_int_equal(strncmp(fake_sent(session), "2[\"live\",", 9), 0);
}

static void no_recovery(const char *connect)
{
    struct zn_session *session = fake_open(0);
    fake_text(session, connect);
    fake_turn(); // one whose socket is still connected waits for its end
    const char *sent = fake_sent(session);
    assert_int_equal(strncmp(sent, "0{\"sid\":\"S", 10), 0);
    assert_null(strstr(sent, SID(01)));
    assert_null(strstr(sent, SID(02)));
    assert_non_null(strstr(take_notes(), "recovered 0 {}|"));
    fake_close(session, "transport close");
}

static void client_with_wrong_claims_is_new(void **state)
{
    (void)state;
    lose_client("transport close");
    no_recovery("0{" HELD "\"nope\"}");
    no_recovery("0{" HELD "\"Q7xdoZa.0\"}");
    no_recovery("0{" HELD "\"\"}");
    no_recovery("0{" HELD "7}");
    no_recovery("0{" HELD "\"0Q7xdoZa\"}"); // the same number, another text
    no_recovery("0{" HELD "\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}");
    no_recovery("0{\"pid\":\"S0000000000000000009\",\"offset\":\"Q7xdoZa\"}");
    no_recovery("0{\"pid\":\"S1\",\"offset\":\"Q7xdoZa\"}");
    no_recovery("0{\"offset\":\"Q7xdoZa\"}");
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}"); // none of that spoilt it
    assert_non_null(strstr(fake_sent(session), SID(01)));
    no_recovery("0{" HELD "\"Q7xdoZa\"}"); // but it is good once
}

static void client_that_left_is_new(void **state)
{
    (void)state;
    lose_client(NULL);
    no_recovery("0{" HELD "\"Q7xdoZa\"}");
}

static void client_that_was_thrown_out_is_new(void **state)
{
    (void)state;
    lose_client("server namespace disconnect");
    no_recovery("0{" HELD "\"Q7xdoZa\"}");
}

static void client_that_comes_too_late_is_new(void **state)
{
    (void)state;
    lose_client("transport close");
    fake_advance(120001);
    no_recovery("0{" HELD "\"Q7xdoZa\"}");
    assert_int_equal(fake.server.io->recovery->saved.len, 1); // the one just closed
}

// --- Middlewares

static void hold(struct zn_socket *socket, struct zn_next *next, void *user)
{
    (void)user;
    note("asked %s|", zn_socket_id(socket));
    waiting = next;
}

static void middlewares_are_skipped(void **state)
{
    (void)state;
    lose_client("transport close");
    zn_use(ns, hold, NULL);
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    assert_string_equal(take_notes(), SID(01) " recovered 1 {\"foo\":1}|");
}

static void middlewares_run_when_wanted(void **state)
{
    fake_stop();
    start(1, true);
    lose_client("transport close");
    zn_use(ns, hold, NULL);
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    assert_string_equal(take_notes(), "asked " SID(01) "|");
    zn_to(ns, "r1", "meanwhile", NULL);
    assert_string_equal(fake_sent(session), ""); // not before it is let in
    fake_close(session, "transport close");
    zn_next(waiting, NULL, NULL); // gone: may try again
    session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    zn_next(waiting, NULL, NULL);
    assert_int_equal(strncmp(fake_sent(session), "2[\"meanwhile\",", 14), 0);
    fake_close(session, "transport close");
    session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    zn_next(waiting, "banned", NULL);
    assert_string_equal(fake_sent(session), "4{\"message\":\"banned\"}|");
    take_notes();
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    assert_string_not_equal(take_notes(), "asked " SID(01) "|"); // gone for good
    (void)state;
}

static void client_let_in_late_gets_what_is_left(void **state)
{
    fake_stop();
    start(1, true);
    lose_client("transport close");
    zn_use(ns, hold, NULL);
    zn_of(&fake.server, "/x");
    zn_to(ns, NULL, "lost", NULL);
    struct zn_session *session = fake_connect(0, "0/x,"); // no connect timeout any more
    fake_text(session, "0{" HELD "\"Q7xdoZa\"}");
    for (unsigned i = 0; i < 13; i++) {
        fake_advance(10000);
        zn_to(ns, NULL, "left", NULL);
    }
    zn_next(waiting, NULL, NULL);
    const char *sent = fake_sent(session);
    assert_null(strstr(sent, "lost"));
    assert_int_equal(strncmp(sent, "2[\"left\",", 9), 0);
    assert_non_null(strstr(sent, "0{\"sid\":\"" SID(01) "\""));
    (void)state;
}

// --- Limits

static void log_is_bounded_in_bytes(void **state)
{
    (void)state;
    lose_client("transport close");
    char *text = malloc((1 << 20) + 3);
    memset(text, 'x', (1 << 20) + 2);
    text[0] = text[(1 << 20) + 1] = '"';
    text[(1 << 20) + 2] = '\0';
    for (unsigned i = 0; i < 70; i++)
        zn_to(ns, NULL, "big", &ZN_JSON(text));
    free(text);
    assert_true(ns->log->bytes <= ZN_LOG_BYTES_MAX);
    no_recovery("0{" HELD "\"Q7xdoZa\"}");
}

static void log_is_bounded_in_time(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    for (unsigned i = 0; i < 1000; i++) {
        zn_to(ns, NULL, "x", NULL);
        fake_sent(session);
        fake_advance(1000);
    }
    assert_int_equal(ns->log->end, 1000);
    assert_true(ns->log->end - ns->log->first <= 122);
}

static void what_is_too_old_is_freed_without_traffic(void **state)
{
    (void)state;
    lose_client("transport close");
    fake_advance(60000);
    zn_to(ns, NULL, "x", NULL);
    fake_advance(60002);
    assert_int_equal(ns->log->end - ns->log->first, 1);
    assert_int_equal(fake.server.io->recovery->saved.len, 0);
    fake_advance(120002);
    assert_int_equal(ns->log->end - ns->log->first, 0);
    assert_int_equal(ns->log->bytes, 0);
    assert_false(zn__timer_armed(&fake.server.reactors[0].io->trim));
}

static void offset_of_many_in_a_millisecond_is_found(void **state)
{
    (void)state;
    lose_client("transport close");
    for (unsigned i = 0; i < 5000; i++)
        zn_to(ns, "r1", "x", NULL);
    struct zn_session *session = fake_open(0);
    fake_text(session, "0{" HELD "\"Q7xdoZa.1E5\"}"); // the last but one
    assert_string_equal(fake_sent(session), "2[\"x\",\"Q7xdoZa.1E6\"]|2[\"x\",\"Q7xdoZa.1E7\"]|"
                                            "0{\"sid\":\"" SID(01) "\",\"pid\":\"" SID(02) "\"}|");
}

// --- Callbacks in the middle of a delivery

static void answer_once(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    if (strcmp(event->name, "first") == 0 && zn_socket_id(socket)[19] == '1')
        zn_to(ns, NULL, "second", NULL);
}

static void events_from_listeners_keep_the_order(void **state)
{
    (void)state;
    struct zn_session *a = fake_connect(0, "0");
    struct zn_session *b = fake_connect(0, "0");
    zn_on_any_outgoing(ns, answer_once, NULL);
    zn_to(ns, NULL, "first", NULL);
    assert_string_equal(fake_sent(a), "2[\"first\",\"Q7xdoZa\"]|2[\"second\",\"Q7xdoZa.0\"]|");
    assert_string_equal(fake_sent(b), "2[\"first\",\"Q7xdoZa\"]|2[\"second\",\"Q7xdoZa.0\"]|");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(events_carry_offsets),
        CASE(emit_is_for_its_socket_alone),
        CASE(events_with_acks_carry_none),
        CASE(client_gets_what_it_missed),
        CASE(client_with_wrong_claims_is_new),
        CASE(client_that_left_is_new),
        CASE(client_that_was_thrown_out_is_new),
        CASE(client_that_comes_too_late_is_new),
        CASE(middlewares_are_skipped),
        CASE(middlewares_run_when_wanted),
        CASE(client_let_in_late_gets_what_is_left),
        CASE(log_is_bounded_in_bytes),
        CASE(log_is_bounded_in_time),
        CASE(what_is_too_old_is_freed_without_traffic),
        CASE(offset_of_many_in_a_millisecond_is_found),
        CASE(events_from_listeners_keep_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
