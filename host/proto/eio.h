// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 packets and polling payloads
// (https://socket.io/docs/v4/engine-io-protocol/).
#ifndef ZN_PROTO_EIO_H
#define ZN_PROTO_EIO_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum zn_eio_type {
    ZN_EIO_OPEN = 0,
    ZN_EIO_CLOSE = 1,
    ZN_EIO_PING = 2,
    ZN_EIO_PONG = 3,
    ZN_EIO_MESSAGE = 4,
    ZN_EIO_UPGRADE = 5,
    ZN_EIO_NOOP = 6,
};

enum { ZN_EIO_SEPARATOR = 0x1e, ZN_EIO_SID_LEN = 20 };

struct zn_eio_packet {
    uint8_t type; // enum zn_eio_type
    bool binary;  // a message whose data is base64 still
    struct zn_slice data;
};

// A text packet: type digit and data, or 'b' and base64 (a binary message; clients
// with forceBase64 send it over WebSocket too). -EPROTO when empty or of no known type.
int zn__eio_packet_parse(struct zn_slice text, struct zn_eio_packet *out);

// Walks a polling payload: start with *cursor = 0. Returns 1 with a packet, 0 at the
// end, -EPROTO for a packet that is malformed (an empty one, as in an empty payload,
// too); the walk is over then.
int zn__eio_payload_next(struct zn_slice payload, size_t *cursor, struct zn_eio_packet *out);

// Writes `0{"sid":..,"upgrades":..,"pingInterval":..,"pingTimeout":..,"maxPayload":..}`
// into out[cap]; returns the length or -EMSGSIZE.
ssize_t zn__eio_open_write(char *out, size_t cap, const char sid[ZN_EIO_SID_LEN], bool can_upgrade,
                           uint32_t ping_interval_ms, uint32_t ping_timeout_ms,
                           uint64_t max_payload);

// Whether `sid` has the form of one of ours: 20 characters of base64url.
bool zn__eio_sid_valid(struct zn_slice sid);

#endif
