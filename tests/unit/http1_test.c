// SPDX-License-Identifier: Apache-2.0
// Request heads: the grammar of RFC 9110 and RFC 9112, every smuggling shape refused
// at its byte, every split, inputs against a guard page.
#include "guard.h"
#include "proto/http1.h"
#include "proto/http1_chars.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct guard guard;

static const char chrome[] =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: localhost:3000\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://localhost:3000\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "X-Empty:\r\n"
    "X-Blank: \t \r\n"
    "X-Tail:\t value \t\r\n"
    "\r\n";

// Parses `head[0, cut)`, then all of it, each against the guard page.
static int parse_cut(struct zn_http_req *req, const char *head, size_t cut, size_t len)
{
    int err;

    zn__http_req_init(req);
    err = zn__http_req_parse(req, (char *)guard_copy(&guard, head, cut), cut);
    if (err != -EAGAIN) {
        return err;
    }
    return zn__http_req_parse(req, (char *)guard_copy(&guard, head, len), len);
}

static int parse(struct zn_http_req *req, const char *head, size_t len)
{
    return parse_cut(req, head, 0, len);
}

// Parses byte by byte; *used_out is how much was there at the verdict.
static int parse_bytes(struct zn_http_req *req, const char *head, size_t len, size_t *used_out)
{
    int err = -EAGAIN;

    zn__http_req_init(req);
    for (*used_out = 0; err == -EAGAIN && *used_out < len;) {
        size_t n = ++*used_out;

        err = zn__http_req_parse(req, (char *)guard_copy(&guard, head, n), n);
    }
    return err;
}

// The parser's fields do not depend on how the input came; those of unused headers are unset.
static void assert_same(const struct zn_http_req *a, const struct zn_http_req *b)
{
    assert_memory_equal(a, b, offsetof(struct zn_http_req, headers));
    assert_memory_equal(a->headers, b->headers, a->headers_len * sizeof(a->headers[0]));
}

// Refused with `status` whatever the split, the verdict falling at the last byte of
// `head`.
static void assert_refused(const char *head, size_t len, uint16_t status)
{
    struct zn_http_req req;
    size_t used;
    int err = parse_bytes(&req, head, len, &used);

    if (err != -EPROTO || req.status != status || used != len) {
        print_error("%.*s: %d, status %u, at %zu of %zu\n", (int)len, head, err, req.status, used,
                    len);
        fail();
    }
    for (size_t cut = 0; cut <= len; cut++) {
        assert_int_equal(parse_cut(&req, head, cut, len), -EPROTO);
        assert_int_equal(req.status, status);
    }
    assert_int_equal(zn__http_req_parse(&req, head, len), -EPROTO);
}

static void assert_slice(const char *head, struct zn_http_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(head + span.off, text, span.len);
}

static void head_of_browser_is_read(void **state)
{
    struct zn_http_req req;
    struct zn_slice value;

    (void)state;
    assert_int_equal(parse(&req, chrome, sizeof(chrome) - 1), 0);
    assert_int_equal(req.head_len, sizeof(chrome) - 1);
    assert_int_equal(req.method, ZN_HTTP_GET);
    assert_int_equal(req.minor, 1);
    assert_slice(chrome, req.target, "/socket.io/?EIO=4&transport=websocket");
    assert_slice(chrome, req.path, "/socket.io/");
    assert_slice(chrome, req.query, "EIO=4&transport=websocket");
    assert_int_equal(req.headers_len, 12);
    assert_true(req.upgrade && req.keep_alive);
    assert_false(req.chunked || req.has_length || req.expect_continue);
    assert_true(zn__http_header_find(&req, chrome, ZN_SLICE("sec-websocket-KEY"), &value));
    assert_true(zn__slice_eq(value, ZN_SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_true(zn__http_header_find(&req, chrome, ZN_SLICE("x-tail"), &value));
    assert_true(zn__slice_eq(value, ZN_SLICE("value")));
    assert_true(zn__http_header_find(&req, chrome, ZN_SLICE("x-blank"), &value));
    assert_int_equal(value.len, 0);
    assert_true(zn__http_header_find(&req, chrome, ZN_SLICE("x-empty"), &value));
    assert_int_equal(value.len, 0);
    assert_false(zn__http_header_find(&req, chrome, ZN_SLICE("x-tai"), &value));
}

static void head_split_anywhere_is_read_the_same(void **state)
{
    struct zn_http_req whole, req;
    size_t used;

    (void)state;
    assert_int_equal(parse(&whole, chrome, sizeof(chrome) - 1), 0);
    for (size_t cut = 0; cut < sizeof(chrome); cut++) {
        assert_int_equal(parse_cut(&req, chrome, cut, sizeof(chrome) - 1), 0);
        assert_same(&req, &whole);
    }
    assert_int_equal(parse_bytes(&req, chrome, sizeof(chrome) - 1, &used), 0);
    assert_int_equal(used, sizeof(chrome) - 1);
    assert_same(&req, &whole);
}

static void head_with_odd_queries_is_cut_at_the_first_mark(void **state)
{
    static const struct {
        const char *head, *path, *query;
    } heads[] = {
        { "GET /a?b?c=/d HTTP/1.1\r\nHost: a\r\n\r\n", "/a", "b?c=/d" },
        { "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "/", "" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "/", "" },
    };
    struct zn_http_req req;
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        assert_int_equal(parse_bytes(&req, heads[i].head, strlen(heads[i].head), &used), 0);
        assert_slice(heads[i].head, req.path, heads[i].path);
        assert_slice(heads[i].head, req.query, heads[i].query);
    }
}

// What follows the head is the body's or the next request's.
static void head_with_bytes_after_it_stops_at_its_end(void **state)
{
    static const char two[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET \0\r\n";
    struct zn_http_req req;

    (void)state;
    assert_int_equal(parse(&req, two, sizeof(two) - 1), 0);
    assert_int_equal(req.head_len, 27);
    assert_int_equal(zn__http_req_parse(&req, two, sizeof(two) - 1), 0);
}

// A long head that comes in small pieces is not read again (RUSTSEC-2023-0065):
// lines that were read may be overwritten.
static void head_in_pieces_is_not_read_again(void **state)
{
    char head[sizeof(chrome)];
    struct zn_http_req req, whole;

    (void)state;
    memcpy(head, chrome, sizeof(head));
    assert_int_equal(parse(&whole, chrome, sizeof(chrome) - 1), 0);
    zn__http_req_init(&req);
    for (size_t n = 1; n < sizeof(chrome) - 1; n++) {
        assert_int_equal(zn__http_req_parse(&req, head, n), -EAGAIN);
        if (head[n - 1] == '\n') {
            memset(head, 0, n);
        }
    }
    assert_int_equal(zn__http_req_parse(&req, head, sizeof(chrome) - 1), 0);
    assert_same(&req, &whole);
}

static void head_with_methods_is_told_apart(void **state)
{
    static const struct {
        const char *name;
        uint8_t method;
    } methods[] = {
        { "GET", ZN_HTTP_GET },        { "HEAD", ZN_HTTP_HEAD },     { "POST", ZN_HTTP_POST },
        { "PUT", ZN_HTTP_PUT },        { "DELETE", ZN_HTTP_DELETE }, { "OPTIONS", ZN_HTTP_OPTIONS },
        { "PATCH", ZN_HTTP_PATCH },    { "get", ZN_HTTP_OTHER },     { "GETS", ZN_HTTP_OTHER },
        { "M-SEARCH", ZN_HTTP_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char head[64];
        struct zn_http_req req;
        int len = snprintf(head, sizeof(head), "%s / HTTP/1.1\r\nHost:a\r\n\r\n", methods[i].name);

        assert_int_equal(parse(&req, head, (size_t)len), 0);
        assert_int_equal(req.method, methods[i].method);
    }
}

#define LINE "POST /x HTTP/1.1\r\n"
#define HOST LINE "Host: a\r\n"
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

static void head_with_valid_framing_is_taken(void **state)
{
    static const struct {
        const char *head;
        uint64_t length;
        bool has_length, chunked, keep_alive, upgrade, expect;
    } good[] = {
        { HOST "\r\n", 0, false, false, true, false, false },
        { HOST "Content-Length: 0\r\n\r\n", 0, true, false, true, false, false },
        { HOST "content-LENGTH:  12 \r\n\r\n", 12, true, false, true, false, false },
        { HOST "Content-Length: 007\r\n\r\n", 7, true, false, true, false, false },
        { HOST "Content-Length: 900000000000000000\r\n\r\n", 900000000000000000, true, false, true,
          false, false },
        { HOST "Transfer-Encoding: CHUNKED\r\n\r\n", 0, false, true, true, false, false },
        { HOST "Connection: close\r\n\r\n", 0, false, false, false, false, false },
        { HOST "Connection: keep-alive\r\nConnection: x ,Close\r\n\r\n", 0, false, false, false,
          false, false },
        { HOST "Connection: x: close\r\nConnection: \"a, close\r\n\r\n", 0, false, false, false,
          false, false },
        { HOST "Connection: x: close, clos e\r\n\r\n", 0, false, false, true, false, false },
        { HOST "Connection: closed\r\n\r\n", 0, false, false, true, false, false },
        { HOST "Connection: upgrade\r\n\r\n", 0, false, false, true, false, false },
        { HOST "Upgrade: websocket\r\n\r\n", 0, false, false, true, false, false },
        { HOST "Upgrade: websocket\r\nConnection: a,UPGRADE\r\n\r\n", 0, false, false, true, true,
          false },
        { HOST "Expect: 100-Continue\r\n\r\n", 0, false, false, true, false, true },
        { HOST "Expect: 200-ok\r\n\r\n", 0, false, false, true, false, false },
        { "POST / HTTP/1.0\r\n\r\n", 0, false, false, false, false, false },
        { "POST / HTTP/1.0\r\nConnection: Keep-Alive, upgrade\r\nUpgrade: a\r\n"
          "Expect: 100-continue\r\n\r\n",
          0, false, false, true, false, false },
        { "\r\nPOST / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, false, false, true, false, false },
        { LINE "Host:\r\n\r\n", 0, false, false, true, false, false },
        { LINE "Host: xn--a.example.:\r\nX: \x80\xff\t\"\r\n\r\n", 0, false, false, true, false,
          false },
        { "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, false, false, true, false, false },
        { "GET //..%00?a|{}\\^`?? HTTP/1.1\r\nHost: a\r\n\r\n", 0, false, false, true, false,
          false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t len = strlen(good[i].head);

        for (size_t cut = 0; cut <= len; cut++) {
            struct zn_http_req req;

            assert_int_equal(parse_cut(&req, good[i].head, cut, len), 0);
            assert_int_equal(req.content_length, good[i].length);
            assert_int_equal(req.has_length, good[i].has_length);
            assert_int_equal(req.chunked, good[i].chunked);
            assert_int_equal(req.keep_alive, good[i].keep_alive);
            assert_int_equal(req.upgrade, good[i].upgrade);
            assert_int_equal(req.expect_continue, good[i].expect);
        }
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

static void chars_of_each_class_are_the_grammars(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        bool token = digit || letter || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        bool host = digit || letter || (c != 0 && strchr("-._~%!$&'()*+;=", c) != NULL);
        bool target = c > 0x20 && c < 0x7f && strchr("\"<>#", c) == NULL;
        bool value = c == '\t' || (c >= 0x20 && c != 0x7f);

        assert_int_equal(zn__http_chars[c], token * ZN_HTTP_TOKEN + target * ZN_HTTP_TARGET +
                                                host * ZN_HTTP_HOST + digit * ZN_HTTP_DIGIT +
                                                hex * ZN_HTTP_HEX + value * ZN_HTTP_VALUE);
    }
}

static int guard_setup(void **state)
{
    (void)state;
    guard_init(&guard, 2 * ZN_HTTP_HEAD_MAX);
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
        cmocka_unit_test(head_of_browser_is_read),
        cmocka_unit_test(head_split_anywhere_is_read_the_same),
        cmocka_unit_test(head_with_odd_queries_is_cut_at_the_first_mark),
        cmocka_unit_test(head_with_bytes_after_it_stops_at_its_end),
        cmocka_unit_test(head_in_pieces_is_not_read_again),
        cmocka_unit_test(head_with_methods_is_told_apart),
        cmocka_unit_test(head_that_reads_two_ways_is_refused),
        cmocka_unit_test(head_with_valid_framing_is_taken),
        cmocka_unit_test(head_at_the_limit_is_read_and_beyond_refused),
        cmocka_unit_test(head_with_too_many_headers_is_refused),
        cmocka_unit_test(chars_of_each_class_are_the_grammars),
    };

    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
