// SPDX-License-Identifier: Apache-2.0
// Finds attachments' places in one pass over JSON that was checked before; a few
// bits a level of nesting, since members come in any order and the last one counts.
//
// Thread: pure functions.
#include "sio_placeholder.h"

#include "json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MARKED = 1,    // "_placeholder" is true
    NUM_VALID = 2, // "num" is in range
    BAD_INSIDE = 4 // an object inside is marked without a valid num
};

// The exponent of a number, `p` standing after its mantissa; beyond what any
// text has room for it does not matter how far.
static int64_t read_exponent(const char *p, const char *end)
{
    int64_t value = 0;
    bool minus;

    if (p == end) {
        return 0;
    }
    p++;
    minus = *p == '-';
    for (p += *p == '-' || *p == '+'; p < end; p++) {
        value = value < INT32_MAX ? value * 10 + (*p - '0') : value;
    }
    return minus ? -value : value;
}

// A number of JSON as a whole number from 0 to 9, else -1. Such a number has at
// most one digit that is not 0, however it is written: 3, 3.0, 0.3e1, 30e-1.
static int small_whole(struct zn_slice number)
{
    const char *end = number.p + number.len;
    const char *p = number.p + (*number.p == '-');
    const char *point = p;
    const char *found = NULL;
    int64_t place;

    while (point < end && *point >= '0' && *point <= '9') {
        point++;
    }
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p != '0' && *p != '.') {
            if (found != NULL) {
                return -1;
            }
            found = p;
        }
    }
    if (found == NULL) {
        return 0;
    }
    place = found < point ? point - 1 - found : point - found;
    return *number.p != '-' && place + read_exponent(p, end) == 0 ? *found - '0' : -1;
}

// Notes a member in the flags of its object; the value stands in `rest`. Only
// scalars are read here, so that no byte is read once for each level around it.
static uint8_t note_member(uint8_t flags, struct zn_slice name, struct zn_slice rest,
                           unsigned attachments)
{
    char first = rest.len > 0 ? *rest.p : 0;
    struct zn_slice value;

    if (zn__json_string_eq(name, ZN_SLICE("_placeholder"))) {
        flags &= (uint8_t)~MARKED;
        flags |= first == 't' ? MARKED : 0;
    } else if (zn__json_string_eq(name, ZN_SLICE("num"))) {
        flags &= (uint8_t)~NUM_VALID;
        if ((first == '-' || (first >= '0' && first <= '9')) &&
            zn__json_value(rest, NULL, &value) > 0) {
            int num = small_whole(value);

            flags |= num >= 0 && (unsigned)num < attachments ? NUM_VALID : 0;
        }
    }
    return flags;
}

// What a container that closes with `flags` means for the one around it.
static uint8_t closed(uint8_t flags)
{
    uint8_t bad = (flags & MARKED) != 0 ? !(flags & NUM_VALID) : (flags & BAD_INSIDE) != 0;

    return bad ? BAD_INSIDE : 0;
}

int zn__sio_placeholders_check(struct zn_slice data, unsigned attachments)
{
    uint8_t levels[ZN_JSON_DEPTH_MAX + 1];
    unsigned depth = 0;
    const char *end = data.p + data.len;
    const char *p = data.p;

    levels[0] = 0;
    while (p < end) {
        struct zn_slice rest = { p, (size_t)(end - p) };
        struct zn_slice name;
        char c = *p;

        if (c == '"') {
            p += zn__json_value(rest, NULL, &name);
            rest = zn__json_trim((struct zn_slice){ p, (size_t)(end - p) });
            if (rest.len > 0 && *rest.p == ':') {
                rest = zn__json_trim((struct zn_slice){ rest.p + 1, rest.len - 1 });
                levels[depth] = note_member(levels[depth], name, rest, attachments);
                p = rest.p;
            }
            continue;
        }
        if (c == '{' || c == '[') {
            levels[++depth] = 0;
        } else if (c == '}' || c == ']') {
            depth--;
            levels[depth] |= closed(levels[depth + 1]);
        }
        p++;
    }
    return (levels[0] & BAD_INSIDE) != 0 ? -EPROTO : 0;
}
