// SPDX-License-Identifier: Apache-2.0
// Who a target means on one reactor. Two ways: a walk, for work that calls nobody back, and
// a choice, a list that stays good whatever callbacks do.
//
// Thread: the space's reactor.
#ifndef ZN_CORE_CHOOSE_H
#define ZN_CORE_CHOOSE_H

#include "room.h"
#include "socket.h"

typedef void (*zn_visit_fn)(struct zn_socket *socket, void *context);

enum { ZN_WALK_AHEAD = 4 }; // sockets between the steps of fetching one into the cache

static inline void zn__walk_array(struct zn_socket *const *at, uint32_t len,
                                  const struct zn_socket *but, zn_visit_fn visit, void *context)
{
    for (uint32_t i = 0; i < len; i++) {
        if (i + 3 * ZN_WALK_AHEAD < len)
            __builtin_prefetch(at[i + 3 * ZN_WALK_AHEAD]);
        if (i + 2 * ZN_WALK_AHEAD < len)
            __builtin_prefetch(at[i + 2 * ZN_WALK_AHEAD]->session);
        if (i + ZN_WALK_AHEAD < len)
            zn__session_fetch(at[i + ZN_WALK_AHEAD]->session);
        struct zn_socket *socket = at[i];
        if (socket != but && socket->state != ZN_SOCKET_PENDING)
            visit(socket, context);
    }
}

// The general case of zn__walk: several rooms, or exceptions. Marks sockets.
void zn__walk_marked(struct zn_space *space, const struct zn_target *target, zn_visit_fn visit,
                     void *context);

// Visits each socket that the target means once. `visit` must not let the application run.
static inline void zn__walk(struct zn_space *space, const struct zn_target *target,
                            zn_visit_fn visit, void *context)
{
    if (target->except_len > 0 || target->rooms_len > 1) {
        zn__walk_marked(space, target, visit, context);
        return;
    }
    if (target->rooms_len == 0) {
        zn__walk_array(space->sockets, space->sockets_len, target->sender, visit, context);
        return;
    }
    struct zn_slice name = { target->rooms[0], strlen(target->rooms[0]) };
    const struct zn_room *room = zn__room_find(space, name);
    struct zn_socket *owner = zn__room_owner(space, name);
    if (owner != NULL && room != NULL)
        zn__walk_marked(space, target, visit, context);
    else if (room != NULL)
        zn__walk_array(room->members, room->len, target->sender, visit, context);
    else if (owner != NULL && owner != target->sender)
        visit(owner, context);
}

struct zn_choice {
    struct zn_io_shard *shard;
    size_t start, len; // in shard->chosen
};

// The sockets that the target means, now. Between zn__io_enter and zn__io_leave; choices end in
// the reverse order. -ENOMEM.
int zn__choose(struct zn_space *space, const struct zn_target *target, struct zn_choice *choice);
// The connected ones of a client.
int zn__choose_client(struct zn_session *session, struct zn_choice *choice);
void zn__choice_end(struct zn_choice *choice);

// The i-th, or NULL when it has gone meanwhile.
static inline struct zn_socket *zn__choice_at(const struct zn_choice *choice, size_t i)
{
    struct zn_socket *socket = choice->shard->chosen[choice->start + i];
    return socket->state != ZN_SOCKET_DEAD ? socket : NULL;
}

#endif
