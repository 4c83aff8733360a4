// SPDX-License-Identifier: Apache-2.0
// Certificates and keys of the TLS datapath, and their reload.
//
// Thread: any; the lock is held for pointer swaps only.
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 256 };

struct zn_tls {
    pthread_mutex_t lock;
    SSL_CTX *context;
    atomic_uint users; // the creator and each instance
    char *cert_path;
    char *key_path;
};

static const unsigned char alpn_http1[] = "\x08http/1.1";

// RFC 7301, 3.2: no protocol in common is fatal.
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)ssl;
    (void)context;
    unsigned char *chosen;
    int found = SSL_select_next_proto(&chosen, out_len, alpn_http1, sizeof alpn_http1 - 1, offered,
                                      offered_len);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Without this OpenSSL would ask for an encrypted key's password on the terminal.
static int no_password(char *buf, int size, int writing, void *context)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static int explain(const char *what, const char *path, char err_out[REASON_SIZE])
{
    char reason[128] = "unknown";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof reason);
    snprintf(err_out, REASON_SIZE, "%s %.80s: %s", what, path, reason);
    ERR_clear_error();
    return -EINVAL;
}

static int context_load(SSL_CTX *context, const char *cert_path, const char *key_path,
                        char err_out[REASON_SIZE])
{
    if (SSL_CTX_use_certificate_chain_file(context, cert_path) != 1)
        return explain("certificate", cert_path, err_out);
    if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1)
        return explain("key", key_path, err_out);
    if (SSL_CTX_check_private_key(context) != 1)
        return explain("key does not fit the certificate:", key_path, err_out);
    return 0;
}

static int context_create(const char *cert_path, const char *key_path, SSL_CTX **context_out,
                          char err_out[REASON_SIZE])
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return explain("TLS", "", err_out);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Tickets carry the sessions; a cache on our side would only grow.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    int err = context_load(context, cert_path, key_path, err_out);
    if (err) {
        SSL_CTX_free(context);
        return err;
    }
    *context_out = context;
    return 0;
}

int zn_tls_create(const char *cert_path, const char *key_path, struct zn_tls **tls_out,
                  char err_out[REASON_SIZE])
{
    SSL_CTX *context;
    int err = context_create(cert_path, key_path, &context, err_out);
    if (err)
        return err;
    struct zn_tls *tls = calloc(1, sizeof *tls);
    if (tls) {
        tls->cert_path = strdup(cert_path);
        tls->key_path = strdup(key_path);
    }
    if (!tls || !tls->cert_path || !tls->key_path) {
        snprintf(err_out, REASON_SIZE, "TLS: out of memory");
        if (tls) {
            free(tls->cert_path);
            free(tls->key_path);
        }
        free(tls);
        SSL_CTX_free(context);
        return -EINVAL;
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->context = context;
    tls->users = 1;
    *tls_out = tls;
    return 0;
}

int zn_tls_reload(struct zn_tls *tls, char err_out[REASON_SIZE])
{
    SSL_CTX *context;
    int err = context_create(tls->cert_path, tls->key_path, &context, err_out);
    if (err)
        return err;
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = context;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return 0;
}

void zn__tls_hold(struct zn_tls *tls)
{
    atomic_fetch_add(&tls->users, 1);
}

void zn__tls_drop(struct zn_tls *tls)
{
    if (atomic_fetch_sub(&tls->users, 1) != 1)
        return;
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    free(tls->cert_path);
    free(tls->key_path);
    free(tls);
}

void zn_tls_destroy(struct zn_tls *tls)
{
    if (tls)
        zn__tls_drop(tls);
}

SSL *zn__tls_new(struct zn_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->context;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->lock);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    return ssl;
}
