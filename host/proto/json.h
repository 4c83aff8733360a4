// SPDX-License-Identifier: Apache-2.0
// The little that the router needs of JSON (RFC 8259): check a text without
// building it, cut an array into its elements, read a string, write a string.
// Iterative, bounded depth, no allocation.
#ifndef ZN_PROTO_JSON_H
#define ZN_PROTO_JSON_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ZN_JSON_DEPTH_MAX = 512 };

enum zn_json_kind {
    ZN_JSON_OBJECT,
    ZN_JSON_ARRAY,
    ZN_JSON_STRING,
    ZN_JSON_NUMBER,
    ZN_JSON_TRUE,
    ZN_JSON_FALSE,
    ZN_JSON_NULL,
};

// Reads one value at the start of `in` (white space before it is skipped).
// Returns the bytes used up and, unless NULL, its kind and its text without
// white space around; -EPROTO: malformed or deeper than ZN_JSON_DEPTH_MAX.
// The input must be valid UTF-8 already.
ssize_t zn__json_value(struct zn_slice in, enum zn_json_kind *kind_out, struct zn_slice *value_out);

// Whether `in` is exactly one value with optional white space around.
bool zn__json_valid(struct zn_slice in);

// `in` without white space around it.
struct zn_slice zn__json_trim(struct zn_slice in);

// What stands between the brackets of an array that was checked before.
struct zn_slice zn__json_inside(struct zn_slice array);

// Walks elements that were checked before, without the brackets around them
// (`1,"a",{}`; for a whole array pass zn__json_inside() of it, because `[1]` alone
// could be read both ways): start with *cursor = 0. Returns 1 with the next
// element, 0 at the end.
int zn__json_next(struct zn_slice elements, size_t *cursor, enum zn_json_kind *kind_out,
                  struct zn_slice *value_out);

// The member `key` of an object that was checked before (the last one counts, as
// in JSON.parse); the out-parameters may be NULL; false when it is not there.
bool zn__json_member(struct zn_slice object, struct zn_slice key, enum zn_json_kind *kind_out,
                     struct zn_slice *value_out);

// A string value (with its quotes) as UTF-8 in out[cap]; lone surrogates become
// U+FFFD. Returns the length, or -EMSGSIZE.
ssize_t zn__json_string(struct zn_slice value, char *out, size_t cap);

// Whether a string value (with its quotes) stands for `text`, whatever its escapes.
bool zn__json_string_eq(struct zn_slice value, struct zn_slice text);

// Writes `text` as JSON.stringify does, quotes included. Returns the length, or -EMSGSIZE.
ssize_t zn__json_quote(struct zn_slice text, char *out, size_t cap);

#endif
