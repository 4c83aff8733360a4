// SPDX-License-Identifier: Apache-2.0
// See http.h: requests in, answers out.
#include "http.h"

#include "engine.h"
#include "server.h"
#include "static.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { STASH_MAX = ZN_HTTP_HEAD_MAX + 65536 };

// --- Exchange -----------------------------------------------------------------------------------

static struct zn_http *http_begin(struct zn_conn *conn)
{
    struct zn_reactor *reactor = conn->reactor;
    struct zn_http *http = reactor->http_spare;
    reactor->http_spare = NULL;
    if (http == NULL)
        http = malloc(sizeof(*http));
    if (http == NULL)
        return NULL;
    memset(http, 0, offsetof(struct zn_http, lines));
    zn__http_req_init(&http->req);
    conn->http = http;
    return http;
}

// Frees the exchange but for bytes behind it, which are returned.
static struct zn_buffer *http_end(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    struct zn_buffer *in = http->in;
    if (http->request != NULL)
        zn__request_orphan(http->request);
    free(http->body);
    // One is kept: a head that comes whole needs it for no longer than its turn.
    free(conn->reactor->http_spare);
    conn->reactor->http_spare = http;
    conn->http = NULL;
    return in;
}

void zn__http_drop(struct zn_conn *conn)
{
    struct zn_session *session = conn->session;
    if (session != NULL && !conn->websocket) {
        conn->session = NULL;
        zn__polling_conn_gone(session, conn);
    }
    if (conn->http != NULL)
        free(http_end(conn));
}

const char *zn__http_head(const struct zn_conn *conn)
{
    return (const char *)conn->http->in->data;
}

// --- Answers ------------------------------------------------------------------------------------

static const char *date_now(struct zn_reactor *reactor)
{
    uint64_t now_s = reactor->wall_ms / 1000;
    if (reactor->date_s != now_s || reactor->date[0] == '\0') {
        time_t t = (time_t)now_s;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(reactor->date, sizeof(reactor->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        reactor->date_s = now_s;
    }
    return reactor->date;
}

static void push_answer(struct zn_conn *conn, const void *p, size_t len)
{
    if (len > 0 && zn__conn_write(conn, p, len, ZN_OUT_CONTROL | ZN_OUT_GROUP) < 0)
        zn__conn_abort(conn);
}

// Status line and headers; `len` < 0: no Content-Length.
static void push_head(struct zn_conn *conn, const struct zn_reply *reply, bool close, ssize_t len)
{
    char head[512];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %u %s\r\n", reply->status,
                     zn__http_reason(reply->status));
    if (reply->content_type != NULL)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Type: %s\r\n",
                      reply->content_type);
    if (len >= 0)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zd\r\n", len);
    n += snprintf(head + n, sizeof(head) - (size_t)n, "Date: %s\r\n%s", date_now(conn->reactor),
                  close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    if (!close)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Keep-Alive: timeout=%u\r\n",
                      conn->reactor->server->options.idle_timeout_ms / 1000);
    push_answer(conn, head, (size_t)n);
    push_answer(conn, reply->headers.p, reply->headers.len);
    push_answer(conn, "\r\n", 2);
}

// A polling queue as a body: the first record's separator is not part of a payload.
static void push_queue(struct zn_conn *conn, struct zn_outq *queue)
{
    for (unsigned i = queue->head; i < queue->tail; i++) {
        uint32_t skip = i == queue->head;
        struct zn_run run = { queue->v[i].chunk, queue->v[i].off + skip, queue->v[i].len - skip };
        if (run.len > 0 && zn__conn_push(conn, &run, ZN_OUT_CONTROL | ZN_OUT_GROUP) < 0) {
            zn__conn_abort(conn);
            break;
        }
    }
    ZN_COUNT(conn->reactor, buffered_now, -(int64_t)queue->bytes);
    zn__outq_deinit(queue);
}

void zn__http_line(struct zn_http *http, const char *name, struct zn_slice value)
{
    size_t room = sizeof(http->lines) - http->lines_len;
    int n = snprintf(http->lines + http->lines_len, room, "%s: %.*s\r\n", name, (int)value.len,
                     value.p);
    if (n > 0 && (size_t)n < room)
        http->lines_len += (uint16_t)n;
}

struct zn_slice zn__http_lines(const struct zn_conn *conn)
{
    return (struct zn_slice){ conn->http->lines, conn->http->lines_len };
}

// Whether an element of Accept-Encoding is gzip with a weight above 0 (RFC 9110 section 12.4.2).
static bool coding_is_gzip(struct zn_slice coding)
{
    struct zn_slice name = { coding.p, 0 };
    while (name.len < coding.len && strchr("; \t", coding.p[name.len]) == NULL)
        name.len++;
    if (!zn__slice_ieq(name, ZN_SLICE("gzip")))
        return false;
    for (size_t i = name.len; i < coding.len; i++)
        if (coding.p[i] >= '1' && coding.p[i] <= '9')
            return true;
    return name.len == coding.len; // a weight without such a digit is 0
}

bool zn__http_accepts_gzip(const struct zn_conn *conn)
{
    uint32_t cursor = 0;
    struct zn_slice coding;
    while (zn__http_list_next(&conn->http->req, zn__http_head(conn), ZN_SLICE("accept-encoding"),
                              &cursor, &coding))
        if (coding_is_gzip(coding))
            return true;
    return false;
}

void zn__http_reply(struct zn_conn *conn, const struct zn_reply *reply)
{
    struct zn_http *http = conn->http;
    assert(http != NULL);
    // A body that nobody read must not be taken for the next request.
    bool unread =
        http->phase != ZN_PHASE_BODY && (http->req.chunked || http->req.content_length > 0);
    bool close =
        reply->close || unread || !http->req.keep_alive || conn->eof || conn->reactor->stopping;
    size_t len = reply->body_queue != NULL ? reply->body_queue->bytes - 1 : reply->body.len;
    bool bodiless = reply->status == 204 || reply->status == 304;
    push_head(conn, reply, close, bodiless ? -1 : (ssize_t)len);
    if (conn->dead)
        return;
    if (reply->body_queue != NULL)
        push_queue(conn, reply->body_queue);
    else if (!bodiless && http->req.method != ZN_HTTP_HEAD)
        push_answer(conn, reply->body.p, reply->body.len);
    if (conn->dead)
        return;
    if (reply->status >= 400)
        ZN_COUNT(conn->reactor, rejected_http, 1);
    conn->session = NULL;
    http->phase = ZN_PHASE_HEAD;
    if (close) {
        free(http_end(conn));
        zn__conn_finish(conn);
    }
}

void zn__http_refuse_upgrade(struct zn_conn *conn, unsigned status, const char *headers,
                             const char *message)
{
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-type: text/html\r\n"
                     "Content-Length: %zu\r\n%s\r\n%s",
                     status, zn__http_reason(status), strlen(message), headers, message);
    if (n < 0 || (size_t)n >= sizeof(text))
        n = 0;
    ZN_COUNT(conn->reactor, rejected_http, 1);
    push_answer(conn, text, (size_t)n);
    if (conn->dead)
        return;
    free(http_end(conn));
    zn__conn_finish(conn);
}

int zn__http_switch(struct zn_conn *conn, struct zn_slice protocol, struct zn_slice extension,
                    struct zn_slice headers)
{
    struct zn_slice key;
    if (zn__ws_handshake_check(&conn->http->req, zn__http_head(conn), &key) != 0)
        return -EPROTO;
    char text[1400];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    zn__ws_accept(key, text + n);
    n += 28;
    n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n%s%.*s%s%s%.*s%s%.*s\r\n",
                  protocol.len > 0 ? "Sec-WebSocket-Protocol: " : "", (int)protocol.len, protocol.p,
                  protocol.len > 0 ? "\r\n" : "",
                  extension.len > 0 ? "Sec-WebSocket-Extensions: " : "", (int)extension.len,
                  extension.p, extension.len > 0 ? "\r\n" : "", (int)headers.len, headers.p);
    if ((size_t)n >= sizeof(text))
        return -EMSGSIZE;
    ZN_COUNT(conn->reactor, handshakes, 1);
    return zn__conn_write(conn, text, (size_t)n, ZN_OUT_CONTROL | ZN_OUT_GROUP);
}

// --- Requests -----------------------------------------------------------------------------------

static void reply_status(struct zn_conn *conn, unsigned status, bool close)
{
    zn__http_reply(conn, &(struct zn_reply){ .status = status, .close = close });
}

static const struct zn_route *route_find(const struct zn_server *server, struct zn_slice path)
{
    const struct zn_route *fallback = NULL;
    for (unsigned i = 0; i < server->routes_len; i++) {
        const struct zn_route *route = &server->routes[i];
        if (route->kind == ZN_ROUTE_ENGINE) {
            if (path.len >= route->path_len && memcmp(path.p, route->path, route->path_len) == 0)
                return route;
        } else if (route->path_len == path.len && memcmp(path.p, route->path, path.len) == 0) {
            return route;
        } else if (route->kind == ZN_ROUTE_WS && strcmp(route->path, "*") == 0) {
            fallback = route;
        }
    }
    return fallback;
}

// The head is complete: whoever has its path answers, waits, reads the body or takes the
// connection.
static void http_dispatch(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    struct zn_slice path = zn__http_slice(zn__http_head(conn), http->req.path);
    const struct zn_route *route = route_find(conn->reactor->server, path);
    http->phase = ZN_PHASE_WAIT;
    if (route == NULL || (route->kind == ZN_ROUTE_WS && !http->req.upgrade))
        reply_status(conn, route == NULL ? 404 : 426, false);
    else if (route->kind == ZN_ROUTE_ENGINE)
        zn__engine_request(conn, route->engine);
    else if (route->kind == ZN_ROUTE_WS)
        zn__endpoint_request(conn, route->ws);
    else
        zn__static_request(conn, route->file);
}

static void http_bad(struct zn_conn *conn, unsigned status)
{
    struct zn_http *http = conn->http;
    if (conn->session != NULL && conn->session->post == conn)
        conn->session->post = NULL; // the body that it waited for does not come
    http->req.keep_alive = false;
    http->req.method = ZN_HTTP_GET;
    reply_status(conn, status, true);
}

// Body bytes at `data`; returns how many belonged to it.
static size_t http_body(struct zn_conn *conn, uint8_t *data, size_t len)
{
    struct zn_http *http = conn->http;
    size_t max = conn->session->engine->options.max_payload;
    size_t used = 0;
    struct zn_slice whole = { NULL, 0 };
    while (!http->body_state.done && used < len) {
        struct zn_slice piece;
        ssize_t n =
            zn__http_body_next(&http->body_state, (const char *)data + used, len - used, &piece);
        size_t so_far = http->body != NULL ? http->body->len : 0;
        if (n < 0 || piece.len > max - so_far) {
            http_bad(conn, n < 0 ? 400 : 413);
            return len;
        }
        used += (size_t)n;
        // A body that is all here is handed on where it lies.
        if (http->body == NULL && http->body_state.done && whole.len == 0)
            whole = piece;
        else if (zn__buffer_add(&http->body, piece.p, piece.len) < 0) {
            zn__conn_abort(conn);
            return len;
        }
    }
    if (http->body_state.done) {
        if (http->body != NULL)
            zn__polling_body(conn, http->body->data, http->body->len);
        else
            zn__polling_body(conn, (uint8_t *)whole.p, whole.len);
    }
    return used;
}

static void expect_continue(struct zn_conn *conn)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (conn->http->req.expect_continue)
        push_answer(conn, text, sizeof(text) - 1);
}

// Starts with the body of the request in hand, if that is what the dispatch left it at.
static void body_begin(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    zn__http_body_init(&http->body_state, &http->req);
    if (http->req.has_length &&
        http->req.content_length > conn->session->engine->options.max_payload) {
        http_bad(conn, 413);
        return;
    }
    expect_continue(conn);
    if (conn->dead) // no room for it behind a pipeline of answers
        return;
    zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                      conn->reactor->server->options.header_timeout_ms);
    if (!conn->dead && http->body_state.done)
        (void)http_body(conn, (uint8_t *)"", 0);
}

// Removes the first `len` bytes of the exchange's input.
static void in_cut(struct zn_http *http, size_t len)
{
    memmove(http->in->data, http->in->data + len, http->in->len - len);
    http->in->len -= len;
}

// Whether the body is over and answered; the next request starts afresh then.
static bool body_ended(struct zn_http *http)
{
    if (http->phase != ZN_PHASE_HEAD)
        return false;
    zn__http_req_init(&http->req);
    free(http->body);
    http->body = NULL;
    return true;
}

// One step over the input in hand. Returns whether there may be another.
static bool http_step(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    if (http->phase == ZN_PHASE_WAIT || http->in == NULL)
        return false;
    if (http->phase == ZN_PHASE_BODY) {
        size_t used = http_body(conn, http->in->data, http->in->len);
        if (conn->http != http)
            return false;
        in_cut(http, used);
        return body_ended(http) && http->in->len > 0;
    }
    if (http->in->len == 0)
        return false;
    int err = zn__http_req_parse(&http->req, (const char *)http->in->data, http->in->len);
    if (err == -EAGAIN)
        return false;
    if (err < 0) {
        http_bad(conn, http->req.status);
        return false;
    }
    zn__reactor_untimer(conn->reactor, &conn->timer);
    size_t head_len = http->req.head_len;
    http_dispatch(conn);
    if (conn->http != http || conn->dead || http->phase == ZN_PHASE_WAIT)
        return false;
    in_cut(http, head_len);
    if (http->phase == ZN_PHASE_BODY)
        body_begin(conn);
    if (conn->http == http && http->phase == ZN_PHASE_HEAD)
        (void)body_ended(http);
    return conn->http == http && !conn->dead && http->in->len > 0;
}

// Between two requests: nothing is held, and the peer may not idle for ever.
static void http_rest(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    if (http == NULL || conn->dead || http->phase != ZN_PHASE_HEAD)
        return;
    bool idle = http->in == NULL || http->in->len == 0;
    const struct zn_server_options *options = &conn->reactor->server->options;
    if (!zn__timer_armed(&conn->timer))
        zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                          idle ? options->idle_timeout_ms : options->header_timeout_ms);
    if (idle)
        free(http_end(conn));
}

static void http_run(struct zn_conn *conn)
{
    while (conn->http != NULL && !conn->dead && http_step(conn))
        ;
    if (conn->websocket && conn->http != NULL) {
        // What followed the handshake is frames already.
        size_t head_len = conn->http->req.head_len;
        struct zn_buffer *in = http_end(conn);
        if (in->len > head_len && !conn->dead)
            zn__ws_recv(conn, in->data + head_len, in->len - head_len);
        free(in);
        return;
    }
    http_rest(conn);
}

void zn__http_recv(struct zn_conn *conn, uint8_t *data, size_t len)
{
    if (conn->end_after_flush)
        return;
    struct zn_http *http = conn->http;
    if (http == NULL) {
        http = http_begin(conn);
        // The first byte of a request: its head must be in by the deadline.
        zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                          conn->reactor->server->options.header_timeout_ms);
    }
    if (http != NULL && http->phase == ZN_PHASE_BODY && (http->in == NULL || http->in->len == 0)) {
        size_t used = http_body(conn, data, len);
        if (conn->http != http || conn->dead)
            return;
        (void)body_ended(http);
        data += used;
        len -= used;
    }
    if (http != NULL && http->in != NULL && http->in->len + len > STASH_MAX &&
        http->phase == ZN_PHASE_WAIT) {
        zn__conn_abort(conn); // a pipeline behind an answer that waits
        return;
    }
    if (http == NULL || zn__buffer_add(&http->in, data, len) < 0) {
        zn__conn_abort(conn);
        return;
    }
    http_run(conn);
}

void zn__http_resume(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    conn->resume = false;
    if (http == NULL || conn->dead)
        return;
    if (http->phase == ZN_PHASE_HEAD) {
        // The waiting request was answered: go on behind its head.
        in_cut(http, http->req.head_len);
        zn__http_req_init(&http->req);
    }
    http_run(conn);
}

void zn__http_resume_later(struct zn_conn *conn)
{
    conn->resume = true;
    zn__conn_dirty(conn);
}

void zn__http_eof(struct zn_conn *conn)
{
    // What was answered still goes out; whoever waits for an answer is gone.
    zn__conn_finish(conn);
    zn__http_drop(conn);
}

void zn__http_timer(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    if (conn->out.bytes > 0) // an answer is still on its way
        zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                          conn->reactor->server->options.header_timeout_ms);
    if (conn->out.bytes > 0 && zn__conn_stalled(conn))
        zn__conn_abort(conn);
    else if (conn->out.bytes > 0)
        return;
    else if (http == NULL)
        zn__conn_finish(conn);
    else if (http->phase == ZN_PHASE_BODY || (http->in != NULL && http->in->len > 0))
        http_bad(conn, 408);
    else
        zn__conn_finish(conn);
}
