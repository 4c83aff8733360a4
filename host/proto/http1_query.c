// SPDX-License-Identifier: Apache-2.0
// Looking things up in a request that was read: headers, list elements, query
// parameters, percent-encoding.
//
// Thread: pure functions.
#include "http1.h"
#include "http1_chars.h"

#include <errno.h>

bool zn__http_header_find(const struct zn_http_req *req, const char *head, struct zn_slice name,
                          struct zn_slice *out)
{
    for (unsigned i = 0; i < req->headers_len; i++) {
        if (zn__slice_ieq(zn__http_slice(head, req->headers[i].name), name)) {
            *out = zn__http_slice(head, req->headers[i].value);
            return true;
        }
    }
    return false;
}

// Cuts the next element out of `list` from `*at` on; it may be empty.
static struct zn_slice next_element(struct zn_slice list, size_t *at)
{
    size_t start;
    size_t stop;
    bool quoted = false;

    while (*at < list.len && zn__http_is_blank(list.p[*at])) {
        (*at)++;
    }
    start = *at;
    for (; *at < list.len && (quoted || list.p[*at] != ','); (*at)++) {
        if (list.p[*at] == '"') {
            quoted = !quoted;
        } else if (quoted && list.p[*at] == '\\' && *at + 1 < list.len) {
            (*at)++;
        }
    }
    stop = *at;
    *at += *at < list.len ? 1 : 0; // the comma
    while (stop > start && zn__http_is_blank(list.p[stop - 1])) {
        stop--;
    }
    return (struct zn_slice){ list.p + start, stop - start };
}

// The cursor holds the header's index and the place in its value.
bool zn__http_list_next(const struct zn_http_req *req, const char *head, struct zn_slice name,
                        uint32_t *cursor, struct zn_slice *out)
{
    unsigned i = *cursor >> 16;
    size_t at = *cursor & 0xffff;

    for (; i < req->headers_len; i++, at = 0) {
        struct zn_slice list;

        if (!zn__slice_ieq(zn__http_slice(head, req->headers[i].name), name)) {
            continue;
        }
        list = zn__http_slice(head, req->headers[i].value);
        while (at < list.len) {
            *out = next_element(list, &at);
            if (out->len > 0) {
                *cursor = (uint32_t)i << 16 | (uint32_t)at;
                return true;
            }
        }
    }
    *cursor = (uint32_t)i << 16;
    return false;
}

bool zn__http_query_find(struct zn_slice query, struct zn_slice key, struct zn_slice *out)
{
    const char *p = query.p;
    const char *end = p + query.len;

    while (p < end) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        const char *stop = amp == NULL ? end : amp;
        const char *equals = memchr(p, '=', (size_t)(stop - p));
        const char *name_end = equals == NULL ? stop : equals;

        if (zn__slice_eq((struct zn_slice){ p, (size_t)(name_end - p) }, key)) {
            const char *value = equals == NULL ? stop : equals + 1;

            *out = (struct zn_slice){ value, (size_t)(stop - value) };
            return true;
        }
        p = stop + 1;
    }
    return false;
}

ssize_t zn__http_unescape(struct zn_slice in, bool plus, char *out, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < in.len; i++) {
        char c = in.p[i];

        if (c == '%') {
            if (in.len - i < 3 || !zn__http_is(in.p[i + 1], ZN_HTTP_HEX) ||
                !zn__http_is(in.p[i + 2], ZN_HTTP_HEX)) {
                return -EPROTO;
            }
            c = (char)(zn__http_hex(in.p[i + 1]) << 4 | zn__http_hex(in.p[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (len == cap) {
            return -EMSGSIZE;
        }
        out[len++] = c;
    }
    return (ssize_t)len;
}
