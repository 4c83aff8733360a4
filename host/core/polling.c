// SPDX-License-Identifier: Apache-2.0
// See engine.h: the long-polling transport. Packets go out with a GET that waits and come in with
// POSTs; two of either at a time end the session.
#include "engine.h"

#include "server.h"

#include "proto/eio.h"
#include "proto/utf8.h"

// Lets go of the GET or POST of this connection.
static void conn_release(struct zn_session *session, struct zn_conn *conn)
{
    if (session->poll == conn)
        session->poll = NULL;
    if (session->post == conn)
        session->post = NULL;
    conn->session = NULL;
}

static bool user_agent_is_ie(const struct zn_conn *conn)
{
    struct zn_slice agent;
    return zn__http_header_find(&conn->http->req, zn__http_head(conn), ZN_SLICE("user-agent"),
                                &agent) &&
           (memmem(agent.p, agent.len, ";MSIE", 5) != NULL ||
            memmem(agent.p, agent.len, "Trident/", 8) != NULL);
}

// Adds what every polling answer carries to the exchange's header lines.
static void polling_headers(struct zn_conn *conn)
{
    zn__http_line(conn->http, "cache-control", ZN_SLICE("no-store"));
    zn__http_line(conn->http, "X-Content-Type-Options", ZN_SLICE("nosniff"));
    if (user_agent_is_ie(conn))
        zn__http_line(conn->http, "X-XSS-Protection", ZN_SLICE("0"));
}

// Answers a GET with one packet that is not queued.
static void poll_answer(struct zn_conn *conn, const char *packet)
{
    zn__http_reply(conn, &(struct zn_reply){ .status = 200,
                                             .content_type = "text/plain; charset=UTF-8",
                                             .headers = zn__http_lines(conn),
                                             .body = { packet, strlen(packet) } });
}

void zn__polling_flush(struct zn_session *session)
{
    struct zn_conn *conn = session->poll;
    zn__session_tell_dropped(session);
    if (conn == NULL || session->poll != conn)
        return;
    bool noop = session->probed && session->queue.bytes == 0;
    if (session->queue.bytes == 0 && !noop)
        return;
    conn_release(session, conn);
    if (!noop && zn__polling_compress(session, conn))
        zn__http_line(conn->http, "Content-Encoding", ZN_SLICE("gzip"));
    if (noop)
        poll_answer(conn, "6");
    else
        zn__http_reply(conn, &(struct zn_reply){ .status = 200,
                                                 .content_type = "text/plain; charset=UTF-8",
                                                 .headers = zn__http_lines(conn),
                                                 .body_queue = &session->queue });
    zn__http_resume(conn);
    if (session->pressed) {
        session->pressed = false;
        zn__session_drained(session);
    }
}

static void answer_400(struct zn_conn *conn)
{
    const struct zn_http_req *req = &conn->http->req;
    zn__http_reply(conn, &(struct zn_reply){ .status = 400,
                                             .headers = zn__http_lines(conn),
                                             .close = req->chunked || req->content_length > 0 });
}

void zn__polling_get(struct zn_session *session, struct zn_conn *conn)
{
    if (session->poll != NULL) {
        zn__session_lost(session, "transport error");
        answer_400(conn);
        return;
    }
    polling_headers(conn);
    conn->session = session;
    session->poll = conn;
    if (session->state != ZN_SESSION_OPEN)
        zn__session_last_poll(session);
    zn__conn_dirty(conn); // answered with the end of the turn, if there is something
}

bool zn__polling_post(struct zn_session *session, struct zn_conn *conn)
{
    struct zn_slice type = { NULL, 0 };
    zn__http_header_find(&conn->http->req, zn__http_head(conn), ZN_SLICE("content-type"), &type);
    if (session->post != NULL || zn__slice_ieq(type, ZN_SLICE("application/octet-stream"))) {
        zn__session_lost(session, "transport error");
        answer_400(conn);
        return false;
    }
    polling_headers(conn);
    conn->session = session;
    session->post = conn;
    return true;
}

static int payload_read(struct zn_session *session, struct zn_slice payload)
{
    size_t cursor = 0;
    struct zn_eio_packet packet;
    int more;
    while ((more = zn__eio_payload_next(payload, &cursor, &packet)) > 0) {
        // The type stands in front of the data.
        zn__session_text(session, (uint8_t *)packet.data.p - 1, packet.data.len + 1);
        ZN_COUNT(session->reactor, messages_in, 1);
    }
    return more;
}

void zn__polling_body(struct zn_conn *conn, uint8_t *data, size_t len)
{
    struct zn_session *session = conn->session;
    conn_release(session, conn);
    bool valid = zn__utf8_valid(data, len) &&
                 payload_read(session, (struct zn_slice){ (char *)data, len }) >= 0;
    if (!valid && session->state == ZN_SESSION_OPEN) {
        ZN_COUNT(conn->reactor, rejected_eio, 1);
        zn__session_close(session, "parse error", true);
    }
    zn__http_reply(conn, &(struct zn_reply){ .status = 200,
                                             .content_type = "text/html",
                                             .headers = zn__http_lines(conn),
                                             .body = ZN_SLICE("ok") });
}

void zn__polling_end(struct zn_session *session)
{
    struct zn_conn *conn = session->poll;
    if (conn != NULL) {
        conn_release(session, conn);
        if (strcmp(session->reason, "transport close") == 0)
            poll_answer(conn, "6");
        else if (session->discard || session->queue.bytes == 0)
            poll_answer(conn, "1");
        else {
            (void)zn__session_eio(session, '0' + ZN_EIO_CLOSE, (struct zn_slice){ NULL, 0 });
            zn__http_reply(conn, &(struct zn_reply){ .status = 200,
                                                     .content_type = "text/plain; charset=UTF-8",
                                                     .headers = zn__http_lines(conn),
                                                     .body_queue = &session->queue });
        }
        zn__http_resume(conn);
    }
    conn = session->post;
    if (conn != NULL) {
        conn_release(session, conn);
        zn__conn_abort(conn); // a body for nobody
    }
}

void zn__polling_conn_gone(struct zn_session *session, struct zn_conn *conn)
{
    bool was = session->poll == conn || session->post == conn;
    conn_release(session, conn);
    if (was)
        zn__session_lost(session, "transport error");
}
