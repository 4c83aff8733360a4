// SPDX-License-Identifier: Apache-2.0
// An instance of the accelerator's model with a wire and a host that remember what they got.
#ifndef ZN_TESTS_SOFT_RIG_H
#define ZN_TESTS_SOFT_RIG_H

#include "soft/soft.h"
#include "soft_packet.h"

enum {
    SOFT_RIG_PACKET = 4096,
    SOFT_RIG_PACKETS = 64,
    SOFT_RIG_RECORDS = 4096,
    SOFT_RIG_FLOWS = 64,
    SOFT_RIG_MEMBERS = 128,
    SOFT_RIG_SKIPS = 4,
    SOFT_RIG_PAYLOAD = 2048,
    SOFT_RIG_REPLIES = 3,
    SOFT_RIG_TTL = 63,
    SOFT_RIG_TOS = 0x2e,
};

struct soft_rig {
    struct zn_soft *soft;
    unsigned packets; // in packet[] since the last clear
    unsigned records;
    struct {
        size_t len;
        uint8_t bytes[SOFT_RIG_PACKET];
    } packet[SOFT_RIG_PACKETS];
    struct zn_acc_report_record record[SOFT_RIG_RECORDS];
};

extern const uint8_t soft_rig_mac[6];

// The settings that soft_rig_init() makes an instance with: the numbers above, packets of up to
// 2048 bytes.
struct zn_soft_config soft_rig_config(struct soft_rig *rig);

// An instance with everything switched on, and Microsoft's published key.
void soft_rig_init(struct soft_rig *rig);
void soft_rig_init_config(struct soft_rig *rig, const struct zn_soft_config *config);
void soft_rig_deinit(struct soft_rig *rig);

// Forgets packets and records.
void soft_rig_clear(struct soft_rig *rig);

// A command's fields that are not 0 by default: kind, version, flow and a cookie that depends on
// both.
struct zn_acc_command soft_command(enum zn_acc_msg kind, uint32_t flow);

// Runs a command, with `body[0, len)` behind it.
void soft_rig_command(struct soft_rig *rig, const struct zn_acc_command *command, const void *body,
                      size_t len);

// The body of ADD and DELETE. ip_id is 0xfffe.
struct zn_acc_flow_address soft_address(const struct soft_peer *peer);

// Fields of ADD for a flow that may do everything: limit 2^20 bytes on, mss 1460, 2^20 bytes a
// frame.
struct zn_acc_command soft_add_command(uint32_t flow, uint32_t rcv_nxt, uint32_t snd_nxt);

// ADD of such a flow, and that it worked on both sides; the records are forgotten.
void soft_rig_add(struct soft_rig *rig, uint32_t flow, const struct soft_peer *peer,
                  uint32_t rcv_nxt, uint32_t snd_nxt);

// Record number `at` is there and says this.
void soft_rig_expect(const struct soft_rig *rig, unsigned at, enum zn_acc_record kind,
                     enum zn_acc_reason reason, uint32_t flow, uint16_t length, uint32_t seq,
                     uint32_t cookie);

uint32_t soft_rig_counter(const struct soft_rig *rig, unsigned counter);

#endif
