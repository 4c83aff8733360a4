// SPDX-License-Identifier: Apache-2.0
// The bench's cases, by what they are about. Each leaves the front empty, with no pauses.
//
// Thread: one.
#ifndef ZN_SIM_RX_FRONT_CASES_H
#define ZN_SIM_RX_FRONT_CASES_H

#include "zn_rx_front/front.h"

namespace zn
{

// Each way in which a packet can be wrong, with the reason that the contract's list gives for it.
void reason_cases(Tap &tap, Front &front);
// Lengths, options, padding and cuts of packets that are otherwise good.
void length_cases(Tap &tap, Front &front);
// Commands, and packets right before and behind them.
void table_cases(Tap &tap, Front &front);
// Anything at all, with all ways of pausing.
void random_cases(Tap &tap, Front &front);
// Beats a cycle, latency, taking turns.
void rate_cases(Tap &tap, Front &front);

// What went wrong, as the end of a case's name.
std::string because(const std::string &why);
// Drains, and makes a case of it.
void expect_drained(Tap &tap, Front &front, const std::string &name);
// An ADD with random settings.
Command add_of(const Tuple &tuple, uint32_t flow, Random &random);
Command remove_of(const Tuple &tuple, uint32_t flow, Random &random);

} // namespace zn

#endif
