// SPDX-License-Identifier: Apache-2.0
// See room.h.
#include "room.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_CAP_MIN = 4 };

struct zn_slice zn__room_key(const void *item)
{
    const struct zn_room *room = item;
    return (struct zn_slice){ room->name, room->name_len };
}

static struct zn_room *room_create(struct zn_space *space, struct zn_slice name)
{
    struct zn_room *room = calloc(1, sizeof(*room) + name.len + 1);
    if (room == NULL)
        return NULL;
    room->name_len = name.len;
    memcpy(room->name, name.p, name.len);
    if (zn__table_put(&space->rooms, room) < 0) {
        free(room);
        return NULL;
    }
    return room;
}

static void room_destroy(struct zn_space *space, struct zn_room *room)
{
    zn__table_take(&space->rooms, zn__room_key(room));
    free(room->members);
    free(room);
}

static int room_resize(struct zn_room *room, uint32_t cap)
{
    struct zn_socket **members = realloc(room->members, cap * sizeof(struct zn_socket *));
    if (members == NULL)
        return -ENOMEM;
    room->members = members;
    room->cap = cap;
    return 0;
}

// Room for one more seat; the array has room for a power of two.
static int seats_grow(struct zn_socket *socket)
{
    uint32_t len = socket->seats_len;
    if (len > 0 && (len & (len - 1)) != 0)
        return 0;
    struct zn_seat *seats = realloc(socket->seats, (len > 0 ? len * 2 : 1) * sizeof(*seats));
    if (seats == NULL)
        return -ENOMEM;
    socket->seats = seats;
    return 0;
}

static struct zn_seat *seat_find(const struct zn_socket *socket, const struct zn_room *room)
{
    for (uint32_t i = 0; i < socket->seats_len; i++) {
        if (socket->seats[i].room == room)
            return &socket->seats[i];
    }
    return NULL;
}

static bool is_own(const struct zn_socket *socket, struct zn_slice name)
{
    return name.len == ZN_EIO_SID_LEN && memcmp(name.p, socket->id, ZN_EIO_SID_LEN) == 0;
}

int zn__room_join(struct zn_socket *socket, struct zn_slice name)
{
    if (is_own(socket, name)) {
        socket->left_own = false;
        return 0;
    }
    struct zn_space *space = socket->space;
    struct zn_room *room = zn__room_find(space, name);
    if (room != NULL && seat_find(socket, room) != NULL)
        return 0;
    if (seats_grow(socket) < 0)
        return -ENOMEM;
    if (room == NULL && (room = room_create(space, name)) == NULL)
        return -ENOMEM;
    if (room->len == room->cap &&
        room_resize(room, room->cap > 0 ? room->cap * 2 : ROOM_CAP_MIN) < 0) {
        if (room->len == 0)
            room_destroy(space, room);
        return -ENOMEM;
    }
    socket->seats[socket->seats_len++] = (struct zn_seat){ room, room->len };
    room->members[room->len++] = socket;
    return 0;
}

// Takes member `at` out; the last one gets its place.
static void room_remove(struct zn_space *space, struct zn_room *room, uint32_t at)
{
    struct zn_socket *last = room->members[--room->len];
    if (at != room->len) {
        room->members[at] = last;
        seat_find(last, room)->at = at;
    }
    if (room->len == 0)
        room_destroy(space, room);
    else if (room->cap > ROOM_CAP_MIN && room->len <= room->cap / 4)
        (void)room_resize(room, room->cap / 2); // keeps the larger one when memory is short
}

void zn__room_leave(struct zn_socket *socket, struct zn_slice name)
{
    if (is_own(socket, name)) {
        socket->left_own = true;
        return;
    }
    struct zn_room *room = zn__room_find(socket->space, name);
    struct zn_seat *seat = room != NULL ? seat_find(socket, room) : NULL;
    if (seat == NULL)
        return;
    uint32_t at = seat->at;
    uint32_t i = (uint32_t)(seat - socket->seats);
    socket->seats_len--;
    memmove(seat, seat + 1, (socket->seats_len - i) * sizeof(*seat));
    if (socket->seats_len == 0) {
        free(socket->seats);
        socket->seats = NULL;
    }
    room_remove(socket->space, room, at);
}

void zn__room_leave_all(struct zn_socket *socket)
{
    while (socket->seats_len > 0) {
        struct zn_seat seat = socket->seats[--socket->seats_len];
        room_remove(socket->space, seat.room, seat.at);
    }
    free(socket->seats);
    socket->seats = NULL;
}

// --- The public API -------------------------------------------------------------------------

static bool can_join(const struct zn_socket *socket)
{
    return socket->state != ZN_SOCKET_DEAD && socket->session != NULL;
}

int zn_join(struct zn_socket *socket, const char *room)
{
    if (room == NULL)
        return -EINVAL;
    if (!can_join(socket))
        return -ENOTCONN;
    return zn__room_join(socket, (struct zn_slice){ room, strlen(room) });
}

int zn_leave(struct zn_socket *socket, const char *room)
{
    if (room == NULL)
        return -EINVAL;
    if (!can_join(socket))
        return -ENOTCONN;
    zn__room_leave(socket, (struct zn_slice){ room, strlen(room) });
    return 0;
}

void zn_rooms(const struct zn_socket *socket, void (*fn)(const char *room, void *user), void *user)
{
    bool in_own = socket->state == ZN_SOCKET_CONNECTED || socket->state == ZN_SOCKET_CLOSING;
    if (in_own && !socket->left_own)
        fn(socket->id, user);
    for (uint32_t i = 0; i < socket->seats_len; i++)
        fn(socket->seats[i].room->name, user);
}
