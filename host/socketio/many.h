// SPDX-License-Identifier: Apache-2.0
// Operations on all sockets that a target means, on every reactor: join, leave, disconnect,
// and questions about them. The answer to a question travels as packed items:
//
//   socket: id NUL data NUL handshake NUL, number of rooms (uint32_t), each room NUL
//   room:   name NUL
#ifndef ZN_CORE_MANY_H
#define ZN_CORE_MANY_H

#include "letter.h"

// On a reactor that got the letter.
void zn__many_apply(struct zn_io_shard *shard, const struct zn_letter *letter);
void zn__many_answer(struct zn_io_shard *shard, const struct zn_letter *letter);

// Items unpacked; strings stay where they were read.
struct zn_items {
    struct zn_socket_info *sockets; // `rooms` of each is malloc'ed
    size_t sockets_len;
    const char **names;
    size_t names_len;
};

// Adds `count` items of reactor `from`. -ENOMEM.
int zn__items_read(struct zn_items *items, bool sockets, const char *text, size_t count,
                   unsigned from);
// Calls `done` with the names, each one once.
void zn__items_names(const struct zn_items *items, const uint64_t secret[2], zn_names_fn done,
                     void *user);
void zn__items_deinit(struct zn_items *items);

#endif
