// SPDX-License-Identifier: Apache-2.0
// The transmit side against the reference.
#include "cases.h"

int main()
{
    zn::Tap tap;
    tx::segment_cases(tap);
    tx::broadcast_cases(tap);
    tx::command_cases(tap);
    tx::own_cases(tap);
    tx::report_cases(tap);
    tx::rate_cases(tap);
    tx::random_cases(tap);
    return tap.done();
}
