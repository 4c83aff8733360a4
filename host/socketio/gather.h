// SPDX-License-Identifier: Apache-2.0
// A question to all reactors, on the one that asks: reports come in by mail, and when the
// last is there, or time is up, the application gets the result.
//
// Thread: the asking reactor; zn__gather_report_*: the one that answers.
#ifndef ZN_CORE_GATHER_H
#define ZN_CORE_GATHER_H

#include "io.h"

struct zn_buffer;
struct zn_report;

enum zn_gather_kind { ZN_GATHER_ANSWERS, ZN_GATHER_SOCKETS, ZN_GATHER_ROOMS };

struct zn_gather {
    uint64_t id;
    enum zn_gather_kind kind;
    unsigned reactors; // that have not reported yet
    size_t expected;   // ANSWERS: asked, answered, and gone before they did
    size_t answered, gone;
    struct zn_report *reports, **reports_end;
    struct zn_timer timer; // ANSWERS
    struct zn_io_shard *shard;
    union {
        zn_answers_fn answers;
        zn_sockets_fn sockets;
        zn_names_fn names;
    } done;
    void *user;
};

struct zn_slice zn__gather_key(const void *item);

// New questions. NULL: no memory.
struct zn_gather *zn__gather_answers(struct zn_io_shard *shard, uint32_t timeout_ms,
                                     zn_answers_fn done, void *user);
struct zn_gather *zn__gather_sockets(struct zn_io_shard *shard, zn_sockets_fn done, void *user);
struct zn_gather *zn__gather_rooms(struct zn_io_shard *shard, zn_names_fn done, void *user);
// Takes a question back that was not sent.
void zn__gather_cancel(struct zn_gather *gather);
// How many reactors will report.
void zn__gather_expect(struct zn_gather *gather, unsigned reactors);

// ANSWERS: this reactor asks `count` sockets; one of them answered; one of them went away.
void zn__gather_report_count(struct zn_io_shard *shard, unsigned to, uint64_t ask, size_t count);
void zn__gather_report_answer(struct zn_io_shard *shard, unsigned to, uint64_t ask,
                              const struct zn_args *args);
void zn__gather_report_gone(struct zn_io_shard *shard, unsigned to, uint64_t ask);
// SOCKETS, ROOMS: `count` items, laid out as many.h says. `text` may be NULL.
void zn__gather_report_items(struct zn_io_shard *shard, unsigned to, uint64_t ask, size_t count,
                             const struct zn_buffer *text);

void zn__gather_timeout(struct zn_reactor *reactor, struct zn_timer *timer);
void zn__gather_free_all(struct zn_io_shard *shard);

#endif
