// SPDX-License-Identifier: Apache-2.0
// WebSocket handshake, control frames, Engine.IO 4 open and heartbeat, Socket.IO 5 CONNECT, all
// from the client's side. See conn.h.
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

enum { HTTP_MAX = 4096 };

// RFC 6455 section 1.3's own example, so that the answer can be checked without SHA-1 in here.
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accept_value[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static void send_frame(struct client *cl, struct conn *c, uint8_t opcode, const void *data,
                       size_t len)
{
    uint8_t wire[FRAME_HEAD_MAX + 125];
    size_t n = frame_write(wire, opcode, data, len, (uint32_t)random_next(&cl->seed));
    conn_send(cl, c, wire, n);
}

void conn_start(struct client *cl, struct conn *c)
{
    char request[512];
    int n =
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
                 cl->path, (unsigned)ntohs(cl->server.sin_port), key);
    c->state = CONN_UPGRADING;
    conn_send(cl, c, (const uint8_t *)request, (size_t)n);
}

static void become_ready(struct client *cl, struct conn *c)
{
    c->state = CONN_READY;
    cl->ready_count++;
    if (cl->on.on_ready)
        cl->on.on_ready(cl, c);
}

// Collects the answer up to its blank line.
// Returns how many bytes of data belonged to it, or 0 when the connection has failed.
static size_t take_http(struct client *cl, struct conn *c, const uint8_t *data, size_t len)
{
    static const char end[] = "\r\n\r\n";
    char text[HTTP_MAX + 1];
    size_t had = c->http_len;
    size_t take = len < HTTP_MAX - had ? len : HTTP_MAX - had;
    if (had > 0)
        memcpy(text, c->http, had);
    memcpy(text + had, data, take);
    text[had + take] = '\0';
    char *stop = strstr(text, end);
    if (!stop) {
        char *kept = had + take < HTTP_MAX ? realloc(c->http, had + take) : NULL;
        if (!kept) {
            conn_fail(cl, c, "handshake answer too long");
            return 0;
        }
        memcpy(kept, text, had + take);
        c->http = kept;
        c->http_len = had + take;
        return take;
    }
    free(c->http);
    c->http = NULL;
    c->http_len = 0;
    stop[2] = '\0';
    if (strncmp(text, "HTTP/1.1 101", 12) != 0 || !strstr(text, accept_value)) {
        conn_fail(cl, c, "handshake refused");
        return 0;
    }
    c->state = cl->sio ? CONN_OPENING : CONN_READY;
    if (!cl->sio)
        become_ready(cl, c);
    return (size_t)(stop - text) + sizeof(end) - 1 - had;
}

static bool starts(const struct frame_step *f, const char *text)
{
    size_t len = strlen(text);
    return f->prefix_len >= len && memcmp(f->prefix, text, len) == 0;
}

// Engine.IO and Socket.IO packets before the session is ready, and heartbeats.
// Returns true when the frame was the transport's own business.
static bool take_engine(struct client *cl, struct conn *c, const struct frame_step *f)
{
    if (f->opcode != FRAME_TEXT)
        return false;
    if (f->len == 1 && starts(f, "2")) {
        send_frame(cl, c, FRAME_TEXT, "3", 1);
        return true;
    }
    if (c->state == CONN_OPENING && starts(f, "0{")) {
        c->state = CONN_JOINING;
        send_frame(cl, c, FRAME_TEXT, "40", 2);
        return true;
    }
    if (c->state == CONN_JOINING && starts(f, "40{\"sid\"")) {
        become_ready(cl, c);
        return true;
    }
    if (c->state != CONN_READY)
        conn_fail(cl, c, "Socket.IO connect failed");
    return c->fd < 0;
}

static void take_frame(struct client *cl, struct conn *c, const struct frame_step *f)
{
    if (f->opcode == FRAME_PING) {
        size_t len = f->len <= 125 ? (size_t)f->len : 0;
        send_frame(cl, c, FRAME_PONG, f->prefix, len);
    } else if (f->opcode == FRAME_CLOSE) {
        conn_fail(cl, c, "close frame from the server");
    } else if (f->opcode != FRAME_PONG) {
        if (cl->sio && take_engine(cl, c, f))
            return;
        if (cl->on.on_message)
            cl->on.on_message(cl, c, f);
    }
}

void conn_receive(struct client *cl, struct conn *c, const uint8_t *data, size_t len)
{
    size_t at = 0;
    if (c->state == CONN_UPGRADING)
        at = take_http(cl, c, data, len);
    while (at < len && c->fd >= 0) {
        struct frame_step step;
        int64_t used = frame_parse(&c->parser, data + at, len - at, &step);
        if (used < 0) {
            conn_fail(cl, c, "malformed frame from the server");
            return;
        }
        at += (size_t)used;
        if (step.chunk_len > 0 && cl->on.on_chunk)
            cl->on.on_chunk(cl, c, &step);
        if (step.done)
            take_frame(cl, c, &step);
    }
}
