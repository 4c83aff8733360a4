// SPDX-License-Identifier: Apache-2.0
// A borrowed run of bytes. The bytes belong to whoever filled the slice in and
// live as long as the buffer that was parsed; slices are never NUL-terminated.
#ifndef ZN_PROTO_SLICE_H
#define ZN_PROTO_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct zn_slice {
    const char *p;
    size_t len;
};

#define ZN_SLICE(literal) ((struct zn_slice){ (literal), sizeof(literal) - 1 })

static inline bool zn__slice_eq(struct zn_slice a, struct zn_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

// ASCII case-insensitive comparison, for HTTP tokens.
static inline bool zn__slice_ieq(struct zn_slice a, struct zn_slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

#endif
