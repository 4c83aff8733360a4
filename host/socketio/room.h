// SPDX-License-Identifier: Apache-2.0
// Rooms of a space. Members stand side by side, so that a broadcast walks an array; each socket
// knows its places. A room with nobody in it is freed. The room that every socket is in by
// itself, named by its id, is not stored.
//
// Thread: the space's reactor.
#ifndef ZN_CORE_ROOM_H
#define ZN_CORE_ROOM_H

#include "socket.h"

struct zn_room {
    struct zn_socket **members;
    uint32_t len, cap;
    size_t name_len;
    char name[]; // and NUL
};

struct zn_slice zn__room_key(const void *item);

// Nothing happens when the socket is in it already, or not. -ENOMEM.
int zn__room_join(struct zn_socket *socket, struct zn_slice name);
void zn__room_leave(struct zn_socket *socket, struct zn_slice name);
void zn__room_leave_all(struct zn_socket *socket);

static inline struct zn_room *zn__room_find(const struct zn_space *space, struct zn_slice name)
{
    return zn__table_find(&space->rooms, name);
}

// The socket whose own room has this name, or NULL.
static inline struct zn_socket *zn__room_owner(const struct zn_space *space, struct zn_slice name)
{
    if (name.len != ZN_EIO_SID_LEN)
        return NULL;
    struct zn_socket *socket = zn__table_find(&space->by_id, name);
    return socket != NULL && !socket->left_own ? socket : NULL;
}

#endif
