// SPDX-License-Identifier: Apache-2.0
// Client side of RFC 6455 framing. See frame.h.
#include "frame.h"

#include <errno.h>
#include <string.h>

static size_t min_size(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

// Header length announced by the second byte.
static size_t head_need(uint8_t second)
{
    uint8_t code = second & 0x7f;
    return code == 127 ? 10 : code == 126 ? 4 : 2;
}

static uint64_t head_payload_len(const uint8_t *head)
{
    uint8_t code = head[1] & 0x7f;
    if (code < 126)
        return code;
    uint64_t len = 0;
    size_t bytes = code == 126 ? 2 : 8;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | head[2 + i];
    return len;
}

// Takes header bytes; returns how many were consumed, or -EPROTO.
static int64_t take_head(struct frame_parser *p, const uint8_t *data, size_t len)
{
    size_t used = 0;
    while (used < len) {
        p->head[p->head_len++] = data[used++];
        if (p->head_len == 2 && ((p->head[0] & 0x70) != 0 || (p->head[1] & 0x80) != 0))
            return -EPROTO;
        if (p->head_len >= 2 && p->head_len == head_need(p->head[1])) {
            p->len = head_payload_len(p->head);
            p->left = p->len;
            p->prefix_len = 0;
            p->in_payload = true;
            break;
        }
    }
    return (int64_t)used;
}

static void finish(struct frame_parser *p, struct frame_step *out)
{
    out->done = true;
    out->fin = (p->head[0] & 0x80) != 0;
    out->opcode = p->head[0] & 0x0f;
    out->len = p->len;
    p->head_len = 0;
    p->in_payload = false;
}

int64_t frame_parse(struct frame_parser *p, const uint8_t *data, size_t len, struct frame_step *out)
{
    *out = (struct frame_step){ 0 };
    size_t used = 0;
    if (!p->in_payload) {
        int64_t head = take_head(p, data, len);
        if (head < 0 || !p->in_payload)
            return head;
        used = (size_t)head;
    }
    out->chunk = data + used;
    out->chunk_off = p->len - p->left;
    out->chunk_len = min_size(p->left, len - used);
    p->left -= out->chunk_len;
    if (p->left == 0 && out->chunk_off == 0) { // the whole payload lies in this buffer
        out->prefix = out->chunk;
        out->prefix_len = out->chunk_len;
        finish(p, out);
        return (int64_t)(used + out->chunk_len);
    }
    size_t keep = min_size(FRAME_PREFIX_MAX - p->prefix_len, out->chunk_len);
    memcpy(p->prefix + p->prefix_len, out->chunk, keep);
    p->prefix_len = (uint8_t)(p->prefix_len + keep);
    if (p->left == 0) {
        out->prefix = p->prefix;
        out->prefix_len = p->prefix_len;
        finish(p, out);
    }
    return (int64_t)(used + out->chunk_len);
}

size_t frame_size(size_t len)
{
    return len + 6 + (len > 65535 ? 8 : len > 125 ? 2 : 0);
}

size_t frame_write(uint8_t *dst, uint8_t opcode, const uint8_t *payload, size_t len, uint32_t mask)
{
    size_t at = 0;
    dst[at++] = (uint8_t)(0x80 | opcode);
    if (len <= 125) {
        dst[at++] = (uint8_t)(0x80 | len);
    } else if (len <= 65535) {
        dst[at++] = 0x80 | 126;
        dst[at++] = (uint8_t)(len >> 8);
        dst[at++] = (uint8_t)len;
    } else {
        dst[at++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            dst[at++] = (uint8_t)((uint64_t)len >> shift);
    }
    uint8_t key[4];
    memcpy(key, &mask, sizeof(key));
    memcpy(dst + at, key, sizeof(key));
    at += sizeof(key);
    for (size_t i = 0; i < len; i++)
        dst[at + i] = payload[i] ^ key[i & 3];
    return at + len;
}
