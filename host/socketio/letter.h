// SPDX-License-Identifier: Apache-2.0
// What one reactor has to say to all others about a namespace's sockets: an event for them,
// rooms to join, a question. Immutable once sent, in one block with the mails that carry it,
// counted by reference. With recovery on, letters are also what the log keeps.
//
// Thread: made on one reactor, read on all.
#ifndef ZN_CORE_LETTER_H
#define ZN_CORE_LETTER_H

#include "namespace.h"
#include "outgoing.h"

enum zn_letter_op {
    ZN_LETTER_EVENT,
    ZN_LETTER_SURVEY, // an event that is to be answered
    ZN_LETTER_JOIN,
    ZN_LETTER_LEAVE,
    ZN_LETTER_DISCONNECT,
    ZN_LETTER_SOCKETS, // question: who is it
    ZN_LETTER_ROOMS,   // question: which rooms are there
};

enum { ZN_OFFSET_MAX = 32 }; // of recovery, with NUL

struct zn_letter_mail {
    struct zn_mail mail;
    struct zn_letter *letter;
};

struct zn_letter {
    atomic_uint refs;
    enum zn_letter_op op;
    struct zn_target target;  // strings of its own; the sender stands in `except`
    const char *const *rooms; // JOIN, LEAVE
    size_t rooms_len;
    bool close;          // DISCONNECT
    unsigned from;       // SURVEY and questions: who asks,
    uint64_t ask;        // under which number
    uint32_t timeout_ms; // SURVEY
    int64_t id;          // SURVEY: ack id
    // EVENT, SURVEY: the packet's text and what it was made of
    unsigned flags;
    struct zn_slice text;
    struct zn_slice event;
    struct zn_args args; // its bin: the attachments
    // In recovery's log
    bool direct; // for the socket whose id is rooms[0], and no one else
    char offset[ZN_OFFSET_MAX];
    uint64_t stamp_ms, logged_ms; // the offset's time, and the monotonic one
    uint32_t stamp_seq;
    size_t size; // bytes of the block
    unsigned mails_len;
    struct zn_letter_mail mails[]; // by reactor
};

// What a letter is made from; unused members are zero.
struct zn_letter_draft {
    enum zn_letter_op op;
    const struct zn_target *target;
    const struct zn_outgoing *outgoing;
    const char *const *rooms;
    size_t rooms_len;
    size_t text_room; // bytes to leave free behind the text
};

// With one reference. NULL: no memory.
struct zn_letter *zn__letter_create(const struct zn_io_shard *shard,
                                    const struct zn_letter_draft *draft);
void zn__letter_drop(struct zn_letter *letter);

static inline void zn__letter_ref(struct zn_letter *letter)
{
    atomic_fetch_add_explicit(&letter->refs, 1, memory_order_relaxed);
}

// To all other reactors; returns how many it goes to. *err_out, unless NULL, becomes -ENOBUFS when
// a mailbox was full.
unsigned zn__letter_send(struct zn_io_shard *shard, struct zn_letter *letter, int *err_out);

#endif
