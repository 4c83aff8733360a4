// SPDX-License-Identifier: Apache-2.0
// The transmit side of one flow: its context, its checks, its segments.
#include "soft/transmit.h"
#include "soft/checksum.h"
#include "soft/compose.h"

struct zn__soft_tx_flow *zn__soft_tx_flow(struct zn_soft *soft, uint32_t flow)
{
    return flow < soft->config.flows && soft->tx[flow].valid ? &soft->tx[flow] : NULL;
}

enum zn_acc_reason zn__soft_tx_room(const struct zn__soft_tx_flow *tx, uint16_t len)
{
    if (len > tx->mss)
        return ZN_REASON_TOO_LONG;
    return (int32_t)(tx->limit - tx->snd_nxt - len) < 0 ? ZN_REASON_NO_GRANT : ZN_REASON_OK;
}

enum zn_acc_reason zn__soft_tx_between_frames(const struct zn__soft_tx_flow *tx, uint16_t len)
{
    return tx->open ? ZN_REASON_IN_FRAME : zn__soft_tx_room(tx, len);
}

void zn__soft_tx_send(struct zn_soft *soft, struct zn__soft_tx_flow *tx, const uint8_t *payload,
                      uint16_t len, uint64_t sum, bool push)
{
    zn__soft_compose(soft, tx, len, sum, push);
    struct iovec iov[2] = { { soft->headers, tx->headers_len }, { (void *)payload, len } };
    tx->snd_nxt += len;
    soft->config.sink.wire(soft->config.sink.user, iov, len > 0 ? 2 : 1);
}

void zn__soft_tx_segment(struct zn_soft *soft, const struct zn_acc_command *command,
                         const uint8_t *body)
{
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, command->flow);
    struct zn_acc_report_record record = { .kind = ZN_RECORD_SENT,
                                           .reason = ZN_REASON_NO_FLOW,
                                           .flow = command->flow,
                                           .cookie = command->cookie };
    uint16_t len = command->length;
    if (tx != NULL) {
        tx->window = command->window;
        tx->ack = command->ack;
        record.seq = tx->snd_nxt;
        record.reason = len == 0      ? ZN_REASON_OK
                        : tx->blocked ? ZN_REASON_BLOCKED
                                      : (uint8_t)zn__soft_tx_room(tx, len);
        tx->blocked = tx->blocked || record.reason != ZN_REASON_OK;
    }
    if (record.reason == ZN_REASON_OK) {
        zn__soft_tx_send(soft, tx, body, len, zn__soft_sum(body, len),
                         command->flags & ZN_CMD_PUSH);
        if (len > 0)
            tx->open = command->flags & ZN_CMD_OPEN;
        record.length = len;
    }
    zn__soft_count(soft,
                   record.reason == ZN_REASON_OK ? ZN_COUNTER_TX_SEGMENTS : ZN_COUNTER_TX_SKIPPED);
    zn__soft_record(soft, &record);
}

// The DONE record of a command for a flow: NULL if it is not known.
static void done(struct zn_soft *soft, const struct zn_acc_command *command,
                 const struct zn__soft_tx_flow *tx)
{
    bool read = command->kind == ZN_MSG_READ && tx != NULL;
    struct zn_acc_report_record record = { .kind = ZN_RECORD_DONE,
                                           .reason = tx ? ZN_REASON_OK : ZN_REASON_NO_FLOW,
                                           .length = read ? tx->window : 0,
                                           .flow = command->flow,
                                           .seq = tx ? tx->snd_nxt : 0,
                                           .cookie = command->cookie };
    zn__soft_record(soft, &record);
}

void zn__soft_tx_grant(struct zn_soft *soft, const struct zn_acc_command *command)
{
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, command->flow);
    if (tx != NULL) {
        tx->limit = command->limit;
        tx->ack = command->ack;
        tx->window = command->window;
        tx->blocked = tx->blocked && !(command->flags & ZN_CMD_UNBLOCK);
    }
    if (!(command->flags & ZN_CMD_QUIET))
        done(soft, command, tx);
}

void zn__soft_tx_add(struct zn_soft *soft, const struct zn_acc_command *command,
                     const uint8_t *body)
{
    struct zn__soft_tx_flow *tx = &soft->tx[command->flow];
    struct zn__soft_beat *beat = &soft->beats[command->flow];
    struct zn_acc_flow_address address;
    memcpy(&address, body, sizeof(address));
    zn__soft_compose_prepare(tx, &address);
    tx->snd_nxt = command->snd_nxt;
    tx->limit = command->limit;
    tx->ack = command->ack;
    tx->window = command->window;
    tx->mss = command->mss;
    tx->flags = command->flow_flags & 15;
    tx->replies = (uint8_t)command->replies;
    tx->replied = 0;
    tx->period = 0;
    tx->open = command->flags & ZN_CMD_OPEN;
    tx->blocked = false;
    tx->valid = true;
    beat->heartbeat_ms = tx->flags & ZN_FLOW_ENGINE ? command->heartbeat_ms : 0;
    beat->due_ms = (uint16_t)(soft->now_ms + command->heartbeat_ms);
    done(soft, command, tx);
}

void zn__soft_tx_delete(struct zn_soft *soft, const struct zn_acc_command *command)
{
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, command->flow);
    done(soft, command, tx);
    if (tx != NULL)
        tx->valid = false;
    soft->beats[command->flow].heartbeat_ms = 0;
}

void zn__soft_tx_look(struct zn_soft *soft, const struct zn_acc_command *command)
{
    done(soft, command, zn__soft_tx_flow(soft, command->flow));
}
