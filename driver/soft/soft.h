// SPDX-License-Identifier: Apache-2.0
// The accelerator in C: the contract of ../README.md, one call per packet in each direction. It is
// the golden reference of the RTL, bit for bit, and the accelerator of ports that have none.
//
// Thread: one instance, one thread. Nothing is allocated after create. Time is what set_time()
// says.
//
// The calls under "One operation" are the contract's units of effect; a test that follows an RTL
// core replays its order with them. zn_soft_command() and zn_soft_poll() are what a device calls.
#ifndef ZN_SOFT_H
#define ZN_SOFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "contract/contract.h"

struct zn_soft;

// What an instance calls while one of the functions below runs. Memory is good during the call
// only.
struct zn_soft_sink {
    // A packet for the wire: headers, then payload; its bytes are in up to three pieces.
    void (*wire)(void *user, const struct iovec *iov, unsigned iov_len);
    // A record for the host, in the contract's order.
    void (*record)(void *user, const struct zn_acc_report_record *record);
    void *user;
};

struct zn_soft_config {
    uint32_t flows;       // flow ids are below this
    uint32_t members;     // entries of the member table
    uint32_t buckets;     // of the flow table, a power of two, four slots each
    uint32_t payload_max; // bytes of a RAW, SEGMENT or BROADCAST body, up to 65535
    uint32_t packet_max;  // longest packet that is treated, up to 65535
    uint32_t replies_max; // replies that wait for the transmit side, may be 0
    uint32_t skips_max;   // flows that a BROADCAST_GROUP can leave out, may be 0
    struct zn_soft_sink sink;
};

// 0, -EINVAL (a parameter out of range) or -ENOMEM.
int zn_soft_create(const struct zn_soft_config *config, struct zn_soft **soft_out);
void zn_soft_destroy(struct zn_soft *soft);

// Registers: `offset` is a ZN_REG_*, or within one of the lists. Unknown ones read as 0.
uint32_t zn_soft_read(const struct zn_soft *soft, uint32_t offset);
void zn_soft_write(struct zn_soft *soft, uint32_t offset, uint32_t value);

// The clock, in ms; it does not go back.
void zn_soft_set_time(struct zn_soft *soft, uint32_t now_ms);

// One packet from the wire, `packet[0, len)` from the Ethernet header on, without FCS. Fills in the
// annotation and, when the packet is treated, unmasks its payload in place. `broken`: the MAC's
// mark. The one ping or probe that it takes waits for zn_soft_reply(); `may_take` false: none is
// taken, as if the queue were full.
void zn_soft_receive(struct zn_soft *soft, uint8_t *packet, size_t len, bool broken, bool may_take,
                     struct zn_acc_rx_annotation *annotation);

// One of a burst: the arguments of zn_soft_receive().
struct zn_soft_packet {
    uint8_t *data;
    size_t len;
    bool broken;
    struct zn_acc_rx_annotation *annotation;
};

// zn_soft_receive() of each, in order; with many flows this is faster, because their memory is
// fetched for all of a burst at once.
void zn_soft_receive_burst(struct zn_soft *soft, const struct zn_soft_packet *packets,
                           unsigned count, bool may_take);

// --- One operation

// The transmit side of a message from the host, header included, as one packet of `len` bytes.
// Returns true if it goes on to the receive side: zn_soft_command_rx() with the same bytes, before
// any later command's. Broadcasts: only the checks and the payload; the copies follow by
// zn_soft_copy(), all of them before the next command, and until then `message` stays where it is.
bool zn_soft_command_tx(struct zn_soft *soft, const uint8_t *message, size_t len);
void zn_soft_command_rx(struct zn_soft *soft, const uint8_t *message, size_t len);

// The next copy of the broadcast that command_tx() began; false when there was none left, which
// made the BROADCAST_END record, or when there is no broadcast.
bool zn_soft_copy(struct zn_soft *soft);

// Answers the oldest ping or probe that was taken; false if none waits.
bool zn_soft_reply(struct zn_soft *soft);

// Sends a heartbeat on `flow` if it is due and allowed; false if not.
bool zn_soft_heartbeat(struct zn_soft *soft, uint32_t flow);

// --- What a device calls

// A whole message: both sides, all copies.
void zn_soft_command(struct zn_soft *soft, const uint8_t *message, size_t len);

// All waiting replies, then heartbeats of up to `flows` flows, going on where the last call
// stopped.
void zn_soft_poll(struct zn_soft *soft, unsigned flows);

#endif
