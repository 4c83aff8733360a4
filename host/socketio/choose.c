// SPDX-License-Identifier: Apache-2.0
// See choose.h.
#include "choose.h"

#include "client.h"

#include <errno.h>
#include <stdlib.h>

// A mark that no socket of the space bears.
static uint32_t new_stamp(struct zn_space *space)
{
    if (++space->stamp == 0) {
        for (uint32_t i = 0; i < space->sockets_len; i++)
            space->sockets[i]->mark = 0;
        space->stamp = 1;
    }
    return space->stamp;
}

static void mark_room(const struct zn_space *space, struct zn_slice name, uint32_t stamp)
{
    const struct zn_room *room = zn__room_find(space, name);
    for (uint32_t i = 0; room != NULL && i < room->len; i++)
        room->members[i]->mark = stamp;
    struct zn_socket *owner = zn__room_owner(space, name);
    if (owner != NULL)
        owner->mark = stamp;
}

static void visit_unmarked(struct zn_socket *const *at, uint32_t len, uint32_t stamp,
                           zn_visit_fn visit, void *context)
{
    for (uint32_t i = 0; i < len; i++) {
        if (i + ZN_WALK_AHEAD < len)
            __builtin_prefetch(at[i + ZN_WALK_AHEAD]);
        struct zn_socket *socket = at[i];
        if (socket->mark == stamp || socket->state == ZN_SOCKET_PENDING)
            continue;
        socket->mark = stamp;
        visit(socket, context);
    }
}

void zn__walk_marked(struct zn_space *space, const struct zn_target *target, zn_visit_fn visit,
                     void *context)
{
    uint32_t stamp = new_stamp(space);
    for (size_t i = 0; i < target->except_len; i++)
        mark_room(space, (struct zn_slice){ target->except[i], strlen(target->except[i]) }, stamp);
    if (target->sender != NULL)
        ((struct zn_socket *)target->sender)->mark = stamp;
    if (target->rooms_len == 0)
        visit_unmarked(space->sockets, space->sockets_len, stamp, visit, context);
    for (size_t i = 0; i < target->rooms_len; i++) {
        struct zn_slice name = { target->rooms[i], strlen(target->rooms[i]) };
        const struct zn_room *room = zn__room_find(space, name);
        struct zn_socket *owner = zn__room_owner(space, name);
        if (owner != NULL)
            visit_unmarked(&owner, 1, stamp, visit, context);
        if (room != NULL)
            visit_unmarked(room->members, room->len, stamp, visit, context);
    }
}

static int chosen_push(struct zn_io_shard *shard, struct zn_socket *socket)
{
    if (shard->chosen_len == shard->chosen_cap) {
        size_t cap = shard->chosen_cap > 0 ? shard->chosen_cap * 2 : 64;
        struct zn_socket **chosen = realloc(shard->chosen, cap * sizeof(struct zn_socket *));
        if (chosen == NULL)
            return -ENOMEM;
        shard->chosen = chosen;
        shard->chosen_cap = cap;
    }
    shard->chosen[shard->chosen_len++] = socket;
    return 0;
}

struct choosing {
    struct zn_io_shard *shard;
    int err;
};

static void choose_one(struct zn_socket *socket, void *context)
{
    struct choosing *choosing = context;
    if (choosing->err == 0)
        choosing->err = chosen_push(choosing->shard, socket);
}

int zn__choose(struct zn_space *space, const struct zn_target *target, struct zn_choice *choice)
{
    struct zn_io_shard *shard = space->shard;
    struct choosing choosing = { shard, 0 };
    *choice = (struct zn_choice){ shard, shard->chosen_len, 0 };
    zn__walk(space, target, choose_one, &choosing);
    choice->len = shard->chosen_len - choice->start;
    if (choosing.err < 0)
        zn__choice_end(choice);
    return choosing.err;
}

int zn__choose_client(struct zn_session *session, struct zn_choice *choice)
{
    struct zn_io_shard *shard = zn__client_shard(session);
    *choice = (struct zn_choice){ shard, shard->chosen_len, 0 };
    for (struct zn_socket *socket = zn__client_of(session)->sockets; socket != NULL;
         socket = socket->next) {
        if (socket->state == ZN_SOCKET_CONNECTED && chosen_push(shard, socket) < 0) {
            zn__choice_end(choice);
            return -ENOMEM;
        }
    }
    choice->len = shard->chosen_len - choice->start;
    return 0;
}

void zn__choice_end(struct zn_choice *choice)
{
    choice->shard->chosen_len = choice->start;
    choice->len = 0;
}
