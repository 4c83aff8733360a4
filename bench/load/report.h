// SPDX-License-Identifier: Apache-2.0
// Turns a finished run into one line of JSON, and judges whether it may be reported at all.
#ifndef BENCH_LOAD_REPORT_H
#define BENCH_LOAD_REPORT_H

#include "run.h"

enum report_verdict {
    REPORT_GOOD = 0,
    REPORT_FAILED = 1, // messages wrong, lost, or connections gone: there is no figure
    REPORT_BOUND = 3   // the generator was the bottleneck: the figure is a lower bound
};

// Judges the run, prints the line on stdout unless the verdict forbids it, and explains on stderr.
// The result is the program's exit code.
enum report_verdict report_run(const struct run *r);

#endif
