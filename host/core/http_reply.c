// SPDX-License-Identifier: Apache-2.0
// See http.h: answers.
#include "http.h"

#include "server.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

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

void zn__http_push(struct zn_conn *conn, const void *p, size_t len)
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
    zn__http_push(conn, head, (size_t)n);
    zn__http_push(conn, reply->headers.p, reply->headers.len);
    zn__http_push(conn, "\r\n", 2);
}

// A polling queue as a body: the first record's separator is not part of a payload.
static void push_queue(struct zn_conn *conn, struct zn_outq *queue)
{
    for (unsigned i = queue->head; i < queue->tail; i++) {
        uint32_t skip = i == queue->head;
        const struct zn_out *out = zn__outq_at(queue, i);
        struct zn_run run = { out->chunk, out->off + skip, out->len - skip };
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
        zn__http_push(conn, reply->body.p, reply->body.len);
    if (conn->dead)
        return;
    if (reply->status >= 400)
        ZN_COUNT(conn->reactor, rejected_http, 1);
    conn->session = NULL;
    http->phase = ZN_PHASE_HEAD;
    if (close) {
        free(zn__http_end(conn));
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
    zn__http_push(conn, text, (size_t)n);
    if (conn->dead)
        return;
    free(zn__http_end(conn));
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
