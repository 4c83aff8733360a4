// SPDX-License-Identifier: Apache-2.0
// Framing and connection fields of a request, strictly: of two readings none is
// taken (RFC 9110 sections 7.2, 7.6.1, 7.8, 8.6, 10.1.1; RFC 9112 sections 6, 9.3).
//
// Thread: pure functions.
#include "http1_field.h"

#include "http1_chars.h"

// What has been seen; kept in req->seen.
enum {
    SEEN_HOST = 1,
    SEEN_LENGTH = 2,
    SEEN_CODING = 4,
    SEEN_CLOSE = 8,
    SEEN_KEEP_ALIVE = 16,
    SEEN_UPGRADE_OPTION = 32,
    SEEN_UPGRADE = 64,
};

// Marks a field that may come once; false when it was there already.
static bool once(struct zn_http_req *req, uint8_t flag)
{
    bool first = (req->seen & flag) == 0;

    req->seen |= flag;
    return first;
}

// uri-host [ ":" port ] (RFC 9110 section 7.2); no comma, which would let two
// joined fields pass as one.
static bool host_valid(struct zn_slice host)
{
    const char *p = host.p;
    const char *end = p + host.len;

    if (p < end && *p == '[') {
        for (p++; p < end && (zn__http_is(*p, ZN_HTTP_HEX) || *p == ':' || *p == '.');) {
            p++;
        }
        if (p == end || *p++ != ']') {
            return false;
        }
    } else {
        while (p < end && zn__http_is(*p, ZN_HTTP_HOST)) {
            p++;
        }
    }
    if (p < end && *p == ':') {
        for (p++; p < end && zn__http_is(*p, ZN_HTTP_DIGIT);) {
            p++;
        }
    }
    return p == end;
}

static uint16_t read_host(struct zn_http_req *req, struct zn_slice value)
{
    return once(req, SEEN_HOST) && host_valid(value) ? 0 : 400;
}

static uint16_t read_length(struct zn_http_req *req, struct zn_slice value)
{
    uint64_t length = 0;

    if (!once(req, SEEN_LENGTH) || (req->seen & SEEN_CODING) != 0 || value.len == 0) {
        return 400;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!zn__http_is(value.p[i], ZN_HTTP_DIGIT) || length > INT64_MAX / 10 - 1) {
            return 400;
        }
        length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    req->has_length = true;
    req->content_length = length;
    return 0;
}

// Only "chunked" alone. Other codings before a final "chunked" frame the body
// well, but are not implemented; anything else does not frame it.
static uint16_t read_coding(struct zn_http_req *req, struct zn_slice value)
{
    static const struct zn_slice chunked = { "chunked", 7 };
    struct zn_slice first = { value.p, value.len < 7 ? value.len : 7 };
    struct zn_slice last;

    if (!once(req, SEEN_CODING) || (req->seen & SEEN_LENGTH) != 0 || req->minor == 0) {
        return 400;
    }
    if (zn__slice_ieq(value, chunked)) {
        req->chunked = true;
        return 0;
    }
    if (value.len < 9 || zn__slice_ieq(first, chunked)) {
        return 400;
    }
    last = (struct zn_slice){ value.p + value.len - 7, 7 };
    return zn__slice_ieq(last, chunked) && (last.p[-1] == ' ' || last.p[-1] == ',') ? 501 : 400;
}

// One connection option; what is none of these, or no token, is nothing.
static uint8_t connection_option(struct zn_slice option)
{
    if (zn__slice_ieq(option, ZN_SLICE("close"))) {
        return SEEN_CLOSE;
    }
    if (zn__slice_ieq(option, ZN_SLICE("keep-alive"))) {
        return SEEN_KEEP_ALIVE;
    }
    return zn__slice_ieq(option, ZN_SLICE("upgrade")) ? SEEN_UPGRADE_OPTION : 0;
}

static void read_connection(struct zn_http_req *req, struct zn_slice value)
{
    const char *p = value.p;
    const char *end = p + value.len;

    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma == NULL ? end : comma;
        const char *last = stop;

        while (p < last && zn__http_is_blank(*p)) {
            p++;
        }
        while (last > p && zn__http_is_blank(last[-1])) {
            last--;
        }
        req->seen |= connection_option((struct zn_slice){ p, (size_t)(last - p) });
        p = stop + 1;
    }
}

// A tab beside the value of a framing field is white space to one reader and part of
// the value to another.
static bool tabbed(const struct zn_http_req *req, const char *head, struct zn_http_span name)
{
    size_t colon = (size_t)name.off + name.len;

    return memchr(head + colon, '\t', req->pos - colon) != NULL;
}

uint16_t zn__http_field_read(struct zn_http_req *req, const char *head,
                             const struct zn_http_header *field)
{
    struct zn_slice name = zn__http_slice(head, field->name);
    struct zn_slice value = zn__http_slice(head, field->value);

    switch (name.len) {
    case 4:
        return zn__slice_ieq(name, ZN_SLICE("host")) ? read_host(req, value) : 0;
    case 6:
        if (zn__slice_ieq(name, ZN_SLICE("expect"))) {
            req->expect_continue |= zn__slice_ieq(value, ZN_SLICE("100-continue"));
        }
        return 0;
    case 7:
        req->seen |= zn__slice_ieq(name, ZN_SLICE("upgrade")) ? SEEN_UPGRADE : 0;
        return 0;
    case 10:
        if (zn__slice_ieq(name, ZN_SLICE("connection"))) {
            read_connection(req, value);
        }
        return 0;
    case 14:
        if (!zn__slice_ieq(name, ZN_SLICE("content-length"))) {
            return 0;
        }
        return tabbed(req, head, field->name) ? 400 : read_length(req, value);
    case 17:
        if (!zn__slice_ieq(name, ZN_SLICE("transfer-encoding"))) {
            return 0;
        }
        return tabbed(req, head, field->name) ? 400 : read_coding(req, value);
    default:
        return 0;
    }
}

uint16_t zn__http_fields_end(struct zn_http_req *req)
{
    uint8_t seen = req->seen;

    if (req->minor == 1 && (seen & SEEN_HOST) == 0) {
        return 400;
    }
    req->keep_alive =
        (seen & SEEN_CLOSE) == 0 && (req->minor == 1 || (seen & SEEN_KEEP_ALIVE) != 0);
    req->upgrade =
        req->minor == 1 && (seen & SEEN_UPGRADE_OPTION) != 0 && (seen & SEEN_UPGRADE) != 0;
    req->expect_continue &= req->minor == 1;
    return 0;
}
