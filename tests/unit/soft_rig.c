// SPDX-License-Identifier: Apache-2.0
// The rig: what the model hands out is copied, what it is given lies in memory of just its size.
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

const uint8_t soft_rig_mac[6] = { 0x02, 0x5a, 0x4e, 0x49, 0x43, 0x01 };

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct soft_rig *rig = user;
    size_t len = 0;
    assert_true(rig->packets < SOFT_RIG_PACKETS);
    assert_in_range(iov_len, 1, 3);
    uint8_t *bytes = rig->packet[rig->packets].bytes;
    for (unsigned i = 0; i < iov_len; i++) {
        assert_true(len + iov[i].iov_len <= SOFT_RIG_PACKET);
        memcpy(bytes + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    rig->packet[rig->packets++].len = len;
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct soft_rig *rig = user;
    assert_true(rig->records < SOFT_RIG_RECORDS);
    rig->record[rig->records++] = *record;
}

struct zn_soft_config soft_rig_config(struct soft_rig *rig)
{
    return (struct zn_soft_config){ .flows = SOFT_RIG_FLOWS,
                                    .members = SOFT_RIG_MEMBERS,
                                    .buckets = SOFT_RIG_FLOWS,
                                    .payload_max = SOFT_RIG_PAYLOAD,
                                    .packet_max = 2048,
                                    .replies_max = SOFT_RIG_REPLIES,
                                    .skips_max = SOFT_RIG_SKIPS,
                                    .sink = { on_wire, on_record, rig } };
}

void soft_rig_init_config(struct soft_rig *rig, const struct zn_soft_config *config)
{
    static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                     0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                     0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                     0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa };
    uint32_t word;
    uint32_t mac[2] = { 0 };
    assert_int_equal(zn_soft_create(config, &rig->soft), 0);
    for (uint32_t i = 0; i < sizeof(key); i += 4) {
        memcpy(&word, key + i, 4);
        zn_soft_write(rig->soft, ZN_REG_HASH_KEY + i, word);
    }
    memcpy(mac, soft_rig_mac, 6);
    zn_soft_write(rig->soft, ZN_REG_LOCAL_MAC, mac[0]);
    zn_soft_write(rig->soft, ZN_REG_LOCAL_MAC + 4, mac[1]);
    zn_soft_write(rig->soft, ZN_REG_HOP, SOFT_RIG_TOS << 8 | SOFT_RIG_TTL);
    zn_soft_write(rig->soft, ZN_REG_RATE_PERIOD, 10);
    zn_soft_write(rig->soft, ZN_REG_CONTROL, 7);
    soft_rig_clear(rig);
}

void soft_rig_init(struct soft_rig *rig)
{
    struct zn_soft_config config = soft_rig_config(rig);
    soft_rig_init_config(rig, &config);
}

void soft_rig_deinit(struct soft_rig *rig)
{
    zn_soft_destroy(rig->soft);
}

void soft_rig_clear(struct soft_rig *rig)
{
    rig->packets = 0;
    rig->records = 0;
}

struct zn_acc_command soft_command(enum zn_acc_msg kind, uint32_t flow)
{
    return (struct zn_acc_command){ .kind = (uint8_t)kind,
                                    .version = ZN_CONTRACT_VERSION,
                                    .flow = flow,
                                    .cookie = 0xc0000000 + (uint32_t)kind * 65536 + flow };
}

void soft_rig_command(struct soft_rig *rig, const struct zn_acc_command *command, const void *body,
                      size_t len)
{
    uint8_t *message = malloc(sizeof(*command) + len);
    assert_non_null(message);
    memcpy(message, command, sizeof(*command));
    if (len > 0)
        memcpy(message + sizeof(*command), body, len);
    zn_soft_command(rig->soft, message, sizeof(*command) + len);
    free(message);
}

struct zn_acc_flow_address soft_address(const struct soft_peer *peer)
{
    struct zn_acc_flow_address address = { .ip_version = peer->v6 ? 6 : 4,
                                           .has_vlan = peer->has_vlan,
                                           .ip_id = 0xfffe };
    memcpy(address.peer_mac, peer->mac, 6);
    memcpy(address.vlan, peer->vlan, 2);
    memcpy(address.peer_address, peer->peer_address, 16);
    memcpy(address.local_address, peer->local_address, 16);
    address.peer_port[0] = (uint8_t)(peer->peer_port >> 8);
    address.peer_port[1] = (uint8_t)peer->peer_port;
    address.local_port[0] = (uint8_t)(peer->local_port >> 8);
    address.local_port[1] = (uint8_t)peer->local_port;
    return address;
}

struct zn_acc_command soft_add_command(uint32_t flow, uint32_t rcv_nxt, uint32_t snd_nxt)
{
    struct zn_acc_command add = soft_command(ZN_MSG_ADD, flow);
    add.flow_flags = ZN_FLOW_RECEIVE | ZN_FLOW_DEFLATE | ZN_FLOW_ANSWER | ZN_FLOW_ENGINE;
    add.window = 501;
    add.ack = rcv_nxt;
    add.limit = snd_nxt + (1 << 20);
    add.snd_nxt = snd_nxt;
    add.rcv_nxt = rcv_nxt;
    add.max_frame = 1 << 20;
    add.mss = 1460;
    add.replies = 100;
    return add;
}

void soft_rig_add(struct soft_rig *rig, uint32_t flow, const struct soft_peer *peer,
                  uint32_t rcv_nxt, uint32_t snd_nxt)
{
    struct zn_acc_command add = soft_add_command(flow, rcv_nxt, snd_nxt);
    struct zn_acc_flow_address address = soft_address(peer);
    unsigned at = rig->records;
    soft_rig_command(rig, &add, &address, sizeof(address));
    assert_int_equal(rig->records, at + 2);
    soft_rig_expect(rig, at, ZN_RECORD_DONE, ZN_REASON_OK, flow, 0, snd_nxt, add.cookie);
    soft_rig_expect(rig, at + 1, ZN_RECORD_RX_DONE, ZN_REASON_OK, flow, 0, 0, add.cookie);
    rig->records = at;
}

void soft_rig_expect(const struct soft_rig *rig, unsigned at, enum zn_acc_record kind,
                     enum zn_acc_reason reason, uint32_t flow, uint16_t length, uint32_t seq,
                     uint32_t cookie)
{
    const struct zn_acc_report_record *record = &rig->record[at];
    assert_true(at < rig->records);
    assert_int_equal(record->kind, kind);
    assert_int_equal(record->reason, reason);
    assert_int_equal(record->flow, flow);
    assert_int_equal(record->length, length);
    assert_int_equal(record->seq, seq);
    assert_int_equal(record->cookie, cookie);
}

uint32_t soft_rig_counter(const struct soft_rig *rig, unsigned counter)
{
    return zn_soft_read(rig->soft, ZN_REG_COUNTERS + counter * 4);
}
