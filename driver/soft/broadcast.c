// SPDX-License-Identifier: Apache-2.0
// Copies are made one at a time. The payload is summed once; a copy then costs its flow's context,
// which is fetched a few copies ahead.
#include "soft/broadcast.h"
#include "soft/checksum.h"
#include "soft/transmit.h"

enum { AHEAD = 16 };

static uint32_t load_word(const uint8_t *words, size_t at)
{
    uint32_t word;
    memcpy(&word, words + at * sizeof(word), sizeof(word));
    return word;
}

void zn__soft_broadcast_begin(struct zn_soft *soft, const struct zn_acc_command *command,
                              const uint8_t *body, size_t len)
{
    size_t words_at = zn__soft_broadcast_words_at(command);
    size_t words = len > words_at ? (len - words_at) / sizeof(uint32_t) : 0;
    bool list = command->kind == ZN_MSG_BROADCAST_LIST;
    words = words < command->ids ? words : command->ids;
    soft->broadcast = (struct zn__soft_broadcast){
        .active = true,
        .list = list,
        .push = command->flags & ZN_CMD_PUSH,
        .ends_early = words < command->ids,
        .length = command->length,
        .skips = list ? 0 : command->ids,
        .payload = body,
        .ids = words > 0 ? body + words_at : NULL,
        .sum = zn__soft_sum(body, command->length),
        .flow = command->flow,
        .cookie = command->cookie,
        .count = list ? (uint32_t)words : command->count,
    };
}

static uint32_t receiver(const struct zn_soft *soft, uint32_t at)
{
    const struct zn__soft_broadcast *b = &soft->broadcast;
    return b->list ? load_word(b->ids, at) : soft->members[b->flow + at];
}

// Inlined in any case: as a call that changes nothing it would be left out.
static inline __attribute__((always_inline)) void fetch_ahead(const struct zn_soft *soft)
{
    uint32_t at = soft->broadcast.next + AHEAD;
    uint32_t flow = at < soft->broadcast.count ? receiver(soft, at) : UINT32_MAX;
    if (flow >= soft->config.flows)
        return;
    __builtin_prefetch(&soft->tx[flow], 1);
    __builtin_prefetch(soft->tx[flow].headers + ZN__CACHE_LINE, 0);
}

static bool is_left_out(const struct zn__soft_broadcast *b, uint32_t flow)
{
    for (size_t i = 0; i < b->skips; i++) {
        if (load_word(b->ids, i) == flow)
            return true;
    }
    return false;
}

static enum zn_acc_reason judge(const struct zn__soft_broadcast *b, struct zn__soft_tx_flow *tx,
                                uint32_t flow)
{
    if (is_left_out(b, flow))
        return ZN_REASON_LEFT_OUT;
    if (tx->blocked)
        return ZN_REASON_BLOCKED;
    enum zn_acc_reason reason = zn__soft_tx_between_frames(tx, b->length);
    tx->blocked = reason != ZN_REASON_OK;
    return reason;
}

static void copy(struct zn_soft *soft, uint32_t flow)
{
    struct zn__soft_broadcast *b = &soft->broadcast;
    struct zn__soft_tx_flow *tx = zn__soft_tx_flow(soft, flow);
    struct zn_acc_report_record record = {
        .kind = ZN_RECORD_SENT, .reason = ZN_REASON_NO_FLOW, .flow = flow, .cookie = b->cookie
    };
    if (tx != NULL) {
        record.seq = tx->snd_nxt;
        record.reason = (uint8_t)judge(b, tx, flow);
    }
    if (record.reason == ZN_REASON_OK) {
        zn__soft_tx_send(soft, tx, b->payload, b->length, b->sum, b->push);
        record.length = b->length;
        b->sent++;
    }
    zn__soft_count(soft,
                   record.reason == ZN_REASON_OK ? ZN_COUNTER_TX_SEGMENTS : ZN_COUNTER_TX_SKIPPED);
    zn__soft_record(soft, &record);
}

bool zn_soft_copy(struct zn_soft *soft)
{
    struct zn__soft_broadcast *b = &soft->broadcast;
    if (!b->active)
        return false;
    if (b->next < b->count) {
        fetch_ahead(soft);
        copy(soft, receiver(soft, b->next));
        b->next++;
        return true;
    }
    struct zn_acc_report_record record = { .kind = ZN_RECORD_BROADCAST_END,
                                           .reason =
                                               b->ends_early ? ZN_REASON_BAD_COMMAND : ZN_REASON_OK,
                                           .flow = b->flow,
                                           .seq = b->sent,
                                           .cookie = b->cookie };
    if (b->ends_early)
        zn__soft_count(soft, ZN_COUNTER_COMMANDS_BAD);
    b->active = false;
    zn__soft_record(soft, &record);
    return false;
}
