// SPDX-License-Identifier: Apache-2.0
// Socket.IO packets and the JSON in them: a packet that is taken, written again and
// decoded again, is the same packet; strings read and quoted come back.
#include "proto/sio.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool inside(struct zn_slice part, struct zn_slice whole)
{
    return part.p >= whole.p && part.p + part.len <= whole.p + whole.len;
}

static void check_string(struct zn_slice value)
{
    char *text = malloc(value.len + 1);
    char *quoted = malloc(value.len * 6 + 2);
    ssize_t len, quoted_len;

    assert(text != NULL && quoted != NULL);
    len = zn__json_string(value, text, value.len);
    assert(len >= 0);
    assert(zn__json_string_eq(value, (struct zn_slice){ text, (size_t)len }));
    quoted_len = zn__json_quote((struct zn_slice){ text, (size_t)len }, quoted, value.len * 6 + 2);
    assert(quoted_len >= 2);
    assert(zn__json_valid((struct zn_slice){ quoted, (size_t)quoted_len }));
    assert(zn__json_string_eq((struct zn_slice){ quoted, (size_t)quoted_len },
                              (struct zn_slice){ text, (size_t)len }));
    free(quoted);
    free(text);
}

static void check_elements(struct zn_slice elements)
{
    struct zn_slice value;
    enum zn_json_kind kind;
    size_t cursor = 0;

    while (zn__json_next(elements, &cursor, &kind, &value) == 1) {
        assert(value.len > 0 && inside(value, elements) && zn__json_valid(value));
        if (kind == ZN_JSON_STRING) {
            check_string(value);
        } else if (kind == ZN_JSON_OBJECT) {
            (void)zn__json_member(value, ZN_SLICE("num"), &kind, &value);
        }
    }
    assert(cursor == elements.len);
}

// Decodes head and payload as they would be written.
static void check_again(const struct zn_sio_packet *packet)
{
    size_t cap = ZN_SIO_HEAD_MAX + packet->nsp.len + packet->data.len;
    char *text = malloc(cap);
    struct zn_sio_packet again;
    ssize_t len;

    assert(text != NULL);
    len = zn__sio_head_write(text, ZN_SIO_HEAD_MAX + packet->nsp.len,
                             (enum zn_sio_type)packet->type, packet->attachments, packet->nsp,
                             packet->has_id ? (int64_t)packet->id : -1);
    assert(len > 0);
    memcpy(text + len, packet->data.p, packet->data.len);
    assert(zn__sio_decode((struct zn_slice){ text, (size_t)len + packet->data.len }, &again) == 0);
    assert(again.type == packet->type && again.attachments == packet->attachments);
    assert(again.has_id == packet->has_id && again.id == packet->id);
    assert(zn__slice_eq(again.nsp, packet->nsp) && zn__slice_eq(again.data, packet->data));
    assert(zn__slice_eq(again.event, packet->event) && zn__slice_eq(again.args, packet->args));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zn_slice text = { (const char *)data, size };
    struct zn_sio_packet packet;
    struct zn_slice value;
    enum zn_json_kind kind;

    if (zn__json_value(text, &kind, &value) > 0 && kind == ZN_JSON_ARRAY) {
        check_elements(zn__json_inside(value));
    }
    if (zn__sio_decode(text, &packet) != 0) {
        return 0;
    }
    assert(packet.type <= ZN_SIO_BINARY_ACK);
    assert((packet.type >= ZN_SIO_BINARY_EVENT) == (packet.attachments > 0));
    assert(packet.attachments <= ZN_SIO_ATTACHMENTS_MAX);
    assert(inside(packet.data, text) && inside(packet.event, text) && inside(packet.args, text));
    assert(packet.data.len == 0 || zn__json_valid(packet.data));
    if (packet.event.len > 0) {
        assert(packet.type == ZN_SIO_EVENT || packet.type == ZN_SIO_BINARY_EVENT);
        assert(zn__json_valid(packet.event));
    }
    check_elements(packet.args);
    check_again(&packet);
    return 0;
}
