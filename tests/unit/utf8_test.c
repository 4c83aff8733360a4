// SPDX-License-Identifier: Apache-2.0
// UTF-8 against a checker that decodes code points: every sequence of up to three bytes, the
// interesting ones of four, every split, every SIMD level, between guard pages.
#include "guard.h"
#include "proto/simd.h"
#include "proto/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

// The code point at s[0, n) and its length; 0 when there is none. By arithmetic, not by table 3-7.
static size_t decode(const uint8_t *s, size_t n, uint32_t *code)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80       ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    *code = c;
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : len;
}

static bool simple_valid(const uint8_t *s, size_t n)
{
    uint32_t code;
    while (n > 0) {
        size_t len = decode(s, n, &code);
        if (len == 0)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

// Whether some text begins with s[0, n): by trying to complete it.
static bool simple_viable(const uint8_t *s, size_t n)
{
    static const uint8_t more[] = { 0x80, 0x90, 0xa0 };
    uint8_t t[16];
    if (simple_valid(s, n))
        return true;
    memcpy(t, s, n);
    for (size_t a = 0; a < 3; a++) {
        t[n] = more[a];
        t[n + 1] = t[n + 2] = 0x80;
        for (size_t len = 1; len <= 3; len++) {
            if (simple_valid(t, n + len))
                return true;
        }
    }
    return false;
}

static bool in_two(const uint8_t *s, size_t n, size_t split)
{
    struct zn_utf8 state = { 0 };
    return zn__utf8_next(&state, s, split) && zn__utf8_next(&state, s + split, n - split) &&
           zn__utf8_done(&state);
}

// Up to four bytes from counters.
struct sequence {
    uint8_t s[4];
};

static struct sequence sequence(unsigned a, unsigned b, unsigned c, unsigned d)
{
    return (struct sequence){ { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d } };
}

static void fail_bytes(const char *what, const uint8_t *s, size_t n)
{
    char text[3 * 8 + 1] = "";
    for (size_t i = 0; i < n && i < 8; i++)
        snprintf(text + 3 * i, 4, "%02x ", s[i]);
    fail_msg("%s: %s: %s", zn__simd_name(zn__simd_level()), what, text);
}

static void check_sequence(const uint8_t *s, size_t n)
{
    bool want = simple_valid(s, n);
    if (zn__utf8_valid(s, n) != want)
        fail_bytes("whole", s, n);
    for (size_t split = 1; split < n; split++) {
        if (in_two(s, n, split) != want)
            fail_bytes("split", s, n);
    }
}

static void utf8_all_of_one_to_three_bytes_equals_simple_checker(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        check_sequence(sequence(a, 0, 0, 0).s, 1);
        for (unsigned b = 0; b < 256; b++) {
            check_sequence(sequence(a, b, 0, 0).s, 2);
            for (unsigned c = 0; c < 256; c++)
                check_sequence(sequence(a, b, c, 0).s, 3);
        }
    }
}

static void utf8_four_bytes_equals_simple_checker(void **state)
{
    (void)state;
    for (unsigned a = 0xec; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            for (unsigned c = 0; c < 256; c += 5) {
                for (unsigned d = c & 3; d < 256; d += 7)
                    check_sequence(sequence(a, b, c, d).s, 4);
            }
        }
    }
}

// Bytes on both sides of every boundary in table 3-7.
static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
enum { EDGES = sizeof(edges) };

static void utf8_bad_byte_fails_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EDGES * EDGES * EDGES * EDGES; i++) {
        uint8_t s[4] = { edges[i % EDGES], edges[i / EDGES % EDGES],
                         edges[i / (EDGES * EDGES) % EDGES], edges[i / (EDGES * EDGES * EDGES)] };
        struct zn_utf8 utf8 = { 0 };
        for (size_t n = 1; n <= 4; n++) {
            bool good = simple_viable(s, n);
            if (zn__utf8_next(&utf8, s + n - 1, 1) != good)
                fail_bytes("one by one", s, n);
            if (!good)
                break;
            if (zn__utf8_done(&utf8) != simple_valid(s, n))
                fail_bytes("done", s, n);
        }
    }
}

static void each_level(void (*check)(const struct guard *))
{
    struct guard guard;
    guard_init(&guard, 4096);
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        if (zn__simd_set((enum zn_simd)level) == (enum zn_simd)level)
            check(&guard);
    }
    zn__simd_set(zn__simd_best());
    guard_deinit(&guard);
}

// `s` inside a long text, `before` bytes from its start: blocks of every level are cut there.
static void check_inside(const struct guard *guard, const uint8_t *s, size_t n, size_t before,
                         const char *filler)
{
    size_t filler_len = strlen(filler);
    before = before / filler_len * filler_len;
    size_t after = 130 / filler_len * filler_len;
    uint8_t *text = guard_end(guard, before + n + after);
    for (size_t i = 0; i < before; i++)
        text[i] = (uint8_t)filler[i % filler_len];
    memcpy(text + before, s, n);
    for (size_t i = 0; i < after; i++)
        text[before + n + i] = (uint8_t)filler[i % filler_len];
    struct zn_utf8 utf8 = { 0 };
    if (zn__utf8_valid(text, before + n + after) != simple_valid(s, n))
        fail_bytes("inside", s, n);
    // Cut behind it: a character that lacks bytes is no error yet.
    if (zn__utf8_next(&utf8, text, before + n) != simple_viable(s, n))
        fail_bytes("at the end", s, n);
}

static void check_edges_inside(const struct guard *guard)
{
    static const char *const fillers[] = { "a", "\xc3\xa9", "\xed\x95\x9c", "\xf0\x9f\x98\x80" };
    static const size_t places[] = {
        0, 12, 29, 31, 60, 61, 62, 63, 64, 126, 127, 188, 252, 255, 256
    };
    for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++) {
        for (unsigned i = (unsigned)p; i < EDGES * EDGES * EDGES * EDGES; i += 13) {
            uint8_t s[4] = { edges[i % EDGES], edges[i / EDGES % EDGES],
                             edges[i / (EDGES * EDGES) % EDGES],
                             edges[i / (EDGES * EDGES * EDGES)] };
            check_inside(guard, s, 1 + i % 4, places[p], fillers[(i / 13) & 3]);
        }
    }
}

static void utf8_edges_inside_long_text_equals_simple_checker(void **state)
{
    (void)state;
    each_level(check_edges_inside);
}

// All pairs and the last two bytes of all triples with a lead of three, across a block's end.
static void check_pairs_inside(const struct guard *guard)
{
    for (unsigned a = 0x80; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            for (size_t before = 61; before < 64; before++) {
                check_inside(guard, sequence(a, b, 0, 0).s, 2, before, "a");
                check_inside(guard, sequence(a, b, 0x80, 0).s, 3, before, "a");
                check_inside(guard, sequence(a, b, 0xbf, 0x80).s, 4, before, "a");
            }
        }
    }
}

static void utf8_pairs_across_blocks_equals_simple_checker(void **state)
{
    (void)state;
    each_level(check_pairs_inside);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static size_t put_char(uint8_t *out, uint32_t c)
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[len] | c);
    return len;
}

// About `len` bytes of valid text that favours one length of characters, at times.
static size_t random_text(uint32_t *seed, uint8_t *out, size_t len)
{
    static const uint32_t tops[4] = { 0x80, 0x800, 0x10000, 0x110000 };
    uint32_t kind = random_next(seed) % 5;
    size_t n = 0;
    while (n + 4 <= len) {
        uint32_t top = tops[kind < 4 ? kind : random_next(seed) % 4];
        uint32_t c = random_next(seed) % top;
        if (c < 0xd800 || c > 0xdfff)
            n += put_char(out + n, c);
    }
    return n;
}

static void check_random_text(const struct guard *guard)
{
    uint32_t seed = 20210713;
    static uint8_t text[1200];
    for (int round = 0; round < 20000; round++) {
        size_t n = random_text(&seed, text, random_next(&seed) % sizeof(text));
        if (round & 1 && n > 0)
            text[random_next(&seed) % n] ^= (uint8_t)(1u << random_next(&seed) % 8);
        bool want = simple_valid(text, n);
        uint8_t *at = guard_copy(guard, text, n);
        assert_int_equal(zn__utf8_valid(at, n), want);
        memcpy(guard->start, text, n);
        assert_int_equal(zn__utf8_valid(guard->start, n), want);
        for (int i = 0; i < 4; i++)
            assert_int_equal(in_two(at, n, n > 0 ? random_next(&seed) % n : 0), want);
    }
}

static void utf8_random_text_equals_simple_checker(void **state)
{
    (void)state;
    each_level(check_random_text);
}

static void check_every_split(const struct guard *guard)
{
    uint32_t seed = 7;
    uint8_t text[320];
    for (int round = 0; round < 30; round++) {
        size_t n = random_text(&seed, text, sizeof(text));
        if (round & 1)
            text[n - 1 - random_next(&seed) % (n / 2)] ^= 0x80;
        bool want = simple_valid(text, n);
        uint8_t *at = guard_copy(guard, text, n);
        for (size_t split = 0; split <= n; split++)
            assert_int_equal(in_two(at, n, split), want);
    }
}

static void utf8_every_split_gives_same_answer(void **state)
{
    (void)state;
    each_level(check_every_split);
}

static void check_bad_byte_each_place(const struct guard *guard)
{
    for (size_t n = 1; n <= 400; n += 7) {
        uint8_t *at = guard_end(guard, n);
        memset(at, 'a', n);
        for (size_t bad = 0; bad < n; bad++) {
            at[bad] = 0xff;
            assert_false(zn__utf8_valid(at, n));
            at[bad] = 0x80;
            assert_false(zn__utf8_valid(at, n));
            at[bad] = 0xc3;
            assert_false(zn__utf8_valid(at, n));
            at[bad] = 'a';
        }
        assert_true(zn__utf8_valid(at, n));
    }
}

static void utf8_bad_byte_in_ascii_is_found_in_each_place(void **state)
{
    (void)state;
    each_level(check_bad_byte_each_place);
}

static void utf8_empty_runs_change_nothing(void **state)
{
    (void)state;
    struct zn_utf8 utf8 = { 0 };
    assert_true(zn__utf8_valid(NULL, 0));
    assert_true(zn__utf8_next(&utf8, (const uint8_t *)"\xe2\x82", 2));
    assert_true(zn__utf8_next(&utf8, NULL, 0));
    assert_false(zn__utf8_done(&utf8));
    assert_true(zn__utf8_next(&utf8, (const uint8_t *)"\xac", 1));
    assert_true(zn__utf8_done(&utf8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_empty_runs_change_nothing),
        cmocka_unit_test(utf8_bad_byte_fails_at_once),
        cmocka_unit_test(utf8_all_of_one_to_three_bytes_equals_simple_checker),
        cmocka_unit_test(utf8_four_bytes_equals_simple_checker),
        cmocka_unit_test(utf8_edges_inside_long_text_equals_simple_checker),
        cmocka_unit_test(utf8_pairs_across_blocks_equals_simple_checker),
        cmocka_unit_test(utf8_random_text_equals_simple_checker),
        cmocka_unit_test(utf8_every_split_gives_same_answer),
        cmocka_unit_test(utf8_bad_byte_in_ascii_is_found_in_each_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
