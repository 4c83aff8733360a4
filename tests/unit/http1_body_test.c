// SPDX-License-Identifier: Apache-2.0
// Request bodies: by length and chunked (RFC 9112 section 7.1), every split, every
// malformed chunk refused at its byte, limits.
#include "guard.h"
#include "proto/http1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct guard guard;

static const struct zn_http_req chunked = { .chunked = true };

// What came out of a body.
struct result {
    char data[8192];
    size_t len;
    size_t used; // bytes of input up to the verdict
    ssize_t err; // 0 or what ended it
    bool done;
};

static void feed(struct zn_http_body *body, struct result *result, const char *in, size_t len)
{
    const char *p = (char *)guard_copy(&guard, in, len);

    while (len > 0 && !body->done && result->err == 0) {
        struct zn_slice data;
        ssize_t used = zn__http_body_next(body, p, len, &data);

        if (used < 0) {
            result->err = used;
            break;
        }
        assert_in_range(used, 1, len);
        assert_true(data.len == 0 || (data.p >= p && data.p + data.len <= p + used));
        memcpy(result->data + result->len, data.p, data.len);
        result->len += data.len;
        result->used += (size_t)used;
        p += used;
        len -= (size_t)used;
    }
    result->done = body->done;
}

static void read_cut(struct result *result, const struct zn_http_req *req, const char *in,
                     size_t cut, size_t len)
{
    struct zn_http_body body;

    memset(result, 0, offsetof(struct result, done) + 1);
    zn__http_body_init(&body, req);
    feed(&body, result, in, cut);
    feed(&body, result, in + cut, len - cut);
}

// Reads byte by byte.
static void read_bytes(struct result *result, const struct zn_http_req *req, const char *in,
                       size_t len)
{
    struct zn_http_body body;

    memset(result, 0, sizeof(*result));
    zn__http_body_init(&body, req);
    for (size_t i = 0; i < len; i++) {
        feed(&body, result, in + i, 1);
    }
    result->done = body.done;
}

// A body that takes `used` of `in` and gives `data`, however it is cut.
static void assert_body(const struct zn_http_req *req, const char *in, size_t len, size_t used,
                        const char *data)
{
    static struct result result;

    for (size_t cut = 0; cut <= len + 1; cut++) {
        if (cut <= len) {
            read_cut(&result, req, in, cut, len);
        } else {
            read_bytes(&result, req, in, len);
        }
        assert_int_equal(result.err, 0);
        assert_true(result.done);
        assert_int_equal(result.used, used);
        assert_int_equal(result.len, strlen(data));
        assert_memory_equal(result.data, data, result.len);
    }
}

static void body_by_length_ends_there(void **state)
{
    static const struct zn_http_req five = { .has_length = true, .content_length = 5 };
    static const struct zn_http_req zero = { .has_length = true };
    static const struct zn_http_req none = { .has_length = false };
    struct zn_http_body body;

    (void)state;
    assert_body(&five, "helloGET /", 10, 5, "hello");
    zn__http_body_init(&body, &zero);
    assert_true(body.done);
    zn__http_body_init(&body, &none);
    assert_true(body.done);
}

static void body_by_length_cut_short_is_not_done(void **state)
{
    static const struct zn_http_req huge = { .has_length = true, .content_length = INT64_MAX };
    static struct result result;

    (void)state;
    read_cut(&result, &huge, "hello", 2, 5);
    assert_int_equal(result.err, 0);
    assert_false(result.done);
    assert_int_equal(result.len, 5);
}

#define BODY(in, used, data)                                                                       \
    {                                                                                              \
        in, sizeof(in) - 1, used, data                                                             \
    }

static void body_in_chunks_is_joined(void **state)
{
    static const struct {
        const char *in;
        size_t len, used;
        const char *data;
    } good[] = {
        BODY("0\r\n\r\n", 5, ""),
        BODY("0\r\n\r\nGET /", 5, ""),
        BODY("5\r\nhello\r\n0\r\n\r\n", 15, "hello"),
        BODY("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", 28, "hello world"),
        BODY("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 35, "01234567890123456789"),
        BODY("0000000000000001\r\nx\r\n0\r\n\r\n", 26, "x"),
        BODY("1;a\r\nx\r\n0;b=c;d=\"e\\\" ;\t\"\r\n\r\n", 28, "x"),
        BODY("2\r\n\r\n\r\n0\r\n\r\n", 12, "\r\n"),
        BODY("0\r\nX: y\r\nContent-Length: 5\r\nZ:\r\n\r\n", 34, ""),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_body(&chunked, good[i].in, good[i].len, good[i].used, good[i].data);
    }
}

#define BAD(in)                                                                                    \
    {                                                                                              \
        in, sizeof(in) - 1                                                                         \
    }

// Each ends at the byte that must be refused.
static void body_with_malformed_chunk_is_refused(void **state)
{
    static const struct {
        const char *in;
        size_t len;
    } bad[] = {
        BAD("\r"),
        BAD("\n"),
        BAD(" "),
        BAD(";"),
        BAD("g"),
        BAD("-"),
        BAD("+"),
        BAD("0x"),
        BAD("5 "),
        BAD("5\t"),
        BAD("5\n"),
        BAD("5\0"),
        BAD("5_"),
        BAD("5\r\r"),
        BAD("5\rh"),
        BAD("00000000000000001"),
        BAD("8000000000000000"), // 2^63
        BAD("fffffffffffffff"
            "f"),
        BAD("5;\r"),
        BAD("5;;"),
        BAD("5; "),
        BAD("5;a "),
        BAD("5;a\n"),
        BAD("5;a=\r"),
        BAD("5;a=;"),
        BAD("5;a=b "),
        BAD("5;a=b\n"),
        BAD("5;a=\"\r"),
        BAD("5;a=\"\n"),
        BAD("5;a=\"\\\r"),
        BAD("5;a=\"b\"c"),
        BAD("5;a\0"),
        BAD("5\r\nhello\n"),
        BAD("5\r\nhellox"),
        BAD("5\r\nhello0"),
        BAD("5\r\nhello\r\r"),
        BAD("5\r\nhello\r\n\r"),
        BAD("0\r\n\n"),
        BAD("0\r\n\rx"),
        BAD("0\r\n "),
        BAD("0\r\n:"),
        BAD("0\r\nX "),
        BAD("0\r\nX\r"),
        BAD("0\r\nX: y\n"),
        BAD("0\r\nX: y\0"),
        BAD("0\r\nX: y\r\r"),
        BAD("0\r\nX: y\r\n "),
    };
    static struct result result;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        read_bytes(&result, &chunked, bad[i].in, bad[i].len);
        if (result.err != -EPROTO || result.used != bad[i].len - 1) {
            print_error("%s: %zd at %zu\n", bad[i].in, result.err, result.used);
            fail();
        }
        for (size_t cut = 0; cut <= bad[i].len; cut++) {
            read_cut(&result, &chunked, bad[i].in, cut, bad[i].len);
            assert_int_equal(result.err, -EPROTO);
            assert_false(result.done);
        }
    }
}

static void body_refused_stays_refused(void **state)
{
    struct zn_http_body body;
    struct zn_slice data;

    (void)state;
    zn__http_body_init(&body, &chunked);
    assert_int_equal(zn__http_body_next(&body, "x", 1, &data), -EPROTO);
    assert_int_equal(zn__http_body_next(&body, "0\r\n\r\n", 5, &data), -EPROTO);
}

// Bytes that are not body are bounded over the whole body; chunk heads are not
// among them, so that small chunks may go on.
static void body_with_much_beside_it_is_refused(void **state)
{
    struct zn_http_body body;
    struct zn_slice data;
    ssize_t used = 0;
    int chunks = 0;

    (void)state;
    zn__http_body_init(&body, &chunked);
    for (; used >= 0 && chunks < 10000; chunks++) {
        used = zn__http_body_next(&body, "1\r\nx", 4, &data);
        assert_int_equal(used, 4);
        assert_int_equal(zn__http_body_next(&body, "\r\n", 2, &data), 2);
    }
    for (chunks = 0; used >= 0; chunks++) {
        used = zn__http_body_next(&body, "1;abcdefg\r\nx", 12, &data);
        assert_true(used == -EMSGSIZE || used == 12);
        if (used == 12) {
            assert_int_equal(zn__http_body_next(&body, "\r\n", 2, &data), 2);
        }
    }
    assert_in_range(chunks, 4096 / 9, 4096 / 7);
    zn__http_body_init(&body, &chunked);
    assert_int_equal(zn__http_body_next(&body, "0\r\n", 3, &data), 3);
    for (chunks = 0, used = 0; used >= 0; chunks++) {
        used = zn__http_body_next(&body, "X: abc\r\n", 8, &data);
    }
    assert_int_equal(used, -EMSGSIZE);
    assert_int_equal(chunks, 4096 / 8 + 1);
}

static int guard_setup(void **state)
{
    (void)state;
    guard_init(&guard, 4096);
    return 0;
}

static int guard_teardown(void **state)
{
    (void)state;
    guard_deinit(&guard);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_by_length_ends_there),
        cmocka_unit_test(body_by_length_cut_short_is_not_done),
        cmocka_unit_test(body_in_chunks_is_joined),
        cmocka_unit_test(body_with_malformed_chunk_is_refused),
        cmocka_unit_test(body_refused_stays_refused),
        cmocka_unit_test(body_with_much_beside_it_is_refused),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
