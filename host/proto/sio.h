// SPDX-License-Identifier: Apache-2.0
// Socket.IO v5 packets (https://socket.io/docs/v4/socket-io-protocol/), lazily:
// the arguments stay JSON text until somebody asks.
#ifndef ZN_PROTO_SIO_H
#define ZN_PROTO_SIO_H

#include "json.h"
#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum zn_sio_type {
    ZN_SIO_CONNECT = 0,
    ZN_SIO_DISCONNECT = 1,
    ZN_SIO_EVENT = 2,
    ZN_SIO_ACK = 3,
    ZN_SIO_CONNECT_ERROR = 4,
    ZN_SIO_BINARY_EVENT = 5,
    ZN_SIO_BINARY_ACK = 6,
};

enum {
    ZN_SIO_ATTACHMENTS_MAX = 10, // the reference's maxAttachments
    ZN_SIO_HEAD_MAX = 48,        // type, attachments, ack id: without the namespace
};

struct zn_sio_packet {
    uint8_t type; // enum zn_sio_type
    bool has_id;
    uint8_t attachments;   // 1..10 for the binary types, else 0
    uint64_t id;           // ack id
    struct zn_slice nsp;   // "/" when absent; as it stands, a query string too
    struct zn_slice data;  // CONNECT: object or empty. EVENT, ACK: the whole array text.
    struct zn_slice event; // EVENT: the first element as it stands (string with quotes, or number)
    struct zn_slice args;  // EVENT: the elements after the name. ACK: all. Without brackets.
};

// Decodes one packet from the text (valid UTF-8) after the Engine.IO '4'. -EPROTO,
// with *out undefined, for whatever socket.io-parser 4.2.7's Decoder refuses: unknown
// types, payloads of the wrong kind, reserved event names, bad attachment counts,
// JSON that does not parse, placeholders out of range (binary types; the reference
// finds them when the attachments are there). An ACK may have no payload (no
// arguments). Refused although the reference takes them, as no encoder writes them
// and some mean what nobody meant (`2 ["a"]` would have ack id 0): an empty text,
// white space before the payload without an id, ids above 2^53 - 1, attachment
// counts that are not digits, an EVENT without payload, a placeholder number that
// is not whole, one in a member that a later one replaces, and JSON deeper than
// ZN_JSON_DEPTH_MAX.
int zn__sio_decode(struct zn_slice text, struct zn_sio_packet *out);

// Whether an unescaped event name is one of connect, connect_error, disconnect,
// disconnecting, newListener, removeListener.
bool zn__sio_event_reserved(struct zn_slice name);

// Writes what stands before the JSON: type, `n-` for binary types, `/nsp,` unless
// "/", ack id (id < 0: none). Returns the length, or -EMSGSIZE.
ssize_t zn__sio_head_write(char *out, size_t cap, enum zn_sio_type type, unsigned attachments,
                           struct zn_slice nsp, int64_t id);

#endif
