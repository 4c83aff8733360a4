// SPDX-License-Identifier: Apache-2.0
// The memory that messages hold while they are not complete, on all connections together, under
// one limit (zn_server_options.unfinished_max): WebSocket messages in pieces or being inflated,
// bodies of polling requests, Socket.IO packets that wait for attachments. Each connection has
// limits of its own besides; this one is for very many of them at once.
//
// A reactor claims its share of the limit in steps and counts within it alone, so that ordinary
// messages touch nothing that reactors share. At most an eighth of the limit is thereby claimed
// and not used.
//
// Thread: the reactor's.
#ifndef ZN_CORE_UNFINISHED_H
#define ZN_CORE_UNFINISHED_H

#include "buffer.h"
#include "reactor.h"

// Counts `len` bytes that are about to be held. 0, or -ENOBUFS (counted as refused): over the
// limit.
int zn__unfinished_take(struct zn_reactor *reactor, size_t len);
void zn__unfinished_give(struct zn_reactor *reactor, size_t len);

// zn__buffer_room() and zn__buffer_add() of a buffer whose memory counts; also -ENOBUFS.
int zn__unfinished_room(struct zn_reactor *reactor, struct zn_buffer **buffer, size_t more);
int zn__unfinished_add(struct zn_reactor *reactor, struct zn_buffer **buffer, const void *p,
                       size_t len);
// Frees such a buffer; NULL: nothing.
void zn__unfinished_free(struct zn_reactor *reactor, struct zn_buffer *buffer);

#endif
