// SPDX-License-Identifier: Apache-2.0
// Growing bytes, lent to a connection while a request or message is incomplete.
#ifndef ZN_CORE_BUFFER_H
#define ZN_CORE_BUFFER_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct zn_buffer {
    size_t len;
    size_t cap;
    uint8_t data[];
};

// How much room zn__buffer_room() would add.
static inline size_t zn__buffer_growth(const struct zn_buffer *buffer, size_t more)
{
    size_t len = buffer != NULL ? buffer->len : 0;
    size_t cap = buffer != NULL ? buffer->cap : 0;
    if (buffer != NULL && cap - len >= more)
        return 0;
    size_t want = len + more;
    if (want < cap * 2)
        want = cap * 2;
    if (want < 240)
        want = 240;
    return want - cap;
}

// Makes room for `more` bytes (perhaps none) behind what is there, so that *buffer is not NULL. 0,
// or -ENOMEM with *buffer as it was.
static inline int zn__buffer_room(struct zn_buffer **buffer, size_t more)
{
    size_t growth = zn__buffer_growth(*buffer, more);
    if (growth == 0)
        return 0;
    size_t len = *buffer != NULL ? (*buffer)->len : 0;
    size_t cap = *buffer != NULL ? (*buffer)->cap : 0;
    struct zn_buffer *grown = realloc(*buffer, sizeof(*grown) + cap + growth);
    if (grown == NULL)
        return -ENOMEM;
    grown->len = len;
    grown->cap = cap + growth;
    *buffer = grown;
    return 0;
}

static inline int zn__buffer_add(struct zn_buffer **buffer, const void *p, size_t len)
{
    if (zn__buffer_room(buffer, len) < 0)
        return -ENOMEM;
    if (len > 0)
        memcpy((*buffer)->data + (*buffer)->len, p, len);
    (*buffer)->len += len;
    return 0;
}

#endif
