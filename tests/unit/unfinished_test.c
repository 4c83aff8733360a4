// SPDX-License-Identifier: Apache-2.0
// The limit on what messages that are not complete hold on all connections together: who is above
// it is told to try later, nobody else notices, and what was held is there for others again.
#include "core/server.h"
#include "core/unfinished.h"
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

enum { LIMIT = 100000, PIECE = 30000 };

static struct mem_server mem;
static char piece[PIECE];

static void start(size_t limit)
{
    memset(piece, '4', sizeof(piece));
    mem_server_start(&mem, &(struct zn_server_options){ .unfinished_max = limit });
}

static struct zn_stats stats_now(void)
{
    struct zn_stats stats;
    zn_server_stats(mem.server, &stats);
    return stats;
}

// All peers are gone: nothing is held, and no more than two steps of the limit are claimed.
static void stop(void)
{
    mem_server_wait(&mem, 1100);
    assert_int_equal(stats_now().connections_now, 0);
    assert_int_equal(stats_now().unfinished_now, 0);
    assert_true(mem.server->unfinished_claimed <= LIMIT / 8);
    mem_server_stop(&mem);
}

static struct zn_mem_peer *ws_open(const char *target)
{
    char request[512];
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    mem_server_say(&mem, peer, request, mem_upgrade_write(request, sizeof(request), target));
    mem_server_hear(peer, NULL);
    return peer;
}

static void say_frame(struct zn_mem_peer *peer, unsigned first, const void *p, size_t len)
{
    static uint8_t frame[PIECE + 14];
    mem_server_say(&mem, peer, frame, mem_frame_write(frame, first, p, len));
}

// The whole of what has come is `text`.
static void assert_hears(struct zn_mem_peer *peer, const char *text, size_t text_len)
{
    size_t len;
    const char *got = mem_server_hear(peer, &len);
    assert_int_equal(len, text_len);
    assert_memory_equal(got, text, len);
}

static void assert_echoes(struct zn_mem_peer *peer)
{
    say_frame(peer, 0x01, "he", 2);
    say_frame(peer, 0x80, "llo", 3);
    assert_hears(peer, "\x81\x05hello", 7);
}

// Opens a polling session and begins a POST of `len` bytes with its first piece.
static struct zn_mem_peer *post_begin(struct zn_mem_peer *poll, size_t len)
{
    static const char open[] =
        "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";
    char head[256];
    mem_server_say(&mem, poll, open, sizeof(open) - 1);
    const char *sid = strstr(mem_server_hear(poll, NULL), "\"sid\":\"");
    assert_non_null(sid);
    int n = snprintf(head, sizeof(head),
                     "POST /engine.io/?EIO=4&transport=polling&sid=%.20s HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     sid + 7, len);
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    mem_server_say(&mem, peer, head, (size_t)n);
    mem_server_say(&mem, peer, piece, PIECE);
    return peer;
}

static void fragments_over_the_limit_close_with_1013(void **state)
{
    struct zn_mem_peer *peers[4];
    struct zn_mem_peer *bystander;
    (void)state;
    start(LIMIT);
    bystander = ws_open("/ws");
    for (int i = 0; i < 3; i++) {
        peers[i] = ws_open("/ws");
        say_frame(peers[i], 0x02, piece, PIECE);
        assert_hears(peers[i], "", 0);
    }
    assert_int_equal(stats_now().unfinished_now, 3 * PIECE);
    assert_int_equal(stats_now().unfinished_refused, 0);
    peers[3] = ws_open("/ws");
    say_frame(peers[3], 0x02, piece, PIECE);
    assert_hears(peers[3], "\x88\x02\x03\xf5", 4);
    assert_int_equal(stats_now().unfinished_refused, 1);
    assert_int_equal(stats_now().unfinished_now, 3 * PIECE);
    assert_echoes(bystander);

    say_frame(peers[0], 0x80, "", 0); // those that were there first come to their end
    assert_int_equal(mem.messages, 2);
    assert_int_equal(stats_now().unfinished_now, 2 * PIECE);
    say_frame(bystander, 0x02, piece, PIECE); // and make room
    assert_int_equal(stats_now().unfinished_now, 3 * PIECE);
    for (int i = 0; i < 4; i++)
        zn_dp_mem_free(peers[i]);
    zn_dp_mem_free(bystander);
    stop();
}

static void whole_message_over_the_limit_passes(void **state)
{
    (void)state;
    start(PIECE / 2);
    struct zn_mem_peer *peer = ws_open("/ws");
    say_frame(peer, 0x82, piece, PIECE);
    size_t len;
    mem_server_hear(peer, &len);
    assert_int_equal(len, 4 + PIECE);
    assert_int_equal(stats_now().unfinished_refused, 0);
    zn_dp_mem_free(peer);
    stop();
}

static void body_over_the_limit_is_answered_with_503(void **state)
{
    struct zn_mem_peer *polls[4], *posts[4];
    (void)state;
    start(LIMIT);
    for (int i = 0; i < 4; i++) {
        polls[i] = mem_server_connect(&mem);
        posts[i] = post_begin(polls[i], PIECE + 2);
        if (i < 3)
            assert_hears(posts[i], "", 0);
    }
    assert_memory_equal(mem_server_hear(posts[3], NULL), "HTTP/1.1 503 ", 13);
    assert_int_equal(stats_now().unfinished_refused, 1);
    zn_dp_mem_free(posts[2]); // makes room
    mem_server_settle(&mem);
    assert_int_equal(stats_now().unfinished_now, 2 * PIECE);
    mem_server_say(&mem, posts[0], "44", 2);
    assert_memory_equal(mem_server_hear(posts[0], NULL), "HTTP/1.1 200 ", 13);
    assert_int_equal(mem.messages, 1);
    assert_int_equal(stats_now().unfinished_now, PIECE);
    posts[2] = mem_server_connect(&mem);
    for (int i = 0; i < 4; i++) {
        zn_dp_mem_free(posts[i]);
        zn_dp_mem_free(polls[i]);
    }
    mem_server_wait(&mem, 600); // the sessions' heartbeats
    stop();
}

// A Socket.IO client that has sent the text and one of two attachments of a packet.
static struct zn_mem_peer *attachment_begin(void)
{
    static const char text[] = "452-[\"x\",{\"_placeholder\":true,\"num\":0},"
                               "{\"_placeholder\":true,\"num\":1}]";
    struct zn_mem_peer *peer = ws_open("/socket.io/?EIO=4&transport=websocket");
    say_frame(peer, 0x81, "40", 2);
    assert_non_null(strstr(mem_server_hear(peer, NULL), "40{\"sid\""));
    say_frame(peer, 0x81, text, sizeof(text) - 1);
    say_frame(peer, 0x82, piece, PIECE);
    return peer;
}

static void attachments_over_the_limit_close_with_1013(void **state)
{
    struct zn_mem_peer *peers[4];
    (void)state;
    start(LIMIT);
    for (int i = 0; i < 3; i++) {
        peers[i] = attachment_begin();
        assert_hears(peers[i], "", 0);
    }
    assert_true(stats_now().unfinished_now > 3 * PIECE);
    peers[3] = attachment_begin();
    assert_hears(peers[3], "\x88\x02\x03\xf5", 4);
    assert_int_equal(stats_now().unfinished_refused, 1);
    assert_int_equal(stats_now().sockets_now, 3);
    say_frame(peers[0], 0x82, "1", 1); // the packet is complete
    assert_true(stats_now().unfinished_now < 3 * PIECE);
    for (int i = 0; i < 4; i++)
        zn_dp_mem_free(peers[i]);
    mem_server_wait(&mem, 10);
    stop();
}

static void limit_is_shared_by_all_reactors(void **state)
{
    struct zn_reactor reactors[2] = { 0 };
    struct zn_server server = { .threads = 2, .options.unfinished_max = LIMIT };
    (void)state;
    for (int i = 0; i < 2; i++)
        reactors[i].server = &server;
    assert_int_equal(zn__unfinished_take(&reactors[0], LIMIT / 4 * 3), 0);
    assert_int_equal(zn__unfinished_take(&reactors[1], LIMIT / 2), -ENOBUFS);
    assert_int_equal(reactors[1].counters.unfinished_refused, 1);
    assert_int_equal(zn__unfinished_take(&reactors[1], LIMIT / 8), 0);
    assert_true(server.unfinished_claimed <= LIMIT);
    zn__unfinished_give(&reactors[0], LIMIT / 4 * 3);
    assert_int_equal(zn__unfinished_take(&reactors[1], LIMIT / 2), 0);
    for (size_t more = 0; more < LIMIT; more++)
        assert_int_equal(zn__unfinished_take(&reactors[1], SIZE_MAX - more), -ENOBUFS);
    zn__unfinished_give(&reactors[1], LIMIT / 8 + LIMIT / 2);
    assert_int_equal(server.unfinished_claimed,
                     reactors[0].unfinished_claimed + reactors[1].unfinished_claimed);
    assert_true(server.unfinished_claimed <= LIMIT / 8);
}

static void limit_is_exhausted_to_the_byte(void **state)
{
    struct zn_reactor reactor = { 0 };
    struct zn_server server = { .threads = 1, .options.unfinished_max = LIMIT };
    (void)state;
    reactor.server = &server;
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(zn__unfinished_take(&reactor, 1), 0);
    assert_int_equal(zn__unfinished_take(&reactor, 1), -ENOBUFS);
    zn__unfinished_give(&reactor, 1);
    assert_int_equal(zn__unfinished_take(&reactor, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_over_the_limit_close_with_1013),
        cmocka_unit_test(whole_message_over_the_limit_passes),
        cmocka_unit_test(body_over_the_limit_is_answered_with_503),
        cmocka_unit_test(attachments_over_the_limit_close_with_1013),
        cmocka_unit_test(limit_is_shared_by_all_reactors),
        cmocka_unit_test(limit_is_exhausted_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
