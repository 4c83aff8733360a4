// SPDX-License-Identifier: Apache-2.0
// The epoll loop and the sockets of the load generator. What the bytes mean is in conn.c. See
// client.h.
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"

enum {
    BUFFER_LEN = 512 * 1024,
    EVENTS_MAX = 512,
    OPENING_MAX = 128, // connections under way at once while opening many
    CONNS_PER_ADDRESS = 20000,
    OUT_MAX = 64 * 1024 * 1024
};

int client_init(struct client *cl, size_t conns, uint16_t port, bool sio, uint64_t seed)
{
    struct rlimit files = { conns + 64, conns + 64 };
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < files.rlim_cur) {
        if (files.rlim_max < now.rlim_max)
            files.rlim_max = now.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            return -errno;
    }
    *cl =
        (struct client){ .sio = sio, .seed = seed, .conn_count = conns, .buffer_len = BUFFER_LEN };
    cl->path = sio ? "/socket.io/?EIO=4&transport=websocket" : "/ws";
    cl->server.sin_family = AF_INET;
    cl->server.sin_port = htons(port);
    cl->server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cl->conns = calloc(conns ? conns : 1, sizeof(*cl->conns));
    cl->buffer = malloc(BUFFER_LEN);
    cl->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (!cl->conns || !cl->buffer || cl->epfd < 0) {
        client_deinit(cl);
        return -ENOMEM;
    }
    for (size_t i = 0; i < conns; i++)
        cl->conns[i].fd = -1;
    return 0;
}

void client_deinit(struct client *cl)
{
    for (size_t i = 0; cl->conns && i < cl->conn_count; i++) {
        conn_reset(cl, &cl->conns[i]);
        free(cl->conns[i].out);
        free(cl->conns[i].http);
        free(cl->conns[i].sent_ns);
    }
    free(cl->conns);
    free(cl->buffer);
    if (cl->epfd >= 0)
        close(cl->epfd);
    *cl = (struct client){ .epfd = -1 };
}

// Spreads connections over loopback source addresses, as one address has only some 28,000 ports.
static int bind_source(struct client *cl, struct conn *c, int fd)
{
    uint32_t block = (uint32_t)((size_t)(c - cl->conns) / CONNS_PER_ADDRESS);
    if (block == 0)
        return 0;
    struct sockaddr_in source = { .sin_family = AF_INET };
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + block);
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    return bind(fd, (struct sockaddr *)&source, sizeof(source));
}

int client_open(struct client *cl, struct conn *c)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind_source(cl, c, fd) != 0)
        goto fail;
    c->opened_ns = clock_ns();
    if (connect(fd, (struct sockaddr *)&cl->server, sizeof(cl->server)) != 0 &&
        errno != EINPROGRESS)
        goto fail;
    struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    if (epoll_ctl(cl->epfd, EPOLL_CTL_ADD, fd, &ev) != 0)
        goto fail;
    c->fd = fd;
    c->state = CONN_CONNECTING;
    c->want_write = true;
    c->stalled = false;
    c->http_len = 0;
    c->out_len = 0;
    c->owed = 0;
    c->seen = 0;
    c->parser = (struct frame_parser){ 0 };
    return 0;
fail:;
    int err = errno;
    close(fd);
    return -err;
}

static void arm(struct client *cl, struct conn *c, bool write)
{
    if (c->want_write == write)
        return;
    uint32_t events = (c->stalled ? 0u : (uint32_t)EPOLLIN) | (write ? (uint32_t)EPOLLOUT : 0u);
    struct epoll_event ev = { .events = events, .data.ptr = c };
    epoll_ctl(cl->epfd, EPOLL_CTL_MOD, c->fd, &ev);
    c->want_write = write;
}

void conn_stall(struct client *cl, struct conn *c)
{
    struct epoll_event ev = { .events = c->want_write ? (uint32_t)EPOLLOUT : 0u, .data.ptr = c };
    c->stalled = true;
    epoll_ctl(cl->epfd, EPOLL_CTL_MOD, c->fd, &ev);
}

void conn_reset(struct client *cl, struct conn *c)
{
    if (c->fd < 0)
        return;
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(c->fd);
    if (c->state == CONN_READY)
        cl->ready_count--;
    c->fd = -1;
    c->state = CONN_IDLE;
}

void conn_fail(struct client *cl, struct conn *c, const char *why)
{
    if (c->fd < 0)
        return;
    conn_reset(cl, c);
    cl->closed_count++;
    cl->last_error = why;
    if (cl->on.on_closed)
        cl->on.on_closed(cl, c);
}

// Keeps bytes that the kernel did not take.
static int keep(struct conn *c, const uint8_t *data, size_t len)
{
    if (len > OUT_MAX || c->out_len > OUT_MAX - len)
        return -ENOBUFS;
    if (c->out_len + len > c->out_cap) {
        size_t cap = (c->out_len + len) * 2;
        uint8_t *out = realloc(c->out, cap);
        if (!out)
            return -ENOMEM;
        c->out = out;
        c->out_cap = cap;
    }
    memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
    return 0;
}

void conn_send(struct client *cl, struct conn *c, const uint8_t *data, size_t len)
{
    if (c->fd < 0)
        return;
    size_t taken = 0;
    if (c->out_len == 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            conn_fail(cl, c, "send failed");
            return;
        }
        taken = n > 0 ? (size_t)n : 0;
    }
    if (taken == len)
        return;
    if (keep(c, data + taken, len - taken) != 0)
        conn_fail(cl, c, "server takes no data");
    else
        arm(cl, c, true);
}

static void flush(struct client *cl, struct conn *c)
{
    if (c->out_len > 0) {
        ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            conn_fail(cl, c, "send failed");
            return;
        }
        if (n > 0) {
            memmove(c->out, c->out + n, c->out_len - (size_t)n);
            c->out_len -= (size_t)n;
        }
    }
    arm(cl, c, c->out_len > 0);
}

static void handle_readable(struct client *cl, struct conn *c)
{
    ssize_t n = recv(c->fd, cl->buffer, cl->buffer_len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_fail(cl, c, n == 0 ? "closed by the server" : "reset by the server");
        return;
    }
    cl->read_ns = clock_ns();
    conn_receive(cl, c, cl->buffer, (size_t)n);
    if (c->fd >= 0 && cl->on.on_read_done)
        cl->on.on_read_done(cl, c);
}

static void handle_event(struct client *cl, const struct epoll_event *ev)
{
    struct conn *c = ev->data.ptr;
    if (c->fd < 0)
        return;
    if (c->state == CONN_CONNECTING && (ev->events & (EPOLLOUT | EPOLLERR)) != 0) {
        int err = 0;
        socklen_t len = sizeof(err);
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
        if (err != 0) {
            conn_fail(cl, c, "connect failed");
            return;
        }
        conn_start(cl, c);
    }
    if (c->fd >= 0 && (ev->events & EPOLLOUT) != 0)
        flush(cl, c);
    if (c->fd >= 0 && c->stalled && (ev->events & (EPOLLERR | EPOLLHUP)) != 0)
        conn_fail(cl, c, "stalled reader dropped by the server");
    if (c->fd >= 0 && !c->stalled && (ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        handle_readable(cl, c);
}

int client_poll(struct client *cl, uint64_t timeout_ns)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec timeout = { (time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S) };
    int n = epoll_pwait2(cl->epfd, events, EVENTS_MAX, &timeout, NULL);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++)
        handle_event(cl, &events[i]);
    return 0;
}

int client_open_range(struct client *cl, size_t from, size_t to, uint64_t timeout_ns)
{
    size_t next = from;
    size_t base = cl->ready_count;
    uint64_t failed = cl->closed_count;
    uint64_t progress_ns = clock_ns();
    while (cl->ready_count - base < to - from) {
        size_t ready = cl->ready_count;
        while (next < to && next - from - (ready - base) < OPENING_MAX) {
            int rc = client_open(cl, &cl->conns[next++]);
            if (rc != 0)
                return rc;
        }
        int rc = client_poll(cl, 100 * NS_PER_MS);
        if (rc != 0)
            return rc;
        if (cl->closed_count != failed)
            return -ECONNABORTED;
        if (cl->ready_count != ready)
            progress_ns = clock_ns();
        else if (clock_ns() - progress_ns > timeout_ns)
            return -ETIMEDOUT;
    }
    return 0;
}
