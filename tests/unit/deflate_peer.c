// SPDX-License-Identifier: Apache-2.0
// The other end of a permessage-deflate connection, see deflate_peer.h.
#include "deflate_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };

void text_fill(uint8_t *text, size_t len)
{
    uint32_t seed = 12345;

    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = i > 300 && (seed >> 28) ? text[i - 1 - (seed >> 8) % (i < 2048 ? i : 2048)]
                                          : (uint8_t)('a' + (seed >> 20) % 26);
    }
    // Whole runs again, 100 to 500 bytes apart, so that a wide window would be used.
    for (size_t i = 600; i + 300 < len; i += 300) {
        memcpy(text + i + 40, text + i - 100 - (i % 400), 30);
    }
}

size_t peer_inflate(z_stream *z, const uint8_t *data, size_t len, uint8_t *out, size_t cap)
{
    size_t room = cap;

    // Byte by byte in and out: only what lies in the peer's window can be looked back at.
    for (size_t i = 0; i < len + sizeof(tail); i++) {
        int rc;

        z->next_in = (z_const Bytef *)(i < len ? data + i : tail + (i - len));
        z->avail_in = 1;
        do {
            assert_true(room > 0);
            z->next_out = out + cap - room;
            z->avail_out = 1;
            rc = inflate(z, Z_SYNC_FLUSH);
            assert_true(rc == Z_OK || rc == Z_BUF_ERROR);
            room -= 1 - z->avail_out;
        } while (z->avail_in > 0 || z->avail_out == 0);
    }
    return cap - room;
}

size_t peer_deflate(z_stream *z, const uint8_t *data, size_t len, uint8_t *out, size_t cap)
{
    z->next_in = (z_const Bytef *)data;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)cap;
    assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
    assert_true(z->avail_out > 0);
    return cap - z->avail_out - sizeof(tail);
}
