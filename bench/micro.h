// SPDX-License-Identifier: Apache-2.0
// Timing of one function in one thread, for the benches of single codecs.
#ifndef ZN_BENCH_MICRO_H
#define ZN_BENCH_MICRO_H

#include <stddef.h>

// Does its work `times` times.
typedef void (*micro_fn)(void *arg, size_t times);

// Nanoseconds for one time, over the samples taken.
struct micro_figure {
    double median;
    double low; // the middle half lies between low and high
    double high;
    double p99;
};

struct micro_figure micro_measure(micro_fn fn, void *arg);

// Keeps a figure that bench/targets speaks of: adds it to the file that BENCH_RECORDS names, if
// any.
void micro_record(const char *name, double value);

// CPU, compiler and library versions, one line.
void micro_print_machine(void);

#endif
