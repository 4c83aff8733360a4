// SPDX-License-Identifier: Apache-2.0
// RFC 7692 permessage-deflate: the message transforms over zlib, see deflate.h.
#include "deflate.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

enum { RAW_WINDOW_BITS_MIN = 9 };

// What section 7.2.1 cuts off a compressed message and section 7.2.2 puts back. One byte
// more than is read, so that the place after it belongs to nothing else (see in_tail).
enum { TAIL_LEN = 4 };
static const uint8_t tail[TAIL_LEN + 1] = { 0x00, 0x00, 0xff, 0xff };

int zn__deflate_init(z_stream *z, uint8_t window_bits, int level, int mem_level)
{
    int bits = window_bits < RAW_WINDOW_BITS_MIN ? RAW_WINDOW_BITS_MIN : window_bits;
    int rc = deflateInit2(z, level, Z_DEFLATED, -bits, mem_level, Z_DEFAULT_STRATEGY);

    assert(rc == Z_OK || rc == Z_MEM_ERROR);
    return rc == Z_OK ? 0 : -ENOMEM;
}

int zn__inflate_init(z_stream *z, uint8_t window_bits)
{
    int rc;

    z->next_in = NULL;
    z->avail_in = 0;
    rc = inflateInit2(z, -(int)window_bits);
    assert(rc == Z_OK || rc == Z_MEM_ERROR);
    return rc == Z_OK ? 0 : -ENOMEM;
}

// zlib's own bound for streams of any window and memory level, and the sync flush.
size_t zn__deflate_bound(size_t len)
{
    return len > SIZE_MAX / 2 ? SIZE_MAX : len + (len >> 3) + (len >> 6) + 32;
}

ssize_t zn__deflate_message(z_stream *z, struct zn_slice in, bool reset, uint8_t *out, size_t cap)
{
    size_t room = cap > UINT_MAX ? UINT_MAX : cap;
    ssize_t len = -EMSGSIZE;

    // An empty message is one empty stored block (section 7.2.3.6); zlib refuses to flush twice.
    if (in.len == 0) {
        if (cap == 0)
            return -EMSGSIZE;
        out[0] = 0x00;
        return 1;
    }
    if (in.len > UINT_MAX)
        return -EMSGSIZE;
    z->next_in = (z_const Bytef *)in.p;
    z->avail_in = (uInt)in.len;
    z->next_out = out;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_SYNC_FLUSH) == Z_OK && z->avail_in == 0 && z->avail_out > 0)
        len = (ssize_t)(room - z->avail_out - TAIL_LEN);
    if (len < 0 || reset)
        deflateReset(z);
    return len;
}

// Whether zlib is reading the tail, or has read it: where a message's end was left off
// for want of room. Between calls next_in is kept for this alone.
static bool in_tail(const z_stream *z)
{
    return (uintptr_t)z->next_in - (uintptr_t)tail <= TAIL_LEN;
}

// Between two blocks, on a byte boundary: what zlib tells in data_type.
static bool at_boundary(const z_stream *z)
{
    return (z->data_type & 128) && (z->data_type & 63) == 0;
}

static int inflate_some(z_stream *z)
{
    switch (inflate(z, Z_SYNC_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR:
        return 0;
    case Z_STREAM_END:
        // A block with BFINAL ends zlib's stream but not ours (section 7.2.3.4): the window stays.
        inflateResetKeep(z);
        z->data_type = 128;
        return 0;
    case Z_MEM_ERROR:
        return -ENOMEM;
    default:
        return -EPROTO;
    }
}

// Inflates what is left of *in into the room that `z` has.
static int inflate_slice(z_stream *z, struct zn_slice *in)
{
    uInt len = in->len > UINT_MAX ? UINT_MAX : (uInt)in->len;
    int rc;

    z->next_in = (z_const Bytef *)in->p;
    z->avail_in = len;
    rc = inflate_some(z);
    in->p += len - z->avail_in;
    in->len -= len - z->avail_in;
    z->next_in = NULL;
    z->avail_in = 0;
    return rc;
}

// Inflates the end of a message, all of whose bytes are in. Sets *done_out when it is out.
static int inflate_tail(z_stream *z, bool *done_out)
{
    int rc;

    if (!in_tail(z)) {
        z->next_in = (z_const Bytef *)tail;
        z->avail_in = TAIL_LEN;
    }
    do {
        rc = inflate_some(z);
    } while (rc == 0 && z->avail_in > 0 && z->avail_out > 0);
    if (rc < 0 || z->avail_in > 0)
        return rc;
    *done_out = at_boundary(z);
    if (*done_out)
        z->next_in = NULL;
    return *done_out || z->avail_out == 0 ? 0 : -EPROTO;
}

ssize_t zn__inflate_next(z_stream *z, struct zn_slice *in, bool last, uint8_t *out, size_t cap,
                         bool *done_out)
{
    size_t room = cap > UINT_MAX ? UINT_MAX : cap;
    uint8_t nowhere = 0;
    int rc = 0;

    *done_out = false;
    z->next_out = room > 0 ? out : &nowhere;
    z->avail_out = (uInt)room;
    if (!in_tail(z)) {
        do {
            rc = inflate_slice(z, in);
        } while (rc == 0 && in->len > 0 && z->avail_out > 0);
        *done_out = !last && in->len == 0 && (z->avail_out > 0 || at_boundary(z));
    }
    if (rc == 0 && last && in->len == 0)
        rc = inflate_tail(z, done_out);
    return rc < 0 ? rc : (ssize_t)(room - z->avail_out);
}

void zn__inflate_reset(z_stream *z)
{
    inflateReset(z);
    z->next_in = NULL;
    z->avail_in = 0;
}
