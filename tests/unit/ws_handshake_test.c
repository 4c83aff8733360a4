// SPDX-License-Identifier: Apache-2.0
// The opening handshake (RFC 6455 sections 1.3 and 4.2), subprotocols, close frames, frame heads.
#include "guard.h"
#include "proto/ws.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define HOST "Host: server.example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static char head[ZN_HTTP_HEAD_MAX];

// A complete request that the HTTP parser takes.
static void parse(struct zn_http_req *req, const char *line, const char *headers)
{
    int len = snprintf(head, sizeof(head), "%s\r\n" HOST "%s\r\n", line, headers);
    assert_true(len > 0 && (size_t)len < sizeof(head));
    zn__http_req_init(req);
    if (zn__http_req_parse(req, head, (size_t)len) != 0)
        fail_msg("not a request: %s", head);
}

static int check(const char *line, const char *headers)
{
    struct zn_http_req req;
    struct zn_slice key;
    parse(&req, line, headers);
    return zn__ws_handshake_check(&req, head, &key);
}

static void handshake_rfc6455_example_is_accepted(void **state)
{
    (void)state;
    struct zn_http_req req;
    struct zn_slice key;
    char accept[28];
    parse(&req, "GET /chat HTTP/1.1",
          UPGRADE KEY "Origin: http://example.com\r\n"
                      "Sec-WebSocket-Protocol: chat, superchat\r\n" VERSION);
    assert_int_equal(zn__ws_handshake_check(&req, head, &key), 0);
    assert_int_equal(key.len, 24);
    assert_memory_equal(key.p, "dGhlIHNhbXBsZSBub25jZQ==", 24);
    zn__ws_accept(key, accept);
    assert_memory_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28);
}

static const struct {
    const char *what, *headers;
    int status;
} handshakes[] = {
    { "plain", UPGRADE KEY VERSION, 0 },
    { "lower-case names",
      "upgrade: websocket\r\nconnection: upgrade\r\n"
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n",
      0 },
    { "other case of tokens", "Upgrade: WebSocket\r\nConnection: UPGRADE\r\n" KEY VERSION, 0 },
    { "lists", "Upgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade\r\n" KEY VERSION, 0 },
    { "lists in lines",
      "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
      "Connection: Upgrade\r\n" KEY VERSION,
      0 },
    { "empty body", UPGRADE KEY VERSION "Content-Length: 0\r\n", 0 },
    { "no Upgrade", "Connection: Upgrade\r\n" KEY VERSION, 400 },
    { "other Upgrade", "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION, 400 },
    { "Upgrade with a version", "Upgrade: websocket/13\r\nConnection: Upgrade\r\n" KEY VERSION,
      400 },
    { "no Connection", "Upgrade: websocket\r\n" KEY VERSION, 400 },
    { "Connection without upgrade", "Upgrade: websocket\r\nConnection: keep-alive\r\n" KEY VERSION,
      400 },
    { "upgrade as part of a token", "Upgrade: websocket\r\nConnection: upgrades\r\n" KEY VERSION,
      400 },
    { "no key", UPGRADE VERSION, 400 },
    { "two keys", UPGRADE KEY KEY VERSION, 400 },
    { "empty key", UPGRADE "Sec-WebSocket-Key:\r\n" VERSION, 400 },
    { "short key", UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" VERSION, 400 },
    { "key of 15 bytes", UPGRADE "Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RF\r\n" VERSION, 400 },
    { "key of 17 bytes", UPGRADE "Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRkc=\r\n" VERSION, 400 },
    { "key without padding", UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n" VERSION, 400 },
    { "key of other characters", UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n" VERSION,
      400 },
    { "key in the URL alphabet", UPGRADE "Sec-WebSocket-Key: _Ghl-HNhbXBsZSBub25jZQ==\r\n" VERSION,
      400 },
    { "no version", UPGRADE KEY, 400 },
    { "two versions", UPGRADE KEY VERSION VERSION, 400 },
    { "version 8", UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", 426 },
    { "version 14", UPGRADE KEY "Sec-WebSocket-Version: 14\r\n", 426 },
    { "version 013", UPGRADE KEY "Sec-WebSocket-Version: 013\r\n", 426 },
    { "version list", UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n", 426 },
    { "body", UPGRADE KEY VERSION "Content-Length: 5\r\n", 400 },
    { "chunked body", UPGRADE KEY VERSION "Transfer-Encoding: chunked\r\n", 400 },
};

static void handshake_headers_give_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(handshakes) / sizeof(*handshakes); i++) {
        int status = check("GET / HTTP/1.1", handshakes[i].headers);
        if (status != handshakes[i].status)
            fail_msg("%s: %d, not %d", handshakes[i].what, status, handshakes[i].status);
    }
}

static void handshake_other_method_or_version_is_refused(void **state)
{
    (void)state;
    assert_int_equal(check("POST / HTTP/1.1", UPGRADE KEY VERSION), 405);
    assert_int_equal(check("HEAD / HTTP/1.1", UPGRADE KEY VERSION), 405);
    assert_int_equal(check("get / HTTP/1.1", UPGRADE KEY VERSION), 405);
    assert_int_equal(check("GET / HTTP/1.0", UPGRADE KEY VERSION), 400);
}

static int choose(const char *headers, struct zn_slice *out)
{
    static const struct zn_slice ours[] = { { "chat", 4 }, { "v2.bin", 6 } };
    struct zn_http_req req;
    parse(&req, "GET / HTTP/1.1", headers);
    return zn__ws_subprotocol_choose(&req, head, ours, 2, out);
}

static void subprotocol_offers_give_first_known(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *chosen;
    } good[] = {
        { "", "" },
        { "Sec-WebSocket-Protocol: soap\r\n", "" },
        { "Sec-WebSocket-Protocol: chat\r\n", "chat" },
        { "Sec-WebSocket-Protocol: soap, v2.bin ,chat\r\n", "v2.bin" },
        { "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: chat,v2.bin\r\n", "chat" },
        { "Sec-WebSocket-Protocol: Chat, cha, chatt\r\n", "" },
        { "Sec-WebSocket-Protocol: , ,chat,\r\n", "chat" },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct zn_slice out;
        assert_int_equal(choose(good[i].headers, &out), 0);
        assert_int_equal(out.len, strlen(good[i].chosen));
        assert_memory_equal(out.p, good[i].chosen, out.len);
    }
}

static void subprotocol_bad_offers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Sec-WebSocket-Protocol: chat, chat\r\n",
        "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: soap\r\n",
        "Sec-WebSocket-Protocol: chat soap\r\n",
        "Sec-WebSocket-Protocol: chat;q=1\r\n",
        "Sec-WebSocket-Protocol: \"chat\"\r\n",
        "Sec-WebSocket-Protocol: ch\xc3\xa4t\r\n",
        "Sec-WebSocket-Protocol: a/b\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct zn_slice out;
        if (choose(bad[i], &out) != -EPROTO)
            fail_msg("taken: %s", bad[i]);
    }
}

static void subprotocol_many_offers_are_refused(void **state)
{
    (void)state;
    char headers[1024] = "Sec-WebSocket-Protocol: \r\n";
    struct zn_slice out;
    for (int i = 0; i < 65; i++) {
        assert_int_equal(choose(headers, &out), 0);
        size_t len = strcspn(headers, "\r");
        snprintf(headers + len, sizeof(headers) - len, "p%d,\r\n", i);
    }
    assert_int_equal(choose(headers, &out), -EPROTO);
}

static void close_codes_follow_the_ranges(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 0xffff; code++) {
        bool want = code >= 1000 && code < 5000;
        if (code >= 1004 && code <= 1006)
            want = false;
        if (code >= 1015 && code <= 2999)
            want = false;
        assert_int_equal(zn__ws_close_code_valid((uint16_t)code), want);
        uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
        uint16_t got;
        struct zn_slice reason;
        assert_int_equal(zn__ws_close_parse(payload, 2, &got, &reason), want ? 0 : -EPROTO);
        assert_int_equal(got, want ? code : ZN_WS_CLOSE_PROTOCOL);
        assert_int_equal(reason.len, 0);
    }
}

static void close_payloads_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t len;
        int result;
        uint16_t code;
    } cases[] = {
        { "", 0, 0, ZN_WS_CLOSE_NO_STATUS },
        { "\x03", 1, -EPROTO, ZN_WS_CLOSE_PROTOCOL },
        { "\x03\xe8", 2, 0, 1000 },
        { "\x03\xe8"
          "bye",
          5, 0, 1000 },
        { "\x0f\xa0\xc3\xa9", 4, 0, 4000 },
        { "\x03\xe8\xc3", 3, -EPROTO, ZN_WS_CLOSE_INVALID_PAYLOAD },
        { "\x03\xe8\xed\xa0\x80", 5, -EPROTO, ZN_WS_CLOSE_INVALID_PAYLOAD },
        { "\x03\xe8\xc0\xaf", 4, -EPROTO, ZN_WS_CLOSE_INVALID_PAYLOAD },
        { "\x03\xed\xff", 3, -EPROTO, ZN_WS_CLOSE_PROTOCOL },
    };
    struct guard guard;
    guard_init(&guard, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t *payload = guard_copy(&guard, cases[i].payload, cases[i].len);
        uint16_t code = 1;
        struct zn_slice reason;
        assert_int_equal(zn__ws_close_parse(payload, cases[i].len, &code, &reason),
                         cases[i].result);
        assert_int_equal(code, cases[i].code);
        bool has_reason = cases[i].result == 0 && cases[i].len > 2;
        assert_int_equal(reason.len, has_reason ? cases[i].len - 2 : 0);
        if (has_reason)
            assert_ptr_equal(reason.p, payload + 2);
    }
    guard_deinit(&guard);
}

static void close_frame_has_just_the_given_bytes(void **state)
{
    (void)state;
    struct guard in, out;
    guard_init(&in, 4096);
    guard_init(&out, 4096);
    for (size_t len = 0; len <= 130; len++) {
        uint8_t *text = guard_end(&in, len);
        memset(text, 'r', len);
        size_t kept = len < 123 ? len : 123;
        uint8_t *frame = guard_end(&out, 2 + ZN_WS_CONTROL_MAX);
        memset(frame, 0xee, 2 + ZN_WS_CONTROL_MAX);
        struct zn_slice reason = { (const char *)text, len };
        assert_int_equal(zn__ws_close_write(frame, 1008, reason), 4 + kept);
        assert_int_equal(frame[0], 0x88);
        assert_int_equal(frame[1], 2 + kept);
        assert_int_equal(frame[2] << 8 | frame[3], 1008);
        for (size_t i = 4; i < 2 + ZN_WS_CONTROL_MAX; i++)
            assert_int_equal(frame[i], i < 4 + kept ? 'r' : 0xee);
    }
    guard_deinit(&in);
    guard_deinit(&out);
}

static void close_frame_without_code_is_empty(void **state)
{
    (void)state;
    static const uint16_t codes[] = { 0,   ZN_WS_CLOSE_NO_STATUS, ZN_WS_CLOSE_ABNORMAL, 1015, 999,
                                      5000 };
    uint8_t frame[2 + ZN_WS_CONTROL_MAX];
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        assert_int_equal(zn__ws_close_write(frame, codes[i], ZN_SLICE("reason")), 2);
        assert_int_equal(frame[0], 0x88);
        assert_int_equal(frame[1], 0);
    }
}

static void close_reason_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const chars[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
    for (size_t c = 0; c < 3; c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[200];
            size_t width = c + 2, len = shift;
            uint8_t frame[2 + ZN_WS_CONTROL_MAX];
            memset(text, 'a', shift);
            for (; len + width <= sizeof(text); len += width)
                memcpy(text + len, chars[c], width);
            size_t kept = zn__ws_close_write(frame, 1000, (struct zn_slice){ text, len }) - 4;
            assert_int_equal(kept, shift + (123 - shift) / width * width);
            assert_memory_equal(frame + 4, text, kept);
        }
    }
}

static void head_has_shortest_length_form(void **state)
{
    (void)state;
    static const struct {
        uint64_t len;
        size_t size;
        const char *bytes;
    } cases[] = {
        { 0, 2, "\x81\x00" },
        { 125, 2, "\x81\x7d" },
        { 126, 4, "\x81\x7e\x00\x7e" },
        { 65535, 4, "\x81\x7e\xff\xff" },
        { 65536, 10, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00" },
        { 0x123456789abc, 10, "\x81\x7f\x00\x00\x12\x34\x56\x78\x9a\xbc" },
    };
    struct guard guard;
    guard_init(&guard, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t *out = guard_end(&guard, cases[i].size);
        assert_int_equal(zn__ws_head_write(out, 0x81, cases[i].len), cases[i].size);
        assert_memory_equal(out, cases[i].bytes, cases[i].size);
    }
    guard_deinit(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_rfc6455_example_is_accepted),
        cmocka_unit_test(handshake_headers_give_status),
        cmocka_unit_test(handshake_other_method_or_version_is_refused),
        cmocka_unit_test(subprotocol_offers_give_first_known),
        cmocka_unit_test(subprotocol_bad_offers_are_refused),
        cmocka_unit_test(subprotocol_many_offers_are_refused),
        cmocka_unit_test(close_codes_follow_the_ranges),
        cmocka_unit_test(close_payloads_are_read),
        cmocka_unit_test(close_frame_has_just_the_given_bytes),
        cmocka_unit_test(close_frame_without_code_is_empty),
        cmocka_unit_test(close_reason_is_cut_between_characters),
        cmocka_unit_test(head_has_shortest_length_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
