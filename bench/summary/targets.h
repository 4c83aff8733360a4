// SPDX-License-Identifier: Apache-2.0
// What is aimed at (the lines of bench/targets), and whether a run reached it.
#ifndef BENCH_SUMMARY_TARGETS_H
#define BENCH_SUMMARY_TARGETS_H

#include "records.h"

#include <stdio.h>

// Writes the section on targets: one row for each that the run has figures for. 0, or -1 after
// saying on stderr what is wrong with the file.
int targets_write(const struct records *r, const char *path, FILE *f);

#endif
