// SPDX-License-Identifier: Apache-2.0
// The parts of the TLS datapath: its context (tls_context.c), ciphertext on its way out
// (tls_out.c), records and handshake (tls_record.c), and the table's operations (tls.c).
//
// A TLS stream stands in the inner stream's user bytes, behind the caller's:
//     caller's user bytes | struct zn_stream of TLS | struct zn_stream of the inner datapath
//
// Thread: the instance's, but for struct zn_tls, which is locked.
#ifndef ZN_TLS_H
#define ZN_TLS_H

#include "datapath.h"

#include <openssl/ssl.h>

enum {
    ZN_TLS_EVENTS_MAX = 256,        // inner events of one turn
    ZN_TLS_RECORD_MAX = 16384,      // RFC 8446, 5.1: plaintext of one record
    ZN_TLS_TAKE_MAX = 4 * 16384,    // plaintext taken from one stream by one send()
    ZN_TLS_OUT_MAX = 256 * 1024,    // ciphertext queued on one stream; more breaks it
    ZN_TLS_AREA_SIZE = 1024 * 1024, // plaintext of one turn
    ZN_TLS_CLASSES = 4,
    ZN_TLS_IOV_MAX = 4,
};

// Ciphertext of one stream, from pools by size.
struct zn_tls_out {
    struct zn_tls_out *next;
    uint32_t start, len, cap;
    uint32_t class;
    uint8_t data[];
};

enum zn_tls_flag {
    ZN_TLS_LISTED = 1 << 0, // in a queue
    ZN_TLS_ESTABLISHED = 1 << 1,
    ZN_TLS_PAUSED = 1 << 2,   // want(false)
    ZN_TLS_HELD = 1 << 3,     // the inner stream is stopped
    ZN_TLS_EOF_DUE = 1 << 4,  // the peer's end was seen; EOF follows the last plaintext
    ZN_TLS_EOF_SEEN = 1 << 5, // and was reported
    ZN_TLS_BLOCKED = 1 << 6,  // SENT is due when the ciphertext is out
    ZN_TLS_SENT_DUE = 1 << 7,
    ZN_TLS_SENDING = 1 << 8, // the inner datapath owes a SENT
    ZN_TLS_BROKEN = 1 << 9,
    ZN_TLS_REPORTED = 1 << 10, // that it is broken
    ZN_TLS_LEAVING = 1 << 11,
    ZN_TLS_FINISHING = 1 << 12, // FIN follows when the ciphertext is out
    ZN_TLS_CLOSING = 1 << 13,   // RELEASE follows when the ciphertext is out
    ZN_TLS_DEAD = 1 << 14,
    ZN_TLS_MUTE = 1 << 15,     // no close_notify any more: sent already, or it broke
    ZN_TLS_DIRTY = 1 << 16,    // in the dirty list
    ZN_TLS_GONE_DUE = 1 << 17, // ended, but the inner datapath still sends from `out`
};

// A place in a circular list.
struct zn_tls_link {
    struct zn_tls_link *next, *prev;
};

struct zn_stream {
    SSL *ssl;
    struct zn_tls_link all;       // in dp->all
    struct zn_tls_link queue;     // in dp->pending or dp->closing
    struct zn_tls_out *out;       // ciphertext to send, oldest first
    struct zn_tls_spill *spill;   // ciphertext that came when there was no room for its plaintext
    struct zn_tls_travel *travel; // while leaving
    uint32_t flight;              // bytes of `out` that the inner datapath was given
    uint32_t flags;
    uint32_t stamp; // turn of the last event; of a closing stream: when it has to be over, in ms
    uint16_t err;
};

// What goes along in zn_dp_handle.state.
struct zn_tls_travel {
    void (*inner_drop)(struct zn_dp_handle *handle);
    SSL *ssl;
    struct zn_tls_spill *spill;
    void *cookie;
    struct zn_tls_link link; // in dp->arriving
};

struct zn_tls_spill {
    size_t start, len, cap;
    uint8_t data[];
};

struct zn_tls_dp {
    struct zn_dp base;
    struct zn_dp *inner;
    struct zn_tls *tls;
    size_t user_room; // of the caller's bytes, a multiple of 16
    size_t recv_size;
    uint32_t turn;
    struct zn_tls_link all;      // every stream
    struct zn_tls_link pending;  // streams with something to report
    struct zn_tls_link closing;  // released streams with ciphertext left, oldest first
    struct zn_tls_link arriving; // handles that the inner datapath has not announced yet
    // What the BIO reads from and appends to during a call of OpenSSL.
    const uint8_t *in;
    size_t in_len;
    struct zn_stream *current;
    uint8_t *area;
    size_t area_used;
    struct zn_tls_out *spare[ZN_TLS_CLASSES];
    unsigned spare_len[ZN_TLS_CLASSES];
    struct zn_stream *dirty[2 * ZN_TLS_EVENTS_MAX]; // with ciphertext to send at the turn's end
    unsigned dirty_len;
    struct zn_dp_event events[ZN_TLS_EVENTS_MAX];
    uint8_t gather[ZN_TLS_RECORD_MAX];
};

// --- tls_context.c

// One more user of `tls`, and one less: the last frees it.
void zn__tls_hold(struct zn_tls *tls);
void zn__tls_drop(struct zn_tls *tls);

// A server connection with the newest certificate, or NULL.
SSL *zn__tls_new(struct zn_tls *tls);

// --- tls_out.c

// Queues `len` bytes on the stream. -ENOMEM or -ENOBUFS: not queued.
int zn__tls_out_append(struct zn_tls_dp *dp, struct zn_stream *stream, const void *data,
                       size_t len);

// Sends what the streams have queued, in one inner burst where they are many.
void zn__tls_out_flush(struct zn_tls_dp *dp, struct zn_stream *const *streams, unsigned len);

// An inner SENT event.
void zn__tls_out_sent(struct zn_tls_dp *dp, struct zn_stream *stream, size_t len);

// Frees all that is queued on the stream, and what the pools keep.
void zn__tls_out_clear(struct zn_tls_dp *dp, struct zn_stream *stream);
void zn__tls_out_deinit(struct zn_tls_dp *dp);

// --- tls_record.c

// The connection of a new stream, or that of an adopted one with its BIO turned to this instance.
int zn__tls_start(struct zn_tls_dp *dp, struct zn_stream *stream);
int zn__tls_turn_to(struct zn_tls_dp *dp, SSL *ssl);

// Works through ciphertext: handshake, then plaintext into the area. Returns the plaintext's
// length, at *plain_out. What there is no room for stays in the stream's spill. Failures and the
// end of the connection show in the stream's flags.
size_t zn__tls_input(struct zn_tls_dp *dp, struct zn_stream *stream, const uint8_t *data,
                     size_t len, uint8_t **plain_out);

// Encrypts from the iovecs, up to ZN_TLS_TAKE_MAX; returns how much.
size_t zn__tls_output(struct zn_tls_dp *dp, struct zn_stream *stream, const struct iovec *iov,
                      unsigned iov_len);

// Queues the close_notify alert (RFC 8446, 6.1), if the connection can still carry one.
void zn__tls_notify(struct zn_tls_dp *dp, struct zn_stream *stream);

// Appends ciphertext that cannot be worked on now. -ENOMEM.
int zn__tls_spill(struct zn_stream *stream, const uint8_t *data, size_t len);

// --- tls_stream.c

void zn__tls_unlist(struct zn_stream *stream);

// There is something to tell the caller of; puts the stream in the pending list if so.
bool zn__tls_due(const struct zn_stream *stream);
void zn__tls_list_due(struct zn_tls_dp *dp, struct zn_stream *stream);

// Makes one event of what is due, beginning with `len` bytes of ciphertext that came. False: there
// is nothing to tell.
bool zn__tls_event(struct zn_tls_dp *dp, struct zn_stream *stream, const uint8_t *data, size_t len,
                   struct zn_dp_event *event);

// Stops and restarts the inner stream, which stands still while its bytes could only pile up here.
void zn__tls_update_hold(struct zn_tls_dp *dp, struct zn_stream *stream);

// Frees all but the ciphertext that the inner datapath still sends from; and ends the inner stream
// before.
void zn__tls_free(struct zn_tls_dp *dp, struct zn_stream *stream);
void zn__tls_end(struct zn_tls_dp *dp, struct zn_stream *stream, enum zn_dp_end how);

// Does what has waited for the ciphertext to be out, if it is; and tries to get it out before.
void zn__tls_settle(struct zn_tls_dp *dp, struct zn_stream *stream);
void zn__tls_flush(struct zn_tls_dp *dp, struct zn_stream *stream);

// Has the stream's ciphertext sent with that of others, by zn__tls_dirty_flush().
void zn__tls_dirty(struct zn_tls_dp *dp, struct zn_stream *stream);
void zn__tls_dirty_flush(struct zn_tls_dp *dp);

// --- in place

static inline void zn__tls_break(struct zn_stream *stream, int err)
{
    if (stream->flags & ZN_TLS_BROKEN)
        return;
    stream->flags |= ZN_TLS_BROKEN | ZN_TLS_MUTE;
    stream->err = (uint16_t)err;
}

static inline void zn__tls_list_init(struct zn_tls_link *list)
{
    list->next = list->prev = list;
}

static inline bool zn__tls_list_empty(const struct zn_tls_link *list)
{
    return list->next == list;
}

static inline void zn__tls_list_append(struct zn_tls_link *list, struct zn_tls_link *link)
{
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

static inline void zn__tls_list_remove(struct zn_tls_link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

static inline struct zn_stream *zn__tls_of_queue(struct zn_tls_link *link)
{
    return (struct zn_stream *)((char *)link - offsetof(struct zn_stream, queue));
}

static inline struct zn_stream *zn__tls_inner(struct zn_stream *stream)
{
    return (struct zn_stream *)((char *)stream + ((sizeof *stream + 15) & ~(size_t)15));
}

static inline struct zn_stream *zn__tls_outer(struct zn_stream *inner)
{
    return (struct zn_stream *)((char *)inner - ((sizeof *inner + 15) & ~(size_t)15));
}

#endif
