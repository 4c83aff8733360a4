// SPDX-License-Identifier: Apache-2.0
// See session.h and engine.h: Engine.IO sessions, whatever carries them.
#include "engine.h"

#include "server.h"

#include "proto/base64.h"

#include <assert.h>

enum { LINGER_MS = 30000 }; // as the reference's polling closeTimeout

static void *session_user(const struct zn_session *session)
{
    return (char *)session + ((sizeof(*session) + 15) & ~(size_t)15);
}

void *zn__session_user(struct zn_session *session)
{
    return session_user(session);
}

struct zn_session *zn__session_of(void *user)
{
    return (struct zn_session *)((char *)user - ((sizeof(struct zn_session) + 15) & ~(size_t)15));
}

struct zn_reactor *zn__session_reactor(const struct zn_session *session)
{
    return session->reactor;
}

struct zn_engine *zn__session_engine(const struct zn_session *session)
{
    return session->engine;
}

struct zn_slice zn__session_key(const void *item)
{
    const struct zn_session *session = item;
    return (struct zn_slice){ session->sid, ZN_EIO_SID_LEN };
}

const char *zn_session_id(const struct zn_session *session)
{
    return session->sid;
}

// --- Life ---------------------------------------------------------------------------------------

struct zn_session *zn__session_create(struct zn_engine *engine, struct zn_reactor *reactor)
{
    struct zn_session *session =
        calloc(1, ((sizeof(*session) + 15) & ~(size_t)15) + engine->ops.user_size);
    if (session == NULL)
        return NULL;
    session->engine = engine;
    session->reactor = reactor;
    session->queue.polling = true;
    session->close_code = ZN_WS_CLOSE_NO_STATUS;
    // All of an id is random; the one that names this reactor is kept.
    do
        zn__reactor_sid(reactor, session->sid);
    while (zn__sid_reactor(engine->server, session->sid) != reactor->index);
    if (zn__table_put(&reactor->sessions, session) < 0) {
        free(session);
        return NULL;
    }
    ZN_COUNT(reactor, sessions_now, 1);
    return session;
}

void zn__session_abandon(struct zn_session *session)
{
    zn__table_take(&session->reactor->sessions, zn__session_key(session));
    ZN_COUNT(session->reactor, sessions_now, -1);
    zn__hello_destroy(session->hello);
    free(session);
}

void zn__session_begin(struct zn_session *session)
{
    const struct zn_engine_options *options = &session->engine->options;
    char open[256];
    bool can_upgrade = session->ws == NULL && !options->no_upgrades && !options->no_websocket;
    ssize_t len =
        zn__eio_open_write(open, sizeof(open), session->sid, can_upgrade, options->ping_interval_ms,
                           options->ping_timeout_ms, options->max_payload);
    assert(len > 0);
    // The type digit is the packet's own.
    (void)zn__session_eio(session, open[0], (struct zn_slice){ open + 1, (size_t)len - 1 });
    zn__reactor_timer(session->reactor, &session->timer, ZN_TIMER_SESSION,
                      options->ping_interval_ms);
    session->engine->ops.open(session);
}

static void closing_add(struct zn_session *session)
{
    if (session->listed)
        return;
    session->listed = true;
    session->closing_next = session->reactor->closing;
    session->reactor->closing = session;
}

static void session_close_soon(struct zn_session *session, const char *reason, bool discard)
{
    if (session->state != ZN_SESSION_OPEN)
        return;
    session->state = ZN_SESSION_CLOSING;
    session->reason = reason;
    session->discard = discard;
    closing_add(session);
}

void zn__session_close(struct zn_session *session, const char *reason, bool discard)
{
    session_close_soon(session, reason, discard);
}

void zn__session_close_code(struct zn_session *session, enum zn_ws_close_code code)
{
    session->close_code = (uint16_t)code;
}

void zn__session_lost(struct zn_session *session, const char *reason)
{
    if (session->state == ZN_SESSION_CLOSING && !session->lingering)
        session->discard = true; // nobody is left to say goodbye to
    session_close_soon(session, reason, true);
}

void zn_session_close(struct zn_session *session)
{
    session_close_soon(session, "forced close", false);
}

// Says goodbye on the transport and lets it go.
static void session_detach(struct zn_session *session)
{
    if (session->probe != NULL) {
        struct zn_conn *probe = session->probe;
        session->probe = NULL;
        probe->session = NULL;
        zn__ws_close(probe, ZN_WS_CLOSE_NO_STATUS, (struct zn_slice){ NULL, 0 });
    }
    if (session->ws != NULL) {
        struct zn_conn *ws = session->ws;
        session->ws = NULL;
        ws->session = NULL;
        zn__ws_close(ws, session->close_code, (struct zn_slice){ NULL, 0 });
    }
    zn__polling_end(session);
}

static void session_end(struct zn_session *session)
{
    struct zn_reactor *reactor = session->reactor;
    session->state = ZN_SESSION_CLOSED;
    zn__reactor_untimer(reactor, &session->timer);
    zn__table_take(&reactor->sessions, zn__session_key(session));
    session_detach(session);
    session->engine->ops.close(session, session->reason);
    ZN_COUNT(reactor, buffered_now, -(int64_t)session->queue.bytes);
    ZN_COUNT(reactor, sessions_now, -1);
    zn__outq_deinit(&session->queue);
    zn__hello_destroy(session->hello);
    free(session);
}

// A session that is closed in order while it polls says so to a poll of its own, behind the one
// that takes what is queued: a client acts on a close before the packets in front of it.
static bool session_lingers(struct zn_session *session)
{
    if (session->discard || session->ws != NULL || session->lingering ||
        (session->poll != NULL && session->queue.bytes == 0) || session->reactor->stopping)
        return false;
    session->lingering = true;
    session->listed = false;
    zn__reactor_timer(session->reactor, &session->timer, ZN_TIMER_SESSION, LINGER_MS);
    return true;
}

void zn__session_last_poll(struct zn_session *session)
{
    if (session->state == ZN_SESSION_CLOSING && session->lingering && session->queue.bytes == 0)
        closing_add(session);
}

void zn__session_reap(struct zn_reactor *reactor)
{
    while (reactor->closing != NULL) {
        // In the order in which they were closed.
        struct zn_session *list = NULL;
        for (struct zn_session *s = reactor->closing, *next; s != NULL; s = next) {
            next = s->closing_next;
            s->closing_next = list;
            list = s;
        }
        reactor->closing = NULL;
        for (struct zn_session *s = list, *next; s != NULL; s = next) {
            next = s->closing_next;
            if (!session_lingers(s))
                session_end(s);
        }
    }
}

void zn__session_stop_all(struct zn_reactor *reactor)
{
    uint32_t cursor = 0;
    struct zn_session *session;
    while ((session = zn__table_next(&reactor->sessions, &cursor)) != NULL) {
        if (session->lingering)
            closing_add(session);
        else
            session_close_soon(session, "server shutting down", false);
    }
}

// --- Heartbeat ----------------------------------------------------------------------------------

void zn__session_timer(struct zn_reactor *reactor, struct zn_timer *timer)
{
    struct zn_session *session =
        (struct zn_session *)((char *)timer - offsetof(struct zn_session, timer));
    const struct zn_engine_options *options = &session->engine->options;
    if (session->lingering) {
        closing_add(session);
        return;
    }
    if (session->awaiting_pong) {
        ZN_COUNT(reactor, ping_timeouts, 1);
        session_close_soon(session, "ping timeout", true);
        return;
    }
    session->awaiting_pong = true;
    session->refreshed = false;
    zn__reactor_timer(reactor, timer, ZN_TIMER_SESSION, options->ping_timeout_ms);
    (void)zn__session_eio(session, '0' + ZN_EIO_PING, (struct zn_slice){ NULL, 0 });
}

static void heartbeat_note(struct zn_session *session, uint8_t type)
{
    const struct zn_engine_options *options = &session->engine->options;
    if (type == ZN_EIO_PONG) {
        session->awaiting_pong = false;
        zn__reactor_timer(session->reactor, &session->timer, ZN_TIMER_SESSION,
                          options->ping_interval_ms);
    } else if (session->awaiting_pong && !session->refreshed) {
        session->refreshed = true;
        zn__reactor_timer(session->reactor, &session->timer, ZN_TIMER_SESSION,
                          options->ping_timeout_ms);
    }
}

// --- Packets in ---------------------------------------------------------------------------------

static void session_reject(struct zn_session *session, const char *reason)
{
    ZN_COUNT(session->reactor, rejected_eio, 1);
    session_close_soon(session, reason, true);
}

// Everything but messages.
static void session_control(struct zn_session *session, uint8_t type)
{
    heartbeat_note(session, type);
    if (type == ZN_EIO_PING)
        session_reject(session, "transport error"); // pings are the server's
    else if (type == ZN_EIO_CLOSE)
        session_close_soon(session, "transport close", true);
    // On an open transport the other types mean nothing.
}

void zn__session_text(struct zn_session *session, uint8_t *data, size_t len)
{
    if (session->state != ZN_SESSION_OPEN)
        return;
    struct zn_eio_packet packet;
    if (zn__eio_packet_parse((struct zn_slice){ (char *)data, len }, &packet) < 0) {
        session_reject(session, "parse error");
        return;
    }
    if (packet.binary) {
        // Base64, decoded over itself: three bytes never reach the four they come from.
        ssize_t n = zn__base64_decode(packet.data, data + 1);
        if (n < 0)
            session_reject(session, "parse error");
        else
            zn__session_binary(session, data + 1, (size_t)n);
        return;
    }
    if (packet.type != ZN_EIO_MESSAGE) {
        session_control(session, packet.type);
        return;
    }
    if (session->awaiting_pong)
        heartbeat_note(session, packet.type);
    session->engine->ops.message(session, false, data + 1, len - 1);
}

void zn__session_binary(struct zn_session *session, uint8_t *data, size_t len)
{
    if (session->state != ZN_SESSION_OPEN)
        return;
    if (session->awaiting_pong)
        heartbeat_note(session, ZN_EIO_MESSAGE);
    session->engine->ops.message(session, true, data, len);
}

// --- Packets out --------------------------------------------------------------------------------

// The polling queue's limit; the same policy as a connection's.
static int queue_room(struct zn_session *session, const struct zn_packet *packet)
{
    const struct zn_server_options *options = &session->engine->server->options;
    struct zn_reactor *reactor = session->reactor;
    if (session->queue.bytes < options->buffer_max)
        return 0;
    size_t before = session->queue.bytes;
    size_t dropped = 0;
    while (session->queue.bytes >= options->buffer_max &&
           zn__outq_drop_oldest(&session->queue, options->overflow != ZN_OVERFLOW_DROP_OLDEST))
        dropped++;
    ZN_COUNT(reactor, buffered_now, -(int64_t)(before - session->queue.bytes));
    int err = 0;
    if (session->queue.bytes >= options->buffer_max) {
        err = -ENOBUFS;
        dropped++;
        if (options->overflow == ZN_OVERFLOW_DISCONNECT && (packet->flags & ZN_VOLATILE) == 0) {
            ZN_COUNT(reactor, overflow_disconnects, 1);
            session_close_soon(session, "transport close", true);
            return err;
        }
    }
    ZN_COUNT(reactor, dropped_overflow, dropped);
    zn__session_dropped(session, dropped);
    return err;
}

static int queue_packet(struct zn_session *session, struct zn_packet *packet, unsigned out_flags)
{
    if ((packet->flags & ZN_VOLATILE) != 0 && session->poll == NULL) {
        ZN_COUNT(session->reactor, dropped_volatile, 1);
        return -EAGAIN;
    }
    int err = queue_room(session, packet);
    if (err < 0)
        return err;
    const struct zn_run *run = zn__packet_run(packet, session->reactor, ZN_FORM_POLLING);
    if (run == NULL)
        return -ENOMEM;
    size_t before = session->queue.bytes;
    err =
        zn__outq_push(&session->queue, run, out_flags | (packet->bin_len > 0 ? ZN_OUT_GROUP : 0u));
    ZN_COUNT(session->reactor, buffered_now, (int64_t)(session->queue.bytes - before));
    if (err < 0)
        return err;
    ZN_COUNT(session->reactor, messages_out, 1);
    if (session->poll != NULL)
        zn__conn_dirty(session->poll);
    return 0;
}

void zn__session_fetch(const struct zn_session *session)
{
    const struct zn_conn *conn = session != NULL ? session->ws : NULL;
    if (conn == NULL)
        return;
    __builtin_prefetch(conn, 1);
    __builtin_prefetch(&conn->out.bytes, 1);
    __builtin_prefetch(&conn->server_bits, 1);
}

int zn__session_send(struct zn_session *session, struct zn_packet *packet)
{
    if (session->state != ZN_SESSION_OPEN)
        return -ENOTCONN;
    if (session->ws != NULL)
        return zn__ws_packet(session->ws, packet);
    return queue_packet(session, packet,
                        (packet->flags & ZN_VOLATILE) != 0 ? (unsigned)ZN_OUT_VOLATILE : 0u);
}

int zn__session_eio(struct zn_session *session, char type, struct zn_slice data)
{
    struct zn_packet packet;
    zn__packet_init(&packet, type, ZN_NO_COMPRESS);
    if (data.len > 0)
        zn__packet_add(&packet, data.p, data.len);
    int err;
    if (session->ws != NULL) {
        const struct zn_run *run = zn__packet_run(&packet, session->reactor, ZN_FORM_WS);
        err = run == NULL ? -ENOMEM : zn__conn_push(session->ws, run, ZN_OUT_CONTROL);
    } else {
        err = queue_packet(session, &packet, ZN_OUT_CONTROL);
    }
    zn__packet_deinit(&packet);
    return err;
}

bool zn__session_writable(const struct zn_session *session)
{
    if (session->ws != NULL)
        return !session->ws->blocked;
    return session->poll != NULL;
}

size_t zn__session_buffered(const struct zn_session *session)
{
    return session->queue.bytes + (session->ws != NULL ? session->ws->out.bytes : 0);
}

const char *zn__session_transport(const struct zn_session *session)
{
    return session->ws != NULL ? "websocket" : "polling";
}

void zn__session_drained(struct zn_session *session)
{
    if (session->state == ZN_SESSION_OPEN && session->engine->ops.drain != NULL)
        session->engine->ops.drain(session);
}

// Told from the end of the turn, since the layer above may be sending right now.
void zn__session_dropped(struct zn_session *session, size_t count)
{
    session->dropped += (uint32_t)count;
    session->pressed = true;
    if (session->ws != NULL)
        zn__conn_dirty(session->ws);
    else if (session->poll != NULL)
        zn__conn_dirty(session->poll);
}

void zn__session_tell_dropped(struct zn_session *session)
{
    size_t count = session->dropped;
    session->dropped = 0;
    if (count > 0 && session->state == ZN_SESSION_OPEN && session->engine->ops.dropped != NULL)
        session->engine->ops.dropped(session, count);
}

// --- Handshake ----------------------------------------------------------------------------------

void zn__session_handshake(const struct zn_session *session, struct zn_handshake *out)
{
    *out = (struct zn_handshake){ .url = "", .query = "", .headers = "{}", .address = "" };
    if (session->hello != NULL)
        zn__hello_show(session->hello, out);
}

void zn__session_forget_handshake(struct zn_session *session)
{
    if (session->engine->options.keep_handshake)
        return;
    zn__hello_destroy(session->hello);
    session->hello = NULL;
}
