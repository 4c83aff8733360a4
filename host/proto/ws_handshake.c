// SPDX-License-Identifier: Apache-2.0
// The server's side of the opening handshake (RFC 6455 sections 4.2.1 and 4.2.2).
//
// Thread: pure functions.
#include "base64.h"
#include "ws.h"

#include <errno.h>
#include <openssl/sha.h>

enum {
    KEY_LEN = 24, // 16 bytes in base64
    OFFERS_MAX = 64,
    BAD_REQUEST = 400,
    METHOD_NOT_ALLOWED = 405,
    UPGRADE_REQUIRED = 426,
};

static const char accept_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// Whether a header that may come once only is there exactly once; its value in *out.
static bool header_once(const struct zn_http_req *req, const char *head, struct zn_slice name,
                        struct zn_slice *out)
{
    unsigned found = 0;
    for (unsigned i = 0; i < req->headers_len; i++) {
        if (!zn__slice_ieq(zn__http_slice(head, req->headers[i].name), name))
            continue;
        *out = zn__http_slice(head, req->headers[i].value);
        found++;
    }
    return found == 1;
}

static bool list_has(const struct zn_http_req *req, const char *head, struct zn_slice name,
                     struct zn_slice element)
{
    uint32_t cursor = 0;
    struct zn_slice each;
    while (zn__http_list_next(req, head, name, &cursor, &each)) {
        if (zn__slice_ieq(each, element))
            return true;
    }
    return false;
}

static bool key_valid(struct zn_slice key)
{
    uint8_t raw[KEY_LEN / 4 * 3 + 3];
    return key.len == KEY_LEN && zn__base64_decode(key, raw) == 16;
}

int zn__ws_handshake_check(const struct zn_http_req *req, const char *head,
                           struct zn_slice *key_out)
{
    struct zn_slice version;
    if (req->method != ZN_HTTP_GET)
        return METHOD_NOT_ALLOWED;
    // A body would stand where the first frame is expected.
    if (req->minor < 1 || req->chunked || req->content_length > 0)
        return BAD_REQUEST;
    if (!list_has(req, head, ZN_SLICE("Connection"), ZN_SLICE("upgrade")) ||
        !list_has(req, head, ZN_SLICE("Upgrade"), ZN_SLICE("websocket")))
        return BAD_REQUEST;
    if (!header_once(req, head, ZN_SLICE("Sec-WebSocket-Version"), &version))
        return BAD_REQUEST;
    if (!zn__slice_eq(version, ZN_SLICE("13")))
        return UPGRADE_REQUIRED;
    if (!header_once(req, head, ZN_SLICE("Sec-WebSocket-Key"), key_out) || !key_valid(*key_out))
        return BAD_REQUEST;
    return 0;
}

void zn__ws_accept(struct zn_slice key, char out[28])
{
    uint8_t text[KEY_LEN + sizeof(accept_guid) - 1], digest[SHA_DIGEST_LENGTH];
    size_t len = key.len < KEY_LEN ? key.len : KEY_LEN;
    memcpy(text, key.p, len);
    memcpy(text + len, accept_guid, sizeof(accept_guid) - 1);
    SHA1(text, len + sizeof(accept_guid) - 1, digest);
    zn__base64_encode(digest, sizeof(digest), out);
}

// RFC 9110 section 5.6.2.
static bool is_token(struct zn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.len > 0;
}

static bool contains(const struct zn_slice *list, size_t n, struct zn_slice s)
{
    for (size_t i = 0; i < n; i++) {
        if (zn__slice_eq(list[i], s))
            return true;
    }
    return false;
}

int zn__ws_subprotocol_choose(const struct zn_http_req *req, const char *head,
                              const struct zn_slice *ours, size_t n, struct zn_slice *out)
{
    struct zn_slice offers[OFFERS_MAX], each;
    size_t offers_len = 0;
    uint32_t cursor = 0;
    *out = (struct zn_slice){ "", 0 };
    while (zn__http_list_next(req, head, ZN_SLICE("Sec-WebSocket-Protocol"), &cursor, &each)) {
        if (offers_len == OFFERS_MAX || !is_token(each) || contains(offers, offers_len, each))
            return -EPROTO;
        offers[offers_len++] = each;
        if (out->len == 0 && contains(ours, n, each))
            *out = each;
    }
    return 0;
}
