// SPDX-License-Identifier: Apache-2.0
// permessage-deflate, receiving: the vectors of RFC 7692 section 7.2.3, takeover and windows with
// zlib as the peer, every split, malformed streams, and messages that want to grow.
#include "deflate_peer.h"
#include "guard.h"
#include "proto/deflate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static void inflater_init(z_stream *z, uint8_t window_bits)
{
    *z = (z_stream){ 0 };
    assert_int_equal(zn__inflate_init(z, window_bits), 0);
}

// One message through zn__inflate_next, all at once; the text has to be `want`.
static void inflates_to(z_stream *z, const void *data, size_t len, const void *want,
                        size_t want_len)
{
    struct zn_slice in = { data, len };
    uint8_t *out = malloc(want_len + 1);
    bool done;

    assert_int_equal(zn__inflate_next(z, &in, true, out, want_len + 1, &done), want_len);
    assert_true(done);
    assert_int_equal(in.len, 0);
    assert_memory_equal(out, want, want_len);
    free(out);
}

static void inflate_rfc7692_vectors_match(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } vectors[] = {
        { "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 },                          // 7.2.3.1
        { "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11 },         // 7.2.3.3
        { "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8 },                      // 7.2.3.4
        { "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13 }, // 7.2.3.5
    };
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        inflates_to(&z, vectors[i].data, vectors[i].len, "Hello", 5);
    }
    inflates_to(&z, "\x00", 1, "", 0); // 7.2.3.6
    inflates_to(&z, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
    inflates_to(&z, "\xf2\x00\x11\x00\x00", 5, "Hello", 5); // 7.2.3.2: looks back a message
    inflateEnd(&z);
}

static void inflate_look_back_after_reset_refused(void **state)
{
    struct zn_slice in = { "\xf2\x00\x11\x00\x00", 5 };
    uint8_t out[16];
    bool done;
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    inflates_to(&z, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
    zn__inflate_reset(&z);
    assert_int_equal(zn__inflate_next(&z, &in, true, out, sizeof(out), &done), -EPROTO);
    zn__inflate_reset(&z);
    inflates_to(&z, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
    inflateEnd(&z);
}

static void inflate_final_block_keeps_window(void **state)
{
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    inflates_to(&z, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello", 5);
    inflates_to(&z, "\xf2\x00\x11\x00\x00", 5, "Hello", 5);
    // Two final blocks in one message.
    inflates_to(&z, "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 15,
                "HelloHello", 10);
    inflateEnd(&z);
}

static void inflate_bad_stream_refused(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {
        { "", 0 },                             // not even the 0x00 of an empty message
        { "\xff", 1 },                         // block type 3
        { "\x00\x05\x00\xfa\xfe\x48", 6 },     // stored length and its complement differ
        { "\x00\x06\x00\xf9\xff\x48", 6 },     // a stored block that the end cuts off
        { "\xf2\x48\xcd", 3 },                 // a block that the end cuts off
        { "\x05\xe0\xff\xff\xff\xff\xff", 7 }, // over-subscribed codes
    };
    uint8_t out[64];
    bool done;
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct zn_slice in = { bad[i].data, bad[i].len };

        zn__inflate_reset(&z);
        assert_int_equal(zn__inflate_next(&z, &in, true, out, sizeof(out), &done), -EPROTO);
        assert_false(done);
    }
    inflateEnd(&z);
}

// A message in pieces of `step` bytes into helpings of `room` bytes. Returns its length.
static size_t inflate_in_steps(z_stream *z, const uint8_t *data, size_t len, size_t step,
                               size_t room, uint8_t *out)
{
    size_t total = 0;

    for (size_t pos = 0; pos < len || len == 0; pos += step) {
        size_t n = len - pos < step ? len - pos : step;
        struct zn_slice in = { (const char *)data + pos, n };
        bool done = false;

        for (unsigned turns = 0; !done; turns++) {
            ssize_t got = zn__inflate_next(z, &in, pos + n == len, out + total, room, &done);

            assert_true(got >= 0 && (size_t)got <= room);
            assert_true(turns < 2 * TEXT_LEN);
            total += (size_t)got;
        }
        assert_int_equal(in.len, 0);
    }
    return total;
}

static void inflate_any_split_same_text(void **state)
{
    uint8_t text[TEXT_LEN], packed[2 * TEXT_LEN], out[2 * TEXT_LEN];
    struct guard guard;
    z_stream ours, peer = { 0 };
    size_t len;

    (void)state;
    guard_init(&guard, sizeof(packed));
    text_fill(text, TEXT_LEN);
    inflater_init(&ours, 15);
    deflateInit2(&peer, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    for (size_t step = 1; step < 1200; step += step < 40 ? 1 : 97) {
        for (size_t room = 1; room <= TEXT_LEN + 1; room = room * 3 + 1) {
            uint8_t *in;

            len = peer_deflate(&peer, text, TEXT_LEN, packed, sizeof(packed));
            in = guard_copy(&guard, packed, len);
            assert_int_equal(inflate_in_steps(&ours, in, len, step, room, out), TEXT_LEN);
            assert_memory_equal(out, text, TEXT_LEN);
        }
    }
    deflateEnd(&peer);
    inflateEnd(&ours);
    guard_deinit(&guard);
}

static void inflate_each_split_point_same_text(void **state)
{
    uint8_t text[600], packed[800], out[800];
    z_stream ours, peer = { 0 };
    size_t len;

    (void)state;
    text_fill(text, sizeof(text));
    inflater_init(&ours, 15);
    deflateInit2(&peer, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    len = peer_deflate(&peer, text, sizeof(text), packed, sizeof(packed));
    for (size_t at = 0; at <= len; at++) {
        struct zn_slice a = { (char *)packed, at }, b = { (char *)packed + at, len - at };
        bool done;
        ssize_t n = zn__inflate_next(&ours, &a, false, out, sizeof(out), &done);

        assert_true(n >= 0 && done);
        n += zn__inflate_next(&ours, &b, true, out + n, sizeof(out) - (size_t)n, &done);
        assert_int_equal(n, sizeof(text));
        assert_true(done);
        assert_memory_equal(out, text, sizeof(text));
    }
    deflateEnd(&peer);
    inflateEnd(&ours);
}

// Inflates a piece that is not the last one, in helpings of `room` bytes. Returns its length.
static size_t inflate_piece(z_stream *z, const uint8_t *data, size_t len, size_t room, uint8_t *out)
{
    struct zn_slice in = { (const char *)data, len };
    size_t total = 0;
    bool done = false;

    while (!done) {
        ssize_t got = zn__inflate_next(z, &in, false, out + total, room, &done);

        assert_true(got >= 0);
        total += (size_t)got;
    }
    return total;
}

static void inflate_piece_done_means_all_is_out(void **state)
{
    uint8_t text[600], packed[800], out[1000];
    z_stream ours, peer = { 0 };
    size_t len;

    (void)state;
    text_fill(text, sizeof(text));
    inflater_init(&ours, 15);
    deflateInit2(&peer, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    len = peer_deflate(&peer, text, sizeof(text), packed, sizeof(packed));
    for (size_t at = 0; at <= len; at++) {
        size_t whole = inflate_piece(&ours, packed, at, sizeof(out), out);

        zn__inflate_reset(&ours);
        assert_int_equal(inflate_piece(&ours, packed, at, 1, out), whole);
        zn__inflate_reset(&ours);
    }
    deflateEnd(&peer);
    inflateEnd(&ours);
}

// A stored block that claims the tail's bytes as its own.
static void inflate_tail_read_as_text_any_room_same(void **state)
{
    uint8_t out[8];
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    for (size_t room = 1; room < sizeof(out); room++) {
        assert_int_equal(
            inflate_in_steps(&z, (const uint8_t *)"\x00\x05\x00\xfa\xff\x48", 6, 6, room, out), 5);
        assert_memory_equal(out, "H\x00\x00\xff\xff", 5);
    }
    inflateEnd(&z);
}

static void inflate_bomb_stays_in_its_room(void **state)
{
    enum { ZEROS = 4 << 20, MAX = 65536 };
    uint8_t *zeros = calloc(1, ZEROS), *packed = malloc(ZEROS / 100);
    struct guard guard;
    z_stream ours, peer = { 0 };
    struct zn_slice in;
    bool done = false;
    uint8_t *out;

    (void)state;
    guard_init(&guard, MAX + 1);
    out = guard_end(&guard, MAX + 1);
    inflater_init(&ours, 15);
    deflateInit2(&peer, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    in.p = (char *)packed;
    in.len = peer_deflate(&peer, zeros, ZEROS, packed, ZEROS / 100);
    assert_int_equal(zn__inflate_next(&ours, &in, true, out, MAX + 1, &done), MAX + 1);
    assert_false(done);
    assert_true(in.len > 0);
    // The message is given up; the stream goes to another connection.
    zn__inflate_reset(&ours);
    inflates_to(&ours, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
    deflateEnd(&peer);
    inflateEnd(&ours);
    guard_deinit(&guard);
    free(packed);
    free(zeros);
}

static void inflate_exact_room_is_done(void **state)
{
    struct zn_slice in = { "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 };
    uint8_t out[5];
    bool done;
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    assert_int_equal(zn__inflate_next(&z, &in, true, out, 5, &done), 5);
    assert_true(done);
    in = (struct zn_slice){ "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 };
    assert_int_equal(zn__inflate_next(&z, &in, true, out, 4, &done), 4);
    assert_false(done);
    assert_int_equal(zn__inflate_next(&z, &in, true, out, 0, &done), 0);
    assert_false(done);
    assert_int_equal(zn__inflate_next(&z, &in, true, out, 4, &done), 1);
    assert_true(done);
    assert_int_equal(out[0], 'o');
    inflateEnd(&z);
}

static void *no_memory(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    (void)items;
    (void)size;
    return NULL;
}

static void inflate_no_memory_reported(void **state)
{
    z_stream z = { .zalloc = no_memory };

    (void)state;
    assert_int_equal(zn__inflate_init(&z, 15), -ENOMEM);
}

static void inflate_no_memory_for_window_reported(void **state)
{
    struct zn_slice in = { "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 };
    uint8_t out[16];
    bool done;
    z_stream z;

    (void)state;
    inflater_init(&z, 15);
    z.zalloc = no_memory;
    assert_int_equal(zn__inflate_next(&z, &in, true, out, sizeof(out), &done), -ENOMEM);
    inflateEnd(&z);
}

static void inflate_windows_peer_writes(void **state)
{
    uint8_t text[TEXT_LEN], packed[2 * TEXT_LEN], out[TEXT_LEN + 1];

    (void)state;
    text_fill(text, TEXT_LEN);
    for (uint8_t bits = 8; bits <= 15; bits++) {
        for (int reset = 0; reset < 2; reset++) {
            z_stream ours, peer = { 0 };

            inflater_init(&ours, bits);
            deflateInit2(&peer, 6, Z_DEFLATED, bits == 8 ? -9 : -bits, 8, Z_DEFAULT_STRATEGY);
            for (int i = 0; i < 4; i++) {
                size_t n = peer_deflate(&peer, text, TEXT_LEN, packed, sizeof(packed));

                assert_int_equal(inflate_in_steps(&ours, packed, n, 7, 5, out), TEXT_LEN);
                assert_memory_equal(out, text, TEXT_LEN);
                if (reset) {
                    deflateReset(&peer);
                    zn__inflate_reset(&ours);
                }
            }
            inflateEnd(&ours);
            deflateEnd(&peer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inflate_rfc7692_vectors_match),
        cmocka_unit_test(inflate_look_back_after_reset_refused),
        cmocka_unit_test(inflate_final_block_keeps_window),
        cmocka_unit_test(inflate_bad_stream_refused),
        cmocka_unit_test(inflate_any_split_same_text),
        cmocka_unit_test(inflate_each_split_point_same_text),
        cmocka_unit_test(inflate_piece_done_means_all_is_out),
        cmocka_unit_test(inflate_tail_read_as_text_any_room_same),
        cmocka_unit_test(inflate_bomb_stays_in_its_room),
        cmocka_unit_test(inflate_exact_room_is_done),
        cmocka_unit_test(inflate_no_memory_reported),
        cmocka_unit_test(inflate_no_memory_for_window_reported),
        cmocka_unit_test(inflate_windows_peer_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
