// SPDX-License-Identifier: Apache-2.0
// See packet.h.
#include "packet.h"

#include "zpool.h"

#include "proto/base64.h"
#include "proto/deflate.h"
#include "proto/eio.h"
#include "proto/ws.h"

#include <string.h>

enum { FIN = 0x80, RSV1 = 0x40 };

static uint8_t *put(uint8_t *at, const void *p, size_t len)
{
    if (len > 0)
        memcpy(at, p, len);
    return at + len;
}

static uint8_t *put_parts(uint8_t *at, const struct zn_packet *packet)
{
    if (packet->eio_type != 0 && !packet->binary)
        *at++ = (uint8_t)packet->eio_type;
    for (unsigned i = 0; i < packet->parts_len; i++)
        at = put(at, packet->parts[i].p, packet->parts[i].len);
    return at;
}

// Payload bytes of the packet's first message.
static size_t first_len(const struct zn_packet *packet)
{
    return packet->text_len + (packet->eio_type != 0 && !packet->binary);
}

static uint8_t first_opcode(const struct zn_packet *packet)
{
    return packet->binary ? ZN_WS_BINARY : ZN_WS_TEXT;
}

static int encode_ws(const struct zn_packet *packet, struct zn_arena *arena, struct zn_run *run_out)
{
    size_t max = ZN_WS_HEAD_MAX + first_len(packet);
    for (unsigned i = 0; i < packet->bin_len; i++)
        max += ZN_WS_HEAD_MAX + packet->bin[i].len;
    uint8_t *start = zn__arena_reserve(arena, max);
    if (start == NULL)
        return -1;
    uint8_t *at = start + zn__ws_head_write(start, FIN | first_opcode(packet), first_len(packet));
    at = put_parts(at, packet);
    for (unsigned i = 0; i < packet->bin_len; i++) {
        at += zn__ws_head_write(at, FIN | ZN_WS_BINARY, packet->bin[i].len);
        at = put(at, packet->bin[i].p, packet->bin[i].len);
    }
    *run_out = zn__arena_commit(arena, (size_t)(at - start));
    return 0;
}

static int encode_polling(const struct zn_packet *packet, struct zn_arena *arena,
                          struct zn_run *run_out)
{
    size_t max = 2 + (packet->binary ? ZN_BASE64_LEN(packet->text_len) : packet->text_len);
    for (unsigned i = 0; i < packet->bin_len; i++)
        max += 2 + ZN_BASE64_LEN(packet->bin[i].len);
    // A binary message in several parts is joined behind its own base64 first.
    size_t join = packet->binary && packet->parts_len > 1 ? packet->text_len : 0;
    uint8_t *start = zn__arena_reserve(arena, max + join);
    if (start == NULL)
        return -1;
    uint8_t *at = start;
    *at++ = ZN_EIO_SEPARATOR;
    if (packet->binary) {
        const void *bytes = packet->parts_len > 0 ? packet->parts[0].p : "";
        if (join > 0) {
            bytes = start + max;
            put_parts(start + max, packet);
        }
        *at++ = 'b';
        at += zn__base64_encode(bytes, packet->text_len, (char *)at);
    } else {
        at = put_parts(at, packet);
    }
    for (unsigned i = 0; i < packet->bin_len; i++) {
        *at++ = ZN_EIO_SEPARATOR;
        *at++ = 'b';
        at += zn__base64_encode(packet->bin[i].p, packet->bin[i].len, (char *)at);
    }
    *run_out = zn__arena_commit(arena, (size_t)(at - start));
    return 0;
}

// One frame at `at`, deflated when it is worth it. Returns its end, or NULL.
static uint8_t *put_frame(uint8_t *at, struct zn_zstream *z, bool reset, size_t threshold,
                          uint8_t opcode, const void *p, size_t len)
{
    uint8_t *body = at + ZN_WS_HEAD_MAX;
    uint8_t first = FIN | opcode;
    size_t body_len = len;
    if (len >= threshold) {
        ssize_t n = zn__deflate_message(&z->z, (struct zn_slice){ p, len }, reset, body,
                                        zn__deflate_bound(len));
        if (n < 0)
            return NULL;
        first |= RSV1;
        body_len = (size_t)n;
    } else {
        put(body, p, len);
    }
    size_t head = zn__ws_head_write(at, first, body_len);
    if (head < ZN_WS_HEAD_MAX)
        memmove(at + head, body, body_len);
    return at + head + body_len;
}

int zn__packet_deflate(const struct zn_packet *packet, struct zn_arena *arena, struct zn_zstream *z,
                       bool reset, size_t threshold, struct zn_run *run_out)
{
    size_t text = first_len(packet);
    size_t max = ZN_WS_HEAD_MAX + zn__deflate_bound(text);
    for (unsigned i = 0; i < packet->bin_len; i++)
        max += ZN_WS_HEAD_MAX + zn__deflate_bound(packet->bin[i].len);
    uint8_t *start = zn__arena_reserve(arena, max + text);
    if (start == NULL)
        return -1;
    put_parts(start + max, packet); // joined behind the output
    uint8_t *at = put_frame(start, z, reset, threshold, first_opcode(packet), start + max, text);
    for (unsigned i = 0; at != NULL && i < packet->bin_len; i++)
        at = put_frame(at, z, reset, threshold, ZN_WS_BINARY, packet->bin[i].p, packet->bin[i].len);
    if (at == NULL)
        return -1;
    *run_out = zn__arena_commit(arena, (size_t)(at - start));
    return 0;
}

static int encode_deflated(const struct zn_packet *packet, struct zn_reactor *reactor,
                           size_t threshold, struct zn_run *run_out)
{
    struct zn_zstream *z = zn__zpool_deflater(reactor->zpool, 15);
    if (z == NULL)
        return -1;
    int err = zn__packet_deflate(packet, &reactor->arena, z, true, threshold, run_out);
    zn__zpool_put(reactor->zpool, z);
    return err;
}

const struct zn_run *zn__packet_encode(struct zn_packet *packet, struct zn_reactor *reactor,
                                       enum zn_form form)
{
    struct zn_run *run = &packet->runs[form];
    int err = -1;
    if (form == ZN_FORM_WS)
        err = encode_ws(packet, &reactor->arena, run);
    else if (form == ZN_FORM_POLLING)
        err = encode_polling(packet, &reactor->arena, run);
    else
        err = encode_deflated(packet, reactor, packet->threshold, run);
    return err < 0 ? NULL : run;
}

void zn__packet_deinit(struct zn_packet *packet)
{
    for (unsigned i = 0; i < ZN_FORMS; i++)
        zn__run_drop(&packet->runs[i]);
}
