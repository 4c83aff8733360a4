// SPDX-License-Identifier: Apache-2.0
// Broadcasts: one payload, a segment of it for each of many flows.
#ifndef ZN_SOFT_BROADCAST_H
#define ZN_SOFT_BROADCAST_H

#include "soft/instance.h"

// Bytes of a body before its words: the payload, and zeros up to the next multiple of 64.
static inline size_t zn__soft_broadcast_words_at(const struct zn_acc_command *command)
{
    return (command->length + (size_t)63) / 64 * 64;
}

// Starts the copies of a checked BROADCAST_LIST or BROADCAST_GROUP; `body[0, len)` follows the
// command.
void zn__soft_broadcast_begin(struct zn_soft *soft, const struct zn_acc_command *command,
                              const uint8_t *body, size_t len);

#endif
