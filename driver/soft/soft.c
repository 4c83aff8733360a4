// SPDX-License-Identifier: Apache-2.0
// Making an instance: all its tables, once.
#include "soft/instance.h"
#include "soft/memory.h"

#include <errno.h>
#include <stdlib.h>

enum { LENGTH_MAX = 65535, TABLES = 6 }; // lengths are fields of 16 bits

struct table {
    void **memory; // the instance's pointer to it
    size_t len;
};

static void tables_list(struct zn_soft *soft, struct table tables[TABLES])
{
    const struct zn_soft_config *config = &soft->config;
    struct table list[TABLES] = {
        { (void **)&soft->rx, config->flows * sizeof(*soft->rx) },
        { (void **)&soft->tx, config->flows * sizeof(*soft->tx) },
        { (void **)&soft->beats, config->flows * sizeof(*soft->beats) },
        { (void **)&soft->members, config->members * sizeof(*soft->members) },
        { (void **)&soft->replies, config->replies_max * sizeof(*soft->replies) },
        { (void **)&soft->table.buckets, config->buckets * sizeof(*soft->table.buckets) },
    };
    memcpy(tables, list, sizeof(list));
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
    struct table tables[TABLES];
    if (!config_good(config))
        return -EINVAL;
    struct zn_soft *soft = zn__soft_memory_alloc(sizeof(*soft));
    if (soft == NULL)
        return -ENOMEM;
    soft->config = *config;
    soft->table.mask = config->buckets - 1;
    tables_list(soft, tables);
    for (unsigned i = 0; i < TABLES; i++) {
        *tables[i].memory = zn__soft_memory_alloc(tables[i].len);
        if (*tables[i].memory == NULL) {
            zn_soft_destroy(soft);
            return -ENOMEM;
        }
    }
    *soft_out = soft;
    return 0;
}

void zn_soft_destroy(struct zn_soft *soft)
{
    struct table tables[TABLES];
    if (soft == NULL)
        return;
    tables_list(soft, tables);
    for (unsigned i = 0; i < TABLES; i++)
        zn__soft_memory_free(*tables[i].memory, tables[i].len);
    zn__soft_memory_free(soft, sizeof(*soft));
}

void zn_soft_set_time(struct zn_soft *soft, uint32_t now_ms)
{
    soft->now_ms = now_ms;
}
