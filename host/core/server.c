// SPDX-License-Identifier: Apache-2.0
// See server.h and zapnic.h: the server's life.
#include "server.h"

#include "conn.h"
#include "engine.h"
#include "static.h"

#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#ifndef ZN_VERSION
#define ZN_VERSION "0.1.0"
#endif

enum { MAIL_MAX = 65536 };

const char *zn_version(void)
{
    return ZN_VERSION;
}

unsigned zn_server_threads(const struct zn_server *server)
{
    return server->threads;
}

const char *zn_server_datapath(const struct zn_server *server)
{
    return server->dp_ops->name;
}

// --- Creation -----------------------------------------------------------------------------------

// 1 GiB, or a quarter of a small machine's memory.
static size_t unfinished_default(void)
{
    const size_t most = (size_t)1 << 30;
    size_t pages = (size_t)sysconf(_SC_PHYS_PAGES);
    size_t quarter = pages / 4 * (size_t)sysconf(_SC_PAGESIZE);
    return quarter < most ? quarter : most;
}

static void options_defaults(struct zn_server_options *options)
{
    if (options->threads == 0)
        options->threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    if (options->threads > ZN_THREADS_MAX)
        options->threads = ZN_THREADS_MAX;
    if (options->connections_max == 0)
        options->connections_max = 1000000;
    if (options->buffer_max == 0)
        options->buffer_max = 4u << 20;
    if (options->header_timeout_ms == 0)
        options->header_timeout_ms = 10000;
    if (options->idle_timeout_ms == 0)
        options->idle_timeout_ms = 5000;
    if (options->close_timeout_ms == 0)
        options->close_timeout_ms = 1000;
    if (options->message_timeout_ms == 0)
        options->message_timeout_ms = 30000;
    if (options->unfinished_max == 0)
        options->unfinished_max = unfinished_default();
}

static void timers_connect(struct zn_server *server)
{
    server->on_timer[ZN_TIMER_CONN] = zn__conn_timer;
    server->on_timer[ZN_TIMER_SESSION] = zn__session_timer;
    server->on_timer[ZN_TIMER_ALARM] = zn__alarm_fire;
    server->on_timer[ZN_TIMER_RETRY] = zn__reactor_retry;
    server->on_timer[ZN_TIMER_STOP] = zn__reactor_stop_due;
}

static int tls_open(struct zn_server *server)
{
    const struct zn_server_options *options = &server->options;
    if (options->cert_path == NULL && options->key_path == NULL)
        return 0;
    if (options->cert_path == NULL || options->key_path == NULL) {
        zn__log(server, ZN_LOG_ERROR, "tls_needs_certificate_and_key", "%s", "");
        return -EINVAL;
    }
    char reason[256] = "";
    int err = zn_tls_create(options->cert_path, options->key_path, &server->tls, reason);
    if (err < 0)
        zn__log_text(server, ZN_LOG_ERROR, "tls_failed", reason);
    return err;
}

int zn__server_create(const struct zn_server_options *options, const struct zn_dp_ops *dp_ops,
                      struct zn_server **server_out)
{
    struct zn_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->options = *options;
    options_defaults(&server->options);
    server->threads = server->options.threads;
    server->mail_max = MAIL_MAX;
    server->dp_ops = dp_ops;
    timers_connect(server);
    int err = getrandom(server->secret, sizeof(server->secret), 0) < 0 ? -EIO : tls_open(server);
    if (err == 0) {
        size_t size = server->threads * sizeof(*server->reactors);
        server->reactors = calloc(1, size);
        err = server->reactors == NULL ? -ENOMEM : 0;
    }
    for (unsigned i = 0; err == 0 && i < server->threads; i++)
        err = zn__reactor_init(&server->reactors[i], server, i);
    if (err < 0) {
        zn_server_destroy(server);
        return err;
    }
    *server_out = server;
    return 0;
}

int zn_server_create(const struct zn_server_options *options, struct zn_server **server_out)
{
    static const struct zn_server_options defaults;
    if (options == NULL)
        options = &defaults;
    const struct zn_dp_ops *dp_ops =
        zn_dp_find(options->datapath != NULL ? options->datapath : "auto");
    if (dp_ops == NULL)
        return -EINVAL;
    return zn__server_create(options, dp_ops, server_out);
}

static void route_destroy(struct zn_route *route)
{
    if (route->kind == ZN_ROUTE_ENGINE)
        zn__engine_destroy(route->engine);
    else if (route->kind == ZN_ROUTE_WS)
        zn__endpoint_destroy(route->ws);
    else
        zn__static_destroy(route->file);
}

void zn_server_destroy(struct zn_server *server)
{
    if (server == NULL)
        return;
    for (unsigned i = 0; server->reactors != NULL && i < server->threads; i++)
        if (server->reactors[i].server != NULL)
            zn__reactor_deinit(&server->reactors[i]);
    for (unsigned i = 0; i < server->listeners_len; i++)
        if (server->listeners[i].fd >= 0)
            close(server->listeners[i].fd);
    if (server->io != NULL)
        zn__io_destroy(server->io);
    for (unsigned i = 0; i < server->routes_len; i++)
        route_destroy(&server->routes[i]);
    if (server->tls != NULL)
        zn_tls_destroy(server->tls);
    free(server->reactors);
    free(server);
}

// --- Listeners ----------------------------------------------------------------------------------

// Binds without listening: it checks the address, fixes the port, and keeps it for the reactors.
static int listener_reserve(struct zn_server *server, const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int one = 1;
    int zero = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    struct zn_listener *listener = &server->listeners[server->listeners_len];
    listener->addr_len = sizeof(listener->addr);
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 ||
        getsockname(fd, (struct sockaddr *)&listener->addr, &listener->addr_len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    listener->fd = fd;
    server->listeners_len++;
    return 0;
}

static uint16_t listener_port(const struct zn_listener *listener)
{
    const struct sockaddr_in *in = (const void *)&listener->addr;
    return ntohs(in->sin_port); // sin6_port has the same place
}

// Whether somebody else listens there: SO_REUSEPORT would share the port with them silently.
static bool port_taken(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bool taken = bind(fd, info->ai_addr, info->ai_addrlen) < 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

int zn_server_listen(struct zn_server *server, const char *host, uint16_t port, uint16_t *port_out)
{
    if (server->listeners_len == ZN_LISTENERS_MAX)
        return -ENOSPC;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = { .ai_family = host == NULL ? AF_INET6 : AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    int err = getaddrinfo(host, service, &hints, &list) == 0 ? 0 : -EADDRNOTAVAIL;
    if (err == 0)
        err = port != 0 && port_taken(list) ? -EADDRINUSE : listener_reserve(server, list);
    if (list != NULL)
        freeaddrinfo(list);
    if (err == -EAFNOSUPPORT && host == NULL) // no IPv6 here
        return zn_server_listen(server, "0.0.0.0", port, port_out);
    if (err == 0 && port_out != NULL)
        *port_out = listener_port(&server->listeners[server->listeners_len - 1]);
    return err;
}

static int reactor_listen(struct zn_reactor *reactor)
{
    const struct zn_server *server = reactor->server;
    for (unsigned i = 0; i < server->listeners_len; i++) {
        uint16_t port;
        int err = reactor->dp->ops->listen(reactor->dp,
                                           (const struct sockaddr *)&server->listeners[i].addr,
                                           server->listeners[i].addr_len, &port);
        if (err < 0)
            return err;
    }
    return 0;
}

// --- Running ------------------------------------------------------------------------------------

int zn__server_start(struct zn_reactor *reactor)
{
    int err = zn__reactor_open(reactor);
    if (err == 0 && reactor->server->io != NULL)
        err = zn__io_shard_create(reactor->server->io, reactor, &reactor->io);
    return err;
}

void zn__server_end(struct zn_reactor *reactor)
{
    reactor->stopping = true;
    zn__conn_end_all(reactor);
    zn__session_stop_all(reactor);
    zn__session_reap(reactor);
    if (reactor->io != NULL)
        zn__io_shard_destroy(reactor->io);
    reactor->io = NULL;
    zn__reactor_close(reactor);
}

static void *reactor_main(void *arg)
{
    struct zn_reactor *reactor = arg;
    struct zn_server *server = reactor->server;
    zn__reactor_enter(reactor);
    int err = zn__server_start(reactor);
    if (err < 0)
        atomic_store(&server->start_error, err);
    pthread_barrier_wait(&server->barrier); // everybody can be woken now
    if (atomic_load(&server->start_error) == 0) {
        err = reactor_listen(reactor);
        if (err < 0)
            atomic_store(&server->start_error, err);
    }
    if (reactor->index == 0 && atomic_load(&server->start_error) == 0)
        atomic_store(&server->running, true); // before any loop can sleep
    pthread_barrier_wait(&server->barrier);   // everybody listens
    if (atomic_load(&server->start_error) == 0) {
        if (reactor->index == 0 && server->options.ready != NULL)
            server->options.ready(server, server->options.ready_user);
        zn__reactor_run(reactor);
    }
    if (reactor->index == 0) {
        // Whoever is inside zn_server_stop() may still look at the datapaths.
        atomic_store(&server->running, false);
        while (atomic_load(&server->stoppers) > 0)
            sched_yield();
    }
    pthread_barrier_wait(&server->barrier); // nobody sends mail any more
    zn__server_end(reactor);
    return NULL;
}

int zn_server_run(struct zn_server *server)
{
    pthread_t threads[ZN_THREADS_MAX];
    pthread_barrier_init(&server->barrier, NULL, server->threads);
    for (unsigned i = 1; i < server->threads; i++)
        if (pthread_create(&threads[i], NULL, reactor_main, &server->reactors[i]) != 0)
            abort(); // the barrier could never open
    reactor_main(&server->reactors[0]);
    for (unsigned i = 1; i < server->threads; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&server->barrier);
    return atomic_load(&server->start_error);
}

// Safe in a signal handler.
void zn_server_stop(struct zn_server *server, uint32_t drain_ms)
{
    atomic_store(&server->drain_ms, drain_ms);
    atomic_store(&server->stop_asked, true);
    atomic_fetch_add(&server->stoppers, 1);
    // Before `running` the loops look before they sleep. Looked at once: the first loop that this
    // wakes may end and clear it while the others still sleep; the datapaths stay until stoppers
    // is 0.
    bool running = atomic_load(&server->running);
    for (unsigned i = 0; running && i < server->threads; i++) {
        struct zn_dp *dp = server->reactors[i].dp;
        dp->ops->wake(dp);
    }
    atomic_fetch_sub(&server->stoppers, 1);
}

int zn_server_reload(struct zn_server *server)
{
    if (server->tls == NULL)
        return 0;
    char reason[256] = "";
    int err = zn_tls_reload(server->tls, reason);
    if (err < 0)
        zn__log_text(server, ZN_LOG_ERROR, "tls_reload_failed", reason);
    return err;
}

// --- Work from outside, alarms ------------------------------------------------------------------

struct post_mail {
    struct zn_mail mail;
    void (*fn)(void *arg);
    void *arg;
};

static void post_drop(struct zn_mail *mail)
{
    free(mail);
}

static void post_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    (void)reactor;
    struct post_mail *post = (struct post_mail *)mail;
    post->fn(post->arg);
    free(post);
}

int zn_post(struct zn_server *server, unsigned thread, void (*fn)(void *arg), void *arg)
{
    if (thread >= server->threads)
        return -EINVAL;
    struct post_mail *post = malloc(sizeof(*post));
    if (post == NULL)
        return -ENOMEM;
    *post = (struct post_mail){ { .run = post_run, .drop = post_drop }, fn, arg };
    int err = zn__reactor_post(&server->reactors[thread], &post->mail);
    if (err < 0)
        free(post);
    return err;
}

struct zn_alarm {
    struct zn_timer timer;
    struct zn_reactor *reactor;
    struct zn_alarm *next, *prev;
    void (*fn)(void *arg);
    void *arg;
};

static void alarm_free(struct zn_alarm *alarm)
{
    if (alarm->prev != NULL)
        alarm->prev->next = alarm->next;
    else
        alarm->reactor->alarms = alarm->next;
    if (alarm->next != NULL)
        alarm->next->prev = alarm->prev;
    free(alarm);
}

struct zn_alarm *zn_after(struct zn_server *server, uint32_t ms, void (*fn)(void *arg), void *arg)
{
    struct zn_reactor *reactor = zn__reactor_self();
    if (reactor == NULL || reactor->server != server)
        return NULL;
    struct zn_alarm *alarm = calloc(1, sizeof(*alarm));
    if (alarm == NULL)
        return NULL;
    alarm->reactor = reactor;
    alarm->fn = fn;
    alarm->arg = arg;
    alarm->next = reactor->alarms;
    if (alarm->next != NULL)
        alarm->next->prev = alarm;
    reactor->alarms = alarm;
    zn__reactor_timer(reactor, &alarm->timer, ZN_TIMER_ALARM, ms);
    return alarm;
}

void zn_cancel(struct zn_alarm *alarm)
{
    if (alarm == NULL)
        return;
    zn__reactor_untimer(alarm->reactor, &alarm->timer);
    alarm_free(alarm);
}

void zn__alarm_fire(struct zn_reactor *reactor, struct zn_timer *timer)
{
    (void)reactor;
    struct zn_alarm *alarm = (struct zn_alarm *)((char *)timer - offsetof(struct zn_alarm, timer));
    void (*fn)(void *arg) = alarm->fn;
    void *arg = alarm->arg;
    alarm_free(alarm);
    fn(arg);
}

uint64_t zn_now_ms(struct zn_server *server)
{
    struct zn_reactor *reactor = zn__reactor_self();
    if (reactor != NULL && reactor->server == server)
        return reactor->wall_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// --- Counters -----------------------------------------------------------------------------------

void zn_server_stats(struct zn_server *server, struct zn_stats *out)
{
    *out = (struct zn_stats){ 0 };
#define SUM(field)                                                                                 \
    out->field += (uint64_t)atomic_load_explicit(&counters->field, memory_order_relaxed)
    for (unsigned i = 0; i < server->threads; i++) {
        const struct zn_counters *counters = &server->reactors[i].counters;
        SUM(connections_now);
        SUM(sessions_now);
        SUM(sockets_now);
        SUM(websockets_now);
        SUM(connections);
        SUM(handshakes);
        SUM(upgrades);
        SUM(messages_in);
        SUM(messages_out);
        SUM(bytes_in);
        SUM(bytes_out);
        SUM(dropped_volatile);
        SUM(dropped_overflow);
        SUM(overflow_disconnects);
        SUM(rejected_http);
        SUM(rejected_ws);
        SUM(rejected_eio);
        SUM(rejected_sio);
        SUM(ping_timeouts);
        SUM(pongs_offloaded);
        SUM(buffered_now);
        SUM(mail_dropped);
        SUM(unfinished_now);
        SUM(unfinished_refused);
    }
#undef SUM
}
