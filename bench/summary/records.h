// SPDX-License-Identifier: Apache-2.0
// The raw lines of a bench run, grouped by question and peer. Built once by main(), then read only.
#ifndef BENCH_SUMMARY_RECORDS_H
#define BENCH_SUMMARY_RECORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { RECORDS_QUESTIONS_MAX = 64, RECORDS_PEERS_MAX = 32, RECORDS_RUNS_MAX = 101 };

// All runs of one peer on one question.
struct cell {
    json_t *runs;        // array of the raw objects, borrowed from the file's array
    const char *failure; // of the latest failed run, or NULL
    size_t failures;
    double median, min, max; // of the question's metric
    bool lower_bound;        // most runs were limited by the generator
};

struct question {
    char *name, *title;
    bool asked;
    bool less_is_better;
    const char *metric; // path of the number in a run that the question is about
    const char *unit;
    struct cell cells[RECORDS_PEERS_MAX];
};

struct peer {
    char *name, *proto;
    bool measured;
};

struct records {
    json_t *machine; // the first line
    json_t *lines;
    struct question questions[RECORDS_QUESTIONS_MAX];
    size_t question_count;
    struct peer peers[RECORDS_PEERS_MAX];
    size_t peer_count;
};

// Reads the three files. Returns 0, or -1 after saying on stderr what is wrong.
int records_load(struct records *r, const char *raw, const char *questions, const char *peers);
void records_free(struct records *r);

// How far our figure is ahead of theirs on a question: above 1 we are.
static inline double question_ratio(const struct question *q, double ours, double theirs)
{
    return q->less_is_better ? theirs / ours : ours / theirs;
}

// Median of a number in all runs of a cell; path is "key" or "object.key". Returns NAN when absent.
double cell_median(const struct cell *c, const char *path);

// What a micro bench recorded under a name. Returns NAN when absent.
double records_micro(const struct records *r, const char *name);

#endif
