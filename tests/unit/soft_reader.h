// SPDX-License-Identifier: Apache-2.0
// A WebSocket receiver behind the accelerator, byte by byte: it takes treated payload and payload
// as it was on the wire in any mixture, keeps the frames' bytes, and knows the contract's parser
// state at each place.
#ifndef ZN_TESTS_SOFT_READER_H
#define ZN_TESTS_SOFT_READER_H

#include "contract/contract.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A header that became complete, by stream offsets.
struct soft_header {
    uint64_t from;       // its first byte
    uint64_t payload_at; // the byte behind it
    uint8_t b0;
    uint64_t length;
};

enum { SOFT_READER_HEADERS = 2048 };

struct soft_reader {
    uint64_t at; // stream offset of the next byte
    uint8_t head[14];
    unsigned have;  // bytes in head[]
    uint64_t left;  // payload bytes of the frame to come
    uint64_t done;  // and those that came
    uint8_t *bytes; // payloads, one behind the other; the caller's
    size_t len, room;
    unsigned headers; // that became complete; the last ones are kept
    struct soft_header header[SOFT_READER_HEADERS];
};

// `bytes[0, room)` takes the payloads.
void soft_reader_init(struct soft_reader *reader, uint8_t *bytes, size_t room);

// The next bytes of the stream. `treated`: payload is unmasked already. Frames have to be masked.
void soft_reader_take(struct soft_reader *reader, const uint8_t *data, size_t len, bool treated);

// Where the contract's parser stands in front of the next byte.
struct zn_acc_ws_state soft_reader_state(const struct soft_reader *reader);

#endif
