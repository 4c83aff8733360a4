// SPDX-License-Identifier: Apache-2.0
// Polling payloads: what is cut out, put together again, is the payload.
#include "proto/eio.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zn_slice payload = { (const char *)data, size };
    struct zn_eio_packet packet;
    size_t cursor = 0;
    size_t at = 0;
    int got;

    while ((got = zn__eio_payload_next(payload, &cursor, &packet)) == 1) {
        char type = packet.binary ? 'b' : (char)('0' + packet.type);

        assert(packet.type <= ZN_EIO_NOOP && (!packet.binary || packet.type == ZN_EIO_MESSAGE));
        assert(at < size && payload.p[at] == type && packet.data.p == payload.p + at + 1);
        assert(packet.data.len == 0 ||
               memchr(packet.data.p, ZN_EIO_SEPARATOR, packet.data.len) == NULL);
        at += 1 + packet.data.len;
        assert(at == size || payload.p[at] == ZN_EIO_SEPARATOR);
        at++;
        assert(cursor == at);
    }
    if (got == 0) {
        assert(at == size + 1);
    } else {
        // The packet at the cursor is the bad one, and stays so.
        assert(at == size || strchr("0123456b", payload.p[at]) == NULL || payload.p[at] == '\0');
        assert(zn__eio_payload_next(payload, &cursor, &packet) == got && cursor == at);
    }
    (void)zn__eio_sid_valid(payload);
    return 0;
}
