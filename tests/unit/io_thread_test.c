// SPDX-License-Identifier: Apache-2.0
// Several reactors: what is sent or asked on one reaches the sockets of all, by mail.
#include "io_fake.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { THREADS = 3, CLIENTS = 6 };

static struct zn_namespace *ns;
static struct zn_session *clients[CLIENTS]; // client i on reactor i % THREADS

static struct zn_socket *sock(unsigned i)
{
    return fake_socket(clients[i]);
}

static int setup(void **state)
{
    (void)state;
    fake_start(THREADS, &(struct zn_io_options){ 0 });
    ns = zn_of(&fake.server, "/");
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = fake_connect(i % THREADS, "0");
    fake_on(0);
    take_notes();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_stop();
    return 0;
}

static void join(unsigned i, const char *room)
{
    fake_on(i % THREADS);
    zn_join(sock(i), room);
    fake_on(0);
}

static const char *receivers(const char *text)
{
    static char out[64];
    size_t len = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const char *p = fake_sent(clients[i]);
        while ((p = strstr(p, text)) != NULL) {
            out[len++] = (char)('0' + i);
            p++;
        }
    }
    out[len] = '\0';
    return out;
}

static void broadcast_reaches_all_reactors(void **state)
{
    (void)state;
    assert_int_equal(zn_to(ns, NULL, "x", &ZN_JSON("{\"a\":1}")), 0);
    assert_string_equal(receivers("2[\"x\",{\"a\":1}]|"), "03"); // at once on its own
    fake_turn();
    assert_string_equal(receivers("2[\"x\",{\"a\":1}]|"), "1245");
}

static void broadcast_finds_its_target_everywhere(void **state)
{
    (void)state;
    join(1, "a");
    join(2, "a");
    join(2, "b");
    join(4, "b");
    join(3, "a");
    const char *rooms[] = { "a", "b" };
    const char *except[] = { "none", zn_socket_id(sock(2)) };
    struct zn_data bin = { "\xaa", 1 };
    struct zn_target target = { .ns = ns,
                                .rooms = rooms,
                                .rooms_len = 2,
                                .except = except,
                                .except_len = 2,
                                .sender = sock(3) };
    struct zn_message message = { .event = "x", .args = ZN_JSON(PLACE(0)) };
    message.args.bin = &bin;
    message.args.bin_len = 1;
    assert_int_equal(zn_broadcast(&target, &message), 0);
    fake_turn();
    assert_string_equal(receivers("51-[\"x\"," PLACE(0) "]|<aa>"), "14");
    const char *id = zn_socket_id(sock(5));
    zn_to(ns, id, "y", NULL);
    fake_turn();
    assert_string_equal(receivers("\"y\""), "5");
}

static void broadcast_keeps_order_and_flags(void **state)
{
    (void)state;
    struct zn_target target = { .ns = ns };
    struct zn_message message = { .event = "v", .flags = ZN_VOLATILE };
    clients[1]->blocked = true;
    zn_to(ns, NULL, "a", NULL);
    zn_broadcast(&target, &message);
    zn_to(ns, NULL, "b", NULL);
    fake_turn();
    assert_string_equal(fake_sent(clients[1]), "2[\"a\"]|2[\"b\"]|");
    assert_string_equal(fake_sent(clients[2]), "2[\"a\"]|2[\"v\"]|2[\"b\"]|");
}

static void full_mailbox_is_told(void **state)
{
    (void)state;
    fake.mail_full = true;
    assert_int_equal(zn_to(ns, NULL, "x", NULL), -ENOBUFS);
    assert_string_equal(receivers("\"x\""), "03");
    fake.mail_full = false;
    zn_to(ns, NULL, "x", NULL); // still under way when all ends
}

static void on_out(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    note("%u:%s[%.*s]|", zn_socket_thread(socket), event->name, (int)event->args.json_len,
         event->args.json);
}

static void listeners_see_broadcasts_of_others(void **state)
{
    (void)state;
    zn_on_any_outgoing(ns, on_out, NULL);
    join(4, "a");
    zn_to(ns, "a", "x", &ZN_JSON("1,2"));
    fake_turn();
    assert_string_equal(take_notes(), "1:x[1,2]|");
}

static void joins_and_leaves_reach_all_reactors(void **state)
{
    (void)state;
    const char *rooms[] = { "a", "b" };
    struct zn_target all = { .ns = ns };
    assert_int_equal(zn_sockets_join(&all, rooms, 2), 0);
    fake_turn();
    struct zn_target some = { .ns = ns, .sender = sock(0) };
    assert_int_equal(zn_sockets_leave(&some, rooms, 1), 0);
    fake_turn();
    zn_to(ns, "a", "x", NULL);
    fake_turn();
    assert_string_equal(receivers("\"x\""), "0");
    zn_to(ns, "b", "x", NULL);
    fake_turn();
    assert_string_equal(receivers("\"x\""), "012345");
    struct zn_target b = { .ns = ns, .rooms = &rooms[1], .rooms_len = 1 };
    assert_int_equal(zn_disconnect_sockets(&b, true), 0);
    fake_turn();
    assert_null(fake.sessions);
}

static void on_sockets(const struct zn_socket_info *sockets, size_t len, void *user)
{
    (void)user;
    assert_int_equal(fake_self->index, 1);
    for (size_t i = 0; i < len; i++)
        note("%s@%u %s,", sockets[i].id + 19, sockets[i].thread, sockets[i].data);
}

static void on_names(const char *const *names, size_t len, void *user)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        note("%s,", strlen(names[i]) > 1 ? names[i] + 19 : names[i]);
}

static void questions_are_answered_by_all_reactors(void **state)
{
    (void)state;
    join(0, "a");
    join(1, "a");
    join(5, "a");
    fake_on(2);
    zn_socket_set_data(sock(5), "5");
    fake_on(1);
    const char *room = "a";
    struct zn_target target = { .ns = ns, .rooms = &room, .rooms_len = 1 };
    assert_int_equal(zn_fetch_sockets(&target, on_sockets, NULL), 0);
    fake_turn();
    assert_string_equal(take_notes(), "2@1 {},1@0 {},6@2 5,");
    zn_all_rooms(ns, on_names, NULL);
    fake_turn();
    const char *names = take_notes();
    assert_int_equal(strlen(names), 14);
    assert_non_null(strstr(names, "a,"));
    fake.mail_full = true; // the others cannot be asked
    zn_fetch_sockets(&target, on_sockets, NULL);
    fake.mail_full = false;
    fake_turn();
}

static void on_answers(const struct zn_answers *answers, void *user)
{
    (void)user;
    assert_int_equal(fake_self->index, 0);
    note("%d %zu/%zu:", answers->err, answers->len, answers->expected);
    for (size_t i = 0; i < answers->len; i++)
        note("%.*s;", (int)answers->first_args[i].json_len, answers->first_args[i].json);
}

static void broadcast_ack_collects_from_all_reactors(void **state)
{
    (void)state;
    struct zn_target target = { .ns = ns, .sender = sock(0) };
    struct zn_message message = { .event = "q", .timeout_ms = 100 };
    assert_int_equal(zn_broadcast_ack(&target, &message, on_answers, NULL), 0);
    fake_text(clients[3], "30[3]"); // before the others were even asked
    fake_turn();
    assert_string_equal(fake_sent(clients[5]), "20[\"q\"]|");
    for (unsigned i = 1; i < CLIENTS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "30[%u]", i);
        if (i != 3)
            fake_text(clients[i], text);
    }
    assert_string_equal(take_notes(), "");
    fake_turn();
    assert_string_equal(take_notes(), "0 5/5:3;1;2;4;5;");
}

static void broadcast_ack_times_out_on_all_reactors(void **state)
{
    (void)state;
    struct zn_target target = { .ns = ns };
    struct zn_message message = { .event = "q", .timeout_ms = 100 };
    assert_int_equal(zn_broadcast_ack(&target, &message, on_answers, NULL), 0);
    fake_turn();
    fake_text(clients[4], "30[4]");
    fake_turn();
    fake_advance(100);
    assert_string_equal(take_notes(), "-110 1/6:4;");
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_null(sock(i)->acks);
    fake_text(clients[4], "30[4]");
    fake_turn();
    assert_string_equal(take_notes(), "");
    zn_broadcast_ack(&target, &message, on_answers, NULL);
    fake_turn();
    fake_text(clients[4], "31[4]"); // its answer is under way when all ends
}

static void ack_ids_are_the_namespaces(void **state)
{
    (void)state;
    struct zn_target target = { .ns = ns };
    struct zn_message message = { .event = "q", .timeout_ms = 100 };
    zn_broadcast_ack(&target, &message, on_answers, NULL);
    fake_on(1);
    zn_broadcast_ack(&target, &message, on_answers, NULL); // sent on reactor 1 before 0's came
    assert_string_equal(fake_sent(clients[1]), "21[\"q\"]|");
    fake_turn();
    assert_string_equal(fake_sent(clients[1]), "20[\"q\"]|");
    fake_text(clients[1], "30[\"zero\"]");
    fake_text(clients[1], "31[\"one\"]");
    assert_null(sock(1)->acks);
}

static bool match(const char *name, const char *auth, void *user)
{
    (void)auth;
    (void)user;
    return name[1] == 'd';
}

static void dynamic_namespace_is_one_for_all_reactors(void **state)
{
    (void)state;
    struct zn_namespace *parent = zn_of_match(&fake.server, match, NULL);
    struct zn_session *a = fake_connect(0, "0/d1,");
    struct zn_session *b = fake_connect(2, "0/d1,");
    fake_on(1);
    assert_int_equal(zn_to(parent, NULL, "x", NULL), 0);
    fake_turn();
    assert_string_equal(fake_sent(a), "2/d1,[\"x\"]|");
    assert_string_equal(fake_sent(b), "2/d1,[\"x\"]|");
    struct zn_target all = { .ns = parent };
    assert_int_equal(zn_disconnect_sockets(&all, true), 0);
    fake_turn();
    assert_int_equal(fake.server.reactors[2].counters.sockets_now, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(broadcast_reaches_all_reactors),
        CASE(broadcast_finds_its_target_everywhere),
        CASE(broadcast_keeps_order_and_flags),
        CASE(full_mailbox_is_told),
        CASE(listeners_see_broadcasts_of_others),
        CASE(joins_and_leaves_reach_all_reactors),
        CASE(questions_are_answered_by_all_reactors),
        CASE(broadcast_ack_collects_from_all_reactors),
        CASE(broadcast_ack_times_out_on_all_reactors),
        CASE(ack_ids_are_the_namespaces),
        CASE(dynamic_namespace_is_one_for_all_reactors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
