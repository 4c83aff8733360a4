// SPDX-License-Identifier: Apache-2.0
// The datapath over user-space TCP and an accelerator device: what its files share, and how it is
// given its devices.
//
// Thread: one instance, one device, one reactor.
#ifndef ZN_ACCEL_H
#define ZN_ACCEL_H

#include "datapath.h"
#include "device/device.h"
#include "list.h"
#include "tcp/tcp.h"

// Set-up of the instances that are opened next, one device each, in order. The arrays are the
// caller's and stay until the last instance is closed, which closes its device.
struct zn_accel_config {
    struct zn_device **devices;
    unsigned devices_len;
    uint8_t ip4[4];  // all zeros: none
    uint8_t ip6[16]; // all zeros: none
    uint16_t mtu;
    bool shared;           // other programs answer at these addresses, at other ports
    uint32_t busy_poll_us; // how long an idle loop spins before it sleeps
};
void zn_accel_configure(const struct zn_accel_config *config);

enum {
    ZN_ACCEL_ACCEPTS = 256, // of one poll
    ZN_ACCEL_RECVS = 1024,  // of one poll
    ZN_ACCEL_TAKEN = 1024,
    ZN_ACCEL_PONGS = 8192, // bytes of pongs that wait to be sent by a stream; more are dropped
    ZN_ACCEL_NONE = 0xffff,
};

enum {
    ZN_ACCEL_QUEUED = 1 << 0,   // in the ready list
    ZN_ACCEL_ACCEPTED = 1 << 1, // ACCEPT was reported
    ZN_ACCEL_EOF_DUE = 1 << 2,
    ZN_ACCEL_ERROR_DUE = 1 << 3,
    ZN_ACCEL_BROKEN = 1 << 4,     // the error was reported
    ZN_ACCEL_ENDED = 1 << 5,      // by the caller
    ZN_ACCEL_OWES = 1 << 6,       // ended while bytes of the caller's were held: GONE follows
    ZN_ACCEL_WANTED = 1 << 7,     // by the caller; TCP's own flag can be less
    ZN_ACCEL_CLOSED = 1 << 9,     // TCP is done with it
    ZN_ACCEL_OFFLOADED = 1 << 10, // the accelerator was told where its frames begin
    ZN_ACCEL_UNMASKED = 1 << 11,  // `data` was treated
    ZN_ACCEL_SPENT = 1 << 8,      // refused input because the turn was full: wanted again next turn
};

// Whole pong frames, in order.
struct zn_accel_pongs {
    struct zn_accel_pongs *next; // in zn_accel_dp.told
    uint32_t len;
    uint8_t bytes[ZN_ACCEL_PONGS];
};

// In TCP's memory: the caller's bytes, this, the connection.
struct zn_stream {
    struct zn_link link;
    struct zn_tcp_conn *conn;
    uint8_t *data; // of this turn, not reported yet
    uint32_t len;
    uint32_t flags;
    size_t sent;                  // acknowledged and not reported
    size_t held;                  // the caller's bytes that TCP has
    struct zn_accel_pongs *pongs; // to be sent by us after all; NULL: none
    uint8_t taken_len;
    uint16_t taken; // first of its pings in zn_accel_dp.taken; ZN_ACCEL_NONE
    int err;
};
_Static_assert(offsetof(struct zn_stream, link) == 0, "list.h");

// A ping in this turn's input that the accelerator answers.
struct zn_accel_taken {
    uint32_t offset; // of its payload in the stream's data
    uint16_t next;
};

struct zn_accel_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct zn_accel_config accel;
    struct zn_device *device;
    struct zn_tcp *tcp;
    struct zn_list ready;
    unsigned data_ready; // streams in `ready` that have input of this turn
    unsigned data_max;   // of them in a turn: what poll() can report
    uint8_t *area;       // input of streams with more than one packet in a turn
    size_t area_used;
    struct zn_list spent;
    struct sockaddr_storage peers[ZN_ACCEL_ACCEPTS]; // of the ACCEPTs that were reported
    unsigned peers_len;
    struct zn_dp_frames
        frames[ZN_ACCEL_RECVS]; // of the RECVs that were reported, and whose they are
    struct zn_stream *frames_of[ZN_ACCEL_RECVS];
    unsigned frames_len;
    struct zn_accel_taken taken[ZN_ACCEL_TAKEN];
    unsigned taken_len;
    struct zn_accel_pongs *told; // that the last poll reported
    uint64_t tcp_wake_ns;
    int woken; // atomic
};

#endif
