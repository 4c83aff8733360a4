// SPDX-License-Identifier: Apache-2.0
// TLS records: what goes through OpenSSL. Its BIO reads from the bytes of the inner RECV event in
// place and appends to the stream's output; the BIO belongs to the instance, and `dp->current`
// says whose turn it is, so that a stream holds nothing but its SSL.
//
// Thread: the instance's.
#include "tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int bio_read(BIO *bio, char *buf, size_t cap, size_t *len_out)
{
    struct zn_tls_dp *dp = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *len_out = 0;
    if (!dp->in_len) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t len = dp->in_len < cap ? dp->in_len : cap;
    memcpy(buf, dp->in, len);
    dp->in += len;
    dp->in_len -= len;
    *len_out = len;
    return 1;
}

static int bio_write(BIO *bio, const char *buf, size_t len, size_t *len_out)
{
    struct zn_tls_dp *dp = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *len_out = 0;
    int err = zn__tls_out_append(dp, dp->current, buf, len);
    if (err) {
        zn__tls_break(dp->current, -err);
        return 0;
    }
    *len_out = len;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; // nothing is kept back
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void bio_forget(void)
{
    BIO_meth_free(bio_method);
}

static void bio_make(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "zapnic");
    if (!bio_method)
        return;
    BIO_meth_set_read_ex(bio_method, bio_read);
    BIO_meth_set_write_ex(bio_method, bio_write);
    BIO_meth_set_ctrl(bio_method, bio_control);
    atexit(bio_forget);
}

int zn__tls_turn_to(struct zn_tls_dp *dp, SSL *ssl)
{
    pthread_once(&bio_once, bio_make);
    BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
    if (!bio)
        return -ENOMEM;
    BIO_set_data(bio, dp);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return 0;
}

int zn__tls_start(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    ERR_clear_error();
    SSL *ssl = zn__tls_new(dp->tls);
    if (!ssl)
        return -ENOMEM;
    if (zn__tls_turn_to(dp, ssl)) {
        SSL_free(ssl);
        return -ENOMEM;
    }
    SSL_set_accept_state(ssl);
    stream->ssl = ssl;
    return 0;
}

int zn__tls_spill(struct zn_stream *stream, const uint8_t *data, size_t len)
{
    struct zn_tls_spill *spill = stream->spill;
    if (!len)
        return 0;
    size_t kept = spill ? spill->len : 0;
    if (!spill || spill->start + kept + len > spill->cap) {
        struct zn_tls_spill *grown = malloc(sizeof *grown + kept + len);
        if (!grown)
            return -ENOMEM;
        *grown = (struct zn_tls_spill){ .len = kept, .cap = kept + len };
        if (spill)
            memcpy(grown->data, spill->data + spill->start, kept);
        free(spill);
        stream->spill = spill = grown;
    }
    memcpy(spill->data + spill->start + kept, data, len);
    spill->len += len;
    return 0;
}

// What OpenSSL's answer means for the stream.
static void judge(struct zn_stream *stream, int answer)
{
    switch (SSL_get_error(stream->ssl, answer)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_ZERO_RETURN:
        stream->flags |= ZN_TLS_EOF_DUE;
        break;
    default:
        zn__tls_break(stream, EPROTO);
        ERR_clear_error();
    }
}

static bool handshake(struct zn_stream *stream)
{
    if (stream->flags & ZN_TLS_ESTABLISHED)
        return true;
    int answer = SSL_do_handshake(stream->ssl);
    if (answer != 1) {
        judge(stream, answer);
        return false;
    }
    stream->flags |= ZN_TLS_ESTABLISHED;
    if (stream->flags & ZN_TLS_BLOCKED)
        stream->flags |= ZN_TLS_SENT_DUE;
    return true;
}

static size_t read_plaintext(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    size_t room = ZN_TLS_AREA_SIZE - dp->area_used;
    size_t cap = dp->recv_size < room ? dp->recv_size : room;
    size_t total = 0;
    while (total < cap) {
        size_t len = 0;
        int answer = SSL_read_ex(stream->ssl, dp->area + dp->area_used + total, cap - total, &len);
        if (answer != 1) {
            judge(stream, answer);
            break;
        }
        total += len;
    }
    return total;
}

size_t zn__tls_input(struct zn_tls_dp *dp, struct zn_stream *stream, const uint8_t *data,
                     size_t len, uint8_t **plain_out)
{
    struct zn_tls_spill *spill = stream->spill;
    if (spill && len && zn__tls_spill(stream, data, len)) {
        zn__tls_break(stream, ENOMEM);
        return 0;
    }
    spill = stream->spill;
    dp->in = spill ? spill->data + spill->start : data;
    dp->in_len = spill ? spill->len : len;
    dp->current = stream;
    ERR_clear_error();
    size_t plain_len = handshake(stream) ? read_plaintext(dp, stream) : 0;
    if (stream->flags & ZN_TLS_BROKEN || SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN)
        dp->in_len = 0; // nothing behind an alert counts
    if (spill) {
        spill->start += spill->len - dp->in_len;
        spill->len = dp->in_len;
        if (!spill->len) {
            free(spill);
            stream->spill = NULL;
        }
    } else if (zn__tls_spill(stream, dp->in, dp->in_len)) {
        zn__tls_break(stream, ENOMEM);
    }
    *plain_out = dp->area + dp->area_used;
    dp->area_used += (plain_len + 63) & ~(size_t)63;
    return plain_len;
}

// True: all of it is queued, if perhaps the stream broke over it.
static bool encrypt(struct zn_tls_dp *dp, struct zn_stream *stream, const void *data, size_t len)
{
    size_t written;
    dp->current = stream;
    dp->in_len = 0;
    ERR_clear_error();
    int answer = SSL_write_ex(stream->ssl, data, len, &written);
    if (answer == 1)
        return true;
    zn__tls_break(stream, EPROTO);
    ERR_clear_error();
    return false;
}

size_t zn__tls_output(struct zn_tls_dp *dp, struct zn_stream *stream, const struct iovec *iov,
                      unsigned iov_len)
{
    size_t taken = 0, gathered = 0;
    for (unsigned i = 0; i < iov_len && taken + gathered < ZN_TLS_TAKE_MAX; i++) {
        const uint8_t *bytes = iov[i].iov_base;
        size_t len = iov[i].iov_len;
        if (len > ZN_TLS_TAKE_MAX - taken - gathered)
            len = ZN_TLS_TAKE_MAX - taken - gathered;
        while (len) {
            // Whole records go from where they stand; the rest is gathered into full ones.
            bool whole = !gathered && len >= ZN_TLS_RECORD_MAX;
            size_t room = ZN_TLS_RECORD_MAX - gathered;
            size_t part = len < room ? len : room;
            if (!whole)
                memcpy(dp->gather + gathered, bytes, part);
            gathered += part;
            bytes += part;
            len -= part;
            if (gathered < ZN_TLS_RECORD_MAX)
                continue;
            if (!encrypt(dp, stream, whole ? bytes - part : dp->gather, gathered))
                return taken;
            taken += gathered;
            gathered = 0;
        }
    }
    if (gathered && encrypt(dp, stream, dp->gather, gathered))
        taken += gathered;
    return taken;
}

void zn__tls_notify(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_TLS_MUTE || !(stream->flags & ZN_TLS_ESTABLISHED))
        return;
    stream->flags |= ZN_TLS_MUTE;
    dp->current = stream;
    dp->in_len = 0;
    ERR_clear_error();
    SSL_shutdown(stream->ssl);
    ERR_clear_error();
}
