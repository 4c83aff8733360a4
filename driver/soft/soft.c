// SPDX-License-Identifier: Apache-2.0
// Making an instance. All its memory is one piece, zero and untouched at first, so that tables for
// a million flows cost what is used of them.
#include "soft/instance.h"

#include <errno.h>
#include <stdlib.h>

enum { LENGTH_MAX = 65535 }; // of packets and payloads: fields of 16 bits

// The parts of an instance's memory, each on cache lines of its own.
struct layout {
    size_t soft, rx, tx, beats, members, replies, buckets, end;
};

static size_t part(size_t *end, size_t count, size_t size)
{
    size_t at = *end;
    *end += (count * size + ZN__CACHE_LINE - 1) / ZN__CACHE_LINE * ZN__CACHE_LINE;
    return at;
}

static void layout_make(const struct zn_soft_config *config, struct layout *l)
{
    size_t end = 0;
    l->soft = part(&end, 1, sizeof(struct zn_soft));
    l->rx = part(&end, config->flows, sizeof(struct zn__soft_rx_flow));
    l->tx = part(&end, config->flows, sizeof(struct zn__soft_tx_flow));
    l->beats = part(&end, config->flows, sizeof(struct zn__soft_beat));
    l->members = part(&end, config->members, sizeof(uint32_t));
    l->replies = part(&end, config->replies_max, sizeof(struct zn__soft_reply));
    l->buckets = part(&end, config->buckets, sizeof(struct zn__soft_bucket));
    l->end = end;
}

static bool config_good(const struct zn_soft_config *config)
{
    bool buckets = config->buckets > 0 && (config->buckets & (config->buckets - 1)) == 0;
    bool lengths = config->payload_max > 0 && config->payload_max <= LENGTH_MAX &&
                   config->packet_max <= LENGTH_MAX && config->skips_max <= LENGTH_MAX;
    return buckets && lengths && config->flows > 0 && config->flows < UINT32_MAX &&
           config->replies_max <= INT32_MAX && config->sink.wire != NULL &&
           config->sink.record != NULL;
}

int zn_soft_create(const struct zn_soft_config *config, struct zn_soft **soft_out)
{
    struct layout l;
    if (!config_good(config))
        return -EINVAL;
    layout_make(config, &l);
    uint8_t *memory = calloc(1, l.end + ZN__CACHE_LINE);
    if (memory == NULL)
        return -ENOMEM;
    uint8_t *base = memory + (-(uintptr_t)memory & (ZN__CACHE_LINE - 1));
    struct zn_soft *soft = (struct zn_soft *)(base + l.soft);
    soft->memory = memory;
    soft->config = *config;
    soft->rx = (struct zn__soft_rx_flow *)(base + l.rx);
    soft->tx = (struct zn__soft_tx_flow *)(base + l.tx);
    soft->beats = (struct zn__soft_beat *)(base + l.beats);
    soft->members = (uint32_t *)(base + l.members);
    soft->replies = (struct zn__soft_reply *)(base + l.replies);
    soft->table.buckets = (struct zn__soft_bucket *)(base + l.buckets);
    soft->table.mask = config->buckets - 1;
    *soft_out = soft;
    return 0;
}

void zn_soft_destroy(struct zn_soft *soft)
{
    if (soft != NULL)
        free(soft->memory);
}

void zn_soft_set_time(struct zn_soft *soft, uint32_t now_ms)
{
    soft->now_ms = now_ms;
}
