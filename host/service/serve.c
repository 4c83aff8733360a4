// SPDX-License-Identifier: Apache-2.0
// `zapnic serve`: settings to server, signals to the server's own calls, and the way down.
#include "serve.h"

#include "demo.h"
#include "log.h"
#include "nic.h"
#include "settings.h"
#include "signals.h"

#include <zapnic/zapnic.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct serve {
    struct zn_settings settings;
    struct zn_log log;
    struct zn_server *server;
    struct zn_demo *demo;
    uint16_t port;
};

static int complain(const char *what)
{
    fprintf(stderr, "zapnic serve: %s\n", what);
    return 1;
}

static void print_help(void)
{
    fputs("usage: zapnic serve [flags]\n\n"
          "Runs a Socket.IO server with chat rooms and serves a page for them at /.\n"
          "Every flag is also a line `name = value` of the --config file and an environment\n"
          "variable: --ping-interval is ZAPNIC_PING_INTERVAL. Flags win over the environment,\n"
          "and that over the file. Numbers may end in k, m or g (1024).\n\n",
          stdout);
    zn__settings_help(stdout);
    fputs("\nSIGTERM and SIGINT stop in an orderly way, SIGHUP reads the certificate again.\n",
          stdout);
}

// Every connection is a descriptor; the soft limit is usually far below what is allowed.
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool uses_nic(const struct zn_settings *s)
{
    return strcmp(zn__settings_datapaths[s->datapath], "dpdk") == 0;
}

// Where the server is reached: its NIC's first address, the one that it listens on, or this
// machine.
static const char *host_of(const struct zn_settings *s, char host[64])
{
    const char *address = uses_nic(s) ? s->address : s->host;
    if (address == NULL || strcmp(address, "::") == 0 || strcmp(address, "0.0.0.0") == 0)
        return "localhost";
    snprintf(host, 64, "%.*s", (int)strcspn(address, ","), address);
    return host;
}

static void on_ready(struct zn_server *server, void *user)
{
    struct serve *serve = user;
    const struct zn_settings *s = &serve->settings;
    char buffer[64];
    const char *host = host_of(s, buffer);
    bool v6 = strchr(host, ':') != NULL;
    const char *datapath = zn_server_datapath(server);
    int threads = (int)zn_server_threads(server);
    char url[160], text[200];

    snprintf(url, sizeof url, "http%s://%s%s%s:%u", s->cert != NULL ? "s" : "", v6 ? "[" : "", host,
             v6 ? "]" : "", serve->port);
    if (serve->log.format == ZN_LOG_JSON) {
        zn__log_pack(&serve->log, ZN_LOG_INFO, "listening", "{s:s,s:s,s:i,s:s}", "url", url,
                     "datapath", datapath, "threads", threads, "version", zn_version());
        return;
    }
    snprintf(text, sizeof text, "listening on %s", url);
    zn__log_pack(&serve->log, ZN_LOG_INFO, text, "{s:s,s:i,s:s}", "datapath", datapath, "threads",
                 threads, "version", zn_version());
}

static struct zn_server_options server_options(struct serve *serve)
{
    const struct zn_settings *s = &serve->settings;

    return (struct zn_server_options){
        .threads = (unsigned)s->threads,
        .datapath = zn__settings_datapaths[s->datapath],
        .cert_path = s->cert,
        .key_path = s->key,
        .connections_max = (unsigned)s->connections,
        .buffer_max = (size_t)s->buffer,
        .unfinished_max = (size_t)s->unfinished,
        .overflow = (enum zn_overflow)s->overflow,
        .http_body_max = (size_t)s->max_payload,
        .log = zn__log_event,
        .log_user = &serve->log,
        .ready = on_ready,
        .ready_user = serve,
    };
}

static struct zn_io_options io_options(const struct zn_settings *s)
{
    return (struct zn_io_options){
        .engine = {
            .path = s->path,
            .ping_interval_ms = (uint32_t)s->ping_interval_ms,
            .ping_timeout_ms = (uint32_t)s->ping_timeout_ms,
            .upgrade_timeout_ms = (uint32_t)s->upgrade_timeout_ms,
            .max_payload = (size_t)s->max_payload,
            .cors = {
                .origins = (const char *const *)s->cors_origin.list,
                .origins_len = s->cors_origin.len,
                .credentials = s->cors_credentials,
                .check_upgrades = s->cors_upgrades,
            },
            .deflate = { .enabled = s->deflate },
        },
        .connect_timeout_ms = (uint32_t)s->connect_timeout_ms,
        .recovery_ms = (uint32_t)s->recovery_ms,
    };
}

static void on_connection(struct zn_socket *socket, void *user)
{
    struct zn_handshake handshake;

    zn_socket_handshake(socket, &handshake);
    zn__log_pack(user, ZN_LOG_DEBUG, "connected", "{s:s,s:s,s:i,s:s,s:b}", "id",
                 zn_socket_id(socket), "address", handshake.address, "port", (int)handshake.port,
                 "transport", zn_socket_transport(socket), "recovered",
                 (int)zn_socket_recovered(socket));
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    zn__log_pack(user, ZN_LOG_DEBUG, "disconnected", "{s:s,s:s}", "id", zn_socket_id(socket),
                 "reason", reason);
}

// The namespace that everybody joins, with its comings and goings in the log.
static int set_up_io(struct serve *serve)
{
    struct zn_io_options io = io_options(&serve->settings);
    int err = zn_io(serve->server, &io);
    struct zn_namespace *root = err == 0 ? zn_of(serve->server, "/") : NULL;

    if (root == NULL)
        return err < 0 ? err : -ENOMEM;
    if (serve->settings.log_level >= ZN_LOG_DEBUG) {
        zn_on_connection(root, on_connection, &serve->log);
        zn_on_disconnect(root, on_disconnect, &serve->log);
    }
    return serve->settings.demo ? zn__demo_create(serve->server, serve->settings.path, &serve->demo)
                                : 0;
}

static int create_failed(const struct zn_settings *s, int err)
{
    char what[600];

    if (s->cert != NULL)
        snprintf(what, sizeof what,
                 "cannot start: %s; is %.200s a readable PEM certificate and %.200s its key?",
                 strerror(-err), s->cert, s->key);
    else
        snprintf(what, sizeof what, "cannot start: %s; --datapath epoll works on every Linux",
                 strerror(-err));
    return complain(what);
}

static int listen_failed(const struct zn_settings *s, int err)
{
    const char *host = s->host != NULL ? s->host : "*";
    char what[400];

    if (err == -EADDRINUSE)
        snprintf(what, sizeof what,
                 "port %u is in use; stop what uses it, or choose another with --port",
                 (unsigned)s->port);
    else if (err == -EACCES || err == -EPERM)
        snprintf(what, sizeof what,
                 "port %u needs more rights; choose one from 1024 up with --port",
                 (unsigned)s->port);
    else if (s->host != NULL && (err == -EADDRNOTAVAIL || err == -EINVAL))
        snprintf(what, sizeof what, "--host: %.80s is no address of this machine; see `ip address`",
                 host);
    else
        snprintf(what, sizeof what, "cannot listen on %.80s port %u: %s", host, (unsigned)s->port,
                 strerror(-err));
    return complain(what);
}

static void on_signal(enum zn_signal signal, void *user)
{
    struct serve *serve = user;

    if (signal == ZN_SIGNAL_STOP) {
        zn__log_pack(&serve->log, ZN_LOG_INFO, "stopping", "{s:I}", "drain_ms",
                     (long long)serve->settings.drain_ms);
        zn_server_stop(serve->server, (uint32_t)serve->settings.drain_ms);
        return;
    }
    if (serve->settings.cert == NULL)
        return;
    // The server logs why it could not; the old certificate stays.
    if (zn_server_reload(serve->server) == 0)
        zn__log_pack(&serve->log, ZN_LOG_INFO, "tls_reloaded", "{s:s}", "cert",
                     serve->settings.cert);
}

static int run(struct serve *serve)
{
    const struct zn_settings *s = &serve->settings;
    struct zn_signals signals;
    int err = zn_server_listen(serve->server, s->host, (uint16_t)s->port, &serve->port);

    if (err < 0)
        return listen_failed(s, err);
    err = zn__signals_start(&signals, on_signal, serve);
    if (err < 0)
        return complain("cannot start a thread for signals; is the limit of processes reached?");
    err = zn_server_run(serve->server);
    zn__signals_stop(&signals);
    if (err < 0) {
        zn__log_pack(&serve->log, ZN_LOG_ERROR, "stopped", "{s:s}", "reason", strerror(-err));
        return 1;
    }
    zn__log_pack(&serve->log, ZN_LOG_INFO, "stopped", "{}");
    return 0;
}

static int set_up_and_run(struct serve *serve)
{
    struct zn_server_options server = server_options(serve);
    int err = zn_server_create(&server, &serve->server);
    int status = 1;

    if (err < 0)
        return create_failed(&serve->settings, err);
    err = set_up_io(serve);
    if (err < 0)
        complain(strerror(-err));
    else
        status = run(serve);
    zn_server_destroy(serve->server);
    zn__demo_destroy(serve->demo);
    return status;
}

// Splits off what stands behind `--`: returns how many arguments stand before it.
static int own_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return i;
    return argc;
}

// One device a thread, and one thread unless told otherwise.
static int open_nic(struct zn_settings *s, int argc, char **argv, char err[ZN_SETTINGS_ERR])
{
    if (s->threads == 0)
        s->threads = 1;
    return zn__nic_open(s, argc, argv, err);
}

int zn__serve(int argc, char **argv)
{
    int own = own_arguments(argc, argv);
    int theirs = argc > own ? argc - own - 1 : 0;
    static struct serve serve;
    char err[ZN_SETTINGS_ERR] = "no memory";
    int status = 2;

    zn__signals_block(); // DPDK makes threads
    if (zn__settings_init(&serve.settings) < 0 ||
        zn__settings_load(&serve.settings, own, argv, err) < 0) {
        complain(err);
    } else if (serve.settings.help) {
        print_help();
        status = 0;
    } else if (uses_nic(&serve.settings) &&
               open_nic(&serve.settings, theirs, argv + own + 1, err) < 0) {
        complain(err);
        status = 1;
    } else {
        zn__log_init(&serve.log, stdout, (enum zn_log_level)serve.settings.log_level,
                     (enum zn_log_format)serve.settings.log_format);
        raise_descriptor_limit();
        status = set_up_and_run(&serve);
    }
    zn__settings_deinit(&serve.settings);
    return status;
}
