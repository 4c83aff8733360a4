// SPDX-License-Identifier: Apache-2.0
// What a run of the co-simulation does. Each makes its own device, and throws Failure when a check
// fails.
#ifndef ZN_COSIM_SCENARIO_H
#define ZN_COSIM_SCENARIO_H

#include <functional>

#include "world.h"

namespace cosim
{

struct Run {
    std::function<std::unique_ptr<Device>(uint64_t seed)> device;
    uint64_t seed;
    unsigned count; // 1: the usual length
};

// Everything at once, in bad weather, while the device stalls.
void scenario_mix(const Run &run);
// The same with clients that break the protocol.
void scenario_breaks(const Run &run);
// A header cut at every byte, at every beat phase, in each of its forms.
void scenario_splits(const Run &run);
// Two segments of a flow with 0 to 15 others between them.
void scenario_gaps(const Run &run);
// Segments of one byte, so that a header meets every state; RESYNC in every state.
void scenario_bytes(const Run &run);
// Pings of all sizes, in each situation of the transmit side.
void scenario_pings(const Run &run);
// Broadcasts of all sizes, by list and group.
void scenario_broadcasts(const Run &run);
// Flow table: full buckets, equal tags, deletes.
void scenario_table(const Run &run);
// The clock: heartbeats, periods of replies, last_seen.
void scenario_clock(const Run &run);
// Treatment, replies and heartbeats off and on again.
void scenario_switches(const Run &run);
// One flow's packets among those of others that misbehave, and alone.
void scenario_isolation(const Run &run);

// What real clients sent, as it was recorded.
void scenario_captures(const Run &run);

// How a device stalls for part of a run.
void stall_random(World &world);
void stall_none(World &world);

} // namespace cosim

#endif
