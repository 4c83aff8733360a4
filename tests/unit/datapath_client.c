// SPDX-License-Identifier: Apache-2.0
// Clients for tests of the datapaths. See datapath_rig.h.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static SSL_CTX *client_context(void)
{
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    }
    return context;
}

struct client *client_open(struct rig *rig)
{
    struct client *client = calloc(1, sizeof *client);
    client->rig = rig;
    client->fd = -1;
    if (rig_in_memory(rig)) {
        assert_false(rig->backend->tls);
        client->mem = zn_dp_mem_connect(rig->dp);
        return client;
    }
    static const int on = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&rig->address, sizeof rig->address), 0);
    assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    if (rig->backend->tls) {
        client->ssl = SSL_new(client_context());
        SSL_set_fd(client->ssl, client->fd);
        SSL_set_connect_state(client->ssl);
    }
    return client;
}

static size_t ssl_write(struct client *client, const void *data, size_t len)
{
    size_t done = 0, part;
    ERR_clear_error();
    while (done < len &&
           SSL_write_ex(client->ssl, (const uint8_t *)data + done, len - done, &part) == 1)
        done += part;
    return done;
}

size_t client_write(struct client *client, const void *data, size_t len)
{
    if (client->mem) {
        zn_dp_mem_write(client->mem, data, len);
        return len;
    }
    if (client->ssl) {
        // Handshake and plaintext need the server's turns in between.
        for (int i = 0; !SSL_is_init_finished(client->ssl) && i < 3000; i++) {
            ERR_clear_error();
            SSL_do_handshake(client->ssl);
            rig_turn(client->rig);
        }
        assert_true(SSL_is_init_finished(client->ssl));
        return ssl_write(client, data, len);
    }
    ssize_t done = send(client->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return done > 0 ? (size_t)done : 0;
}

static ssize_t ssl_read(struct client *client, void *buf, size_t cap)
{
    size_t len;
    ERR_clear_error();
    int answer = SSL_read_ex(client->ssl, buf, cap, &len);
    if (answer == 1)
        return (ssize_t)len;
    switch (SSL_get_error(client->ssl, answer)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return -EPIPE;
    default:
        return -ECONNRESET;
    }
}

ssize_t client_read(struct client *client, void *buf, size_t cap)
{
    if (client->mem)
        return zn_dp_mem_read(client->mem, buf, cap);
    if (client->ssl)
        return ssl_read(client, buf, cap);
    ssize_t len = recv(client->fd, buf, cap, MSG_DONTWAIT);
    if (len == 0)
        return -EPIPE;
    if (len < 0)
        return errno == EAGAIN ? 0 : -ECONNRESET; // EPIPE, if the server's end came before it
    return len;
}

void client_fin(struct client *client)
{
    if (client->mem) {
        zn_dp_mem_fin(client->mem);
        return;
    }
    if (client->ssl)
        SSL_shutdown(client->ssl);
    shutdown(client->fd, SHUT_WR);
}

void client_reset(struct client *client)
{
    static const struct linger abort_linger = { .l_onoff = 1 };
    if (client->mem) {
        zn_dp_mem_reset(client->mem);
        return;
    }
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &abort_linger, sizeof abort_linger);
    close(client->fd);
    client->fd = -1;
}

void client_free(struct client *client)
{
    if (client->mem)
        zn_dp_mem_free(client->mem);
    SSL_free(client->ssl);
    if (client->fd >= 0)
        close(client->fd);
    free(client);
}

ssize_t client_expect(struct client *client, void *buf, size_t len)
{
    size_t got = 0;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t end = now.tv_sec + 10; got < len && now.tv_sec <= end;
         clock_gettime(CLOCK_MONOTONIC, &now)) {
        ssize_t part = client_read(client, (uint8_t *)buf + got, len - got);
        if (part < 0)
            return got ? (ssize_t)got : part;
        got += (size_t)part;
        if (!part)
            rig_turn(client->rig);
    }
    return (ssize_t)got;
}

struct client *client_greeted(struct rig *rig)
{
    struct client *client = client_open(rig);
    assert_int_equal(client_write(client, "hi", 2), 2);
    if (rig->mute)
        rig_settle(rig);
    else {
        char buf[2];
        assert_int_equal(client_expect(client, buf, 2), 2);
    }
    return client;
}

void client_expect_text(struct client *client, const char *text)
{
    char buf[256];
    assert_int_equal(client_expect(client, buf, strlen(text)), (ssize_t)strlen(text));
    assert_memory_equal(buf, text, strlen(text));
}

void client_expect_end(struct client *client, ssize_t end)
{
    uint8_t buf[64];
    assert_int_equal(client_expect(client, buf, sizeof buf), end);
}
