// SPDX-License-Identifier: Apache-2.0
// The server for tests of the datapaths. See datapath_rig.h.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <assert.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS_MAX = 128 };

static const uint64_t session_magic = UINT64_C(0x5e5510f5e5510f5e);

// --- certificate

void certificate_write(const char *cert_path, const char *key_path, long serial)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = fopen(cert_path, "w");
    assert_non_null(file);
    PEM_write_X509(file, cert);
    fclose(file);
    file = fopen(key_path, "w");
    assert_non_null(file);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct zn_tls *tls_make(void)
{
    char dir[] = "/tmp/zapnic-test-XXXXXX", cert_path[64], key_path[64], err[256];
    struct zn_tls *tls = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.pem", dir);
    certificate_write(cert_path, key_path, 1);
    assert_int_equal(zn_tls_create(cert_path, key_path, &tls, err), 0);
    assert_int_equal(zn_tls_reload(tls, err), 0);
    unlink(cert_path);
    unlink(key_path);
    rmdir(dir);
    assert_int_equal(zn_tls_reload(tls, err), -EINVAL);
    return tls;
}

// --- server

void rig_open(struct rig *rig, const struct backend *backend, const struct zn_dp_config *config)
{
    *rig = (struct rig){ .backend = backend, .config = *config, .max = EVENTS_MAX };
    rig->config.user_size = sizeof(struct session);
    int err;
    if (backend->tls) {
        rig->tls = tls_make();
        err = zn_dp_tls_open(rig->tls, backend->ops, &rig->config, &rig->dp);
    } else {
        err = backend->ops->open(&rig->config, &rig->dp);
    }
    if (err == -ENOSYS || err == -EPERM) {
        zn_tls_destroy(rig->tls);
        skip();
    }
    assert_int_equal(err, 0);
    rig->address = (struct sockaddr_in){ .sin_family = AF_INET };
    rig->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint16_t port = 0;
    err =
        rig->dp->ops->listen(rig->dp, (struct sockaddr *)&rig->address, sizeof rig->address, &port);
    assert_int_equal(err, 0);
    assert_int_not_equal(port, 0);
    rig->address.sin_port = htons(port);
}

static struct session *session_of(struct rig *rig, struct zn_stream *stream)
{
    struct session *session = zn_stream_user(stream, rig->config.user_size);
    assert_int_equal((uintptr_t)session % 16, 0);
    return session;
}

static void session_add(struct rig *rig, struct zn_stream *stream)
{
    struct session *session = session_of(rig, stream);
    static const struct session zeroes;
    assert_memory_equal(session, &zeroes, sizeof zeroes);
    session->magic = session_magic;
    session->stream = stream;
    session->next = rig->sessions;
    if (rig->sessions)
        rig->sessions->prev = session;
    rig->sessions = session;
    rig->sessions_len++;
    rig->last = session;
}

static void session_unlink(struct rig *rig, struct session *session)
{
    *(session->prev ? &session->prev->next : &rig->sessions) = session->next;
    if (session->next)
        session->next->prev = session->prev;
    rig->sessions_len--;
    if (rig->last == session)
        rig->last = NULL;
    session->magic = 0;
    free(session->later);
}

static bool sends_async(const struct rig *rig)
{
    return rig->dp->ops->caps & ZN_DP_CAP_ASYNC;
}

// What is in flight must stay until GONE, and until the instance is closed at the latest.
static void session_forget(struct rig *rig, struct session *session)
{
    session_unlink(rig, session);
    if (!sends_async(rig) || !session->waiting) {
        free(session->out);
        return;
    }
    session->prev = NULL;
    session->next = rig->ghosts;
    if (rig->ghosts)
        rig->ghosts->prev = session;
    rig->ghosts = session;
}

static void on_gone(struct rig *rig, struct session *session)
{
    assert_int_equal(session->magic, 0);
    assert_true(session->waiting);
    *(session->prev ? &session->prev->next : &rig->ghosts) = session->next;
    if (session->next)
        session->next->prev = session->prev;
    free(session->out);
    rig->gones++;
}

void rig_close(struct rig *rig)
{
    while (rig->sessions)
        session_end(rig, rig->sessions, ZN_END_RESET);
    size_t pinned_len = 0;
    for (struct session *ghost = rig->ghosts; ghost; ghost = ghost->next)
        pinned_len++;
    uint8_t **pinned = calloc(pinned_len + 1, sizeof *pinned);
    for (struct session *ghost = rig->ghosts; ghost; ghost = ghost->next)
        pinned[--pinned_len] = ghost->out;
    rig->dp->ops->close(rig->dp);
    while (pinned[pinned_len])
        free(pinned[pinned_len++]);
    free(pinned);
    free(rig->handle_data);
    zn_tls_destroy(rig->tls);
}

void session_end(struct rig *rig, struct session *session, enum zn_dp_end how)
{
    rig->dp->ops->end(rig->dp, session->stream, how);
    if (how != ZN_END_FIN)
        session_forget(rig, session);
}

static void session_flush(struct rig *rig, struct session *session)
{
    if (session->waiting || session->err)
        return;
    if (!session->out_len && session->later_len) {
        free(session->out);
        session->out = session->later;
        session->out_start = 0;
        session->out_len = session->later_len;
        session->later = NULL;
        session->later_len = 0;
    }
    if (!session->out_len)
        return;
    // Two pieces where it can be two, to have both ways of sending tried.
    uint8_t *bytes = session->out + session->out_start;
    size_t half = session->out_len > 1000 ? session->out_len / 3 : session->out_len;
    struct iovec iov[2] = { { bytes, half }, { bytes + half, session->out_len - half } };
    struct zn_dp_send send = { session->stream, iov, iov[1].iov_len ? 2 : 1, 0 };
    rig->dp->ops->send(rig->dp, &send, 1);
    assert_true(send.taken <= session->out_len);
    session->out_start += send.taken;
    session->out_len -= send.taken;
    session->sent += send.taken;
    session->waiting = session->out_len > 0;
    if (!session->waiting)
        session_flush(rig, session);
}

void session_send(struct rig *rig, struct session *session, const void *data, size_t len)
{
    session->later = realloc(session->later, session->later_len + len);
    memcpy(session->later + session->later_len, data, len);
    session->later_len += len;
    session_flush(rig, session);
}

static void on_recv(struct rig *rig, struct session *session, struct zn_dp_event *event)
{
    size_t recv_max = rig->config.recv_size ? rig->config.recv_size : 65536;
    assert_true(event->len > 0 && event->len <= recv_max);
    assert_int_equal(session->eofs, 0);
    session->recvs++;
    session->received += event->len;
    rig->received += event->len;
    if (rig->answer_bye) {
        session_send(rig, session, "bye", 3);
        if (!session->waiting)
            session_end(rig, session, ZN_END_RELEASE);
        return;
    }
    if (!rig->mute)
        session_send(rig, session, event->data, event->len);
    event->data[0] ^= 1; // it is ours
    event->data[event->len - 1] ^= 1;
}

static void on_sent(struct rig *rig, struct session *session, size_t len)
{
    assert_true(session->waiting);
    assert_true(len <= session->out_len);
    session->sents++;
    session->out_start += len;
    session->out_len -= len;
    session->waiting = sends_async(rig) && session->out_len;
    assert_int_equal(!len, !sends_async(rig));
    session->sent += len;
    if (rig->answer_bye && !session->out_len)
        session_end(rig, session, ZN_END_RELEASE);
    else
        session_flush(rig, session);
}

static void on_event(struct rig *rig, struct zn_dp_event *event)
{
    if (event->type == ZN_DP_ACCEPT || event->type == ZN_DP_ADOPTED) {
        session_add(rig, event->stream);
        if (event->type == ZN_DP_ADOPTED) {
            rig->adoptions++;
            rig->cookie = event->cookie;
            return;
        }
        rig->accepts++;
        assert_non_null(event->peer);
        memcpy(&rig->peer, event->peer, sizeof(struct sockaddr_in));
        return;
    }
    struct session *session = session_of(rig, event->stream);
    if (event->type == ZN_DP_GONE) {
        on_gone(rig, session);
        return;
    }
    assert_int_equal(session->magic, session_magic);
    assert_int_equal(session->err, 0);
    switch (event->type) {
    case ZN_DP_RECV:
        on_recv(rig, session, event);
        break;
    case ZN_DP_SENT:
        on_sent(rig, session, event->len);
        break;
    case ZN_DP_EOF:
        assert_int_equal(session->eofs++, 0);
        if (!rig->keep) {
            rig->ends++;
            session_end(rig, session, ZN_END_RELEASE);
        }
        break;
    case ZN_DP_ERROR:
        assert_true(event->err < 0);
        session->err = event->err;
        rig->errors++;
        if (!rig->keep)
            session_end(rig, session, ZN_END_RELEASE);
        break;
    case ZN_DP_DETACHED:
        rig->detaches++;
        rig->handle = event->handle;
        rig->handle_data_len = event->len;
        free(rig->handle_data);
        rig->handle_data = malloc(event->len + 1);
        if (event->len)
            memcpy(rig->handle_data, event->data, event->len);
        session_forget(rig, session);
        break;
    default:
        fail_msg("event of type %d", event->type);
    }
}

bool rig_in_memory(const struct rig *rig)
{
    return rig->backend->ops == &zn_dp_mem || rig->backend->ops == &zn_dp_mem_async;
}

int rig_turn(struct rig *rig)
{
    struct zn_dp_event events[EVENTS_MAX];
    if (rig_in_memory(rig))
        zn_dp_mem_advance(rig->dp, 1000000);
    int len = rig->dp->ops->poll(rig->dp, events, rig->max, 1000000);
    assert_in_range(len, 0, (int)rig->max);
    for (int i = 0; i < len; i++) {
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(events[i].stream, events[j].stream);
    }
    for (int i = 0; i < len; i++)
        on_event(rig, &events[i]);
    return len;
}

void rig_settle(struct rig *rig)
{
    for (int quiet = 0; quiet < 5;)
        quiet = rig_turn(rig) ? 0 : quiet + 1;
}

// --- tests

static void pattern_fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

uint8_t *pattern_new(size_t len)
{
    uint8_t *bytes = malloc(len);
    pattern_fill(bytes, len, (unsigned)len);
    return bytes;
}

struct backend backends[BACKENDS] = {
    { "mem", &zn_dp_mem, false },        { "mem_async", &zn_dp_mem_async, false },
    { "epoll", &zn_dp_epoll, false },    { "uring", &zn_dp_uring, false },
    { "epoll_tls", &zn_dp_epoll, true }, { "uring_tls", &zn_dp_uring, true },
};

const struct zn_dp_config plain_config = { .streams_max = 100000 };

enum { TESTS_MAX = 256 };

int rig_run(const struct scenario *scenarios, size_t len, int argc, char **argv)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static char names[TESTS_MAX][128];
    assert(len * BACKENDS <= TESTS_MAX);
    for (size_t i = 0; i < len * BACKENDS; i++) {
        const struct scenario *scenario = &scenarios[i % len];
        struct backend *backend = &backends[i / len];
        snprintf(names[i], sizeof names[i], "%s_%s", backend->name, scenario->name);
        tests[i] = (struct CMUnitTest){ names[i], scenario->run, NULL, NULL, backend };
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("datapath", tests, len * BACKENDS, NULL, NULL);
}
