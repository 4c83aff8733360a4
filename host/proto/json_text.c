// SPDX-License-Identifier: Apache-2.0
// JSON strings read and written: escapes to UTF-8 and back.
//
// Thread: pure functions.
#include "json.h"

#include "scan.h"

#include <errno.h>

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static unsigned hex4(const char *p)
{
    return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

// A scalar value, never a surrogate, as UTF-8; returns its length.
static size_t utf8_put(unsigned c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

// Reads `uXXXX`, and the second half of a surrogate pair with it.
static unsigned read_unicode(const char **p, const char *end)
{
    unsigned c = hex4(*p + 1);

    *p += 5;
    if (c < 0xd800 || c > 0xdfff) {
        return c;
    }
    if (c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        unsigned low = hex4(*p + 2);

        if (low >= 0xdc00 && low <= 0xdfff) {
            *p += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

// Reads the escape after a backslash of a string that was checked; `*p` moves
// past it. Returns its length in UTF-8.
static size_t read_escape(const char **p, const char *end, char out[4])
{
    char c = **p;

    switch (c) {
    case 'u':
        return utf8_put(read_unicode(p, end), out);
    case 'b':
        c = '\b';
        break;
    case 'f':
        c = '\f';
        break;
    case 'n':
        c = '\n';
        break;
    case 'r':
        c = '\r';
        break;
    case 't':
        c = '\t';
        break;
    default: // quote, backslash and slash stand for themselves
        break;
    }
    (*p)++;
    out[0] = c;
    return 1;
}

ssize_t zn__json_string(struct zn_slice value, char *out, size_t cap)
{
    const char *p = value.p + 1;
    const char *end = value.p + value.len - 1;
    size_t len = 0;

    while (p < end) {
        const char *stop = zn__scan_json_string(p, end);
        size_t run = (size_t)(stop - p);
        char escaped[4];
        size_t n;

        if (run > cap - len) {
            return -EMSGSIZE;
        }
        memcpy(out + len, p, run);
        len += run;
        if (stop == end) {
            break;
        }
        p = stop + 1;
        n = read_escape(&p, end, escaped);
        if (n > cap - len) {
            return -EMSGSIZE;
        }
        memcpy(out + len, escaped, n);
        len += n;
    }
    return (ssize_t)len;
}

bool zn__json_string_eq(struct zn_slice value, struct zn_slice text)
{
    const char *p = value.p + 1;
    const char *end = value.p + value.len - 1;
    size_t at = 0;

    while (p < end) {
        const char *stop = zn__scan_json_string(p, end);
        size_t n = (size_t)(stop - p);
        char escaped[4];

        if (n > text.len - at || memcmp(p, text.p + at, n) != 0) {
            return false;
        }
        at += n;
        if (stop == end) {
            break;
        }
        p = stop + 1;
        n = read_escape(&p, end, escaped);
        if (n > text.len - at || memcmp(escaped, text.p + at, n) != 0) {
            return false;
        }
        at += n;
    }
    return at == text.len;
}

// The escape that JSON.stringify writes for a quote, a backslash or a control byte.
static size_t write_escape(unsigned char c, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "btn_fr"; // 0x08 to 0x0d; 0x0b has no name

    out[0] = '\\';
    if (c == '"' || c == '\\') {
        out[1] = (char)c;
        return 2;
    }
    if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        out[1] = named[c - 0x08];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

ssize_t zn__json_quote(struct zn_slice text, char *out, size_t cap)
{
    size_t at = 0;
    size_t len = 1;

    if (cap < 2) {
        return -EMSGSIZE;
    }
    cap--; // the closing quote
    out[0] = '"';
    while (at < text.len) {
        const char *p = text.p + at;
        const char *stop = zn__scan_json_string(p, text.p + text.len);
        size_t n = (size_t)(stop - p);
        char escaped[6];

        if (n > cap - len) {
            return -EMSGSIZE;
        }
        memcpy(out + len, p, n);
        len += n;
        at += n;
        if (at == text.len) {
            break;
        }
        n = write_escape((unsigned char)text.p[at++], escaped);
        if (n > cap - len) {
            return -EMSGSIZE;
        }
        memcpy(out + len, escaped, n);
        len += n;
    }
    out[len++] = '"';
    return (ssize_t)len;
}
