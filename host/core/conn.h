// SPDX-License-Identifier: Apache-2.0
// A connection: one stream of the datapath, which speaks HTTP/1.1 first and perhaps WebSocket
// then. It lives in the datapath's memory and on one reactor.
//
// conn.c: life, dispatch of events. conn_out.c: output. http.c: HTTP. ws.c: WebSocket.
//
// Thread: the connection's reactor.
#ifndef ZN_CORE_CONN_H
#define ZN_CORE_CONN_H

#include "buffer.h"
#include "outq.h"
#include "packet.h"
#include "reactor.h"

#include "proto/deflate.h"
#include "proto/http1.h"
#include "proto/utf8.h"
#include "proto/ws.h"

struct zn_session;
struct zn_ws_endpoint;
struct zn_engine;
struct zn_http;

struct zn_addr {
    uint8_t ip[16];
    uint16_t port;
    uint16_t family; // AF_INET, AF_INET6
};

// What a WebSocket connection is for.
enum zn_ws_role {
    ZN_WS_PLAIN,   // an endpoint's
    ZN_WS_SESSION, // the transport of `session`
    ZN_WS_PROBE,   // wants to become the transport of `session`
};

struct zn_conn {
    struct zn_reactor *reactor;
    struct zn_stream *stream;
    struct zn_conn *next, *prev;             // all connections of the reactor
    struct zn_conn *dirty_next, *ready_next; // in the reactor's list; in the flush's
    struct zn_outq out;
    struct zn_timer timer;      // HTTP: head, idle; WebSocket: message, close, ping
    struct zn_session *session; // see role; HTTP: the session whose GET or POST this is
    struct zn_http *http;       // a request that is incomplete or not answered yet
    // WebSocket.
    union {
        struct zn_ws_endpoint *endpoint; // plain
        struct zn_engine *engine;        // session, probe
    };
    void *user;                             // plain: the application's; moving: where to
    struct zn_buffer *message;              // an incomplete message
    struct zn_buffer *control;              // an incomplete control frame's payload
    struct zn_zstream *inflater, *deflater; // held for context takeover, or within a message
    uint32_t message_began_ms;              // low bits of now_ms
    uint32_t moved_ms;                      // when output last went out
    uint32_t pinged_ms;                     // plain: when a ping of ours went out, 0: answered
    struct zn_ws_rx rx;
    struct zn_utf8 utf8;
    uint32_t slot;    // plain: place among the endpoint's connections
    uint32_t dropped; // plain: messages dropped and not told yet
    uint8_t protocol; // index of the subprotocol chosen + 1, 0: none
    struct zn_addr peer;
    // Deflate as agreed.
    uint8_t server_bits, client_bits; // 0: no deflate
    bool server_takeover : 1, client_takeover : 1;
    bool websocket : 1;
    bool dirty : 1;
    bool ready : 1;   // in the flush's list
    bool blocked : 1; // the datapath took less than it was given: wait for SENT
    bool pressed : 1; // output was refused or held back: tell when it is empty
    bool paused : 1;  // input is stopped until output has drained
    bool eof : 1;     // the peer sent FIN
    bool closing : 1; // a close frame is on its way out, or `Connection: close` was answered
    bool close_received : 1;
    bool dead : 1; // no more events, freed with the turn
    bool end_after_flush : 1;
    bool unfinished : 1; // a message or frame was begun and is not complete
    bool doomed : 1;     // to be aborted at the end of the turn
    bool resume : 1;     // http: go on with input at the end of the turn
    bool moving : 1;     // being handed over to another reactor
    bool attached : 1;   // plain: `open` was called
    uint8_t role;        // enum zn_ws_role
    uint16_t pongs;      // queued since output last went out
    uint16_t close_code; // that will be reported
};

// --- conn.c
void zn__conn_event(struct zn_reactor *reactor, struct zn_dp_event *event);
void zn__conn_timer(struct zn_reactor *reactor, struct zn_timer *timer);
void zn__conn_end_all(struct zn_reactor *reactor);
// The output that the datapath still holds, to be dropped when that is closed; NULL: no memory.
struct zn_outq *zn__conn_inherit(struct zn_reactor *reactor, size_t *len_out);
void zn__conn_stop_all(struct zn_reactor *reactor); // orderly: all are told, and end once flushed

// --- conn_out.c
static inline bool zn__conn_sends_async(const struct zn_conn *conn)
{
    return (conn->reactor->dp->ops->caps & ZN_DP_CAP_ASYNC) != 0;
}
// Whether the datapath takes more while it has some.
static inline bool zn__conn_sends_on(const struct zn_conn *conn)
{
    return (conn->reactor->dp->ops->caps & ZN_DP_CAP_PIPELINE) != 0;
}
void zn__conn_flush(struct zn_reactor *reactor);
void zn__conn_sent(struct zn_conn *conn, size_t len); // SENT came
// Queues output for the end of the turn.
void zn__conn_dirty(struct zn_conn *conn);
// Appends bytes / a run; control bytes ignore the limit. 0 or a negative errno (the connection
// ends).
int zn__conn_push(struct zn_conn *conn, const struct zn_run *run, unsigned out_flags);
int zn__conn_write(struct zn_conn *conn, const void *p, size_t len, unsigned out_flags);
// Ends the connection once its output is out; no more input is read.
void zn__conn_finish(struct zn_conn *conn);
bool zn__conn_stalled(const struct zn_conn *conn); // nothing of its output went out for too long
void zn__conn_end(struct zn_conn *conn, enum zn_dp_end how);
// Ends it now; output is lost.
void zn__conn_abort(struct zn_conn *conn);
// The same at the end of the turn: for callers whose caller goes on using the connection.
void zn__conn_abort_soon(struct zn_conn *conn);
struct zn_conn *zn__conn_init(struct zn_reactor *reactor, struct zn_stream *stream);
// Takes the connection out of everything but the datapath, which ends the stream by itself.
void zn__conn_leave(struct zn_conn *conn);

// --- conn_move.c
// Hands the connection over to reactor `to` with the bytes of the request that it has begun.
void zn__conn_move(struct zn_conn *conn, unsigned to, const void *bytes, size_t len);
void zn__conn_move_cancel(struct zn_conn *conn);    // it ends before it has left
void zn__conn_move_end(struct zn_reactor *reactor); // the datapath has closed what it adopted
void zn__conn_detached(struct zn_conn *conn, const struct zn_dp_event *event);
void zn__conn_adopted(struct zn_reactor *reactor, const struct zn_dp_event *event);

// --- ws.c: WebSocket over a connection
// Switches a connection whose 101 is queued to WebSocket.
// `owner` is the endpoint or the engine.
void zn__ws_start(struct zn_conn *conn, enum zn_ws_role role, void *owner,
                  const struct zn_deflate_params *params);
void zn__ws_recv(struct zn_conn *conn, uint8_t *data, size_t len);
// Tells the accelerator where the parser stands, once the input that there is was read.
void zn__ws_where(struct zn_conn *conn, struct zn_dp_frames *frames);
void zn__ws_eof(struct zn_conn *conn);
void zn__ws_timer(struct zn_conn *conn);
void zn__ws_paused(struct zn_conn *conn); // input was stopped or goes on
void zn__ws_arm(struct zn_conn *conn);    // sets the timer for what is awaited next
// Sends a packet in the connection's form under its limit. As zn__session_send().
int zn__ws_packet(struct zn_conn *conn, struct zn_packet *packet);
int zn__ws_control(struct zn_conn *conn, enum zn_ws_opcode opcode, const void *p, size_t len);
// Starts the closing handshake (RFC 6455 section 7.1.2).
void zn__ws_close(struct zn_conn *conn, uint16_t code, struct zn_slice reason);
// The stream is going away: report it to whoever owns the WebSocket.
void zn__ws_gone(struct zn_conn *conn);
// What the limits of its kind are.
size_t zn__ws_message_max(const struct zn_conn *conn);

// --- ws_endpoint.c: what ws.c tells a plain WebSocket
void zn__endpoint_message(struct zn_conn *conn, bool binary, uint8_t *data, size_t len);
void zn__endpoint_control(struct zn_conn *conn, enum zn_ws_opcode opcode, const uint8_t *p,
                          size_t len);
void zn__endpoint_gone(struct zn_conn *conn);
void zn__endpoint_drained(struct zn_conn *conn);
void zn__endpoint_tell_dropped(struct zn_conn *conn);
void zn__endpoint_request(struct zn_conn *conn, struct zn_ws_endpoint *endpoint);
const struct zn_ws_options *zn__endpoint_options(const struct zn_ws_endpoint *endpoint);

#endif
