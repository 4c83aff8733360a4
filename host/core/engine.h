// SPDX-License-Identifier: Apache-2.0
// Engine.IO endpoints and their sessions, seen from HTTP and WebSocket. The view from above is
// session.h.
//
// engine.c: requests. polling.c: the long-polling transport. session.c: sessions. upgrade.c:
// from polling to WebSocket.
//
// Thread: the session's reactor.
#ifndef ZN_CORE_ENGINE_H
#define ZN_CORE_ENGINE_H

#include "conn.h"
#include "hello.h"
#include "http.h"
#include "session.h"

struct zn_engine {
    struct zn_server *server;
    struct zn_engine_options options; // defaults filled in; strings are copies
    struct zn_session_ops ops;
    void *user;
    char *path; // with leading and trailing '/'
    size_t path_len;
    void *owned_user;   // freed with the engine
    bool serves_client; // the client's bundle under the path
};

enum zn_session_state { ZN_SESSION_OPEN, ZN_SESSION_CLOSING, ZN_SESSION_CLOSED };

struct zn_session {
    struct zn_reactor *reactor;
    struct zn_engine *engine;
    struct zn_conn *ws;    // the WebSocket transport
    struct zn_conn *poll;  // the waiting GET
    struct zn_conn *post;  // the POST whose body is being read
    struct zn_conn *probe; // a WebSocket that may take over
    struct zn_session *closing_next;
    const char *reason; // of closing
    struct zn_hello *hello;
    struct zn_outq queue;  // polling: packets that wait for a GET
    struct zn_timer timer; // heartbeat
    char sid[ZN_EIO_SID_LEN + 1];
    uint8_t state; // enum zn_session_state
    bool awaiting_pong : 1;
    bool refreshed : 1; // the pong's deadline was extended once
    bool probed : 1;    // the probe was answered: polls return at once
    bool upgraded : 1;
    bool discard : 1;
    bool pressed : 1;
    bool lingering : 1;  // closed, waits for a poll to say so
    bool listed : 1;     // in the reactor's list of sessions that end
    uint32_t dropped;    // messages dropped and not told yet
    uint16_t close_code; // for the WebSocket at the session's end
};

// --- engine.c
// A request whose path is the engine's. The whole head is there; may move the connection.
void zn__engine_request(struct zn_conn *conn, struct zn_engine *engine);
void zn__engine_destroy(struct zn_engine *engine);
// Adds the CORS lines for this request to the exchange.
void zn__engine_cors(struct zn_conn *conn, const struct zn_cors *cors);
// The connection of a pending decision is gone.
void zn__request_orphan(struct zn_request *request);
// The reactor that a session id belongs to.
unsigned zn__sid_reactor(const struct zn_server *server, const char *sid);

// --- session.c
struct zn_slice zn__session_key(const void *item);
struct zn_session *zn__session_create(struct zn_engine *engine, struct zn_reactor *reactor);
void zn__session_abandon(struct zn_session *session); // before zn__session_begin()
void zn__session_begin(struct zn_session *session);   // sends the open packet, calls ops->open
void zn__session_text(struct zn_session *session, uint8_t *data, size_t len); // one packet
void zn__session_binary(struct zn_session *session, uint8_t *data, size_t len);
// The transport failed or ended: the session is over.
void zn__session_lost(struct zn_session *session, const char *reason);
void zn__session_reap(struct zn_reactor *reactor);
void zn__session_timer(struct zn_reactor *reactor, struct zn_timer *timer);
void zn__session_drained(struct zn_session *session);
void zn__session_dropped(struct zn_session *session, size_t count);
void zn__session_last_poll(struct zn_session *session); // a poll came while it lingers
void zn__session_tell_dropped(struct zn_session *session);
void zn__session_stop_all(struct zn_reactor *reactor);
int zn__session_eio(struct zn_session *session, char type, struct zn_slice data);

// --- polling.c
void zn__polling_get(struct zn_session *session, struct zn_conn *conn);
// A POST: `true` when its body is to be read.
bool zn__polling_post(struct zn_session *session, struct zn_conn *conn);
void zn__polling_body(struct zn_conn *conn, uint8_t *data, size_t len);
void zn__polling_flush(struct zn_session *session); // answers the waiting GET if there is something
// Replaces what is queued by its gzip file, if that is wanted; whether it did.
bool zn__polling_compress(struct zn_session *session, const struct zn_conn *conn);
void zn__polling_end(struct zn_session *session); // answers what waits, at the session's end
void zn__polling_conn_gone(struct zn_session *session, struct zn_conn *conn);

// --- upgrade.c
void zn__upgrade_start(struct zn_session *session, struct zn_conn *conn);
void zn__upgrade_text(struct zn_conn *conn, const uint8_t *data, size_t len);
void zn__upgrade_gone(struct zn_conn *conn);
void zn__upgrade_timer(struct zn_conn *conn);

#endif
