// SPDX-License-Identifier: Apache-2.0
// The whole server on the mem datapath: conversations in every split, timers at the very
// millisecond, and connections abandoned at every byte.
#include "server_talk.h"

#include "core/conn.h"
#include "core/engine.h"
#include "core/zpool.h"

#include <stdlib.h>

// --- Conversations in every split

static void websocket_echo_same_in_every_split(void **state)
{
    struct mem_server mem;
    uint8_t input[2048];
    char request[512];
    (void)state;
    size_t len = mem_upgrade_write(request, sizeof(request), "/ws");
    memcpy(input, request, len);
    len += mem_frame_write(input + len, 0x81, "hello", 5);
    len += mem_frame_write(input + len, 0x01, "fr\xc3", 3);
    len += mem_frame_write(input + len, 0x89, "ping", 4);
    len += mem_frame_write(input + len, 0x80, "\xa4g", 2);
    len += mem_frame_write(input + len, 0x82, "", 0);
    len += mem_frame_write(input + len, 0x88, "\x03\xe8", 2);
    static const char want[] = "\x81\x05hello\x8a\x04ping\x81\x05"
                               "fr\xc3\xa4g\x82\x00\x88\x02\x03\xe8";
    mem_server_start(&mem, NULL);
    for (size_t split = 0; split <= len; split++) {
        struct zn_mem_peer *peer = mem_server_connect(&mem);
        mem_server_say(&mem, peer, input, split);
        mem_server_say(&mem, peer, input + split, len - split);
        size_t got_len;
        const char *got = mem_server_hear(peer, &got_len);
        const char *frames = strstr(got, "\r\n\r\n");
        assert_non_null(frames);
        frames += 4;
        assert_int_equal(got + got_len - frames, sizeof(want) - 1);
        assert_memory_equal(frames, want, sizeof(want) - 1);
        zn_dp_mem_free(peer);
        mem_server_settle(&mem);
    }
    for (size_t chunk = 1; chunk < 20; chunk++) {
        struct zn_mem_peer *peer = mem_server_connect(&mem);
        zn_dp_mem_chunk(peer, chunk);
        mem_server_say(&mem, peer, input, len);
        assert_non_null(strstr(mem_server_hear(peer, NULL), "\r\n\r\n\x81\x05hello"));
        zn_dp_mem_free(peer);
        mem_server_settle(&mem);
    }
    check_empty(&mem);
    mem_server_stop(&mem);
}

static void polling_pipeline_same_in_every_split(void **state)
{
    struct mem_server mem;
    char input[1024];
    (void)state;
    mem_server_start(&mem, NULL);
    size_t len = 1;
    for (size_t split = 0; split <= len; split++) {
        char sid[21];
        struct zn_mem_peer *poll = poll_open(&mem, sid);
        len = (size_t)snprintf(input, sizeof(input),
                               "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
                               "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "4\r\n4abc\r\n6\r\n\x1e"
                               "4defg\r\n0\r\n\r\n"
                               "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
                               "Host: a\r\n\r\n",
                               sid, sid);
        struct zn_mem_peer *peer = mem_server_connect(&mem);
        mem_server_say(&mem, peer, input, split);
        mem_server_say(&mem, peer, input + split, len - split);
        const char *got = mem_server_hear(peer, NULL);
        assert_non_null(strstr(got, "\r\n\r\nokHTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(got, "\r\n\r\n4abc\x1e"
                                    "4defg"));
        zn_dp_mem_free(peer);
        zn_dp_mem_free(poll);
        mem_server_wait(&mem, 600);
    }
    check_empty(&mem);
    mem_server_stop(&mem);
}

// --- Timers

static void heartbeat_unanswered_ends_at_the_millisecond(void **state)
{
    struct mem_server mem;
    (void)state;
    mem_server_start(&mem, NULL);
    struct zn_mem_peer *peer = ws_open(&mem, "/engine.io/?EIO=4&transport=websocket");
    mem_server_hear(peer, NULL);
    mem_server_wait(&mem, 299);
    size_t len;
    mem_server_hear(peer, &len);
    assert_int_equal(len, 0);
    mem_server_wait(&mem, 1);
    assert_memory_equal(mem_server_hear(peer, NULL),
                        "\x81\x01"
                        "2",
                        3);
    mem_server_wait(&mem, 199);
    assert_int_equal(mem.closed, 0);
    mem_server_wait(&mem, 1);
    assert_int_equal(mem.closed, 1);
    mem_server_wait(&mem, 1001); // the close handshake's own limit
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    check_empty(&mem);
    mem_server_stop(&mem);
}

static void heartbeat_answered_goes_on(void **state)
{
    struct mem_server mem;
    (void)state;
    mem_server_start(&mem, NULL);
    struct zn_mem_peer *peer = ws_open(&mem, "/engine.io/?EIO=4&transport=websocket");
    for (int i = 0; i < 10; i++) {
        mem_server_wait(&mem, 300 + 150);
        say_frame(&mem, peer, 0x81, "3");
    }
    assert_int_equal(mem.closed, 0);
    zn_dp_mem_free(peer);
    mem_server_settle(&mem);
    check_empty(&mem);
    mem_server_stop(&mem);
}

static void head_never_finished_is_answered_408(void **state)
{
    struct mem_server mem;
    struct zn_server_options options = { .header_timeout_ms = 700 };
    (void)state;
    mem_server_start(&mem, &options);
    struct zn_mem_peer *silent = mem_server_connect(&mem);
    struct zn_mem_peer *slow = mem_server_connect(&mem);
    for (int i = 0; i < 69; i++) { // a byte every now and then does not help
        say(&mem, slow, i == 0 ? "G" : i == 1 ? "E" : i == 2 ? "T" : i == 3 ? " " : "/");
        mem_server_wait(&mem, 10);
    }
    assert_non_null(mem.reactor->conns);
    mem_server_wait(&mem, 20);
    assert_memory_equal(mem_server_hear(slow, NULL), "HTTP/1.1 408 ", 13);
    mem_server_wait(&mem, 1100);
    check_empty(&mem);
    zn_dp_mem_free(silent);
    zn_dp_mem_free(slow);
    mem_server_stop(&mem);
}

static void message_never_finished_ends_the_connection(void **state)
{
    struct mem_server mem;
    struct zn_server_options options = { .message_timeout_ms = 500 };
    (void)state;
    mem_server_start(&mem, &options);
    struct zn_mem_peer *peer = ws_open(&mem, "/ws");
    mem_server_hear(peer, NULL);
    say_frame(&mem, peer, 0x01, "begun");
    mem_server_wait(&mem, 499);
    assert_int_equal(mem_server_hear(peer, NULL)[0], 0);
    mem_server_wait(&mem, 1);
    assert_memory_equal(mem_server_hear(peer, NULL), "\x88\x02\x03\xf0", 4); // 1008
    mem_server_wait(&mem, 1100);
    check_empty(&mem);
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

static void upgrade_never_completed_holds_nothing(void **state)
{
    struct mem_server mem;
    char sid[21], target[128];
    (void)state;
    mem_server_start(&mem, NULL);
    struct zn_mem_peer *poll = poll_open(&mem, sid);
    snprintf(target, sizeof(target), "/engine.io/?EIO=4&transport=websocket&sid=%s", sid);
    struct zn_mem_peer *probe = ws_open(&mem, target);
    say_frame(&mem, probe, 0x81, "2probe");
    assert_non_null(strstr(mem_server_hear(probe, NULL), "\x81\x06"
                                                         "3probe"));
    zn_dp_mem_free(poll);
    mem_server_wait(&mem, 600); // the session is gone, and the probe with it
    assert_int_equal(mem.closed, 1);
    mem_server_wait(&mem, 1100);
    check_empty(&mem);
    zn_dp_mem_free(probe);
    mem_server_stop(&mem);
}

// --- Abandoned at every byte

struct conversation {
    const char *name;
    size_t len;
    uint8_t bytes[2048];
};

static void abandon_everywhere(struct mem_server *mem, const struct conversation *talk, bool reset)
{
    for (size_t cut = 0; cut <= talk->len; cut++) {
        struct zn_mem_peer *peer = mem_server_connect(mem);
        mem_server_say(mem, peer, talk->bytes, cut);
        if (reset)
            zn_dp_mem_reset(peer);
        else
            zn_dp_mem_fin(peer);
        mem_server_settle(mem);
        zn_dp_mem_free(peer);
        mem_server_settle(mem);
    }
}

static void connection_abandoned_anywhere_leaves_nothing(void **state)
{
    struct mem_server mem;
    static struct conversation talks[4];
    char request[512];
    (void)state;
    struct conversation *talk = &talks[0];
    talk->len = (size_t)sprintf((char *)talk->bytes, POLL HOST POLL "&sid=x" HOST);
    talk++;
    talk->len = mem_upgrade_write(request, sizeof(request), "/ws");
    memcpy(talk->bytes, request, talk->len);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x01, "abc", 3);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x89, "p", 1);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x80, "def", 3);
    talk++;
    talk->len =
        mem_upgrade_write(request, sizeof(request), "/socket.io/?EIO=4&transport=websocket");
    memcpy(talk->bytes, request, talk->len);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x81, "40", 2);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x81, "42[\"message\",1]", 15);
    talk->len += mem_frame_write(talk->bytes + talk->len, 0x81,
                                 "451-[\"message\",{\"_placeholder\":true,\"num\":0}]", 45);
    talk++;
    talk->len = (size_t)sprintf((char *)talk->bytes,
                                "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n"
                                "Content-Length: 3\r\n\r\nabc");
    mem_server_start(&mem, NULL);
    size_t arena = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 4; i++) {
            abandon_everywhere(&mem, &talks[i], false);
            abandon_everywhere(&mem, &talks[i], true);
        }
        mem_server_wait(&mem, 11000);
        check_empty(&mem);
        if (round == 0)
            arena = mem.reactor->arena.bytes;
    }
    assert_int_equal(mem.reactor->arena.bytes, arena);
    assert_int_equal(mem.reactor->zpool->lent, 0);
    assert_int_equal(mem.reactor->wheel.armed, 0);
    mem_server_stop(&mem);
}

// Every step of polling, probe and upgrade, each with its connections closed there.
static void upgrade_abandoned_at_every_step_leaves_nothing(void **state)
{
    struct mem_server mem;
    (void)state;
    mem_server_start(&mem, NULL);
    for (unsigned steps = 0; steps < 7; steps++) {
        for (unsigned reset = 0; reset < 2; reset++) {
            char sid[21], target[128], poll_again[256];
            struct zn_mem_peer *poll = poll_open(&mem, sid);
            struct zn_mem_peer *probe = NULL;
            snprintf(target, sizeof(target), "/engine.io/?EIO=4&transport=websocket&sid=%s", sid);
            snprintf(poll_again, sizeof(poll_again), POLL "&sid=%s" HOST, sid);
            if (steps > 0)
                say(&mem, poll, poll_again);
            if (steps > 1)
                probe = ws_open(&mem, target);
            if (steps > 2)
                say_frame(&mem, probe, 0x81, "2probe");
            if (steps > 3)
                assert_string_equal(hear_body(poll), "6");
            if (steps > 4)
                say_frame(&mem, probe, 0x81, "5");
            if (steps > 5)
                say_frame(&mem, probe, 0x81, "4after");
            (reset ? zn_dp_mem_reset : zn_dp_mem_fin)(poll);
            mem_server_settle(&mem);
            if (probe != NULL) {
                (reset ? zn_dp_mem_reset : zn_dp_mem_fin)(probe);
                mem_server_settle(&mem);
                zn_dp_mem_free(probe);
            }
            zn_dp_mem_free(poll);
            mem_server_wait(&mem, 600);
        }
    }
    mem_server_wait(&mem, 11000);
    check_empty(&mem);
    assert_int_equal(mem.reactor->wheel.armed, 0);
    mem_server_stop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(websocket_echo_same_in_every_split),
        cmocka_unit_test(polling_pipeline_same_in_every_split),
        cmocka_unit_test(heartbeat_unanswered_ends_at_the_millisecond),
        cmocka_unit_test(heartbeat_answered_goes_on),
        cmocka_unit_test(head_never_finished_is_answered_408),
        cmocka_unit_test(message_never_finished_ends_the_connection),
        cmocka_unit_test(upgrade_never_completed_holds_nothing),
        cmocka_unit_test(connection_abandoned_anywhere_leaves_nothing),
        cmocka_unit_test(upgrade_abandoned_at_every_step_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
