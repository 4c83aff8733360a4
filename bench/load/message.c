// SPDX-License-Identifier: Apache-2.0
// Payloads and Socket.IO packets for the load generator. See message.h.
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

static const char event_head[] = "42[\"msg\",\"";
static const char event_tail[] = "\"]";
static const char binary_event[] = "451-[\"msg\",{\"_placeholder\":true,\"num\":0}]";

static void fill_ascii(uint8_t *data, size_t len, uint64_t *seed)
{
    static const char alphabet[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)alphabet[random_next(seed) & 63];
}

static void fill_binary(uint8_t *data, size_t len, uint64_t *seed)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)random_next(seed);
}

// Writes one code point as UTF-8 and returns its length.
static size_t put_utf8(uint8_t *dst, uint32_t cp)
{
    if (cp < 0x800) {
        dst[0] = (uint8_t)(0xc0 | cp >> 6);
        dst[1] = (uint8_t)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        dst[0] = (uint8_t)(0xe0 | cp >> 12);
        dst[1] = (uint8_t)(0x80 | (cp >> 6 & 63));
        dst[2] = (uint8_t)(0x80 | (cp & 63));
        return 3;
    }
    dst[0] = (uint8_t)(0xf0 | cp >> 18);
    dst[1] = (uint8_t)(0x80 | (cp >> 12 & 63));
    dst[2] = (uint8_t)(0x80 | (cp >> 6 & 63));
    dst[3] = (uint8_t)(0x80 | (cp & 63));
    return 4;
}

// A mixture of Cyrillic, kana, Hangul, emoji and blanks: two, three and four byte sequences in
// turn.
static void fill_utf8(uint8_t *data, size_t len, uint64_t *seed)
{
    static const uint32_t first[] = { 0x0410, 0x3041, 0xac00, 0x1f600 };
    static const uint32_t count[] = { 0x3f, 0x50, 0x200, 0x30 };
    size_t at = 0;
    while (len - at >= 4) {
        uint64_t r = random_next(seed);
        size_t script = r & 3;
        if ((r >> 2 & 15) == 0)
            data[at++] = ' ';
        else
            at += put_utf8(data + at, first[script] + (uint32_t)((r >> 8) % count[script]));
    }
    fill_ascii(data + at, len - at, seed);
}

static void put_seq(uint8_t *dst, uint32_t seq)
{
    for (int i = 0; i < MESSAGE_SEQ_LEN; i++)
        dst[i] = (uint8_t) "0123456789abcdef"[seq >> (28 - 4 * i) & 15];
}

int message_init(struct message *m, bool sio, enum message_text text, size_t size, uint64_t *seed)
{
    bool wrapped = sio && text != MESSAGE_BINARY;
    size_t head = wrapped ? sizeof(event_head) - 1 : 0;
    size_t tail = wrapped ? sizeof(event_tail) - 1 : 0;
    *m = (struct message){ .sio = sio, .text = text, .seq_off = head, .len = head + size + tail };
    m->opcode = text == MESSAGE_BINARY ? FRAME_BINARY : FRAME_TEXT;
    m->payload = malloc(m->len);
    if (!m->payload)
        return -ENOMEM;
    memcpy(m->payload, event_head, head);
    memcpy(m->payload + head + size, event_tail, tail);
    put_seq(m->payload + head, 0);
    uint8_t *data = m->payload + head + MESSAGE_SEQ_LEN;
    size_t len = size - MESSAGE_SEQ_LEN;
    if (text == MESSAGE_BINARY)
        fill_binary(data, len, seed);
    else if (text == MESSAGE_UTF8)
        fill_utf8(data, len, seed);
    else
        fill_ascii(data, len, seed);
    m->wire_len = frame_size(m->len);
    if (sio && text == MESSAGE_BINARY)
        m->wire_len += frame_size(sizeof(binary_event) - 1);
    return 0;
}

void message_deinit(struct message *m)
{
    free(m->payload);
    m->payload = NULL;
}

void message_write(struct message *m, uint8_t *dst, uint32_t seq, uint64_t *seed)
{
    if (m->sio && m->text == MESSAGE_BINARY)
        dst += frame_write(dst, FRAME_TEXT, (const uint8_t *)binary_event, sizeof(binary_event) - 1,
                           (uint32_t)random_next(seed));
    put_seq(m->payload + m->seq_off, seq);
    frame_write(dst, m->opcode, m->payload, m->len, (uint32_t)random_next(seed));
}

uint32_t message_seq(const struct message *m, const struct frame_step *f)
{
    uint32_t seq = 0;
    if (f->prefix_len < m->seq_off + MESSAGE_SEQ_LEN)
        return UINT32_MAX;
    const uint8_t *p = f->prefix + m->seq_off;
    for (int i = 0; i < MESSAGE_SEQ_LEN; i++) {
        uint32_t digit = p[i] <= '9' ? (uint32_t)(p[i] - '0') : (uint32_t)(p[i] - 'a' + 10);
        if (digit > 15)
            return UINT32_MAX;
        seq = seq << 4 | digit;
    }
    return seq;
}
