// SPDX-License-Identifier: Apache-2.0
// The receiver; plain on purpose.
#include "soft_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

void soft_reader_init(struct soft_reader *reader, uint8_t *bytes, size_t room)
{
    memset(reader, 0, sizeof(*reader));
    reader->bytes = bytes;
    reader->room = room;
}

static unsigned extended(uint8_t second)
{
    return (second & 127) == 126 ? 2 : (second & 127) == 127 ? 8 : 0;
}

static void header_end(struct soft_reader *reader)
{
    uint64_t length = reader->head[1] & 127;
    if (extended(reader->head[1]) > 0) {
        length = 0;
        for (unsigned i = 0; i < extended(reader->head[1]); i++)
            length = length * 256 + reader->head[2 + i];
    }
    struct soft_header *header = &reader->header[reader->headers++ % SOFT_READER_HEADERS];
    header->from = reader->at - reader->have;
    header->payload_at = reader->at;
    header->b0 = reader->head[0];
    header->length = length;
    reader->left = length;
    reader->done = 0;
    if (length == 0)
        reader->have = 0;
}

static void take_byte(struct soft_reader *reader, uint8_t byte, bool treated)
{
    reader->at++;
    if (reader->left > 0) {
        const uint8_t *key = reader->head + reader->have - 4;
        assert_true(reader->len < reader->room);
        reader->bytes[reader->len++] = treated ? byte : byte ^ key[reader->done % 4];
        reader->done++;
        reader->left--;
        if (reader->left == 0)
            reader->have = 0;
        return;
    }
    reader->head[reader->have++] = byte;
    if (reader->have >= 2 && reader->have == 6 + extended(reader->head[1]))
        header_end(reader);
}

void soft_reader_take(struct soft_reader *reader, const uint8_t *data, size_t len, bool treated)
{
    for (size_t i = 0; i < len; i++)
        take_byte(reader, data[i], treated);
}

struct zn_acc_ws_state soft_reader_state(const struct soft_reader *reader)
{
    struct zn_acc_ws_state state = { .fill = (uint8_t)reader->have };
    unsigned have = reader->have, key_at = 2;
    state.b0 = have > 0 ? reader->head[0] : 0;
    state.b1 = have > 1 ? reader->head[1] : 0;
    if (have > 1)
        key_at += extended(reader->head[1]);
    if (reader->left > 0) {
        state.fill = ZN_FILL_PAYLOAD;
        state.length = (uint32_t)reader->left;
        for (unsigned i = 0; i < 4; i++)
            state.key[i] = reader->head[have - 4 + (reader->done + i) % 4];
        return state;
    }
    uint64_t length = 0;
    for (unsigned i = 2; i < have && i < key_at; i++)
        length = length * 256 + reader->head[i];
    state.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    for (unsigned i = key_at; i < have; i++)
        state.key[i - key_at] = reader->head[i];
    return state;
}
