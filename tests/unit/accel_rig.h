// SPDX-License-Identifier: Apache-2.0
// The datapath over TCP of our own, on the accelerator's model and a wire in memory, and clients at
// its far end. They are as simple as TCP can be: nothing is lost, and they take only what is next.
#ifndef ACCEL_RIG_H
#define ACCEL_RIG_H

#include "datapath/accel.h"
#include "tcp/packet.h"

enum { ACCEL_RIG_CLIENTS = 16, ACCEL_RIG_WIRE = 512, ACCEL_RIG_PORT = 8080, ACCEL_RIG_MSS = 1460 };

struct accel_client {
    struct zn_tuple tuple; // as it sends
    uint32_t snd_nxt, rcv_nxt, acked;
    size_t received, received_sum; // bytes from the server: their number, and their sum
    uint8_t last[ACCEL_RIG_MSS];   // payload of the latest segment
    size_t last_len;
    bool open, fin, reset; // what the server said
    bool mute;             // acknowledges nothing
};

// The caller's bytes of a stream.
struct accel_session {
    struct zn_stream *stream;
    size_t received, sent;
    unsigned recvs, gones;
    bool accepted, eof;
    int err;
};

struct accel_rig_packet {
    uint8_t bytes[ACCEL_RIG_MSS + 128];
    size_t len;
};

struct accel_rig {
    struct zn_wire wire;
    struct zn_device counter; // before the model: counts commands
    struct zn_device *device;
    struct zn_device *devices[1];
    struct zn_dp *dp;
    unsigned commands[32]; // by kind
    unsigned max;          // events of one poll
    struct accel_client client[ACCEL_RIG_CLIENTS];
    struct accel_session *session[ACCEL_RIG_CLIENTS]; // by client; NULL: ended
    unsigned gones, events;
    bool closed;
    unsigned waiting_len;
    struct accel_rig_packet waiting[ACCEL_RIG_WIRE], lent[ACCEL_RIG_WIRE];
};

struct accel_rig *accel_rig_new(void);
void accel_rig_free(struct accel_rig *rig); // closes the datapath, if that is open

// A poll without waiting; returns the number of events.
int accel_rig_turn(struct accel_rig *rig);
// Turns until nothing happens any more.
void accel_rig_settle(struct accel_rig *rig);

// Client `n` connects, and the server has accepted it.
struct accel_session *accel_rig_connect(struct accel_rig *rig, unsigned n);
void accel_client_syn(struct accel_rig *rig, unsigned n);
void accel_client_send(struct accel_rig *rig, unsigned n, const void *bytes, size_t len);
void accel_client_flags(struct accel_rig *rig, unsigned n, uint8_t flags); // FIN or RST
void accel_client_ack(struct accel_rig *rig, unsigned n);

void accel_session_send(struct accel_rig *rig, unsigned n, const void *bytes, size_t len);
void accel_session_end(struct accel_rig *rig, unsigned n, enum zn_dp_end how);

#endif
