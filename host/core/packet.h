// SPDX-License-Identifier: Apache-2.0
// An outgoing message: given once, encoded once for each wire form that some receiver needs, then
// queued by reference on as many connections as there are receivers.
//
// Lives on the stack of whoever sends; the parts must stay until deinit.
#ifndef ZN_CORE_PACKET_H
#define ZN_CORE_PACKET_H

#include "chunk.h"
#include "reactor.h"

#include "proto/slice.h"

enum zn_form {
    ZN_FORM_WS,       // WebSocket frames
    ZN_FORM_DEFLATED, // the same, deflated without context, 15 window bits
    ZN_FORM_POLLING,  // records of a polling payload, each with the separator in front
    ZN_FORMS,
};

enum { ZN_PACKET_PARTS = 8 };

struct zn_zstream;

struct zn_packet {
    struct zn_slice parts[ZN_PACKET_PARTS]; // the text (or, if `binary`, the bytes), in order
    unsigned parts_len;
    size_t text_len;           // of all parts
    bool binary;               // the parts are one binary message
    char eio_type;             // '4' for Engine.IO messages; 0 for plain WebSocket
    unsigned flags;            // enum zn_flags: ZN_VOLATILE, ZN_NO_COMPRESS
    const struct zn_data *bin; // binary messages that follow the text at once
    unsigned bin_len;
    size_t threshold; // of ZN_FORM_DEFLATED: shorter messages go out plain
    struct zn_run runs[ZN_FORMS];
};

static inline void zn__packet_init(struct zn_packet *packet, char eio_type, unsigned flags)
{
    *packet = (struct zn_packet){ .eio_type = eio_type, .flags = flags };
}

static inline void zn__packet_add(struct zn_packet *packet, const char *p, size_t len)
{
    packet->parts[packet->parts_len++] = (struct zn_slice){ p, len };
    packet->text_len += len;
}

// Encodes the packet in a wire form that it is not encoded in yet; NULL: no memory.
const struct zn_run *zn__packet_encode(struct zn_packet *packet, struct zn_reactor *reactor,
                                       enum zn_form form);

// The packet in a wire form, encoded on first use; NULL: no memory.
static inline const struct zn_run *zn__packet_run(struct zn_packet *packet,
                                                  struct zn_reactor *reactor, enum zn_form form)
{
    struct zn_run *run = &packet->runs[form];
    return run->chunk != NULL ? run : zn__packet_encode(packet, reactor, form);
}

// The packet as WebSocket frames deflated by `z`, for one connection with a context or a window
// of its own; messages under `threshold` bytes are not. -1: no memory.
int zn__packet_deflate(const struct zn_packet *packet, struct zn_arena *arena, struct zn_zstream *z,
                       bool reset, size_t threshold, struct zn_run *run_out);

// Drops the encodings (receivers have their own references).
void zn__packet_deinit(struct zn_packet *packet);

#endif
