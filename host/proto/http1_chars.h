// SPDX-License-Identifier: Apache-2.0
// Classes of bytes in HTTP/1.1 (RFC 9110 section 5.6, RFC 3986), one table for
// the head and the body.
#ifndef ZN_PROTO_HTTP1_CHARS_H
#define ZN_PROTO_HTTP1_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ZN_HTTP_TOKEN = 1,  // tchar
    ZN_HTTP_TARGET = 2, // origin-form: what browsers send, so more than RFC 3986 allows
    ZN_HTTP_HOST = 4,   // reg-name and IPv4address
    ZN_HTTP_DIGIT = 8,
    ZN_HTTP_HEX = 16,
    ZN_HTTP_VALUE = 32, // field-vchar, space, tab
};

extern const uint8_t zn__http_chars[256];

static inline bool zn__http_is(char c, uint8_t classes)
{
    return (zn__http_chars[(uint8_t)c] & classes) != 0;
}

static inline bool zn__http_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// `c` is a hexadecimal digit.
static inline unsigned zn__http_hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

#endif
