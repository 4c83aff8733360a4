// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 packets in text: the type digit, polling payloads, the open packet.
//
// Thread: pure functions.
#include "eio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int zn__eio_packet_parse(struct zn_slice text, struct zn_eio_packet *out)
{
    if (text.len == 0) {
        return -EPROTO;
    }
    out->binary = text.p[0] == 'b';
    out->data = (struct zn_slice){ text.p + 1, text.len - 1 };
    if (out->binary) {
        out->type = ZN_EIO_MESSAGE;
        return 0;
    }
    if (text.p[0] < '0' || text.p[0] > '6') {
        return -EPROTO;
    }
    out->type = (uint8_t)(text.p[0] - '0');
    return 0;
}

int zn__eio_payload_next(struct zn_slice payload, size_t *cursor, struct zn_eio_packet *out)
{
    struct zn_slice packet;
    const char *stop;
    int err;

    // One past the end: the last packet has no separator after it.
    if (*cursor > payload.len) {
        return 0;
    }
    if (*cursor == payload.len) {
        return -EPROTO;
    }
    packet = (struct zn_slice){ payload.p + *cursor, payload.len - *cursor };
    stop = memchr(packet.p, ZN_EIO_SEPARATOR, packet.len);
    if (stop != NULL) {
        packet.len = (size_t)(stop - packet.p);
    }
    err = zn__eio_packet_parse(packet, out);
    if (err != 0) {
        return err;
    }
    *cursor += packet.len + 1;
    return 1;
}

ssize_t zn__eio_open_write(char *out, size_t cap, const char sid[ZN_EIO_SID_LEN], bool can_upgrade,
                           uint32_t ping_interval_ms, uint32_t ping_timeout_ms,
                           uint64_t max_payload)
{
    int len = snprintf(out, cap,
                       "0{\"sid\":\"%.*s\",\"upgrades\":[%s],\"pingInterval\":%" PRIu32
                       ",\"pingTimeout\":%" PRIu32 ",\"maxPayload\":%" PRIu64 "}",
                       ZN_EIO_SID_LEN, sid, can_upgrade ? "\"websocket\"" : "", ping_interval_ms,
                       ping_timeout_ms, max_payload);

    return len < 0 || (size_t)len >= cap ? -EMSGSIZE : len;
}

bool zn__eio_sid_valid(struct zn_slice sid)
{
    if (sid.len != ZN_EIO_SID_LEN) {
        return false;
    }
    for (size_t i = 0; i < sid.len; i++) {
        char c = sid.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}
