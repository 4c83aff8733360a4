// SPDX-License-Identifier: Apache-2.0
// See engine.h: requests under an Engine.IO path, checked as the reference checks them, in its
// order.
#include "engine.h"

#include "options.h"
#include "server.h"
#include "static.h"

#include "proto/json.h"

#include <assert.h>
#include <stdio.h>

enum engine_error { // the reference's codes
    UNKNOWN_TRANSPORT = 0,
    UNKNOWN_SID = 1,
    BAD_HANDSHAKE_METHOD = 2,
    BAD_REQUEST = 3,
    FORBIDDEN = 4,
    UNSUPPORTED_PROTOCOL_VERSION = 5,
    NO_ERROR = 255,
};

static const char *const messages[] = {
    "Transport unknown", "Session ID unknown", "Bad handshake method",
    "Bad request",       "Forbidden",          "Unsupported protocol version",
};

enum transport { TRANSPORT_NONE, TRANSPORT_POLLING, TRANSPORT_WEBSOCKET };

// What a request asks for.
struct query {
    enum transport transport;
    struct zn_slice sid;
    bool version_4;
};

unsigned zn__sid_reactor(const struct zn_server *server, const char *sid)
{
    unsigned n = (unsigned char)sid[0] * 31u + (unsigned char)sid[1] * 7u + (unsigned char)sid[2];
    return n % server->threads;
}

// --- CORS ---------------------------------------------------------------------------------------

void zn__engine_cors(struct zn_conn *conn, const struct zn_cors *cors)
{
    struct zn_http *http = conn->http;
    if (cors->origins_len == 0)
        return;
    struct zn_slice origin;
    bool any = cors->origins_len == 1 && strcmp(cors->origins[0], "*") == 0;
    if (any) {
        zn__http_line(http, "Access-Control-Allow-Origin", ZN_SLICE("*"));
    } else {
        if (zn__http_header_find(&http->req, zn__http_head(conn), ZN_SLICE("origin"), &origin) &&
            zn__cors_allows(cors, origin))
            zn__http_line(http, "Access-Control-Allow-Origin", origin);
        zn__http_line(http, "Vary", ZN_SLICE("Origin"));
    }
    if (cors->credentials)
        zn__http_line(http, "Access-Control-Allow-Credentials", ZN_SLICE("true"));
}

static void preflight(struct zn_conn *conn)
{
    struct zn_http *http = conn->http;
    struct zn_slice asked;
    zn__http_line(http, "Access-Control-Allow-Methods", ZN_SLICE("GET,HEAD,PUT,PATCH,POST,DELETE"));
    zn__http_line(http, "Vary", ZN_SLICE("Access-Control-Request-Headers"));
    if (zn__http_header_find(&http->req, zn__http_head(conn),
                             ZN_SLICE("access-control-request-headers"), &asked))
        zn__http_line(http, "Access-Control-Allow-Headers", asked);
    zn__http_line(http, "Content-Length", ZN_SLICE("0"));
    zn__http_reply(conn, &(struct zn_reply){ .status = 204,
                                             .headers = zn__http_lines(conn),
                                             .close = http->req.content_length > 0 });
}

// --- Errors -------------------------------------------------------------------------------------

static void engine_refuse(struct zn_conn *conn, unsigned code, const char *message)
{
    const struct zn_http_req *req = &conn->http->req;
    if (req->upgrade) {
        zn__http_refuse_upgrade(conn, code == FORBIDDEN ? 403 : 400, "", message);
        return;
    }
    char quoted[256];
    ssize_t n =
        zn__json_quote((struct zn_slice){ message, strlen(message) }, quoted, sizeof(quoted));
    char body[300];
    int len = snprintf(body, sizeof(body), "{\"code\":%u,\"message\":%.*s}", code,
                       n > 0 ? (int)n : 2, n > 0 ? quoted : "\"\"");
    zn__http_reply(conn, &(struct zn_reply){ .status = code == FORBIDDEN ? 403 : 400,
                                             .content_type = "application/json",
                                             .headers = zn__http_lines(conn),
                                             .body = { body, (size_t)len },
                                             .close = req->chunked || req->content_length > 0 });
}

static void engine_error(struct zn_conn *conn, unsigned code)
{
    ZN_COUNT(conn->reactor, rejected_eio, 1);
    engine_refuse(conn, code, messages[code]);
}

// --- Opening a session ---------------------------------------------------------------------------

// A request that would open a session, while somebody decides over it.
struct zn_request {
    struct zn_conn *conn; // NULL: it went away
    struct zn_engine *engine;
    struct zn_hello *hello;
};

void zn__request_orphan(struct zn_request *request)
{
    request->conn = NULL;
}

static void cookie_add(struct zn_conn *conn, const struct zn_session *session)
{
    const char *name = session->engine->options.cookie;
    if (name == NULL)
        return;
    char value[160];
    int n =
        snprintf(value, sizeof(value), "%s=%s; Path=/; HttpOnly; SameSite=Lax", name, session->sid);
    if (n > 0 && (size_t)n < sizeof(value))
        zn__http_line(conn->http, "Set-Cookie", (struct zn_slice){ value, (size_t)n });
}

// 101 for this engine. 0, or negative when the connection is refused or gone.
static int engine_switch(struct zn_conn *conn, struct zn_engine *engine, enum zn_ws_role role)
{
    struct zn_http *http = conn->http;
    const char *head = zn__http_head(conn);
    struct zn_slice key;
    int status = zn__ws_handshake_check(&http->req, head, &key);
    struct zn_deflate_config config = zn__deflate_config(&engine->options.deflate);
    struct zn_deflate_params params;
    char extension[ZN_DEFLATE_RESPONSE_MAX];
    if (status != 0) {
        zn__http_refuse_upgrade(conn, (unsigned)status,
                                status == 426 ? "Sec-WebSocket-Version: 13\r\n" : "",
                                "Bad Request");
        return -EPROTO;
    }
    size_t extension_len = zn__deflate_negotiate(&http->req, head, &config, &params, extension);
    struct zn_slice extension_value = { extension, extension_len };
    if (zn__http_switch(conn, (struct zn_slice){ NULL, 0 }, extension_value, zn__http_lines(conn)) <
        0) {
        zn__conn_abort(conn);
        return -EPROTO;
    }
    zn__ws_start(conn, role, engine, extension_len > 0 ? &params : NULL);
    return 0;
}

static void session_open(struct zn_conn *conn, struct zn_engine *engine, struct zn_hello *hello)
{
    bool websocket = conn->http->req.upgrade;
    struct zn_session *session = zn__session_create(engine, conn->reactor);
    if (session == NULL) {
        zn__hello_destroy(hello);
        zn__conn_abort(conn);
        return;
    }
    session->hello = hello;
    cookie_add(conn, session);
    if (websocket) {
        if (engine_switch(conn, engine, ZN_WS_SESSION) < 0) {
            zn__session_abandon(session);
            return;
        }
        session->ws = conn;
        conn->session = session;
    } else {
        zn__polling_get(session, conn);
        ZN_COUNT(conn->reactor, handshakes, 1);
    }
    zn__session_begin(session);
}

static void session_ask(struct zn_conn *conn, struct zn_engine *engine)
{
    struct zn_hello *hello = zn__hello_create(conn);
    if (hello == NULL) {
        zn__conn_abort(conn);
        return;
    }
    if (engine->options.allow == NULL) {
        session_open(conn, engine, hello);
        return;
    }
    struct zn_request *request = malloc(sizeof(*request));
    if (request == NULL) {
        zn__hello_destroy(hello);
        zn__conn_abort(conn);
        return;
    }
    *request = (struct zn_request){ conn, engine, hello };
    conn->http->request = request;
    struct zn_handshake handshake;
    zn__hello_show(hello, &handshake);
    engine->options.allow(request, &handshake, engine->options.allow_user);
}

// Takes the decision off the connection; NULL: the connection is gone.
static struct zn_conn *request_settle(struct zn_request *request)
{
    struct zn_conn *conn = request->conn;
    if (conn != NULL)
        conn->http->request = NULL;
    return conn;
}

void zn_request_allow(struct zn_request *request)
{
    struct zn_conn *conn = request_settle(request);
    if (conn == NULL)
        zn__hello_destroy(request->hello);
    else
        session_open(conn, request->engine, request->hello);
    free(request);
    if (conn != NULL && !conn->dead)
        zn__http_resume_later(conn);
}

void zn_request_refuse(struct zn_request *request, const char *message)
{
    struct zn_conn *conn = request_settle(request);
    zn__hello_destroy(request->hello);
    free(request);
    if (conn == NULL)
        return;
    ZN_COUNT(conn->reactor, rejected_eio, 1);
    engine_refuse(conn, FORBIDDEN, message != NULL ? message : messages[FORBIDDEN]);
    if (!conn->dead)
        zn__http_resume_later(conn);
}

// --- Checks -------------------------------------------------------------------------------------

static void query_read(struct query *query, struct zn_slice text)
{
    struct zn_slice value;
    *query = (struct query){ 0 };
    if (zn__http_query_find(text, ZN_SLICE("transport"), &value)) {
        if (zn__slice_eq(value, ZN_SLICE("polling")))
            query->transport = TRANSPORT_POLLING;
        else if (zn__slice_eq(value, ZN_SLICE("websocket")))
            query->transport = TRANSPORT_WEBSOCKET;
    }
    if (zn__http_query_find(text, ZN_SLICE("sid"), &value))
        query->sid = value;
    query->version_4 =
        zn__http_query_find(text, ZN_SLICE("EIO"), &value) && zn__slice_eq(value, ZN_SLICE("4"));
}

static bool transport_enabled(const struct zn_engine *engine, enum transport transport)
{
    return (transport == TRANSPORT_POLLING && !engine->options.no_polling) ||
           (transport == TRANSPORT_WEBSOCKET && !engine->options.no_websocket);
}

// A request of a session that exists.
static unsigned session_check(const struct zn_session *session, const struct query *query,
                              bool upgrade)
{
    enum transport now = session->ws != NULL ? TRANSPORT_WEBSOCKET : TRANSPORT_POLLING;
    if (!upgrade && now != query->transport)
        return BAD_REQUEST;
    return query->version_4 ? NO_ERROR : BAD_REQUEST;
}

static unsigned handshake_check(const struct zn_http_req *req, const struct query *query)
{
    if (req->method != ZN_HTTP_GET)
        return BAD_HANDSHAKE_METHOD;
    if (query->transport == TRANSPORT_WEBSOCKET && !req->upgrade)
        return BAD_REQUEST;
    if (query->transport == TRANSPORT_POLLING && req->upgrade)
        return BAD_REQUEST;
    return query->version_4 ? NO_ERROR : UNSUPPORTED_PROTOCOL_VERSION;
}

static bool origin_refused(const struct zn_conn *conn, const struct zn_cors *cors)
{
    struct zn_slice origin;
    return cors->check_upgrades && conn->http->req.upgrade &&
           zn__http_header_find(&conn->http->req, zn__http_head(conn), ZN_SLICE("origin"),
                                &origin) &&
           !zn__cors_allows(cors, origin);
}

static void session_request(struct zn_conn *conn, struct zn_session *session)
{
    struct zn_http *http = conn->http;
    if (http->req.upgrade) {
        if (engine_switch(conn, session->engine, ZN_WS_PROBE) == 0)
            zn__upgrade_start(session, conn);
    } else if (http->req.method == ZN_HTTP_GET) {
        zn__polling_get(session, conn);
    } else if (http->req.method == ZN_HTTP_POST) {
        if (zn__polling_post(session, conn))
            http->phase = ZN_PHASE_BODY;
    } else {
        zn__http_reply(conn, &(struct zn_reply){
                                 .status = 500, .headers = zn__http_lines(conn), .close = true });
    }
}

// A request with a session id: to the session, or to the reactor that would have it.
static void sid_request(struct zn_conn *conn, struct zn_engine *engine, const struct query *query)
{
    struct zn_reactor *reactor = conn->reactor;
    if (!zn__eio_sid_valid(query->sid)) {
        engine_error(conn, UNKNOWN_SID);
        return;
    }
    unsigned home = zn__sid_reactor(engine->server, query->sid.p);
    if (home != reactor->index) {
        if (conn->out.bytes > 0 || conn->blocked)
            zn__conn_abort(conn); // pipelined behind an answer that is not out yet
        else
            zn__conn_move(conn, home, conn->http->in->data, conn->http->in->len);
        return;
    }
    struct zn_session *session = zn__table_find(&reactor->sessions, query->sid);
    if (session == NULL || session->engine != engine || session->state == ZN_SESSION_CLOSED) {
        engine_error(conn, UNKNOWN_SID);
        return;
    }
    unsigned code = session_check(session, query, conn->http->req.upgrade);
    if (code != NO_ERROR)
        engine_error(conn, code);
    else
        session_request(conn, session);
}

static bool client_request(struct zn_conn *conn, const struct zn_engine *engine)
{
    struct zn_slice path = zn__http_slice(zn__http_head(conn), conn->http->req.path);
    struct zn_slice name = { path.p + engine->path_len, path.len - engine->path_len };
    return engine->serves_client && name.len > 0 && zn__static_client(conn, name);
}

void zn__engine_request(struct zn_conn *conn, struct zn_engine *engine)
{
    struct zn_http *http = conn->http;
    const struct zn_engine_options *options = &engine->options;
    if (client_request(conn, engine))
        return;
    zn__engine_cors(conn, &options->cors);
    if (http->req.method == ZN_HTTP_OPTIONS && options->cors.origins_len > 0) {
        preflight(conn);
        return;
    }
    struct query query;
    query_read(&query, zn__http_slice(zn__http_head(conn), http->req.query));
    if (!transport_enabled(engine, query.transport)) {
        engine_error(conn, UNKNOWN_TRANSPORT);
    } else if (origin_refused(conn, &options->cors)) {
        engine_error(conn, FORBIDDEN);
    } else if (query.sid.len > 0) {
        sid_request(conn, engine, &query);
    } else {
        unsigned code = handshake_check(&http->req, &query);
        if (code != NO_ERROR)
            engine_error(conn, code);
        else
            session_ask(conn, engine);
    }
}
