// SPDX-License-Identifier: Apache-2.0
// The application's side of a plain WebSocket endpoint on the mem datapath: what its handlers are
// shown, and what zn_ws_*() puts on the wire.
#include "mem_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

// What the handlers of /app saw.
static struct seen {
    struct zn_ws *ws;
    unsigned opened, pings, pongs, drains, drops, closes;
    size_t dropped[8];
    bool terminates; // once messages are dropped
    char url[64], headers[512], text[128], reason[128];
    uint16_t code;
    void *user;
} seen;

static struct mem_server mem;

static void copy(char *to, size_t cap, const void *p, size_t len)
{
    assert_true(len < cap);
    memcpy(to, p, len);
    to[len] = '\0';
}

static void on_open(struct zn_ws *ws, const struct zn_handshake *handshake, void *user)
{
    assert_ptr_equal(user, &seen);
    seen.ws = ws;
    seen.opened++;
    snprintf(seen.url, sizeof(seen.url), "%s|%s", handshake->url, handshake->query);
    snprintf(seen.headers, sizeof(seen.headers), "%s", handshake->headers);
    zn_ws_set_user(ws, &seen.text);
}

static void on_message(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    (void)user;
    (void)binary;
    seen.user = zn_ws_user(ws);
    copy(seen.text, sizeof(seen.text), data, len);
}

static void on_ping(struct zn_ws *ws, const void *data, size_t len, void *user)
{
    (void)ws;
    (void)user;
    seen.pings++;
    copy(seen.text, sizeof(seen.text), data, len);
}

static void on_pong(struct zn_ws *ws, const void *data, size_t len, void *user)
{
    (void)ws;
    (void)user;
    seen.pongs++;
    copy(seen.text, sizeof(seen.text), data, len);
}

static void on_drain(struct zn_ws *ws, void *user)
{
    (void)user;
    assert_int_equal(zn_ws_buffered(ws), 0);
    seen.drains++;
}

static void on_dropped(struct zn_ws *ws, size_t count, void *user)
{
    (void)user;
    assert_ptr_equal(ws, seen.ws);
    seen.dropped[seen.drops++] = count;
    if (seen.terminates)
        zn_ws_terminate(ws);
}

static void on_close(struct zn_ws *ws, uint16_t code, const char *reason, size_t reason_len,
                     void *user)
{
    (void)user;
    assert_ptr_equal(ws, seen.ws);
    seen.closes++;
    seen.code = code;
    copy(seen.reason, sizeof(seen.reason), reason, reason_len);
}

static const struct zn_ws_handlers handlers = {
    on_open, on_message, on_ping, on_pong, on_drain, on_dropped, on_close,
};

static void start_with(const struct zn_ws_options *options,
                       const struct zn_server_options *server_options)
{
    seen = (struct seen){ 0 };
    mem_server_start(&mem, server_options);
    assert_non_null(zn_ws_attach(mem.server, "/app", options, &handlers, &seen));
}

static void start(const struct zn_ws_options *options, size_t buffer_max)
{
    start_with(options, &(struct zn_server_options){ .buffer_max = buffer_max });
}

static void stop(struct zn_mem_peer *peer)
{
    struct zn_stats stats;
    zn_dp_mem_free(peer);
    mem_server_wait(&mem, 1);
    zn_server_stats(mem.server, &stats);
    assert_int_equal(stats.connections_now, 0);
    assert_int_equal(stats.websockets_now, 0);
    assert_int_equal(seen.closes, seen.opened);
    mem_server_stop(&mem);
}

// A client that sends `headers` besides the usual ones; its answer is at *answer_out.
static struct zn_mem_peer *ask(const char *headers, const char **answer_out)
{
    char request[1024];
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    size_t len = mem_upgrade_write(request, sizeof(request), "/app?a=1") - 2;
    int n = snprintf(request + len, sizeof(request) - len, "%s\r\n", headers);
    mem_server_say(&mem, peer, request, len + (size_t)n);
    *answer_out = mem_server_hear(peer, NULL);
    return peer;
}

static struct zn_mem_peer *join(void)
{
    const char *answer;
    struct zn_mem_peer *peer = ask("", &answer);
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    zn__reactor_enter(mem.reactor);
    return peer;
}

static void say_frame(struct zn_mem_peer *peer, unsigned first, const char *p, size_t len)
{
    uint8_t frame[256];
    mem_server_say(&mem, peer, frame, mem_frame_write(frame, first, p, len));
}

static void expect(struct zn_mem_peer *peer, const char *bytes, size_t len)
{
    size_t got_len;
    mem_server_settle(&mem);
    const char *got = mem_server_hear(peer, &got_len);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, bytes, len);
}

static void open_shows_the_handshake(void **state)
{
    const char *answer;
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = ask("X-Who: \"Ada\"\r\nOrigin: http://o\r\n", &answer);
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    assert_string_equal(seen.url, "/app?a=1|a=1");
    assert_non_null(strstr(seen.headers, "\"x-who\":\"\\\"Ada\\\"\""));
    assert_non_null(strstr(seen.headers, "\"origin\":\"http://o\""));
    assert_string_equal(zn_ws_protocol(seen.ws), "");
    say_frame(peer, 0x81, "hi", 2);
    assert_string_equal(seen.text, "hi");
    assert_ptr_equal(seen.user, &seen.text);
    stop(peer);
}

static void subprotocol_is_the_first_of_the_clients_that_is_spoken(void **state)
{
    static const char *const spoken[] = { "superchat", "chat" };
    static const struct zn_ws_options options = { .protocols = spoken, .protocols_len = 2 };
    const char *answer;
    (void)state;
    start(&options, 0);
    struct zn_mem_peer *peer =
        ask("Sec-WebSocket-Protocol: mqtt, chat\r\nSec-WebSocket-Protocol: superchat\r\n", &answer);
    assert_non_null(strstr(answer, "\r\nSec-WebSocket-Protocol: chat\r\n"));
    assert_string_equal(zn_ws_protocol(seen.ws), "chat");
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    peer = ask("Sec-WebSocket-Protocol: mqtt\r\n", &answer);
    assert_null(strstr(answer, "Sec-WebSocket-Protocol"));
    assert_string_equal(zn_ws_protocol(seen.ws), "");
    stop(peer);
}

static void origin_not_listed_is_refused_with_403(void **state)
{
    static const char *const listed[] = { "https://a.example", "https://*.b.example" };
    static const struct zn_ws_options options = {
        .cors = { .origins = listed, .origins_len = 2, .check_upgrades = true }
    };
    static const struct {
        const char *header, *status;
    } cases[] = {
        { "", "101" }, // no browser
        { "Origin: https://a.example\r\n", "101" },
        { "Origin: https://x.b.example\r\n", "101" },
        { "Origin: https://b.example\r\n", "403" },
        { "Origin: http://a.example\r\n", "403" },
        { "Origin: https://a.example.evil\r\n", "403" },
        { "Origin: null\r\n", "403" },
    };
    const char *answer;
    (void)state;
    start(&options, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zn_mem_peer *peer = ask(cases[i].header, &answer);
        assert_memory_equal(answer + 9, cases[i].status, 3);
        zn_dp_mem_free(peer);
        mem_server_settle(&mem);
    }
    assert_int_equal(seen.opened, 3);
    stop(mem_server_connect(&mem));
}

static void ping_and_pong_go_both_ways(void **state)
{
    char long_payload[126] = { 0 };
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = join();
    assert_int_equal(zn_ws_ping(seen.ws, "are you", 7), 0);
    assert_int_equal(zn_ws_pong(seen.ws, "here", 4), 0);
    assert_int_equal(zn_ws_ping(seen.ws, long_payload, 126), -EMSGSIZE);
    assert_int_equal(zn_ws_pong(seen.ws, long_payload, 126), -EMSGSIZE);
    expect(peer,
           "\x89\x07"
           "are you\x8a\x04here",
           15);
    say_frame(peer, 0x8a, "are you", 7);
    assert_int_equal(seen.pongs, 1);
    assert_string_equal(seen.text, "are you");
    say_frame(peer, 0x89, "and you", 7);
    assert_int_equal(seen.pings, 1);
    assert_string_equal(seen.text, "and you");
    expect(peer,
           "\x8a\x07"
           "and you",
           9);
    stop(peer);
}

static void close_says_code_and_reason_and_waits_for_the_answer(void **state)
{
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = join();
    assert_int_equal(zn_ws_close(seen.ws, 1005, NULL), -EINVAL);
    assert_int_equal(zn_ws_close(seen.ws, 999, NULL), -EINVAL);
    assert_int_equal(zn_ws_send(seen.ws, "last", 4, 0), 0);
    assert_int_equal(zn_ws_close(seen.ws, 4001, "bye"), 0);
    assert_int_equal(zn_ws_send(seen.ws, "late", 4, 0), -ENOTCONN);
    expect(peer,
           "\x81\x04last\x88\x05\x0f\xa1"
           "bye",
           13);
    assert_int_equal(seen.closes, 0);
    say_frame(peer, 0x88, "\x0f\xa1", 2);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 4001);
    stop(peer);
}

static void close_never_answered_ends_in_a_second(void **state)
{
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = join();
    assert_int_equal(zn_ws_close(seen.ws, 1001, NULL), 0);
    mem_server_wait(&mem, 900);
    assert_int_equal(seen.closes, 0);
    mem_server_wait(&mem, 200);
    assert_int_equal(seen.closes, 1);
    stop(peer);
}

static void close_of_the_client_shows_code_and_reason(void **state)
{
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = join();
    say_frame(peer, 0x88, "\x0f\xa2so long", 9);
    expect(peer, "\x88\x02\x0f\xa2", 4);
    assert_int_equal(seen.code, 4002);
    assert_string_equal(seen.reason, "so long");
    stop(peer);
}

static void terminate_ends_without_a_close_frame(void **state)
{
    (void)state;
    start(NULL, 0);
    struct zn_mem_peer *peer = join();
    zn_ws_terminate(seen.ws);
    expect(peer, "", 0);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1006);
    stop(peer);
}

static void ping_of_the_endpoint_unanswered_ends_the_connection(void **state)
{
    static const struct zn_ws_options options = { .ping_interval_ms = 100, .ping_timeout_ms = 50 };
    (void)state;
    start(&options, 0);
    struct zn_mem_peer *peer = join();
    for (int i = 0; i < 5; i++) {
        mem_server_wait(&mem, 101);
        expect(peer, "\x89\x00", 2);
        say_frame(peer, 0x8a, "", 0);
    }
    assert_int_equal(seen.closes, 0);
    mem_server_wait(&mem, 160);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1006);
    stop(peer);
}

static void output_is_counted_and_its_end_told(void **state)
{
    static char text[3000];
    (void)state;
    start(NULL, 5000);
    struct zn_mem_peer *peer = join();
    zn_dp_mem_window(peer, 100);
    assert_int_equal(zn_ws_send(seen.ws, text, 3000, ZN_BINARY), 0);
    mem_server_settle(&mem);
    assert_int_equal(zn_ws_send(seen.ws, text, 1000, ZN_BINARY), 0);
    assert_true(zn_ws_buffered(seen.ws) > 3000);
    assert_int_equal(zn_ws_send(seen.ws, text, 1, ZN_BINARY | ZN_VOLATILE), -EAGAIN);
    assert_int_equal(seen.drains, 0);
    zn_dp_mem_window(peer, 1 << 20);
    mem_server_hear(peer, NULL);
    mem_server_settle(&mem);
    mem_server_hear(peer, NULL);
    mem_server_settle(&mem);
    assert_int_equal(zn_ws_buffered(seen.ws), 0);
    assert_int_equal(seen.drains, 1);
    stop(peer);
}

static void messages_dropped_are_told_once_a_turn(void **state)
{
    static char text[1000];
    struct zn_server_options options = { .buffer_max = 5000, .overflow = ZN_OVERFLOW_DROP_OLDEST };
    (void)state;
    start_with(NULL, &options);
    struct zn_mem_peer *peer = join();
    zn_dp_mem_window(peer, 100);
    assert_int_equal(zn_ws_send(seen.ws, text, 1000, ZN_BINARY), 0);
    mem_server_settle(&mem);    // begun, and never dropped
    for (int i = 0; i < 7; i++) // the sixth and the seventh find 5924 bytes
        assert_int_equal(zn_ws_send(seen.ws, text, 1000, ZN_BINARY), 0);
    assert_int_equal(seen.drops, 0); // not from inside zn_ws_send()
    mem_server_settle(&mem);
    assert_int_equal(seen.drops, 1);
    assert_int_equal(seen.dropped[0], 2);
    mem_server_settle(&mem);
    assert_int_equal(seen.drops, 1);
    seen.terminates = true;
    assert_int_equal(zn_ws_send(seen.ws, text, 1000, ZN_BINARY), 0);
    mem_server_settle(&mem);
    assert_int_equal(seen.drops, 2);
    assert_int_equal(seen.dropped[1], 1);
    assert_int_equal(seen.closes, 1);
    stop(peer);
}

static void message_refused_counts_as_dropped(void **state)
{
    static char text[6000];
    struct zn_server_options options = { .buffer_max = 5000, .overflow = ZN_OVERFLOW_DROP_NEWEST };
    (void)state;
    start_with(NULL, &options);
    struct zn_mem_peer *peer = join();
    zn_dp_mem_window(peer, 100);
    assert_int_equal(zn_ws_send(seen.ws, text, 6000, ZN_BINARY), 0);
    assert_int_equal(zn_ws_send(seen.ws, text, 1, ZN_BINARY), -ENOBUFS);
    assert_int_equal(zn_ws_send(seen.ws, text, 1, ZN_BINARY), -ENOBUFS);
    mem_server_settle(&mem);
    assert_int_equal(seen.drops, 1);
    assert_int_equal(seen.dropped[0], 2);
    stop(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_shows_the_handshake),
        cmocka_unit_test(subprotocol_is_the_first_of_the_clients_that_is_spoken),
        cmocka_unit_test(origin_not_listed_is_refused_with_403),
        cmocka_unit_test(ping_and_pong_go_both_ways),
        cmocka_unit_test(close_says_code_and_reason_and_waits_for_the_answer),
        cmocka_unit_test(close_never_answered_ends_in_a_second),
        cmocka_unit_test(close_of_the_client_shows_code_and_reason),
        cmocka_unit_test(terminate_ends_without_a_close_frame),
        cmocka_unit_test(ping_of_the_endpoint_unanswered_ends_the_connection),
        cmocka_unit_test(output_is_counted_and_its_end_told),
        cmocka_unit_test(messages_dropped_are_told_once_a_turn),
        cmocka_unit_test(message_refused_counts_as_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
