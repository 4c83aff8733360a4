// SPDX-License-Identifier: Apache-2.0
// What an instance of the model holds. The data path touches one cache line of a flow to receive
// and two to send.
//
// Thread: the instance's.
#ifndef ZN_SOFT_INSTANCE_H
#define ZN_SOFT_INSTANCE_H

#include "soft/soft.h"
#include "soft/table.h"
#include "soft/wire.h"

enum { ZN__CACHE_LINE = 64, ZN__SOFT_COUNTERS = 64 };

enum {
    ZN__CONTROL_RECEIVE = 1 << 0,
    ZN__CONTROL_REPLIES = 1 << 1,
    ZN__CONTROL_HEARTBEATS = 1 << 2,
};

// rx_key and rx_context of the contract.
struct zn__soft_rx_flow {
    struct zn__soft_tuple tuple;
    uint32_t max_frame;
    uint32_t rcv_nxt;
    struct zn_acc_ws_state state;
    uint16_t last_seen; // low bits of now_ms
    uint8_t flags;      // FLOW_*
    bool v6, valid, broken;
} __attribute__((aligned(ZN__CACHE_LINE)));
_Static_assert(sizeof(struct zn__soft_rx_flow) == ZN__CACHE_LINE, "one line");

// tx_context, in the form in which segments are made from it. When its heartbeat is due stands
// elsewhere.
struct zn__soft_tx_flow {
    uint32_t snd_nxt, limit, ack;
    uint16_t window, mss, ip_id;
    uint16_t address_sum; // checksum.h: of both addresses
    uint16_t port_sum;    // of both ports
    uint8_t flags;        // FLOW_*
    uint8_t replies, replied, period;
    uint8_t ip_at;       // bytes of Ethernet header and tag
    uint8_t headers_len; // bytes of all headers
    bool v6, valid, open, blocked;
    uint8_t
        headers[80]; // ready but for what changes from segment to segment, and LOCAL_MAC and HOP
} __attribute__((aligned(ZN__CACHE_LINE)));
_Static_assert(sizeof(struct zn__soft_tx_flow) == 2 * ZN__CACHE_LINE, "two lines");
_Static_assert(sizeof(((struct zn__soft_tx_flow *)0)->headers) >= ZN__HEADERS_MAX, "headers fit");

// The heartbeat part of tx_context, by itself so that the search for due ones reads little.
struct zn__soft_beat {
    uint16_t due_ms;
    uint16_t heartbeat_ms; // 0: none, also for flows that are not valid or not Engine.IO's
};

// A ping or probe that was taken, with its answer.
struct zn__soft_reply {
    uint32_t flow;
    uint32_t cookie;
    uint8_t frame_len;
    uint8_t frame[2 + 125];
};

// The broadcast whose copies are being made.
struct zn__soft_broadcast {
    bool active;
    bool list; // BROADCAST_LIST, else BROADCAST_GROUP
    bool push;
    bool ends_early;        // the list has fewer words than it said
    uint16_t length;        // of the payload
    uint16_t skips;         // words at `ids` of a group
    const uint8_t *payload; // in the host's message
    const uint8_t *ids;     // receivers of a list, or those to leave out of a group
    uint64_t sum;           // the payload's
    uint32_t flow, cookie;  // the command's
    uint32_t next, count;   // receivers
    uint32_t sent;
};

struct zn__soft_settings {
    uint32_t control;
    uint32_t ms_cycles, report_wait; // kept for the reader; nothing here counts cycles
    uint8_t rate_period;
    uint8_t ttl, tos;
    uint8_t local_mac[6];
    uint8_t hash_key[ZN__TOEPLITZ_KEY];
};

struct zn_soft {
    struct zn_soft_config config;
    struct zn__soft_settings settings;
    uint32_t now_ms;
    uint32_t next_beat;     // flow at which the search for due heartbeats goes on
    uint32_t replies_first; // oldest of the ring
    uint32_t replies_count;
    struct zn__soft_rx_flow *rx;    // [flows]
    struct zn__soft_tx_flow *tx;    // [flows]
    struct zn__soft_beat *beats;    // [flows]
    uint32_t *members;              // [members]
    struct zn__soft_reply *replies; // a ring of replies_max
    struct zn__soft_broadcast broadcast;
    uint32_t counters[ZN__SOFT_COUNTERS];
    struct zn__soft_table table;
    uint8_t headers[sizeof(((struct zn__soft_tx_flow *)0)->headers)]; // of the segment being sent
};

static inline void zn__soft_count(struct zn_soft *soft, unsigned counter)
{
    soft->counters[counter]++;
}

static inline void zn__soft_record(struct zn_soft *soft, const struct zn_acc_report_record *record)
{
    soft->config.sink.record(soft->config.sink.user, record);
}

#endif
