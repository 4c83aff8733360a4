// SPDX-License-Identifier: Apache-2.0
// Answers to pings and probes that wait for the transmit side, in the order in which they were
// taken.
#ifndef ZN_SOFT_REPLY_H
#define ZN_SOFT_REPLY_H

#include <stdbool.h>
#include <stdint.h>

struct zn_soft;

// A frame of first byte `b0` with `payload[0, len)`, at most 125 bytes, for `flow`. `cookie`: the
// sequence number of the asking frame's first payload byte. False if there is no room.
bool zn__soft_reply_push(struct zn_soft *soft, uint32_t flow, uint32_t cookie, uint8_t b0,
                         const uint8_t *payload, uint8_t len);

#endif
