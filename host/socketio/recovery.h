// SPDX-License-Identifier: Apache-2.0
// Connection state recovery: a client that comes back within recovery_ms gets its socket's id,
// rooms and data back, and what it missed first of all.
//
// Every event without ack id that is not volatile goes into its namespace's log, under an offset
// that the client gets as its last argument. With several reactors the log is also how events
// reach them: each reactor delivers in the log's order, so the last offset that a client saw says
// exactly what it has. Log and saved sessions are bounded in time and bytes.
//
// A client may be back before the reactor that had it has read the end of its old connection: then
// it waits until that reactor has (connect.c). If the old connection turns out to live on, the
// client gets nothing of it.
//
// Thread: any reactor; the lock is held for moments, never while anything is sent.
#ifndef ZN_CORE_RECOVERY_H
#define ZN_CORE_RECOVERY_H

#include "letter.h"
#include "socket.h"

enum {
    ZN_LOG_BYTES_MAX = 64 << 20,   // a namespace
    ZN_SAVED_BYTES_MAX = 64 << 20, // all that is saved of sockets
};

struct zn_saved;

struct zn_recovery {
    pthread_mutex_t lock;
    uint64_t keep_ms;
    uint64_t stamp_ms; // of the last offset
    uint32_t stamp_seq;
    struct zn_table live;  // connected sockets by pid
    struct zn_table saved; // by pid
    struct zn_saved *oldest, *newest;
    size_t saved_bytes;
};

// Packets first .. end - 1 stand in ring[i & (cap - 1)]. Guarded by the lock.
struct zn_log {
    struct zn_letter **ring;
    size_t cap; // power of two, or 0
    uint64_t first, end;
    size_t bytes;
    atomic_bool woken[ZN_THREADS_MAX]; // a mail is on its way to that reactor
};

int zn__recovery_create(struct zn_io *io);
void zn__recovery_destroy(struct zn_recovery *recovery);

// Lets go of what is too old: arms the shard's timer, or does it now.
void zn__recovery_trim_later(struct zn_io_shard *shard);
void zn__recovery_trim(struct zn_io_shard *shard);
// Of the saved sockets; says whether any is left. Under the lock.
bool zn__restore_trim(struct zn_recovery *recovery, uint64_t now_ms);

int zn__log_create(struct zn_log **log_out);
void zn__log_destroy(struct zn_log *log);
uint64_t zn__log_end(struct zn_log *log, struct zn_recovery *recovery);
// Delivers to this reactor's sockets what the log has and they have not.
void zn__log_deliver(struct zn_space *space);
// Looks an offset up: the number of the packet after it. False: not in the log. Under the lock.
bool zn__log_find(const struct zn_log *log, struct zn_slice offset, uint64_t *after_out);
// Packets from number `from` up to what this reactor has delivered, that were meant for somebody
// in these rooms. References in a malloc'ed array; -ENOMEM.
int zn__log_missed(struct zn_space *space, uint64_t from, const char *const *rooms,
                   size_t rooms_len, struct zn_letter ***letters_out, size_t *len_out);

int zn__recovery_broadcast(struct zn_io_shard *shard, const struct zn_target *target,
                           const struct zn_message *message);
int zn__recovery_emit(struct zn_socket *socket, const struct zn_message *message);

// The socket is connected: its pid can be asked for.
void zn__recovery_enter(struct zn_socket *socket);
// The socket ends: keeps what it takes to come back if the reason allows it.
void zn__recovery_save(struct zn_socket *socket, const char *reason);

// What is on its way back to a client, taken out of what is saved.
struct zn_restore;
// From the CONNECT payload; NULL: nothing to recover. Then *living_out tells the reactor on which
// the socket of that pid is still connected, ZN_THREADS_MAX: on none.
struct zn_restore *zn__restore_find(struct zn_space *space, struct zn_slice auth,
                                    unsigned *living_out);
// Gives a pending socket its id, rooms and data.
void zn__restore_apply(const struct zn_restore *restore, struct zn_socket *socket);
// Sends what was missed; frees.
void zn__restore_replay(struct zn_restore *restore, struct zn_socket *socket);
// The client went away again before it was connected: saved once more; frees.
void zn__restore_return(struct zn_restore *restore, const struct zn_socket *socket);
void zn__restore_free(struct zn_restore *restore);

#endif
