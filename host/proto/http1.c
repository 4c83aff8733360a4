// SPDX-License-Identifier: Apache-2.0
// The request head: one state a part of the grammar, each resumable at any byte.
// What the fields mean is http1_field.c's.
//
// Thread: pure functions.
#include "http1.h"

#include "http1_chars.h"
#include "http1_field.h"
#include "scan.h"

#include <errno.h>

enum { METHOD_LEN_MAX = 32 };

enum state {
    START, // one empty line may come first (RFC 9112 section 2.2)
    START_LF,
    METHOD,
    TARGET,
    VERSION,
    LINE_LF,
    FIELD, // at the start of a line
    NAME,
    VALUE_BLANK,
    VALUE,
    VALUE_LF,
    END_LF,
    DONE,
    BAD,
};

// Every step reads from req->pos up to `end`, of bytes that are there, and
// returns 0 in the next state, -EAGAIN, or -EPROTO.

static int refuse(struct zn_http_req *req, uint16_t status)
{
    req->status = status;
    req->state = BAD;
    return -EPROTO;
}

static int enter(struct zn_http_req *req, enum state state)
{
    req->state = (uint8_t)state;
    req->mark = req->pos;
    return 0;
}

static struct zn_http_span marked(const struct zn_http_req *req)
{
    return (struct zn_http_span){ req->mark, (uint16_t)(req->pos - req->mark) };
}

static int expect_lf(struct zn_http_req *req, const char *head, enum state next)
{
    if (head[req->pos] != '\n') {
        return refuse(req, 400);
    }
    req->pos++;
    return enter(req, next);
}

static int read_start(struct zn_http_req *req, const char *head)
{
    if (head[req->pos] == '\r') {
        req->pos++;
        return enter(req, START_LF);
    }
    return enter(req, METHOD);
}

static uint8_t method_of(struct zn_slice name)
{
    static const struct zn_slice known[] = {
        [ZN_HTTP_GET] = { "GET", 3 },       [ZN_HTTP_HEAD] = { "HEAD", 4 },
        [ZN_HTTP_POST] = { "POST", 4 },     [ZN_HTTP_PUT] = { "PUT", 3 },
        [ZN_HTTP_DELETE] = { "DELETE", 6 }, [ZN_HTTP_OPTIONS] = { "OPTIONS", 7 },
        [ZN_HTTP_PATCH] = { "PATCH", 5 },
    };
    uint8_t method = ZN_HTTP_GET;

    while (method < ZN_HTTP_OTHER && !zn__slice_eq(name, known[method])) {
        method++;
    }
    return method;
}

static int read_method(struct zn_http_req *req, const char *head, uint16_t end)
{
    while (req->pos < end && zn__http_is(head[req->pos], ZN_HTTP_TOKEN)) {
        if (req->pos - req->mark == METHOD_LEN_MAX) {
            return refuse(req, 501);
        }
        req->pos++;
    }
    if (req->pos == end) {
        return -EAGAIN;
    }
    if (head[req->pos] != ' ' || req->pos == req->mark) {
        return refuse(req, 400);
    }
    req->method = method_of(zn__http_slice(head, marked(req)));
    req->pos++;
    return enter(req, TARGET);
}

// Origin-form, or "*" for OPTIONS (RFC 9112 section 3.2).
static int read_target(struct zn_http_req *req, const char *head, uint16_t end)
{
    bool star = head[req->mark] == '*' && req->method == ZN_HTTP_OPTIONS;
    uint16_t stop = star && end > req->mark + 1 ? (uint16_t)(req->mark + 1) : end;

    if (head[req->mark] != '/' && !star) {
        return refuse(req, 400);
    }
    while (req->pos < stop && zn__http_is(head[req->pos], ZN_HTTP_TARGET)) {
        if (head[req->pos] == '?' && req->query.off == 0) {
            req->query.off = (uint16_t)(req->pos + 1);
        }
        req->pos++;
    }
    if (req->pos == end) {
        return -EAGAIN;
    }
    if (head[req->pos] != ' ') {
        return refuse(req, 400);
    }
    req->target = req->path = marked(req);
    if (req->query.off > 0) {
        req->query.len = (uint16_t)(req->pos - req->query.off);
        req->path.len = (uint16_t)(req->query.off - 1 - req->mark);
    }
    req->pos++;
    return enter(req, VERSION);
}

static int read_version(struct zn_http_req *req, const char *head, uint16_t end)
{
    static const char form[] = "HTTP/d.d\r";

    for (; req->pos < end; req->pos++) {
        unsigned at = (unsigned)(req->pos - req->mark);
        char c = head[req->pos];

        if (form[at] == 'd' ? !zn__http_is(c, ZN_HTTP_DIGIT) : c != form[at]) {
            return refuse(req, 400);
        }
        if ((at == 5 && c != '1') || (at == 7 && c > '1')) {
            return refuse(req, 505);
        }
        if (at == 7) {
            req->minor = (uint8_t)(c - '0');
        }
        if (c == '\r') {
            req->pos++;
            return enter(req, LINE_LF);
        }
    }
    return -EAGAIN;
}

static int read_line_start(struct zn_http_req *req, const char *head)
{
    if (head[req->pos] == '\r') {
        req->pos++;
        return enter(req, END_LF);
    }
    return req->headers_len == ZN_HTTP_HEADERS_MAX ? refuse(req, 431) : enter(req, NAME);
}

static int read_name(struct zn_http_req *req, const char *head, uint16_t end)
{
    while (req->pos < end && zn__http_is(head[req->pos], ZN_HTTP_TOKEN)) {
        req->pos++;
    }
    if (req->pos == end) {
        return -EAGAIN;
    }
    if (head[req->pos] != ':' || req->pos == req->mark) {
        return refuse(req, 400);
    }
    req->headers[req->headers_len].name = marked(req);
    req->pos++;
    return enter(req, VALUE_BLANK);
}

static int read_blank(struct zn_http_req *req, const char *head, uint16_t end)
{
    while (req->pos < end && zn__http_is_blank(head[req->pos])) {
        req->pos++;
    }
    return req->pos == end ? -EAGAIN : enter(req, VALUE);
}

static int read_value(struct zn_http_req *req, const char *head, uint16_t end)
{
    struct zn_http_span value;
    uint16_t status;

    req->pos = (uint16_t)(zn__scan_field_value(head + req->pos, head + end) - head);
    if (req->pos == end) {
        return -EAGAIN;
    }
    if (head[req->pos] != '\r') {
        return refuse(req, 400);
    }
    value = marked(req);
    while (value.len > 0 && zn__http_is_blank(head[value.off + value.len - 1])) {
        value.len--;
    }
    req->headers[req->headers_len].value = value;
    status = zn__http_field_read(req, head, &req->headers[req->headers_len]);
    if (status != 0) {
        return refuse(req, status);
    }
    req->headers_len++;
    req->pos++;
    return enter(req, VALUE_LF);
}

static int read_end(struct zn_http_req *req, const char *head)
{
    uint16_t status;

    if (head[req->pos] != '\n') {
        return refuse(req, 400);
    }
    status = zn__http_fields_end(req);
    if (status != 0) {
        return refuse(req, status);
    }
    req->head_len = ++req->pos;
    req->state = DONE;
    return 0;
}

static int step(struct zn_http_req *req, const char *head, uint16_t end)
{
    switch ((enum state)req->state) {
    case START:
        return read_start(req, head);
    case START_LF:
        return expect_lf(req, head, METHOD);
    case METHOD:
        return read_method(req, head, end);
    case TARGET:
        return read_target(req, head, end);
    case VERSION:
        return read_version(req, head, end);
    case LINE_LF:
    case VALUE_LF:
        return expect_lf(req, head, FIELD);
    case FIELD:
        return read_line_start(req, head);
    case NAME:
        return read_name(req, head, end);
    case VALUE_BLANK:
        return read_blank(req, head, end);
    case VALUE:
        return read_value(req, head, end);
    case END_LF:
        return read_end(req, head);
    case DONE:
    case BAD:
        break;
    }
    return -EPROTO;
}

void zn__http_req_init(struct zn_http_req *req)
{
    memset(req, 0, offsetof(struct zn_http_req, headers));
    req->pos = 0;
    req->mark = 0;
    req->state = START;
    req->seen = 0;
}

int zn__http_req_parse(struct zn_http_req *req, const char *head, size_t len)
{
    uint16_t end = len < ZN_HTTP_HEAD_MAX ? (uint16_t)len : ZN_HTTP_HEAD_MAX;
    int err = 0;

    while (req->state != DONE && req->pos < end && err == 0) {
        err = step(req, head, end);
    }
    if (req->state == DONE) {
        return 0;
    }
    if (req->state == BAD) {
        return -EPROTO;
    }
    if (req->pos == ZN_HTTP_HEAD_MAX) {
        return refuse(req, req->state == TARGET ? 414 : 431);
    }
    return -EAGAIN;
}
