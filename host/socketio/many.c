// SPDX-License-Identifier: Apache-2.0
// See many.h: what is done to many sockets, and what is asked about them.
#include "many.h"

#include "choose.h"
#include "core/buffer.h"
#include "describe.h"
#include "gather.h"

#include <errno.h>
#include <stdlib.h>

static void apply_one(struct zn_socket *socket, const struct zn_letter *letter)
{
    for (size_t i = 0; i < letter->rooms_len; i++) {
        struct zn_slice room = { letter->rooms[i], strlen(letter->rooms[i]) };
        if (letter->op == ZN_LETTER_JOIN)
            (void)zn__room_join(socket, room);
        else
            zn__room_leave(socket, room);
    }
    if (letter->op == ZN_LETTER_DISCONNECT)
        zn_disconnect(socket, letter->close);
}

void zn__many_apply(struct zn_io_shard *shard, const struct zn_letter *letter)
{
    struct zn_space *space = zn__namespace_space(letter->target.ns, shard);
    struct zn_choice choice;
    if (space == NULL || zn__choose(space, &letter->target, &choice) < 0)
        return;
    for (size_t i = 0; i < choice.len; i++) {
        struct zn_socket *socket = zn__choice_at(&choice, i);
        if (socket != NULL)
            apply_one(socket, letter);
    }
    zn__choice_end(&choice);
}

// --- Answers --------------------------------------------------------------------------------

static void add_string(struct zn_buffer **out, const char *text, int *err)
{
    if (*err == 0)
        *err = zn__buffer_add(out, text, strlen(text) + 1);
}

static void add_socket(struct zn_buffer **out, const struct zn_socket *socket, int *err)
{
    uint32_t rooms = socket->seats_len + !socket->left_own;
    add_string(out, socket->id, err);
    add_string(out, zn_socket_data(socket), err);
    if (*err == 0)
        *err = zn__describe_handshake(socket, out);
    add_string(out, "", err);
    if (*err == 0)
        *err = zn__buffer_add(out, &rooms, sizeof(rooms));
    if (!socket->left_own)
        add_string(out, socket->id, err);
    for (uint32_t i = 0; i < socket->seats_len; i++)
        add_string(out, socket->seats[i].room->name, err);
}

static size_t pack_sockets(struct zn_space *space, const struct zn_target *target,
                           struct zn_buffer **out)
{
    struct zn_choice choice;
    if (zn__choose(space, target, &choice) < 0)
        return 0;
    int err = 0;
    size_t count = choice.len;
    for (size_t i = 0; i < count; i++)
        add_socket(out, zn__choice_at(&choice, i), &err);
    zn__choice_end(&choice);
    return err == 0 ? count : 0;
}

static size_t pack_rooms(struct zn_space *space, struct zn_buffer **out)
{
    int err = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < space->sockets_len; i++) {
        if (space->sockets[i]->left_own)
            continue;
        add_string(out, space->sockets[i]->id, &err);
        count++;
    }
    const struct zn_room *room;
    uint32_t cursor = 0;
    while ((room = zn__table_next(&space->rooms, &cursor)) != NULL) {
        add_string(out, room->name, &err);
        count++;
    }
    return err == 0 ? count : 0;
}

void zn__many_answer(struct zn_io_shard *shard, const struct zn_letter *letter)
{
    struct zn_space *space = zn__namespace_space(letter->target.ns, shard);
    struct zn_buffer *text = NULL;
    size_t count = 0;
    if (space != NULL)
        count = letter->op == ZN_LETTER_SOCKETS ? pack_sockets(space, &letter->target, &text)
                                                : pack_rooms(space, &text);
    zn__gather_report_items(shard, letter->from, letter->ask, count, text);
    free(text);
}

// --- The public API -------------------------------------------------------------------------

static int apply_in(struct zn_io_shard *shard, const struct zn_target *target,
                    const struct zn_letter_draft *what, bool close)
{
    struct zn_letter_draft draft = *what;
    draft.target = target;
    struct zn_letter *letter = zn__letter_create(shard, &draft);
    if (letter == NULL)
        return -ENOMEM;
    int err = 0;
    letter->close = close;
    zn__letter_send(shard, letter, &err);
    zn__io_enter(shard);
    zn__many_apply(shard, letter);
    zn__io_leave(shard);
    zn__letter_drop(letter);
    return err;
}

static int apply(const struct zn_target *target, const struct zn_letter_draft *what, bool close)
{
    struct zn_io_shard *shard = zn__io_self(target->ns->io);
    if (shard == NULL)
        return -EINVAL;
    if (target->ns->match == NULL)
        return apply_in(shard, target, what, close);
    int err = 0; // a parent means all its children
    struct zn_target one = *target;
    for (one.ns = atomic_load(&target->ns->children); one.ns != NULL && err == 0;
         one.ns = one.ns->sibling)
        err = apply_in(shard, &one, what, close);
    return err;
}

int zn_sockets_join(const struct zn_target *target, const char *const *rooms, size_t rooms_len)
{
    struct zn_letter_draft what = { ZN_LETTER_JOIN, .rooms = rooms, .rooms_len = rooms_len };
    return apply(target, &what, false);
}

int zn_sockets_leave(const struct zn_target *target, const char *const *rooms, size_t rooms_len)
{
    struct zn_letter_draft what = { ZN_LETTER_LEAVE, .rooms = rooms, .rooms_len = rooms_len };
    return apply(target, &what, false);
}

int zn_disconnect_sockets(const struct zn_target *target, bool close)
{
    struct zn_letter_draft what = { .op = ZN_LETTER_DISCONNECT };
    return apply(target, &what, close);
}

// Sends the question; `gather` may be NULL for want of memory.
static int ask(struct zn_io_shard *shard, const struct zn_target *target, enum zn_letter_op op,
               struct zn_gather *gather)
{
    struct zn_letter_draft draft = { .op = op, .target = target };
    struct zn_letter *letter = gather != NULL ? zn__letter_create(shard, &draft) : NULL;
    if (letter == NULL) {
        if (gather != NULL)
            zn__gather_cancel(gather);
        return -ENOMEM;
    }
    letter->ask = gather->id;
    zn__gather_expect(gather, zn__letter_send(shard, letter, NULL) + 1);
    zn__io_enter(shard);
    zn__many_answer(shard, letter);
    zn__io_leave(shard);
    zn__letter_drop(letter);
    return 0;
}

int zn_fetch_sockets(const struct zn_target *target, zn_sockets_fn done, void *user)
{
    struct zn_io_shard *shard = zn__io_self(target->ns->io);
    if (shard == NULL || target->ns->match != NULL || done == NULL)
        return -EINVAL;
    return ask(shard, target, ZN_LETTER_SOCKETS, zn__gather_sockets(shard, done, user));
}

int zn_all_rooms(struct zn_namespace *ns, zn_names_fn done, void *user)
{
    struct zn_io_shard *shard = zn__io_self(ns->io);
    if (shard == NULL || ns->match != NULL || done == NULL)
        return -EINVAL;
    struct zn_target target = { .ns = ns };
    return ask(shard, &target, ZN_LETTER_ROOMS, zn__gather_rooms(shard, done, user));
}
