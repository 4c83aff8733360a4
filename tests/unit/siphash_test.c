// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 against OpenSSL's SipHash with the same rounds, on the input of the reference
// vectors: key 00..0f, message 00..n-1.
#include "core/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

static uint64_t reference(const uint8_t key[16], const uint8_t *data, size_t len)
{
    unsigned compression = 1, finalization = 3;
    size_t size = 8, got;
    uint8_t digest[8];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint("c-rounds", &compression),
        OSSL_PARAM_construct_uint("d-rounds", &finalization),
        OSSL_PARAM_construct_size_t("size", &size),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    assert_int_equal(EVP_MAC_init(context, key, 16, params), 1);
    assert_int_equal(EVP_MAC_update(context, data, len), 1);
    assert_int_equal(EVP_MAC_final(context, digest, &got, sizeof digest), 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    uint64_t hash;
    memcpy(&hash, digest, sizeof hash);
    return le64toh(hash);
}

static void hash_of_each_length_equals_reference(void **state)
{
    (void)state;
    uint8_t key[16], data[80];
    uint64_t words[2];
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    memcpy(words, key, sizeof words);
    words[0] = le64toh(words[0]);
    words[1] = le64toh(words[1]);
    assert_true(zn__siphash(words, data, 0) == UINT64_C(0xabac0158050fc4dc));
    for (size_t len = 0; len < 70; len++) {
        assert_true(zn__siphash(words, data, len) == reference(key, data, len));
        // At any alignment.
        memmove(data + 1, data, sizeof data - 1);
        assert_true(zn__siphash(words, data + 1, len) == reference(key, data + 1, len));
    }
}

static void hash_with_other_key_differs(void **state)
{
    (void)state;
    const uint64_t one[2] = { 1, 2 }, other[2] = { 1, 3 };
    assert_true(zn__siphash(one, "room", 4) != zn__siphash(other, "room", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_each_length_equals_reference),
        cmocka_unit_test(hash_with_other_key_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
