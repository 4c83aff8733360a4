// SPDX-License-Identifier: Apache-2.0
// permessage-deflate, sending: the vectors of RFC 7692 section 7.2.3, takeover and windows with
// zlib as the peer, and want of room.
#include "deflate_peer.h"
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

static void deflater_init(z_stream *z, uint8_t window_bits)
{
    *z = (z_stream){ 0 };
    assert_int_equal(zn__deflate_init(z, window_bits, 6, 8), 0);
}

static void deflate_hello_is_the_rfc_vector(void **state)
{
    uint8_t out[64];
    z_stream z;

    (void)state;
    deflater_init(&z, 15);
    assert_int_equal(zn__deflate_message(&z, ZN_SLICE("Hello"), false, out, sizeof(out)), 7);
    assert_memory_equal(out, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    assert_int_equal(zn__deflate_message(&z, ZN_SLICE("Hello"), true, out, sizeof(out)), 5);
    assert_memory_equal(out, "\xf2\x00\x11\x00\x00", 5);
    assert_int_equal(zn__deflate_message(&z, ZN_SLICE("Hello"), true, out, sizeof(out)), 7);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(zn__deflate_message(&z, ZN_SLICE(""), false, out, sizeof(out)), 1);
        assert_int_equal(out[0], 0);
    }
    assert_int_equal(zn__deflate_message(&z, ZN_SLICE(""), false, out, 0), -EMSGSIZE);
    deflateEnd(&z);
}

// Every window, with and without takeover. The peer keeps to the agreed window
// and not a byte more.
static void deflate_windows_peer_reads(void **state)
{
    uint8_t text[TEXT_LEN], packed[2 * TEXT_LEN], out[TEXT_LEN + 1];
    struct zn_slice message = { (char *)text, TEXT_LEN };

    (void)state;
    text_fill(text, TEXT_LEN);
    for (uint8_t bits = 8; bits <= 15; bits++) {
        for (int reset = 0; reset < 2; reset++) {
            z_stream ours, peer = { 0 };

            deflater_init(&ours, bits);
            inflateInit2(&peer, -bits);
            for (int i = 0; i < 4; i++) {
                ssize_t n = zn__deflate_message(&ours, message, reset, packed, sizeof(packed));

                assert_true(n > 0);
                if (reset) {
                    inflateReset(&peer);
                }
                assert_int_equal(peer_inflate(&peer, packed, (size_t)n, out, sizeof(out)),
                                 TEXT_LEN);
                assert_memory_equal(out, text, TEXT_LEN);
            }
            inflateEnd(&peer);
            deflateEnd(&ours);
        }
    }
}

static void deflate_takeover_makes_repeats_small(void **state)
{
    uint8_t text[TEXT_LEN], packed[2 * TEXT_LEN];
    struct zn_slice message = { (char *)text, TEXT_LEN };
    ssize_t first, again, fresh;
    z_stream z;

    (void)state;
    text_fill(text, TEXT_LEN);
    deflater_init(&z, 15);
    first = zn__deflate_message(&z, message, false, packed, sizeof(packed));
    again = zn__deflate_message(&z, message, true, packed, sizeof(packed));
    fresh = zn__deflate_message(&z, message, true, packed, sizeof(packed));
    assert_true(again * 10 < first);
    assert_int_equal(fresh, first);
    deflateEnd(&z);
}

static void deflate_too_little_room_drops_context(void **state)
{
    uint8_t text[TEXT_LEN], packed[2 * TEXT_LEN], out[TEXT_LEN + 1];
    struct zn_slice message = { (char *)text, TEXT_LEN };
    z_stream ours, peer = { 0 };
    ssize_t n;

    (void)state;
    text_fill(text, TEXT_LEN);
    deflater_init(&ours, 15);
    inflateInit2(&peer, -15);
    for (size_t cap = 0; cap < 64; cap++) {
        assert_int_equal(zn__deflate_message(&ours, message, false, packed, cap), -EMSGSIZE);
    }
    // The peer saw none of it, and still reads what comes next.
    n = zn__deflate_message(&ours, message, false, packed, sizeof(packed));
    assert_true(n > 0);
    assert_int_equal(peer_inflate(&peer, packed, (size_t)n, out, sizeof(out)), TEXT_LEN);
    inflateEnd(&peer);
    deflateEnd(&ours);
}

static void deflate_bound_suffices_for_noise(void **state)
{
    enum { MAX = 100000 };
    uint8_t *noise = malloc(MAX), *packed = malloc(zn__deflate_bound(MAX));
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t i = 0; i < MAX; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        noise[i] = (uint8_t)seed;
    }
    for (int mem_level = 1; mem_level <= 9; mem_level += 4) {
        for (int level = 0; level <= 9; level += 3) {
            for (uint8_t bits = 8; bits <= 15; bits += 7) {
                z_stream z = { 0 };

                assert_int_equal(zn__deflate_init(&z, bits, level, mem_level), 0);
                for (size_t len = 1; len <= MAX; len = len * 7 / 3 + 1) {
                    struct zn_slice in = { (char *)noise, len };

                    assert_true(
                        zn__deflate_message(&z, in, len & 1, packed, zn__deflate_bound(len)) > 0);
                }
                deflateEnd(&z);
            }
        }
    }
    assert_int_equal(zn__deflate_bound(SIZE_MAX - 1), SIZE_MAX);
    free(packed);
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deflate_hello_is_the_rfc_vector),
        cmocka_unit_test(deflate_windows_peer_reads),
        cmocka_unit_test(deflate_takeover_makes_repeats_small),
        cmocka_unit_test(deflate_too_little_room_drops_context),
        cmocka_unit_test(deflate_bound_suffices_for_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
