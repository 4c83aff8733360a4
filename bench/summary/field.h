// SPDX-License-Identifier: Apache-2.0
// Lines of the bench's lists: fields split at bars.
#ifndef BENCH_SUMMARY_FIELD_H
#define BENCH_SUMMARY_FIELD_H

// Copies the field'th part of a line split at bars, without blanks around it; the caller frees it.
// NULL when there is none.
char *field_of(const char *line, int field);

#endif
