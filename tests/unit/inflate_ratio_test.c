// SPDX-License-Identifier: Apache-2.0
// How far a message may inflate for what came of it: a bomb ends at the byte that proves it one,
// and messages that merely shrink well pass.
#include "deflate_peer.h"
#include "mem_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { MIB = 1 << 20, RATIO = 200, MESSAGE_MAX = 64 * MIB, FLOOR = 16 * MIB, PACKED_MAX = 2 * MIB };

static struct mem_server mem;
static size_t received; // bytes of the last message

static uint8_t text[32 * MIB], packed[PACKED_MAX], frame[PACKED_MAX + 14];

static void on_message(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user)
{
    (void)ws;
    (void)binary;
    (void)user;
    assert_memory_equal(data, text, len);
    received = len;
}

static void start(size_t ratio_floor, uint32_t ratio_max)
{
    static const struct zn_ws_handlers handlers = { .message = on_message };
    struct zn_ws_options options = {
        .message_max = MESSAGE_MAX,
        .deflate = { .enabled = true, .ratio_floor = ratio_floor, .ratio_max = ratio_max }
    };
    received = 0;
    mem_server_start(&mem, NULL);
    assert_non_null(zn_ws_attach(mem.server, "/app", &options, &handlers, NULL));
}

static void stop(struct zn_mem_peer *peer)
{
    struct zn_stats stats;
    zn_dp_mem_free(peer);
    mem_server_wait(&mem, 1100);
    zn_server_stats(mem.server, &stats);
    assert_int_equal(stats.connections_now, 0);
    assert_int_equal(stats.unfinished_now, 0);
    mem_server_stop(&mem);
}

static struct zn_mem_peer *ws_open(void)
{
    static const char extension[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    char request[512];
    struct zn_mem_peer *peer = mem_server_connect(&mem);
    size_t len = mem_upgrade_write(request, sizeof(request), "/app") - 2;
    memcpy(request + len, extension, sizeof(extension));
    mem_server_say(&mem, peer, request, len + sizeof(extension) - 1);
    assert_non_null(strstr(mem_server_hear(peer, NULL), "permessage-deflate"));
    return peer;
}

// The first `len` bytes of `text` as a message in `packed`; the length.
static size_t pack(size_t len)
{
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t packed_len = peer_deflate(&z, text, len, packed, sizeof(packed));
    deflateEnd(&z);
    return packed_len;
}

static void say_packed(struct zn_mem_peer *peer, size_t packed_len)
{
    mem_server_say(&mem, peer, frame, mem_frame_write(frame, 0xc2, packed, packed_len));
}

static void assert_closed_1009(struct zn_mem_peer *peer)
{
    size_t len;
    const char *got = mem_server_hear(peer, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(got, "\x88\x02\x03\xf1", 4);
    assert_int_equal(received, 0);
}

// How many bytes of `packed` it takes until more is inflated than MIB and RATIO times them.
static size_t bytes_until_too_far(size_t packed_len)
{
    static uint8_t sink[4096];
    z_stream z = { 0 };
    size_t out = 0;
    size_t n = 0;
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    while (n < packed_len && (out <= MIB || out <= RATIO * n)) {
        z.next_in = packed + n++;
        z.avail_in = 1;
        do {
            z.next_out = sink;
            z.avail_out = sizeof(sink);
            (void)inflate(&z, Z_SYNC_FLUSH);
            out += sizeof(sink) - z.avail_out;
        } while (z.avail_out == 0);
    }
    inflateEnd(&z);
    return n;
}

static void bomb_ends_at_the_byte_that_proves_it(void **state)
{
    (void)state;
    memset(text, 0, sizeof(text));
    size_t packed_len = pack(8 * MIB);
    size_t proof = bytes_until_too_far(packed_len);
    assert_true(proof > 1000 && proof < 1100);
    start(MIB, 0);
    struct zn_mem_peer *peer = ws_open();
    size_t head = mem_frame_write(frame, 0xc2, packed, packed_len) - packed_len;
    mem_server_say(&mem, peer, frame, head);
    for (size_t i = 0; i < proof; i++) {
        size_t len;
        mem_server_hear(peer, &len);
        assert_int_equal(len, 0);
        mem_server_say(&mem, peer, frame + head + i, 1);
    }
    assert_closed_1009(peer);
    stop(peer);
}

static void bomb_in_one_piece_stays_near_the_floor(void **state)
{
    struct zn_stats stats;
    (void)state;
    memset(text, 0, sizeof(text));
    // It would hold 8 MiB: with room for no more than 3, growth included, only 1009 can come of it.
    start(MIB, 0);
    mem.server->options.unfinished_max = 3 * MIB;
    struct zn_mem_peer *peer = ws_open();
    say_packed(peer, pack(8 * MIB));
    assert_closed_1009(peer);
    zn_server_stats(mem.server, &stats);
    assert_int_equal(stats.unfinished_refused, 0);
    assert_int_equal(stats.rejected_ws, 1);
    stop(peer);
}

static void earlier_messages_buy_nothing(void **state)
{
    (void)state;
    start(MIB, 0);
    struct zn_mem_peer *peer = ws_open();
    srand(1);
    for (size_t i = 0; i < MIB; i++)
        text[i] = (uint8_t)rand();
    say_packed(peer, pack(MIB)); // with context takeover the stream goes on
    assert_int_equal(received, MIB);
    received = 0;
    memset(text, 0, sizeof(text));
    say_packed(peer, pack(8 * MIB));
    assert_closed_1009(peer);
    stop(peer);
}

static void zeros_up_to_the_default_floor_pass(void **state)
{
    (void)state;
    memset(text, 0, sizeof(text));
    start(0, 0);
    struct zn_mem_peer *peer = ws_open();
    size_t packed_len = pack(FLOOR);
    assert_true(packed_len < FLOOR / 1000);
    say_packed(peer, packed_len);
    assert_int_equal(received, FLOOR);
    received = 0;
    say_packed(peer, pack(sizeof(text)));
    assert_closed_1009(peer);
    stop(peer);
}

// Records of 4 KiB that differ in 24 bytes: as well as data shrinks that is not made for it.
static void records_that_shrink_well_pass(void **state)
{
    static const char record[] = "{\"on\":true},";
    (void)state;
    srand(1);
    for (size_t i = 0; i < 8 * MIB; i++)
        text[i] = i % 4096 < 24 ? (uint8_t)rand() : (uint8_t)record[i % (sizeof(record) - 1)];
    start(MIB, 0);
    struct zn_mem_peer *peer = ws_open();
    size_t packed_len = pack(8 * MIB);
    assert_true(8 * MIB / packed_len > 100);
    say_packed(peer, packed_len);
    assert_int_equal(received, 8 * MIB);
    stop(peer);
}

static void ratio_of_the_endpoint_counts(void **state)
{
    (void)state;
    memset(text, 0, sizeof(text));
    start(MIB, 1033); // never met
    struct zn_mem_peer *peer = ws_open();
    say_packed(peer, pack(8 * MIB));
    assert_int_equal(received, 8 * MIB);
    stop(peer);
    text_fill(text, TEXT_LEN);
    for (size_t i = TEXT_LEN; i < 2 * MIB; i++)
        text[i] = text[i - TEXT_LEN];
    start(MIB, 3);
    peer = ws_open();
    say_packed(peer, pack(2 * MIB));
    assert_closed_1009(peer);
    stop(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bomb_ends_at_the_byte_that_proves_it),
        cmocka_unit_test(bomb_in_one_piece_stays_near_the_floor),
        cmocka_unit_test(earlier_messages_buy_nothing),
        cmocka_unit_test(zeros_up_to_the_default_floor_pass),
        cmocka_unit_test(records_that_shrink_well_pass),
        cmocka_unit_test(ratio_of_the_endpoint_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
