// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over a connection: requests are routed by path to Engine.IO, a WebSocket endpoint or a
// fixed body; answers go out in order.
//
// http.c: requests. http_reply.c: answers.
//
// Thread: the connection's reactor.
#ifndef ZN_CORE_HTTP_H
#define ZN_CORE_HTTP_H

#include "conn.h"

enum zn_http_phase {
    ZN_PHASE_HEAD, // reading a head
    ZN_PHASE_BODY, // reading the body for the session's POST
    ZN_PHASE_WAIT, // the answer comes later (long poll, pending decision)
};

// One exchange. Lent to the connection from the first byte of a head until the answer.
struct zn_http {
    uint8_t phase;
    bool upgrade_wait; // WAIT: a WebSocket upgrade waits for a decision
    bool body_seen;
    struct zn_http_body body_state;
    struct zn_buffer *in; // input not used up: from the head's first byte while it is needed
    struct zn_buffer *body;
    struct zn_request *request; // a decision that is being waited for
    uint16_t lines_len;
    char lines[400]; // header lines for the answer
    struct zn_http_req req;
};

struct zn_reply {
    unsigned status;
    const char *content_type; // NULL: none
    struct zn_slice headers;  // more header lines, each ending in CRLF
    struct zn_slice body;
    struct zn_outq *body_queue; // instead of body: a polling queue, first separator cut off
    bool close;
};

void zn__http_recv(struct zn_conn *conn, uint8_t *data, size_t len);
void zn__http_eof(struct zn_conn *conn);
void zn__http_timer(struct zn_conn *conn);

// Adds a header line for the answer; one that does not fit is left out. The lines so far.
void zn__http_line(struct zn_http *http, const char *name, struct zn_slice value);
struct zn_slice zn__http_lines(const struct zn_conn *conn);
// Answers the request in hand.
void zn__http_reply(struct zn_conn *conn, const struct zn_reply *reply);
// Answers an upgrade that is refused: plain text, then the end of the connection.
void zn__http_refuse_upgrade(struct zn_conn *conn, unsigned status, const char *headers,
                             const char *message);
// Completes an opening handshake: 101 with `headers` (lines) and the subprotocol and extension
// chosen. The bytes behind the head go to zn__ws_recv() afterwards, from the loop.
int zn__http_switch(struct zn_conn *conn, struct zn_slice protocol, struct zn_slice extension,
                    struct zn_slice headers);
// "Bad Request" for 400; "" for a status that we never answer with.
const char *zn__http_reason(unsigned status);
// Queues bytes of an answer; the connection ends when there is no room for them.
void zn__http_push(struct zn_conn *conn, const void *p, size_t len);
// Frees the exchange but for bytes behind it, which are returned.
struct zn_buffer *zn__http_end(struct zn_conn *conn);
// The exchange is over without an answer.
void zn__http_drop(struct zn_conn *conn);
// Goes on with input that waited for an answer; `later`: with the end of the turn, for callers
// whose caller is the exchange itself.
void zn__http_resume(struct zn_conn *conn);
void zn__http_resume_later(struct zn_conn *conn);

// Whether the answer may be compressed with gzip.
bool zn__http_accepts_gzip(const struct zn_conn *conn);
// The head of the request in hand.
const char *zn__http_head(const struct zn_conn *conn);

#endif
