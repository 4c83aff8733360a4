// SPDX-License-Identifier: Apache-2.0
// See conn.h: a connection's way to the reactor that has its session, with its descriptor and the
// bytes of the request that it has begun.
#include "conn.h"

#include "http.h"

#include <stdlib.h>

// A connection on its way; the mail and then the cookie of adopt().
struct conn_move {
    struct zn_mail mail;
    struct zn_dp_handle handle;
    struct zn_addr peer;
    struct zn_buffer *bytes;
    struct conn_move *next, **link; // in reactor->arriving, once adopted
};

static void move_drop(struct zn_mail *mail)
{
    struct conn_move *move = (struct conn_move *)mail;
    if (move->handle.drop != NULL)
        move->handle.drop(&move->handle);
    free(move->bytes);
    free(move);
}

static void arriving_add(struct zn_reactor *reactor, struct conn_move *move)
{
    move->next = reactor->arriving;
    move->link = &reactor->arriving;
    if (move->next != NULL)
        move->next->link = &move->next;
    reactor->arriving = move;
}

static void arriving_remove(struct conn_move *move)
{
    *move->link = move->next;
    if (move->next != NULL)
        move->next->link = move->link;
}

static void move_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    struct conn_move *move = (struct conn_move *)mail;
    if (reactor->stopping) {
        move_drop(mail);
        return;
    }
    struct zn_dp_handle handle = move->handle;
    move->handle.drop = NULL;
    if (reactor->dp->ops->adopt(reactor->dp, handle, move) < 0)
        move_drop(mail);
    else
        arriving_add(reactor, move);
}

void zn__conn_move_end(struct zn_reactor *reactor)
{
    while (reactor->arriving != NULL) {
        struct conn_move *move = reactor->arriving;
        arriving_remove(move);
        move_drop(&move->mail);
    }
}

void zn__conn_move_cancel(struct zn_conn *conn)
{
    if (!conn->moving)
        return;
    struct conn_move *move = conn->user;
    conn->moving = false;
    conn->user = NULL;
    move_drop(&move->mail);
}

void zn__conn_move(struct zn_conn *conn, unsigned to, const void *bytes, size_t len)
{
    struct conn_move *move = calloc(1, sizeof(*move));
    if (move == NULL || zn__buffer_add(&move->bytes, bytes, len) < 0) {
        free(move);
        zn__conn_abort(conn);
        return;
    }
    move->mail = (struct zn_mail){ .run = move_run, .drop = move_drop };
    move->peer = conn->peer;
    conn->moving = true;
    conn->user = move;
    conn->close_code = (uint16_t)to;
    zn__reactor_untimer(conn->reactor, &conn->timer);
    zn__http_drop(conn);
    conn->reactor->dp->ops->detach(conn->reactor->dp, conn->stream);
}

void zn__conn_detached(struct zn_conn *conn, const struct zn_dp_event *event)
{
    struct zn_reactor *reactor = conn->reactor;
    struct conn_move *move = conn->user;
    unsigned to = conn->close_code;
    conn->moving = false; // the bytes go on
    zn__conn_leave(conn);
    move->handle = event->handle;
    if (zn__buffer_add(&move->bytes, event->data, event->len) < 0)
        move_drop(&move->mail);
    else
        (void)zn__reactor_mail(reactor, to, &move->mail);
}

void zn__conn_adopted(struct zn_reactor *reactor, const struct zn_dp_event *event)
{
    struct conn_move *move = event->cookie;
    arriving_remove(move);
    struct zn_conn *conn = zn__conn_init(reactor, event->stream);
    conn->peer = move->peer;
    zn__http_recv(conn, move->bytes->data, move->bytes->len);
    move_drop(&move->mail);
}
