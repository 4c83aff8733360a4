// SPDX-License-Identifier: Apache-2.0
// Tuples of connections, handshakes and TIME_WAITs in one table: open addressing, keyed hash, at
// most half full.
#include <string.h>

#include "core/siphash.h"
#include "tcp/stack.h"

static const struct zn_tuple *entry_tuple(const struct zn_tcp *tcp, uint32_t entry)
{
    uint32_t index = zn__entry_index(entry);
    switch (zn__entry_kind(entry)) {
    case ZN_ENTRY_CONN:
        return &zn__tcp_conn((struct zn_tcp *)tcp, index)->tuple;
    case ZN_ENTRY_HALF:
        return &tcp->halves[index].tuple;
    default:
        return &tcp->time_waits[index].tuple;
    }
}

static uint32_t home(const struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    return (uint32_t)zn__siphash(tcp->config.secret, tuple, sizeof(*tuple)) & tcp->table_mask;
}

// The slot of `tuple`, or the free one where it would go.
static uint32_t slot_of(const struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    uint32_t slot = home(tcp, tuple);
    while (tcp->table[slot] != 0 &&
           memcmp(entry_tuple(tcp, tcp->table[slot]), tuple, sizeof(*tuple)) != 0)
        slot = (slot + 1) & tcp->table_mask;
    return slot;
}

uint32_t zn__tcp_find(struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    return tcp->table[slot_of(tcp, tuple)];
}

void zn__tcp_enter(struct zn_tcp *tcp, const struct zn_tuple *tuple, enum zn_entry_kind kind,
                   uint32_t index)
{
    tcp->table[slot_of(tcp, tuple)] = (uint32_t)kind << 30 | index;
}

void zn__tcp_leave(struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    uint32_t hole = slot_of(tcp, tuple);
    if (tcp->table[hole] == 0)
        return;
    // Entries behind the hole move up if they may stand there.
    uint32_t slot = hole;
    for (;;) {
        slot = (slot + 1) & tcp->table_mask;
        if (tcp->table[slot] == 0)
            break;
        uint32_t wanted = home(tcp, entry_tuple(tcp, tcp->table[slot]));
        if (((slot - wanted) & tcp->table_mask) < ((slot - hole) & tcp->table_mask))
            continue;
        tcp->table[hole] = tcp->table[slot];
        hole = slot;
    }
    tcp->table[hole] = 0;
}
