// SPDX-License-Identifier: Apache-2.0
// Request heads: the grammar of RFC 9110 and RFC 9112, every split, inputs against a guard page.
#include "http1_heads.h"

#include "proto/http1_chars.h"

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

// The parser's fields do not depend on how the input came; those of unused headers are unset.
static void assert_same(const struct zn_http_req *a, const struct zn_http_req *b)
{
    assert_memory_equal(a, b, offsetof(struct zn_http_req, headers));
    assert_memory_equal(a->headers, b->headers, a->headers_len * sizeof(a->headers[0]));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_of_browser_is_read),
        cmocka_unit_test(head_split_anywhere_is_read_the_same),
        cmocka_unit_test(head_with_odd_queries_is_cut_at_the_first_mark),
        cmocka_unit_test(head_with_bytes_after_it_stops_at_its_end),
        cmocka_unit_test(head_in_pieces_is_not_read_again),
        cmocka_unit_test(head_with_methods_is_told_apart),
        cmocka_unit_test(head_with_valid_framing_is_taken),
        cmocka_unit_test(chars_of_each_class_are_the_grammars),
    };
    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
