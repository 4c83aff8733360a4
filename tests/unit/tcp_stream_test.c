// SPDX-License-Identifier: Apache-2.0
// Whole streams through host/tcp and the accelerator's model, over a network that loses, delays,
// reorders, repeats and corrupts, to clients of the test's own: byte for byte, and where the
// accelerator adds frames of its own, well-formed and in order. The clock is virtual, the random
// numbers are seeded: TCP_SEED=n in the environment plays another run, and each failure says its
// own.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "soft_packet.h"
#include "soft_reader.h"
#include "tcp_client.h"

enum {
    CLIENTS = 6,
    STREAM = 1 << 20,
    IN_ROOM = STREAM * 2,
    FLIGHT = 4096,
    TICK_US = 1000,
    PONGS = 1024,
    PONG_ROOM = 32,
    CALLS = 64, // broadcasts of a run
    CALL_LEN = 300,
    PATIENCE_US = 1000 * 1000000,
};

struct profile {
    const char *name;
    unsigned loss, dup, corrupt; // of 1000 packets
    uint64_t delay_us, jitter_us;
    bool
        frames; // the clients speak WebSocket, the accelerator treats, answers and sends heartbeats
    bool calls; // broadcasts in between
    bool holds; // records come late
    bool pauses;  // the server does not always want input, and refuses some
    bool violent; // either side resets or vanishes at random
    uint32_t window;
    struct tcp_client_options client; // also at random: sack, scale, delayed_ack
};

struct flying {
    uint64_t at_us;
    bool to_server;
    unsigned client;
    size_t len;
    uint8_t bytes[TCP_RIG_MTU + 64];
};

// The server's application on one connection.
struct app {
    struct tcp_rig_conn *conn;
    size_t sent;     // of its stream
    uint8_t *stream; // STREAM bytes: the pattern, or frames of it
    size_t *ends;    // where frames end, ascending
    size_t ends_len;
    unsigned calls; // broadcasts that this one got
    bool offloaded, shut, released, violent_end;
    struct soft_reader reader;
    uint8_t *payload;
    size_t payload_at; // of the next header's frame in `payload`
    unsigned next_header;
    uint8_t (*pongs)[PONG_ROOM];
    unsigned pongs_len;
};

struct peer {
    struct tcp_client tcp;
    bool started, violent_end;
    uint8_t *out;
    size_t out_len;
    unsigned pings;
};

struct world {
    struct tcp_rig rig;
    const struct profile *profile;
    uint32_t seed, first_seed;
    struct flying *flying;
    unsigned flying_len;
    struct peer peers[CLIENTS];
    struct app apps[CLIENTS];
    uint8_t calls[CALLS][4 + CALL_LEN];
    unsigned calls_len;
    uint64_t release_at_us; // of records that are held
    unsigned resets, heartbeats, pongs, refused;
};

static bool chance(struct world *w, unsigned one_in)
{
    return soft_random(&w->seed) % one_in == 0;
}

static uint32_t below(struct world *w, uint32_t n)
{
    return soft_random(&w->seed) % n;
}

static _Noreturn void wrong(const struct world *w, unsigned i, const char *what)
{
    fail_msg("%s, client %u: %s (TCP_SEED=%u)", w->profile->name, i, what, w->first_seed);
    abort();
}

// --- The network

static void launch(struct world *w, unsigned client, bool to_server, const uint8_t *bytes,
                   size_t len)
{
    const struct profile *p = w->profile;
    unsigned copies = below(w, 1000) < p->loss ? 0 : below(w, 1000) < p->dup ? 2 : 1;
    for (; copies > 0 && w->flying_len < FLIGHT; copies--) {
        struct flying *f = &w->flying[w->flying_len++];
        f->at_us =
            w->rig.now_us + p->delay_us + (p->jitter_us ? below(w, (uint32_t)p->jitter_us) : 0);
        f->to_server = to_server;
        f->client = client;
        f->len = len;
        memcpy(f->bytes, bytes, len);
        if (below(w, 1000) < p->corrupt)
            f->bytes[14 + below(w, (uint32_t)len - 14)] ^= (uint8_t)(1 << below(w, 8));
    }
}

static void from_client(void *user, const struct zn_segment_out *out)
{
    struct world *w = user;
    uint8_t bytes[TCP_RIG_MTU + 64];
    size_t headers = zn__segment_compose(out, bytes);
    assert_true(headers + out->payload_len <= sizeof(bytes));
    memcpy(bytes + headers, out->payload, out->payload_len);
    launch(w, zn__get16(out->tuple->local_port) - TCP_RIG_PEER_PORT, true, bytes,
           headers + out->payload_len);
}

static void from_server(struct world *w)
{
    struct tcp_rig_packet *packet;
    while ((packet = tcp_rig_take(&w->rig)) != NULL) {
        unsigned port = zn__get16(packet->segment.tuple.local_port);
        assert_true(port >= TCP_RIG_PEER_PORT && port < TCP_RIG_PEER_PORT + CLIENTS);
        launch(w, port - TCP_RIG_PEER_PORT, false, packet->bytes, packet->len);
    }
}

static void to_client(struct world *w, struct flying *f)
{
    struct zn_packet layers;
    struct zn_segment segment;
    struct peer *peer = &w->peers[f->client];
    if (zn__packet_parse(f->bytes, f->len, false, &layers) != ZN_PACKET_TCP ||
        zn__segment_parse(&layers, false, &segment) != 0)
        return; // corrupt
    tcp_client_input(&peer->tcp, &segment);
    if (peer->tcp.wrong != NULL)
        wrong(w, f->client, peer->tcp.wrong);
}

static void deliver(struct world *w)
{
    unsigned kept = 0, count = w->flying_len;
    for (unsigned i = 0; i < count; i++) {
        static struct flying now;
        if (w->flying[i].at_us > w->rig.now_us) {
            if (kept != i)
                w->flying[kept] = w->flying[i];
            kept++;
            continue;
        }
        now = w->flying[i];
        if (now.to_server)
            tcp_rig_inject(&w->rig, now.bytes, now.len);
        else
            to_client(w, &now);
    }
    // What was launched meanwhile stands behind.
    memmove(&w->flying[kept], &w->flying[count], (w->flying_len - count) * sizeof(*w->flying));
    w->flying_len -= count - kept;
}

// --- The server's application

static void send_pong(struct app *app, uint8_t b0, const uint8_t *payload, size_t len)
{
    assert_true(app->pongs_len < PONGS && len + 2 <= PONG_ROOM);
    uint8_t *pong = app->pongs[app->pongs_len++];
    pong[0] = b0;
    pong[1] = (uint8_t)len;
    memcpy(pong + 2, payload, len);
    struct iovec iov = { pong, len + 2 };
    (void)zn_tcp_send(app->conn->conn, &iov, 1);
}

static bool between_frames(const struct world *w, const struct app *app)
{
    if (!w->profile->frames || app->sent == 0)
        return true;
    size_t low = 0, high = app->ends_len; // the first end at or behind what was sent
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (app->ends[middle] < app->sent)
            low = middle + 1;
        else
            high = middle;
    }
    return app->ends[low] == app->sent;
}

// A frame of the host's own between those of the stream: the rest of the one that is open goes
// first.
static void finish_frame(struct world *w, struct app *app)
{
    size_t from = app->sent;
    while (!between_frames(w, app))
        app->sent++;
    struct iovec iov = { app->stream + from, app->sent - from };
    zn_tcp_cork(app->conn->conn, false);
    if (iov.iov_len != 0)
        assert_int_equal(zn_tcp_send(app->conn->conn, &iov, 1), 0);
}

static void unanswered(void *user, struct tcp_rig_conn *conn, uint8_t b0, const uint8_t *payload,
                       size_t len)
{
    struct world *w = user;
    struct app *app = &w->apps[conn->number];
    w->refused++;
    if (app->shut)
        return;
    finish_frame(w, app);
    send_pong(app, b0, payload, len);
}

static bool was_taken(const struct zn_tcp_data *data, uint64_t offset)
{
    const struct zn_acc_rx_annotation *a = data->annotation;
    for (unsigned i = 0; a != NULL && i < a->frames && i < 4; i++)
        if (a->frame[i].flags & ZN_FRAME_TAKEN && a->frame[i].offset == offset)
            return true;
    return false;
}

static void read_frames(struct world *w, struct app *app, const struct zn_tcp_data *data)
{
    uint64_t start = app->reader.at;
    soft_reader_take(&app->reader, data->bytes, data->len, data->annotation != NULL);
    for (; app->next_header < app->reader.headers; app->next_header++) {
        const struct soft_header *h = &app->reader.header[app->next_header % SOFT_READER_HEADERS];
        if (h->payload_at + h->length > app->reader.at)
            break;
        if (h->b0 == 0x89 && !app->shut &&
            !(h->payload_at >= start && was_taken(data, h->payload_at - start))) {
            finish_frame(w, app);
            send_pong(app, 0x8a, app->payload + app->payload_at, h->length);
        }
        app->payload_at += h->length;
    }
    if (data->annotation == NULL && chance(w, 4)) {
        struct zn_acc_ws_state state = soft_reader_state(&app->reader);
        zn_tcp_resync(app->conn->conn, &state);
    }
}

static bool received(void *user, struct tcp_rig_conn *conn, const struct zn_tcp_data *data)
{
    struct world *w = user;
    struct app *app = &w->apps[conn->number];
    app->conn = conn;
    if (w->profile->pauses && chance(w, 10))
        return false;
    if (w->profile->frames)
        read_frames(w, app, data);
    else if (memcmp(data->bytes, w->peers[conn->number].out + conn->received, data->len) != 0)
        wrong(w, conn->number, "the server got other bytes");
    conn->received += data->len;
    return true;
}

static void offload(struct world *w, struct app *app)
{
    struct zn_tcp_offload offload = {
        .flags = ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER | ZN_FLOW_ENGINE,
        .max_frame = 1 << 20,
        .heartbeat_ms = (uint16_t)(20 + below(w, 60)),
        .replies = (uint16_t)(1 + below(w, 200)),
    };
    zn_tcp_offload(app->conn->conn, &offload);
    app->offloaded = true;
}

static void send_some(struct world *w, struct app *app)
{
    struct iovec iov[4];
    unsigned pieces = 1 + below(w, 4);
    size_t at = app->sent;
    for (unsigned i = 0; i < pieces; i++) {
        size_t len = 1 + below(w, chance(w, 3) ? 9000 : 300);
        len = len < STREAM - at ? len : STREAM - at;
        iov[i] = (struct iovec){ app->stream + at, len };
        at += len;
    }
    if (zn_tcp_send(app->conn->conn, iov, pieces) != 0)
        return;
    app->sent = at;
    zn_tcp_cork(app->conn->conn, !between_frames(w, app));
}

// The same message to all connections that are between frames.
static void broadcast(struct world *w)
{
    struct zn_tcp_conn *conns[CLIENTS];
    struct app *apps[CLIENTS];
    int results[CLIENTS];
    unsigned count = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct app *app = &w->apps[i];
        if (app->conn == NULL || app->conn->conn == NULL || app->shut || app->conn->broke != 0 ||
            !between_frames(w, app))
            continue;
        apps[count] = app;
        conns[count++] = app->conn->conn;
    }
    uint8_t *call = w->calls[w->calls_len];
    size_t len = 4 + 3 + below(w, CALL_LEN - 3);
    call[0] = 0x81;
    call[1] = 126;
    zn__put16(call + 2, (uint16_t)(len - 4));
    memset(call + 4, 'c', len - 4);
    zn__put16(call + 4, (uint16_t)w->calls_len);
    if (count != 0)
        zn_tcp_broadcast(w->rig.tcp, conns, count, call, len, results);
    for (unsigned i = 0; i < count; i++)
        apps[i]->calls += results[i] == 0;
    w->calls_len++;
}

static void app_step(struct world *w, unsigned i)
{
    struct app *app = &w->apps[i];
    struct zn_tcp_conn *conn = app->conn->conn;
    if (conn == NULL)
        return;
    if (app->conn->broke != 0 || (w->profile->violent && chance(w, 700))) {
        if (!app->released)
            zn_tcp_release(conn, chance(w, 2));
        app->released = app->shut = app->violent_end = true;
        return;
    }
    if (app->released)
        return;
    if (w->profile->frames && !app->offloaded)
        offload(w, app);
    bool quiet = w->rig.now_us / 150000 % 2 == 0; // else no heartbeat finds a place
    if (!app->shut && !quiet && app->sent < STREAM && zn_tcp_unacked(conn) < 200000)
        send_some(w, app);
    zn_tcp_want(conn, !w->profile->pauses || !chance(w, 4));
    if (!app->shut && app->sent == STREAM && (app->conn->ended || chance(w, 50))) {
        zn_tcp_shutdown(conn);
        app->shut = true;
    }
    if (app->shut && app->conn->ended) {
        zn_tcp_release(conn, false);
        app->released = true;
    }
}

// --- Streams

static void make_frames(struct world *w, struct app *app)
{
    app->ends = calloc(STREAM, sizeof(*app->ends));
    for (size_t at = 0; at < STREAM;) {
        size_t left = STREAM - at;
        size_t len = left < 8      ? left - 2
                     : left > 4000 ? below(w, chance(w, 3) ? 3000 : 125)
                                   : left - 4;
        len = left >= 8 && left - len < 16 ? left - 4 : len;
        size_t head = len > 125 ? 4 : 2;
        if (left - len < head)
            len = left - head;
        app->stream[at] = 0x82;
        app->stream[at + 1] = (uint8_t)(head == 4 ? 126 : len);
        if (head == 4)
            zn__put16(app->stream + at + 2, (uint16_t)len);
        for (size_t i = 0; i < len; i++)
            app->stream[at + head + i] = tcp_rig_byte(at + head + i);
        at += head + len;
        app->ends[app->ends_len++] = at;
    }
}

// The client's frames: binary ones, pings, answers to heartbeats; the keys are random.
static void make_client_frames(struct world *w, struct peer *peer)
{
    uint8_t payload[2000], key[4];
    while (peer->out_len < STREAM - 3000) {
        unsigned kind = below(w, 20);
        size_t len = kind == 0 ? below(w, PONG_ROOM - 2) : kind == 1 ? 1 : below(w, 2000);
        uint8_t first = kind == 0 ? 0x89 : kind == 1 ? 0x81 : 0x82;
        for (size_t i = 0; i < len; i++)
            payload[i] = kind == 1 ? '3' : (uint8_t)soft_random(&w->seed);
        if (kind == 0 && peer->pings < PONGS && len >= 4)
            zn__put32(payload, peer->pings++);
        else if (kind == 0)
            first = 0x82;
        for (unsigned i = 0; i < 4; i++)
            key[i] = (uint8_t)soft_random(&w->seed);
        peer->out_len += soft_frame_make(peer->out + peer->out_len, first, key, payload, len);
    }
}

static void streams_init(struct world *w, unsigned i)
{
    struct app *app = &w->apps[i];
    struct peer *peer = &w->peers[i];
    app->stream = malloc(STREAM);
    peer->out = malloc(STREAM);
    peer->tcp.in = calloc(1, IN_ROOM);
    peer->tcp.have = calloc(1, IN_ROOM);
    peer->tcp.in_room = IN_ROOM;
    memcpy(app->stream, tcp_rig_stream(), STREAM);
    if (w->profile->frames) {
        app->payload = malloc(STREAM);
        app->pongs = calloc(PONGS, PONG_ROOM);
        soft_reader_init(&app->reader, app->payload, STREAM);
        make_frames(w, app);
        make_client_frames(w, peer);
    } else {
        for (peer->out_len = 0; peer->out_len < STREAM; peer->out_len++)
            peer->out[peer->out_len] = (uint8_t)soft_random(&w->seed);
    }
    peer->tcp.out = peer->out;
    peer->tcp.out_len = peer->out_len;
}

static void streams_deinit(struct world *w, unsigned i)
{
    free(w->apps[i].stream);
    free(w->apps[i].ends);
    free(w->apps[i].payload);
    free(w->apps[i].pongs);
    free(w->peers[i].out);
    free(w->peers[i].tcp.in);
    free(w->peers[i].tcp.have);
}

// --- What came of it

// The client's bytes are the server's frames in order, with pongs, heartbeats and broadcasts
// between them.
static void check_frames(struct world *w, unsigned i)
{
    const struct tcp_client *tcp = &w->peers[i].tcp;
    const struct app *app = &w->apps[i];
    size_t stream_at = 0;
    unsigned pongs = 0, calls = 0;
    int last_call = -1;
    for (size_t at = 0; at < tcp->in_len;) {
        const uint8_t *f = tcp->in + at;
        size_t head = f[1] == 126 ? 4 : 2, len = head == 4 ? zn__get16(f + 2) : f[1];
        if (at + head + len > tcp->in_len)
            wrong(w, i, "the last frame is cut");
        if (f[0] == 0x82) {
            if (stream_at + head + len > STREAM ||
                memcmp(f, app->stream + stream_at, head + len) != 0)
                wrong(w, i, "a frame of the server's is not the next one");
            stream_at += head + len;
        } else if (f[0] == 0x8a && len >= 4 && zn__get32(f + 2) < w->peers[i].pings) {
            pongs++;
        } else if (f[0] == 0x81 && len == 1 && f[2] == '2') {
            w->heartbeats++;
        } else if (f[0] == 0x81 && head == 4 && f[6] == 'c' && zn__get16(f + 4) > last_call) {
            last_call = zn__get16(f + 4);
            calls++;
        } else {
            wrong(w, i, "a frame that nobody sent, or out of order");
        }
        at += head + len;
    }
    if (stream_at != STREAM || calls != app->calls)
        wrong(w, i, "a frame is missing");
    // A ping that comes again in other packets may be answered again (RFC 6455 section 5.5.3 allows
    // pongs that nobody asked for).
    if (pongs > w->peers[i].pings && w->profile->loss == 0)
        wrong(w, i, "more pongs than pings");
    w->pongs += pongs;
}

static void check_client(struct world *w, unsigned i)
{
    const struct peer *peer = &w->peers[i];
    const struct app *app = &w->apps[i];
    if (peer->violent_end || peer->tcp.reset || app->conn == NULL || app->violent_end) {
        if (!w->profile->violent)
            wrong(w, i, "the connection broke");
        w->resets++;
        return;
    }
    if (app->conn->received != peer->out_len)
        wrong(w, i, "the server lacks bytes");
    if (w->profile->frames)
        check_frames(w, i);
    else if (peer->tcp.in_len != STREAM || memcmp(peer->tcp.in, app->stream, STREAM) != 0)
        wrong(w, i, "the client got other bytes");
}

// --- A run

static void client_step(struct world *w, unsigned i)
{
    struct peer *peer = &w->peers[i];
    struct tcp_client *tcp = &peer->tcp;
    if (!peer->started) {
        if (!chance(w, 20))
            return;
        peer->started = true;
    }
    // The application reads, late at times.
    if (!chance(w, 3))
        tcp->read = tcp->in_len;
    if (!tcp->fin && tcp->acked == tcp->out_len && (tcp->fin_at == tcp->in_len || chance(w, 100)))
        tcp->fin = true;
    if (w->profile->violent && tcp->open && !peer->violent_end && chance(w, 1000)) {
        peer->violent_end = true;
        if (chance(w, 2))
            tcp_client_abort(tcp);
        tcp->reset = true; // else it just vanishes
    }
    tcp_client_tick(tcp, w->rig.now_us);
}

static void match_apps(struct world *w)
{
    for (unsigned i = 0; i < w->rig.conns_len; i++)
        w->apps[w->rig.conns[i].number].conn = &w->rig.conns[i];
}

static bool over(const struct world *w)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct tcp_client *tcp = &w->peers[i].tcp;
        if (!w->peers[i].started || !(tcp->reset || tcp_client_done(tcp)))
            return false;
    }
    return true;
}

static void tick(struct world *w)
{
    if (w->profile->holds && !w->rig.hold_records && chance(w, 10)) {
        w->rig.hold_records = true;
        w->release_at_us = w->rig.now_us + 1000 * (1 + below(w, 30));
    } else if (w->rig.hold_records && w->rig.now_us >= w->release_at_us) {
        w->rig.hold_records = false;
        while (w->rig.records_len != 0)
            tcp_rig_records(&w->rig);
    }
    tcp_rig_advance(&w->rig, w->rig.now_us + TICK_US);
    match_apps(w);
    for (unsigned i = 0; i < CLIENTS; i++) {
        client_step(w, i);
        if (w->apps[i].conn != NULL)
            app_step(w, i);
    }
    if (w->profile->calls && w->calls_len < CALLS && chance(w, 20))
        broadcast(w);
    zn_tcp_flush(w->rig.tcp);
    from_server(w);
    deliver(w);
    from_server(w);
}

static void drain(struct world *w)
{
    const struct zn_tcp_stats *stats = zn_tcp_stats(w->rig.tcp);
    w->rig.hold_records = false;
    tcp_rig_records(&w->rig);
    for (unsigned i = 0; i < w->rig.conns_len; i++)
        if (w->rig.conns[i].conn != NULL && !w->apps[w->rig.conns[i].number].released)
            zn_tcp_release(w->rig.conns[i].conn, false);
    for (unsigned s = 0; s < 1000 && (stats->conns | stats->halves | stats->time_waits) != 0; s++) {
        tcp_rig_advance(&w->rig, w->rig.now_us + 1000000);
        while (tcp_rig_take(&w->rig) != NULL)
            continue;
    }
    assert_int_equal(stats->conns, 0);
    assert_int_equal(stats->halves, 0);
    assert_int_equal(stats->time_waits, 0);
    assert_int_equal(stats->hold_used, 0);
    assert_int_equal(stats->queue_bytes, 0);
    assert_int_equal(stats->drop_bad_record, 0);
    for (unsigned i = 0; i < w->rig.conns_len; i++)
        assert_true(w->rig.conns[i].closed);
}

static void run(void **state)
{
    static struct world w;
    const char *seed = getenv("TCP_SEED");
    w = (struct world){ .profile = *state };
    w.seed = w.first_seed = seed != NULL ? (uint32_t)strtoul(seed, NULL, 10) : 20260101;
    w.flying = calloc(FLIGHT, sizeof(*w.flying));
    struct zn_tcp_config config = tcp_rig_config();
    config.window = w.profile->window;
    config.hold_blocks = 2048;
    tcp_rig_init(&w.rig, &config);
    w.rig.user = &w;
    w.rig.received = received;
    w.rig.unanswered = unanswered;
    // Numbers of both sides wrap under way.
    tcp_rig_iss(&w.rig, 0, w.profile->client.v6, (uint32_t)-300000);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct tcp_client_options options = w.profile->client;
        options.isn = (uint32_t) - (int32_t)(200000 * i);
        options.sack = options.sack && !chance(&w, 4);
        options.scale = options.scale && !chance(&w, 4);
        options.delayed_ack = chance(&w, 2);
        tcp_client_init(&w.peers[i].tcp, i, &options, from_client, &w);
        streams_init(&w, i);
    }
    uint64_t until = w.rig.now_us + PATIENCE_US;
    while (!over(&w) && w.rig.now_us < until)
        tick(&w);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (!w.peers[i].tcp.reset && !tcp_client_done(&w.peers[i].tcp))
            wrong(&w, i, "it does not end");
    for (unsigned i = 0; i < 200; i++) // the last acknowledgements
        tick(&w);
    for (unsigned i = 0; i < CLIENTS; i++)
        check_client(&w, i);
    double seconds = (double)(w.rig.now_us + PATIENCE_US - until) / 1e6;
    drain(&w);
    const struct zn_tcp_stats *stats = zn_tcp_stats(w.rig.tcp);
    print_message(
        "%s: seed %u, %.1f s, %llu retransmitted, %llu time-outs, %u heartbeats, %u pongs, "
        "%u refused, %u reset\n",
        w.profile->name, w.first_seed, seconds, (unsigned long long)stats->retransmitted,
        (unsigned long long)stats->timeouts, w.heartbeats, w.pongs, w.refused, w.resets);
    if (w.profile->frames && !w.profile->violent)
        assert_true(w.heartbeats > 0 && w.pongs > 0);
    if (w.profile->violent)
        assert_true(w.resets > 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        streams_deinit(&w, i);
    tcp_rig_deinit(&w.rig);
    free(w.flying);
}

static const struct profile profiles[] = {
    { .name = "stream_good_network_arrives",
      .delay_us = 5000,
      .window = 65535,
      .client = { .window = 65535, .mss = 1460 } },
    { .name = "stream_losses_no_sack_arrives",
      .loss = 20,
      .delay_us = 10000,
      .window = 65535,
      .client = { .window = 65535, .mss = 1460 } },
    { .name = "stream_losses_sack_scale_arrives",
      .loss = 20,
      .dup = 10,
      .corrupt = 10,
      .delay_us = 10000,
      .window = 1 << 18,
      .client = { .sack = true, .scale = true, .window = 1 << 18, .mss = 1460 } },
    { .name = "stream_reordered_repeated_arrives",
      .loss = 5,
      .dup = 50,
      .corrupt = 5,
      .delay_us = 5000,
      .jitter_us = 8000,
      .window = 1 << 18,
      .pauses = true,
      .client = { .sack = true, .scale = true, .window = 1 << 18, .mss = 536 } },
    { .name = "stream_ipv6_bad_network_arrives",
      .loss = 50,
      .dup = 20,
      .corrupt = 20,
      .delay_us = 5000,
      .jitter_us = 3000,
      .window = 65535,
      .pauses = true,
      .holds = true,
      .client = { .v6 = true, .sack = true, .scale = true, .window = 1 << 17, .mss = 1440 } },
    { .name = "stream_shrinking_windows_arrives",
      .loss = 5,
      .delay_us = 5000,
      .window = 20000,
      .pauses = true,
      .client = { .sack = true, .shrinks = true, .window = 20000, .mss = 1460 } },
    { .name = "stream_frames_good_network_interleave",
      .delay_us = 2000,
      .window = 65535,
      .frames = true,
      .calls = true,
      .client = { .sack = true, .scale = true, .window = 1 << 17, .mss = 1460 } },
    { .name = "stream_frames_late_records_interleave",
      .delay_us = 2000,
      .window = 65535,
      .frames = true,
      .calls = true,
      .holds = true,
      .pauses = true,
      .client = { .sack = true, .scale = true, .window = 1 << 17, .mss = 1460 } },
    { .name = "stream_frames_bad_network_interleave",
      .loss = 20,
      .dup = 20,
      .corrupt = 10,
      .delay_us = 5000,
      .jitter_us = 4000,
      .window = 65535,
      .frames = true,
      .calls = true,
      .holds = true,
      .pauses = true,
      .client = { .sack = true, .scale = true, .window = 1 << 17, .mss = 1460 } },
    { .name = "stream_frames_tiny_windows_interleave",
      .loss = 5,
      .delay_us = 3000,
      .window = 8000,
      .frames = true,
      .calls = true,
      .holds = true,
      .pauses = true,
      .client = { .sack = true, .shrinks = true, .window = 6000, .mss = 1460 } },
    { .name = "stream_violent_ends_leave_nothing",
      .loss = 20,
      .dup = 10,
      .delay_us = 5000,
      .jitter_us = 2000,
      .window = 65535,
      .pauses = true,
      .holds = true,
      .violent = true,
      .client = { .sack = true, .scale = true, .window = 1 << 17, .mss = 1460 } },
    { .name = "stream_frames_violent_ends_leave_nothing",
      .loss = 20,
      .delay_us = 5000,
      .window = 65535,
      .frames = true,
      .calls = true,
      .holds = true,
      .pauses = true,
      .violent = true,
      .client = { .sack = true, .scale = true, .window = 1 << 17, .mss = 1460 } },
};

int main(void)
{
    struct CMUnitTest tests[sizeof(profiles) / sizeof(*profiles)];
    for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
        tests[i] = (struct CMUnitTest){ profiles[i].name, run, NULL, NULL, (void *)&profiles[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
