// SPDX-License-Identifier: Apache-2.0
// WebSocket over a connection (RFC 6455, RFC 7692): frames in, messages out; the same for plain
// endpoints, for the transport of a session and for one that wants to become it.
#include "conn.h"

#include "engine.h"
#include "server.h"
#include "unfinished.h"
#include "zpool.h"

#include <assert.h>

enum {
    PONGS_STILL_MS = 100,
    PONGS_AT_ONCE = 512,
    PONGS_MAX = 60,           // pongs that may wait to be sent
    INFLATE_STEP = 16 * 1024, // room offered to the inflater at a time
    SCRATCH_KEEP = 256 * 1024,
    FIN = 0x80,
};

size_t zn__ws_message_max(const struct zn_conn *conn)
{
    return conn->role == ZN_WS_PLAIN ? zn__endpoint_options(conn->endpoint)->message_max
                                     : conn->engine->options.max_payload;
}

void zn__ws_start(struct zn_conn *conn, enum zn_ws_role role, void *owner,
                  const struct zn_deflate_params *params)
{
    conn->websocket = true;
    if (role == ZN_WS_PLAIN)
        conn->endpoint = owner;
    else
        conn->engine = owner;
    conn->role = (uint8_t)role;
    if (params != NULL) {
        conn->server_bits = params->server_max_window_bits;
        conn->client_bits = params->client_max_window_bits;
        conn->server_takeover = !params->server_no_context_takeover;
        conn->client_takeover = !params->client_no_context_takeover;
    }
    zn__reactor_untimer(conn->reactor, &conn->timer);
    ZN_COUNT(conn->reactor, websockets_now, 1);
}

// --- Closing ------------------------------------------------------------------------------------

static bool owned_by_session(const struct zn_conn *conn)
{
    return conn->session != NULL;
}

// Tells the owner that the WebSocket is over, once.
static void owner_gone(struct zn_conn *conn)
{
    struct zn_session *session = conn->session;
    if (conn->role == ZN_WS_PLAIN) {
        zn__endpoint_gone(conn);
    } else if (session != NULL && conn->role == ZN_WS_PROBE) {
        zn__upgrade_gone(conn);
    } else if (session != NULL) {
        conn->session = NULL;
        session->ws = NULL;
        zn__session_lost(session, "transport close");
    }
}

void zn__ws_gone(struct zn_conn *conn)
{
    ZN_COUNT(conn->reactor, websockets_now, -1);
    if (conn->close_code == 0)
        conn->close_code = ZN_WS_CLOSE_ABNORMAL;
    owner_gone(conn);
}

void zn__ws_close(struct zn_conn *conn, uint16_t code, struct zn_slice reason)
{
    if (conn->closing || conn->dead || conn->end_after_flush)
        return;
    uint8_t frame[2 + ZN_WS_CONTROL_MAX];
    size_t len = zn__ws_close_write(frame, code, reason);
    (void)zn__conn_write(conn, frame, len, ZN_OUT_CONTROL);
    conn->closing = true;
    if (conn->close_received) {
        zn__conn_finish(conn);
        return;
    }
    zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                      conn->reactor->server->options.close_timeout_ms);
}

static void message_drop(struct zn_conn *conn)
{
    zn__unfinished_free(conn->reactor, conn->message);
    conn->message = NULL;
}

// The peer broke the protocol, or there is no room for what it sends: say so and end the
// connection (RFC 6455 section 7.1.7).
static void ws_fail(struct zn_conn *conn, uint16_t code)
{
    ZN_COUNT(conn->reactor, rejected_ws, 1);
    if (conn->close_code == 0)
        conn->close_code = code;
    conn->close_received = true; // nothing after this is read
    message_drop(conn);          // not a reason to be reported
    if (!conn->closing)
        zn__ws_close(conn, code, (struct zn_slice){ NULL, 0 });
    else
        zn__conn_finish(conn);
    if (owned_by_session(conn) && conn->role == ZN_WS_SESSION) {
        struct zn_session *session = conn->session;
        conn->session = NULL;
        session->ws = NULL;
        zn__session_lost(session, "transport error");
    }
}

// A close frame came: answer in kind and end (RFC 6455 section 5.5.1).
static void ws_closed_by_peer(struct zn_conn *conn, const uint8_t *payload, size_t len)
{
    uint16_t code;
    struct zn_slice reason;
    if (zn__ws_close_parse(payload, len, &code, &reason) < 0) {
        ws_fail(conn, code);
        return;
    }
    conn->close_received = true;
    conn->close_code = code;
    // The reason is reported with the end; what follows the close frame's payload is not read.
    message_drop(conn);
    if (conn->role == ZN_WS_PLAIN && reason.len > 0)
        (void)zn__unfinished_add(conn->reactor, &conn->message, reason.p, reason.len);
    if (conn->closing)
        zn__conn_finish(conn);
    else
        zn__ws_close(conn, code, (struct zn_slice){ NULL, 0 });
    owner_gone(conn);
}

void zn__ws_eof(struct zn_conn *conn)
{
    // Without a close frame there is nothing left to say; with one, ours may still be on its way
    // out.
    if (conn->close_received || conn->closing)
        zn__conn_finish(conn);
    else
        zn__conn_abort(conn);
}

// --- Control frames -----------------------------------------------------------------------------

int zn__ws_control(struct zn_conn *conn, enum zn_ws_opcode opcode, const void *p, size_t len)
{
    assert(len <= ZN_WS_CONTROL_MAX);
    if (conn->closing || conn->dead)
        return -ENOTCONN;
    uint8_t frame[2 + ZN_WS_CONTROL_MAX];
    size_t head = zn__ws_head_write(frame, (uint8_t)(FIN | opcode), len);
    if (len > 0)
        memcpy(frame + head, p, len);
    return zn__conn_write(conn, frame, head + len, ZN_OUT_CONTROL);
}

// Whether pongs pile up for a peer that takes nothing: many for a while, or very many at once.
static bool pongs_pile_up(const struct zn_conn *conn)
{
    uint32_t still_ms = (uint32_t)conn->reactor->now_ms - conn->moved_ms;
    return conn->blocked && (conn->pongs >= PONGS_AT_ONCE ||
                             (conn->pongs >= PONGS_MAX && still_ms >= PONGS_STILL_MS));
}

// Whether an accelerator sends the pong of the ping with this payload.
static bool answered_already(const struct zn_conn *conn, const uint8_t *payload)
{
    const struct zn_dp_frames *frames = conn->reactor->frames;
    for (unsigned i = 0; frames != NULL && i < frames->answered_len; i++)
        if (frames->answered[i] == payload)
            return true;
    return false;
}

static void control_frame(struct zn_conn *conn, enum zn_ws_opcode opcode, const uint8_t *p,
                          size_t len)
{
    if (opcode == ZN_WS_CLOSE) {
        ws_closed_by_peer(conn, p, len);
        return;
    }
    if (opcode == ZN_WS_PING && answered_already(conn, p)) {
        ZN_COUNT(conn->reactor, pongs_offloaded, 1);
    } else if (opcode == ZN_WS_PING) {
        if (pongs_pile_up(conn)) {
            zn__conn_abort(conn); // pings from somebody who does not read
            return;
        }
        conn->pongs++;
        (void)zn__ws_control(conn, ZN_WS_PONG, p, len);
    } else {
        conn->pinged_ms = 0;
    }
    if (conn->role == ZN_WS_PLAIN)
        zn__endpoint_control(conn, opcode, p, len);
}

// The close code when a piece cannot be kept.
static uint16_t unkept_code(int err)
{
    return err == -ENOBUFS ? ZN_WS_CLOSE_TRY_LATER : ZN_WS_CLOSE_INTERNAL;
}

// A control frame may come in pieces; they gather in `control`, which lives no longer than that.
static void control_piece(struct zn_conn *conn, const struct zn_ws_piece *piece)
{
    bool first = (piece->flags & ZN_WS_FRAME_FIRST) != 0;
    bool last = (piece->flags & ZN_WS_FRAME_LAST) != 0;
    if (first && last) {
        control_frame(conn, piece->opcode, piece->data, piece->len);
        return;
    }
    int err = zn__unfinished_add(conn->reactor, &conn->control, piece->data, piece->len);
    if (err < 0) {
        ws_fail(conn, unkept_code(err));
        return;
    }
    if (!last)
        return;
    struct zn_buffer *whole = conn->control;
    conn->control = NULL;
    struct zn_reactor *reactor = conn->reactor;
    control_frame(conn, piece->opcode, whole->data, whole->len);
    zn__unfinished_free(reactor, whole);
}

// --- Messages -----------------------------------------------------------------------------------

static void message_deliver(struct zn_conn *conn, bool binary, uint8_t *data, size_t len)
{
    conn->unfinished = false; // the next one has its own deadline
    ZN_COUNT(conn->reactor, messages_in, 1);
    if (conn->role == ZN_WS_PLAIN)
        zn__endpoint_message(conn, binary, data, len);
    else if (conn->session == NULL)
        return;
    else if (conn->role == ZN_WS_PROBE && !binary)
        zn__upgrade_text(conn, data, len);
    else if (conn->role == ZN_WS_PROBE)
        zn__ws_close(conn, ZN_WS_CLOSE_NO_STATUS, (struct zn_slice){ NULL, 0 });
    else if (binary)
        zn__session_binary(conn->session, data, len);
    else
        zn__session_text(conn->session, data, len);
}

// Whether a message has grown too much for what came of it.
static bool inflated_too_far(const struct zn_conn *conn, size_t len)
{
    const struct zn_deflate_options *options = conn->role == ZN_WS_PLAIN
                                                   ? &zn__endpoint_options(conn->endpoint)->deflate
                                                   : &conn->engine->options.deflate;
    return len > options->ratio_floor && len > options->ratio_max * conn->inflater->taken;
}

// Inflates a piece onto the end of *buffer, within `max` bytes. 0, or a close code.
static uint16_t inflate_piece(struct zn_conn *conn, struct zn_buffer **buffer, struct zn_slice in,
                              bool last, bool text, size_t max)
{
    if (conn->inflater == NULL)
        conn->inflater = zn__zpool_inflater(conn->reactor->zpool, conn->client_bits);
    if (conn->inflater == NULL)
        return ZN_WS_CLOSE_INTERNAL;
    if (*buffer == NULL)
        conn->inflater->taken = 0;
    for (bool done = false; !done;) {
        size_t have = *buffer != NULL ? (*buffer)->len : 0;
        // One byte above the limit tells too big from just fitting.
        size_t room = max + 1 - have < INFLATE_STEP ? max + 1 - have : INFLATE_STEP;
        int err = zn__unfinished_room(conn->reactor, buffer, room);
        if (err < 0)
            return unkept_code(err);
        uint8_t *out = (*buffer)->data + (*buffer)->len;
        size_t left = in.len;
        ssize_t n = zn__inflate_next(&conn->inflater->z, &in, last, out, room, &done);
        if (n < 0)
            return ZN_WS_CLOSE_INVALID_PAYLOAD;
        (*buffer)->len += (size_t)n;
        conn->inflater->taken += left - in.len;
        if ((*buffer)->len > max || inflated_too_far(conn, (*buffer)->len))
            return ZN_WS_CLOSE_TOO_BIG;
        if (text && !zn__utf8_next(&conn->utf8, out, (size_t)n))
            return ZN_WS_CLOSE_INVALID_PAYLOAD;
    }
    return 0;
}

static void inflater_rest(struct zn_conn *conn)
{
    if (conn->client_takeover)
        return;
    zn__zpool_put(conn->reactor->zpool, conn->inflater);
    conn->inflater = NULL;
}

// A piece of a data message that does not come whole and plain in one piece.
static void message_piece(struct zn_conn *conn, const struct zn_ws_piece *piece)
{
    bool text = piece->opcode == ZN_WS_TEXT;
    bool first = (piece->flags & ZN_WS_MESSAGE_FIRST) != 0;
    bool last = (piece->flags & ZN_WS_MESSAGE_LAST) != 0;
    if (first)
        conn->utf8 = (struct zn_utf8){ 0 };
    uint16_t code = 0;
    if ((piece->flags & ZN_WS_COMPRESSED) != 0) {
        code = inflate_piece(conn, &conn->message,
                             (struct zn_slice){ (char *)piece->data, piece->len }, last, text,
                             zn__ws_message_max(conn));
    } else {
        int err = 0;
        if (text && !zn__utf8_next(&conn->utf8, piece->data, piece->len))
            code = ZN_WS_CLOSE_INVALID_PAYLOAD;
        else
            err = zn__unfinished_add(conn->reactor, &conn->message, piece->data, piece->len);
        if (err < 0)
            code = unkept_code(err);
    }
    if (code == 0 && last && text && !zn__utf8_done(&conn->utf8))
        code = ZN_WS_CLOSE_INVALID_PAYLOAD;
    if (code != 0) {
        ws_fail(conn, code);
        return;
    }
    if (!last)
        return;
    if ((piece->flags & ZN_WS_COMPRESSED) != 0)
        inflater_rest(conn);
    struct zn_buffer *whole = conn->message;
    conn->message = NULL;
    struct zn_reactor *reactor = conn->reactor;
    message_deliver(conn, !text, whole->data, whole->len);
    zn__unfinished_free(reactor, whole);
}

static void data_piece(struct zn_conn *conn, const struct zn_ws_piece *piece)
{
    const unsigned whole = ZN_WS_MESSAGE_FIRST | ZN_WS_MESSAGE_LAST;
    if ((piece->flags & (whole | ZN_WS_COMPRESSED)) != whole) {
        message_piece(conn, piece);
        return;
    }
    if (piece->opcode == ZN_WS_TEXT && !zn__utf8_valid(piece->data, piece->len)) {
        ws_fail(conn, ZN_WS_CLOSE_INVALID_PAYLOAD);
        return;
    }
    message_deliver(conn, piece->opcode == ZN_WS_BINARY, piece->data, piece->len);
}

// A message or frame that was begun must be complete by its deadline.
static void message_watch(struct zn_conn *conn)
{
    bool unfinished = conn->rx.message_opcode != 0 || conn->rx.frame_left > 0;
    if (unfinished == conn->unfinished || conn->closing)
        return;
    conn->unfinished = unfinished;
    conn->message_began_ms = (uint32_t)conn->reactor->now_ms;
    zn__ws_arm(conn);
}

void zn__ws_paused(struct zn_conn *conn)
{
    if (!conn->paused) {
        conn->unfinished = false;
        message_watch(conn);
    }
    zn__ws_arm(conn);
}

void zn__ws_recv(struct zn_conn *conn, uint8_t *data, size_t len)
{
    struct zn_ws_limits limits = {
        .message_max = zn__ws_message_max(conn),
        .fragments_max =
            conn->role == ZN_WS_PLAIN ? zn__endpoint_options(conn->endpoint)->fragments_max : 16384,
        .deflate = conn->client_bits != 0,
        .unmasked = conn->reactor->frames != NULL && conn->reactor->frames->unmasked,
    };
    while (len > 0 && !conn->close_received && !conn->dead && !conn->doomed &&
           !conn->end_after_flush) {
        struct zn_ws_piece piece;
        ssize_t n = zn__ws_rx_next(&conn->rx, &limits, data, len, &piece);
        if (n < 0) {
            ws_fail(conn, conn->rx.close_code);
            return;
        }
        data += n;
        len -= (size_t)n;
        if (piece.flags == 0)
            continue;
        if (piece.opcode >= ZN_WS_CLOSE)
            control_piece(conn, &piece);
        else if (!conn->closing)
            data_piece(conn, &piece);
    }
    if (!conn->dead)
        message_watch(conn);
}

void zn__ws_where(struct zn_conn *conn, struct zn_dp_frames *frames)
{
    size_t max = zn__ws_message_max(conn);
    if (conn->dead || conn->closing || conn->close_received || conn->end_after_flush)
        return;
    frames->known = zn__ws_rx_where(&conn->rx, &frames->where);
    frames->deflate = conn->client_bits != 0;
    frames->frame_max = max < UINT32_MAX ? (uint32_t)max : UINT32_MAX - 1;
}

// --- Timers -------------------------------------------------------------------------------------

void zn__ws_arm(struct zn_conn *conn)
{
    if (conn->closing || conn->end_after_flush)
        return; // the deadline of closing stands
    const struct zn_server_options *options = &conn->reactor->server->options;
    const struct zn_ws_options *plain =
        conn->role == ZN_WS_PLAIN ? zn__endpoint_options(conn->endpoint) : NULL;
    uint64_t due = UINT64_MAX;
    uint32_t now = (uint32_t)conn->reactor->now_ms;
    if (conn->paused || conn->unfinished) {
        uint32_t since = now - (conn->paused ? conn->moved_ms : conn->message_began_ms);
        due = since < options->message_timeout_ms ? options->message_timeout_ms - since : 0;
    }
    if (plain != NULL && plain->ping_interval_ms > 0) {
        uint32_t wait = conn->pinged_ms != 0 ? plain->ping_timeout_ms : plain->ping_interval_ms;
        due = wait < due ? wait : due;
    }
    if (conn->role == ZN_WS_PROBE)
        return; // upgrade.c has the timer
    if (due == UINT64_MAX)
        zn__reactor_untimer(conn->reactor, &conn->timer);
    else
        zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN, due);
}

void zn__ws_timer(struct zn_conn *conn)
{
    if (conn->closing) {
        zn__conn_abort(conn); // no close frame came back
        return;
    }
    if (conn->role == ZN_WS_PROBE) {
        zn__upgrade_timer(conn);
        return;
    }
    uint32_t now = (uint32_t)conn->reactor->now_ms;
    if (conn->paused) {
        // Neither read nor written for so long: nobody may be there any more.
        if (now - conn->moved_ms >= conn->reactor->server->options.message_timeout_ms)
            zn__conn_abort(conn);
        else
            zn__ws_arm(conn);
        return;
    }
    if (conn->unfinished &&
        now - conn->message_began_ms >= conn->reactor->server->options.message_timeout_ms) {
        ws_fail(conn, ZN_WS_CLOSE_POLICY);
        return;
    }
    if (conn->role == ZN_WS_PLAIN && zn__endpoint_options(conn->endpoint)->ping_interval_ms > 0) {
        if (conn->pinged_ms != 0) {
            ZN_COUNT(conn->reactor, ping_timeouts, 1);
            zn__conn_abort(conn);
            return;
        }
        conn->pinged_ms = now | 1;
        (void)zn__ws_control(conn, ZN_WS_PING, NULL, 0);
    }
    zn__ws_arm(conn);
}
