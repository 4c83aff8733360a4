// SPDX-License-Identifier: Apache-2.0
// Acknowledgements that clients owe. Each socket has a short list sorted by ack id, so the oldest
// stands first; ids come from a counter of the namespace.
//
// Thread: the socket's reactor.
#ifndef ZN_CORE_ACK_H
#define ZN_CORE_ACK_H

#include "socket.h"

struct zn_survey;

enum { ZN_ACKS_MAX = 65536 }; // a socket

// One answer that is waited for: by a callback with perhaps a deadline of its own, or by a survey
// (a broadcast with acknowledgements).
struct zn_wait {
    uint64_t id;
    struct zn_socket *socket;
    struct zn_survey *survey; // NULL: a callback
    union {
        struct {
            struct zn_timer timer;
            zn_ack_fn fn;
            void *user;
        };
        struct {
            struct zn_wait *next, **link; // in survey->waits
        };
    };
};

struct zn_acks {
    uint32_t len, cap;
    struct zn_wait *at[];
};

// The next ack id of a namespace.
static inline int64_t zn__ack_id(struct zn_namespace *ns)
{
    return (int64_t)atomic_fetch_add_explicit(&ns->ids, 1, memory_order_relaxed);
}

// -ENOBUFS: too many; -ENOMEM.
int zn__ack_wait(struct zn_socket *socket, uint64_t id, struct zn_wait **wait_out);
// `fn` is called once. timeout_ms 0: none.
int zn__ack_expect(struct zn_socket *socket, uint64_t id, zn_ack_fn fn, void *user,
                   uint32_t timeout_ms);
// Forgets a wait without a call; nothing happens when there is none.
void zn__ack_forget(struct zn_socket *socket, uint64_t id);
// Takes a wait out of its socket's list and frees it.
void zn__ack_remove(struct zn_wait *wait);

// An answer came in. Ids that nobody waits for are ignored, as the reference does.
void zn__ack_answer(struct zn_socket *socket, uint64_t id, const struct zn_args *args);
void zn__ack_timeout(struct zn_reactor *reactor, struct zn_timer *timer);

// The socket is gone: all that it owes is called off.
void zn__acks_cancel(struct zn_socket *socket, int err);
// Frees them without calls.
void zn__acks_free(struct zn_socket *socket);

#endif
