// SPDX-License-Identifier: Apache-2.0
// Rooms, and who gets what is sent to them, while callbacks change everything under the hands of
// whoever sends.
#include "io_fake.h"

#include "socketio/room.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CLIENTS = 6 };

static struct zn_namespace *ns;
static struct zn_session *clients[CLIENTS];

static struct zn_socket *sock(unsigned i)
{
    return fake_socket(clients[i]);
}

static int setup(void **state)
{
    (void)state;
    fake_start(1, &(struct zn_io_options){ 0 });
    ns = zn_of(&fake.server, "/");
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = fake_connect(0, "0");
    take_notes();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_stop();
    return 0;
}

// Who got "x": the digits of the clients, once for each time.
static const char *receivers(void)
{
    static char text[64];
    size_t len = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const char *p = fake_sent(clients[i]);
        while ((p = strstr(p, "[\"x\"")) != NULL) {
            text[len++] = (char)('0' + i);
            p++;
        }
    }
    text[len] = '\0';
    return text;
}

static const char *send_to(const char *room1, const char *room2, const char *except1,
                           const char *except2, const struct zn_socket *sender)
{
    const char *rooms[] = { room1, room2 };
    const char *except[] = { except1, except2 };
    struct zn_target target = {
        .ns = ns,
        .rooms = rooms,
        .rooms_len = (size_t)(room1 != NULL) + (size_t)(room2 != NULL),
        .except = except,
        .except_len = (size_t)(except1 != NULL) + (size_t)(except2 != NULL),
        .sender = sender,
    };
    struct zn_message message = { .event = "x" };
    assert_int_equal(zn_broadcast(&target, &message), 0);
    return receivers();
}

static void broadcast_reaches_its_target(void **state)
{
    (void)state;
    zn_join(sock(0), "a");
    zn_join(sock(1), "a");
    zn_join(sock(1), "b");
    zn_join(sock(2), "b");
    zn_join(sock(3), "c");
    assert_string_equal(send_to(NULL, NULL, NULL, NULL, NULL), "012345");
    assert_string_equal(send_to(NULL, NULL, NULL, NULL, sock(2)), "01345");
    assert_string_equal(send_to("a", NULL, NULL, NULL, NULL), "01");
    assert_string_equal(send_to("a", NULL, NULL, NULL, sock(0)), "1");
    assert_string_equal(send_to("a", "b", NULL, NULL, NULL), "012");
    assert_string_equal(send_to("a", "b", NULL, NULL, sock(1)), "02");
    assert_string_equal(send_to("a", "b", "b", NULL, NULL), "0");
    assert_string_equal(send_to(NULL, NULL, "b", "c", sock(0)), "45");
    assert_string_equal(send_to("nobody", NULL, "nobody", NULL, NULL), "");
    assert_string_equal(send_to("nobody", "c", NULL, NULL, NULL), "3");
}

static void broadcast_reaches_own_rooms(void **state)
{
    (void)state;
    const char *id = zn_socket_id(sock(4));
    assert_string_equal(send_to(id, NULL, NULL, NULL, NULL), "4");
    assert_string_equal(send_to(id, NULL, NULL, NULL, sock(4)), "");
    assert_string_equal(send_to(NULL, NULL, id, NULL, NULL), "01235");
    zn_join(sock(1), id); // somebody else's
    assert_string_equal(send_to(id, NULL, NULL, NULL, NULL), "14");
    assert_string_equal(send_to(id, id, NULL, NULL, sock(1)), "4");
    zn_leave(sock(4), id);
    assert_string_equal(send_to(id, NULL, NULL, NULL, NULL), "1");
    zn_join(sock(4), id);
    zn_leave(sock(1), id);
    assert_string_equal(send_to(id, NULL, NULL, NULL, NULL), "4");
}

static void broadcast_is_one_packet(void **state)
{
    (void)state;
    zn_to(ns, NULL, "x", &ZN_JSON("1"));
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_ptr_equal(clients[i]->last, clients[0]->last);
        assert_string_equal(fake_sent(clients[i]), "2[\"x\",1]|");
    }
    assert_int_equal(zn_to(ns, NULL, "connect", NULL), -EINVAL);
    assert_int_equal(zn_to(ns, NULL, "x", &ZN_JSON("{")), -EINVAL);
    fake_self = NULL;
    assert_int_equal(zn_to(ns, NULL, "x", NULL), -EINVAL); // not from any other thread
    fake_on(0);
}

static void room_is_forgotten_when_empty(void **state)
{
    (void)state;
    const struct zn_table *rooms = &sock(0)->space->rooms;
    zn_join(sock(0), "a");
    zn_join(sock(0), "a");
    zn_join(sock(1), "a");
    assert_int_equal(rooms->len, 1);
    zn_leave(sock(0), "a");
    zn_leave(sock(0), "a");
    zn_leave(sock(0), "never");
    assert_int_equal(rooms->len, 1);
    fake_close(clients[1], "transport close");
    assert_int_equal(rooms->len, 0);
    clients[1] = fake_connect(0, "0");
}

static void add_room(const char *room, void *user)
{
    (void)user;
    note("%s,", room);
}

static void rooms_keep_their_order(void **state)
{
    (void)state;
    zn_join(sock(0), "b");
    zn_join(sock(0), "a");
    zn_join(sock(0), "c");
    zn_leave(sock(0), "a");
    zn_rooms(sock(0), add_room, NULL);
    char want[64];
    snprintf(want, sizeof(want), "%s,b,c,", zn_socket_id(sock(0)));
    assert_string_equal(take_notes(), want);
}

// Many joins and leaves against a plain model.
static void rooms_survive_many_changes(void **state)
{
    (void)state;
    enum { ROOMS = 5 };
    bool in[CLIENTS][ROOMS] = { 0 };
    unsigned seed = 7;
    for (unsigned step = 0; step < 20000; step++) {
        seed = seed * 1103515245u + 12345u;
        unsigned i = (seed >> 16) % CLIENTS, r = (seed >> 20) % ROOMS;
        char room[2] = { (char)('a' + r), '\0' };
        if (seed >> 30 & 1) {
            zn_join(sock(i), room);
            in[i][r] = true;
        } else {
            zn_leave(sock(i), room);
            in[i][r] = false;
        }
        if (step % 50 != 0)
            continue;
        char want[CLIENTS + 1];
        size_t len = 0;
        for (unsigned j = 0; j < CLIENTS; j++) {
            if (in[j][r])
                want[len++] = (char)('0' + j);
        }
        want[len] = '\0';
        assert_string_equal(send_to(room, NULL, NULL, NULL, NULL), want);
    }
}

static void stamps_survive_their_end(void **state)
{
    (void)state;
    zn_join(sock(0), "a");
    zn_join(sock(1), "b");
    for (unsigned i = 0; i < 2; i++) { // the same mark again
        sock(0)->space->stamp = i == 0 ? 0 : UINT32_MAX;
        assert_string_equal(send_to("a", "b", NULL, NULL, NULL), "01");
    }
    sock(0)->space->stamp = UINT32_MAX - 2;
    for (unsigned i = 0; i < 6; i++)
        assert_string_equal(send_to(NULL, NULL, zn_socket_id(sock(i)), NULL, sock((i + 1) % 6)),
                            i == 0   ? "2345"
                            : i == 1 ? "0345"
                            : i == 2 ? "0145"
                            : i == 3 ? "0125"
                            : i == 4 ? "0123"
                                     : "1234");
}

// --- Callbacks that change who is there

static void end_everybody(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)socket;
    (void)event;
    (void)user;
    for (unsigned i = 1; i < CLIENTS; i++) {
        if (sock(i) != NULL)
            zn_disconnect(sock(i), false);
    }
    zn_leave(sock(0), "a");
    zn_join(sock(0), "b");
}

static void listener_may_end_receivers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        zn_join(sock(i), "a");
    zn_on_any_outgoing(ns, end_everybody, NULL);
    assert_string_equal(send_to("a", NULL, NULL, NULL, NULL), "0");
    assert_int_equal(fake.server.reactors[0].counters.sockets_now, 1);
}

static void leave_all_and_end_next(struct zn_socket *socket, const char *reason, void *user)
{
    (void)user;
    note("%s|", reason);
    unsigned i = 0;
    while (clients[i] == NULL || sock(i) != socket)
        i++;
    zn_to(ns, "a", "bye", NULL);
    if (i + 1 < CLIENTS && sock(i + 1) != NULL)
        zn_disconnect(sock(i + 1), false);
    zn_leave(socket, "a");
    zn_disconnect(socket, true);
    assert_int_equal(zn_socket_connected(socket), true);
}

static void disconnecting_may_end_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        zn_join(sock(i), "a");
    zn_on_disconnecting(ns, leave_all_and_end_next, NULL);
    struct zn_target all = { .ns = ns };
    assert_int_equal(zn_disconnect_sockets(&all, false), 0);
    assert_int_equal(fake.server.reactors[0].counters.sockets_now, 0);
    assert_int_equal(strlen(take_notes()), CLIENTS * strlen("server namespace disconnect|"));
}

// --- Many at once

static void sockets_join_and_leave_together(void **state)
{
    (void)state;
    const char *rooms[] = { "a", "b" };
    struct zn_target target = { .ns = ns, .sender = sock(0) };
    assert_int_equal(zn_sockets_join(&target, rooms, 2), 0);
    assert_string_equal(send_to("b", NULL, NULL, NULL, NULL), "12345");
    struct zn_target a = { .ns = ns, .rooms = rooms, .rooms_len = 1 };
    assert_int_equal(zn_sockets_leave(&a, rooms, 1), 0); // the very room that is walked
    assert_string_equal(send_to("a", NULL, NULL, NULL, NULL), "");
    assert_string_equal(send_to("b", NULL, NULL, NULL, NULL), "12345");
}

static void sockets_disconnect_together(void **state)
{
    (void)state;
    zn_join(sock(1), "a");
    zn_join(sock(2), "a");
    const char *room = "a";
    struct zn_target target = { .ns = ns, .rooms = &room, .rooms_len = 1 };
    assert_int_equal(zn_disconnect_sockets(&target, true), 0);
    assert_non_null(clients[1]->closing);
    assert_non_null(clients[2]->closing);
    assert_null(clients[3]->closing);
    assert_string_equal(fake_sent(clients[2]), "1|");
}

static void on_sockets(const struct zn_socket_info *sockets, size_t len, void *user)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        note("%s@%u %s %s", sockets[i].id + 18, sockets[i].thread, sockets[i].data,
             sockets[i].handshake);
        for (size_t j = 0; j < sockets[i].rooms_len; j++)
            note(",%s", sockets[i].rooms[j]);
        note("|");
    }
    note("%zu", len);
}

static void fetch_describes_sockets(void **state)
{
    (void)state;
    zn_join(sock(0), "a");
    zn_socket_set_data(sock(0), "{\"n\":1}");
    clients[0]->forgotten = false;
    const char *room = "a";
    struct zn_target target = { .ns = ns, .rooms = &room, .rooms_len = 1 };
    assert_int_equal(zn_fetch_sockets(&target, on_sockets, NULL), 0);
    assert_string_equal(take_notes(), ""); // later
    zn_disconnect(sock(0), false);
    fake_turn();
    assert_string_equal(
        take_notes(),
        "01@0 {\"n\":1} {\"headers\":{\"host\":\"x\"},\"time\":\"Sat Nov 21 2026 01:01:14 GMT+0000 "
        "(Coordinated Universal Time)\",\"address\":\"127.0.0.1\",\"xdomain\":false,"
        "\"secure\":false,\"issued\":1795222874340,\"url\":\"/socket.io/?EIO=4&a=b%20c\","
        "\"query\":{\"EIO\":\"4\",\"a\":\"b c\"},\"auth\":{}},S0000000000000000001,a|1");
    zn_fetch_sockets(&target, on_sockets, NULL);
    fake_turn();
    assert_string_equal(take_notes(), "0");
}

static void on_names(const char *const *names, size_t len, void *user)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        note("%s ", names[i]);
}

static void all_rooms_lists_each_once(void **state)
{
    (void)state;
    for (unsigned i = 2; i < CLIENTS; i++)
        zn_disconnect(sock(i), false);
    zn_join(sock(0), "a");
    zn_join(sock(1), "a");
    zn_join(sock(1), zn_socket_id(sock(0)));
    assert_int_equal(zn_all_rooms(ns, on_names, NULL), 0);
    fake_turn();
    const char *names = take_notes();
    assert_non_null(strstr(names, "S0000000000000000001 S0000000000000000002 "));
    assert_int_equal(strlen(names), 21 + 21 + 2);
    zn_all_rooms(ns, on_names, NULL); // never answered: freed with the shard
}

// --- Broadcasts that are answered

static void on_answers(const struct zn_answers *answers, void *user)
{
    (void)user;
    note("%d %zu/%zu:", answers->err, answers->len, answers->expected);
    for (size_t i = 0; i < answers->len; i++) {
        const struct zn_args *first = &answers->first_args[i];
        note("%.*s", (int)first->json_len, first->json);
        if (first->bin_len > 0)
            note("<%.*s>", (int)first->bin[0].len, (const char *)first->bin[0].p);
        note(";");
    }
}

static void ask_room(const char *room, uint32_t timeout_ms)
{
    struct zn_target target = { .ns = ns, .rooms = &room, .rooms_len = room != NULL ? 1 : 0 };
    struct zn_message message = { .event = "q", .timeout_ms = timeout_ms };
    assert_int_equal(zn_broadcast_ack(&target, &message, on_answers, NULL), 0);
}

static void broadcast_ack_collects_answers(void **state)
{
    (void)state;
    zn_join(sock(0), "a");
    zn_join(sock(1), "a");
    zn_join(sock(2), "a");
    ask_room("a", 100);
    assert_string_equal(fake_sent(clients[0]), "20[\"q\"]|");
    assert_string_equal(fake_sent(clients[2]), "20[\"q\"]|");
    fake_text(clients[0], "30[{\"a\":[1,2]},2]");
    fake_text(clients[0], "30[\"twice\"]");
    fake_text(clients[3], "30[\"stranger\"]");
    fake_turn();
    fake_text(clients[1], "30[]");
    assert_string_equal(take_notes(), "");
    fake_text(clients[2], "61-0[" PLACE(0) "]");
    fake_binary(clients[2], "bin", 3);
    assert_string_equal(take_notes(), "0 3/3:{\"a\":[1,2]};;" PLACE(0) "<bin>;");
    fake_advance(1000);
    assert_string_equal(take_notes(), "");
}

static void end_all(const struct zn_answers *answers, void *user)
{
    on_answers(answers, user);
    for (unsigned i = 0; i < CLIENTS; i++)
        zn_disconnect(sock(i), false);
}

static void broadcast_ack_may_end_who_answered(void **state)
{
    (void)state;
    struct zn_target target = { .ns = ns };
    struct zn_message message = { .event = "q" };
    assert_int_equal(zn_broadcast_ack(&target, &message, end_all, NULL), 0);
    fake_turn();
    for (unsigned i = 0; i < CLIENTS; i++)
        fake_text(clients[i], "30[1]");
    assert_string_equal(take_notes(), "0 6/6:1;1;1;1;1;1;");
    assert_int_equal(fake.server.reactors[0].counters.sockets_now, 0);
}

static void broadcast_ack_times_out(void **state)
{
    (void)state;
    ask_room(NULL, 100);
    fake_text(clients[1], "30[1]");
    fake_close(clients[0], "transport close");
    clients[0] = fake_connect(0, "0");
    fake_turn();
    fake_advance(99);
    assert_string_equal(take_notes(), "");
    fake_advance(1);
    assert_string_equal(take_notes(), "-110 1/6:1;");
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_null(sock(i)->acks); // all is freed
    fake_text(clients[2], "30[1]");
    assert_string_equal(take_notes(), "");
}

static void broadcast_ack_without_receivers_is_done(void **state)
{
    (void)state;
    ask_room("nobody", 100);
    assert_string_equal(take_notes(), "");
    fake_turn();
    assert_string_equal(take_notes(), "0 0/0:");
}

static void broadcast_ack_without_deadline_ends_with_its_sockets(void **state)
{
    (void)state;
    zn_join(sock(0), "a");
    zn_join(sock(1), "a");
    ask_room("a", 0);
    fake_turn();
    fake_text(clients[0], "30[1]");
    fake_advance(1000000);
    fake_text(clients[1], "1");
    assert_string_equal(take_notes(), "-110 1/2:1;");
    ask_room("a", 0); // never answered: freed with the shard
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(broadcast_reaches_its_target),
        CASE(broadcast_reaches_own_rooms),
        CASE(broadcast_is_one_packet),
        CASE(room_is_forgotten_when_empty),
        CASE(rooms_keep_their_order),
        CASE(rooms_survive_many_changes),
        CASE(stamps_survive_their_end),
        CASE(listener_may_end_receivers),
        CASE(disconnecting_may_end_others),
        CASE(sockets_join_and_leave_together),
        CASE(sockets_disconnect_together),
        CASE(fetch_describes_sockets),
        CASE(all_rooms_lists_each_once),
        CASE(broadcast_ack_collects_answers),
        CASE(broadcast_ack_may_end_who_answered),
        CASE(broadcast_ack_times_out),
        CASE(broadcast_ack_without_receivers_is_done),
        CASE(broadcast_ack_without_deadline_ends_with_its_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
