// SPDX-License-Identifier: Apache-2.0
// Masking of payloads: XOR with a key that repeats every 4 bytes, in place.
//
// Thread: pure functions.
#include "unmask.h"
#include "ws.h"

uint32_t zn__ws_unmask(uint8_t *data, size_t len, uint32_t mask)
{
    zn__unmask_short(data, len, mask);
    return zn__mask_rotate(mask, len);
}
