// SPDX-License-Identifier: Apache-2.0
// The one message that a run sends over and over: its payload, and the frames around it for plain
// WebSocket or for Socket.IO 5 over Engine.IO 4. The first eight bytes of the user's data are a
// sequence number in hexadecimal. Owned by the scenario; single thread.
#ifndef BENCH_LOAD_MESSAGE_H
#define BENCH_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

enum message_text { MESSAGE_ASCII, MESSAGE_UTF8, MESSAGE_BINARY };

enum { MESSAGE_SIZE_MIN = 8, MESSAGE_SEQ_LEN = 8 };

struct message {
    bool sio;
    enum message_text text;
    uint8_t opcode;   // of the frame that carries the data, which comes last
    uint8_t *payload; // of that frame
    size_t len;
    size_t seq_off;  // where the sequence number stands in payload
    size_t wire_len; // size of all frames of one message
};

// Builds a message with size bytes of data from the seed. Returns 0 or -ENOMEM.
int message_init(struct message *m, bool sio, enum message_text text, size_t size, uint64_t *seed);
void message_deinit(struct message *m);

// Writes the frames of message number seq to dst (room for wire_len), freshly masked.
void message_write(struct message *m, uint8_t *dst, uint32_t seq, uint64_t *seed);

// True when the completed frame is the data frame of such a message (not, say, a Socket.IO
// CONNECT).
static inline bool message_is(const struct message *m, const struct frame_step *f)
{
    return f->opcode == m->opcode && f->len == m->len && f->fin;
}

// The sequence number of a completed frame for which message_is() holds.
uint32_t message_seq(const struct message *m, const struct frame_step *f);

#endif
