// SPDX-License-Identifier: Apache-2.0
// The registers: identity, settings, parameters, counters.
#include "soft/instance.h"

enum {
    MAGIC = 0x43494e5a,
    CONTROL_BITS = ZN__CONTROL_RECEIVE | ZN__CONTROL_REPLIES | ZN__CONTROL_HEARTBEATS,
    RATE_PERIOD_BITS = 15,
    HASH_KEY_END = ZN_REG_HASH_KEY + ZN__TOEPLITZ_KEY,
    COUNTERS_END = ZN_REG_COUNTERS + 4 * ZN__SOFT_COUNTERS,
};

// The list at REG_PARAMS. DATA_BITS is not in it: here are no beats.
static uint32_t read_param(const struct zn_soft_config *config, uint32_t word)
{
    const uint32_t list[][2] = {
        { ZN_PARAM_FLOWS, config->flows },       { ZN_PARAM_FRAMES, 4 },
        { ZN_PARAM_MEMBERS, config->members },   { ZN_PARAM_PAYLOAD, config->payload_max },
        { ZN_PARAM_PACKET, config->packet_max }, { ZN_PARAM_SKIPS, config->skips_max },
        { ZN_PARAM_BUCKETS, config->buckets },
    };
    return word / 2 < sizeof(list) / sizeof(*list) ? list[word / 2][word % 2] : ZN_PARAM_END;
}

static uint32_t read_bytes(const uint8_t *bytes, size_t len)
{
    uint32_t value = 0;
    memcpy(&value, bytes, len);
    return value;
}

static uint32_t read_list(const struct zn_soft *soft, uint32_t offset)
{
    if (offset >= ZN_REG_COUNTERS && offset < COUNTERS_END)
        return soft->counters[(offset - ZN_REG_COUNTERS) / 4];
    if (offset >= ZN_REG_PARAMS && offset < ZN_REG_COUNTERS)
        return read_param(&soft->config, (offset - ZN_REG_PARAMS) / 4);
    if (offset >= ZN_REG_HASH_KEY && offset < HASH_KEY_END)
        return read_bytes(soft->settings.hash_key + (offset - ZN_REG_HASH_KEY), 4);
    return 0;
}

uint32_t zn_soft_read(const struct zn_soft *soft, uint32_t offset)
{
    const struct zn__soft_settings *settings = &soft->settings;
    if (offset % 4 != 0)
        return 0;
    switch (offset) {
    case ZN_REG_MAGIC:
        return MAGIC;
    case ZN_REG_CONTRACT:
        return ZN_CONTRACT_VERSION;
    case ZN_REG_CONTROL:
        return settings->control;
    case ZN_REG_NOW_MS:
        return soft->now_ms;
    case ZN_REG_MS_CYCLES:
        return settings->ms_cycles;
    case ZN_REG_RATE_PERIOD:
        return settings->rate_period;
    case ZN_REG_REPORT_WAIT:
        return settings->report_wait;
    case ZN_REG_LOCAL_MAC:
        return read_bytes(settings->local_mac, 4);
    case ZN_REG_LOCAL_MAC + 4:
        return read_bytes(settings->local_mac + 4, 2);
    case ZN_REG_HOP:
        return (uint32_t)settings->tos << 8 | settings->ttl;
    default:
        return read_list(soft, offset);
    }
}

static void write_key(struct zn_soft *soft, uint32_t offset, uint32_t value)
{
    if (offset < ZN_REG_HASH_KEY || offset >= HASH_KEY_END)
        return;
    memcpy(soft->settings.hash_key + (offset - ZN_REG_HASH_KEY), &value, sizeof(value));
    zn__soft_table_key(&soft->table, soft->settings.hash_key);
}

void zn_soft_write(struct zn_soft *soft, uint32_t offset, uint32_t value)
{
    struct zn__soft_settings *settings = &soft->settings;
    if (offset % 4 != 0)
        return;
    switch (offset) {
    case ZN_REG_CONTROL:
        settings->control = value & CONTROL_BITS;
        break;
    case ZN_REG_MS_CYCLES:
        settings->ms_cycles = value;
        break;
    case ZN_REG_RATE_PERIOD:
        settings->rate_period = value & RATE_PERIOD_BITS;
        break;
    case ZN_REG_REPORT_WAIT:
        settings->report_wait = value;
        break;
    case ZN_REG_LOCAL_MAC:
        memcpy(settings->local_mac, &value, 4);
        break;
    case ZN_REG_LOCAL_MAC + 4:
        memcpy(settings->local_mac + 4, &value, 2);
        break;
    case ZN_REG_HOP:
        settings->ttl = (uint8_t)value;
        settings->tos = (uint8_t)(value >> 8);
        break;
    default:
        write_key(soft, offset, value);
    }
}
