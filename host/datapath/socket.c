// SPDX-License-Identifier: Apache-2.0
// Kernel sockets and clocks. See socket.h.
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static int port_of(int fd, uint16_t *port_out)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return -errno;
    if (addr.ss_family == AF_INET)
        *port_out = ntohs(((struct sockaddr_in *)&addr)->sin_port);
    else if (addr.ss_family == AF_INET6)
        *port_out = ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    else
        *port_out = 0;
    return 0;
}

int zn__socket_listen(const struct sockaddr *addr, socklen_t addr_len, uint16_t *port_out)
{
    static const int on = 1;
    int err = 0;
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        bind(fd, addr, addr_len) < 0 || listen(fd, BACKLOG) < 0)
        err = -errno;
    else if (port_out)
        err = port_of(fd, port_out);
    if (!err)
        return fd;
    close(fd);
    return err;
}

bool zn__socket_exhausted(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

void zn__socket_reset(int fd)
{
    static const struct linger abort_linger = { .l_onoff = 1 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_linger, sizeof abort_linger);
    close(fd);
}

void zn__socket_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (flags >= 0 && wanted != flags)
        fcntl(fd, F_SETFL, wanted);
}

void zn__socket_drop(struct zn_dp_handle *handle)
{
    close(handle->fd);
}

void zn__clock_read(struct zn_dp *dp)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    dp->now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    clock_gettime(CLOCK_REALTIME, &now);
    dp->wall_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t zn__clock_wait(const struct zn_dp *dp, uint64_t until_ns, uint64_t timeout_ns)
{
    if (until_ns == UINT64_MAX)
        return timeout_ns;
    uint64_t left = until_ns > dp->now_ns ? until_ns - dp->now_ns : 0;
    return left < timeout_ns ? left : timeout_ns;
}

int zn__waker_init(struct zn_waker *waker)
{
    atomic_init(&waker->woken, false);
    waker->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return waker->fd < 0 ? -errno : 0;
}

void zn__waker_deinit(struct zn_waker *waker)
{
    close(waker->fd);
}

void zn__waker_wake(struct zn_waker *waker)
{
    static const uint64_t one = 1;
    if (atomic_exchange(&waker->woken, true))
        return;
    while (write(waker->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}
