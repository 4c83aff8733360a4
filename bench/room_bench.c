// SPDX-License-Identifier: Apache-2.0
// What do joining and leaving a room, and a broadcast to one, cost with 10,000 memberships and with
// a million? Each socket is in 10 rooms, each room has 100 members. The members of a room are
// strangers to each other, so that no two rooms share more than a few.
#include "micro.h"
#include "sink_server.h"

#include "socketio/socket.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOMS_EACH = 10, MEMBERS = 100, STRIDE = 7919, ROOM_NAME_MAX = 32 };

struct rooms {
    struct sink_server sink;
    struct zn_namespace *root;
    struct zn_socket **sockets;
    size_t len, at;
};

static void keep(struct zn_socket *socket, void *user)
{
    struct rooms *rooms = user;
    rooms->sockets[rooms->len++] = socket;
}

static void name(char out[ROOM_NAME_MAX], size_t room)
{
    snprintf(out, ROOM_NAME_MAX, "room-%zu", room);
}

// The k-th room of a socket: for each k the sockets are put into another order, whose runs of
// MEMBERS are the rooms. (210 k + 1 has no divisor in common with the number of sockets.)
static size_t room_of(const struct rooms *rooms, size_t socket, size_t k)
{
    size_t place = socket * (210 * k + 1) % rooms->len;
    return place / MEMBERS + k * (rooms->len / MEMBERS);
}

static void join(struct zn_socket *socket, const char *room)
{
    if (zn_join(socket, room) != 0)
        abort();
}

static void leave(struct zn_socket *socket, const char *room)
{
    if (zn_leave(socket, room) != 0)
        abort();
}

static size_t next(struct rooms *rooms)
{
    return rooms->at = (rooms->at + STRIDE) % rooms->len;
}

// One time is a socket out of one of its rooms and in again.
static void run_leave_join(void *arg, size_t times)
{
    struct rooms *rooms = arg;
    char room[ROOM_NAME_MAX];
    while (times--) {
        size_t i = next(rooms);
        name(room, room_of(rooms, i, i % ROOMS_EACH));
        leave(rooms->sockets[i], room);
        join(rooms->sockets[i], room);
    }
}

// One time is a room made by its first member and ended by its last.
static void run_open_end(void *arg, size_t times)
{
    struct rooms *rooms = arg;
    while (times--) {
        size_t i = next(rooms);
        join(rooms->sockets[i], "new room");
        leave(rooms->sockets[i], "new room");
    }
}

// One time is one broadcast, out to the last member.
static void run_broadcast(void *arg, size_t times)
{
    struct rooms *rooms = arg;
    const struct zn_args args = ZN_JSON("\"0123456789abcdef0123456789abcdef\"");
    char room[ROOM_NAME_MAX];
    while (times--) {
        size_t i = next(rooms);
        name(room, room_of(rooms, i, i % ROOMS_EACH));
        zn_to(rooms->root, room, "msg", &args);
        sink_server_turn(&rooms->sink);
    }
}

static void run_name(void *arg, size_t times)
{
    struct rooms *rooms = arg;
    char room[ROOM_NAME_MAX];
    while (times--) {
        size_t i = next(rooms);
        name(room, room_of(rooms, i, i % ROOMS_EACH));
        __asm__ volatile("" : : "r"(room) : "memory");
    }
}

static void print_row(const struct rooms *rooms, const char *what, struct micro_figure f,
                      double less_ns)
{
    printf("%8zu memberships  %-24s %9.1f ns  (half of samples %.1f to %.1f, p99 %.1f)\n",
           rooms->len * ROOMS_EACH, what, f.median - less_ns, f.low - less_ns, f.high - less_ns,
           f.p99 - less_ns);
}

static void rooms_open(struct rooms *rooms, size_t sockets)
{
    struct zn_io_options options = { 0 };
    char room[ROOM_NAME_MAX];
    *rooms = (struct rooms){ .sockets = calloc(sockets, sizeof(*rooms->sockets)) };
    sink_server_create(&rooms->sink);
    if (rooms->sockets == NULL || zn_io(rooms->sink.server, &options) < 0)
        abort();
    rooms->root = zn_of(rooms->sink.server, "/");
    zn_on_connection(rooms->root, keep, rooms);
    sink_server_start(&rooms->sink);
    for (size_t i = 0; i < sockets; i++)
        sink_server_connect_sio(&rooms->sink);
    for (size_t i = 0; i < sockets; i++)
        for (size_t k = 0; k < ROOMS_EACH; k++) {
            name(room, room_of(rooms, i, k));
            join(rooms->sockets[i], room);
        }
}

int main(void)
{
    static const size_t sockets[] = { 1000, 100000 };
    static struct rooms rooms;
    micro_print_machine();
    for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
        rooms_open(&rooms, sockets[i]);
        double name_ns = micro_measure(run_name, &rooms).median;
        print_row(&rooms, "a leave and a join", micro_measure(run_leave_join, &rooms), name_ns);
        print_row(&rooms, "a room opened and ended", micro_measure(run_open_end, &rooms), 0);
        print_row(&rooms, "a broadcast to 100", micro_measure(run_broadcast, &rooms), name_ns);
        sink_server_stop(&rooms.sink);
        free(rooms.sockets);
    }
    return 0;
}
