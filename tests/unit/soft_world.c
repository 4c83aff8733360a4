// SPDX-License-Identifier: Apache-2.0
// The world's turns: a client sends or sends again, the network delivers something, the host takes
// it, answers, grants, resynchronises.
#include "soft_world.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 20000,
    MSS = 1400,
    RESYNC_TURNS = 5,
    FRAME_MAX = 2000, // of clients
};

static void breach(struct world *w, unsigned invariant, const char *what)
{
    w->broken[invariant]++;
    if (w->breach == NULL)
        w->breach = what;
}

static void check(struct world *w, bool good, unsigned invariant, const char *what)
{
    if (!good)
        breach(w, invariant, what);
}

static void digest(struct world_flow *f, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        f->digest = (f->digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static uint32_t below(struct world_flow *f, uint32_t bound)
{
    return soft_random(&f->seed) % bound;
}

// --- What the model hands out

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct world *w = user;
    uint8_t bytes[4096];
    struct soft_sent sent;
    size_t len = 0;
    for (unsigned i = 0; i < iov_len; i++) {
        memcpy(bytes + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    const char *wrong = soft_packet_read(bytes, len, &sent);
    check(w, wrong == NULL, 4, wrong);
    uint32_t id = sent.to_port - 20000u;
    if (wrong != NULL || id >= w->config.flows) {
        breach(w, 4, "a packet for nobody");
        return;
    }
    struct world_flow *f = &w->flow[id];
    digest(f, bytes, len);
    check(w, sent.seq == f->wire_next, 4, "a gap or overlap in what was sent");
    check(w, (int32_t)(f->limit - (sent.seq + (uint32_t)sent.len)) >= 0 || sent.len == 0, 4,
          "sent beyond the grant");
    check(w, !w->core_speaks || !f->open, 4, "a byte of the core inside a frame of the host");
    f->wire_next += (uint32_t)sent.len;
    check(w, f->sent_len + sent.len <= WORLD_SENT, 4, "more sent than a test wants");
    if (f->sent_len + sent.len <= WORLD_SENT)
        memcpy(f->sent + f->sent_len, sent.payload, sent.len);
    f->sent_len += sent.len;
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct world *w = user;
    w->records[record->kind]++;
    if (record->kind == ZN_RECORD_BROADCAST_END || record->flow >= w->config.flows)
        return;
    struct world_flow *f = &w->flow[record->flow];
    digest(f, record, sizeof(*record));
    if (record->kind == ZN_RECORD_DONE || record->kind == ZN_RECORD_RX_DONE)
        return;
    if (record->kind == ZN_RECORD_REPLY)
        f->answered++;
    w->refusals[record->reason]++;
    if (record->reason != ZN_REASON_OK) {
        f->refused = f->refused || record->kind == ZN_RECORD_SENT;
        return;
    }
    check(w, record->seq == f->record_next, 4, "a number reported twice or never");
    f->record_next += record->length;
    check(w, f->record_next == f->wire_next, 4, "reported is not what was sent");
}

// --- Set-up

// Valid messages, with fragments, pings and heartbeat answers between them; or noise.
static void stream_make(struct world_flow *f)
{
    size_t want = WORLD_STREAM / 2 + below(f, WORLD_STREAM / 4);
    bool inside = false;
    while (f->stream_len < want) {
        uint8_t key[4], text[FRAME_MAX] = { 0 }, *out = f->stream + f->stream_len;
        uint32_t what = below(f, 16);
        size_t len = below(f, what == 0 ? FRAME_MAX : what < 4 ? 200 : 24);
        uint8_t first = 0x89;
        for (unsigned i = 0; i < 4; i++)
            key[i] = (uint8_t)below(f, 256);
        for (size_t i = 0; i < len; i++)
            text[i] = (uint8_t)below(f, 256);
        if (what == 15) {
            len %= 126;
        } else if (what == 14 && !inside) {
            first = 0x81;
            text[0] = '3';
            len = 1;
        } else {
            bool last = below(f, 4) > 0;
            first = (uint8_t)((last ? 0x80 : 0) | (inside ? 0 : 2));
            inside = !last;
        }
        memcpy(f->payload + f->payload_len, text, len);
        f->payload_len += len;
        f->stream_len += soft_frame_make(out, first, key, text, len);
    }
    for (size_t i = 0; f->hostile && i < f->stream_len; i++)
        f->stream[i] = (uint8_t)below(f, 8) == 0 ? (uint8_t)below(f, 256) : f->stream[i];
}

static void command(struct world *w, const struct zn_acc_command *cmd, const void *body, size_t len)
{
    uint8_t *message = malloc(sizeof(*cmd) + len);
    if (message == NULL)
        abort();
    memcpy(message, cmd, sizeof(*cmd));
    if (len > 0)
        memcpy(message + sizeof(*cmd), body, len);
    zn_soft_command(w->soft, message, sizeof(*cmd) + len);
    free(message);
}

static struct zn_acc_command make_command(enum zn_acc_msg kind, uint32_t flow)
{
    return (struct zn_acc_command){ .kind = (uint8_t)kind,
                                    .version = ZN_CONTRACT_VERSION,
                                    .flow = flow };
}

static void add_flow(struct world *w, struct world_flow *f)
{
    struct zn_acc_command add = make_command(ZN_MSG_ADD, f->id);
    struct zn_acc_flow_address address = { .ip_version = f->peer.v6 ? 6 : 4,
                                           .has_vlan = f->peer.has_vlan };
    memcpy(address.peer_mac, f->peer.mac, 6);
    memcpy(address.vlan, f->peer.vlan, 2);
    memcpy(address.peer_address, f->peer.peer_address, 16);
    memcpy(address.local_address, f->peer.local_address, 16);
    address.peer_port[0] = (uint8_t)(f->peer.peer_port >> 8);
    address.peer_port[1] = (uint8_t)f->peer.peer_port;
    address.local_port[0] = (uint8_t)(f->peer.local_port >> 8);
    address.local_port[1] = (uint8_t)f->peer.local_port;
    add.flow_flags = ZN_FLOW_ANSWER | ZN_FLOW_ENGINE | (f->software ? 0 : ZN_FLOW_RECEIVE);
    add.rcv_nxt = f->isn;
    add.snd_nxt = f->wire_next;
    add.limit = f->limit;
    add.max_frame = FRAME_MAX;
    add.mss = MSS;
    add.heartbeat_ms = 40;
    add.replies = 1;
    command(w, &add, &address, sizeof(address));
}

static void flow_init(struct world *w, uint32_t id)
{
    struct world_flow *f = &w->flow[id];
    f->id = id;
    f->seed = (w->config.seed + id * 7919) | 1;
    for (unsigned i = 0; i < 8; i++)
        soft_random(&f->seed);
    f->peer = soft_peer_make(id);
    f->hostile = id % 8 == 5;
    f->software = id % 8 == 6;
    f->isn = 0u - below(f, WORLD_STREAM); // numbers wrap on the way
    f->wire_next = 0u - below(f, 4000);
    f->record_next = f->wire_next;
    f->limit = f->wire_next;
    soft_reader_init(&f->reader, f->read_bytes, sizeof(f->read_bytes));
    stream_make(f);
    f->rcv_nxt = f->isn;
    f->state_known = true;
    add_flow(w, f);
}

// --- Receive

// The payload of a packet that the host's TCP believes, from stream offset `from` on.
static void host_take(struct world_flow *f, size_t from, const uint8_t *payload, size_t len,
                      bool treated)
{
    for (size_t i = from < f->received ? f->received - from : 0; i < len; i++) {
        if (f->have[from + i] == 0 || (treated && below(f, 2))) {
            f->bytes[from + i] = payload[i];
            f->have[from + i] = treated ? WORLD_TREATED : WORLD_RAW;
        }
    }
    while (f->received < f->stream_len && f->have[f->received] != 0) {
        if (!f->hostile)
            soft_reader_take(&f->reader, f->bytes + f->received, 1,
                             f->have[f->received] == WORLD_TREATED);
        f->received++;
    }
}

// What an annotation says of the flow fits what the host knows.
static void check_state(struct world *w, struct world_flow *f, const struct zn_acc_rx_annotation *a,
                        size_t len)
{
    if (!(a->flags & ZN_RX_FLOW))
        return;
    uint32_t moved = a->reason == ZN_REASON_OK ? (uint32_t)len : 0;
    check(w, a->flow == f->id, 2, "another flow's packet");
    check(w, a->rcv_nxt == f->rcv_nxt + moved, 3, "rcv_nxt moved without a treated packet");
    if (f->state_known)
        check(w, memcmp(&a->state, &f->state, sizeof(a->state)) == 0, 3,
              "the state moved without a treated packet");
    f->rcv_nxt = a->rcv_nxt;
    f->state = a->state;
    f->state_known = moved == 0; // behind a treated packet it is another
}

static void count_taken(struct world_flow *f, const struct zn_acc_rx_annotation *a)
{
    for (unsigned i = 0; i < 4; i++)
        f->taken += (a->frame[i].flags & ZN_FRAME_TAKEN) != 0;
}

// One segment through the model to the host.
static void deliver(struct world *w, struct world_flow *f, struct world_packet p, bool corrupt)
{
    uint8_t packet[SOFT_HEADERS_MAX + MSS], before[sizeof(packet)];
    struct soft_segment segment = { .seq = f->isn + (uint32_t)p.from,
                                    .ack = 1,
                                    .flags = SOFT_ACK,
                                    .payload = f->stream + p.from,
                                    .len = p.to - p.from,
                                    .tcp_options = below(f, 3) * 4 };
    struct zn_acc_rx_annotation a;
    size_t len = soft_packet_make(packet, &f->peer, &segment), tcp = soft_packet_tcp(&f->peer);
    if (corrupt) {
        size_t at = tcp + below(f, (uint32_t)(len - tcp));
        packet[at] ^= (uint8_t)(1 << below(f, 8));
        w->corrupted++;
    }
    memcpy(before, packet, len);
    zn_soft_receive(w->soft, packet, len, false, true, &a);
    digest(f, &a, sizeof(a));
    w->reasons[a.reason]++;
    check(w, !corrupt || !(a.flags & ZN_RX_CHECKSUM_OK), 3, "a broken packet with good checksums");
    check(w, !corrupt || a.reason != ZN_REASON_OK, 3, "a broken packet was treated");
    check_state(w, f, &a, segment.len);
    if (a.reason != ZN_REASON_OK)
        check(w, memcmp(packet, before, len) == 0, 2, "an untreated packet changed");
    if (corrupt)
        return; // the host's TCP drops it
    size_t payload = tcp + 20 + segment.tcp_options;
    check(w, memcmp(packet, before, payload) == 0, 2, "headers changed");
    w->treated += a.reason == ZN_REASON_OK;
    count_taken(f, &a);
    host_take(f, p.from, packet + payload, segment.len, a.reason == ZN_REASON_OK);
    digest(f, packet, len);
}

// --- Turns

// Whether the byte that the host waits for is on its way.
static bool is_coming(const struct world_flow *f)
{
    for (unsigned i = 0; i < f->in_flight; i++)
        if (f->flight[i].from <= f->received && f->received < f->flight[i].to)
            return true;
    return f->received == f->sent_to;
}

static void client_sends(struct world *w, struct world_flow *f)
{
    if (f->in_flight == WORLD_FLIGHT)
        return;
    struct world_packet *p = &f->flight[f->in_flight];
    size_t window_end = f->received + 8000 < f->stream_len ? f->received + 8000 : f->stream_len;
    if (!is_coming(f) && below(f, 3) == 0) {
        p->from = f->received;
    } else if (f->sent_to < window_end && below(f, 5) > 0) {
        p->from = f->sent_to;
    } else if (f->sent_to > 0 && below(f, 16) == 0) {
        // Again, from another place, perhaps from before what is acknowledged.
        size_t back = below(f, 300);
        p->from = f->received > back ? f->received - back : 0;
        w->overlapping++;
    } else {
        return;
    }
    size_t len = 1 + below(f, below(f, 3) == 0 ? MSS : 40);
    p->to = p->from + len < f->stream_len ? p->from + len : f->stream_len;
    if (p->from == p->to)
        return;
    f->sent_to = p->to > f->sent_to ? p->to : f->sent_to;
    f->in_flight++;
}

static void network_delivers(struct world *w, struct world_flow *f)
{
    if (f->in_flight == 0 || below(f, 8) == 0)
        return;
    unsigned at = below(f, 24) == 0 ? below(f, f->in_flight) : 0;
    struct world_packet p = f->flight[at];
    uint32_t fate = below(f, 40);
    w->reordered += at > 0;
    w->lost += fate == 0;
    w->repeated += fate == 1;
    if (fate != 1) {
        memmove(&f->flight[at], &f->flight[at + 1], (f->in_flight - at - 1) * sizeof(p));
        f->in_flight--;
    }
    if (fate != 0)
        deliver(w, f, p, fate == 2);
}

// The host sees that the core stands elsewhere, and tells it where a header or payload is; perhaps
// late.
static void host_resyncs(struct world *w, struct world_flow *f)
{
    if (f->resync_in > 0 && --f->resync_in == 0) {
        struct zn_acc_command resync = make_command(ZN_MSG_RESYNC, f->id);
        resync.rcv_nxt = f->resync_rcv_nxt;
        resync.state = f->resync_state;
        command(w, &resync, NULL, 0);
        f->rcv_nxt = resync.rcv_nxt;
        f->state = resync.state;
        f->state_known = true;
        w->resyncs++;
    }
    bool astray = f->rcv_nxt != f->isn + (uint32_t)f->received;
    if (f->resync_in == 0 && astray && !f->hostile && below(f, 2) == 0) {
        f->resync_in = below(f, 2) ? 1 : 1 + below(f, RESYNC_TURNS);
        f->resync_rcv_nxt = f->isn + (uint32_t)f->received;
        f->resync_state = soft_reader_state(&f->reader);
        if (f->resync_in == 1)
            host_resyncs(w, f);
    }
}

static void host_grants(struct world *w, struct world_flow *f)
{
    struct zn_acc_command grant = make_command(ZN_MSG_GRANT, f->id);
    grant.flags = ZN_CMD_QUIET | (f->refused ? ZN_CMD_UNBLOCK : 0);
    f->limit = f->wire_next + below(f, 600);
    f->refused = false;
    grant.limit = f->limit;
    grant.ack = f->isn + (uint32_t)f->received;
    grant.window = 1000;
    command(w, &grant, NULL, 0);
}

// The next piece of a frame of the host's.
static void host_sends(struct world *w, struct world_flow *f)
{
    struct world_frame *frame = &f->frame;
    struct zn_acc_command segment = make_command(ZN_MSG_SEGMENT, f->id);
    if (f->refused)
        return;
    if (frame->at == frame->len) {
        size_t len = below(f, 120);
        frame->bytes[0] = 0x82;
        frame->bytes[1] = (uint8_t)len;
        memset(frame->bytes + 2, 'h', len);
        frame->len = 2 + len;
        frame->at = 0;
    }
    size_t left = frame->len - frame->at, len = 1 + below(f, (uint32_t)left);
    len = below(f, 2) ? left : len;
    segment.length = (uint16_t)len;
    segment.flags = len < left ? ZN_CMD_OPEN : 0;
    segment.ack = f->isn + (uint32_t)f->received;
    command(w, &segment, frame->bytes + frame->at, len);
    if (f->refused)
        return; // the same piece, or another of it, later
    frame->at += len;
    f->open = len < left;
}

static void host_broadcasts(struct world *w, uint32_t *seed)
{
    struct zn_acc_command list = make_command(ZN_MSG_BROADCAST_LIST, 0);
    uint8_t body[64 + 4 * 8] = { 0x82, 9, 'b', 'r', 'o', 'a', 'd', 'c', 'a', 's', 't' };
    list.length = 11;
    list.ids = 8;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t flow = soft_random(seed) % (w->config.flows + 2);
        memcpy(body + 64 + 4 * i, &flow, 4);
    }
    w->core_speaks = true;
    command(w, &list, body, sizeof(body));
    w->core_speaks = false;
}

static void turn(struct world *w, struct world_flow *f)
{
    client_sends(w, f);
    network_delivers(w, f);
    w->core_speaks = true;
    while (zn_soft_reply(w->soft))
        continue;
    zn_soft_heartbeat(w->soft, f->id);
    w->core_speaks = false;
    host_resyncs(w, f);
    if (below(f, 6) == 0)
        host_grants(w, f);
    if (below(f, 4) == 0)
        host_sends(w, f);
    if (f->received == f->stream_len && f->received_digest == 0)
        f->received_digest = f->digest;
}

// --- The end

// What the peer got is whole frames, of the host and of the core, but for one that is unfinished.
static void check_frames(struct world *w, const struct world_flow *f)
{
    size_t at = 0;
    while (at + 2 <= f->sent_len && at + 2 + f->sent[at + 1] <= f->sent_len) {
        const uint8_t *p = f->sent + at;
        bool host = p[0] == 0x82, pong = p[0] == 0x8a, beat = p[0] == 0x81 && p[2] == '2';
        check(w, p[1] < 126 && (host || pong || beat), 4, "something else than a frame was sent");
        for (unsigned i = 0; host && p[2] == 'h' && i < p[1]; i++)
            check(w, p[2 + i] == 'h', 4, "a frame of the host with other bytes in it");
        at += 2u + p[1];
    }
    check(w, at == f->sent_len || f->open, 4, "the last frame is cut");
}

static void check_flow(struct world *w, const struct world_flow *f)
{
    check_frames(w, f);
    check(w, f->taken == f->answered, 4, "a ping that was taken has no record, or two");
    if (f->received < f->stream_len)
        w->unfinished++;
    if (f->hostile)
        return;
    check(w, f->reader.len == f->payload_len, 1, "bytes are missing, or too many");
    check(w, memcmp(f->reader.bytes, f->payload, f->reader.len) == 0, 1,
          "bytes are not those sent");
}

static bool takes_part(const struct world *w, uint32_t id)
{
    return w->config.only == UINT32_MAX || w->config.only == id;
}

static bool all_received(const struct world *w)
{
    for (uint32_t id = 0; id < w->config.flows; id++)
        if (takes_part(w, id) && w->flow[id].received < w->flow[id].stream_len)
            return false;
    return true;
}

static void model_make(struct world *w)
{
    struct zn_soft_config config = { .flows = w->config.flows,
                                     .buckets = 64,
                                     .payload_max = MSS,
                                     .packet_max = 2048,
                                     .replies_max = 4,
                                     .sink = { on_wire, on_record, w } };
    if (zn_soft_create(&config, &w->soft) != 0)
        abort();
    for (uint32_t i = 0, word = 0x6d5a56da; i < 40; i += 4, word = word * 1664525 + 1013904223)
        zn_soft_write(w->soft, ZN_REG_HASH_KEY + i, word);
    zn_soft_write(w->soft, ZN_REG_RATE_PERIOD, 6);
    zn_soft_write(w->soft, ZN_REG_CONTROL, 7);
}

void world_run(struct world *w, const struct world_config *config)
{
    uint32_t seed = config->seed | 1;
    memset(w, 0, sizeof(*w));
    w->config = *config;
    model_make(w);
    for (uint32_t id = 0; id < config->flows; id++)
        if (takes_part(w, id))
            flow_init(w, id);
    for (unsigned round = 0; round < ROUNDS && !all_received(w); round++) {
        zn_soft_set_time(w->soft, ++w->now_ms);
        for (uint32_t id = 0; id < config->flows; id++)
            if (takes_part(w, id))
                turn(w, &w->flow[id]);
        if (config->broadcasts && soft_random(&seed) % 4 == 0)
            host_broadcasts(w, &seed);
        if (config->switches && soft_random(&seed) % 64 == 0)
            zn_soft_write(w->soft, ZN_REG_CONTROL, soft_random(&seed) & 7);
    }
    for (uint32_t id = 0; id < config->flows; id++)
        if (takes_part(w, id))
            check_flow(w, &w->flow[id]);
    zn_soft_destroy(w->soft);
}
