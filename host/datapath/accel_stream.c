// SPDX-License-Identifier: Apache-2.0
// See accel_stream.h. A turn's input of a stream is one run of bytes: a single packet's where it
// lies, more are put together in the area. What does not fit the turn is refused, and TCP keeps it.
#include "accel_stream.h"

#include "tcp/packet.h"

#include <stdlib.h>
#include <string.h>

enum {
    AREA_SIZE = 1 << 20,
    REPLIES = 255, // pongs a second and connection that the accelerator may send
};

static struct zn_stream *stream_of(struct zn_tcp_conn *conn)
{
    return (struct zn_stream *)((char *)conn - ((sizeof(struct zn_stream) + 15) & ~(size_t)15));
}

static bool is_due(const struct zn_stream *stream)
{
    return stream->len != 0 || stream->sent != 0 || stream->pongs != NULL ||
           !(stream->flags & ZN_ACCEL_ACCEPTED) ||
           stream->flags & (ZN_ACCEL_EOF_DUE | ZN_ACCEL_ERROR_DUE);
}

static void ready(struct zn_accel_dp *dp, struct zn_stream *stream)
{
    if (stream->flags & ZN_ACCEL_QUEUED)
        return;
    stream->flags |= ZN_ACCEL_QUEUED;
    zn__list_append(&dp->ready, stream);
}

void zn__accel_break(struct zn_accel_dp *dp, struct zn_stream *stream, int err)
{
    if (stream->flags & (ZN_ACCEL_ERROR_DUE | ZN_ACCEL_BROKEN | ZN_ACCEL_ENDED))
        return;
    stream->err = err;
    stream->flags |= ZN_ACCEL_ERROR_DUE;
    ready(dp, stream);
}

static void on_command(void *user, const struct zn_acc_command *command, const struct iovec *body,
                       unsigned body_len)
{
    struct zn_accel_dp *dp = user;
    dp->device->ops->command(dp->device, command, body, body_len);
}

static void on_accepted(void *user, struct zn_tcp_conn *conn)
{
    struct zn_stream *stream = stream_of(conn);
    stream->conn = conn;
    stream->flags = ZN_ACCEL_WANTED;
    stream->taken = ZN_ACCEL_NONE;
    zn_tcp_want(conn, false); // input comes after ACCEPT
    ready(user, stream);
}

// Appends to what the stream has of this turn; false: no room.
static bool gather(struct zn_accel_dp *dp, struct zn_stream *stream, const uint8_t *bytes,
                   size_t len)
{
    bool in_area = stream->data >= dp->area && stream->data < dp->area + AREA_SIZE;
    bool at_end = in_area && stream->data + stream->len == dp->area + dp->area_used;
    size_t need = at_end ? len : stream->len + len;
    if (AREA_SIZE - dp->area_used < need)
        return false;
    if (!at_end) {
        uint8_t *at = dp->area + dp->area_used;
        if (stream->len != 0)
            memcpy(at, stream->data, stream->len);
        stream->data = at;
        dp->area_used += stream->len;
    }
    memcpy(dp->area + dp->area_used, bytes, len);
    dp->area_used += len;
    stream->len += (uint32_t)len;
    return true;
}

static void note_taken(struct zn_accel_dp *dp, struct zn_stream *stream, uint32_t at,
                       const struct zn_acc_rx_annotation *annotation)
{
    for (unsigned i = 0; annotation != NULL && i < annotation->frames && i < 4; i++) {
        const struct zn_acc_frame_desc *frame = &annotation->frame[i];
        if (!(frame->flags & ZN_FRAME_TAKEN))
            continue;
        dp->taken[dp->taken_len] = (struct zn_accel_taken){ at + frame->offset, stream->taken };
        stream->taken = (uint16_t)dp->taken_len++;
        stream->taken_len++;
    }
}

static bool on_received(void *user, struct zn_tcp_conn *conn, const struct zn_tcp_data *data)
{
    struct zn_accel_dp *dp = user;
    struct zn_stream *stream = stream_of(conn);
    bool first = stream->len == 0;
    bool unmasked = data->annotation != NULL;
    // What is unmasked and what is not cannot be one run, and an event names so many answered
    // pings.
    bool room = dp->taken_len < ZN_ACCEL_TAKEN &&
                (first ? dp->data_ready < dp->data_max
                       : unmasked == !!(stream->flags & ZN_ACCEL_UNMASKED) &&
                             stream->taken_len < ZN_DP_ANSWERED_MAX);
    uint32_t at = stream->len;
    if (room && first && !data->held) {
        stream->data = data->bytes;
        stream->len = (uint32_t)data->len;
    } else {
        room = room && gather(dp, stream, data->bytes, data->len);
    }
    if (!room) {
        stream->flags |= ZN_ACCEL_SPENT;
        return false;
    }
    if (first) {
        dp->data_ready++;
        stream->flags =
            (stream->flags & ~(unsigned)ZN_ACCEL_UNMASKED) | (unmasked ? ZN_ACCEL_UNMASKED : 0u);
    }
    note_taken(dp, stream, at, data->annotation);
    ready(dp, stream);
    return true;
}

static void on_sent(void *user, struct zn_tcp_conn *conn, size_t len)
{
    struct zn_stream *stream = stream_of(conn);
    stream->sent += len;
    ready(user, stream);
}

static void on_unanswered(void *user, struct zn_tcp_conn *conn, uint8_t b0, const uint8_t *payload,
                          size_t len)
{
    struct zn_stream *stream = stream_of(conn);
    if (stream->pongs == NULL)
        stream->pongs = calloc(1, sizeof(*stream->pongs));
    struct zn_accel_pongs *pongs = stream->pongs;
    if (pongs == NULL || ZN_ACCEL_PONGS - pongs->len < len + 2)
        return; // RFC 6455 section 5.5.3: not every ping must get one
    pongs->bytes[pongs->len++] = b0;
    pongs->bytes[pongs->len++] = (uint8_t)len;
    memcpy(pongs->bytes + pongs->len, payload, len);
    pongs->len += (uint32_t)len;
    ready(user, stream);
}

static void on_ended(void *user, struct zn_tcp_conn *conn)
{
    struct zn_stream *stream = stream_of(conn);
    stream->flags |= ZN_ACCEL_EOF_DUE;
    ready(user, stream);
}

static void on_broke(void *user, struct zn_tcp_conn *conn, int err)
{
    zn__accel_break(user, stream_of(conn), err);
}

static void on_closed(void *user, struct zn_tcp_conn *conn)
{
    struct zn_stream *stream = stream_of(conn);
    stream->flags |= ZN_ACCEL_CLOSED;
    free(stream->pongs);
    stream->pongs = NULL;
    if (stream->flags & ZN_ACCEL_OWES)
        ready(user, stream);
    if (stream->flags & ZN_ACCEL_QUEUED)
        zn_tcp_keep(conn); // a list has it
}

const struct zn_tcp_sink zn__accel_sink = {
    .command = on_command,
    .accepted = on_accepted,
    .received = on_received,
    .sent = on_sent,
    .unanswered = on_unanswered,
    .ended = on_ended,
    .broke = on_broke,
    .closed = on_closed,
};

void zn__accel_want_again(struct zn_accel_dp *dp)
{
    struct zn_stream *stream;
    while ((stream = zn__list_take(&dp->spent)) != NULL) {
        stream->flags &= ~(unsigned)(ZN_ACCEL_SPENT | ZN_ACCEL_QUEUED);
        if (!(stream->flags & ZN_ACCEL_ENDED))
            zn_tcp_want(stream->conn, stream->flags & ZN_ACCEL_WANTED);
        if (is_due(stream) || stream->flags & ZN_ACCEL_CLOSED)
            ready(dp, stream);
    }
}

// What the caller said of the streams whose input it has read: their frames are treated from now
// on, or again.
void zn__accel_offload(struct zn_accel_dp *dp)
{
    for (unsigned i = 0; i < dp->frames_len; i++) {
        const struct zn_dp_frames *frames = &dp->frames[i];
        struct zn_stream *stream = dp->frames_of[i];
        if (!frames->known || stream->flags & ZN_ACCEL_ENDED)
            continue;
        struct zn_tcp_offload offload = {
            .flags = (uint8_t)(ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER |
                               (frames->deflate ? ZN_FLOW_DEFLATE : 0)),
            .max_frame = frames->frame_max,
            .replies = REPLIES,
            .state = { .fill = frames->where.fill,
                       .b0 = frames->where.b0,
                       .b1 = frames->where.b1,
                       .length = frames->where.length },
        };
        memcpy(offload.state.key, frames->where.key, sizeof(offload.state.key));
        if (!(stream->flags & ZN_ACCEL_OFFLOADED)) {
            if (zn_tcp_offload(stream->conn, &offload) == 0)
                stream->flags |= ZN_ACCEL_OFFLOADED;
        } else if (!frames->unmasked) {
            zn_tcp_resync(stream->conn, &offload.state);
        }
    }
    dp->frames_len = 0;
    dp->taken_len = 0;
    while (dp->told != NULL) {
        struct zn_accel_pongs *next = dp->told->next;
        free(dp->told);
        dp->told = next;
    }
}

static const struct sockaddr *peer_of(struct zn_accel_dp *dp, const struct zn_stream *stream)
{
    const struct zn_tuple *tuple = zn_tcp_tuple(stream->conn);
    struct sockaddr_storage *peer = &dp->peers[dp->peers_len++];
    memset(peer, 0, sizeof(*peer));
    if (zn_tcp_is_v6(stream->conn)) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)peer;
        in6->sin6_family = AF_INET6;
        memcpy(&in6->sin6_addr, tuple->peer_address, 16);
        memcpy(&in6->sin6_port, tuple->peer_port, 2);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)peer;
        in->sin_family = AF_INET;
        memcpy(&in->sin_addr, tuple->peer_address, 4);
        memcpy(&in->sin_port, tuple->peer_port, 2);
    }
    return (struct sockaddr *)peer;
}

static struct zn_dp_frames *frames_of(struct zn_accel_dp *dp, struct zn_stream *stream)
{
    uint16_t next = stream->taken;
    stream->taken = ZN_ACCEL_NONE;
    stream->taken_len = 0;
    if (dp->frames_len == ZN_ACCEL_RECVS)
        return NULL; // more than any caller asks for
    struct zn_dp_frames *frames = &dp->frames[dp->frames_len];
    dp->frames_of[dp->frames_len++] = stream;
    *frames = (struct zn_dp_frames){ .unmasked = stream->flags & ZN_ACCEL_UNMASKED };
    for (; next != ZN_ACCEL_NONE && frames->answered_len < ZN_DP_ANSWERED_MAX;
         next = dp->taken[next].next)
        frames->answered[frames->answered_len++] = stream->data + dp->taken[next].offset;
    return frames;
}

// The one thing of a stream that is told now: input first, because it does not keep; the end of
// input after the input that TCP still holds, which it sees to.
static void event_of(struct zn_accel_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    *event = (struct zn_dp_event){ .stream = stream };
    if (!(stream->flags & ZN_ACCEL_ACCEPTED)) {
        stream->flags |= ZN_ACCEL_ACCEPTED;
        event->type = ZN_DP_ACCEPT;
        event->peer = peer_of(dp, stream);
        zn_tcp_want(stream->conn, true);
    } else if (stream->len != 0) {
        event->type = ZN_DP_RECV;
        event->data = stream->data;
        event->len = stream->len;
        event->frames = frames_of(dp, stream);
        stream->len = 0;
        dp->data_ready--;
    } else if (stream->pongs != NULL) {
        event->type = ZN_DP_PONGS;
        event->data = stream->pongs->bytes;
        event->len = stream->pongs->len;
        stream->pongs->next = dp->told;
        dp->told = stream->pongs;
        stream->pongs = NULL;
    } else if (stream->sent != 0) {
        event->type = ZN_DP_SENT;
        event->len = stream->sent;
        stream->held -= stream->sent;
        stream->sent = 0;
    } else if (stream->flags & ZN_ACCEL_EOF_DUE) {
        event->type = ZN_DP_EOF;
        stream->flags &= ~(unsigned)ZN_ACCEL_EOF_DUE;
    } else {
        event->type = ZN_DP_ERROR;
        event->err = stream->err;
        stream->flags = (stream->flags & ~(unsigned)ZN_ACCEL_ERROR_DUE) | ZN_ACCEL_BROKEN;
    }
}

// Ended by the caller: only GONE is left to tell, when the connection has closed.
static bool gone_event(struct zn_accel_dp *dp, struct zn_stream *stream, struct zn_dp_event *event)
{
    if (stream->len != 0)
        dp->data_ready--;
    stream->len = 0;
    free(stream->pongs);
    stream->pongs = NULL;
    stream->flags &= ~(unsigned)ZN_ACCEL_QUEUED;
    if (stream->flags & ZN_ACCEL_CLOSED)
        zn_tcp_forget(stream->conn);
    if (!(stream->flags & ZN_ACCEL_CLOSED) || !(stream->flags & ZN_ACCEL_OWES))
        return false;
    *event = (struct zn_dp_event){ .type = ZN_DP_GONE, .stream = stream };
    return true;
}

int zn__accel_events(struct zn_accel_dp *dp, struct zn_dp_event *events, unsigned max)
{
    struct zn_list later = { 0 };
    struct zn_stream *stream;
    unsigned count = 0;
    dp->peers_len = 0;
    while ((stream = zn__list_take(&dp->ready)) != NULL) {
        bool accept = !(stream->flags & ZN_ACCEL_ACCEPTED);
        // Places for those whose input does not keep.
        if (stream->len == 0 &&
            (count + dp->data_ready >= max || (accept && dp->peers_len == ZN_ACCEL_ACCEPTS))) {
            zn__list_append(&later, stream);
            continue;
        }
        if (stream->flags & ZN_ACCEL_ENDED) {
            count += gone_event(dp, stream, &events[count]);
            continue;
        }
        event_of(dp, stream, &events[count++]);
        if (is_due(stream)) {
            zn__list_append(&later, stream);
        } else if (stream->flags & ZN_ACCEL_SPENT) {
            zn__list_append(&dp->spent, stream);
        } else {
            stream->flags &= ~(unsigned)ZN_ACCEL_QUEUED;
        }
    }
    dp->ready = later;
    return (int)count;
}
