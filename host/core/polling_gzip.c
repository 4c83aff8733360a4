// SPDX-License-Identifier: Apache-2.0
// gzip for polling answers (RFC 1952), from 1 KiB on, as the reference does by default.
#include "engine.h"

#include "zpool.h"

enum {
    THRESHOLD = 1024,
    HEAD_LEN = 10,
    TAIL_LEN = 8,
};

// Deflates the payload of `queue` to `out`, in one raw stream. Returns the length, 0: it does not
// fit.
static size_t queue_deflate(const struct zn_outq *queue, z_stream *z, uint8_t *out, size_t cap,
                            uint32_t *crc_out)
{
    uLong crc = crc32(0, NULL, 0);
    z->next_out = out;
    z->avail_out = (uInt)cap;
    for (unsigned i = queue->head; i < queue->tail; i++) {
        uint32_t skip = i == queue->head; // the first separator
        const struct zn_out *entry = zn__outq_at(queue, i);
        z->next_in = entry->chunk->data + entry->off + skip;
        z->avail_in = entry->len - skip;
        crc = crc32(crc, z->next_in, z->avail_in);
        int last = i + 1 == queue->tail;
        if (deflate(z, last ? Z_FINISH : Z_NO_FLUSH) != (last ? Z_STREAM_END : Z_OK))
            return 0;
    }
    *crc_out = (uint32_t)crc;
    return cap - z->avail_out;
}

static uint8_t *put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

// The gzip file of the queue's payload as a run, with a byte in front where the separator was.
static bool queue_gzip(const struct zn_outq *queue, struct zn_reactor *reactor,
                       struct zn_run *run_out)
{
    static const uint8_t head[HEAD_LEN] = { 0x1f, 0x8b, Z_DEFLATED, [9] = 3 }; // no name, Unix
    size_t len = queue->bytes - 1;
    size_t cap = len + len / 8 + 64;
    struct zn_zstream *stream = zn__zpool_deflater(reactor->zpool, 15);
    uint8_t *at =
        stream == NULL ? NULL : zn__arena_reserve(&reactor->arena, 1 + HEAD_LEN + cap + TAIL_LEN);
    uint32_t crc;
    size_t deflated = 0;
    if (at != NULL) {
        at[0] = ZN_EIO_SEPARATOR;
        memcpy(at + 1, head, HEAD_LEN);
        deflated = queue_deflate(queue, &stream->z, at + 1 + HEAD_LEN, cap, &crc);
    }
    zn__zpool_put(reactor->zpool, stream);
    if (deflated == 0)
        return false;
    uint8_t *tail = put_le32(at + 1 + HEAD_LEN + deflated, crc);
    put_le32(tail, (uint32_t)len);
    *run_out = zn__arena_commit(&reactor->arena, 1 + HEAD_LEN + deflated + TAIL_LEN);
    return true;
}

bool zn__polling_compress(struct zn_session *session, const struct zn_conn *conn)
{
    struct zn_outq *queue = &session->queue;
    struct zn_run run;
    if (session->engine->options.no_http_compression || queue->bytes - 1 < THRESHOLD ||
        !zn__http_accepts_gzip(conn) || !queue_gzip(queue, session->reactor, &run))
        return false;
    struct zn_outq zipped = { .polling = true };
    bool done = zn__outq_push(&zipped, &run, ZN_OUT_CONTROL | ZN_OUT_GROUP) == 0;
    zn__run_drop(&run);
    if (!done)
        return false;
    ZN_COUNT(session->reactor, buffered_now, (int64_t)zipped.bytes - (int64_t)queue->bytes);
    zn__outq_deinit(queue);
    *queue = zipped;
    return true;
}
