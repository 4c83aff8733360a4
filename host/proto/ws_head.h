// SPDX-License-Identifier: Apache-2.0
// The head of a frame (RFC 6455 section 5.2): its bits and how long it is, for the codec of streams
// and for the accelerator's model, which keep different states.
//
// Thread: pure functions.
#ifndef ZN_PROTO_WS_HEAD_H
#define ZN_PROTO_WS_HEAD_H

#include <stddef.h>
#include <stdint.h>

// Of the first byte.
enum {
    ZN_WS_FIN = 0x80,
    ZN_WS_RSV1 = 0x40,
    ZN_WS_RSV23 = 0x30,
    ZN_WS_OPCODE = 0x0f,
    ZN_WS_CONTROL = 0x08,
};

// Of the second byte.
enum {
    ZN_WS_MASKED = 0x80,
    ZN_WS_LEN7 = 0x7f,
    ZN_WS_LEN16 = 126,
    ZN_WS_LEN64 = 127,
    ZN_WS_SMALL_HEAD = 6, // of a masked frame of up to 125 bytes
};

// Bytes of the extended length.
static inline size_t zn__ws_length_bytes(uint8_t second)
{
    unsigned len7 = second & ZN_WS_LEN7;
    return len7 == ZN_WS_LEN16 ? 2 : len7 == ZN_WS_LEN64 ? 8 : 0;
}

// Bytes of the whole head.
static inline size_t zn__ws_head_size(uint8_t second)
{
    return 2 + zn__ws_length_bytes(second) + (second & ZN_WS_MASKED ? 4 : 0);
}

#endif
