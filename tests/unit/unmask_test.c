// SPDX-License-Identifier: Apache-2.0
// Unmasking: every SIMD level against a byte loop, at every phase, alignment and length.
#include "guard.h"
#include "proto/simd.h"
#include "proto/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

static uint32_t key_at(unsigned phase)
{
    uint8_t turned[4];
    uint32_t mask;
    for (unsigned i = 0; i < 4; i++)
        turned[i] = key[(phase + i) & 3];
    memcpy(&mask, turned, 4);
    return mask;
}

static uint8_t plain(size_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 7 + 5);
}

// Unmasks data[0, len) inside data[-before, len + after) and looks at all of it.
static void check_run(uint8_t *data, size_t len, unsigned phase, size_t before, size_t after)
{
    uint8_t *from = data - before;
    size_t all = before + len + after;
    for (size_t i = 0; i < all; i++)
        from[i] = plain(i);
    uint32_t mask = zn__ws_unmask(data, len, key_at(phase));
    assert_int_equal(mask, key_at((unsigned)(phase + len) & 3));
    for (size_t i = 0; i < all; i++) {
        uint8_t want = plain(i);
        if (i >= before && i < before + len)
            want ^= key[(phase + i - before) & 3];
        if (from[i] != want)
            fail_msg("%s: length %zu, phase %u, address %% 64 = %zu: byte %zd is wrong",
                     zn__simd_name(zn__simd_level()), len, phase, (size_t)data % 64,
                     (ssize_t)(i - before));
    }
}

static void each_level(void (*check)(void))
{
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        if (zn__simd_set((enum zn_simd)level) == (enum zn_simd)level)
            check();
    }
    zn__simd_set(zn__simd_best());
}

static void check_short_lengths(void)
{
    static _Alignas(64) uint8_t room[512];
    for (size_t align = 0; align < 64; align++) {
        for (size_t len = 0; len <= 300; len++) {
            for (unsigned phase = 0; phase < 4; phase++)
                check_run(room + 64 + align, len, phase, 32, 32);
        }
    }
}

static void unmask_short_lengths_equals_byte_loop(void **state)
{
    (void)state;
    each_level(check_short_lengths);
}

static void check_long_lengths(void)
{
    static _Alignas(64) uint8_t room[70000];
    static const size_t lengths[] = { 1023, 1024, 1025, 4095, 4096, 4097, 4161, 65535, 65536 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        for (size_t align = 0; align < 64; align += 3)
            check_run(room + 64 + align, lengths[i], (unsigned)(align & 3), 32, 64);
    }
}

static void unmask_long_lengths_equals_byte_loop(void **state)
{
    (void)state;
    each_level(check_long_lengths);
}

static void check_guard_pages(void)
{
    struct guard guard;
    guard_init(&guard, 4096);
    for (size_t len = 0; len <= 700; len++) {
        check_run(guard_end(&guard, len), len, len & 3, 0, 0);
        check_run(guard.start, len, len & 3, 0, 0);
    }
    guard_deinit(&guard);
}

static void unmask_between_guard_pages_stays_inside(void **state)
{
    (void)state;
    each_level(check_guard_pages);
}

static void check_pieces(void)
{
    static uint8_t room[600];
    for (size_t first = 0; first <= 600; first++) {
        uint32_t mask = key_at(0);
        memset(room, 0, sizeof(room));
        mask = zn__ws_unmask(room, first, mask);
        zn__ws_unmask(room + first, sizeof(room) - first, mask);
        for (size_t i = 0; i < sizeof(room); i++)
            assert_int_equal(room[i], key[i & 3]);
    }
}

static void unmask_in_two_pieces_equals_one(void **state)
{
    (void)state;
    each_level(check_pieces);
}

static void simd_level_above_best_is_refused(void **state)
{
    (void)state;
    assert_int_equal(zn__simd_level(), zn__simd_best());
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        enum zn_simd set = zn__simd_set((enum zn_simd)level);
        assert_true(set <= zn__simd_best() && set <= (enum zn_simd)level);
        assert_int_equal(set, zn__simd_level());
        assert_string_not_equal(zn__simd_name(set), "unknown");
    }
    zn__simd_set(zn__simd_best());
}

static void simd_name_caps_the_level(void **state)
{
    const char *name = getenv("ZN_SIMD");
    (void)state;
    assert_int_equal(zn__simd_cap(ZN_SIMD_AVX2, "scalar"), ZN_SIMD_SCALAR);
    assert_int_equal(zn__simd_cap(ZN_SIMD_AVX2, zn__simd_name(ZN_SIMD_128)), ZN_SIMD_128);
    assert_int_equal(zn__simd_cap(ZN_SIMD_AVX2, "avx512"), ZN_SIMD_AVX2);
    assert_int_equal(zn__simd_cap(ZN_SIMD_AVX2, "none"), ZN_SIMD_AVX2);
    assert_int_equal(zn__simd_cap(ZN_SIMD_AVX2, NULL), ZN_SIMD_AVX2);
    assert_int_equal(zn__simd_best(), zn__simd_cap(zn__simd_best(), name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simd_level_above_best_is_refused),
        cmocka_unit_test(simd_name_caps_the_level),
        cmocka_unit_test(unmask_short_lengths_equals_byte_loop),
        cmocka_unit_test(unmask_long_lengths_equals_byte_loop),
        cmocka_unit_test(unmask_between_guard_pages_stays_inside),
        cmocka_unit_test(unmask_in_two_pieces_equals_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
