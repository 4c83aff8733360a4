// SPDX-License-Identifier: Apache-2.0
// libzapnic: a Socket.IO 4 and WebSocket server.
//
// Who knows Socket.IO's server API will recognise this one: a server has
// namespaces, a namespace has sockets and rooms, handlers are set with zn_on(), messages
// leave by zn_emit() or zn_broadcast(). Handlers belong to the namespace and get the socket.
//
// Threads. A server runs `threads` reactors. A socket lives on one of them: its callbacks come in
// order on that thread, and functions that take a `struct zn_socket *` or `struct zn_ws *` may be
// called on that thread only. Functions that take a `const struct zn_target *` may be called on any
// reactor thread. Set-up functions (zn_of, zn_on, ...) are called before zn_server_run().
// zn_post(), zn_server_stop(), zn_server_reload() and zn_server_stats() may be called on any
// thread.
//
// Memory. What a callback is given lives until it returns; what is passed in is copied when needed,
// `user` pointers are only handed on. A `struct zn_socket *` is good until its disconnect callback
// has returned, a `struct zn_session *` and a `struct zn_ws *` until their close callback has.
// Strings that a getter returns belong to the object and live as long, unless said otherwise.
// Namespaces and endpoints belong to the server and go with it.
//
// Errors. int functions return 0 or a count, or a negative errno: -ENOMEM any of them, others as
// said. Set-up that fails changes nothing.
//
// Sources. Socket.IO protocol 5 and Engine.IO protocol 4 as their reference servers speak them
// (socket.io 4.8), WebSocket (RFC 6455), permessage-deflate (RFC 7692), HTTP/1.1 (RFC 9110, 9112).
#ifndef ZAPNIC_H
#define ZAPNIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZN_API __attribute__((visibility("default")))

struct zn_server;
struct zn_namespace;
struct zn_socket;
struct zn_ws;
struct zn_ws_endpoint;
struct zn_engine;
struct zn_session;
struct zn_request;
struct zn_next;

// --- Values ---------------------------------------------------------------------------------

struct zn_data {
    const void *p;
    size_t len;
};

// Arguments of an event or acknowledgement: JSON values separated by commas, as between the
// brackets of an array (`1,"a",{"b":2}`). Binary values stand in it as
// `{"_placeholder":true,"num":n}` and their bytes in bin[n].
struct zn_args {
    const char *json;
    size_t json_len;
    const struct zn_data *bin;
    unsigned bin_len;
};

// Arguments from a JSON literal or C string without binary values.
#define ZN_JSON(text) ((struct zn_args){ .json = (text), .json_len = __builtin_strlen(text) })

struct zn_event {
    const char *name; // UTF-8, NUL-terminated, unescaped
    size_t name_len;
    struct zn_args args;
    bool has_ack;    // the client waits for zn_ack()
    uint64_t ack_id; // pass to zn_ack(), now or later
};

// What the client said when it connected.
struct zn_handshake {
    const char *url;     // request target: path and query
    const char *query;   // after '?', not decoded
    const char *headers; // JSON object of the headers, lower-case names, as Node.js gives them
    const char *address; // peer's IP address
    uint16_t port;
    bool secure;        // TLS
    bool xdomain;       // an Origin header was there
    uint64_t issued_ms; // milliseconds since the epoch
    const char *auth;   // JSON: the CONNECT payload, "{}" if none (sockets only, else NULL)
};

enum zn_flags {
    ZN_VOLATILE = 1 << 0,    // may be dropped when the client is not ready to take it
    ZN_NO_COMPRESS = 1 << 1, // not deflated, whatever was negotiated
    ZN_LOCAL = 1 << 2,       // this process only (no cluster)
    ZN_BINARY = 1 << 3,      // zn_ws_send(), zn_session_send(): a binary message
};

// --- Server ---------------------------------------------------------------------------------

enum zn_overflow {          // what to do when a connection's output is full
    ZN_OVERFLOW_DISCONNECT, // end the connection (default)
    ZN_OVERFLOW_DROP_OLDEST,
    ZN_OVERFLOW_DROP_NEWEST,
};

enum zn_log_level { ZN_LOG_ERROR, ZN_LOG_WARN, ZN_LOG_INFO, ZN_LOG_DEBUG };

// One event of the server's own. `fields` is a JSON object or NULL. Any thread.
typedef void (*zn_log_fn)(enum zn_log_level level, const char *event, const char *fields,
                          void *user);

struct zn_cors {
    const char *const *origins; // exact origins, "*", or patterns with '*'
                                // ("https://*.example.org"); n = 0: CORS off
    size_t origins_len;
    bool credentials;
    bool check_upgrades; // refuse WebSocket upgrades of other origins with 403
};

struct zn_deflate_options {
    bool enabled;
    bool no_context_takeover; // the server's side; a broadcast is then deflated once for all
    uint8_t window_bits;      // 9..15, 0: 15
    uint8_t level;            // 1..9, 0: 1 (fan-out favours speed)
    uint32_t threshold;       // bytes; shorter messages are sent plain; 0: 1024
    // Once it has inflated to more than ratio_floor bytes, a client's message may have ratio_max
    // bytes for each that came, else the connection is closed with 1009. Text and records stay far
    // below 200; one value repeated comes to 1,032, the most that the format can do.
    size_t ratio_floor; // 0: 16 MiB, which messages of an endpoint's default size never pass
    uint32_t ratio_max; // 0: 200
};

struct zn_server_options {
    unsigned threads;                 // reactors; 0: one a core
    const char *datapath;             // "auto", "epoll", "uring"
    const char *cert_path, *key_path; // PEM files: TLS on every listener
    unsigned connections_max;         // a reactor; 0: 1,000,000
    size_t buffer_max;                // bytes of output queued a connection; 0: 4 MiB
    enum zn_overflow overflow;
    size_t http_body_max;        // 0: 1,000,000
    uint32_t header_timeout_ms;  // request head and body must be in by then; 0: 10,000
    uint32_t idle_timeout_ms;    // keep-alive; 0: 5,000
    uint32_t close_timeout_ms;   // wait for the peer's close frame; 0: 1,000
    uint32_t message_timeout_ms; // a message begun must be complete by then; 0: 30,000
    // Bytes held on all connections together by messages that are not complete: WebSocket messages
    // in pieces, bodies of polling requests, Socket.IO packets that wait for attachments. Whoever
    // needs more is told to try later: a WebSocket with close code 1013, since its message is not
    // at fault as 1009 would say, a request with status 503. 0: 1 GiB, or a quarter of a smaller
    // machine's memory.
    size_t unfinished_max;
    zn_log_fn log;
    void *log_user;
    // Called once on the first reactor when all of them accept connections.
    void (*ready)(struct zn_server *server, void *user);
    void *ready_user;
};

struct zn_engine_options {       // Engine.IO
    const char *path;            // prefix of its URLs; NULL: "/socket.io/", for zn_engine_attach()
                                 // "/engine.io/"
    uint32_t ping_interval_ms;   // 0: 25,000
    uint32_t ping_timeout_ms;    // 0: 20,000
    uint32_t upgrade_timeout_ms; // 0: 10,000
    size_t max_payload;          // bytes of one message; 0: 1,000,000
    bool no_polling, no_websocket, no_upgrades;
    bool no_http_compression; // polling answers from 1 KiB on are sent with gzip otherwise
    struct zn_cors cors;
    const char *cookie; // name of a cookie that carries the sid; NULL: none (HttpOnly,
                        // SameSite=Lax, Path=/)
    struct zn_deflate_options deflate;
    bool keep_handshake; // keep the handshake's headers for the life of the session (about 1 KiB)
    // Decides over a request that would open a session: call zn_request_allow() or
    // zn_request_refuse(), now or later on this thread. NULL: all are allowed.
    void (*allow)(struct zn_request *request, const struct zn_handshake *handshake, void *user);
    void *allow_user;
};

// The decision over a request (see zn_engine_options.allow). A refusal is answered with status 403
// and `{"code":4,"message":..}`; NULL: "Forbidden".
ZN_API void zn_request_allow(struct zn_request *request);
ZN_API void zn_request_refuse(struct zn_request *request, const char *message);

struct zn_io_options { // Socket.IO on top of it
    struct zn_engine_options engine;
    uint32_t connect_timeout_ms;   // 0: 45,000
    uint32_t recovery_ms;          // connection state recovery: longest absence; 0: off
    bool recovery_run_middlewares; // run the middlewares for recovered sockets too
    bool no_client;                // do not serve socket.io.js under the path
};

// Makes a server, which the caller destroys after zn_server_run() has returned. `options` may be
// NULL; what its strings point at is used during the call only. -EINVAL: no such datapath, or one
// of cert_path and key_path without the other; or what reading them and the kernel answer.
ZN_API int zn_server_create(const struct zn_server_options *options, struct zn_server **server_out);
ZN_API void zn_server_destroy(struct zn_server *server);

// Binds `host` (NULL: all addresses, IPv6 and IPv4) and `port` (0: any; *port_out, which may be
// NULL, tells it). Connections are accepted from zn_server_run() on (zn_server_options.ready).
// -EADDRINUSE, -EADDRNOTAVAIL, -EACCES as from bind(2); -ENOSPC: too many listeners.
ZN_API int zn_server_listen(struct zn_server *server, const char *host, uint16_t port,
                            uint16_t *port_out);

// Runs all reactors, the first one on this thread; returns 0 after zn_server_stop(), or why the
// reactors could not start.
ZN_API int zn_server_run(struct zn_server *server);

// Orderly stop: no more accepts, sockets are told, output is drained for up to `drain_ms`. Safe in
// a signal handler.
ZN_API void zn_server_stop(struct zn_server *server, uint32_t drain_ms);

// Reads the certificate files again: for new connections; when they cannot be used the old ones
// stay, and the reason is logged. 0 without TLS.
ZN_API int zn_server_reload(struct zn_server *server);

ZN_API unsigned zn_server_threads(const struct zn_server *server);
ZN_API const char *zn_server_datapath(const struct zn_server *server); // the one chosen
ZN_API const char *zn_version(void);

// Runs fn(arg) on reactor `thread` soon; callable on any thread. -EAGAIN: its mailbox is full;
// -EINVAL: there is no such reactor. A server that ends first drops it without a call.
ZN_API int zn_post(struct zn_server *server, unsigned thread, void (*fn)(void *arg), void *arg);

// Runs fn(arg) once on the calling reactor thread after `ms`. Returns a handle for zn_cancel(),
// good on this thread until fn is called, or NULL (no memory, or not a reactor thread).
struct zn_alarm;
ZN_API struct zn_alarm *zn_after(struct zn_server *server, uint32_t ms, void (*fn)(void *arg),
                                 void *arg);
ZN_API void zn_cancel(struct zn_alarm *alarm); // NULL: nothing

// The calling reactor's clock, milliseconds since the epoch.
ZN_API uint64_t zn_now_ms(struct zn_server *server);

struct zn_stats { // sums over all reactors since the start, but for *_now
    uint64_t connections_now, sessions_now, sockets_now, websockets_now;
    uint64_t connections, handshakes, upgrades;
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
    uint64_t dropped_volatile, dropped_overflow, overflow_disconnects;
    uint64_t rejected_http, rejected_ws, rejected_eio, rejected_sio;
    uint64_t ping_timeouts, buffered_now, mail_dropped;
    uint64_t pongs_offloaded;                    // pings that an accelerator answered
    uint64_t unfinished_now, unfinished_refused; // bytes; messages (zn_server_options)
};
ZN_API void zn_server_stats(struct zn_server *server, struct zn_stats *out);

// --- HTTP beside it -------------------------------------------------------------------------

// Serves a fixed body at an exact path; `data` must outlive the server. -ENOSPC: too many paths.
ZN_API int zn_serve_static(struct zn_server *server, const char *path, const char *content_type,
                           const void *data, size_t len);

// --- Socket.IO: namespaces ------------------------------------------------------------------

// Puts Socket.IO on the server. Then zn_of() works. `options` may be NULL. -EEXIST: it is there
// already; -ENOSPC: too many paths.
ZN_API int zn_io(struct zn_server *server, const struct zn_io_options *options);

// The namespace "/name" ("/" too), made on first use. NULL: no memory, or zn_io() is missing.
ZN_API struct zn_namespace *zn_of(struct zn_server *server, const char *name);

// A parent for namespaces made on demand: `match` says whether a client may open `name`. Handlers
// set on the parent serve all its children. io.of(/pattern/) of the reference.
typedef bool (*zn_match_fn)(const char *name, const char *auth_json, void *user);
ZN_API struct zn_namespace *zn_of_match(struct zn_server *server, zn_match_fn match, void *user);

ZN_API const char *zn_namespace_name(const struct zn_namespace *ns);

typedef void (*zn_socket_fn)(struct zn_socket *socket, void *user);
typedef void (*zn_event_fn)(struct zn_socket *socket, const struct zn_event *event, void *user);
typedef void (*zn_reason_fn)(struct zn_socket *socket, const char *reason, void *user);
typedef void (*zn_middleware_fn)(struct zn_socket *socket, struct zn_next *next, void *user);
typedef void (*zn_count_fn)(struct zn_socket *socket, size_t count, void *user);

// Middlewares run in the order they were added, before `connection`; each calls zn_next() once, now
// or later, with NULL or the message (and JSON data, or NULL) of a CONNECT_ERROR.
ZN_API int zn_use(struct zn_namespace *ns, zn_middleware_fn fn, void *user);
ZN_API void zn_next(struct zn_next *next, const char *error_message, const char *error_data_json);

// Handlers are called in the order they were set, on the socket's thread. A name may have several;
// names that Socket.IO keeps to itself (connect, disconnect, ...) are never called.
ZN_API int zn_on_connection(struct zn_namespace *ns, zn_socket_fn fn, void *user);
ZN_API int zn_on(struct zn_namespace *ns, const char *event, zn_event_fn fn, void *user);
ZN_API int zn_on_any(struct zn_namespace *ns, zn_event_fn fn, void *user); // before zn_on()'s
ZN_API int zn_on_any_outgoing(struct zn_namespace *ns, zn_event_fn fn, void *user);
ZN_API int zn_on_disconnecting(struct zn_namespace *ns, zn_reason_fn fn,
                               void *user); // still in its rooms
ZN_API int zn_on_disconnect(struct zn_namespace *ns, zn_reason_fn fn, void *user);
ZN_API int zn_on_drain(struct zn_namespace *ns, zn_socket_fn fn,
                       void *user); // output empty after back-pressure
ZN_API int zn_on_dropped(struct zn_namespace *ns, zn_count_fn fn, void *user); // messages dropped

// --- Socket.IO: sockets ---------------------------------------------------------------------

ZN_API const char *zn_socket_id(const struct zn_socket *socket);
ZN_API struct zn_namespace *zn_socket_namespace(const struct zn_socket *socket);
ZN_API struct zn_server *zn_socket_server(const struct zn_socket *socket);
ZN_API unsigned zn_socket_thread(const struct zn_socket *socket);
ZN_API bool zn_socket_connected(const struct zn_socket *socket);
ZN_API bool zn_socket_recovered(const struct zn_socket *socket);
ZN_API const char *zn_socket_transport(const struct zn_socket *socket); // "polling", "websocket"
// The handshake; url, query and headers are "" and "{}" once the connection callback has returned
// unless keep_handshake is set.
ZN_API void zn_socket_handshake(const struct zn_socket *socket, struct zn_handshake *out);
ZN_API void *zn_socket_user(const struct zn_socket *socket);
ZN_API void zn_socket_set_user(struct zn_socket *socket, void *user);
// socket.data: JSON, kept across recovery and shown by zn_fetch_sockets().
ZN_API const char *zn_socket_data(const struct zn_socket *socket); // "{}" when never set
ZN_API int zn_socket_set_data(struct zn_socket *socket, const char *json);
ZN_API size_t zn_socket_buffered(const struct zn_socket *socket); // bytes queued for its connection

// -ENOTCONN: the socket has gone; -EINVAL: no name. Leaving a room that it is not in is no error.
ZN_API int zn_join(struct zn_socket *socket, const char *room);
ZN_API int zn_leave(struct zn_socket *socket, const char *room);
// Calls fn for each room, the socket's own (its id) first.
ZN_API void zn_rooms(const struct zn_socket *socket, void (*fn)(const char *room, void *user),
                     void *user);
// server namespace disconnect; with close the whole connection ends.
ZN_API void zn_disconnect(struct zn_socket *socket, bool close);

// `err`: 0, or -ETIMEDOUT (no answer in time), -ECONNRESET (the socket went away). `args` of the
// answer.
typedef void (*zn_ack_fn)(struct zn_socket *socket, int err, const struct zn_args *args,
                          void *user);

struct zn_message {
    const char *event;
    struct zn_args args;
    unsigned flags;      // enum zn_flags
    zn_ack_fn ack;       // wants an acknowledgement
    uint32_t timeout_ms; // of the acknowledgement; 0: waits as long as the socket lives
    void *user;          // for ack
};

// 0: queued; it leaves with the end of the loop's turn. -EINVAL (reserved name, malformed JSON),
// -ENOTCONN, -EAGAIN (volatile, and the client was not ready), -ENOBUFS (dropped, or the connection
// ended, by the overflow policy). `args` may be NULL: none.
ZN_API int zn_emit(struct zn_socket *socket, const char *event, const struct zn_args *args);
ZN_API int zn_emit_message(struct zn_socket *socket, const struct zn_message *message);
// Answers the event that came with `ack_id`; once. Errors as for zn_emit().
ZN_API int zn_ack(struct zn_socket *socket, uint64_t ack_id, const struct zn_args *args);

// --- Socket.IO: many at once ----------------------------------------------------------------

// Who: all sockets of `ns`, or those in any of `rooms`, but for those in any of `except` and but
// for `sender`.
struct zn_target {
    struct zn_namespace *ns;
    const char *const *rooms;
    size_t rooms_len;
    const char *const *except;
    size_t except_len;
    const struct zn_socket *sender; // socket.broadcast / socket.to: everyone but this one
    unsigned flags;                 // ZN_LOCAL
};

// Sends to all of them; what one receiver's overflow policy drops is counted, not returned.
// message->ack is not used. -EINVAL: as for zn_emit(), or not a reactor thread; -ENOBUFS: another
// reactor's mailbox is full, and its sockets get nothing.
ZN_API int zn_broadcast(const struct zn_target *target, const struct zn_message *message);
// The usual case: one room (NULL: the whole namespace).
ZN_API int zn_to(struct zn_namespace *ns, const char *room, const char *event,
                 const struct zn_args *args);

// Broadcast with acknowledgements: `done` is called once on the calling thread with the first
// argument of each answer (JSON; binary values by placeholder into bin). err: 0 or -ETIMEDOUT when
// some did not answer within message->timeout_ms. message->ack is not used.
struct zn_answers {
    int err;
    const struct zn_args *first_args;
    size_t len;
    size_t expected;
};
typedef void (*zn_answers_fn)(const struct zn_answers *answers, void *user);
ZN_API int zn_broadcast_ack(const struct zn_target *target, const struct zn_message *message,
                            zn_answers_fn done, void *user);

// Do for each socket of the target what zn_join(), zn_leave() and zn_disconnect() do; errors as for
// zn_broadcast(). Sockets on other reactors follow soon.
ZN_API int zn_sockets_join(const struct zn_target *target, const char *const *rooms,
                           size_t rooms_len);
ZN_API int zn_sockets_leave(const struct zn_target *target, const char *const *rooms,
                            size_t rooms_len);
ZN_API int zn_disconnect_sockets(const struct zn_target *target, bool close);

struct zn_socket_info {
    const char *id;
    const char *const *rooms;
    size_t rooms_len;
    const char *data; // JSON
    const char *
        handshake; // JSON object: headers, time, address, xdomain, secure, issued, url, query, auth
    unsigned thread;
};
typedef void (*zn_sockets_fn)(const struct zn_socket_info *sockets, size_t len, void *user);
// `done` is called once on the calling thread, perhaps before this returns; not after an error.
// -EINVAL: not a reactor thread, or a parent namespace.
ZN_API int zn_fetch_sockets(const struct zn_target *target, zn_sockets_fn done, void *user);

// All rooms of a namespace (adapter.rooms / allRooms), the sockets' own ones too. `done` and errors
// as for zn_fetch_sockets().
typedef void (*zn_names_fn)(const char *const *names, size_t len, void *user);
ZN_API int zn_all_rooms(struct zn_namespace *ns, zn_names_fn done, void *user);

// --- Plain Engine.IO ------------------------------------------------------------------------

// Callbacks on the session's thread; each may be NULL. `data` of a text message is valid UTF-8.
struct zn_engine_handlers {
    void (*open)(struct zn_session *session, void *user);
    void (*message)(struct zn_session *session, bool binary, const void *data, size_t len,
                    void *user);
    void (*close)(struct zn_session *session, const char *reason, void *user);
};
// Serves Engine.IO 4 to the application itself under options->path. -ENOSPC: too many paths.
ZN_API int zn_engine_attach(struct zn_server *server, const struct zn_engine_options *options,
                            const struct zn_engine_handlers *handlers, void *user);
// Errors as for zn_emit().
ZN_API int zn_session_send(struct zn_session *session, const void *data, size_t len,
                           unsigned flags);
// Sends what is queued and ends; the close callback comes later with "forced close".
ZN_API void zn_session_close(struct zn_session *session);
ZN_API const char *zn_session_id(const struct zn_session *session); // 20 characters and NUL

// --- Plain WebSocket ------------------------------------------------------------------------

struct zn_ws_options {
    size_t message_max;     // bytes after inflating; 0: 16 MiB
    uint32_t fragments_max; // 0: 16,384
    const char *const
        *protocols; // subprotocols in order of ours; the client's first that is here is taken
    size_t protocols_len;
    struct zn_deflate_options deflate;
    struct zn_cors cors;       // only origins and check_upgrades
    uint32_t ping_interval_ms; // 0: no pings of our own
    uint32_t ping_timeout_ms;  // ends the connection when nothing came by then; 0: 20,000
};

// Callbacks on the connection's thread; each may be NULL. `data` of a text message is valid UTF-8.
// `code` of close is the peer's, 1005 when its close frame had none, what it was told when it broke
// the protocol, else 1006 (RFC 6455 section 7.1.5).
struct zn_ws_handlers {
    void (*open)(struct zn_ws *ws, const struct zn_handshake *handshake, void *user);
    void (*message)(struct zn_ws *ws, bool binary, const void *data, size_t len, void *user);
    void (*ping)(struct zn_ws *ws, const void *data, size_t len,
                 void *user); // the pong is sent already
    void (*pong)(struct zn_ws *ws, const void *data, size_t len, void *user);
    void (*drain)(struct zn_ws *ws, void *user); // output empty after back-pressure
    // Messages that the overflow policy dropped since the last call, told with the turn's end.
    void (*dropped)(struct zn_ws *ws, size_t count, void *user);
    void (*close)(struct zn_ws *ws, uint16_t code, const char *reason, size_t reason_len,
                  void *user);
};

// A path that takes WebSocket upgrades ("*": every path that nothing else has). `options` may be
// NULL, for the defaults; its protocols and origins are copied. NULL: no memory, or too many paths.
ZN_API struct zn_ws_endpoint *zn_ws_attach(struct zn_server *server, const char *path,
                                           const struct zn_ws_options *options,
                                           const struct zn_ws_handlers *handlers, void *user);
// Errors as for zn_emit(). A ping or pong takes up to 125 bytes (RFC 6455 section 5.5), else
// -EMSGSIZE.
ZN_API int zn_ws_send(struct zn_ws *ws, const void *data, size_t len, unsigned flags);
ZN_API int zn_ws_ping(struct zn_ws *ws, const void *data, size_t len);
ZN_API int zn_ws_pong(struct zn_ws *ws, const void *data, size_t len);
// Sends a close frame behind what is queued, and waits close_timeout_ms for the peer's. Code 0: an
// empty frame; `reason` (NULL: none) is cut at 123 bytes. -EINVAL: a code that may not be sent (RFC
// 6455 section 7.4).
ZN_API int zn_ws_close(struct zn_ws *ws, uint16_t code, const char *reason);
ZN_API void zn_ws_terminate(struct zn_ws *ws);             // ends it without a close frame
ZN_API size_t zn_ws_buffered(const struct zn_ws *ws);      // bytes queued
ZN_API const char *zn_ws_protocol(const struct zn_ws *ws); // the subprotocol chosen, or ""
ZN_API void *zn_ws_user(const struct zn_ws *ws);
ZN_API void zn_ws_set_user(struct zn_ws *ws, void *user);
// To every connection of the endpoint, on all threads, encoded once a reactor. Any reactor thread;
// errors as for zn_broadcast().
ZN_API int zn_ws_publish(struct zn_ws_endpoint *endpoint, const void *data, size_t len,
                         unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
