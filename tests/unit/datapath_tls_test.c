// SPDX-License-Identifier: Apache-2.0
// What is TLS's own in the TLS datapath: versions, protocols, broken handshakes, reload.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct backend backend = { "epoll", &zn_dp_epoll, true };
static const struct zn_dp_config config = { .streams_max = 1000 };

// A client whose bytes on the wire the test makes itself.
static struct client *client_bare(struct rig *rig)
{
    struct client *client = client_open(rig);
    SSL_free(client->ssl);
    client->ssl = NULL;
    rig_settle(rig);
    assert_int_equal(rig->accepts, 1);
    return client;
}

// Runs the client's handshake with a context of the test's: 1, or what SSL_get_error() says.
static int shake(struct rig *rig, SSL_CTX *context, SSL **ssl_out, int *fd_out)
{
    struct client *client = client_open(rig);
    SSL_free(client->ssl);
    SSL *ssl = SSL_new(context);
    *fd_out = client->fd;
    free(client);
    SSL_set_fd(ssl, *fd_out);
    SSL_set_connect_state(ssl);
    *ssl_out = ssl;
    for (int i = 0; i < 1000; i++) {
        ERR_clear_error();
        int answer = SSL_do_handshake(ssl), err = SSL_get_error(ssl, answer);
        if (answer == 1)
            return 1;
        if (err != SSL_ERROR_WANT_READ)
            return err;
        rig_turn(rig);
    }
    return SSL_ERROR_WANT_READ;
}

static void handshake_of_noise_gives_error_and_alert(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_bare(&rig);
    client_write(client, "\x16\x03\x01\x00\x05hello", 10);
    uint8_t alert[7];
    // RFC 8446, 6: an alert record, fatal.
    assert_int_equal(client_expect(client, alert, 7), 7);
    assert_int_equal(alert[0], 21);
    assert_int_equal(alert[5], 2);
    assert_int_equal(client_expect(client, alert, 1), -EPIPE);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.received, 0);
    client_free(client);
    rig_close(&rig);
}

static void http_without_tls_gives_error(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_bare(&rig);
    client_write(client, "GET / HTTP/1.1\r\n\r\n", 18);
    uint8_t byte;
    assert_int_equal(client_expect(client, &byte, 1), -EPIPE);
    assert_int_equal(rig.errors, 1);
    client_free(client);
    rig_close(&rig);
}

static void handshake_cut_short_gives_error(void **state)
{
    (void)state;
    static const uint8_t hello_head[] = { 22, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3 };
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_bare(&rig);
    client_write(client, hello_head, sizeof hello_head);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 0);
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.sessions_len, 0);
    client_free(client);
    rig_close(&rig);
}

static void handshake_at_every_split_succeeds(void **state)
{
    (void)state;
    struct zn_dp_config small = { .streams_max = 10, .recv_size = 1 };
    struct rig rig;
    rig_open(&rig, &backend, &small);
    struct client *client = client_open(&rig);
    assert_int_equal(client_write(client, "split", 5), 5);
    char buf[5];
    assert_int_equal(client_expect(client, buf, 5), 5);
    assert_memory_equal(buf, "split", 5);
    client_free(client);
    rig_close(&rig);
}

static void send_before_handshake_waits_for_it(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_open(&rig);
    rig_settle(&rig);
    session_send(&rig, rig.last, "early", 5);
    assert_true(rig.last->waiting);
    char buf[5];
    assert_int_equal(client_expect(client, buf, 5), 5);
    assert_memory_equal(buf, "early", 5);
    client_free(client);
    rig_close(&rig);
}

static void version_below_1_2_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    SSL *ssl;
    int fd;
    rig_open(&rig, &backend, &config);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    assert_int_equal(shake(&rig, context, &ssl, &fd), SSL_ERROR_SSL);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    assert_int_equal(shake(&rig, context, &ssl, &fd), 1);
    // RFC 5746 renegotiation begun by the client is not answered with a new handshake.
    assert_int_equal(SSL_renegotiate(ssl), 1);
    SSL_do_handshake(ssl);
    rig_settle(&rig);
    uint8_t byte;
    assert_true(SSL_read(ssl, &byte, 1) <= 0);
    assert_int_equal(SSL_num_renegotiations(ssl), 1); // the one that was asked for, unanswered
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    rig_settle(&rig);
    rig_close(&rig);
}

static void protocol_http1_is_chosen_and_others_refused(void **state)
{
    (void)state;
    struct rig rig;
    SSL *ssl;
    int fd;
    const unsigned char *chosen;
    unsigned chosen_len;
    rig_open(&rig, &backend, &config);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(shake(&rig, context, &ssl, &fd), 1); // none offered
    SSL_free(ssl);
    close(fd);
    SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    assert_int_equal(shake(&rig, context, &ssl, &fd), 1);
    SSL_get0_alpn_selected(ssl, &chosen, &chosen_len);
    assert_int_equal(chosen_len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2", 3);
    assert_int_equal(shake(&rig, context, &ssl, &fd), SSL_ERROR_SSL);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    rig_settle(&rig);
    rig_close(&rig);
}

static void record_corrupted_gives_error(void **state)
{
    (void)state;
    static const uint8_t forged[] = { 23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8,
                                      9,  1, 2, 3, 4,  5, 6, 7, 8, 9, 0, 1 };
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_open(&rig);
    char buf[2];
    assert_int_equal(client_write(client, "ok", 2), 2);
    assert_int_equal(client_expect(client, buf, 2), 2);
    assert_int_equal(send(client->fd, forged, sizeof forged, 0), sizeof forged);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.received, 2);
    client_free(client);
    rig_close(&rig);
}

static void bytes_behind_close_notify_are_dropped(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &backend, &config);
    rig.keep = true;
    struct client *client = client_open(&rig);
    char buf[2];
    assert_int_equal(client_write(client, "ok", 2), 2);
    assert_int_equal(client_expect(client, buf, 2), 2);
    SSL_shutdown(client->ssl);
    assert_int_equal(send(client->fd, "more", 4, 0), 4);
    rig_settle(&rig);
    assert_int_equal(rig.last->eofs, 1);
    assert_int_equal(rig.received, 2);
    assert_int_equal(rig.errors, 0);
    client_free(client);
    rig_close(&rig);
}

// A client may ask for new keys as often as it likes, without reading the answers.
static void key_update_flood_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &backend, &config);
    struct client *client = client_open(&rig);
    char buf[2];
    assert_int_equal(client_write(client, "ok", 2), 2);
    assert_int_equal(client_expect(client, buf, 2), 2);
    rig.mute = true;
    for (int i = 0; i < 200000 && !rig.errors; i++) {
        if (SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
            SSL_write(client->ssl, "x", 1) <= 0)
            break;
        if (i % 64 == 0)
            rig_turn(&rig);
    }
    rig_settle(&rig);
    client_free(client);
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    rig_close(&rig);
}

static long served_serial(struct rig *rig)
{
    SSL *ssl;
    int fd;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(shake(rig, context, &ssl, &fd), 1);
    X509 *cert = SSL_get1_peer_certificate(ssl);
    assert_non_null(cert);
    long serial = ASN1_INTEGER_get(X509_get0_serialNumber(cert));
    X509_free(cert);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return serial;
}

static void reload_serves_the_new_certificate_and_keeps_connections(void **state)
{
    (void)state;
    char dir[] = "/tmp/zapnic-test-XXXXXX", cert_path[64], key_path[64], err[256] = "";
    struct rig rig;
    assert_non_null(mkdtemp(dir));
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.pem", dir);
    certificate_write(cert_path, key_path, 5);
    struct zn_tls *tls;
    assert_int_equal(zn_tls_create(cert_path, key_path, &tls, err), 0);
    rig_open(&rig, &backend, &config);
    rig.dp->ops->close(rig.dp);
    assert_int_equal(zn_dp_tls_open(tls, backend.ops, &rig.config, &rig.dp), 0);
    uint16_t port;
    rig.address.sin_port = 0;
    assert_int_equal(
        rig.dp->ops->listen(rig.dp, (struct sockaddr *)&rig.address, sizeof rig.address, &port), 0);
    rig.address.sin_port = htons(port);
    assert_int_equal(served_serial(&rig), 5);
    struct client *client = client_open(&rig);
    char buf[2];
    assert_int_equal(client_write(client, "ok", 2), 2);
    assert_int_equal(client_expect(client, buf, 2), 2);

    certificate_write(cert_path, key_path, 6);
    assert_int_equal(zn_tls_reload(tls, err), 0);
    assert_int_equal(served_serial(&rig), 6);
    assert_int_equal(client_write(client, "ok", 2), 2);
    assert_int_equal(client_expect(client, buf, 2), 2);

    // A pair that does not fit leaves the old one in use.
    char other[64];
    snprintf(other, sizeof other, "%s/other.pem", dir);
    certificate_write(cert_path, other, 7);
    assert_int_equal(zn_tls_reload(tls, err), -EINVAL);
    assert_non_null(strstr(err, "key.pem"));
    assert_int_equal(served_serial(&rig), 6);
    unlink(other);
    unlink(cert_path);
    unlink(key_path);
    rmdir(dir);
    client_free(client);
    zn_tls_destroy(tls); // the instance still holds it
    rig_close(&rig);
}

static void create_with_bad_files_says_which(void **state)
{
    (void)state;
    struct zn_tls *tls;
    char err[256] = "";
    assert_int_equal(zn_tls_create("/nonexistent/cert", "/nonexistent/key", &tls, err), -EINVAL);
    assert_non_null(strstr(err, "/nonexistent/cert"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_of_noise_gives_error_and_alert),
        cmocka_unit_test(http_without_tls_gives_error),
        cmocka_unit_test(handshake_cut_short_gives_error),
        cmocka_unit_test(handshake_at_every_split_succeeds),
        cmocka_unit_test(send_before_handshake_waits_for_it),
        cmocka_unit_test(version_below_1_2_is_refused),
        cmocka_unit_test(protocol_http1_is_chosen_and_others_refused),
        cmocka_unit_test(record_corrupted_gives_error),
        cmocka_unit_test(bytes_behind_close_notify_are_dropped),
        cmocka_unit_test(key_update_flood_is_bounded),
        cmocka_unit_test(reload_serves_the_new_certificate_and_keeps_connections),
        cmocka_unit_test(create_with_bad_files_says_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
