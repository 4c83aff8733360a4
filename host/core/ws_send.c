// SPDX-License-Identifier: Apache-2.0
// Messages out over a WebSocket connection: deflated or not, shared or its own, within the output
// limit. See conn.h.
#include "conn.h"

#include "engine.h"
#include "server.h"
#include "zpool.h"

static const struct zn_deflate_options *deflate_options(const struct zn_conn *conn)
{
    return conn->role == ZN_WS_PLAIN ? &zn__endpoint_options(conn->endpoint)->deflate
                                     : &conn->engine->options.deflate;
}

// The packet for this connection: shared when its form is, else deflated with a stream of its own.
static int packet_deflated(struct zn_conn *conn, struct zn_packet *packet, struct zn_run *own_out,
                           const struct zn_run **run_out)
{
    size_t threshold = deflate_options(conn)->threshold;
    if (!conn->server_takeover && conn->server_bits == 15) {
        packet->threshold = threshold;
        *run_out = zn__packet_run(packet, conn->reactor, ZN_FORM_DEFLATED);
        return *run_out == NULL ? -ENOMEM : 0;
    }
    struct zn_zstream *z = conn->deflater;
    if (z == NULL)
        z = zn__zpool_deflater(conn->reactor->zpool, conn->server_bits);
    if (z == NULL)
        return -ENOMEM;
    int err = zn__packet_deflate(packet, &conn->reactor->arena, z, !conn->server_takeover,
                                 threshold, own_out);
    if (conn->server_takeover)
        conn->deflater = z;
    else
        zn__zpool_put(conn->reactor->zpool, z);
    *run_out = own_out;
    return err < 0 ? -ENOMEM : 0;
}

static bool packet_worth_deflating(const struct zn_conn *conn, const struct zn_packet *packet)
{
    if (conn->server_bits == 0 || (packet->flags & ZN_NO_COMPRESS) != 0)
        return false;
    size_t threshold = deflate_options(conn)->threshold;
    if (packet->text_len >= threshold)
        return true;
    for (unsigned i = 0; i < packet->bin_len; i++)
        if (packet->bin[i].len >= threshold)
            return true;
    return false;
}

static void owner_dropped(struct zn_conn *conn, size_t count)
{
    conn->pressed = true;
    if (conn->role == ZN_WS_PLAIN) {
        // Told from the end of the turn, since the application may be sending right now.
        conn->dropped += (uint32_t)count;
        zn__conn_dirty(conn);
    } else if (conn->role == ZN_WS_SESSION && conn->session != NULL) {
        zn__session_dropped(conn->session, count);
    }
}

// Makes room under the output limit by the server's policy. 0: go on; else the packet is not
// queued.
static int output_room(struct zn_conn *conn, const struct zn_packet *packet)
{
    const struct zn_server_options *options = &conn->reactor->server->options;
    if (conn->out.bytes < options->buffer_max)
        return 0;
    size_t before = conn->out.bytes;
    size_t dropped = 0;
    while (conn->out.bytes >= options->buffer_max && zn__outq_drop_oldest(&conn->out, true))
        dropped++;
    ZN_COUNT(conn->reactor, dropped_volatile, dropped);
    while (options->overflow == ZN_OVERFLOW_DROP_OLDEST && conn->out.bytes >= options->buffer_max &&
           zn__outq_drop_oldest(&conn->out, false)) {
        ZN_COUNT(conn->reactor, dropped_overflow, 1);
        dropped++;
    }
    ZN_COUNT(conn->reactor, buffered_now, -(int64_t)(before - conn->out.bytes));
    int err = 0;
    if (conn->out.bytes >= options->buffer_max) {
        err = -ENOBUFS;
        if (options->overflow == ZN_OVERFLOW_DISCONNECT && (packet->flags & ZN_VOLATILE) == 0) {
            ZN_COUNT(conn->reactor, overflow_disconnects, 1);
            zn__conn_abort_soon(conn);
            return err;
        }
        ZN_COUNT(conn->reactor, dropped_overflow, 1);
        dropped++;
    }
    owner_dropped(conn, dropped);
    return err;
}

// The packet's run was queued (`err` is 0), or the connection cannot go on.
static int packet_done(struct zn_conn *conn, int err)
{
    if (err == 0)
        ZN_COUNT(conn->reactor, messages_out, 1);
    else
        zn__conn_abort_soon(conn);
    return err;
}

// A packet that may have to be dropped or deflated, or others for it.
static __attribute__((noinline)) int packet_weighed(struct zn_conn *conn, struct zn_packet *packet)
{
    bool is_volatile = (packet->flags & ZN_VOLATILE) != 0;
    if (is_volatile && conn->blocked && conn->out.bytes > conn->out.pinned) {
        conn->pressed = true;
        ZN_COUNT(conn->reactor, dropped_volatile, 1);
        return -EAGAIN;
    }
    int err = output_room(conn, packet);
    if (err < 0)
        return err;
    struct zn_run own = { 0 };
    const struct zn_run *run;
    if (packet_worth_deflating(conn, packet))
        err = packet_deflated(conn, packet, &own, &run);
    else if ((run = zn__packet_run(packet, conn->reactor, ZN_FORM_WS)) == NULL)
        err = -ENOMEM;
    // A message that moved the compressor's context on cannot be dropped any more.
    bool fixed = own.chunk != NULL && conn->server_takeover;
    if (err == 0)
        err = zn__conn_push(conn, run,
                            (is_volatile ? ZN_OUT_VOLATILE : 0u) |
                                (packet->bin_len > 0 ? ZN_OUT_GROUP : 0u) |
                                (fixed ? ZN_OUT_CONTROL : 0u));
    zn__run_drop(&own);
    return packet_done(conn, err);
}

// A broadcast comes here once a receiver, so what most packets need stands alone.
int zn__ws_packet(struct zn_conn *conn, struct zn_packet *packet)
{
    if (conn->closing || conn->dead || conn->doomed || conn->end_after_flush)
        return -ENOTCONN;
    if ((packet->flags & ZN_VOLATILE) != 0 || conn->server_bits != 0 ||
        conn->out.bytes >= conn->reactor->server->options.buffer_max)
        return packet_weighed(conn, packet);
    const struct zn_run *run = zn__packet_run(packet, conn->reactor, ZN_FORM_WS);
    if (run == NULL)
        return packet_done(conn, -ENOMEM);
    return packet_done(conn, zn__conn_push(conn, run, packet->bin_len > 0 ? ZN_OUT_GROUP : 0u));
}
