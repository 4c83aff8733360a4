// SPDX-License-Identifier: Apache-2.0
// What is due on a TLS stream, and what waits for its ciphertext to be out. See tls.h.
#include "tls.h"

#include <stdlib.h>

void zn__tls_unlist(struct zn_stream *stream)
{
    if (stream->flags & ZN_TLS_LISTED)
        zn__tls_list_remove(&stream->queue);
    stream->flags &= ~ZN_TLS_LISTED;
}

static bool input_due(const struct zn_stream *stream)
{
    return stream->spill || (stream->flags & ZN_TLS_ESTABLISHED && SSL_pending(stream->ssl) > 0);
}

bool zn__tls_due(const struct zn_stream *stream)
{
    unsigned flags = stream->flags;
    if (flags & (ZN_TLS_LEAVING | ZN_TLS_CLOSING | ZN_TLS_DEAD))
        return false;
    if (flags & ZN_TLS_BROKEN)
        return !(flags & ZN_TLS_REPORTED);
    if (flags & ZN_TLS_SENT_DUE)
        return true;
    if (flags & ZN_TLS_PAUSED)
        return false;
    return input_due(stream) || (flags & ZN_TLS_EOF_DUE && !(flags & ZN_TLS_EOF_SEEN));
}

void zn__tls_list_due(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_TLS_LISTED || !zn__tls_due(stream))
        return;
    stream->flags |= ZN_TLS_LISTED;
    zn__tls_list_append(&dp->pending, &stream->queue);
}

// The inner stream is stopped while its bytes could only pile up here.
void zn__tls_update_hold(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    bool hold = stream->flags & ZN_TLS_PAUSED || stream->spill;
    if (hold == !!(stream->flags & ZN_TLS_HELD))
        return;
    stream->flags ^= ZN_TLS_HELD;
    dp->inner->ops->want(dp->inner, zn__tls_inner(stream), !hold);
}

// Frees all but the ciphertext that the inner datapath still sends from.
void zn__tls_free(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    zn__tls_unlist(stream);
    free(stream->spill);
    free(stream->travel);
    SSL_free(stream->ssl);
    stream->spill = NULL;
    stream->travel = NULL;
    stream->ssl = NULL;
    stream->flags |= ZN_TLS_DEAD;
    if (stream->flags & ZN_TLS_GONE_DUE)
        return;
    zn__tls_list_remove(&stream->all);
    zn__tls_out_clear(dp, stream);
}

void zn__tls_end(struct zn_tls_dp *dp, struct zn_stream *stream, enum zn_dp_end how)
{
    if (stream->flags & ZN_TLS_SENDING && dp->inner->ops->caps & ZN_DP_CAP_ASYNC)
        stream->flags |= ZN_TLS_GONE_DUE;
    dp->inner->ops->end(dp->inner, zn__tls_inner(stream), how);
    zn__tls_free(dp, stream);
}

// Does what has waited for the ciphertext to be out.
void zn__tls_settle(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    if (stream->out || stream->flags & (ZN_TLS_SENDING | ZN_TLS_DEAD | ZN_TLS_BROKEN))
        return;
    if (stream->flags & ZN_TLS_CLOSING) {
        zn__tls_end(dp, stream, ZN_END_RELEASE);
        return;
    }
    if (stream->flags & ZN_TLS_FINISHING) {
        stream->flags &= ~ZN_TLS_FINISHING;
        dp->inner->ops->end(dp->inner, zn__tls_inner(stream), ZN_END_FIN);
    }
    if (stream->flags & ZN_TLS_LEAVING)
        dp->inner->ops->detach(dp->inner, zn__tls_inner(stream));
    else if (stream->flags & ZN_TLS_BLOCKED && stream->flags & ZN_TLS_ESTABLISHED)
        stream->flags |= ZN_TLS_SENT_DUE;
}

void zn__tls_flush(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    zn__tls_out_flush(dp, &stream, 1);
    zn__tls_settle(dp, stream);
}

void zn__tls_dirty(struct zn_tls_dp *dp, struct zn_stream *stream)
{
    if (!stream->out || stream->flags & (ZN_TLS_DIRTY | ZN_TLS_SENDING | ZN_TLS_DEAD))
        return;
    stream->flags |= ZN_TLS_DIRTY;
    dp->dirty[dp->dirty_len++] = stream;
}

void zn__tls_dirty_flush(struct zn_tls_dp *dp)
{
    zn__tls_out_flush(dp, dp->dirty, dp->dirty_len);
    for (unsigned i = 0; i < dp->dirty_len; i++) {
        struct zn_stream *stream = dp->dirty[i];
        stream->flags &= ~ZN_TLS_DIRTY;
        zn__tls_settle(dp, stream);
        zn__tls_list_due(dp, stream);
    }
    dp->dirty_len = 0;
}

// Makes one event of what is due. False: nothing, or the stream had its event in this turn.
bool zn__tls_event(struct zn_tls_dp *dp, struct zn_stream *stream, const uint8_t *data, size_t len,
                   struct zn_dp_event *event)
{
    *event = (struct zn_dp_event){ .stream = stream };
    if (stream->flags & ZN_TLS_SENT_DUE && !(stream->flags & ZN_TLS_BROKEN)) {
        stream->flags &= ~(ZN_TLS_SENT_DUE | ZN_TLS_BLOCKED);
        event->type = ZN_DP_SENT;
        return true;
    }
    if (!(stream->flags & (ZN_TLS_BROKEN | ZN_TLS_PAUSED)) && (len || input_due(stream))) {
        event->type = ZN_DP_RECV;
        event->len = zn__tls_input(dp, stream, data, len, &event->data);
        zn__tls_dirty(dp, stream);
        zn__tls_update_hold(dp, stream);
        if (event->len)
            return true;
    }
    if (stream->flags & ZN_TLS_BROKEN) {
        bool due = !(stream->flags & ZN_TLS_REPORTED);
        stream->flags |= ZN_TLS_REPORTED;
        event->type = ZN_DP_ERROR;
        event->err = -(int)stream->err;
        return due;
    }
    if ((stream->flags & (ZN_TLS_EOF_DUE | ZN_TLS_EOF_SEEN | ZN_TLS_PAUSED)) == ZN_TLS_EOF_DUE &&
        !input_due(stream)) {
        stream->flags |= ZN_TLS_EOF_SEEN;
        event->type = ZN_DP_EOF;
        return true;
    }
    return false;
}
