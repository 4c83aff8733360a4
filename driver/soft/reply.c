// SPDX-License-Identifier: Apache-2.0
// What the core says by itself: answers to pings and probes, and heartbeats.
#include "soft/reply.h"
#include "soft/checksum.h"
#include "soft/transmit.h"

static const uint8_t heartbeat_frame[] = { 0x81, 1, '2' };

bool zn__soft_reply_push(struct zn_soft *soft, uint32_t flow, uint32_t cookie, uint8_t b0,
                         const uint8_t *payload, uint8_t len)
{
    uint32_t room = soft->config.replies_max;
    if (soft->replies_count == room)
        return false;
    uint32_t at = soft->replies_first + soft->replies_count++;
    struct zn__soft_reply *reply = &soft->replies[at < room ? at : at - room];
    reply->flow = flow;
    reply->cookie = cookie;
    reply->frame_len = (uint8_t)(2 + len);
    reply->frame[0] = b0;
    reply->frame[1] = len;
    memcpy(reply->frame + 2, payload, len);
    return true;
}

static uint8_t period_now(const struct zn_soft *soft)
{
    return (uint8_t)(soft->now_ms >> soft->settings.rate_period);
}

static enum zn_acc_reason judge(const struct zn_soft *soft, const struct zn__soft_tx_flow *tx,
                                uint16_t len)
{
    uint8_t replied = tx->period == period_now(soft) ? tx->replied : 0;
    return replied >= tx->replies ? ZN_REASON_RATE : zn__soft_tx_between_frames(tx, len);
}

bool zn_soft_reply(struct zn_soft *soft)
{
    if (soft->replies_count == 0)
        return false;
    const struct zn__soft_reply *reply = &soft->replies[soft->replies_first];
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, reply->flow);
    struct zn_acc_report_record record = { .kind = ZN_RECORD_REPLY,
                                           .reason = ZN_REASON_NO_FLOW,
                                           .flow = reply->flow,
                                           .cookie = reply->cookie };
    if (tx != NULL) {
        record.seq = tx->snd_nxt;
        record.reason = (uint8_t)judge(soft, tx, reply->frame_len);
    }
    if (record.reason == ZN_REASON_OK) {
        uint8_t period = period_now(soft);
        tx->replied = (uint8_t)(tx->period == period ? tx->replied + 1 : 1);
        tx->period = period;
        zn__soft_tx_send(soft, tx, reply->frame, reply->frame_len,
                         zn__soft_sum(reply->frame, reply->frame_len), true);
        record.length = reply->frame_len;
    }
    zn__soft_count(soft,
                   record.reason == ZN_REASON_OK ? ZN_COUNTER_REPLIES : ZN_COUNTER_REPLIES_REFUSED);
    soft->replies_count--;
    soft->replies_first =
        soft->replies_first + 1 < soft->config.replies_max ? soft->replies_first + 1 : 0;
    zn__soft_record(soft, &record);
    return true;
}

bool zn_soft_heartbeat(struct zn_soft *soft, uint32_t flow)
{
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, flow);
    if (tx == NULL || !(soft->settings.control & ZN__CONTROL_HEARTBEATS))
        return false;
    struct zn__soft_beat *beat = &soft->beats[flow];
    uint16_t late = (uint16_t)(soft->now_ms - beat->due_ms), len = sizeof(heartbeat_frame);
    if (beat->heartbeat_ms == 0 || late >= 0x8000 ||
        zn__soft_tx_between_frames(tx, len) != ZN_REASON_OK)
        return false;
    struct zn_acc_report_record record = {
        .kind = ZN_RECORD_HEARTBEAT, .length = len, .flow = flow, .seq = tx->snd_nxt
    };
    beat->due_ms = (uint16_t)(beat->due_ms + beat->heartbeat_ms);
    zn__soft_tx_send(soft, tx, heartbeat_frame, len, zn__soft_sum(heartbeat_frame, len), true);
    zn__soft_count(soft, ZN_COUNTER_HEARTBEATS);
    zn__soft_record(soft, &record);
    return true;
}

void zn_soft_poll(struct zn_soft *soft, unsigned flows)
{
    while (zn_soft_reply(soft))
        continue;
    if (!(soft->settings.control & ZN__CONTROL_HEARTBEATS))
        return;
    for (; flows > 0; flows--) {
        uint32_t flow = soft->next_beat;
        soft->next_beat = flow + 1 < soft->config.flows ? flow + 1 : 0;
        if (soft->beats[flow].heartbeat_ms != 0)
            zn_soft_heartbeat(soft, flow);
    }
}
