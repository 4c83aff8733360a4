// SPDX-License-Identifier: Apache-2.0
// See reactor.h: the loop and the mail between loops.
#include "reactor.h"

#include "conn.h"
#include "engine.h"
#include "ring.h"
#include "server.h"
#include "zpool.h"

#include "proto/base64.h"
#include "proto/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    EVENTS_MAX = 1024,
    MAIL_BATCH = 1024, // mails run in one turn from one sender
    POSTS_MAX = 65536,
};

static _Thread_local struct zn_reactor *self;

struct zn_reactor *zn__reactor_self(void)
{
    return self;
}

void zn__reactor_enter(struct zn_reactor *reactor)
{
    self = reactor;
}

void zn__reactor_timer(struct zn_reactor *reactor, struct zn_timer *timer, enum zn_timer_kind kind,
                       uint64_t ms)
{
    timer->kind = (uint8_t)kind;
    zn__wheel_set(&reactor->wheel, timer, reactor->now_ms + ms);
}

void zn__reactor_untimer(struct zn_reactor *reactor, struct zn_timer *timer)
{
    zn__wheel_cancel(&reactor->wheel, timer);
}

// --- Mail -----------------------------------------------------------------------------------

// Moves what waits for reactor `to` into its ring, as far as it goes.
static void backlog_flush(struct zn_reactor *reactor, unsigned to)
{
    struct zn_mail_queue *queue = &reactor->backlog[to];
    struct zn_reactor *other = &reactor->server->reactors[to];
    while (queue->head != NULL) {
        struct zn_mail *mail = queue->head;
        struct zn_mail *next = mail->next; // the receiver may free it at once
        if (!zn__ring_push(&other->rings[reactor->index], mail))
            return;
        queue->head = next;
        queue->len--;
    }
    queue->tail = NULL;
}

int zn__reactor_mail(struct zn_reactor *reactor, unsigned to, struct zn_mail *mail)
{
    struct zn_mail_queue *queue = &reactor->backlog[to];
    if (queue->len >= reactor->server->mail_max) {
        ZN_COUNT(reactor, mail_dropped, 1);
        mail->drop(mail);
        return -ENOBUFS;
    }
    mail->next = NULL;
    if (queue->tail != NULL)
        queue->tail->next = mail;
    else
        queue->head = mail;
    queue->tail = mail;
    queue->len++;
    if (to != reactor->index) {
        backlog_flush(reactor, to);
        reactor->wake_mask |= UINT64_C(1) << to;
    }
    return 0;
}

int zn__reactor_post(struct zn_reactor *reactor, struct zn_mail *mail)
{
    mail->next = NULL;
    pthread_mutex_lock(&reactor->post_lock);
    bool full = reactor->post_len >= POSTS_MAX || reactor->closed;
    if (!full) {
        if (reactor->post_tail != NULL)
            reactor->post_tail->next = mail;
        else
            reactor->post_head = mail;
        reactor->post_tail = mail;
        reactor->post_len++;
    }
    atomic_store(&reactor->post_pending, true);
    if (!full && reactor->dp != NULL)
        reactor->dp->ops->wake(reactor->dp);
    pthread_mutex_unlock(&reactor->post_lock);
    return full ? -EAGAIN : 0;
}

static struct zn_mail *posts_take(struct zn_reactor *reactor)
{
    if (!atomic_exchange(&reactor->post_pending, false))
        return NULL;
    pthread_mutex_lock(&reactor->post_lock);
    struct zn_mail *mail = reactor->post_head;
    reactor->post_head = reactor->post_tail = NULL;
    reactor->post_len = 0;
    pthread_mutex_unlock(&reactor->post_lock);
    return mail;
}

static struct zn_mail *own_mail_take(struct zn_reactor *reactor)
{
    struct zn_mail_queue *queue = &reactor->backlog[reactor->index];
    struct zn_mail *mail = queue->head;
    *queue = (struct zn_mail_queue){ 0 };
    return mail;
}

static void mails_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    for (struct zn_mail *next; mail != NULL; mail = next) {
        next = mail->next;
        mail->run(reactor, mail);
    }
}

// Runs the mail that is there. Returns whether some may be left.
static bool mail_run(struct zn_reactor *reactor)
{
    bool more = false;
    mails_run(reactor, posts_take(reactor));
    mails_run(reactor, own_mail_take(reactor));
    for (unsigned i = 0; i < reactor->server->threads; i++) {
        if (i == reactor->index)
            continue;
        unsigned n = 0;
        struct zn_mail *mail;
        while (n < MAIL_BATCH && (mail = zn__ring_pop(&reactor->rings[i])) != NULL) {
            mail->run(reactor, mail);
            n++;
        }
        more |= n == MAIL_BATCH;
    }
    return more;
}

// Sends what is backlogged on and wakes the receivers. Returns whether a ring was full.
static bool mail_flush(struct zn_reactor *reactor)
{
    bool stuck = false;
    for (unsigned i = 0; i < reactor->server->threads; i++) {
        if (i == reactor->index)
            continue;
        if (reactor->backlog[i].head != NULL) {
            backlog_flush(reactor, i);
            reactor->wake_mask |= UINT64_C(1) << i;
            stuck |= reactor->backlog[i].head != NULL;
        }
        if ((reactor->wake_mask >> i & 1) != 0) {
            struct zn_dp *dp = reactor->server->reactors[i].dp;
            dp->ops->wake(dp);
        }
    }
    reactor->wake_mask = 0;
    return stuck;
}

static void mails_drop(struct zn_mail *mail)
{
    for (struct zn_mail *next; mail != NULL; mail = next) {
        next = mail->next;
        mail->drop(mail);
    }
}

// --- Loop -----------------------------------------------------------------------------------

void zn__reactor_retry(struct zn_reactor *reactor, struct zn_timer *timer)
{
    (void)reactor;
    (void)timer; // the turn itself looks at the backlog
}

void zn__reactor_stop_due(struct zn_reactor *reactor, struct zn_timer *timer)
{
    (void)timer;
    reactor->done = true;
}

// The first turn after zn_server_stop(): no more accepts, everybody is told.
static void stop_begin(struct zn_reactor *reactor)
{
    reactor->stopping = true;
    (void)reactor->dp->ops->listen(reactor->dp, NULL, 0, NULL);
    if (reactor->io != NULL)
        zn__io_shard_stop(reactor->io);
    zn__session_stop_all(reactor);
    zn__session_reap(reactor);
    zn__conn_stop_all(reactor);
    zn__reactor_timer(reactor, &reactor->stop, ZN_TIMER_STOP, reactor->server->drain_ms);
}

static void stop_check(struct zn_reactor *reactor)
{
    if (!reactor->stopping && atomic_load(&reactor->server->stop_asked))
        stop_begin(reactor);
}

static void timers_run(struct zn_reactor *reactor)
{
    struct zn_timer *timer;
    while ((timer = zn__wheel_pop(&reactor->wheel, reactor->now_ms)) != NULL)
        reactor->server->on_timer[timer->kind](reactor, timer);
}

// How long the loop may sleep.
static uint64_t loop_wait_ns(const struct zn_reactor *reactor, bool busy, uint64_t limit_ns)
{
    bool stop_new = !reactor->stopping && atomic_load(&reactor->server->stop_asked);
    if (busy || stop_new || reactor->backlog[reactor->index].head != NULL)
        return 0;
    uint64_t next_ms = zn__wheel_next(&reactor->wheel);
    if (next_ms == UINT64_MAX)
        return limit_ns;
    uint64_t now_ns = reactor->dp->now_ns;
    uint64_t next_ns = next_ms * 1000000;
    uint64_t wait = next_ns > now_ns ? next_ns - now_ns : 0;
    return wait < limit_ns ? wait : limit_ns;
}

int zn__reactor_turn(struct zn_reactor *reactor, uint64_t limit_ns)
{
    static _Thread_local struct zn_dp_event events[EVENTS_MAX];
    self = reactor;
    uint64_t wait = loop_wait_ns(reactor, reactor->busy, limit_ns);
    int n = reactor->dp->ops->poll(reactor->dp, events, EVENTS_MAX, wait);
    if (n < 0 && n != -EINTR)
        return n;
    reactor->now_ms = reactor->dp->now_ns / 1000000;
    reactor->wall_ms = reactor->dp->wall_ms;
    for (int i = 0; i < n; i++)
        zn__conn_event(reactor, &events[i]);
    bool busy = mail_run(reactor);
    timers_run(reactor);
    stop_check(reactor);
    zn__session_reap(reactor);
    zn__conn_flush(reactor);
    if (reactor->stopping && reactor->conns == NULL)
        reactor->done = true; // looked at last: nothing else may come that would wake the loop
    // A full ring means that its reader is busy: look again in a millisecond at the latest.
    // Sessions that the flush ended are told in the next turn.
    reactor->busy = busy || reactor->closing != NULL;
    if (mail_flush(reactor) && !busy)
        zn__reactor_timer(reactor, &reactor->retry, ZN_TIMER_RETRY, 1);
    return n < 0 ? 0 : n;
}

void zn__reactor_run(struct zn_reactor *reactor)
{
    while (!reactor->done) {
        int err = zn__reactor_turn(reactor, UINT64_MAX);
        if (err < 0) {
            zn__log(reactor->server, ZN_LOG_ERROR, "poll_failed", "\"errno\":%d", -err);
            break;
        }
    }
}

// --- Set-up ---------------------------------------------------------------------------------

static struct zn_slice session_key(const void *item)
{
    return zn__session_key(item);
}

int zn__reactor_init(struct zn_reactor *reactor, struct zn_server *server, unsigned index)
{
    reactor->server = server;
    reactor->index = index;
    reactor->dirty_end = &reactor->dirty;
    pthread_mutex_init(&reactor->post_lock, NULL);
    zn__arena_init(&reactor->arena);
    zn__table_init(&reactor->sessions, session_key, server->secret);
    reactor->rings = aligned_alloc(ZN_CACHE_LINE, server->threads * sizeof(*reactor->rings));
    reactor->backlog = calloc(server->threads, sizeof(*reactor->backlog));
    reactor->zpool = malloc(sizeof(*reactor->zpool));
    if (reactor->rings == NULL || reactor->backlog == NULL || reactor->zpool == NULL)
        return -ENOMEM;
    zn__zpool_init(reactor->zpool, 1);
    for (unsigned i = 0; i < server->threads; i++) {
        int err = i == index ? 0 : zn__ring_init(&reactor->rings[i], ZN_MAIL_RING);
        if (err < 0)
            return err;
    }
    return 0;
}

int zn__reactor_open(struct zn_reactor *reactor)
{
    struct zn_server *server = reactor->server;
    struct zn_dp_config config = {
        .user_size = sizeof(struct zn_conn),
        .streams_max = server->options.connections_max,
    };
    int err = server->tls != NULL
                  ? zn_dp_tls_open(server->tls, server->dp_ops, &config, &reactor->dp)
                  : server->dp_ops->open(&config, &reactor->dp);
    if (err < 0)
        return err;
    reactor->now_ms = reactor->dp->now_ns / 1000000;
    reactor->wall_ms = reactor->dp->wall_ms;
    zn__wheel_init(&reactor->wheel, reactor->now_ms);
    return 0;
}

void zn__reactor_close(struct zn_reactor *reactor)
{
    while (reactor->alarms != NULL)
        zn_cancel(reactor->alarms);
    pthread_mutex_lock(&reactor->post_lock);
    reactor->closed = true;
    pthread_mutex_unlock(&reactor->post_lock);
    size_t len;
    struct zn_outq *queues = zn__conn_inherit(reactor, &len);
    if (reactor->dp != NULL)
        reactor->dp->ops->close(reactor->dp);
    reactor->dp = NULL;
    zn__conn_move_end(reactor);
    for (size_t i = 0; i < len; i++)
        zn__outq_deinit(&queues[i]);
    free(queues);
}

void zn__reactor_deinit(struct zn_reactor *reactor)
{
    unsigned threads = reactor->server->threads;
    mails_drop(reactor->post_head);
    for (unsigned i = 0; i < threads; i++) {
        if (reactor->backlog != NULL)
            mails_drop(reactor->backlog[i].head);
        if (reactor->rings == NULL || i == reactor->index)
            continue;
        struct zn_mail *mail;
        while ((mail = zn__ring_pop(&reactor->rings[i])) != NULL)
            mail->drop(mail);
        zn__ring_deinit(&reactor->rings[i]);
    }
    free(reactor->http_spare);
    free(reactor->rings);
    free(reactor->backlog);
    zn__table_deinit(&reactor->sessions);
    if (reactor->zpool != NULL)
        zn__zpool_deinit(reactor->zpool);
    free(reactor->zpool);
    zn__arena_deinit(&reactor->arena);
    pthread_mutex_destroy(&reactor->post_lock);
}

// --- Randomness -----------------------------------------------------------------------------

void zn__reactor_random(struct zn_reactor *reactor, void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        if (reactor->entropy_left == 0) {
            // 256 bytes or fewer are never cut short (getrandom(2)).
            if (getrandom(reactor->entropy, sizeof(reactor->entropy), 0) !=
                (ssize_t)sizeof(reactor->entropy))
                abort();
            reactor->entropy_left = sizeof(reactor->entropy);
        }
        *at++ = reactor->entropy[--reactor->entropy_left];
        reactor->entropy[reactor->entropy_left] = 0;
        len--;
    }
}

void zn__reactor_sid(struct zn_reactor *reactor, char out[21])
{
    uint8_t bytes[15];
    zn__reactor_random(reactor, bytes, sizeof(bytes));
    zn__base64url_encode(bytes, sizeof(bytes), out);
    out[20] = '\0';
}

void zn__log(struct zn_server *server, enum zn_log_level level, const char *event,
             const char *fields_format, ...)
{
    if (server->options.log == NULL)
        return;
    char fields[512];
    fields[0] = '{';
    va_list args;
    va_start(args, fields_format);
    int n = vsnprintf(fields + 1, sizeof(fields) - 2, fields_format, args);
    va_end(args);
    bool fits = n >= 0 && (size_t)n < sizeof(fields) - 2;
    if (fits) {
        fields[1 + n] = '}';
        fields[2 + n] = '\0';
    }
    server->options.log(level, event, fits && n > 0 ? fields : NULL, server->options.log_user);
}

void zn__log_text(struct zn_server *server, enum zn_log_level level, const char *event,
                  const char *text)
{
    char quoted[400];
    ssize_t n = zn__json_quote((struct zn_slice){ text, strlen(text) }, quoted, sizeof(quoted));
    if (n > 0)
        zn__log(server, level, event, "\"reason\":%.*s", (int)n, quoted);
}
