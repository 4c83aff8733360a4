// SPDX-License-Identifier: Apache-2.0
// See http.h: requests.
#include "http.h"

#include "engine.h"
#include "server.h"
#include "static.h"
#include "unfinished.h"

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

struct zn_buffer *zn__http_end(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    struct zn_buffer *in = http->in;
    if (http->request != NULL)
        zn__request_orphan(http->request);
    zn__unfinished_free(conn->reactor, http->body);
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
        free(zn__http_end(conn));
}

const char *zn__http_head(const struct zn_conn *conn)
{
    return (const char *)conn->http->in->data;
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
        else if (zn__unfinished_add(conn->reactor, &http->body, piece.p, piece.len) < 0) {
            http_bad(conn, 503);
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
        zn__http_push(conn, text, sizeof(text) - 1);
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
static bool body_ended(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    if (http->phase != ZN_PHASE_HEAD)
        return false;
    zn__http_req_init(&http->req);
    zn__unfinished_free(conn->reactor, http->body);
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
        return body_ended(conn) && http->in->len > 0;
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
        (void)body_ended(conn);
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
        free(zn__http_end(conn));
}

static void http_run(struct zn_conn *conn)
{
    while (conn->http != NULL && !conn->dead && http_step(conn))
        ;
    if (conn->websocket && conn->http != NULL) {
        // What followed the handshake is frames already.
        size_t head_len = conn->http->req.head_len;
        struct zn_buffer *in = zn__http_end(conn);
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
        (void)body_ended(conn);
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
