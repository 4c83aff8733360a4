// SPDX-License-Identifier: Apache-2.0
// See ack.h.
#include "ack.h"

#include "outgoing.h"
#include "survey.h"

#include <errno.h>
#include <stdlib.h>

// Where `id` stands in the list, or would stand.
static uint32_t place(const struct zn_acks *acks, uint64_t id)
{
    uint32_t low = 0, high = acks->len;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (acks->at[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct zn_wait *find(const struct zn_socket *socket, uint64_t id)
{
    const struct zn_acks *acks = socket->acks;
    if (acks == NULL)
        return NULL;
    uint32_t i = place(acks, id);
    return i < acks->len && acks->at[i]->id == id ? acks->at[i] : NULL;
}

static int grow(struct zn_socket *socket)
{
    struct zn_acks *acks = socket->acks;
    uint32_t len = acks != NULL ? acks->len : 0;
    if (acks != NULL && len < acks->cap)
        return 0;
    if (len >= ZN_ACKS_MAX)
        return -ENOBUFS;
    uint32_t cap = len > 0 ? len * 2 : 2;
    acks = realloc(acks, sizeof(*acks) + cap * sizeof(acks->at[0]));
    if (acks == NULL)
        return -ENOMEM;
    acks->len = len;
    acks->cap = cap;
    socket->acks = acks;
    return 0;
}

int zn__ack_wait(struct zn_socket *socket, uint64_t id, struct zn_wait **wait_out)
{
    struct zn_wait *wait = calloc(1, sizeof(*wait));
    if (wait == NULL)
        return -ENOMEM;
    int err = grow(socket);
    if (err < 0) {
        free(wait);
        return err;
    }
    wait->id = id;
    wait->socket = socket;
    struct zn_acks *acks = socket->acks;
    uint32_t i = acks->len; // ids rise, so the place is the last one or near it
    while (i > 0 && acks->at[i - 1]->id > id) {
        acks->at[i] = acks->at[i - 1];
        i--;
    }
    acks->at[i] = wait;
    acks->len++;
    *wait_out = wait;
    return 0;
}

int zn__ack_expect(struct zn_socket *socket, uint64_t id, zn_ack_fn fn, void *user,
                   uint32_t timeout_ms)
{
    struct zn_wait *wait;
    int err = zn__ack_wait(socket, id, &wait);
    if (err < 0)
        return err;
    wait->fn = fn;
    wait->user = user;
    if (timeout_ms > 0)
        zn__reactor_timer(zn__socket_shard(socket)->reactor, &wait->timer, ZN_TIMER_ACK,
                          timeout_ms);
    return 0;
}

static void wait_free(struct zn_wait *wait)
{
    if (wait->survey == NULL)
        zn__reactor_untimer(zn__socket_shard(wait->socket)->reactor, &wait->timer);
    else
        zn__survey_remove(wait);
    free(wait);
}

void zn__ack_remove(struct zn_wait *wait)
{
    struct zn_socket *socket = wait->socket;
    struct zn_acks *acks = socket->acks;
    uint32_t i = place(acks, wait->id);
    acks->len--;
    memmove(&acks->at[i], &acks->at[i + 1], (acks->len - i) * sizeof(acks->at[0]));
    if (acks->len == 0) {
        free(acks);
        socket->acks = NULL;
    }
    wait_free(wait);
}

void zn__ack_forget(struct zn_socket *socket, uint64_t id)
{
    struct zn_wait *wait = find(socket, id);
    if (wait != NULL)
        zn__ack_remove(wait);
}

void zn__ack_answer(struct zn_socket *socket, uint64_t id, const struct zn_args *args)
{
    struct zn_wait *wait = find(socket, id);
    if (wait == NULL)
        return;
    if (wait->survey != NULL) {
        zn__survey_answer(wait, args);
        return;
    }
    zn_ack_fn fn = wait->fn;
    void *user = wait->user;
    zn__ack_remove(wait);
    fn(socket, 0, args, user);
}

// Calls a wait off: its callback learns why.
static void wait_fail(struct zn_wait *wait, int err)
{
    static const struct zn_args none = { 0 };
    struct zn_socket *socket = wait->socket;
    if (wait->survey != NULL) {
        zn__survey_gone(wait);
        return;
    }
    zn_ack_fn fn = wait->fn;
    void *user = wait->user;
    zn__ack_remove(wait);
    fn(socket, err, &none, user);
}

void zn__ack_timeout(struct zn_reactor *reactor, struct zn_timer *timer)
{
    struct zn_wait *wait = (struct zn_wait *)((char *)timer - offsetof(struct zn_wait, timer));
    zn__io_enter(reactor->io);
    wait_fail(wait, -ETIMEDOUT);
    zn__io_leave(reactor->io);
}

void zn__acks_cancel(struct zn_socket *socket, int err)
{
    while (socket->acks != NULL)
        wait_fail(socket->acks->at[0], err);
}

void zn__acks_free(struct zn_socket *socket)
{
    struct zn_acks *acks = socket->acks;
    if (acks == NULL)
        return;
    for (uint32_t i = 0; i < acks->len; i++)
        wait_free(acks->at[i]);
    free(acks);
    socket->acks = NULL;
}

// --- The public API -------------------------------------------------------------------------

int zn_ack(struct zn_socket *socket, uint64_t ack_id, const struct zn_args *args)
{
    if (socket->session == NULL || socket->state == ZN_SOCKET_DEAD)
        return -ENOTCONN;
    struct zn_outgoing out;
    int err = zn__outgoing_ack(&out, socket->space->ns, ack_id, args);
    if (err < 0)
        return err;
    err = zn__session_send(socket->session, &out.packet);
    zn__outgoing_deinit(&out);
    return err;
}
