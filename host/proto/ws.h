// SPDX-License-Identifier: Apache-2.0
// RFC 6455: frame delineation, masking, frame heads, close codes, the opening
// handshake. Sans-I/O over caller memory; any split of the input gives the same
// pieces' bytes. This is also the stream-level reference of the accelerator.
//
// Thread: pure functions; a struct is used by one thread at a time.
#ifndef ZN_PROTO_WS_H
#define ZN_PROTO_WS_H

#include "http1.h"
#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum zn_ws_opcode {
    ZN_WS_CONTINUATION = 0,
    ZN_WS_TEXT = 1,
    ZN_WS_BINARY = 2,
    ZN_WS_CLOSE = 8,
    ZN_WS_PING = 9,
    ZN_WS_PONG = 10,
};

enum zn_ws_close_code {
    ZN_WS_CLOSE_NORMAL = 1000,
    ZN_WS_CLOSE_GOING_AWAY = 1001,
    ZN_WS_CLOSE_PROTOCOL = 1002,
    ZN_WS_CLOSE_UNSUPPORTED = 1003,
    ZN_WS_CLOSE_NO_STATUS = 1005, // never sent: "the frame had no code"
    ZN_WS_CLOSE_ABNORMAL = 1006,  // never sent: "the stream ended without a close frame"
    ZN_WS_CLOSE_INVALID_PAYLOAD = 1007,
    ZN_WS_CLOSE_POLICY = 1008,
    ZN_WS_CLOSE_TOO_BIG = 1009,
    ZN_WS_CLOSE_INTERNAL = 1011,
    ZN_WS_CLOSE_TRY_LATER = 1013,
};

enum {
    ZN_WS_CONTROL_MAX = 125, // payload bytes of a control frame
    ZN_WS_HEAD_MAX = 10,     // bytes of an unmasked frame head
};

// What an endpoint allows; shared by all its connections.
struct zn_ws_limits {
    uint64_t message_max;   // payload bytes of a message as sent (before inflating)
    uint32_t fragments_max; // frames of one message, empty ones count
    bool deflate;           // permessage-deflate was agreed: RSV1 may be set
    bool client;            // frames come unmasked (the client's side of a connection)
    bool unmasked;          // masked frames' payload was unmasked on its way here
};

// Receive state of one connection; zero bytes are the initial state.
struct zn_ws_rx {
    uint64_t frame_left;    // payload bytes of the current frame not yet seen
    uint64_t message_len;   // payload bytes declared by the frames of the current message
    uint32_t mask;          // key in memory order, rotated to the next payload byte
    uint32_t fragments;     // frames of the current message so far
    uint16_t close_code;    // after -EPROTO: what to close with
    uint8_t opcode;         // of the current frame (continuations keep 0)
    uint8_t message_opcode; // TEXT or BINARY while a message is unfinished, else 0
    uint8_t flags;          // private
    uint8_t head_len;       // bytes in head[]
    uint8_t head[14];       // the head of the current frame, as far as it is there
};

enum {
    ZN_WS_FRAME_FIRST = 1 << 0,   // the first piece of a frame
    ZN_WS_FRAME_LAST = 1 << 1,    // the last piece of a frame
    ZN_WS_MESSAGE_FIRST = 1 << 2, // the first piece of a message
    ZN_WS_MESSAGE_LAST = 1 << 3,  // the last piece of a message (or of a control frame)
    ZN_WS_COMPRESSED = 1 << 4,    // the message has RSV1 set
    ZN_WS_PIECE = 1 << 5,         // set in every piece, also in one from the middle of a frame
};

// A run of unmasked payload. Control frames may come in pieces too.
struct zn_ws_piece {
    uint8_t *data;      // into the caller's buffer, unmasked in place
    size_t len;         // may be 0 (an empty frame)
    uint8_t opcode;     // TEXT, BINARY (also for continuations), CLOSE, PING, PONG
    uint8_t flags;      // 0: no piece in this step (only head bytes were used up)
    uint64_t frame_len; // payload bytes of the whole frame
};

// One step over `data[0, len)`. Returns the bytes used up (head and payload; > 0
// when len > 0); `piece` is filled in when piece->flags != 0. Call again while
// bytes are left. -EPROTO with rx->close_code at the earliest byte that
// proves the input bad: reserved bits and opcodes, wrong masking, long or
// fragmented control frames, non-minimal or over 63-bit lengths, stray
// continuations, a data frame inside a message (1002); too big or too many
// fragments (1009, at header time). RFC 6455 sections 5.2 to 5.5. Once refused, always
// refused. That nothing behind a close frame is read is the caller's part.
ssize_t zn__ws_rx_next(struct zn_ws_rx *rx, const struct zn_ws_limits *limits, uint8_t *data,
                       size_t len, struct zn_ws_piece *piece);

// Where a parser stands between two bytes of its stream, as an accelerator wants to know it
// (driver/contract, ws_state).
struct zn_ws_where {
    uint8_t fill;    // bytes of a head gathered, 0 to 13; ZN_WS_IN_PAYLOAD
    uint8_t b0, b1;  // the head's first bytes, as far as there
    uint32_t length; // in a head: extended length so far; in payload: bytes left
    uint8_t key[4];  // in a head: key bytes so far; in payload: key[0] is the next byte's
};
enum { ZN_WS_IN_PAYLOAD = 15 };

// False: a length of 2^32 or more cannot be said.
bool zn__ws_rx_where(const struct zn_ws_rx *rx, struct zn_ws_where *where_out);

// XORs `data[0, len)` in place with the key that repeats every 4 bytes; `mask`
// holds it in memory order. Returns the key rotated for the byte after. SIMD,
// any alignment. RFC 6455 section 5.3.
uint32_t zn__ws_unmask(uint8_t *data, size_t len, uint32_t mask);

// Writes an unmasked (server) frame head: `first` is FIN and RSV bits | opcode.
// Returns its length, 2, 4 or 10.
size_t zn__ws_head_write(uint8_t out[ZN_WS_HEAD_MAX], uint8_t first, uint64_t payload_len);

// Whether a received close code is allowed: 1000-1003, 1007-1014, 3000-4999.
bool zn__ws_close_code_valid(uint16_t code);

// Reads a close frame's payload. Returns 0 with the code (ZN_WS_CLOSE_NO_STATUS when
// empty) and reason, or -EPROTO with *code_out = 1002 or 1007 (bad UTF-8).
int zn__ws_close_parse(const uint8_t *payload, size_t len, uint16_t *code_out,
                       struct zn_slice *reason_out);

// Writes a close frame (head and payload) into out[2 + 125]; a reason that does
// not fit is cut at a character boundary; that it is UTF-8 is the caller's duty. Code 0,
// NO_STATUS or any other that may not be sent: empty payload. Returns the frame's length.
size_t zn__ws_close_write(uint8_t out[2 + ZN_WS_CONTROL_MAX], uint16_t code,
                          struct zn_slice reason);

// Checks the request side of an opening handshake (RFC 6455 section 4.2.1): GET, HTTP/1.1,
// no body, Upgrade has "websocket", Connection has "upgrade", version 13 (once), one key of
// 16 bytes in base64.
// Returns 0 and *key_out, or the HTTP status to answer: 400, 405, 426 (wrong version:
// answer with Sec-WebSocket-Version: 13).
int zn__ws_handshake_check(const struct zn_http_req *req, const char *head,
                           struct zn_slice *key_out);

// Sec-WebSocket-Accept of a key: 28 characters, no NUL. RFC 6455 section 4.2.2.
void zn__ws_accept(struct zn_slice key, char out[28]);

// The first subprotocol offered by the client that is in `ours[0, n)`, or an
// empty slice. RFC 6455 section 4.2.2 item 5. Elements that are not tokens, or repeated, or
// more than 64: -EPROTO.
int zn__ws_subprotocol_choose(const struct zn_http_req *req, const char *head,
                              const struct zn_slice *ours, size_t n, struct zn_slice *out);

#endif
