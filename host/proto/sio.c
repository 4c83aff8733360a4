// SPDX-License-Identifier: Apache-2.0
// Socket.IO v5 packets: reads the head, checks the payload, cuts out what the
// router needs.
//
// Thread: pure functions.
#include "sio.h"

#include "sio_placeholder.h"

#include <errno.h>

#define ID_MAX ((1ull << 53) - 1) // Number.MAX_SAFE_INTEGER

bool zn__sio_event_reserved(struct zn_slice name)
{
    static const struct zn_slice reserved[] = {
        { "connect", 7 },        { "connect_error", 13 }, { "disconnect", 10 },
        { "disconnecting", 13 }, { "newListener", 11 },   { "removeListener", 14 },
    };

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (zn__slice_eq(name, reserved[i])) {
            return true;
        }
    }
    return false;
}

// A string value; escapes may hide the name.
static bool is_reserved(struct zn_slice value)
{
    char name[16];
    ssize_t len = zn__json_string(value, name, sizeof(name));

    return len >= 0 && zn__sio_event_reserved((struct zn_slice){ name, (size_t)len });
}

// Reads digits at *p into *value_out; false when there is none, or beyond `max`.
static bool read_number(const char **p, const char *end, uint64_t max, uint64_t *value_out)
{
    const char *start = *p;
    uint64_t value = 0;

    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        value = value * 10 + (uint64_t)(**p - '0');
        if (value > max) {
            return false;
        }
    }
    *value_out = value;
    return *p != start;
}

// Reads the head of a text that is not empty and moves *p to the payload.
static int read_head(const char **p, const char *end, struct zn_sio_packet *out)
{
    if (**p < '0' || **p > '6') {
        return -EPROTO;
    }
    out->type = (uint8_t)(*(*p)++ - '0');
    if (out->type >= ZN_SIO_BINARY_EVENT) {
        uint64_t attachments;

        if (!read_number(p, end, ZN_SIO_ATTACHMENTS_MAX, &attachments) || attachments == 0 ||
            *p == end || **p != '-') {
            return -EPROTO;
        }
        out->attachments = (uint8_t)attachments;
        (*p)++;
    }
    if (*p < end && **p == '/') {
        const char *comma = memchr(*p, ',', (size_t)(end - *p));
        const char *stop = comma == NULL ? end : comma;

        out->nsp = (struct zn_slice){ *p, (size_t)(stop - *p) };
        *p = comma == NULL ? end : comma + 1;
    }
    if (*p < end && **p >= '0' && **p <= '9') {
        out->has_id = true;
        return read_number(p, end, ID_MAX, &out->id) ? 0 : -EPROTO;
    }
    return 0;
}

// EVENT: the name, which must come first, and what follows it.
static int read_event(struct zn_sio_packet *out)
{
    struct zn_slice inside = zn__json_inside(out->data);
    enum zn_json_kind kind;
    size_t used = 0;

    if (zn__json_next(inside, &used, &kind, &out->event) != 1) {
        return -EPROTO;
    }
    if (kind != ZN_JSON_NUMBER && (kind != ZN_JSON_STRING || is_reserved(out->event))) {
        return -EPROTO;
    }
    out->args = zn__json_trim((struct zn_slice){ inside.p + used, inside.len - used });
    if (out->args.len > 0) { // the comma
        out->args = zn__json_trim((struct zn_slice){ out->args.p + 1, out->args.len - 1 });
    }
    return 0;
}

// The payload of each type, as Decoder.isPayloadValid has it.
static int read_payload(struct zn_sio_packet *out, enum zn_json_kind kind)
{
    switch ((enum zn_sio_type)out->type) {
    case ZN_SIO_CONNECT:
        return kind == ZN_JSON_OBJECT ? 0 : -EPROTO;
    case ZN_SIO_DISCONNECT:
        return -EPROTO;
    case ZN_SIO_CONNECT_ERROR:
        return kind == ZN_JSON_OBJECT || kind == ZN_JSON_STRING ? 0 : -EPROTO;
    case ZN_SIO_EVENT:
    case ZN_SIO_BINARY_EVENT:
        return kind == ZN_JSON_ARRAY ? read_event(out) : -EPROTO;
    case ZN_SIO_ACK:
    case ZN_SIO_BINARY_ACK:
        out->args = zn__json_inside(out->data);
        return kind == ZN_JSON_ARRAY ? 0 : -EPROTO;
    }
    return -EPROTO;
}

int zn__sio_decode(struct zn_slice text, struct zn_sio_packet *out)
{
    const char *p = text.p;
    const char *end;
    struct zn_slice rest;
    enum zn_json_kind kind;
    ssize_t used;
    int err;

    *out = (struct zn_sio_packet){ .nsp = ZN_SLICE("/") };
    if (text.len == 0) {
        return -EPROTO;
    }
    end = p + text.len;
    err = read_head(&p, end, out);
    if (err != 0) {
        return err;
    }
    rest = (struct zn_slice){ p, (size_t)(end - p) };
    out->data = out->event = out->args = (struct zn_slice){ p, 0 };
    if (rest.len == 0) {
        return out->type == ZN_SIO_EVENT || out->type == ZN_SIO_BINARY_EVENT ? -EPROTO : 0;
    }
    // White space here would be an ack id of 0 to the reference.
    if (!out->has_id && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        return -EPROTO;
    }
    used = zn__json_value(rest, &kind, &out->data);
    if (used < 0 || zn__json_trim((struct zn_slice){ p + used, rest.len - (size_t)used }).len > 0) {
        return -EPROTO;
    }
    err = read_payload(out, kind);
    if (err == 0 && out->attachments > 0) {
        err = zn__sio_placeholders_check(out->data, out->attachments);
    }
    return err;
}

// Appends to out[cap] at *len.
static bool put(char *out, size_t cap, size_t *len, const char *p, size_t n)
{
    if (n > cap - *len) {
        return false;
    }
    memcpy(out + *len, p, n);
    *len += n;
    return true;
}

static bool put_number(char *out, size_t cap, size_t *len, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return put(out, cap, len, digits + at, sizeof(digits) - at);
}

ssize_t zn__sio_head_write(char *out, size_t cap, enum zn_sio_type type, unsigned attachments,
                           struct zn_slice nsp, int64_t id)
{
    size_t len = 0;
    bool ok = put_number(out, cap, &len, (uint64_t)type);

    if (type >= ZN_SIO_BINARY_EVENT) {
        ok = ok && put_number(out, cap, &len, attachments) && put(out, cap, &len, "-", 1);
    }
    if (nsp.len > 0 && !zn__slice_eq(nsp, ZN_SLICE("/"))) {
        ok = ok && put(out, cap, &len, nsp.p, nsp.len) && put(out, cap, &len, ",", 1);
    }
    if (id >= 0) {
        ok = ok && put_number(out, cap, &len, (uint64_t)id);
    }
    return ok ? (ssize_t)len : -EMSGSIZE;
}
