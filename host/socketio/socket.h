// SPDX-License-Identifier: Apache-2.0
// A client in a namespace. An idle one costs its 104 bytes, a slot in its space's table of ids
// and a pointer in its space's list.
//
// Thread: its reactor.
#ifndef ZN_CORE_SOCKET_H
#define ZN_CORE_SOCKET_H

#include "core/packet.h"
#include "core/session.h"
#include "namespace.h"

#include "proto/eio.h"

struct zn_acks;
struct zn_room;

enum zn_socket_state {
    ZN_SOCKET_PENDING, // middlewares have not let it in yet
    ZN_SOCKET_CONNECTED,
    ZN_SOCKET_CLOSING, // `disconnecting` callbacks run; still in its rooms
    ZN_SOCKET_DEAD,    // waits to be freed
};

// A place in a room.
struct zn_seat {
    struct zn_room *room;
    uint32_t at; // in room->members
};

struct zn_socket {
    struct zn_session *session; // NULL: gone
    struct zn_space *space;
    uint32_t mark;  // equals space->stamp: dealt with in this choice
    uint32_t index; // in space->sockets
    uint8_t state;  // enum zn_socket_state
    bool recovered : 1;
    bool left_own : 1; // left the room named by its id
    uint32_t seats_len;
    struct zn_seat *seats;  // in order of joining; room for the next power of two
    struct zn_socket *next; // of the same client; among the dead
    struct zn_acks *acks;   // answers that it owes, NULL: none
    void *user;
    char *data; // JSON; NULL: {}
    char *auth; // JSON; NULL: {}
    char id[ZN_EIO_SID_LEN + 1];
    char pid[]; // with recovery on: ZN_EIO_SID_LEN + 1
};

// A pending socket of the session, with fresh ids, known to its client. NULL: no memory.
// `auth` (malloc'ed or NULL) belongs to the socket on success.
struct zn_socket *zn__socket_create(struct zn_space *space, struct zn_session *session, char *auth);

// Out of its rooms, client and space; freed when no callback can see it any more.
void zn__socket_bury(struct zn_socket *socket);
void zn__socket_free(struct zn_socket *socket);

// It was connected and ends: callbacks, recovery's copy, burial.
void zn__socket_end(struct zn_socket *socket, const char *reason);

// Sends a packet that is not an event (`data`: its JSON, or empty).
int zn__socket_send(struct zn_socket *socket, unsigned type, struct zn_slice data);

static inline struct zn_io_shard *zn__socket_shard(const struct zn_socket *socket)
{
    return socket->space->shard;
}

static inline const struct zn_handler_list *zn__socket_handlers(const struct zn_socket *socket,
                                                                enum zn_handler_kind kind)
{
    return &socket->space->ns->handlers->lists[kind];
}

#endif
