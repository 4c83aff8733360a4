// SPDX-License-Identifier: Apache-2.0
// A binary packet on its way in: its text and the attachments so far, in one block.
//
// Thread: the client's reactor.
#ifndef ZN_CORE_ATTACHMENTS_H
#define ZN_CORE_ATTACHMENTS_H

#include "core/reactor.h"

#include "proto/sio.h"

#include <zapnic/zapnic.h>

struct zn_attachments {
    struct zn_reactor *reactor;
    struct zn_sio_packet packet; // its slices point into `text`
    size_t total;                // bytes of text and attachments
    size_t held;                 // of these, the copies
    unsigned len;
    struct zn_data at[ZN_SIO_ATTACHMENTS_MAX]; // own copies, but for the last one
    size_t text_len;
    char text[];
};

// A copy of the text of a binary packet, decoded. 0; -EPROTO; -ENOMEM; -ENOBUFS: over the server's
// limit of what is not complete.
int zn__attachments_create(struct zn_reactor *reactor, struct zn_slice text,
                           struct zn_attachments **out);
void zn__attachments_destroy(struct zn_attachments *attachments);

// One more. 1: that was the last one, borrowed from the caller; 0: more to come;
// -EMSGSIZE: more than `max` bytes in all; -ENOMEM; -ENOBUFS as above.
int zn__attachments_add(struct zn_attachments *attachments, const void *data, size_t len,
                        size_t max);

#endif
