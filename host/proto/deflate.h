// SPDX-License-Identifier: Apache-2.0
// RFC 7692 permessage-deflate: negotiation of the parameters, and the message
// transforms over zlib streams that the caller owns and lends.
//
// Thread: pure functions; a struct is used by one thread at a time.
#ifndef ZN_PROTO_DEFLATE_H
#define ZN_PROTO_DEFLATE_H

#include "http1.h"
#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

// What the server wants and allows.
struct zn_deflate_config {
    bool enabled;
    bool server_no_context_takeover; // always answer with it: one encoding serves a broadcast
    bool client_no_context_takeover; // ask the client for it
    uint8_t server_max_window_bits;  // 8..15, 0 means 15: our own ceiling
    uint8_t client_max_window_bits;  // 8..15, 0 means do not ask
};

// What one connection agreed on.
struct zn_deflate_params {
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    uint8_t server_max_window_bits; // 8..15
    uint8_t client_max_window_bits; // 8..15
};

enum { ZN_DEFLATE_RESPONSE_MAX = 160 };

// Takes the first acceptable offer among all Sec-WebSocket-Extensions headers
// (RFC 7692 section 5.1, 7.1). An unknown, repeated or out-of-range parameter refuses that offer
// only, and so does a breach of the grammar (RFC 6455 section 9.1). A client that cannot be asked
// for a smaller window (its offer has no client_max_window_bits) is taken with 15. Returns the
// length of the response value written to `out` (no NUL), 0 when no offer is taken.
size_t zn__deflate_negotiate(const struct zn_http_req *req, const char *head,
                             const struct zn_deflate_config *config,
                             struct zn_deflate_params *params_out,
                             char out[ZN_DEFLATE_RESPONSE_MAX]);

// Prepares a raw compressor / decompressor for these window bits (8..15). The stream's
// zalloc, zfree and opaque are the caller's; deflateEnd() / inflateEnd() free it. 0, or -ENOMEM.
//
// A server window of 8 is kept although zlib has no 256-byte raw compressor: its
// 512-byte one never looks back further than 512 - 262 = 250 bytes, which a 256-byte
// window holds (a unit test checks it against the linked zlib).
int zn__deflate_init(z_stream *z, uint8_t window_bits, int level, int mem_level);
int zn__inflate_init(z_stream *z, uint8_t window_bits);

// Upper bound of a deflated message of `len` bytes: room with which zn__deflate_message()
// does not fail. SIZE_MAX when there is none below it.
size_t zn__deflate_bound(size_t len);

// Compresses one whole message `in` into `out[cap]`, without the 00 00 ff ff
// tail (section 7.2.1). `reset` drops the context afterwards (no context takeover).
// Returns the length, or -EMSGSIZE; after that the context is dropped, so that
// sending the message as it is and deflating later ones keeps the peer in step.
ssize_t zn__deflate_message(z_stream *z, struct zn_slice in, bool reset, uint8_t *out, size_t cap);

// Inflates on: consumes from `*in` (advances it), writes to out[0, cap). `last`
// says that *in ends the message (the tail is added inside). Returns the bytes written;
// *done_out is set when the whole of *in (and, if last, the message) is out: call
// again with more room until then. -EPROTO: not a deflate stream, or one that the message's
// end cuts off (section 7.2.2); -ENOMEM: zalloc failed. After an error the stream needs
// zn__inflate_reset(). The caller bounds the total by the room that it gives: a message of
// more than `max` bytes is one that fills max + 1.
ssize_t zn__inflate_next(z_stream *z, struct zn_slice *in, bool last, uint8_t *out, size_t cap,
                         bool *done_out);

// Drops the context: between messages when the client agreed to client_no_context_takeover,
// before a stream is lent to another connection, after an error.
void zn__inflate_reset(z_stream *z);

#endif
