// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 sessions: what a layer above (Socket.IO, or the application through
// zn_engine_attach) sees of a client, whatever its transport.
//
// Thread: the session's reactor.
#ifndef ZN_CORE_SESSION_H
#define ZN_CORE_SESSION_H

#include "packet.h"
#include "reactor.h"

#include "proto/eio.h"
#include "proto/ws.h"

struct zn_session;

// The layer above. user_size bytes of its own stand behind each session (zeroed), so that one
// allocation holds both.
struct zn_session_ops {
    size_t user_size;
    void (*open)(struct zn_session *session);
    // `data` is writable and good until the call returns. Text is valid UTF-8.
    void (*message)(struct zn_session *session, bool binary, uint8_t *data, size_t len);
    // The session is over; its memory goes when the call has returned. `reason` is one of the
    // reference's ("transport close", "ping timeout", ...).
    void (*close)(struct zn_session *session, const char *reason);
    void (*drain)(struct zn_session *session); // output is empty again after back-pressure
    void (*dropped)(struct zn_session *session, size_t count); // messages dropped by overflow
};

struct zn_reactor *zn__session_reactor(const struct zn_session *session);
struct zn_engine *zn__session_engine(const struct zn_session *session);
void *zn__session_user(struct zn_session *session);
struct zn_session *zn__session_of(void *user); // the inverse

// Queues a packet by reference; it leaves at the end of this turn (polling: with the waiting GET).
// 0; -ENOTCONN: closing; -EAGAIN: dropped because volatile; -ENOBUFS: dropped, or the connection
// is ended, by the overflow policy; -ENOMEM. Never calls back into the layer above.
int zn__session_send(struct zn_session *session, struct zn_packet *packet);

// Fetches into the cache what zn__session_send() will touch of the session's transport. The session
// itself should be there by then; NULL does nothing.
void zn__session_fetch(const struct zn_session *session);

// Whether a volatile packet would be sent now (the transport is writable, nothing waits).
bool zn__session_writable(const struct zn_session *session);

size_t zn__session_buffered(const struct zn_session *session);
const char *zn__session_transport(const struct zn_session *session);

// Ends the session: ops->close with `reason` is called from the loop, not from inside this call;
// no more messages are delivered. `discard`: what is queued is dropped (else flushed first).
void zn__session_close(struct zn_session *session, const char *reason, bool discard);

// What a WebSocket is told when the session ends, instead of no close code.
void zn__session_close_code(struct zn_session *session, enum zn_ws_close_code code);

// The handshake of the session; strings are "" or "{}" once dropped.
void zn__session_handshake(const struct zn_session *session, struct zn_handshake *out);
// The first namespace has its connection: the handshake's text is no more needed (kept when the
// engine's keep_handshake is set).
void zn__session_forget_handshake(struct zn_session *session);

// The layer's engine-wide pointer given at attach.
void *zn__engine_user(const struct zn_engine *engine);
// Attaches a layer under options->path; used by zn_io() and zn_engine_attach().
int zn__engine_attach(struct zn_server *server, const struct zn_engine_options *options,
                      const struct zn_session_ops *ops, void *user, struct zn_engine **engine_out);
const struct zn_engine_options *zn__engine_options(const struct zn_engine *engine);
// Serves the browser's client under the path too.
void zn__engine_serve_client(struct zn_engine *engine);

#endif
