// SPDX-License-Identifier: Apache-2.0
// A world around the accelerator's model: clients behind a network that loses, repeats, reorders,
// corrupts and cuts anew, and a host whose TCP takes what comes. It counts what breaks the
// contract's invariants.
//
// Each flow has random numbers of its own and one turn a round, so that what it does depends on no
// other flow but through the model.
#ifndef ZN_TESTS_SOFT_WORLD_H
#define ZN_TESTS_SOFT_WORLD_H

#include "soft/soft.h"
#include "soft_packet.h"
#include "soft_reader.h"

enum {
    WORLD_STREAM = 1 << 15, // bytes that a client sends, at most
    WORLD_FLOWS = 24,
    WORLD_FLIGHT = 24, // segments of a flow in the network
    WORLD_SENT = 1 << 18,
    WORLD_INVARIANTS = 6,
};

struct world_config {
    uint32_t seed;
    uint32_t flows; // up to WORLD_FLOWS
    uint32_t only;  // take part: this flow alone; UINT32_MAX: all
    bool broadcasts;
    bool switches; // receive treatment goes off and on
};

// A segment on its way.
struct world_packet {
    size_t from, to; // stream offsets
};

// A host's frame, or what is left of it to send.
struct world_frame {
    uint8_t bytes[300];
    size_t len, at;
};

struct world_flow {
    uint32_t id, seed;
    struct soft_peer peer;
    bool hostile;  // sends no frames but anything
    bool software; // FLOW_RECEIVE is off

    // The client, and the network.
    uint32_t isn;
    size_t stream_len, sent_to;
    uint8_t stream[WORLD_STREAM];
    size_t payload_len; // of all frames, unmasked
    uint8_t payload[WORLD_STREAM];
    struct world_packet flight[WORLD_FLIGHT];
    unsigned in_flight;

    // The host's TCP and its WebSocket receiver.
    size_t received;            // in order
    uint8_t have[WORLD_STREAM]; // a byte came: 0, as on the wire, treated
    uint8_t bytes[WORLD_STREAM];
    struct soft_reader reader;
    uint8_t read_bytes[WORLD_STREAM];
    unsigned resync_in; // turns until the resync below is given, 0: none waits
    uint32_t resync_rcv_nxt;
    struct zn_acc_ws_state resync_state;

    // What the host knows of the core.
    uint32_t rcv_nxt;
    struct zn_acc_ws_state state;
    bool state_known;

    // The other direction.
    uint32_t limit, wire_next, record_next;
    bool open;    // the host is inside a frame
    bool refused; // the last segment was
    struct world_frame frame;
    unsigned taken, answered;
    size_t sent_len;
    uint8_t sent[WORLD_SENT];

    uint64_t digest;          // of all annotations, packets and records of the flow
    uint64_t received_digest; // the same, when the client's stream was received
};

enum { WORLD_RAW = 1, WORLD_TREATED = 2 }; // have[]

struct world {
    struct world_config config;
    struct zn_soft *soft;
    uint32_t now_ms;
    bool core_speaks; // what goes to the wire now is no SEGMENT
    struct world_flow flow[WORLD_FLOWS];
    // Broken invariants by number, and the first breach in words.
    unsigned broken[WORLD_INVARIANTS];
    const char *breach;
    // What happened.
    unsigned lost, repeated, reordered, corrupted, overlapping, treated, resyncs, unfinished;
    unsigned reasons[64], records[8], refusals[64];
};

// Runs until every client's stream is received, or 20000 rounds.
void world_run(struct world *world, const struct world_config *config);

#endif
