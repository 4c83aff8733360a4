// SPDX-License-Identifier: Apache-2.0
// One event to many sockets, encoded once. On the calling reactor the packet goes out at once;
// each other reactor gets one mail.
//
// Thread: any reactor.
#include "broadcast.h"

#include "choose.h"
#include "gather.h"
#include "recovery.h"
#include "survey.h"

#include <errno.h>

// An event on its way to one reactor's receivers.
struct event_view {
    struct zn_packet *packet;
    struct zn_slice name;
    const struct zn_args *args;
    int64_t id;
};

static void send_one(struct zn_socket *socket, void *context)
{
    (void)zn__session_send(socket->session, context);
}

// Listeners may do anything to anybody, so the receivers are listed first.
static void deliver_noticed(struct zn_space *space, const struct zn_target *target,
                            const struct event_view *view)
{
    struct zn_choice choice;
    if (zn__choose(space, target, &choice) < 0)
        return;
    for (size_t i = 0; i < choice.len; i++) {
        struct zn_socket *socket = zn__choice_at(&choice, i);
        if (socket != NULL)
            zn__outgoing_notify(socket, view->name, view->args, view->id);
        if (socket != NULL && socket->state != ZN_SOCKET_DEAD)
            send_one(socket, view->packet);
    }
    zn__choice_end(&choice);
}

static void deliver(struct zn_space *space, const struct zn_target *target,
                    const struct event_view *view)
{
    if (space == NULL)
        return;
    if (space->ns->handlers->lists[ZN_HANDLER_ANY_OUTGOING].len > 0)
        deliver_noticed(space, target, view);
    else
        zn__walk(space, target, send_one, view->packet);
}

static void deliver_direct(struct zn_space *space, const char *id, const struct event_view *view)
{
    struct zn_slice key = { id, ZN_EIO_SID_LEN };
    struct zn_socket *socket = space != NULL ? zn__table_find(&space->by_id, key) : NULL;
    if (socket == NULL)
        return;
    zn__outgoing_notify(socket, view->name, view->args, view->id);
    if (socket->state != ZN_SOCKET_DEAD)
        send_one(socket, view->packet);
}

static struct zn_packet letter_packet(const struct zn_letter *letter)
{
    struct zn_packet packet;
    zn__packet_init(&packet, '4', letter->flags);
    zn__packet_add(&packet, letter->text.p, letter->text.len);
    packet.bin = letter->args.bin;
    packet.bin_len = letter->args.bin_len;
    return packet;
}

void zn__broadcast_deliver(struct zn_io_shard *shard, const struct zn_letter *letter)
{
    struct zn_packet packet = letter_packet(letter);
    struct event_view view = { &packet, letter->event, &letter->args, letter->id };
    struct zn_space *space = zn__namespace_space(letter->target.ns, shard);
    if (letter->direct)
        deliver_direct(space, letter->target.rooms[0], &view);
    else
        deliver(space, &letter->target, &view);
    zn__packet_deinit(&packet);
}

// --- The public API -------------------------------------------------------------------------

static int broadcast_plain(struct zn_io_shard *shard, const struct zn_target *target,
                           const struct zn_message *message)
{
    struct zn_outgoing out;
    int err = zn__outgoing_event(&out, target->ns, message, ZN_OUTGOING_NO_ID, false);
    if (err < 0)
        return err;
    if (shard->io->server->threads > 1) {
        struct zn_letter_draft draft = { ZN_LETTER_EVENT, .target = target, .outgoing = &out };
        struct zn_letter *letter = zn__letter_create(shard, &draft);
        if (letter != NULL) {
            zn__letter_send(shard, letter, &err);
            zn__letter_drop(letter);
        } else {
            err = -ENOMEM;
        }
    }
    struct event_view view = { &out.packet, out.event, &out.args, out.id };
    zn__io_enter(shard);
    deliver(zn__namespace_space(target->ns, shard), target, &view);
    zn__io_leave(shard);
    zn__outgoing_deinit(&out);
    return err;
}

static int broadcast_children(const struct zn_target *target, const struct zn_message *message)
{
    int first_err = 0;
    struct zn_target one = *target;
    for (one.ns = atomic_load(&target->ns->children); one.ns != NULL; one.ns = one.ns->sibling) {
        int err = zn_broadcast(&one, message);
        if (first_err == 0)
            first_err = err;
    }
    return first_err;
}

int zn_broadcast(const struct zn_target *target, const struct zn_message *message)
{
    struct zn_io_shard *shard = zn__io_self(target->ns->io);
    if (shard == NULL)
        return -EINVAL;
    if (target->ns->match != NULL)
        return broadcast_children(target, message);
    if (target->ns->log != NULL && !(message->flags & ZN_VOLATILE))
        return zn__recovery_broadcast(shard, target, message);
    return broadcast_plain(shard, target, message);
}

int zn_to(struct zn_namespace *ns, const char *room, const char *event, const struct zn_args *args)
{
    struct zn_target target = { .ns = ns, .rooms = &room, .rooms_len = room != NULL ? 1 : 0 };
    struct zn_message message = { .event = event };
    if (args != NULL)
        message.args = *args;
    return zn_broadcast(&target, &message);
}

// --- With acknowledgements ------------------------------------------------------------------

// Asks this reactor's receivers; returns their number.
static size_t ask_receivers(struct zn_space *space, const struct zn_target *target,
                            struct zn_survey *survey, const struct event_view *view)
{
    size_t count = 0;
    struct zn_choice choice;
    if (zn__choose(space, target, &choice) < 0)
        return 0;
    for (size_t i = 0; i < choice.len; i++) {
        struct zn_socket *socket = zn__choice_at(&choice, i);
        if (socket == NULL || zn__survey_add(survey, socket, (uint64_t)view->id) < 0)
            continue;
        count++;
        zn__outgoing_notify(socket, view->name, view->args, view->id);
        if (socket->state != ZN_SOCKET_DEAD)
            send_one(socket, view->packet);
    }
    zn__choice_end(&choice);
    return count;
}

void zn__broadcast_survey(struct zn_io_shard *shard, const struct zn_letter *letter)
{
    struct zn_space *space = zn__namespace_space(letter->target.ns, shard);
    struct zn_survey *survey =
        space != NULL ? zn__survey_create(shard, letter->from, letter->ask, letter->timeout_ms)
                      : NULL;
    size_t count = 0;
    if (survey != NULL) {
        struct zn_packet packet = letter_packet(letter);
        struct event_view view = { &packet, letter->event, &letter->args, letter->id };
        count = ask_receivers(space, &letter->target, survey, &view);
        zn__packet_deinit(&packet);
    }
    zn__gather_report_count(shard, letter->from, letter->ask, count);
    if (survey != NULL)
        zn__survey_seal(survey);
}

int zn_broadcast_ack(const struct zn_target *target, const struct zn_message *message,
                     zn_answers_fn done, void *user)
{
    struct zn_namespace *ns = target->ns;
    struct zn_io_shard *shard = zn__io_self(ns->io);
    if (shard == NULL || ns->match != NULL || done == NULL)
        return -EINVAL;
    struct zn_outgoing out;
    int err = zn__outgoing_event(&out, ns, message, zn__ack_id(ns), false);
    if (err < 0)
        return err;
    struct zn_letter_draft draft = { ZN_LETTER_SURVEY, .target = target, .outgoing = &out };
    struct zn_letter *letter = zn__letter_create(shard, &draft);
    struct zn_gather *gather =
        letter != NULL ? zn__gather_answers(shard, message->timeout_ms, done, user) : NULL;
    zn__outgoing_deinit(&out);
    if (gather == NULL) {
        if (letter != NULL)
            zn__letter_drop(letter);
        return -ENOMEM;
    }
    letter->ask = gather->id;
    letter->timeout_ms = message->timeout_ms;
    zn__gather_expect(gather, zn__letter_send(shard, letter, NULL) + 1);
    zn__io_enter(shard);
    zn__broadcast_survey(shard, letter);
    zn__io_leave(shard);
    zn__letter_drop(letter);
    return 0;
}
