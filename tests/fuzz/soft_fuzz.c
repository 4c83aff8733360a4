// SPDX-License-Identifier: Apache-2.0
// The accelerator's model between a hostile wire and a hostile host. Whatever both say, an
// untreated packet stays as it is, a treated one changes in its payload only, what is sent is whole
// packets, and each message has its records.
//
// Input: steps of an operation byte, a length byte (in 8 bytes) and as many bytes.
#include "../unit/soft_packet.h"
#include "soft/soft.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FLOWS = 4, MEMBERS = 8, PAYLOAD = 600, PACKET = 1500, STEP_MAX = 8 * 255 };

struct rig {
    struct zn_soft *soft;
    unsigned records, packets;
    uint8_t seen; // of all bytes that went to the wire
    uint32_t now_ms;
    uint32_t expected[FLOWS]; // sequence numbers that packets of the peers try
};

static void require(bool good)
{
    if (!good)
        abort();
}

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct rig *rig = user;
    size_t len = 0;
    require(iov_len >= 1 && iov_len <= 3);
    for (unsigned i = 0; i < iov_len; i++) {
        for (size_t k = 0; k < iov[i].iov_len; k++)
            rig->seen ^= ((const uint8_t *)iov[i].iov_base)[k];
        len += iov[i].iov_len;
    }
    require(len > 0 && len <= SOFT_HEADERS_MAX + PAYLOAD);
    rig->packets++;
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct rig *rig = user;
    require(record->kind >= ZN_RECORD_SENT && record->kind <= ZN_RECORD_RX_DONE);
    require(record->reason <= ZN_REASON_BLOCKED);
    rig->records++;
}

static struct rig *rig_make(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    require(rig != NULL);
    struct zn_soft_config config = { .flows = FLOWS,
                                     .members = MEMBERS,
                                     .buckets = 2,
                                     .payload_max = PAYLOAD,
                                     .packet_max = PACKET,
                                     .replies_max = 2,
                                     .skips_max = 3,
                                     .sink = { on_wire, on_record, rig } };
    require(zn_soft_create(&config, &rig->soft) == 0);
    zn_soft_write(rig->soft, ZN_REG_HASH_KEY, 0x6d5a56da);
    zn_soft_write(rig->soft, ZN_REG_HASH_KEY + 16, 0x255b0ec2);
    zn_soft_write(rig->soft, ZN_REG_CONTROL, 7);
    return rig;
}

// Gives a packet in memory of just its size.
static void receive(struct rig *rig, const uint8_t *bytes, size_t len, bool broken)
{
    struct zn_acc_rx_annotation a;
    uint8_t *packet = malloc(len + 1);
    require(packet != NULL);
    memcpy(packet, bytes, len);
    uint8_t *exact = realloc(packet, len > 0 ? len : 1);
    zn_soft_receive(rig->soft, exact, len, broken, !broken, &a);
    require(a.kind == ZN_MSG_RX_PACKET && a.reason <= ZN_REASON_BLOCKED);
    size_t from = a.payload_offset, to = from + a.payload_length;
    require(to <= len);
    if (a.reason != ZN_REASON_OK) {
        require(memcmp(exact, bytes, len) == 0 && a.frames == 0);
    } else {
        require(memcmp(exact, bytes, from) == 0);
        require(memcmp(exact + to, bytes + to, len - to) == 0);
    }
    for (unsigned i = 0; i < 4 && i < a.frames; i++) {
        require(a.frame[i].offset <= a.payload_length);
        require(!(a.frame[i].flags & ZN_FRAME_COMPLETE) ||
                a.frame[i].offset + a.frame[i].length <= a.payload_length);
    }
    if (a.flags & ZN_RX_FLOW) {
        require(a.flow < FLOWS);
        rig->expected[a.flow] = a.rcv_nxt;
    }
    free(exact);
}

// A good segment of a peer, with any payload.
static void segment(struct rig *rig, uint8_t which, const uint8_t *bytes, size_t len)
{
    uint8_t packet[SOFT_HEADERS_MAX + STEP_MAX];
    struct soft_peer peer = soft_peer_make(which % FLOWS);
    struct soft_segment s = {
        .seq = rig->expected[which % FLOWS], .flags = SOFT_ACK, .payload = bytes, .len = len
    };
    size_t packet_len = soft_packet_make(packet, &peer, &s);
    receive(rig, packet, packet_len, false);
}

static void add(struct rig *rig, uint8_t which, const uint8_t *bytes, size_t len)
{
    uint8_t message[sizeof(struct zn_acc_command) + sizeof(struct zn_acc_flow_address)];
    struct soft_peer peer = soft_peer_make(which % FLOWS);
    struct zn_acc_flow_address address = { .ip_version = peer.v6 ? 6 : 4,
                                           .has_vlan = peer.has_vlan };
    struct zn_acc_command command = { .limit = 10000, .mss = PAYLOAD, .max_frame = 1000 };
    memcpy(&command, bytes, len < sizeof(command) ? len : sizeof(command));
    command.kind = which & 4 ? ZN_MSG_DELETE : ZN_MSG_ADD;
    command.version = ZN_CONTRACT_VERSION;
    command.flow = which % FLOWS;
    command.flow_flags |= ZN_FLOW_RECEIVE;
    memcpy(address.peer_address, peer.peer_address, 16);
    memcpy(address.local_address, peer.local_address, 16);
    address.peer_port[0] = (uint8_t)(peer.peer_port >> 8);
    address.peer_port[1] = (uint8_t)peer.peer_port;
    address.local_port[0] = (uint8_t)(peer.local_port >> 8);
    address.local_port[1] = (uint8_t)peer.local_port;
    memcpy(message, &command, sizeof(command));
    memcpy(message + sizeof(command), &address, sizeof(address));
    zn_soft_command(rig->soft, message, sizeof(message));
}

// Any bytes as a message. Whatever it is, there is an outcome.
static void message(struct rig *rig, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    require(exact != NULL);
    memcpy(exact, bytes, len);
    unsigned before = rig->records + rig->packets;
    zn_soft_command(rig->soft, exact, len);
    bool quiet = len >= 3 && exact[2] & ZN_CMD_QUIET;
    require(quiet || rig->records + rig->packets > before);
    free(exact);
}

static void step(struct rig *rig, uint8_t what, const uint8_t *bytes, size_t len)
{
    uint32_t word = 0;
    memcpy(&word, bytes, len < 4 ? len : 4);
    switch (what & 7) {
    case 0:
        receive(rig, bytes, len, what & 8);
        break;
    case 1:
    case 2:
        segment(rig, what >> 3, bytes, len);
        break;
    case 3:
        add(rig, what >> 3, bytes, len);
        break;
    case 4:
    case 5:
        message(rig, bytes, len);
        break;
    case 6:
        zn_soft_write(rig->soft, word & 0xfff, word >> 12);
        zn_soft_read(rig->soft, word);
        break;
    default:
        rig->now_ms += word & 0xffff;
        zn_soft_set_time(rig->soft, rig->now_ms);
        zn_soft_poll(rig->soft, FLOWS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rig *rig = rig_make();
    while (len >= 2) {
        size_t n = data[1] * 8u < len - 2 ? data[1] * 8u : len - 2;
        step(rig, data[0], data + 2, n);
        data += 2 + n;
        len -= 2 + n;
    }
    zn_soft_destroy(rig->soft);
    free(rig);
    return 0;
}
