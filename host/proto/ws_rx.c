// SPDX-License-Identifier: Apache-2.0
// Delineation of received frames (RFC 6455 section 5). A small message that is there as a whole
// goes a short way; everything else, and everything wrong, goes byte by byte through the head.
//
// Thread: pure functions; a state is used by one thread at a time.
#include "unmask.h"
#include "ws.h"
#include "ws_head.h"

#include <errno.h>

enum {
    WHOLE_MESSAGE = ZN_WS_PIECE | ZN_WS_FRAME_FIRST | ZN_WS_FRAME_LAST | ZN_WS_MESSAGE_FIRST |
                    ZN_WS_MESSAGE_LAST,
};

// zn_ws_rx.flags
enum {
    IN_PAYLOAD = 1 << 0, // the head is complete (and stays in head[]), payload follows
    FRAME_NEW = 1 << 1,  // no piece of this frame was given out yet
    COMPRESSED = 1 << 2, // the current message has RSV1
    FAILED = 1 << 3,
};

static inline bool is_control(uint8_t first)
{
    return (first & ZN_WS_CONTROL) != 0;
}

// The payload length as far as `have` bytes of the head tell; bytes still to come count as 0.
static uint64_t declared_len(const uint8_t *head, size_t have)
{
    size_t bytes = zn__ws_length_bytes(head[1]);
    if (bytes == 0)
        return head[1] & ZN_WS_LEN7;
    uint64_t len = 0;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | (2 + i < have ? head[2 + i] : 0);
    return len;
}

// The checks of one head byte each. They return 0 or the close code.

static uint16_t check_first(const struct zn_ws_rx *rx, const struct zn_ws_limits *limits)
{
    uint8_t first = rx->head[0], opcode = first & ZN_WS_OPCODE;
    if (first & ZN_WS_RSV23)
        return ZN_WS_CLOSE_PROTOCOL;
    if (is_control(first))
        return opcode > ZN_WS_PONG || (first & ZN_WS_RSV1) || !(first & ZN_WS_FIN)
                   ? ZN_WS_CLOSE_PROTOCOL
                   : 0;
    if (opcode > ZN_WS_BINARY)
        return ZN_WS_CLOSE_PROTOCOL;
    bool continues = opcode == ZN_WS_CONTINUATION;
    if (continues != (rx->message_opcode != 0))
        return ZN_WS_CLOSE_PROTOCOL;
    if ((first & ZN_WS_RSV1) && (continues || !limits->deflate))
        return ZN_WS_CLOSE_PROTOCOL;
    return continues && rx->fragments >= limits->fragments_max ? ZN_WS_CLOSE_TOO_BIG : 0;
}

static uint16_t check_length(const struct zn_ws_rx *rx, const struct zn_ws_limits *limits)
{
    const uint8_t *head = rx->head;
    size_t have = rx->head_len, bytes = zn__ws_length_bytes(head[1]);
    if (bytes == 8 && have > 2 && head[2] & 0x80)
        return ZN_WS_CLOSE_PROTOCOL;
    uint64_t len = declared_len(head, have);
    if ((bytes == 2 && have == 4 && len < ZN_WS_LEN16) ||
        (bytes == 8 && have == 8 && len >> 16 == 0))
        return ZN_WS_CLOSE_PROTOCOL;
    if (is_control(head[0]))
        return 0;
    uint64_t max = limits->message_max, so_far = rx->message_len;
    return so_far > max || len > max - so_far ? ZN_WS_CLOSE_TOO_BIG : 0;
}

static uint16_t check_second(const struct zn_ws_rx *rx, const struct zn_ws_limits *limits)
{
    uint8_t second = rx->head[1];
    if (((second & ZN_WS_MASKED) != 0) == limits->client)
        return ZN_WS_CLOSE_PROTOCOL;
    if (is_control(rx->head[0]) && (second & ZN_WS_LEN7) > ZN_WS_CONTROL_MAX)
        return ZN_WS_CLOSE_PROTOCOL;
    return zn__ws_length_bytes(second) == 0 ? check_length(rx, limits) : 0;
}

static uint16_t check_newest(const struct zn_ws_rx *rx, const struct zn_ws_limits *limits)
{
    if (rx->head_len == 1)
        return check_first(rx, limits);
    if (rx->head_len == 2)
        return check_second(rx, limits);
    return rx->head_len <= 2 + zn__ws_length_bytes(rx->head[1]) ? check_length(rx, limits) : 0;
}

// The head is complete and good: the frame begins.
static void frame_begin(struct zn_ws_rx *rx)
{
    const uint8_t *head = rx->head;
    rx->opcode = head[0] & ZN_WS_OPCODE;
    rx->frame_left = declared_len(head, rx->head_len);
    rx->mask = 0;
    if (head[1] & ZN_WS_MASKED)
        memcpy(&rx->mask, head + rx->head_len - 4, 4);
    rx->flags |= IN_PAYLOAD | FRAME_NEW;
    if (is_control(head[0]))
        return;
    if (rx->opcode != ZN_WS_CONTINUATION) {
        rx->message_opcode = rx->opcode;
        rx->flags = (uint8_t)((rx->flags & ~COMPRESSED) | (head[0] & ZN_WS_RSV1 ? COMPRESSED : 0));
    }
    rx->message_len += rx->frame_left;
    rx->fragments++;
}

// Takes head bytes until the head is complete. Returns how many, or -EPROTO.
static ssize_t head_read(struct zn_ws_rx *rx, const struct zn_ws_limits *limits,
                         const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        rx->head[rx->head_len++] = data[i];
        rx->close_code = check_newest(rx, limits);
        if (rx->close_code != 0) {
            rx->flags |= FAILED;
            return -EPROTO;
        }
        if (rx->head_len >= 2 && rx->head_len == zn__ws_head_size(rx->head[1])) {
            frame_begin(rx);
            return (ssize_t)i + 1;
        }
    }
    return (ssize_t)len;
}

// The last piece of a frame is out: ready for the next head.
static void frame_end(struct zn_ws_rx *rx)
{
    rx->flags &= (uint8_t)~IN_PAYLOAD;
    rx->head_len = 0;
    if (is_control(rx->head[0]) || !(rx->head[0] & ZN_WS_FIN))
        return;
    rx->message_opcode = 0;
    rx->message_len = 0;
    rx->fragments = 0;
}

// The key as it is for the byte `len` further on.
static uint32_t mask_rotate(uint32_t mask, size_t len)
{
    uint8_t key[4], turned[4];
    memcpy(key, &mask, 4);
    for (size_t i = 0; i < 4; i++)
        turned[i] = key[(i + len) & 3];
    memcpy(&mask, turned, 4);
    return mask;
}

bool zn__ws_rx_where(const struct zn_ws_rx *rx, struct zn_ws_where *where_out)
{
    *where_out = (struct zn_ws_where){ 0 };
    if (rx->flags & FAILED)
        return false;
    if (rx->head_len == 0)
        return true;
    where_out->b0 = rx->head[0];
    where_out->b1 = rx->head_len > 1 ? rx->head[1] : 0;
    if (rx->flags & IN_PAYLOAD) {
        where_out->fill = ZN_WS_IN_PAYLOAD;
        where_out->length = (uint32_t)rx->frame_left;
        memcpy(where_out->key, &rx->mask, 4);
        return rx->frame_left <= UINT32_MAX;
    }
    where_out->fill = rx->head_len;
    if (rx->head_len < 2)
        return true;
    size_t key_at = 2 + zn__ws_length_bytes(rx->head[1]);
    uint64_t length = 0;
    for (size_t i = 2; i < rx->head_len && i < key_at; i++)
        length = length << 8 | rx->head[i];
    where_out->length = (uint32_t)length;
    for (size_t i = key_at; i < rx->head_len; i++)
        where_out->key[i - key_at] = rx->head[i];
    return length <= UINT32_MAX;
}

// The next `len` bytes of the current frame as a piece; `len` may be 0 only for an empty frame.
static void piece_take(struct zn_ws_rx *rx, bool unmasked, uint8_t *data, size_t len,
                       struct zn_ws_piece *piece)
{
    const uint8_t *head = rx->head;
    bool control = is_control(head[0]);
    unsigned flags = ZN_WS_PIECE;
    rx->frame_left -= len;
    if (rx->flags & FRAME_NEW) {
        rx->flags &= (uint8_t)~FRAME_NEW;
        flags |= ZN_WS_FRAME_FIRST;
        if (!control && rx->opcode != ZN_WS_CONTINUATION)
            flags |= ZN_WS_MESSAGE_FIRST;
    }
    if (rx->frame_left == 0)
        flags |= ZN_WS_FRAME_LAST | (head[0] & ZN_WS_FIN ? ZN_WS_MESSAGE_LAST : 0);
    if (!control && rx->flags & COMPRESSED)
        flags |= ZN_WS_COMPRESSED;
    piece->data = data;
    piece->len = len;
    piece->opcode = control ? rx->opcode : rx->message_opcode;
    piece->flags = (uint8_t)flags;
    piece->frame_len = declared_len(head, rx->head_len);
    if (unmasked)
        rx->mask = mask_rotate(rx->mask, len);
    else if (head[1] & ZN_WS_MASKED)
        rx->mask = zn__ws_unmask(data, len, rx->mask);
    if (rx->frame_left == 0)
        frame_end(rx);
}

// The common case: between messages, a whole small masked text or binary message in the buffer. The
// state stays as it is. Returns 0 for all else, the faulty included: that goes the long way.
static inline size_t small_message(const struct zn_ws_rx *rx, const struct zn_ws_limits *limits,
                                   uint8_t *data, size_t len, struct zn_ws_piece *piece)
{
    if (len < ZN_WS_SMALL_HEAD || rx->head_len != 0 || rx->message_opcode != 0 || limits->client)
        return 0;
    unsigned rsv1 = limits->deflate ? data[0] & ZN_WS_RSV1 : 0, opcode = data[0] ^ ZN_WS_FIN ^ rsv1;
    size_t payload_len = data[1] ^ ZN_WS_MASKED;
    if ((opcode != ZN_WS_TEXT && opcode != ZN_WS_BINARY) || payload_len > ZN_WS_CONTROL_MAX ||
        payload_len > len - ZN_WS_SMALL_HEAD || payload_len > limits->message_max)
        return 0;
    if (!limits->unmasked) {
        uint32_t mask;
        memcpy(&mask, data + 2, 4);
        zn__unmask_short(data + ZN_WS_SMALL_HEAD, payload_len, mask);
    }
    piece->data = data + ZN_WS_SMALL_HEAD;
    piece->len = payload_len;
    piece->opcode = (uint8_t)opcode;
    piece->flags = (uint8_t)(WHOLE_MESSAGE | (rsv1 ? ZN_WS_COMPRESSED : 0));
    piece->frame_len = payload_len;
    return ZN_WS_SMALL_HEAD + payload_len;
}

// The rest of the head, if it is not complete, and then what is there of the payload.
__attribute__((noinline)) static ssize_t any_frame(struct zn_ws_rx *rx,
                                                   const struct zn_ws_limits *limits, uint8_t *data,
                                                   size_t len, struct zn_ws_piece *piece)
{
    piece->flags = 0;
    if (rx->flags & FAILED)
        return -EPROTO;
    size_t used = 0;
    if (!(rx->flags & IN_PAYLOAD)) {
        ssize_t got = head_read(rx, limits, data, len);
        if (got < 0 || !(rx->flags & IN_PAYLOAD))
            return got;
        used = (size_t)got;
    }
    size_t run = rx->frame_left < len - used ? (size_t)rx->frame_left : len - used;
    if (run > 0 || rx->frame_left == 0)
        piece_take(rx, limits->unmasked, data + used, run, piece);
    return (ssize_t)(used + run);
}

ssize_t zn__ws_rx_next(struct zn_ws_rx *rx, const struct zn_ws_limits *limits, uint8_t *data,
                       size_t len, struct zn_ws_piece *piece)
{
    size_t used = small_message(rx, limits, data, len, piece);
    return used > 0 ? (ssize_t)used : any_frame(rx, limits, data, len, piece);
}
