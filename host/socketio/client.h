// SPDX-License-Identifier: Apache-2.0
// What stands behind each Engine.IO session: the sockets of its namespaces and
// a binary packet on its way in.
//
// Thread: the session's reactor.
#ifndef ZN_CORE_CLIENT_H
#define ZN_CORE_CLIENT_H

#include "core/session.h"
#include "io.h"

#include "proto/sio.h"

struct zn_attachments;

enum { ZN_CLIENT_SOCKETS_MAX = 256 };

struct zn_client {
    struct zn_timer timer;              // first CONNECT, later attachments
    struct zn_socket *sockets;          // pending and connected ones, one a namespace
    struct zn_attachments *attachments; // of a packet that is not complete
    uint16_t sockets_len;
    bool connected;   // has been in a namespace
    bool closing;     // the session's end was asked for
    uint32_t entered; // shard->turn in which it came into a namespace last
};

extern const struct zn_session_ops zn__client_ops;

static inline struct zn_client *zn__client_of(struct zn_session *session)
{
    return zn__session_user(session);
}

static inline struct zn_io_shard *zn__client_shard(struct zn_session *session)
{
    return zn__session_reactor(session)->io;
}

// The connect timeout, or that of attachments.
void zn__client_timeout(struct zn_reactor *reactor, struct zn_timer *timer);

// Ends the session for `reason`, once.
void zn__client_close(struct zn_session *session, const char *reason, bool discard);

// Ends all its sockets, then the session.
void zn__client_disconnect(struct zn_session *session);

void zn__client_add(struct zn_session *session, struct zn_socket *socket);
void zn__client_remove(struct zn_session *session, struct zn_socket *socket);

// --- connect.c
// A CONNECT packet for a namespace that the client is not in.
void zn__connect(struct zn_session *session, const struct zn_sio_packet *packet);
// The middlewares' handles that nobody answered, at the end of the shard.
void zn__connect_free_all(struct zn_io_shard *shard);

#endif
