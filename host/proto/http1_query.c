// SPDX-License-Identifier: Apache-2.0
// Looking things up in a request that was read: headers, list elements, query
// parameters, percent-encoding; and whether a text may be echoed.
//
// Thread: pure functions.
#include "http1.h"
#include "http1_chars.h"
#include "scan.h"

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
    size_t at = 0;

    while (at < query.len) {
        const char *p = query.p + at;
        const char *amp = memchr(p, '&', query.len - at);
        size_t len = amp == NULL ? query.len - at : (size_t)(amp - p);
        const char *equals = memchr(p, '=', len);
        size_t name_len = equals == NULL ? len : (size_t)(equals - p);

        if (zn__slice_eq((struct zn_slice){ p, name_len }, key)) {
            size_t skip = equals == NULL ? len : name_len + 1;

            *out = (struct zn_slice){ p + skip, len - skip };
            return true;
        }
        at += len + 1;
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

bool zn__http_value_valid(struct zn_slice text)
{
    const char *end;

    if (text.len == 0) {
        return true;
    }
    end = text.p + text.len;
    return !zn__http_is_blank(text.p[0]) && !zn__http_is_blank(end[-1]) &&
           zn__scan_field_value(text.p, end) == end;
}
