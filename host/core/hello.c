// SPDX-License-Identifier: Apache-2.0
// See hello.h.
#include "hello.h"

#include "http.h"
#include "server.h"

#include "proto/json.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

struct zn_hello {
    uint64_t issued_ms;
    char *headers_json; // made on first use
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    bool secure;
    bool xdomain;
    uint16_t head_len;
    uint16_t target_len;
    char bytes[]; // the request target and NUL, then the head
};

struct zn_hello *zn__hello_create(const struct zn_conn *conn)
{
    const struct zn_http_req *req = &conn->http->req;
    const char *head = zn__http_head(conn);
    struct zn_slice origin;
    struct zn_hello *hello = malloc(sizeof(*hello) + req->target.len + 1u + req->head_len);
    if (hello == NULL)
        return NULL;
    *hello = (struct zn_hello){
        .issued_ms = conn->reactor->wall_ms,
        .port = conn->peer.port,
        .secure = conn->reactor->server->tls != NULL,
        .xdomain = zn__http_header_find(req, head, ZN_SLICE("origin"), &origin),
        .head_len = req->head_len,
        .target_len = req->target.len,
    };
    memcpy(hello->bytes, head + req->target.off, req->target.len);
    hello->bytes[req->target.len] = '\0';
    memcpy(hello->bytes + req->target.len + 1, head, req->head_len);
    if (conn->peer.family != 0)
        inet_ntop(conn->peer.family, conn->peer.ip, hello->address, sizeof(hello->address));
    return hello;
}

void zn__hello_destroy(struct zn_hello *hello)
{
    if (hello == NULL)
        return;
    free(hello->headers_json);
    free(hello);
}

// A head, parsed again: few handshakes are ever looked at.
struct parsed {
    const char *head;
    struct zn_http_req req;
};

static bool header_seen(const struct parsed *parsed, uint16_t upto, struct zn_slice name)
{
    for (uint16_t i = 0; i < upto; i++)
        if (zn__slice_ieq(zn__http_slice(parsed->head, parsed->req.headers[i].name), name))
            return true;
    return false;
}

// All values of `name` joined by ", " ("; " for cookies), quoted for JSON, at `at`. Header values
// may hold bytes above 0x7f, which stand for Latin-1 characters.
static char *put_value(const struct parsed *parsed, struct zn_slice name, char *at)
{
    const char *glue = zn__slice_ieq(name, ZN_SLICE("cookie")) ? "; " : ", ";
    bool first = true;
    *at++ = '"';
    for (uint16_t i = 0; i < parsed->req.headers_len; i++) {
        if (!zn__slice_ieq(zn__http_slice(parsed->head, parsed->req.headers[i].name), name))
            continue;
        if (!first) {
            *at++ = glue[0];
            *at++ = glue[1];
        }
        first = false;
        struct zn_slice value = zn__http_slice(parsed->head, parsed->req.headers[i].value);
        for (size_t k = 0; k < value.len; k++) {
            uint8_t c = (uint8_t)value.p[k];
            if (c == '"' || c == '\\')
                *at++ = '\\';
            if (c == '\t') {
                *at++ = '\\';
                c = 't';
            }
            if (c >= 0x80) {
                *at++ = (char)(0xc0 | c >> 6);
                c = 0x80 | (c & 0x3f);
            }
            *at++ = (char)c;
        }
    }
    *at++ = '"';
    return at;
}

static const char *headers_json(struct zn_hello *hello)
{
    if (hello->headers_json != NULL)
        return hello->headers_json;
    struct parsed parsed = { .head = hello->bytes + hello->target_len + 1 };
    zn__http_req_init(&parsed.req);
    if (zn__http_req_parse(&parsed.req, parsed.head, hello->head_len) < 0)
        return "{}";
    // Twice the head for escapes, and quotes, colon and comma for each header.
    char *json = malloc((size_t)hello->head_len * 2 + parsed.req.headers_len * 6u + 3);
    if (json == NULL)
        return "{}";
    char *at = json;
    *at++ = '{';
    for (uint16_t i = 0; i < parsed.req.headers_len; i++) {
        struct zn_slice name = zn__http_slice(parsed.head, parsed.req.headers[i].name);
        if (header_seen(&parsed, i, name))
            continue;
        if (at[-1] != '{')
            *at++ = ',';
        *at++ = '"';
        for (size_t k = 0; k < name.len; k++)
            *at++ = (char)tolower((unsigned char)name.p[k]);
        *at++ = '"';
        *at++ = ':';
        at = put_value(&parsed, name, at);
    }
    *at++ = '}';
    *at = '\0';
    hello->headers_json = json;
    return json;
}

void zn__hello_show(struct zn_hello *hello, struct zn_handshake *out)
{
    const char *query = strchr(hello->bytes, '?');
    *out = (struct zn_handshake){
        .url = hello->bytes,
        .query = query != NULL ? query + 1 : "",
        .headers = headers_json(hello),
        .address = hello->address,
        .port = hello->port,
        .secure = hello->secure,
        .xdomain = hello->xdomain,
        .issued_ms = hello->issued_ms,
    };
}
