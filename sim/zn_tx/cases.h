// SPDX-License-Identifier: Apache-2.0
// The bench's cases, by what they are about.
#ifndef ZN_SIM_TX_CASES_H
#define ZN_SIM_TX_CASES_H

#include "bench/tap.h"

namespace tx
{

void segment_cases(zn::Tap &tap);
void broadcast_cases(zn::Tap &tap);
void command_cases(zn::Tap &tap);
void own_cases(zn::Tap &tap);
void report_cases(zn::Tap &tap);
void rate_cases(zn::Tap &tap);
void random_cases(zn::Tap &tap);

} // namespace tx

#endif
