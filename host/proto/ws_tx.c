// SPDX-License-Identifier: Apache-2.0
// What is written to a WebSocket: frame heads and close frames; and the close codes.
//
// Thread: pure functions.
#include "utf8.h"
#include "ws.h"

#include <errno.h>
#include <string.h>

enum { FIN = 0x80, REASON_MAX = ZN_WS_CONTROL_MAX - 2 };

size_t zn__ws_head_write(uint8_t out[ZN_WS_HEAD_MAX], uint8_t first, uint64_t payload_len)
{
    out[0] = first;
    if (payload_len <= ZN_WS_CONTROL_MAX) {
        out[1] = (uint8_t)payload_len;
        return 2;
    }
    unsigned bytes = payload_len <= 0xffff ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (unsigned i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)(payload_len >> (bytes - 1 - i) * 8);
    return 2 + bytes;
}

bool zn__ws_close_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int zn__ws_close_parse(const uint8_t *payload, size_t len, uint16_t *code_out,
                       struct zn_slice *reason_out)
{
    *reason_out = (struct zn_slice){ "", 0 };
    *code_out = ZN_WS_CLOSE_NO_STATUS;
    if (len == 0)
        return 0;
    *code_out = ZN_WS_CLOSE_PROTOCOL;
    if (len == 1 || len > ZN_WS_CONTROL_MAX)
        return -EPROTO;
    uint16_t code = (uint16_t)(payload[0] << 8 | payload[1]);
    if (!zn__ws_close_code_valid(code))
        return -EPROTO;
    *code_out = ZN_WS_CLOSE_INVALID_PAYLOAD;
    if (!zn__utf8_valid(payload + 2, len - 2))
        return -EPROTO;
    *code_out = code;
    *reason_out = (struct zn_slice){ (const char *)payload + 2, len - 2 };
    return 0;
}

size_t zn__ws_close_write(uint8_t out[2 + ZN_WS_CONTROL_MAX], uint16_t code, struct zn_slice reason)
{
    out[0] = FIN | ZN_WS_CLOSE;
    out[1] = 0;
    if (!zn__ws_close_code_valid(code))
        return 2;
    size_t len = reason.len;
    if (len > REASON_MAX) {
        len = REASON_MAX;
        while (len > 0 && ((uint8_t)reason.p[len] & 0xc0) == 0x80)
            len--;
    }
    out[1] = (uint8_t)(2 + len);
    out[2] = (uint8_t)(code >> 8);
    out[3] = (uint8_t)code;
    if (len > 0)
        memcpy(out + 4, reason.p, len);
    return 4 + len;
}
