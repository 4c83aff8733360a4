// SPDX-License-Identifier: Apache-2.0
// Request heads that are refused at their byte: every smuggling shape, and what is too long.
#include "http1_heads.h"

#include "proto/http1.h"

#define REFUSED(text, status)                                                                      \
    {                                                                                              \
        text, sizeof(text) - 1, status                                                             \
    }

// SECURITY: each of these ends where the verdict must fall.
static const struct {
    const char *head;
    size_t len;
    uint16_t status;
} refused[] = {
    // The request line.
    REFUSED(" ", 400),
    REFUSED("\n", 400),
    REFUSED("\r\r", 400),
    REFUSED("\r\n\r", 400),
    REFUSED("G\0", 400),
    REFUSED("GET\t", 400),
    REFUSED("GET\r", 400),
    REFUSED("G\xc3", 400),
    REFUSED("\x16", 400), // a TLS hello
    REFUSED("PRIVATEPRIVATEPRIVATEPRIVATEPRIVA", 501),
    REFUSED("GET  ", 400),
    REFUSED("GET h", 400), // absolute-form
    REFUSED("GET *", 400),
    REFUSED("OPTIONS *x", 400),
    REFUSED("OPTIONS *?", 400),
    REFUSED("CONNECT a", 400),
    REFUSED("GET /#", 400),
    REFUSED("GET /\"", 400),
    REFUSED("GET /a\x7f", 400),
    REFUSED("GET /\xc3", 400),
    REFUSED("GET /\r", 400), // HTTP/0.9
    REFUSED("GET /\n", 400),
    REFUSED("GET /\0", 400),
    REFUSED("GET /\t", 400),
    REFUSED("GET /  ", 400),
    REFUSED("GET / h", 400),
    REFUSED("GET / HTTP/2", 505),
    REFUSED("GET / HTTP/0", 505),
    REFUSED("GET / HTTP/1.2", 505),
    REFUSED("GET / HTTP/1.1 ", 400),
    REFUSED("GET / HTTP/1.1\n", 400),
    REFUSED("GET / HTTP/1.11", 400),
    REFUSED("GET / HTTP/1,", 400),
    REFUSED("GET / HTTP/x", 400),
    REFUSED("GET / HTTP/1.1\rH", 400),
    // Lines.
    REFUSED(LINE " ", 400), // white space before the first field
    REFUSED(LINE "\t", 400),
    REFUSED(LINE "\n", 400),
    REFUSED(LINE ":", 400),
    REFUSED(LINE "Host ", 400),
    REFUSED(LINE "Host\t", 400),
    REFUSED(LINE "Host\r", 400),
    REFUSED(LINE "Ho\xc3", 400),
    REFUSED(LINE "Ho\0", 400),
    REFUSED(LINE "Ho(", 400),
    REFUSED(HOST "X: a\r\n ", 400), // obs-fold
    REFUSED(HOST "X: a\r\n\t", 400),
    REFUSED(HOST "X: a\n", 400),
    REFUSED(HOST "X: a\rb", 400),
    REFUSED(HOST "X: a\r\r", 400),
    REFUSED(HOST "X: a\0", 400),
    REFUSED(HOST "X: 0123456789abcdef\x01", 400),
    REFUSED(HOST "X: 0123456789abcdef\x7f", 400),
    REFUSED(HOST "X:\n", 400),
    REFUSED(HOST "\rX", 400),
    REFUSED(HOST "\r\r", 400),
    // Host.
    REFUSED(LINE "\r\n", 400),
    REFUSED(LINE "X: a\r\n\r\n", 400),
    REFUSED(HOST "Host: a\r", 400),
    REFUSED(HOST "hOST: b\r", 400),
    REFUSED("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r", 400),
    REFUSED(LINE "Host: a, b\r", 400),
    REFUSED(LINE "Host: a,b\r", 400),
    REFUSED(LINE "Host: a b\r", 400),
    REFUSED(LINE "Host: u@a\r", 400),
    REFUSED(LINE "Host: a/b\r", 400),
    REFUSED(LINE "Host: a:b\r", 400),
    REFUSED(LINE "Host: a:1:2\r", 400),
    REFUSED(LINE "Host: [::1\r", 400),
    REFUSED(LINE "Host: [::1]x\r", 400),
    REFUSED(LINE "Host: \xff\r", 400),
    // Content-Length.
    REFUSED(HOST "Content-Length: 5\r\nContent-Length: 5\r", 400),
    REFUSED(HOST "Content-Length: 5\r\nContent-length: 6\r", 400),
    REFUSED(HOST "Content-Length: 5, 5\r", 400),
    REFUSED(HOST "Content-Length: 5,\r", 400),
    REFUSED(HOST "Content-Length:\r", 400),
    REFUSED(HOST "Content-Length: \r", 400),
    REFUSED(HOST "Content-Length: +5\r", 400),
    REFUSED(HOST "Content-Length: -5\r", 400),
    REFUSED(HOST "Content-Length: 0x5\r", 400),
    REFUSED(HOST "Content-Length: 5 5\r", 400),
    REFUSED(HOST "Content-Length: 5.0\r", 400),
    REFUSED(HOST "Content-Length: 5;\r", 400),
    REFUSED(HOST "Content-Length: \"5\"\r", 400),
    REFUSED(HOST "Content-Length: 9223372036854775808\r", 400),
    REFUSED(HOST "Content-Length: 18446744073709551621\r", 400),
    REFUSED(HOST "Content-Length: 99999999999999999999999999\r", 400),
    REFUSED(HOST "Content-Length ", 400),
    REFUSED(HOST "Content-Length: 5\t\r", 400),
    REFUSED(HOST "Content-Length:\t5\r", 400),
    // Transfer-Encoding.
    REFUSED(HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked, chunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked, identity\r", 400),
    REFUSED(HOST "Transfer-Encoding: gzip, chunked\r", 501),
    REFUSED(HOST "Transfer-Encoding: gzip\r", 400),
    REFUSED(HOST "Transfer-Encoding: identity\r", 400),
    REFUSED(HOST "Transfer-Encoding: xchunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunkedx\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunk\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked;q=1\r", 400),
    REFUSED(HOST "Transfer-Encoding: ,chunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: \"chunked\"\r", 400),
    REFUSED(HOST "Transfer-Encoding: \x0b", 400),
    REFUSED(HOST "Transfer-Encoding:\r", 400),
    REFUSED(HOST "Transfer-Encoding:\tchunked\r", 400),
    REFUSED(HOST "Transfer-Encoding: chunked \t\r", 400),
    REFUSED("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r", 400),
};

static void head_that_reads_two_ways_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_refused(refused[i].head, refused[i].len, refused[i].status);
    }
}

// Writes a head of `len` bytes whose target or last field makes up the length.
static void fill_head(char *head, size_t len, bool in_target)
{
    static const char before[] = "GET /";
    static const char middle[] = " HTTP/1.1\r\nHost: a\r\nX:";
    static const char after[] = "\r\n\r\n";
    size_t fill = len - (sizeof(before) + sizeof(middle) + sizeof(after) - 3);
    char *p = head;

    p = mempcpy(p, before, sizeof(before) - 1);
    if (in_target) {
        p = (char *)memset(p, 'a', fill) + fill;
    }
    p = mempcpy(p, middle, sizeof(middle) - 1);
    if (!in_target) {
        p = (char *)memset(p, 'b', fill) + fill;
    }
    memcpy(p, after, sizeof(after) - 1);
}

static void head_at_the_limit_is_read_and_beyond_refused(void **state)
{
    static char head[2 * ZN_HTTP_HEAD_MAX];
    struct zn_http_req req;
    size_t used;

    (void)state;
    for (int in_target = 0; in_target < 2; in_target++) {
        fill_head(head, ZN_HTTP_HEAD_MAX, in_target);
        assert_int_equal(parse(&req, head, ZN_HTTP_HEAD_MAX), 0);
        assert_int_equal(req.head_len, ZN_HTTP_HEAD_MAX);
        fill_head(head, ZN_HTTP_HEAD_MAX + 1, in_target);
        assert_int_equal(parse(&req, head, ZN_HTTP_HEAD_MAX - 1), -EAGAIN);
        assert_int_equal(parse(&req, head, ZN_HTTP_HEAD_MAX), -EPROTO);
        assert_int_equal(parse(&req, head, ZN_HTTP_HEAD_MAX + 1), -EPROTO);
        assert_int_equal(req.status, 431);
    }
    fill_head(head, 2 * ZN_HTTP_HEAD_MAX, true);
    assert_int_equal(parse_bytes(&req, head, sizeof(head), &used), -EPROTO);
    assert_int_equal(req.status, 414);
    assert_int_equal(used, ZN_HTTP_HEAD_MAX);
}

// CVE-2024-37890: one header more than there is room for.
static void head_with_too_many_headers_is_refused(void **state)
{
    char head[2048] = HOST;
    size_t len = sizeof(HOST) - 1;
    struct zn_http_req req;

    (void)state;
    for (int i = 1; i < ZN_HTTP_HEADERS_MAX; i++) {
        len += (size_t)sprintf(head + len, "X%d: %d\r\n", i, i);
    }
    memcpy(head + len, "\r\n", 2);
    assert_int_equal(parse(&req, head, len + 2), 0);
    assert_int_equal(req.headers_len, ZN_HTTP_HEADERS_MAX);
    assert_slice(head, req.headers[ZN_HTTP_HEADERS_MAX - 1].value, "63");
    memcpy(head + len, "X: 64\r\n\r\n", 9);
    assert_int_equal(parse(&req, head, len + 9), -EPROTO);
    assert_int_equal(req.status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_that_reads_two_ways_is_refused),
        cmocka_unit_test(head_at_the_limit_is_read_and_beyond_refused),
        cmocka_unit_test(head_with_too_many_headers_is_refused),
    };
    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
