// SPDX-License-Identifier: Apache-2.0
// The frame parser of the contract. It is not the stream codec's (proto/ws.h): the state is one
// that a packet's annotation can carry, a header is judged as a whole and in another order, and
// what fragments mean is left to the host. Bits and sizes of heads, and unmasking, are shared.
//
// Frames are unmasked as they are met. When a later header turns out to be bad, what was unmasked
// is masked again: XOR undoes itself, and headers were not changed.
#include "soft/frames.h"
#include "proto/unmask.h"
#include "proto/ws.h"
#include "proto/ws_head.h"

enum { COUNT_MAX = 255 };

struct walk {
    struct zn_acc_ws_state state;
    uint8_t *payload;
    size_t len, at;
    size_t header_at; // where the header in `state` begins; 0 if in an earlier packet
    struct zn__soft_frames *frames;
    uint8_t split; // FRAME_SPLIT while the header is one that began in an earlier packet
};

static inline uint32_t load_key(const uint8_t *p)
{
    uint32_t key;
    memcpy(&key, p, sizeof(key));
    return key;
}

static inline void describe(struct walk *w, uint8_t b0, uint32_t length)
{
    struct zn__soft_frames *frames = w->frames;
    if (frames->count < ZN__SOFT_DESCS) {
        frames->desc[frames->count] = (struct zn_acc_frame_desc){
            .offset = (uint16_t)w->at,
            .b0 = b0,
            .flags = (uint8_t)(w->split | (length <= w->len - w->at ? ZN_FRAME_COMPLETE : 0)),
            .length = length,
        };
    }
    frames->count += frames->count < COUNT_MAX;
    w->split = 0;
}

// Payload of the frame in the state, as far as it is there.
static void payload_take(struct walk *w)
{
    struct zn_acc_ws_state *state = &w->state;
    size_t left = w->len - w->at, run = state->length < left ? state->length : left;
    uint32_t key = zn__ws_unmask(w->payload + w->at, run, load_key(state->key));
    w->at += run;
    if (run == state->length) {
        memset(state, 0, sizeof(*state));
        return;
    }
    state->length -= (uint32_t)run;
    memcpy(state->key, &key, sizeof(key));
}

static bool is_control(uint8_t b0)
{
    return (b0 & ZN_WS_CONTROL) != 0;
}

static bool is_reserved(uint8_t b0, bool deflate)
{
    unsigned opcode = b0 & ZN_WS_OPCODE;
    if (b0 & ZN_WS_RSV23 || opcode > ZN_WS_PONG || (opcode > ZN_WS_BINARY && !is_control(b0)))
        return true;
    return b0 & ZN_WS_RSV1 && (!deflate || (opcode != ZN_WS_TEXT && opcode != ZN_WS_BINARY));
}

static bool is_shortest(uint8_t b1, uint32_t length)
{
    size_t bytes = zn__ws_length_bytes(b1);
    return bytes == 0 || length >= (bytes == 2 ? (uint32_t)ZN_WS_LEN16 : 65536);
}

// A complete header, in the contract's order.
static enum zn_acc_reason judge(uint8_t b0, uint8_t b1, uint32_t length,
                                const struct zn__soft_frame_limits *limits)
{
    if (!(b1 & ZN_WS_MASKED))
        return ZN_REASON_FRAME_UNMASKED;
    if (is_reserved(b0, limits->deflate))
        return ZN_REASON_FRAME_RESERVED;
    if (is_control(b0) && ((b1 & ZN_WS_LEN7) > ZN_WS_CONTROL_MAX || !(b0 & ZN_WS_FIN)))
        return ZN_REASON_FRAME_CONTROL;
    if (!is_shortest(b1, length))
        return ZN_REASON_FRAME_LENGTH;
    return length > limits->max_frame ? ZN_REASON_FRAME_TOO_BIG : ZN_REASON_OK;
}

// One more byte of the header in the state; true if it was the last.
static bool header_byte(struct zn_acc_ws_state *state, uint8_t byte)
{
    unsigned at = state->fill++;
    if (at == 0) {
        state->b0 = byte;
        return false;
    }
    if (at == 1) {
        state->b1 = byte;
        return !(byte & ZN_WS_MASKED);
    }
    unsigned size = (unsigned)zn__ws_head_size(state->b1), key_at = size - 4;
    if (at < key_at)
        state->length = state->length >> 24 != 0 ? UINT32_MAX : state->length << 8 | byte;
    else
        state->key[(at - key_at) & 3] = byte;
    return state->fill >= size;
}

// Header bytes until the header is complete or the payload ends; then what is there of the frame.
static enum zn_acc_reason any_frame(struct walk *w, const struct zn__soft_frame_limits *limits)
{
    struct zn_acc_ws_state *state = &w->state;
    bool complete = false;
    w->header_at = state->fill == 0 ? w->at : 0;
    while (!complete && w->at < w->len)
        complete = header_byte(state, w->payload[w->at++]);
    if (!complete)
        return ZN_REASON_OK;
    if (zn__ws_length_bytes(state->b1) == 0)
        state->length = state->b1 & ZN_WS_LEN7;
    enum zn_acc_reason reason = judge(state->b0, state->b1, state->length, limits);
    if (reason != ZN_REASON_OK)
        return reason;
    describe(w, state->b0, state->length);
    state->fill = ZN_FILL_PAYLOAD;
    payload_take(w);
    return ZN_REASON_OK;
}

// First bytes that judge() lets pass with any small length: not all of them, but those that come
// often.
static inline bool is_usual(uint8_t b0, bool deflate)
{
    unsigned data = deflate ? b0 & ~(unsigned)(ZN_WS_FIN | ZN_WS_RSV1) : b0 & ~(unsigned)ZN_WS_FIN;
    return data - ZN_WS_TEXT <= ZN_WS_BINARY - ZN_WS_TEXT || b0 == (ZN_WS_FIN | ZN_WS_PING) ||
           b0 == (ZN_WS_FIN | ZN_WS_PONG);
}

// The common case: frames of up to 125 bytes that are there as a whole. Stops in front of all
// others, the bad ones included.
static void small_frames(struct walk *w, const struct zn__soft_frame_limits *limits)
{
    uint32_t max = limits->max_frame < ZN_WS_CONTROL_MAX ? limits->max_frame : ZN_WS_CONTROL_MAX;
    bool deflate = limits->deflate;
    while (w->len - w->at >= ZN_WS_SMALL_HEAD) {
        uint8_t *head = w->payload + w->at;
        uint32_t length = head[1] ^ ZN_WS_MASKED;
        if (length > max || length > w->len - w->at - ZN_WS_SMALL_HEAD ||
            !is_usual(head[0], deflate))
            return;
        w->at += ZN_WS_SMALL_HEAD;
        describe(w, head[0], length);
        zn__unmask_short(head + ZN_WS_SMALL_HEAD, length, load_key(head + 2));
        w->at += length;
    }
}

static enum zn_acc_reason walk(struct walk *w, const struct zn__soft_frame_limits *limits)
{
    enum zn_acc_reason reason = ZN_REASON_OK;
    if (w->state.fill == ZN_FILL_PAYLOAD)
        payload_take(w);
    else if (w->state.fill != 0)
        w->split = ZN_FRAME_SPLIT;
    while (w->at < w->len && reason == ZN_REASON_OK) {
        if (w->state.fill == 0)
            small_frames(w, limits);
        if (w->at < w->len)
            reason = any_frame(w, limits);
    }
    return reason;
}

enum zn_acc_reason zn__soft_frames_treat(struct zn_acc_ws_state *state,
                                         const struct zn__soft_frame_limits *limits,
                                         uint8_t *payload, size_t len,
                                         struct zn__soft_frames *frames)
{
    struct walk w = { .state = *state, .payload = payload, .len = len, .frames = frames };
    frames->count = 0;
    enum zn_acc_reason reason = walk(&w, limits);
    if (reason == ZN_REASON_OK) {
        *state = w.state;
        return ZN_REASON_OK;
    }
    struct zn__soft_frames again = { 0 };
    struct walk undo = {
        .state = *state, .payload = payload, .len = w.header_at, .frames = &again
    };
    walk(&undo, limits);
    return reason;
}
