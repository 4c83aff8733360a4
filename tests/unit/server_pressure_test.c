// SPDX-License-Identifier: Apache-2.0
// Back-pressure of the whole server on the mem datapath: slow readers, and those that stopped.
#include "server_talk.h"

#include "core/conn.h"

#include <stdlib.h>

static void slow_reader_is_cut_off_and_others_get_all(void **state)
{
    struct mem_server mem;
    struct zn_server_options options = { .buffer_max = 20000 };
    char text[1001];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[1000] = '\0';
    mem_server_start(&mem, &options);
    struct zn_mem_peer *slow = ws_open(&mem, "/ws");
    struct zn_mem_peer *fast = ws_open(&mem, "/ws");
    mem_server_hear(slow, NULL);
    mem_server_hear(fast, NULL);
    zn_dp_mem_window(slow, 100);
    for (int i = 0; i < 30; i++) {
        zn__reactor_enter(mem.reactor);
        (void)zn_ws_publish(mem.endpoint, text, 1000, 0);
        mem_server_settle(&mem);
        size_t len;
        mem_server_hear(fast, &len);
        assert_int_equal(len, 1004);
    }
    struct zn_stats stats;
    zn_server_stats(mem.server, &stats);
    assert_int_equal(stats.overflow_disconnects, 1);
    assert_int_equal(stats.websockets_now, 1);
    assert_int_equal(stats.buffered_now, 0);
    zn_dp_mem_free(slow);
    zn_dp_mem_free(fast);
    mem_server_settle(&mem);
    check_empty(&mem);
    mem_server_stop(&mem);
}

// Reads whole messages out of what a slow reader gets in the end; returns their number, all of 1000
// 'x' but the first digits, which must go up.
static unsigned check_numbered(struct zn_mem_peer *peer)
{
    size_t len;
    const char *got = mem_server_hear(peer, &len);
    unsigned n = 0;
    int last = -1;
    for (size_t at = 0; at < len; n++) {
        assert_true(len - at >= 1004);
        assert_memory_equal(got + at, "\x81\x7e\x03\xe8", 4);
        int number = atoi(got + at + 4);
        assert_true(number > last);
        last = number;
        at += 1004;
    }
    return n;
}

static void drop_oldest_keeps_whole_messages_in_order(void **state)
{
    struct mem_server mem;
    struct zn_server_options options = { .buffer_max = 20000, .overflow = ZN_OVERFLOW_DROP_OLDEST };
    char text[1001];
    (void)state;
    mem_server_start(&mem, &options);
    struct zn_mem_peer *slow = ws_open(&mem, "/ws");
    mem_server_hear(slow, NULL);
    zn_dp_mem_window(slow, 1500); // in the middle of the second message
    for (int i = 0; i < 60; i++) {
        memset(text, 'x', 1000);
        memcpy(text, "00000 ", 6);
        text[3] = (char)('0' + i / 10);
        text[4] = (char)('0' + i % 10);
        zn__reactor_enter(mem.reactor);
        (void)zn_ws_publish(mem.endpoint, text, 1000, 0);
        mem_server_settle(&mem);
    }
    struct zn_stats stats;
    zn_server_stats(mem.server, &stats);
    assert_true(stats.dropped_overflow > 0);
    assert_int_equal(stats.websockets_now, 1);
    zn_dp_mem_window(slow, 1 << 20);
    mem_server_settle(&mem);
    assert_int_equal(check_numbered(slow) + stats.dropped_overflow, 60);
    zn_dp_mem_free(slow);
    mem_server_settle(&mem);
    check_empty(&mem);
    mem_server_stop(&mem);
}

static void reader_that_stopped_both_ways_is_let_go(void **state)
{
    struct mem_server mem;
    struct zn_server_options options = { .buffer_max = 4096,
                                         .message_timeout_ms = 500,
                                         .overflow = ZN_OVERFLOW_DROP_OLDEST };
    char text[1001];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[1000] = '\0';
    mem_server_start(&mem, &options);
    struct zn_mem_peer *peer = ws_open(&mem, "/ws");
    mem_server_hear(peer, NULL);
    zn_dp_mem_window(peer, 100);
    for (int i = 0; i < 5; i++)
        say_frame(&mem, peer, 0x81, text);
    assert_true(mem.messages < 5); // input is held back
    mem_server_wait(&mem, 300);
    zn_dp_mem_window(peer, 200); // a little goes: the deadline moves
    mem_server_settle(&mem);
    mem_server_wait(&mem, 499);
    assert_non_null(mem.reactor->conns);
    mem_server_wait(&mem, 1);
    check_empty(&mem);
    zn_dp_mem_free(peer);
    mem_server_stop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_reader_is_cut_off_and_others_get_all),
        cmocka_unit_test(drop_oldest_keeps_whole_messages_in_order),
        cmocka_unit_test(reader_that_stopped_both_ways_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
