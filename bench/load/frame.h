// SPDX-License-Identifier: Apache-2.0
// WebSocket framing as a client sees it (RFC 6455 section 5): masked frames out, unmasked frames
// in. Sans I/O, no allocation. A parser belongs to one connection; single thread.
#ifndef BENCH_LOAD_FRAME_H
#define BENCH_LOAD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
    FRAME_HEAD_MAX = 14,   // client header: 2 + 8 length bytes + 4 mask bytes
    FRAME_PREFIX_MAX = 128 // payload bytes kept of a frame that arrives in pieces
};

// Incoming state of one connection. Zero-initialise.
struct frame_parser {
    uint64_t len;  // payload length of the current frame
    uint64_t left; // payload bytes still to come
    uint8_t head[10];
    uint8_t head_len;
    uint8_t prefix_len;
    bool in_payload;
    uint8_t prefix[FRAME_PREFIX_MAX];
};

// One step of parsing: a piece of payload, and perhaps the end of its frame.
struct frame_step {
    const uint8_t *chunk; // payload bytes in this step, at chunk_off within the frame
    size_t chunk_len;
    uint64_t chunk_off;
    bool done; // the frame is complete; the fields below are valid then
    bool fin;
    uint8_t opcode;
    uint64_t len;
    const uint8_t *prefix; // the first min(len, FRAME_PREFIX_MAX) payload bytes or more
    size_t prefix_len;
};

// Consumes bytes up to the end of one frame at most. Returns the number consumed (> 0 when len >
// 0), or -EPROTO for a frame that a server must not send: reserved bits or a mask.
int64_t frame_parse(struct frame_parser *p, const uint8_t *data, size_t len,
                    struct frame_step *out);

// Size on the wire of a masked frame with len payload bytes.
size_t frame_size(size_t len);

// Writes one masked, final frame to dst, which has room for frame_size(len). Returns its size.
size_t frame_write(uint8_t *dst, uint8_t opcode, const uint8_t *payload, size_t len, uint32_t mask);

#endif
