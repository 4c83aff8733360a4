// SPDX-License-Identifier: Apache-2.0
// Functional coverage: groups of bins that a run counts. A group says which of its bins have to be
// hit.
#ifndef ZN_COSIM_COVER_H
#define ZN_COSIM_COVER_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/tap.h"

namespace cosim
{

enum CoverGroup {
    COVER_SPLIT, // header class and bytes of it in the first packet, x beat phase of its start
    COVER_HEADER_PHASE,  // header class x beat phase of a header that is whole
    COVER_CARRIED,       // state.fill at the start of treated packets
    COVER_RX_REASON,     // of packets
    COVER_RECORD,        // record kind x reason
    COVER_GAP,           // packets between two treated ones of a flow, 0 to 15
    COVER_GAP_CARRIED,   // the same, when the second one starts inside a header or payload
    COVER_FRAMES,        // frames that became complete in a packet, 0 to 15
    COVER_DESC_FLAGS,    // FRAME_* of descriptors
    COVER_FRAME_LENGTH,  // edges of frame lengths
    COVER_RESYNC_FILL,   // state.fill of RESYNCs that took effect
    COVER_RESYNC,        // what a RESYNC met
    COVER_WRAP,          // sequence numbers that wrap
    COVER_PAYLOAD_PHASE, // payload_offset in a beat
    COVER_END_PHASE,     // end of the packet in a beat
    COVER_HEADERS,       // IPv4, IPv6 x VLAN x TCP options of treated packets
    COVER_REPLY_LENGTH,  // payload bytes of pongs, 0 to 125
    COVER_COPY_PHASE,    // broadcast payload lengths modulo 64
    COVER_PRESSURE,      // ports that refused a beat
    COVER_GROUP_COUNT
};

void cover_init(unsigned beat_bytes);
unsigned cover_beat_bytes();
// Counts; a bin that is out of the group's range is ignored.
void cover_hit(CoverGroup group, size_t bin);
// Bins that a group must hit, other than its default (all). To be called once, before reporting.
void cover_require(CoverGroup group, const std::vector<size_t> &bins);
uint64_t cover_count(CoverGroup group, size_t bin);
// One case a group, with the bins that are missing. `rtl`: the pressure on ports counts too.
void cover_report(zn::Tap &tap, bool rtl);

// Bin of COVER_SPLIT: header class 0 (6 bytes), 1 (8) or 2 (14), `bytes` of it in the first packet.
size_t cover_split_bin(unsigned header_len, unsigned bytes, unsigned phase);
size_t cover_phase_bin(unsigned header_len, unsigned phase);

enum {
    COVER_RESYNC_OK,
    COVER_RESYNC_BROKEN,
    COVER_RESYNC_NO_FLOW,
    COVER_RESYNC_AHEAD,
    COVER_RESYNC_COUNT
};
enum {
    COVER_WRAP_RX_INSIDE,
    COVER_WRAP_RX_EDGE,
    COVER_WRAP_TX_INSIDE,
    COVER_WRAP_TX_EDGE,
    COVER_WRAP_COUNT
};
enum { COVER_RECORD_REASONS = 32 };

} // namespace cosim

#endif
