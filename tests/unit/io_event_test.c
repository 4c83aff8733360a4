// SPDX-License-Identifier: Apache-2.0
// Events and acknowledgements between a client and the server, with and without attachments.
#include "io_fake.h"

#include "socketio/attachments.h"
#include "socketio/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct zn_namespace *ns;

static void note_args(const struct zn_args *args)
{
    note("[%.*s]", (int)args->json_len, args->json);
    for (unsigned i = 0; i < args->bin_len; i++)
        note("<%.*s>", (int)args->bin[i].len, (const char *)args->bin[i].p);
}

static void on_event(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)socket;
    assert_int_equal(strlen(event->name), event->name_len);
    note("%s:%s", (const char *)user, event->name);
    note_args(&event->args);
    if (event->has_ack)
        note("#%d", (int)event->ack_id);
    note("|");
}

static void on_end(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)event;
    (void)user;
    zn_disconnect(socket, false);
    zn_disconnect(socket, false); // twice does no harm
    assert_int_equal(zn_emit(socket, "late", NULL), -ENOTCONN);
    assert_int_equal(zn_join(socket, "late"), -ENOTCONN);
    assert_string_equal(zn_socket_data(socket), "{}"); // still readable
}

static void on_reply(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)user;
    zn_ack(socket, event->ack_id, &event->args);
}

static void on_ack(struct zn_socket *socket, int err, const struct zn_args *args, void *user)
{
    note("ack %s %d", (const char *)user, err);
    note_args(args);
    note("|");
    if (err == -ECONNRESET)
        assert_int_equal(zn_emit(socket, "late", NULL), -ENOTCONN);
}

static int setup(void **state)
{
    (void)state;
    struct zn_io_options options = { .engine.max_payload = 100 };
    fake_start(1, &options);
    ns = zn_of(&fake.server, "/");
    zn_on(ns, "msg", on_event, "on");
    zn_on(ns, "msg", on_event, "too");
    zn_on(ns, "a\nb", on_event, "esc");
    zn_on(ns, "12", on_event, "num");
    zn_on(ns, "error", on_event, "err");
    zn_on(ns, "end", on_end, NULL);
    zn_on(ns, "reply", on_reply, NULL);
    take_notes();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_stop();
    return 0;
}

static void event_reaches_its_handlers_in_order(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "2[\"msg\",1,{\"a\":[\"b\"]}]");
    assert_string_equal(take_notes(), "on:msg[1,{\"a\":[\"b\"]}]|too:msg[1,{\"a\":[\"b\"]}]|");
    fake_text(session, "27[\"msg\"]");
    assert_string_equal(take_notes(), "on:msg[]#7|too:msg[]#7|");
    fake_text(session, "2[ \"msg\" , 1 ]");
    assert_string_equal(take_notes(), "on:msg[1]|too:msg[1]|");
    fake_text(session, "2[\"unknown\",1]");
    fake_text(session, "2[\"error\"]");
    assert_string_equal(take_notes(), "err:error[]|");
}

static void event_name_is_unescaped(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "2[\"a\\u000ab\",\"a\\nb\"]");
    assert_string_equal(take_notes(), "esc:a\nb[\"a\\nb\"]|");
    fake_text(session, "2[12,0]");
    assert_string_equal(take_notes(), "num:12[0]|");
    char text[1000] = "2[\"\\n";
    memset(text + 5, 'x', 900);
    strcpy(text + 905, "\"]");
    zn_on_any(ns, on_event, "any");
    fake_text(session, text);
    assert_int_equal(strlen(take_notes()), strlen("any:[]|") + 901);
}

static void any_handlers_come_first(void **state)
{
    (void)state;
    zn_on_any(ns, on_event, "any");
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "2[\"12\"]");
    assert_string_equal(take_notes(), "any:12[]|num:12[]|");
    zn_on_any(ns, on_end, NULL);
    fake_text(session, "2[\"12\"]");
    assert_string_equal(take_notes(), "any:12[]|");
}

static void handler_may_end_its_socket(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    zn_on(ns, "end", on_event, "after");
    fake_text(session, "2[\"end\"]");
    assert_string_equal(fake_sent(session), "1|");
    assert_string_equal(take_notes(), "after:end[]|");
    fake_text(session, "2[\"msg\"]"); // no socket any more
    assert_non_null(session->closing);
}

static void emit_is_written_as_the_reference_does(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    struct zn_socket *socket = fake_socket(session);
    assert_int_equal(zn_emit(socket, "hi", &ZN_JSON("1,\"a\",{\"b\":2}")), 0);
    assert_int_equal(zn_emit(socket, "a\"b\n", NULL), 0);
    struct zn_data bin[] = { { "\1\2", 2 }, { "\3", 1 } };
    struct zn_args args = ZN_JSON(PLACE(0) ",[" PLACE(1) "]");
    args.bin = bin;
    args.bin_len = 2;
    assert_int_equal(zn_emit(socket, "bin", &args), 0);
    assert_string_equal(fake_sent(session), "2[\"hi\",1,\"a\",{\"b\":2}]|2[\"a\\\"b\\n\"]|"
                                            "52-[\"bin\"," PLACE(0) ","
                                                                    "[" PLACE(1) "]]|<0102><03>");
    char name[500];
    memset(name, '\1', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(zn_emit(socket, name, NULL), 0);
    assert_int_equal(strlen(fake_sent(session)), 2 + 1 + 6 * 499 + 1 + 1 + 1);
    fake_text(session, "0");
}

static void emit_refuses_what_is_no_event(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    struct zn_socket *socket = fake_socket(session);
    static const char *const bad[] = { "1,", ",1",      "{",  "1 2",     "tru",
                                       "]",  "\"\\x\"", "1]", "\"\xff\"" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(zn_emit(socket, "x", &ZN_JSON(bad[i])), -EINVAL);
    assert_int_equal(zn_emit(socket, "disconnect", NULL), -EINVAL);
    assert_int_equal(zn_emit(socket, "newListener", NULL), -EINVAL);
    assert_int_equal(zn_emit(socket, "\xc0", NULL), -EINVAL);
    assert_int_equal(zn_emit(socket, NULL, NULL), -EINVAL);
    struct zn_data bin = { "x", 1 };
    struct zn_args args = ZN_JSON(PLACE(1));
    args.bin = &bin;
    args.bin_len = 1;
    assert_int_equal(zn_emit(socket, "x", &args), -EINVAL);
    args.bin_len = 11;
    assert_int_equal(zn_emit(socket, "x", &args), -EINVAL);
    assert_string_equal(fake_sent(session), "");
}

static void emit_volatile_is_dropped_when_blocked(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    struct zn_message message = { .event = "v", .flags = ZN_VOLATILE };
    session->blocked = true;
    assert_int_equal(zn_emit_message(fake_socket(session), &message), 0);
    message.flags = 0;
    assert_int_equal(zn_emit_message(fake_socket(session), &message), 0);
    assert_string_equal(fake_sent(session), "2[\"v\"]|");
    session->full = true;
    assert_int_equal(zn_emit_message(fake_socket(session), &message), -ENOBUFS);
    message.ack = on_ack;
    message.user = "x";
    assert_int_equal(zn_emit_message(fake_socket(session), &message), -ENOBUFS);
    fake_close(session, "transport close");
    assert_string_equal(take_notes(), ""); // what failed at once is not called back
}

static void outgoing_listener_sees_events(void **state)
{
    (void)state;
    zn_on_any_outgoing(ns, on_event, "out");
    struct zn_session *session = fake_connect(0, "0");
    zn_emit(fake_socket(session), "a", &ZN_JSON("1"));
    zn_to(ns, NULL, "b", &ZN_JSON("2"));
    zn_to(ns, "nobody", "c", NULL);
    fake_text(session, "21[\"reply\",3]"); // acknowledgements are not shown
    assert_string_equal(take_notes(), "out:a[1]|out:b[2]|");
    assert_string_equal(fake_sent(session), "2[\"a\",1]|2[\"b\",2]|31[3]|");
}

// --- Acknowledgements

static void ack_is_sent_to_the_client(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "25[\"reply\",1,\"x\"]");
    fake_text(session, "20[\"reply\"]");
    fake_text(session, "51-6[\"reply\"," PLACE(0) "]");
    fake_binary(session, "AB", 2);
    assert_string_equal(fake_sent(session), "35[1,\"x\"]|30[]|61-6[" PLACE(0) "]|<4142>");
    assert_int_equal(zn_ack(fake_socket(session), 1, &ZN_JSON("{")), -EINVAL);
}

static void expect(struct zn_session *session, const char *user, uint32_t timeout_ms)
{
    struct zn_message message = {
        .event = "q", .ack = on_ack, .timeout_ms = timeout_ms, .user = (void *)user
    };
    assert_int_equal(zn_emit_message(fake_socket(session), &message), 0);
}

static void ack_comes_back_once(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    expect(session, "a", 0);
    expect(session, "b", 0);
    expect(session, "c", 0);
    assert_string_equal(fake_sent(session), "20[\"q\"]|21[\"q\"]|22[\"q\"]|");
    fake_text(session, "31[\"one\",2]");
    fake_text(session, "31[\"again\"]");
    fake_text(session, "399[]");
    fake_text(session, "3[]");
    fake_text(session, "61-0[" PLACE(0) "]");
    fake_binary(session, "zz", 2);
    assert_string_equal(take_notes(), "ack b 0[\"one\",2]|ack a 0[" PLACE(0) "]<zz>|");
    assert_null(session->closing);
    fake_text(session, "1");
    assert_string_equal(take_notes(), "ack c -104[]|");
}

static void ack_times_out(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    expect(session, "a", 100);
    expect(session, "b", 200);
    fake_advance(99);
    assert_string_equal(take_notes(), "");
    fake_advance(1);
    assert_string_equal(take_notes(), "ack a -110[]|");
    fake_text(session, "30[]"); // too late
    fake_text(session, "31[]");
    assert_string_equal(take_notes(), "ack b 0[]|");
    fake_advance(1000);
    assert_string_equal(take_notes(), "");
    expect(session, "c", 100);
    fake_close(session, "transport close");
    fake_advance(1000);
    assert_string_equal(take_notes(), "ack c -104[]|");
}

static void acks_are_bounded(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    struct zn_message message = { .event = "q", .ack = on_ack, .user = "x" };
    int err = 0;
    unsigned count = 0;
    while ((err = zn_emit_message(fake_socket(session), &message)) == 0) {
        fake_sent(session);
        count++;
    }
    assert_int_equal(err, -ENOBUFS);
    assert_int_equal(count, 65536);
    fake_text(session, "365535[]");
    fake_text(session, "30[]");
    assert_string_equal(take_notes(), "ack x 0[]|ack x 0[]|");
}

// --- Attachments

static void attachments_are_put_together(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "52-3[\"msg\"," PLACE(1) "," PLACE(0) "]");
    fake_binary(session, "first", 5);
    assert_string_equal(take_notes(), "");
    fake_binary(session, "", 0);
    assert_non_null(strstr(take_notes(), "<first><>#3|"));
    fake_text(session, "2[\"12\"]");
    assert_string_equal(take_notes(), "num:12[]|");
}

static void attachments_out_of_place_close(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_binary(session, "x", 1);
    assert_string_equal(session->closing, "forced close");
    session = fake_connect(0, "0");
    fake_text(session, "51-[\"msg\"," PLACE(0) "]");
    fake_text(session, "2[\"msg\"]");
    assert_string_equal(session->closing, "forced close");
    session = fake_open(0); // not connected yet
    fake_text(session, "51-[\"msg\"," PLACE(0) "]");
    assert_string_equal(session->closing, "forced close");
}

static void attachments_too_large_close(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    char bytes[100] = { 0 };
    fake_text(session, "52-[\"msg\"," PLACE(0) "]"); // 40 bytes of 100
    fake_binary(session, bytes, 50);
    assert_null(session->closing);
    fake_binary(session, bytes, 11);
    assert_non_null(session->closing);
    fake_turn(); // freed with the session
}

static void attachments_never_sent_close(void **state)
{
    (void)state;
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "52-[\"msg\"," PLACE(0) "]");
    fake_advance(29000);
    fake_binary(session, "x", 1);
    fake_binary(session, "y", 1);
    fake_advance(29000); // complete: no limit any more
    assert_null(session->closing);
    fake_text(session, "51-[\"msg\"," PLACE(0) "]");
    fake_advance(30000);
    assert_non_null(session->closing);
}

// --- Back-pressure

static void on_drain(struct zn_socket *socket, void *user)
{
    (void)user;
    note("drain|");
    zn_disconnect(socket, false);
}

static void on_dropped(struct zn_socket *socket, size_t count, void *user)
{
    (void)socket;
    (void)user;
    note("dropped %zu|", count);
}

static void pressure_is_told(void **state)
{
    (void)state;
    zn_on_drain(ns, on_drain, NULL);
    zn_on_dropped(ns, on_dropped, NULL);
    zn_on_dropped(zn_of(&fake.server, "/x"), on_dropped, NULL);
    struct zn_session *session = fake_connect(0, "0");
    fake_text(session, "0/x,");
    fake.engine.ops->dropped(session, 3);
    fake.engine.ops->drain(session);
    assert_string_equal(take_notes(), "dropped 3|dropped 3|drain|");
}

static void idle_socket_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct zn_socket) <= 104);
    assert_true(sizeof(struct zn_client) <= 48);
}

static void data_is_json(void **state)
{
    (void)state;
    struct zn_socket *socket = fake_socket(fake_connect(0, "0"));
    assert_int_equal(zn_socket_set_data(socket, "{\"a\":1}"), 0);
    assert_int_equal(zn_socket_set_data(socket, "{\"a\":"), -EINVAL);
    assert_string_equal(zn_socket_data(socket), "{\"a\":1}");
    zn_socket_set_user(socket, &fake);
    assert_ptr_equal(zn_socket_user(socket), &fake);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(event_reaches_its_handlers_in_order),
        CASE(event_name_is_unescaped),
        CASE(any_handlers_come_first),
        CASE(handler_may_end_its_socket),
        CASE(emit_is_written_as_the_reference_does),
        CASE(emit_refuses_what_is_no_event),
        CASE(emit_volatile_is_dropped_when_blocked),
        CASE(outgoing_listener_sees_events),
        CASE(ack_is_sent_to_the_client),
        CASE(ack_comes_back_once),
        CASE(ack_times_out),
        CASE(acks_are_bounded),
        CASE(attachments_are_put_together),
        CASE(attachments_out_of_place_close),
        CASE(attachments_too_large_close),
        CASE(attachments_never_sent_close),
        CASE(pressure_is_told),
        CASE(idle_socket_is_small),
        CASE(data_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
