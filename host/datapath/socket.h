// SPDX-License-Identifier: Apache-2.0
// What the datapaths over kernel sockets share: listening sockets, the loop's clocks, and the call
// that ends its sleep.
//
// Thread: any.
#ifndef ZN_SOCKET_H
#define ZN_SOCKET_H

#include "datapath.h"

#include <stdatomic.h>

enum {
    ZN_LISTENERS_MAX = 8,                   // of one instance
    ZN_ACCEPT_PAUSE_NS = 100 * 1000 * 1000, // after running out of descriptors
};

// How long a released socket waits for the peer's end of stream, and how much it drops of what
// comes instead: closing it with input unread would make the kernel send a reset, which can
// destroy what the peer has not read yet.
enum {
    ZN_LINGERS_MAX = 1024, // at a time, a power of two; beyond it the oldest are closed
    ZN_LINGER_BYTES = 16 * 1024 * 1024,
    ZN_LINGER_NS = 2 * 1000 * 1000 * 1000,
};

// A non-blocking listening TCP socket; what it accepts inherits TCP_NODELAY. The descriptor, or
// negative errno. *port_out (may be NULL) is the port bound.
int zn__socket_listen(const struct sockaddr *addr, socklen_t addr_len, uint16_t *port_out);

// Errors of accept() that mean that there is no room now, not that this connection is bad.
bool zn__socket_exhausted(int err);

// Closes so that the peer sees a reset.
void zn__socket_reset(int fd);

// epoll wants its sockets non-blocking, io_uring blocking.
void zn__socket_blocking(int fd, bool blocking);

// Closes the socket of a handle that nobody adopts (struct zn_dp_handle).
void zn__socket_drop(struct zn_dp_handle *handle);

// Sets dp->now_ns and dp->wall_ms.
void zn__clock_read(struct zn_dp *dp);
// How long a turn may sleep that has something to do at `until_ns` (UINT64_MAX: nothing).
uint64_t zn__clock_wait(const struct zn_dp *dp, uint64_t until_ns, uint64_t timeout_ns);

// What makes a waiting poll() return: an eventfd, written once until the loop has seen it.
struct zn_waker {
    int fd;
    atomic_bool woken;
};

int zn__waker_init(struct zn_waker *waker); // 0 or negative errno
void zn__waker_deinit(struct zn_waker *waker);
void zn__waker_wake(struct zn_waker *waker);

// The loop has seen it. The counter is not read: the next write makes an edge all the same.
static inline void zn__waker_seen(struct zn_waker *waker)
{
    atomic_exchange(&waker->woken, false);
}

#endif
