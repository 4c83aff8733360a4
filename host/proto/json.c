// SPDX-License-Identifier: Apache-2.0
// Checks and cuts JSON text: one pass, no recursion, one bit a level of nesting.
//
// Thread: pure functions.
#include "json.h"

#include "scan.h"

#include <errno.h>

// The kinds of the open containers: bit n is set when level n is an object.
struct nesting {
    uint64_t objects[ZN_JSON_DEPTH_MAX / 64];
    unsigned depth;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p)) {
        p++;
    }
    return p;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four digits at `p`, or -1.
static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);

        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

// The scanners below return the byte after what they read, or NULL.

// `p` stands after the backslash.
static const char *scan_escape(const char *p, const char *end)
{
    if (p == end) {
        return NULL;
    }
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 1;
    case 'u':
        return hex4(p + 1, end) < 0 ? NULL : p + 5;
    default:
        return NULL;
    }
}

// `p` stands after the opening quote.
static const char *scan_string(const char *p, const char *end)
{
    for (;;) {
        p = zn__scan_json_string(p, end);
        if (p == end) {
            return NULL;
        }
        if (*p == '"') {
            return p + 1;
        }
        if (*p != '\\') {
            return NULL;
        }
        p = scan_escape(p + 1, end);
        if (p == NULL) {
            return NULL;
        }
    }
}

static const char *scan_digits(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && is_digit(*p)) {
        p++;
    }
    return p == start ? NULL : p;
}

static const char *scan_number(const char *p, const char *end)
{
    if (*p == '-') {
        p++;
    }
    if (p < end && *p == '0') {
        p++;
    } else {
        p = scan_digits(p, end);
    }
    if (p != NULL && p < end && *p == '.') {
        p = scan_digits(p + 1, end);
    }
    if (p != NULL && p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        p = scan_digits(p, end);
    }
    return p;
}

static const char *scan_word(const char *p, const char *end, const char *word, size_t len)
{
    return (size_t)(end - p) >= len && memcmp(p, word, len) == 0 ? p + len : NULL;
}

// `p < end`.
static const char *scan_scalar(const char *p, const char *end, enum zn_json_kind *kind_out)
{
    switch (*p) {
    case '"':
        *kind_out = ZN_JSON_STRING;
        return scan_string(p + 1, end);
    case 't':
        *kind_out = ZN_JSON_TRUE;
        return scan_word(p, end, "true", 4);
    case 'f':
        *kind_out = ZN_JSON_FALSE;
        return scan_word(p, end, "false", 5);
    case 'n':
        *kind_out = ZN_JSON_NULL;
        return scan_word(p, end, "null", 4);
    default:
        *kind_out = ZN_JSON_NUMBER;
        return *p == '-' || is_digit(*p) ? scan_number(p, end) : NULL;
    }
}

// The key of a member and its colon, with white space around them.
static const char *scan_key(const char *p, const char *end)
{
    p = skip_space(p, end);
    if (p == end || *p != '"') {
        return NULL;
    }
    p = scan_string(p + 1, end);
    if (p == NULL) {
        return NULL;
    }
    p = skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

static bool in_object(const struct nesting *nest)
{
    unsigned level = nest->depth - 1;

    return (nest->objects[level / 64] >> (level % 64) & 1) != 0;
}

// Enters the container that opens at `p`; stops at its first value, or at its
// closing bracket when it is empty.
static const char *enter(struct nesting *nest, const char *p, const char *end, bool *empty_out)
{
    bool object = *p == '{';
    uint64_t bit = 1ull << (nest->depth % 64);

    if (nest->depth == ZN_JSON_DEPTH_MAX) {
        return NULL;
    }
    if (object) {
        nest->objects[nest->depth / 64] |= bit;
    } else {
        nest->objects[nest->depth / 64] &= ~bit;
    }
    nest->depth++;
    p = skip_space(p + 1, end);
    if (p == end) {
        return NULL;
    }
    *empty_out = *p == (object ? '}' : ']');
    return object && !*empty_out ? scan_key(p, end) : p;
}

// Closes the containers that end after a value, and passes the comma (and key)
// before the next value. Stops with depth 0 at the end of the outermost one.
static const char *leave(struct nesting *nest, const char *p, const char *end)
{
    for (;;) {
        bool object = in_object(nest);

        p = skip_space(p, end);
        if (p == end) {
            return NULL;
        }
        if (*p == ',') {
            return object ? scan_key(p + 1, end) : p + 1;
        }
        if (*p != (object ? '}' : ']')) {
            return NULL;
        }
        p++;
        if (--nest->depth == 0) {
            return p;
        }
    }
}

static const char *scan_container(const char *p, const char *end)
{
    struct nesting nest;

    nest.depth = 0;
    do {
        enum zn_json_kind kind;
        bool empty = true;

        p = skip_space(p, end);
        if (p == end) {
            return NULL;
        }
        if (*p == '{' || *p == '[') {
            p = enter(&nest, p, end, &empty);
        } else {
            p = scan_scalar(p, end, &kind);
        }
        if (p != NULL && empty) {
            p = leave(&nest, p, end);
        }
    } while (p != NULL && nest.depth > 0);
    return p;
}

ssize_t zn__json_value(struct zn_slice in, enum zn_json_kind *kind_out, struct zn_slice *value_out)
{
    const char *start, *end, *p;
    enum zn_json_kind kind;

    if (in.len == 0) {
        return -EPROTO;
    }
    end = in.p + in.len;
    start = skip_space(in.p, end);
    if (start == end) {
        return -EPROTO;
    }
    if (*start == '{' || *start == '[') {
        kind = *start == '{' ? ZN_JSON_OBJECT : ZN_JSON_ARRAY;
        p = scan_container(start, end);
    } else {
        p = scan_scalar(start, end, &kind);
    }
    if (p == NULL) {
        return -EPROTO;
    }
    if (kind_out != NULL) {
        *kind_out = kind;
    }
    if (value_out != NULL) {
        *value_out = (struct zn_slice){ start, (size_t)(p - start) };
    }
    return p - in.p;
}

bool zn__json_valid(struct zn_slice in)
{
    struct zn_slice text = zn__json_trim(in);

    return zn__json_value(text, NULL, NULL) == (ssize_t)text.len && text.len > 0;
}

struct zn_slice zn__json_trim(struct zn_slice in)
{
    while (in.len > 0 && is_space(*in.p)) {
        in.p++;
        in.len--;
    }
    while (in.len > 0 && is_space(in.p[in.len - 1])) {
        in.len--;
    }
    return in;
}

struct zn_slice zn__json_inside(struct zn_slice array)
{
    struct zn_slice whole = zn__json_trim(array);

    if (whole.len < 2) {
        return (struct zn_slice){ whole.p, 0 };
    }
    return zn__json_trim((struct zn_slice){ whole.p + 1, whole.len - 2 });
}

// Takes a value off the front of a text.
static bool take_value(struct zn_slice *text, enum zn_json_kind *kind_out,
                       struct zn_slice *value_out)
{
    ssize_t used = zn__json_value(*text, kind_out, value_out);

    if (used < 0) {
        return false;
    }
    text->p += used;
    text->len -= (size_t)used;
    return true;
}

// Takes `c`, and white space before it, off the front of a text.
static bool take(struct zn_slice *text, char c)
{
    while (text->len > 0 && is_space(*text->p)) {
        text->p++;
        text->len--;
    }
    if (text->len == 0 || *text->p != c) {
        return false;
    }
    text->p++;
    text->len--;
    return true;
}

int zn__json_next(struct zn_slice elements, size_t *cursor, enum zn_json_kind *kind_out,
                  struct zn_slice *value_out)
{
    struct zn_slice rest = { elements.p, elements.len };

    if (*cursor > 0 && *cursor <= elements.len) {
        rest = (struct zn_slice){ elements.p + *cursor, elements.len - *cursor };
        take(&rest, ',');
    }
    if (!take_value(&rest, kind_out, value_out)) {
        return 0;
    }
    *cursor = elements.len - rest.len;
    return 1;
}

bool zn__json_member(struct zn_slice object, struct zn_slice key, enum zn_json_kind *kind_out,
                     struct zn_slice *value_out)
{
    struct zn_slice rest = zn__json_inside(object);
    bool found = false;

    while (rest.len > 0) {
        struct zn_slice name, value;
        enum zn_json_kind kind;

        if (!take_value(&rest, &kind, &name) || kind != ZN_JSON_STRING || !take(&rest, ':') ||
            !take_value(&rest, &kind, &value)) {
            break;
        }
        if (zn__json_string_eq(name, key)) {
            found = true;
            if (kind_out != NULL) {
                *kind_out = kind;
            }
            if (value_out != NULL) {
                *value_out = value;
            }
        }
        take(&rest, ',');
    }
    return found;
}
