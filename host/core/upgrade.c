// SPDX-License-Identifier: Apache-2.0
// See engine.h: a session's way from long-polling to WebSocket. The WebSocket probes (`2probe`,
// `3probe`), the polls run dry, then `5` makes it the transport.
#include "engine.h"

#include "server.h"

#include "proto/base64.h"

static struct zn_slice nothing(void)
{
    return (struct zn_slice){ NULL, 0 };
}

void zn__upgrade_gone(struct zn_conn *conn)
{
    struct zn_session *session = conn->session;
    conn->session = NULL;
    if (session == NULL || session->probe != conn)
        return;
    session->probe = NULL;
    session->probed = false;
}

// Ends the attempt; the session goes on polling.
static void upgrade_fail(struct zn_conn *conn)
{
    zn__upgrade_gone(conn);
    zn__ws_close(conn, ZN_WS_CLOSE_NO_STATUS, nothing());
}

void zn__upgrade_timer(struct zn_conn *conn)
{
    upgrade_fail(conn);
}

void zn__upgrade_start(struct zn_session *session, struct zn_conn *conn)
{
    if (session->probe != NULL || session->ws != NULL) {
        conn->session = NULL;
        zn__ws_close(conn, ZN_WS_CLOSE_NO_STATUS, nothing());
        return;
    }
    conn->session = session;
    session->probe = conn;
    zn__reactor_timer(conn->reactor, &conn->timer, ZN_TIMER_CONN,
                      session->engine->options.upgrade_timeout_ms);
}

// One record of the polling queue as frames of the WebSocket.
static int record_move(struct zn_conn *conn, struct zn_slice record, unsigned out_flags)
{
    struct zn_eio_packet eio;
    size_t cursor = 0;
    if (zn__eio_payload_next(record, &cursor, &eio) <= 0)
        return -EPROTO;
    struct zn_packet packet;
    uint8_t *bytes = NULL;
    zn__packet_init(&packet, (char)('0' + eio.type), 0);
    if (eio.binary) {
        bytes = malloc(eio.data.len / 4 * 3 + 3);
        ssize_t len = bytes == NULL ? -ENOMEM : zn__base64_decode(eio.data, bytes);
        if (len < 0) {
            free(bytes);
            return (int)len;
        }
        packet.binary = true;
        zn__packet_add(&packet, (char *)bytes, (size_t)len);
    } else {
        zn__packet_add(&packet, eio.data.p, eio.data.len);
    }
    const struct zn_run *run = zn__packet_run(&packet, conn->reactor, ZN_FORM_WS);
    int err = run == NULL ? -ENOMEM : zn__conn_push(conn, run, out_flags);
    zn__packet_deinit(&packet);
    free(bytes);
    return err;
}

// Re-encodes what waits for a poll that will not come.
static int queue_move(struct zn_session *session, struct zn_conn *conn)
{
    struct zn_outq *queue = &session->queue;
    int err = 0;
    for (unsigned i = queue->head; i < queue->tail && err == 0; i++) {
        const struct zn_out *out = zn__outq_at(queue, i);
        const char *p = (const char *)out->chunk->data + out->off;
        const char *end = p + out->len;
        while (p < end && err == 0) {
            p++; // the separator
            const char *next = memchr(p, ZN_EIO_SEPARATOR, (size_t)(end - p));
            if (next == NULL)
                next = end;
            // A record's own frames cannot be told from their neighbours': all count as plain.
            err = record_move(conn, (struct zn_slice){ p, (size_t)(next - p) },
                              out->flags & ZN_OUT_CONTROL);
            p = next;
        }
    }
    ZN_COUNT(session->reactor, buffered_now, -(int64_t)queue->bytes);
    zn__outq_deinit(queue);
    return err;
}

static void upgrade_complete(struct zn_session *session, struct zn_conn *conn)
{
    session->probe = NULL;
    session->probed = false;
    session->ws = conn;
    conn->role = ZN_WS_SESSION;
    zn__ws_arm(conn);
    ZN_COUNT(conn->reactor, upgrades, 1);
    conn->pressed |= session->pressed;
    session->pressed = false;
    struct zn_conn *poll = session->poll;
    session->poll = NULL;
    if (queue_move(session, conn) < 0)
        zn__session_lost(session, "transport error");
    if (poll == NULL)
        return;
    // The poll that still waits learns that there is nothing more for it.
    poll->session = NULL;
    zn__http_reply(poll, &(struct zn_reply){ .status = 200,
                                             .content_type = "text/plain; charset=UTF-8",
                                             .headers = zn__http_lines(poll),
                                             .body = ZN_SLICE("6") });
    zn__http_resume(poll);
}

void zn__upgrade_text(struct zn_conn *conn, const uint8_t *data, size_t len)
{
    struct zn_session *session = conn->session;
    struct zn_slice text = { (const char *)data, len };
    if (zn__slice_eq(text, ZN_SLICE("2probe"))) {
        static const uint8_t pong[] = { 0x81, 6, '3', 'p', 'r', 'o', 'b', 'e' };
        (void)zn__conn_write(conn, pong, sizeof(pong), ZN_OUT_CONTROL);
        session->probed = true;
        if (session->poll != NULL)
            zn__conn_dirty(session->poll);
    } else if (len > 0 && data[0] == '0' + ZN_EIO_UPGRADE && session->state == ZN_SESSION_OPEN) {
        upgrade_complete(session, conn);
    } else {
        upgrade_fail(conn);
    }
}
