// SPDX-License-Identifier: Apache-2.0
// Connection state recovery with several reactors: one order of events, clients that come back on
// another one, and those that are back before they were seen to go.
#include "io_recovery_fake.h"

static int setup(void **state)
{
    (void)state;
    start(2, false);
    return 0;
}

static void reactors_deliver_in_one_order(void **state)
{
    (void)state;
    struct zn_session *a = fake_connect(0, "0");
    struct zn_session *b = fake_connect(1, "0");
    fake_on(0);
    zn_to(ns, NULL, "a", NULL);
    fake_on(1);
    zn_to(ns, NULL, "b", NULL); // sees a first
    fake_on(0);
    zn_to(ns, NULL, "c", NULL);
    zn_emit(fake_socket(a), "d", NULL);
    fake_turn();
    assert_string_equal(fake_sent(a), "2[\"a\",\"Q7xdoZa\"]|2[\"b\",\"Q7xdoZa.0\"]|"
                                      "2[\"c\",\"Q7xdoZa.1\"]|2[\"d\",\"Q7xdoZa.2\"]|");
    assert_string_equal(fake_sent(b), "2[\"a\",\"Q7xdoZa\"]|2[\"b\",\"Q7xdoZa.0\"]|"
                                      "2[\"c\",\"Q7xdoZa.1\"]|");
}

static void client_comes_back_on_another_reactor(void **state)
{
    (void)state;
    lose_client("transport close");
    struct zn_session *other = fake_connect(1, "0");
    fake_on(0);
    zn_to(ns, "r1", "m1", NULL);
    fake_on(1);
    zn_to(ns, "r1", "m2", NULL);
    fake_on(0);
    zn_to(ns, "r1", "m3", NULL); // reactor 1 has not heard of it yet
    struct zn_session *back = fake_open(1);
    fake_text(back, "0{" HELD "\"Q7xdoZa\"}");
    assert_string_equal(fake_sent(back),
                        "2[\"m1\",\"Q7xdoZa.0\"]|2[\"m2\",\"Q7xdoZa.1\"]|2[\"m3\",\"Q7xdoZa.2\"]|"
                        "0{\"sid\":\"" SID(01) "\",\"pid\":\"" SID(02) "\"}|");
    fake_turn();
    assert_string_equal(fake_sent(back), ""); // nothing twice
    zn_to(ns, SID(01), "m4", NULL);
    fake_turn();
    assert_string_equal(fake_sent(back), "2[\"m4\",\"Q7xdoZa.3\"]|");
    assert_string_equal(fake_sent(other), "");
}

// A client on reactor 0 that has seen Q7xdoZa and misses "m1"; and the one that says to be it, on
// `reactor`, while the first one's connection is still there.
static struct zn_session *come_back_early(unsigned reactor, struct zn_session **old_out)
{
    zn_on_connection(ns, on_connection, NULL);
    *old_out = fake_connect(0, "0");
    zn_to(ns, NULL, "seen", NULL);
    zn_to(ns, NULL, "m1", NULL);
    take_notes();
    struct zn_session *back = fake_open(reactor);
    fake_text(back, "0{" HELD "\"Q7xdoZa\"}");
    assert_string_equal(fake_sent(back), "");
    assert_string_equal(take_notes(), "");
    return back;
}

static void check_recovered(struct zn_session *back)
{
    assert_string_equal(fake_sent(back), "2[\"m1\",\"Q7xdoZa.0\"]|"
                                         "0{\"sid\":\"" SID(01) "\",\"pid\":\"" SID(02) "\"}|");
    assert_string_equal(take_notes(), SID(01) " recovered 1 {}|");
}

static void client_back_before_its_end_is_waited_for(void **state)
{
    (void)state;
    for (unsigned reactor = 0; reactor < 2; reactor++) {
        struct zn_session *old;
        struct zn_session *back = come_back_early(reactor, &old);
        assert_true(fake_run_mail(0)); // reactor 0 has heard of it before it reads the end,
        fake_close(old, "transport close");
        fake_turn(); // and tells in a later turn
        check_recovered(back);
        teardown(NULL);
        start(2, false);
    }
}

static void client_whose_socket_lives_on_is_new(void **state)
{
    (void)state;
    struct zn_session *old;
    struct zn_session *back = come_back_early(1, &old);
    fake_turn();
    assert_null(strstr(fake_sent(back), SID(01)));
    assert_non_null(strstr(take_notes(), "recovered 0 {}|"));
    fake_close(old, "transport close"); // it can still be recovered
    fake_on(1);
    back = fake_connect(1, "0{" HELD "\"Q7xdoZa\"}");
    assert_non_null(strstr(take_notes(), SID(01) " recovered 1"));
}

static void client_gone_while_it_waits_spoils_nothing(void **state)
{
    (void)state;
    struct zn_session *old;
    struct zn_session *back = come_back_early(1, &old);
    fake_close(back, "transport close");
    fake_close(old, "transport close");
    fake_turn();
    assert_string_equal(take_notes(), "");
    back = fake_open(1);
    fake_text(back, "0{" HELD "\"Q7xdoZa\"}");
    check_recovered(back);
}

static void client_that_cannot_wait_is_new(void **state)
{
    (void)state;
    struct zn_session *old;
    come_back_early(1, &old); // on its way when all ends
    fake.mail_full = true;
    struct zn_session *back = fake_open(1);
    fake_text(back, "0{" HELD "\"Q7xdoZa\"}");
    assert_non_null(strstr(take_notes(), "recovered 0 {}|"));
    fake.mail_full = false;
}

static void reactor_that_cannot_be_woken_catches_up(void **state)
{
    (void)state;
    struct zn_session *b = fake_connect(1, "0");
    fake_on(0);
    fake.mail_full = true;
    assert_int_equal(zn_to(ns, NULL, "a", NULL), -ENOBUFS);
    fake.mail_full = false;
    zn_to(ns, NULL, "b", NULL);
    fake_turn();
    assert_string_equal(fake_sent(b), "2[\"a\",\"Q7xdoZa\"]|2[\"b\",\"Q7xdoZa.0\"]|");
    zn_to(ns, NULL, "c", NULL); // on its way when all ends
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(reactors_deliver_in_one_order),
        CASE(client_comes_back_on_another_reactor),
        CASE(client_back_before_its_end_is_waited_for),
        CASE(client_whose_socket_lives_on_is_new),
        CASE(client_gone_while_it_waits_spoils_nothing),
        CASE(client_that_cannot_wait_is_new),
        CASE(reactor_that_cannot_be_woken_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
