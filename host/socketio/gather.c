// SPDX-License-Identifier: Apache-2.0
// See gather.h.
#include "gather.h"

#include "core/buffer.h"
#include "many.h"

#include "proto/json.h"

#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

enum report_kind { REPORT_COUNT, REPORT_ANSWER, REPORT_GONE, REPORT_ITEMS };

struct zn_report {
    struct zn_mail mail;
    struct zn_report *next; // in its gather
    uint64_t ask;
    enum report_kind kind;
    unsigned from;
    size_t count;         // COUNT, ITEMS
    struct zn_args first; // ANSWER: the first argument, its bytes below
    alignas(max_align_t) char text[];
};

struct zn_slice zn__gather_key(const void *item)
{
    const struct zn_gather *gather = item;
    return (struct zn_slice){ (const char *)&gather->id, sizeof(gather->id) };
}

static struct zn_gather *gather_create(struct zn_io_shard *shard, enum zn_gather_kind kind,
                                       void *user)
{
    struct zn_gather *gather = calloc(1, sizeof(*gather));
    if (gather == NULL)
        return NULL;
    gather->id = ++shard->last_ask;
    gather->kind = kind;
    gather->shard = shard;
    gather->user = user;
    gather->reports_end = &gather->reports;
    gather->timer.spare = ZN_IO_TIMER_GATHER;
    if (zn__table_put(&shard->gathers, gather) < 0) {
        free(gather);
        return NULL;
    }
    return gather;
}

struct zn_gather *zn__gather_answers(struct zn_io_shard *shard, uint32_t timeout_ms,
                                     zn_answers_fn done, void *user)
{
    struct zn_gather *gather = gather_create(shard, ZN_GATHER_ANSWERS, user);
    if (gather == NULL)
        return NULL;
    gather->done.answers = done;
    if (timeout_ms > 0)
        zn__reactor_timer(shard->reactor, &gather->timer, ZN_TIMER_IO, timeout_ms);
    return gather;
}

struct zn_gather *zn__gather_sockets(struct zn_io_shard *shard, zn_sockets_fn done, void *user)
{
    struct zn_gather *gather = gather_create(shard, ZN_GATHER_SOCKETS, user);
    if (gather != NULL)
        gather->done.sockets = done;
    return gather;
}

struct zn_gather *zn__gather_rooms(struct zn_io_shard *shard, zn_names_fn done, void *user)
{
    struct zn_gather *gather = gather_create(shard, ZN_GATHER_ROOMS, user);
    if (gather != NULL)
        gather->done.names = done;
    return gather;
}

void zn__gather_expect(struct zn_gather *gather, unsigned reactors)
{
    gather->reactors = reactors;
}

static void gather_free(struct zn_gather *gather)
{
    zn__reactor_untimer(gather->shard->reactor, &gather->timer);
    while (gather->reports != NULL) {
        struct zn_report *report = gather->reports;
        gather->reports = report->next;
        free(report);
    }
    free(gather);
}

void zn__gather_cancel(struct zn_gather *gather)
{
    zn__table_take(&gather->shard->gathers, zn__gather_key(gather));
    gather_free(gather);
}

void zn__gather_free_all(struct zn_io_shard *shard)
{
    struct zn_gather *gather;
    uint32_t cursor = 0;
    while ((gather = zn__table_next(&shard->gathers, &cursor)) != NULL)
        gather_free(gather);
    zn__table_deinit(&shard->gathers);
}

// --- The result -----------------------------------------------------------------------------

static void finish_answers(struct zn_gather *gather, int err)
{
    struct zn_args *first = calloc(gather->answered > 0 ? gather->answered : 1, sizeof(*first));
    struct zn_answers answers = { .err = err, .first_args = first, .expected = gather->expected };
    for (struct zn_report *report = gather->reports; report != NULL && first != NULL;
         report = report->next)
        first[answers.len++] = report->first;
    if (first == NULL)
        answers.err = -ENOMEM;
    gather->done.answers(&answers, gather->user);
    free(first);
}

static void finish_items(struct zn_gather *gather)
{
    struct zn_items items = { 0 };
    int err = 0;
    for (struct zn_report *report = gather->reports; report != NULL && err == 0;
         report = report->next)
        err = zn__items_read(&items, gather->kind == ZN_GATHER_SOCKETS, report->text, report->count,
                             report->from);
    if (gather->kind == ZN_GATHER_SOCKETS)
        gather->done.sockets(items.sockets, err == 0 ? items.sockets_len : 0, gather->user);
    else
        zn__items_names(&items, gather->shard->reactor->server->secret, gather->done.names,
                        gather->user);
    zn__items_deinit(&items);
}

static void gather_finish(struct zn_gather *gather, int err)
{
    struct zn_io_shard *shard = gather->shard;
    zn__table_take(&shard->gathers, zn__gather_key(gather));
    zn__io_enter(shard);
    if (gather->kind == ZN_GATHER_ANSWERS)
        finish_answers(gather, err);
    else
        finish_items(gather);
    zn__io_leave(shard);
    gather_free(gather);
}

// A socket that has gone will not answer: with a deadline that is told when it is reached, as
// the reference does; without one at once.
static void gather_check(struct zn_gather *gather)
{
    if (gather->reactors > 0)
        return;
    if (gather->answered == gather->expected)
        gather_finish(gather, 0);
    else if (gather->answered + gather->gone == gather->expected &&
             !zn__timer_armed(&gather->timer))
        gather_finish(gather, -ETIMEDOUT);
}

void zn__gather_timeout(struct zn_reactor *reactor, struct zn_timer *timer)
{
    (void)reactor;
    gather_finish((struct zn_gather *)((char *)timer - offsetof(struct zn_gather, timer)),
                  -ETIMEDOUT);
}

// --- Reports --------------------------------------------------------------------------------

static void gather_keep(struct zn_gather *gather, struct zn_report *report)
{
    report->next = NULL;
    *gather->reports_end = report;
    gather->reports_end = &report->next;
}

static void report_take(struct zn_io_shard *shard, struct zn_report *report)
{
    struct zn_slice key = { (const char *)&report->ask, sizeof(report->ask) };
    struct zn_gather *gather = zn__table_find(&shard->gathers, key);
    if (gather == NULL) { // too late
        free(report);
        return;
    }
    bool keep = report->kind == REPORT_ANSWER || report->kind == REPORT_ITEMS;
    if (report->kind == REPORT_ANSWER)
        gather->answered++;
    else if (report->kind == REPORT_GONE)
        gather->gone++;
    else
        gather->reactors--;
    if (report->kind == REPORT_COUNT)
        gather->expected += report->count;
    if (keep)
        gather_keep(gather, report);
    else
        free(report);
    gather_check(gather);
}

static void report_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    zn__io_enter(reactor->io);
    report_take(reactor->io, (struct zn_report *)mail);
    zn__io_leave(reactor->io);
}

static void report_drop(struct zn_mail *mail)
{
    free((struct zn_report *)mail);
}

static struct zn_report *report_create(const struct zn_io_shard *shard, uint64_t ask,
                                       enum report_kind kind, size_t room)
{
    struct zn_report *report = calloc(1, sizeof(*report) + room);
    if (report == NULL)
        return NULL;
    report->mail.run = report_run;
    report->mail.drop = report_drop;
    report->ask = ask;
    report->kind = kind;
    report->from = shard->reactor->index;
    return report;
}

void zn__gather_report_count(struct zn_io_shard *shard, unsigned to, uint64_t ask, size_t count)
{
    struct zn_report *report = report_create(shard, ask, REPORT_COUNT, 0);
    if (report == NULL)
        return;
    report->count = count;
    (void)zn__reactor_mail(shard->reactor, to, &report->mail);
}

void zn__gather_report_items(struct zn_io_shard *shard, unsigned to, uint64_t ask, size_t count,
                             const struct zn_buffer *text)
{
    size_t len = text != NULL ? text->len : 0;
    struct zn_report *report = report_create(shard, ask, REPORT_ITEMS, len);
    if (report == NULL)
        return;
    report->count = count;
    if (len > 0)
        memcpy(report->text, text->data, len);
    (void)zn__reactor_mail(shard->reactor, to, &report->mail);
}

// Answers of the asking reactor's own sockets need no mail: they may be many in a turn.
static void report_send(struct zn_io_shard *shard, unsigned to, struct zn_report *report)
{
    if (to == shard->reactor->index)
        report_take(shard, report);
    else
        (void)zn__reactor_mail(shard->reactor, to, &report->mail);
}

void zn__gather_report_gone(struct zn_io_shard *shard, unsigned to, uint64_t ask)
{
    struct zn_report *report = report_create(shard, ask, REPORT_GONE, 0);
    if (report != NULL)
        report_send(shard, to, report);
}

void zn__gather_report_answer(struct zn_io_shard *shard, unsigned to, uint64_t ask,
                              const struct zn_args *args)
{
    struct zn_slice first = { "", 0 };
    size_t cursor = 0;
    if (args->json_len > 0)
        zn__json_next((struct zn_slice){ args->json, args->json_len }, &cursor, NULL, &first);
    size_t room = args->bin_len * sizeof(struct zn_data) + first.len;
    for (unsigned i = 0; i < args->bin_len; i++)
        room += args->bin[i].len;
    struct zn_report *report = report_create(shard, ask, REPORT_ANSWER, room);
    if (report == NULL)
        return;
    struct zn_data *bin = (struct zn_data *)report->text;
    char *at = (char *)(bin + args->bin_len);
    for (unsigned i = 0; i < args->bin_len; i++) {
        bin[i] = (struct zn_data){ at, args->bin[i].len };
        memcpy(at, args->bin[i].p, args->bin[i].len);
        at += args->bin[i].len;
    }
    memcpy(at, first.p, first.len);
    report->first = (struct zn_args){ at, first.len, bin, args->bin_len };
    report_send(shard, to, report);
}
