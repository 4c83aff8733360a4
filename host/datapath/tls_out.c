// SPDX-License-Identifier: Apache-2.0
// Ciphertext on its way out: blocks from pools by size, since a small message to very many
// streams must not pin a whole record's room for each until the inner datapath reports it sent.
//
// Thread: the instance's.
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_MAX = 256 }; // streams of one inner burst

static const struct {
    uint32_t cap;
    unsigned spare_max; // blocks kept for the next use
} classes[ZN_TLS_CLASSES] = {
    { 256, 4096 },
    { 1024, 1024 },
    { 4096, 256 },
    { ZN_TLS_RECORD_MAX + 512, 64 }, // a whole record with header, padding and tag
};

static struct zn_tls_out *out_take(struct zn_tls_dp *dp, size_t len)
{
    uint32_t class = 0;
    while (class < ZN_TLS_CLASSES - 1 && classes[class].cap < len)
        class ++;
    struct zn_tls_out *out = dp->spare[class];
    if (out) {
        dp->spare[class] = out->next;
        dp->spare_len[class]--;
    } else {
        out = malloc(sizeof *out + classes[class].cap);
        if (!out)
            return NULL;
    }
    *out = (struct zn_tls_out){ .cap = classes[class].cap, .class = class };
    return out;
}

static void out_give(struct zn_tls_dp *dp, struct zn_tls_out *out)
{
    if (dp->spare_len[out->class] == classes[out->class].spare_max) {
        free(out);
        return;
    }
    out->next = dp->spare[out->class];
    dp->spare[out->class] = out;
    dp->spare_len[out->class]++;
}

int zn__tls_out_append(struct zn_tls_dp *dp, struct zn_stream *stream, const void *data, size_t len)
{
    struct zn_tls_out **link = &stream->out;
    struct zn_tls_out *out = NULL;
    size_t queued = 0;
    for (; *link; link = &out->next) {
        out = *link;
        queued += out->len;
    }
    if (queued + len > ZN_TLS_OUT_MAX)
        return -ENOBUFS;
    for (const uint8_t *bytes = data; len;) {
        if (!out || out->start + out->len == out->cap) {
            out = *link = out_take(dp, len);
            if (!out)
                return -ENOMEM;
            link = &out->next;
        }
        uint32_t room = out->cap - out->start - out->len;
        uint32_t part = len < room ? (uint32_t)len : room;
        memcpy(out->data + out->start + out->len, bytes, part);
        out->len += part;
        bytes += part;
        len -= part;
    }
    return 0;
}

static void out_advance(struct zn_tls_dp *dp, struct zn_stream *stream, size_t len)
{
    while (len) {
        struct zn_tls_out *out = stream->out;
        if (len < out->len) {
            out->start += (uint32_t)len;
            out->len -= (uint32_t)len;
            return;
        }
        len -= out->len;
        stream->out = out->next;
        out_give(dp, out);
    }
}

static unsigned out_gather(struct zn_stream *stream, struct iovec *iov)
{
    unsigned len = 0;
    stream->flight = 0;
    for (struct zn_tls_out *out = stream->out; out && len < ZN_TLS_IOV_MAX; out = out->next) {
        iov[len++] = (struct iovec){ out->data + out->start, out->len };
        stream->flight += out->len;
    }
    return len;
}

// Gives a group to the inner datapath. Streams that it took all of, and that have more, are put
// in front of `streams`; returns how many these are.
static unsigned group_send(struct zn_tls_dp *dp, struct zn_stream **streams, unsigned len)
{
    struct zn_dp_send burst[GROUP_MAX];
    struct iovec iov[GROUP_MAX][ZN_TLS_IOV_MAX];
    unsigned burst_len = 0;
    for (unsigned i = 0; i < len; i++) {
        struct zn_stream *stream = streams[i];
        if (!stream->out || stream->flags & (ZN_TLS_SENDING | ZN_TLS_DEAD))
            continue;
        unsigned count = out_gather(stream, iov[burst_len]);
        burst[burst_len] = (struct zn_dp_send){ zn__tls_inner(stream), iov[burst_len], count, 0 };
        burst_len++;
    }
    if (burst_len)
        dp->inner->ops->send(dp->inner, burst, burst_len);
    unsigned more = 0;
    for (unsigned i = 0; i < burst_len; i++) {
        struct zn_stream *stream = zn__tls_outer(burst[i].stream);
        stream->flight -= (uint32_t)burst[i].taken;
        out_advance(dp, stream, burst[i].taken);
        if (stream->flight)
            stream->flags |= ZN_TLS_SENDING;
        else if (stream->out)
            streams[more++] = stream;
    }
    return more;
}

void zn__tls_out_flush(struct zn_tls_dp *dp, struct zn_stream *const *streams, unsigned len)
{
    struct zn_stream *group[GROUP_MAX];
    for (unsigned first = 0; first < len; first += GROUP_MAX) {
        unsigned left = len - first < GROUP_MAX ? len - first : GROUP_MAX;
        memcpy(group, streams + first, left * sizeof *group);
        while (left)
            left = group_send(dp, group, left);
    }
}

void zn__tls_out_sent(struct zn_tls_dp *dp, struct zn_stream *stream, size_t len)
{
    out_advance(dp, stream, len);
    stream->flight = len ? stream->flight - (uint32_t)len : 0;
    if (!stream->flight)
        stream->flags &= ~ZN_TLS_SENDING;
}

void zn__tls_out_clear(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    while (stream->out) {
        struct zn_tls_out *out = stream->out;
        stream->out = out->next;
        out_give(dp, out);
    }
    stream->flight = 0;
}

void zn__tls_out_deinit(struct zn_tls_dp *dp)
{
    for (unsigned class = 0; class < ZN_TLS_CLASSES; class ++) {
        while (dp->spare[class]) {
            struct zn_tls_out *out = dp->spare[class];
            dp->spare[class] = out->next;
            free(out);
        }
    }
}
