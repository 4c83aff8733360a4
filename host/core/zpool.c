// SPDX-License-Identifier: Apache-2.0
// See zpool.h.
#include "zpool.h"

#include "proto/deflate.h"

#include <stdlib.h>

enum {
    MEM_LEVEL = 8,
    KEEP_MAX = 4, // free streams kept for each window size
};

void zn__zpool_init(struct zn_zpool *pool, int level)
{
    *pool = (struct zn_zpool){ .level = level };
}

static void stream_destroy(struct zn_zstream *stream)
{
    if (stream->deflates)
        deflateEnd(&stream->z);
    else
        inflateEnd(&stream->z);
    free(stream);
}

void zn__zpool_deinit(struct zn_zpool *pool)
{
    for (unsigned bits = 0; bits < 16; bits++) {
        for (struct zn_zstream *s = pool->deflaters[bits], *next; s != NULL; s = next) {
            next = s->next;
            stream_destroy(s);
        }
        for (struct zn_zstream *s = pool->inflaters[bits], *next; s != NULL; s = next) {
            next = s->next;
            stream_destroy(s);
        }
    }
}

static struct zn_zstream *pool_take(struct zn_zpool *pool, bool deflates, uint8_t bits)
{
    struct zn_zstream **list = deflates ? &pool->deflaters[bits] : &pool->inflaters[bits];
    struct zn_zstream *stream = *list;
    if (stream != NULL) {
        *list = stream->next;
        if (deflates)
            deflateReset(&stream->z);
        else
            zn__inflate_reset(&stream->z);
        pool->lent++;
        return stream;
    }
    stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->window_bits = bits;
    stream->deflates = deflates;
    int err = deflates ? zn__deflate_init(&stream->z, bits, pool->level, MEM_LEVEL)
                       : zn__inflate_init(&stream->z, bits);
    if (err < 0) {
        free(stream);
        return NULL;
    }
    pool->lent++;
    return stream;
}

struct zn_zstream *zn__zpool_deflater(struct zn_zpool *pool, uint8_t window_bits)
{
    return pool_take(pool, true, window_bits);
}

struct zn_zstream *zn__zpool_inflater(struct zn_zpool *pool, uint8_t window_bits)
{
    return pool_take(pool, false, window_bits);
}

void zn__zpool_put(struct zn_zpool *pool, struct zn_zstream *stream)
{
    if (stream == NULL)
        return;
    struct zn_zstream **list = stream->deflates ? &pool->deflaters[stream->window_bits]
                                                : &pool->inflaters[stream->window_bits];
    pool->lent--;
    unsigned kept = 0;
    for (struct zn_zstream *s = *list; s != NULL; s = s->next)
        kept++;
    if (kept >= KEEP_MAX) {
        stream_destroy(stream);
        return;
    }
    stream->next = *list;
    *list = stream;
}
