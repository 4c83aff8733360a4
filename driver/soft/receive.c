// SPDX-License-Identifier: Apache-2.0
// The receive side: packets, and the commands that take effect between them.
#include "soft/frames.h"
#include "soft/instance.h"
#include "soft/parse.h"
#include "soft/reply.h"

enum { BURST = 32 };

// A packet between its stages: the headers are read; its bucket is known; its flow is.
struct passage {
    struct zn__soft_segment segment;
    uint32_t hash;
    uint32_t flow;
    bool found; // `flow` has the hash's tag; set when the segment is good
};

// Steps 10 to 13: the flow, and whether the segment is the one that it waits for.
static enum zn_acc_reason judge_flow(const struct zn_soft *soft, const struct passage *p)
{
    const struct zn__soft_segment *segment = &p->segment;
    if (!p->found)
        return ZN_REASON_NO_FLOW;
    const struct zn__soft_rx_flow *rx = &soft->rx[p->flow];
    if (rx->v6 != segment->v6 || memcmp(&rx->tuple, &segment->tuple, sizeof(rx->tuple)) != 0)
        return ZN_REASON_NO_FLOW;
    if (!(soft->settings.control & ZN__CONTROL_RECEIVE) || !(rx->flags & ZN_FLOW_RECEIVE))
        return ZN_REASON_DISABLED;
    if (rx->broken)
        return ZN_REASON_WAIT_RESYNC;
    return segment->seq == rx->rcv_nxt ? ZN_REASON_OK : ZN_REASON_OUT_OF_SEQUENCE;
}

static bool is_text(const struct zn_acc_frame_desc *desc, const uint8_t *payload, const char *text,
                    size_t len)
{
    return desc->b0 == 0x81 && desc->length == len &&
           memcmp(payload + desc->offset, text, len) == 0;
}

// A frame that was whole in the packet, the host's or the core's own to answer.
static bool is_whole(const struct zn_acc_frame_desc *desc)
{
    return (desc->flags & (ZN_FRAME_SPLIT | ZN_FRAME_COMPLETE)) == ZN_FRAME_COMPLETE;
}

// The first frame among those described that the core may answer, or NULL. `probe_out`: it is
// `2probe`.
static struct zn_acc_frame_desc *find_question(struct zn_acc_frame_desc *desc, unsigned count,
                                               uint8_t flags, const uint8_t *payload,
                                               bool *probe_out)
{
    for (unsigned i = 0; i < count; i++, desc++) {
        if (!is_whole(desc))
            continue;
        *probe_out = flags & ZN_FLOW_ENGINE && is_text(desc, payload, "2probe", 6);
        if (*probe_out || (flags & ZN_FLOW_ANSWER && desc->b0 == 0x89))
            return desc;
    }
    return NULL;
}

// Pings, probes and heartbeat answers of a treated packet. Its payload is unmasked.
static void look_at_frames(struct zn_soft *soft, uint32_t flow, const uint8_t *payload,
                           uint32_t seq, bool may_take, struct zn__soft_frames *frames)
{
    struct zn__soft_rx_flow *rx = &soft->rx[flow];
    unsigned count = frames->count < ZN__SOFT_DESCS ? frames->count : ZN__SOFT_DESCS;
    bool probe, seen = false;
    for (unsigned i = 0; rx->flags & ZN_FLOW_ENGINE && i < count; i++) {
        struct zn_acc_frame_desc *desc = &frames->desc[i];
        if (is_whole(desc) && is_text(desc, payload, "3", 1)) {
            desc->flags |= ZN_FRAME_HEARTBEAT;
            seen = true;
        }
    }
    if (seen) {
        rx->last_seen = (uint16_t)soft->now_ms;
        zn__soft_count(soft, ZN_COUNTER_HEARTBEATS_SEEN);
    }
    if (!(soft->settings.control & ZN__CONTROL_REPLIES))
        return;
    struct zn_acc_frame_desc *desc = find_question(frames->desc, count, rx->flags, payload, &probe);
    if (desc == NULL)
        return;
    const uint8_t *text = probe ? (const uint8_t *)"3probe" : payload + desc->offset;
    if (may_take && zn__soft_reply_push(soft, flow, seq + desc->offset, probe ? 0x81 : 0x8a, text,
                                        (uint8_t)desc->length))
        desc->flags |= ZN_FRAME_TAKEN;
    else
        zn__soft_count(soft, ZN_COUNTER_REPLIES_MISSED);
}

// Step 14, and what follows when it holds. `payload` is that of the segment that the flow waits
// for.
static enum zn_acc_reason treat(struct zn_soft *soft, uint32_t flow, uint8_t *payload, uint16_t len,
                                bool may_take, struct zn_acc_rx_annotation *annotation)
{
    struct zn__soft_rx_flow *rx = &soft->rx[flow];
    struct zn__soft_frame_limits limits = { .max_frame = rx->max_frame,
                                            .deflate = (rx->flags & ZN_FLOW_DEFLATE) != 0 };
    struct zn__soft_frames frames;
    uint32_t seq = rx->rcv_nxt;
    enum zn_acc_reason reason = zn__soft_frames_treat(&rx->state, &limits, payload, len, &frames);
    if (reason != ZN_REASON_OK) {
        rx->broken = true;
        return reason;
    }
    rx->rcv_nxt = seq + len;
    if (frames.count > 0) {
        unsigned count = frames.count < ZN__SOFT_DESCS ? frames.count : ZN__SOFT_DESCS;
        if (rx->flags & (ZN_FLOW_ENGINE | ZN_FLOW_ANSWER))
            look_at_frames(soft, flow, payload, seq, may_take, &frames);
        memcpy(annotation->frame, frames.desc, count * sizeof(*frames.desc));
        annotation->frames = (uint8_t)frames.count;
        soft->counters[ZN_COUNTER_RX_FRAMES] += frames.count;
    }
    return ZN_REASON_OK;
}

static enum zn_acc_reason finish(struct zn_soft *soft, const struct passage *p, uint8_t *packet,
                                 bool may_take, struct zn_acc_rx_annotation *annotation)
{
    const struct zn__soft_segment *segment = &p->segment;
    annotation->flags = segment->checksum_ok ? ZN_RX_CHECKSUM_OK : 0;
    if (segment->reason != ZN_REASON_OK)
        return segment->reason;
    annotation->payload_offset = segment->payload_offset;
    annotation->payload_length = segment->payload_len;
    enum zn_acc_reason reason = judge_flow(soft, p);
    if (reason == ZN_REASON_NO_FLOW)
        return reason;
    const struct zn__soft_rx_flow *rx = &soft->rx[p->flow];
    annotation->flags |= ZN_RX_FLOW;
    annotation->flow = p->flow;
    annotation->state = rx->state;
    if (reason == ZN_REASON_OK)
        reason = treat(soft, p->flow, packet + segment->payload_offset, segment->payload_len,
                       may_take, annotation);
    annotation->rcv_nxt = rx->rcv_nxt;
    return reason;
}

// The first stage: what the packet says by itself. Its bucket is fetched.
static void enter(const struct zn_soft *soft, const struct zn_soft_packet *packet,
                  struct passage *p)
{
    p->segment.checksum_ok = false;
    if (packet->len > soft->config.packet_max) {
        p->segment.reason = ZN_REASON_BAD_LENGTH;
    } else if (packet->broken) {
        p->segment.reason = ZN_REASON_BAD_PACKET;
    } else {
        zn__soft_parse(packet->data, packet->len, &p->segment);
        if (p->segment.reason != ZN_REASON_OK)
            return;
        p->hash = zn__soft_table_hash(&soft->table, &p->segment.tuple, p->segment.v6);
        __builtin_prefetch(zn__soft_table_bucket(&soft->table, p->hash));
    }
}

// The second stage: which flow it may be of. The flow is fetched.
static void look_up(const struct zn_soft *soft, struct passage *p)
{
    if (p->segment.reason != ZN_REASON_OK)
        return;
    p->found = zn__soft_table_find(&soft->table, p->hash, &p->flow);
    if (p->found)
        __builtin_prefetch(&soft->rx[p->flow], 1);
}

// The last stage: everything that has an effect.
static void leave(struct zn_soft *soft, const struct zn_soft_packet *packet, bool may_take,
                  const struct passage *p)
{
    struct zn_acc_rx_annotation *annotation = packet->annotation;
    memset(annotation, 0, sizeof(*annotation));
    annotation->kind = ZN_MSG_RX_PACKET;
    annotation->version = ZN_CONTRACT_VERSION;
    if (packet->len <= soft->config.packet_max)
        annotation->packet_length = (uint16_t)packet->len;
    enum zn_acc_reason reason = finish(soft, p, packet->data, may_take, annotation);
    annotation->reason = (uint8_t)reason;
    zn__soft_count(soft, (unsigned)reason);
    zn__soft_count(soft, ZN_COUNTER_RX_PACKETS);
}

void zn_soft_receive_burst(struct zn_soft *soft, const struct zn_soft_packet *packets,
                           unsigned count, bool may_take)
{
    struct passage passages[BURST];
    while (count > 0) {
        unsigned n = count < BURST ? count : BURST;
        for (unsigned i = 0; i < n; i++)
            enter(soft, &packets[i], &passages[i]);
        for (unsigned i = 0; i < n; i++)
            look_up(soft, &passages[i]);
        for (unsigned i = 0; i < n; i++)
            leave(soft, &packets[i], may_take, &passages[i]);
        packets += n;
        count -= n;
    }
}

void zn_soft_receive(struct zn_soft *soft, uint8_t *packet, size_t len, bool broken, bool may_take,
                     struct zn_acc_rx_annotation *annotation)
{
    struct zn_soft_packet one = { packet, len, broken, annotation };
    zn_soft_receive_burst(soft, &one, 1, may_take);
}

static void tuple_of(const struct zn_acc_flow_address *address, struct zn__soft_tuple *tuple)
{
    memcpy(tuple->peer_address, address->peer_address, sizeof(tuple->peer_address));
    memcpy(tuple->local_address, address->local_address, sizeof(tuple->local_address));
    memcpy(tuple->peer_port, address->peer_port, sizeof(tuple->peer_port));
    memcpy(tuple->local_port, address->local_port, sizeof(tuple->local_port));
}

static struct zn_acc_ws_state state_of(const struct zn_acc_command *command)
{
    struct zn_acc_ws_state state = command->state;
    state.fill &= 15;
    memset(state.reserved_4, 0, sizeof(state.reserved_4));
    return state;
}

static enum zn_acc_reason add_flow(struct zn_soft *soft, const struct zn_acc_command *command,
                                   const struct zn_acc_flow_address *address)
{
    struct zn__soft_rx_flow rx = { .max_frame = command->max_frame,
                                   .rcv_nxt = command->rcv_nxt,
                                   .state = state_of(command),
                                   .flags = command->flow_flags & 15,
                                   .v6 = address->ip_version == 6,
                                   .valid = true };
    tuple_of(address, &rx.tuple);
    uint32_t hash = zn__soft_table_hash(&soft->table, &rx.tuple, true);
    if (!zn__soft_table_add(&soft->table, hash, command->flow))
        return ZN_REASON_TABLE_FULL;
    soft->rx[command->flow] = rx;
    return ZN_REASON_OK;
}

static enum zn_acc_reason delete_flow(struct zn_soft *soft, const struct zn_acc_command *command,
                                      const struct zn_acc_flow_address *address)
{
    struct zn__soft_tuple tuple;
    tuple_of(address, &tuple);
    uint32_t hash = zn__soft_table_hash(&soft->table, &tuple, true);
    if (!zn__soft_table_delete(&soft->table, hash, command->flow))
        return ZN_REASON_NO_FLOW;
    soft->rx[command->flow].valid = false;
    return ZN_REASON_OK;
}

void zn_soft_command_rx(struct zn_soft *soft, const uint8_t *message, size_t len)
{
    struct zn_acc_command command;
    struct zn_acc_flow_address address;
    memcpy(&command, message, sizeof(command));
    if (len >= sizeof(command) + sizeof(address))
        memcpy(&address, message + sizeof(command), sizeof(address));
    struct zn__soft_rx_flow *rx = &soft->rx[command.flow];
    struct zn_acc_report_record record = { .kind = ZN_RECORD_RX_DONE,
                                           .reason = rx->valid ? ZN_REASON_OK : ZN_REASON_NO_FLOW,
                                           .flow = command.flow,
                                           .cookie = command.cookie };
    if (command.kind == ZN_MSG_ADD) {
        record.reason = (uint8_t)add_flow(soft, &command, &address);
    } else if (command.kind == ZN_MSG_DELETE) {
        record.reason = (uint8_t)delete_flow(soft, &command, &address);
    } else if (command.kind == ZN_MSG_READ && rx->valid) {
        record.seq = rx->last_seen;
    } else if (rx->valid) {
        rx->rcv_nxt = command.rcv_nxt;
        rx->state = state_of(&command);
        rx->broken = false;
    }
    zn__soft_record(soft, &record);
}
