// SPDX-License-Identifier: Apache-2.0
// What is saved of a socket that went away, and how it comes back. See recovery.h.
#include "recovery.h"

#include "room.h"

#include "proto/json.h"

#include <errno.h>
#include <stdlib.h>

struct zn_saved {
    struct zn_saved *older, *newer;
    uint64_t since_ms;
    size_t size;
    char sid[ZN_EIO_SID_LEN + 1];
    char pid[ZN_EIO_SID_LEN + 1];
    bool left_own;
    const char *data; // NULL: {}
    size_t rooms_len; // its own one, the last, too
    const char *rooms[];
};

struct zn_restore {
    struct zn_saved *saved;
    uint64_t from; // the first packet of the log that it may have missed
};

static struct zn_slice saved_key(const void *item)
{
    const struct zn_saved *saved = item;
    return (struct zn_slice){ saved->pid, ZN_EIO_SID_LEN };
}

static struct zn_slice live_key(const void *item)
{
    const struct zn_socket *socket = item;
    return (struct zn_slice){ socket->pid, ZN_EIO_SID_LEN };
}

int zn__recovery_create(struct zn_io *io)
{
    struct zn_recovery *recovery = calloc(1, sizeof(*recovery));
    if (recovery == NULL)
        return -ENOMEM;
    pthread_mutex_init(&recovery->lock, NULL);
    recovery->keep_ms = io->options.recovery_ms;
    zn__table_init(&recovery->saved, saved_key, io->server->secret);
    zn__table_init(&recovery->live, live_key, io->server->secret);
    io->recovery = recovery;
    return 0;
}

// Under the lock.
static void saved_unlink(struct zn_recovery *recovery, struct zn_saved *saved)
{
    zn__table_take(&recovery->saved, saved_key(saved));
    *(saved->older != NULL ? &saved->older->newer : &recovery->oldest) = saved->newer;
    *(saved->newer != NULL ? &saved->newer->older : &recovery->newest) = saved->older;
    recovery->saved_bytes -= saved->size;
}

void zn__recovery_destroy(struct zn_recovery *recovery)
{
    while (recovery->oldest != NULL) {
        struct zn_saved *saved = recovery->oldest;
        saved_unlink(recovery, saved);
        free(saved);
    }
    zn__table_deinit(&recovery->saved);
    zn__table_deinit(&recovery->live);
    pthread_mutex_destroy(&recovery->lock);
    free(recovery);
}

bool zn__restore_trim(struct zn_recovery *recovery, uint64_t now_ms)
{
    while (recovery->oldest != NULL) {
        struct zn_saved *oldest = recovery->oldest;
        if (oldest->since_ms + recovery->keep_ms >= now_ms &&
            recovery->saved_bytes <= ZN_SAVED_BYTES_MAX)
            return true;
        saved_unlink(recovery, oldest);
        free(oldest);
    }
    return false;
}

// Puts it in and lets go of what is too old or too much.
// Under the lock.
static void saved_put(struct zn_recovery *recovery, struct zn_saved *saved, uint64_t now_ms)
{
    if (zn__table_put(&recovery->saved, saved) < 0) {
        free(saved);
        return;
    }
    saved->newer = NULL;
    saved->older = recovery->newest;
    *(saved->older != NULL ? &saved->older->newer : &recovery->oldest) = saved;
    recovery->newest = saved;
    recovery->saved_bytes += saved->size;
    zn__restore_trim(recovery, now_ms);
}

static struct zn_saved *saved_create(const struct zn_socket *socket)
{
    size_t rooms_len = socket->seats_len + (size_t)!socket->left_own;
    size_t data_len = socket->data != NULL ? strlen(socket->data) + 1 : 0;
    size_t size = sizeof(struct zn_saved) + rooms_len * sizeof(char *) + data_len;
    for (uint32_t i = 0; i < socket->seats_len; i++)
        size += socket->seats[i].room->name_len + 1;
    struct zn_saved *saved = calloc(1, size);
    if (saved == NULL)
        return NULL;
    saved->size = size;
    saved->left_own = socket->left_own;
    memcpy(saved->sid, socket->id, sizeof(saved->sid));
    memcpy(saved->pid, socket->pid, sizeof(saved->pid));
    char *at = (char *)&saved->rooms[rooms_len];
    for (uint32_t i = 0; i < socket->seats_len; i++) {
        const struct zn_room *room = socket->seats[i].room;
        memcpy(at, room->name, room->name_len + 1);
        saved->rooms[saved->rooms_len++] = at;
        at += room->name_len + 1;
    }
    if (!socket->left_own)
        saved->rooms[saved->rooms_len++] = saved->sid;
    if (data_len > 0)
        saved->data = memcpy(at, socket->data, data_len);
    return saved;
}

static bool recoverable(const char *reason)
{
    static const char *const reasons[] = {
        "transport error", "transport close",      "forced close",
        "ping timeout",    "server shutting down", "forced server close",
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    }
    return false;
}

void zn__recovery_enter(struct zn_socket *socket)
{
    struct zn_recovery *recovery = zn__socket_shard(socket)->io->recovery;
    pthread_mutex_lock(&recovery->lock);
    // Without memory nobody waits for its end.
    (void)zn__table_put(&recovery->live, socket);
    pthread_mutex_unlock(&recovery->lock);
}

void zn__recovery_save(struct zn_socket *socket, const char *reason)
{
    struct zn_io_shard *shard = zn__socket_shard(socket);
    struct zn_recovery *recovery = shard->io->recovery;
    struct zn_saved *saved = recoverable(reason) ? saved_create(socket) : NULL;
    if (saved != NULL) {
        zn__recovery_trim_later(shard);
        saved->since_ms = shard->reactor->now_ms;
    }
    pthread_mutex_lock(&recovery->lock);
    zn__table_take(&recovery->live, live_key(socket));
    if (saved != NULL)
        saved_put(recovery, saved, saved->since_ms);
    pthread_mutex_unlock(&recovery->lock);
}

// --- Coming back ----------------------------------------------------------------------------

// A string member of the CONNECT payload in out[cap]; its length, or 0.
static size_t auth_string(struct zn_slice auth, struct zn_slice name, char *out, size_t cap)
{
    enum zn_json_kind kind;
    struct zn_slice value;
    if (!zn__json_member(auth, name, &kind, &value) || kind != ZN_JSON_STRING)
        return 0;
    ssize_t len = zn__json_string(value, out, cap);
    return len > 0 ? (size_t)len : 0;
}

// Takes what is saved under the pid, if it is still good and the offset known. Under the lock.
static struct zn_saved *saved_take(struct zn_recovery *recovery, const struct zn_log *log,
                                   struct zn_slice pid, struct zn_slice offset, uint64_t now_ms,
                                   uint64_t *from_out)
{
    struct zn_saved *saved = zn__table_find(&recovery->saved, pid);
    if (saved == NULL)
        return NULL;
    if (saved->since_ms + recovery->keep_ms < now_ms) {
        saved_unlink(recovery, saved);
        free(saved);
        return NULL;
    }
    if (!zn__log_find(log, offset, from_out))
        return NULL;
    saved_unlink(recovery, saved);
    return saved;
}

// The reactor of the namespace's connected socket with this pid. Under the lock.
static unsigned living_on(const struct zn_recovery *recovery, const struct zn_namespace *ns,
                          struct zn_slice pid)
{
    const struct zn_socket *socket = zn__table_find(&recovery->live, pid);
    bool is = socket != NULL && socket->space->ns == ns;
    return is ? socket->space->shard->reactor->index : (unsigned)ZN_THREADS_MAX;
}

struct zn_restore *zn__restore_find(struct zn_space *space, struct zn_slice auth,
                                    unsigned *living_out)
{
    *living_out = ZN_THREADS_MAX;
    struct zn_recovery *recovery = space->shard->io->recovery;
    char pid[ZN_EIO_SID_LEN], offset[ZN_OFFSET_MAX];
    size_t pid_len = auth_string(auth, ZN_SLICE("pid"), pid, sizeof(pid));
    size_t offset_len = auth_string(auth, ZN_SLICE("offset"), offset, sizeof(offset));
    if (pid_len != ZN_EIO_SID_LEN || offset_len == 0)
        return NULL;
    struct zn_restore *restore = calloc(1, sizeof(*restore));
    if (restore == NULL)
        return NULL;
    pthread_mutex_lock(&recovery->lock);
    restore->saved = saved_take(recovery, space->ns->log, (struct zn_slice){ pid, pid_len },
                                (struct zn_slice){ offset, offset_len },
                                space->shard->reactor->now_ms, &restore->from);
    if (restore->saved == NULL)
        *living_out = living_on(recovery, space->ns, (struct zn_slice){ pid, pid_len });
    pthread_mutex_unlock(&recovery->lock);
    if (restore->saved != NULL)
        return restore;
    free(restore);
    return NULL;
}

void zn__restore_apply(const struct zn_restore *restore, struct zn_socket *socket)
{
    const struct zn_saved *saved = restore->saved;
    memcpy(socket->id, saved->sid, sizeof(saved->sid));
    memcpy(socket->pid, saved->pid, sizeof(saved->pid));
    socket->recovered = true;
    socket->left_own = saved->left_own;
    if (saved->data != NULL)
        socket->data = strdup(saved->data);
    for (size_t i = 0; i < saved->rooms_len; i++) {
        if (saved->rooms[i] != saved->sid)
            (void)zn__room_join(socket,
                                (struct zn_slice){ saved->rooms[i], strlen(saved->rooms[i]) });
    }
}

static void send_letter(struct zn_socket *socket, const struct zn_letter *letter)
{
    struct zn_packet packet;
    zn__packet_init(&packet, '4', letter->flags);
    zn__packet_add(&packet, letter->text.p, letter->text.len);
    packet.bin = letter->args.bin;
    packet.bin_len = letter->args.bin_len;
    (void)zn__session_send(socket->session, &packet);
    zn__packet_deinit(&packet);
}

void zn__restore_replay(struct zn_restore *restore, struct zn_socket *socket)
{
    const struct zn_saved *saved = restore->saved;
    struct zn_letter **letters;
    size_t len;
    zn__log_deliver(socket->space); // what comes later reaches the socket as it is sent
    if (zn__log_missed(socket->space, restore->from, saved->rooms, saved->rooms_len, &letters,
                       &len) == 0) {
        for (size_t i = 0; i < len; i++) {
            send_letter(socket, letters[i]);
            zn__letter_drop(letters[i]);
        }
        free(letters);
    }
    zn__restore_free(restore);
}

void zn__restore_return(struct zn_restore *restore, const struct zn_socket *socket)
{
    const struct zn_io_shard *shard = zn__socket_shard(socket);
    struct zn_recovery *recovery = shard->io->recovery;
    pthread_mutex_lock(&recovery->lock);
    saved_put(recovery, restore->saved, shard->reactor->now_ms);
    pthread_mutex_unlock(&recovery->lock);
    free(restore);
}

void zn__restore_free(struct zn_restore *restore)
{
    free(restore->saved);
    free(restore);
}
