// SPDX-License-Identifier: Apache-2.0
// Base64: the vectors of RFC 4648 section 10, every length and byte, and what is refused.
#include "guard.h"
#include "proto/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static const struct {
    const char *text, *encoded;
} vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static ssize_t decode(const char *text, uint8_t *out)
{
    return zn__base64_decode((struct zn_slice){ text, strlen(text) }, out);
}

static void base64_rfc4648_vectors_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char out[16];
        uint8_t back[16];
        size_t text_len = strlen(vectors[i].text), len = strlen(vectors[i].encoded);
        assert_int_equal(ZN_BASE64_LEN(text_len), len);
        assert_int_equal(zn__base64_encode(vectors[i].text, text_len, out), len);
        assert_memory_equal(out, vectors[i].encoded, len);
        assert_int_equal(decode(vectors[i].encoded, back), text_len);
        assert_memory_equal(back, vectors[i].text, text_len);
    }
}

static void base64_any_bytes_come_back(void **state)
{
    (void)state;
    struct guard in, text, out;
    guard_init(&in, 4096);
    guard_init(&text, 4096);
    guard_init(&out, 4096);
    for (size_t len = 0; len <= 300; len++) {
        uint8_t *bytes = guard_end(&in, len);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 167 + len);
        size_t text_len = ZN_BASE64_LEN(len);
        char *encoded = (char *)guard_end(&text, text_len);
        assert_int_equal(zn__base64_encode(bytes, len, encoded), text_len);
        uint8_t *back = guard_end(&out, text_len / 4 * 3 + 3);
        assert_int_equal(zn__base64_decode((struct zn_slice){ encoded, text_len }, back), len);
        assert_memory_equal(back, bytes, len);
        while (text_len > 0 && encoded[text_len - 1] == '=')
            text_len--;
        encoded = (char *)guard_copy(&text, encoded, text_len);
        back = guard_end(&out, text_len / 4 * 3 + 3);
        assert_int_equal(zn__base64_decode((struct zn_slice){ encoded, text_len }, back), len);
        assert_memory_equal(back, bytes, len);
    }
    guard_deinit(&in);
    guard_deinit(&text);
    guard_deinit(&out);
}

static void base64url_has_own_alphabet_and_no_padding(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0xfb, 0xff, 0xbf, 0xfb, 0xf0 };
    static const char *const want[] = { "", "-w", "-_8", "-_-_", "-_-_-w", "-_-_-_A" };
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        char out[8];
        assert_int_equal(zn__base64url_encode(bytes, len, out), strlen(want[len]));
        assert_memory_equal(out, want[len], strlen(want[len]));
    }
}

static void base64_bytes_outside_alphabet_are_refused(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 7; at++) {
            char text[8] = "AAAAAAA";
            uint8_t out[8];
            text[at] = (char)c;
            // The padding of "AAAAAA=" would make a length of 7, which is impossible.
            bool good = memchr(alphabet, c, 64) != NULL;
            ssize_t got = zn__base64_decode((struct zn_slice){ text, 7 }, out);
            assert_int_equal(got, good ? 5 : -EPROTO);
        }
    }
}

static void base64_impossible_lengths_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",   "AAAAA", "=",     "==",     "===",      "====",     "A=",       "A==", "A===",
        "AA=", "AAA==", "AAAA=", "AAAA==", "AAAA====", "AA==AAAA", "AAA=AAAA", "A=AA"
    };
    struct guard guard;
    uint8_t out[16];
    guard_init(&guard, 4096);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        size_t len = strlen(bad[i]);
        const char *text = (const char *)guard_copy(&guard, bad[i], len);
        if (zn__base64_decode((struct zn_slice){ text, len }, out) != -EPROTO)
            fail_msg("%s is taken", bad[i]);
    }
    guard_deinit(&guard);
}

static void base64_leftover_bits_are_dropped(void **state)
{
    (void)state;
    uint8_t out[8];
    assert_int_equal(decode("Zh==", out), 1);
    assert_int_equal(out[0], 'f');
    assert_int_equal(decode("Zm9", out), 2);
    assert_memory_equal(out, "fo", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rfc4648_vectors_match),
        cmocka_unit_test(base64_any_bytes_come_back),
        cmocka_unit_test(base64url_has_own_alphabet_and_no_padding),
        cmocka_unit_test(base64_bytes_outside_alphabet_are_refused),
        cmocka_unit_test(base64_impossible_lengths_are_refused),
        cmocka_unit_test(base64_leftover_bits_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
