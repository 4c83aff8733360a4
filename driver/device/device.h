// SPDX-License-Identifier: Apache-2.0
// A device: an accelerator in front of a wire, as the host sees it. Messages of the contract in
// bursts, both ways.
//
// Three back ends: `soft`, the C model on this CPU before any wire; `hw`, a wire whose packets
// carry the in-band header already because a core stands behind it; `sim`, the Verilated core
// before any wire (sim/core).
//
// Owner: one reactor thread; open and close may be another's while that does not run.
#ifndef ZN_DEVICE_H
#define ZN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "contract/contract.h"

struct zn_device;
struct zn_wire;

// A message to the host: a packet from the wire with its annotation, or records.
struct zn_device_message {
    const struct zn_acc_rx_annotation *annotation; // NULL: records
    uint8_t *packet;                               // writable
    size_t len;
    const struct zn_acc_report_record *records;
    unsigned records_len;
};

// Reads what a core sent to the host, header first. False: it cannot be, by its kind, version or
// lengths.
bool zn_device_message_read(uint8_t *bytes, size_t len, struct zn_device_message *message_out);

struct zn_device_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t tx_full; // packets that the wire did not take: TCP sends them again
    uint64_t bad;     // messages from the device that cannot be
};

struct zn_device_ops {
    const char *name;

    // Up to `max` messages; they are good until the next call.
    unsigned (*receive)(struct zn_device *device, struct zn_device_message *burst, unsigned max);

    // One message to the core; the bytes are needed during the call only.
    void (*command)(struct zn_device *device, const struct zn_acc_command *command,
                    const struct iovec *body, unsigned body_len);

    // Ends a burst of commands: what is queued leaves.
    void (*flush)(struct zn_device *device);

    uint32_t (*read)(struct zn_device *device, uint32_t reg);
    void (*write)(struct zn_device *device, uint32_t reg, uint32_t value);

    // Frees the device and its wire.
    void (*close)(struct zn_device *device);
};

// What every device starts with.
struct zn_device {
    const struct zn_device_ops *ops;
    struct zn_device_stats stats;
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t flows; // flow ids are below this
};

// --- Wires: packets from the Ethernet header on, without FCS, padding or not.

struct zn_wire_packet {
    uint8_t *bytes; // writable, good until the next receive()
    size_t len;
};

struct zn_wire_ops {
    unsigned (*receive)(struct zn_wire *wire, struct zn_wire_packet *burst, unsigned max);
    // Copies one packet; false: no room now.
    bool (*send)(struct zn_wire *wire, const struct iovec *iov, unsigned iov_len);
    void (*flush)(struct zn_wire *wire);
    void (*close)(struct zn_wire *wire);
};

struct zn_wire {
    const struct zn_wire_ops *ops;
    uint8_t mac[6];
    uint16_t mtu;
};

// The C model before `wire`, which it owns from then on. 0, -EINVAL or -ENOMEM.
int zn_device_soft_open(struct zn_wire *wire, uint32_t flows, struct zn_device **device_out);

// The Verilated core before `wire`, which it owns from then on; its parameters are those that
// sim/core was built with. In programs that link libzn_sim.
int zn_device_sim_open(struct zn_wire *wire, struct zn_device **device_out);

// A core behind `wire`: checks nothing but the form of what comes.
int zn_device_hw_open(struct zn_wire *wire, uint32_t flows, struct zn_device **device_out);

#endif
