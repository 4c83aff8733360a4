// SPDX-License-Identifier: Apache-2.0
// The forms in which results are written. Each returns 0, or -1 when the file cannot be written.
#ifndef BENCH_SUMMARY_OUTPUT_H
#define BENCH_SUMMARY_OUTPUT_H

#include "records.h"

// Machine, versions, and per question and peer: median, spread and the runs themselves.
int json_write(const struct records *r, const char *path);

// Tables for people: the figures, whether they reach the targets of that file (see targets.h),
// their ratios, and what failed.
int markdown_write(const struct records *r, const char *targets, const char *path);

// gnuplot data and scripts in a folder: bars of each question, and one curve chart for each family
// of questions whose names end in -growth-<number>. A script expects the variable out, the SVG to
// write.
int plots_write(const struct records *r, const char *folder);

#endif
