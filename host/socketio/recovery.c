// SPDX-License-Identifier: Apache-2.0
// See recovery.h: the log of a namespace and the order of delivery. What is saved of sockets
// is in restore.c.
#include "recovery.h"

#include "broadcast.h"
#include "outgoing.h"

#include "proto/sio.h"

#include <errno.h>
#include <stdlib.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

int zn__log_create(struct zn_log **log_out)
{
    *log_out = calloc(1, sizeof(**log_out));
    return *log_out != NULL ? 0 : -ENOMEM;
}

void zn__log_destroy(struct zn_log *log)
{
    for (; log->first < log->end; log->first++)
        zn__letter_drop(log->ring[log->first & (log->cap - 1)]);
    free(log->ring);
    free(log);
}

uint64_t zn__log_end(struct zn_log *log, struct zn_recovery *recovery)
{
    pthread_mutex_lock(&recovery->lock);
    uint64_t end = log->end;
    pthread_mutex_unlock(&recovery->lock);
    return end;
}

// --- Offsets: the time in base 64, then "." and a number for more of them in one millisecond ----

static size_t write_base64(uint64_t value, char *out)
{
    char reversed[12];
    size_t len = 0;
    do {
        reversed[len++] = digits[value % 64];
        value /= 64;
    } while (value > 0);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

static bool read_base64(struct zn_slice in, uint64_t *value_out)
{
    uint64_t value = 0;
    if (in.len == 0 || in.len > 10)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        const char *digit = memchr(digits, in.p[i], 64);
        if (digit == NULL)
            return false;
        value = value * 64 + (uint64_t)(digit - digits);
    }
    *value_out = value;
    return true;
}

// The next offset, never lower than the last one whatever the reactors' clocks say.
static void stamp(struct zn_recovery *recovery, uint64_t wall_ms, struct zn_letter *letter)
{
    if (wall_ms > recovery->stamp_ms) {
        recovery->stamp_ms = wall_ms;
        recovery->stamp_seq = 0;
    } else {
        recovery->stamp_seq++;
    }
    letter->stamp_ms = recovery->stamp_ms;
    letter->stamp_seq = recovery->stamp_seq;
    size_t len = write_base64(letter->stamp_ms, letter->offset);
    if (letter->stamp_seq > 0) {
        letter->offset[len++] = '.';
        len += write_base64(letter->stamp_seq - 1, letter->offset + len);
    }
    letter->offset[len] = '\0';
}

bool zn__log_find(const struct zn_log *log, struct zn_slice offset, uint64_t *after_out)
{
    const char *point = memchr(offset.p, '.', offset.len);
    struct zn_slice time = { offset.p, point != NULL ? (size_t)(point - offset.p) : offset.len };
    uint64_t ms, seq = 0;
    if (!read_base64(time, &ms))
        return false;
    if (point != NULL) {
        if (!read_base64((struct zn_slice){ point + 1, offset.len - time.len - 1 }, &seq))
            return false;
        seq++;
    }
    uint64_t low = log->first, high = log->end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct zn_letter *letter = log->ring[middle & (log->cap - 1)];
        if (letter->stamp_ms < ms || (letter->stamp_ms == ms && letter->stamp_seq < seq))
            low = middle + 1;
        else
            high = middle;
    }
    *after_out = low + 1;
    if (low == log->end)
        return false;
    const char *found = log->ring[low & (log->cap - 1)]->offset;
    return zn__slice_eq((struct zn_slice){ found, strlen(found) }, offset);
}

// --- The log --------------------------------------------------------------------------------

static int log_grow(struct zn_log *log)
{
    if (log->end - log->first < log->cap)
        return 0;
    size_t cap = log->cap > 0 ? log->cap * 2 : 64;
    struct zn_letter **ring = malloc(cap * sizeof(struct zn_letter *));
    if (ring == NULL)
        return -ENOMEM;
    for (uint64_t i = log->first; i < log->end; i++)
        ring[i & (cap - 1)] = log->ring[i & (log->cap - 1)];
    free(log->ring);
    log->ring = ring;
    log->cap = cap;
    return 0;
}

static void log_trim(struct zn_log *log, uint64_t keep_ms, uint64_t now_ms, size_t room)
{
    while (log->first < log->end) {
        struct zn_letter *letter = log->ring[log->first & (log->cap - 1)];
        if (letter->logged_ms + keep_ms >= now_ms && log->bytes + room <= ZN_LOG_BYTES_MAX)
            return;
        log->first++;
        log->bytes -= letter->size;
        zn__letter_drop(letter);
    }
}

void zn__recovery_trim_later(struct zn_io_shard *shard)
{
    if (!zn__timer_armed(&shard->trim))
        zn__reactor_timer(shard->reactor, &shard->trim, ZN_TIMER_IO,
                          shard->io->recovery->keep_ms + 1);
}

void zn__recovery_trim(struct zn_io_shard *shard)
{
    struct zn_io *io = shard->io;
    struct zn_recovery *recovery = io->recovery;
    uint64_t now_ms = shard->reactor->now_ms;
    pthread_mutex_lock(&io->lock); // of the list
    pthread_mutex_lock(&recovery->lock);
    bool left = zn__restore_trim(recovery, now_ms);
    for (struct zn_namespace *ns = io->all; ns != NULL; ns = ns->next) {
        log_trim(ns->log, recovery->keep_ms, now_ms, 0);
        left = left || ns->log->first < ns->log->end;
    }
    pthread_mutex_unlock(&recovery->lock);
    pthread_mutex_unlock(&io->lock);
    if (left)
        zn__recovery_trim_later(shard);
}

// Gives the letter its offset, in its text too, and a place in the log.
static int log_append(struct zn_recovery *recovery, struct zn_log *log,
                      const struct zn_reactor *reactor, struct zn_letter *letter)
{
    pthread_mutex_lock(&recovery->lock);
    log_trim(log, recovery->keep_ms, reactor->now_ms, letter->size);
    int err = log_grow(log);
    if (err == 0) {
        stamp(recovery, reactor->wall_ms, letter);
        letter->logged_ms = reactor->now_ms;
        char *end = (char *)letter->text.p + letter->text.len; // not seen by anybody yet
        size_t len = strlen(letter->offset);
        memcpy(end, ",\"", 2);
        memcpy(end + 2, letter->offset, len);
        memcpy(end + 2 + len, "\"]", 2);
        letter->text.len += len + 4;
        zn__letter_ref(letter);
        log->ring[log->end++ & (log->cap - 1)] = letter;
        log->bytes += letter->size;
    }
    pthread_mutex_unlock(&recovery->lock);
    return err;
}

// The next letter for this space with a reference, or NULL. What the log had to let go before it
// was delivered here is lost, and counted as mail is.
static struct zn_letter *log_take(struct zn_space *space)
{
    struct zn_recovery *recovery = space->shard->io->recovery;
    struct zn_log *log = space->ns->log;
    struct zn_letter *letter = NULL;
    pthread_mutex_lock(&recovery->lock);
    if (space->cursor < log->first) {
        ZN_COUNT(space->shard->reactor, mail_dropped, log->first - space->cursor);
        space->cursor = log->first;
    }
    if (space->cursor < log->end) {
        letter = log->ring[space->cursor++ & (log->cap - 1)];
        zn__letter_ref(letter);
    }
    pthread_mutex_unlock(&recovery->lock);
    return letter;
}

void zn__log_deliver(struct zn_space *space)
{
    if (space->delivering) // the caller below us goes on, in order
        return;
    space->delivering = true;
    struct zn_letter *letter;
    while ((letter = log_take(space)) != NULL) {
        zn__broadcast_deliver(space->shard, letter);
        zn__letter_drop(letter);
    }
    space->delivering = false;
}

static bool any_in(const char *const *names, size_t len, const char *const *list, size_t list_len)
{
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < list_len; j++) {
            if (strcmp(names[i], list[j]) == 0)
                return true;
        }
    }
    return false;
}

static bool is_for(const struct zn_letter *letter, const char *const *rooms, size_t rooms_len)
{
    const struct zn_target *target = &letter->target;
    return (target->rooms_len == 0 || any_in(rooms, rooms_len, target->rooms, target->rooms_len)) &&
           !any_in(rooms, rooms_len, target->except, target->except_len);
}

int zn__log_missed(struct zn_space *space, uint64_t from, const char *const *rooms,
                   size_t rooms_len, struct zn_letter ***letters_out, size_t *len_out)
{
    struct zn_recovery *recovery = space->shard->io->recovery;
    struct zn_log *log = space->ns->log;
    size_t len = 0;
    pthread_mutex_lock(&recovery->lock);
    if (from < log->first)
        from = log->first;
    size_t cap = from < space->cursor ? (size_t)(space->cursor - from) : 0;
    struct zn_letter **letters = malloc((cap > 0 ? cap : 1) * sizeof(struct zn_letter *));
    for (uint64_t i = from; letters != NULL && i < space->cursor; i++) {
        struct zn_letter *letter = log->ring[i & (log->cap - 1)];
        if (!is_for(letter, rooms, rooms_len))
            continue;
        zn__letter_ref(letter);
        letters[len++] = letter;
    }
    pthread_mutex_unlock(&recovery->lock);
    *letters_out = letters;
    *len_out = len;
    return letters != NULL ? 0 : -ENOMEM;
}

// --- Sending --------------------------------------------------------------------------------

// Tells another reactor that the log has grown.
struct wake {
    struct zn_mail mail;
    struct zn_namespace *ns;
    unsigned to;
};

static void wake_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    struct zn_namespace *ns = ((struct wake *)mail)->ns;
    free(mail);
    atomic_store(&ns->log->woken[reactor->index], false); // before the log is looked at
    struct zn_space *space = zn__namespace_space(ns, reactor->io);
    zn__io_enter(reactor->io);
    if (space != NULL)
        zn__log_deliver(space);
    zn__io_leave(reactor->io);
}

static void wake_drop(struct zn_mail *mail)
{
    const struct wake *wake = (struct wake *)mail;
    atomic_store(&wake->ns->log->woken[wake->to], false);
    free(mail);
}

static int wake_others(struct zn_io_shard *shard, struct zn_namespace *ns)
{
    int err = 0;
    for (unsigned i = 0; i < shard->io->server->threads; i++) {
        if (i == shard->reactor->index || atomic_exchange(&ns->log->woken[i], true))
            continue;
        struct wake *wake = malloc(sizeof(*wake));
        if (wake == NULL) {
            atomic_store(&ns->log->woken[i], false);
            err = -ENOMEM;
            continue;
        }
        *wake = (struct wake){ { .run = wake_run, .drop = wake_drop }, ns, i };
        int full = zn__reactor_mail(shard->reactor, i, &wake->mail);
        if (full < 0)
            err = full;
    }
    return err;
}

static int log_send(struct zn_io_shard *shard, const struct zn_target *target,
                    const struct zn_message *message, bool direct)
{
    struct zn_namespace *ns = target->ns;
    struct zn_outgoing out;
    int err = zn__outgoing_event(&out, ns, message, ZN_OUTGOING_NO_ID, true);
    if (err < 0)
        return err;
    struct zn_letter_draft draft = { ZN_LETTER_EVENT, .target = target, .outgoing = &out,
                                     .text_room = ZN_OFFSET_MAX + 4 };
    struct zn_letter *letter = zn__letter_create(shard, &draft);
    zn__outgoing_deinit(&out);
    if (letter == NULL)
        return -ENOMEM;
    letter->direct = direct;
    zn__recovery_trim_later(shard);
    err = log_append(shard->io->recovery, ns->log, shard->reactor, letter);
    zn__letter_drop(letter);
    if (err < 0)
        return err;
    struct zn_space *space = zn__namespace_space(ns, shard);
    zn__io_enter(shard);
    if (space != NULL)
        zn__log_deliver(space);
    zn__io_leave(shard);
    return direct ? 0 : wake_others(shard, ns);
}

int zn__recovery_broadcast(struct zn_io_shard *shard, const struct zn_target *target,
                           const struct zn_message *message)
{
    return log_send(shard, target, message, false);
}

int zn__recovery_emit(struct zn_socket *socket, const struct zn_message *message)
{
    const char *room = socket->id;
    struct zn_target target = { .ns = socket->space->ns, .rooms = &room, .rooms_len = 1 };
    return log_send(zn__socket_shard(socket), &target, message, true);
}
