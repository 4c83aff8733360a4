// SPDX-License-Identifier: Apache-2.0
// Reading and grouping. See records.h.
#include "records.h"

#include "field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *what, const char *file)
{
    fprintf(stderr, "summary: %s: %s\n", what, file);
    return -1;
}

static int load_questions(struct records *r, const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "re");
    if (!f)
        return complain("cannot open", path);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        struct question *q = &r->questions[r->question_count];
        q->name = field_of(line, 0);
        q->title = field_of(line, 5);
        if (!q->title || ++r->question_count == RECORDS_QUESTIONS_MAX)
            break;
    }
    bool whole = feof(f);
    fclose(f);
    return whole ? 0 : complain("bad line", path);
}

static int load_peers(struct records *r, const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "re");
    if (!f)
        return complain("cannot open", path);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        struct peer *p = &r->peers[r->peer_count];
        p->name = field_of(line, 0);
        p->proto = field_of(line, 1);
        if (!p->proto || ++r->peer_count == RECORDS_PEERS_MAX)
            break;
    }
    bool whole = feof(f);
    fclose(f);
    return whole ? 0 : complain("bad line", path);
}

static int load_lines(struct records *r, const char *path)
{
    char line[8192];
    FILE *f = fopen(path, "re");
    if (!f)
        return complain("cannot open", path);
    r->lines = json_array();
    while (fgets(line, sizeof(line), f)) {
        json_t *object = json_loads(line, 0, NULL);
        if (!object || json_array_append_new(r->lines, object) != 0) {
            fclose(f);
            return complain("bad JSON", path);
        }
    }
    fclose(f);
    r->machine = json_array_get(r->lines, 0);
    return json_object_get(r->machine, "machine") ? 0 : complain("no machine line", path);
}

// What a question measures follows from its runs: memory of idle connections, latency at a given
// rate, otherwise work per CPU time.
static void choose_metric(struct question *q, const json_t *line)
{
    const char *scenario = json_string_value(json_object_get(line, "scenario"));
    if (!scenario || q->metric)
        return;
    if (strcmp(scenario, "idle") == 0) {
        q->metric = "user_bytes_per_conn";
        q->unit = "bytes of user memory per connection";
        q->less_is_better = true;
    } else if (json_number_value(json_object_get(line, "rate")) > 0) {
        q->metric = "latency_us.p99";
        q->unit = "p99 latency in microseconds";
        q->less_is_better = true;
    } else {
        q->metric = "kmsg_per_cpu_s";
        q->unit = "thousand messages per second of server CPU";
    }
}

static struct cell *cell_of(struct records *r, const json_t *line)
{
    const char *question = json_string_value(json_object_get(line, "question"));
    const char *peer = json_string_value(json_object_get(line, "peer"));
    for (size_t i = 0; question && peer && i < r->question_count; i++) {
        if (strcmp(r->questions[i].name, question) != 0)
            continue;
        for (size_t k = 0; k < r->peer_count; k++) {
            if (strcmp(r->peers[k].name, peer) != 0)
                continue;
            r->questions[i].asked = true;
            r->peers[k].measured = true;
            choose_metric(&r->questions[i], line);
            return &r->questions[i].cells[k];
        }
    }
    return NULL;
}

static const json_t *member(const json_t *object, const char *path)
{
    const char *dot = strchr(path, '.');
    if (!dot)
        return json_object_get(object, path);
    char first[64];
    snprintf(first, sizeof(first), "%.*s", (int)(dot - path), path);
    return json_object_get(json_object_get(object, first), dot + 1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Sorted values of a number in all runs; returns how many.
static size_t values_of(const struct cell *c, const char *path, double *values)
{
    size_t count = 0;
    size_t runs = json_array_size(c->runs);
    for (size_t i = 0; i < runs && count < RECORDS_RUNS_MAX; i++) {
        const json_t *value = member(json_array_get(c->runs, i), path);
        if (json_is_number(value))
            values[count++] = json_number_value(value);
    }
    qsort(values, count, sizeof(*values), compare);
    return count;
}

static double middle(const double *values, size_t count)
{
    if (count == 0)
        return NAN;
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double cell_median(const struct cell *c, const char *path)
{
    double values[RECORDS_RUNS_MAX] = { 0 };
    return middle(values, values_of(c, path, values));
}

double records_micro(const struct records *r, const char *name)
{
    for (size_t i = 1; i < json_array_size(r->lines); i++) {
        const json_t *line = json_array_get(r->lines, i);
        const char *micro = json_string_value(json_object_get(line, "micro"));
        if (micro && strcmp(micro, name) == 0)
            return json_number_value(json_object_get(line, "value"));
    }
    return NAN;
}

static void finish_cell(struct cell *c, const char *metric)
{
    double values[RECORDS_RUNS_MAX] = { 0 };
    size_t count = values_of(c, metric, values), bound = 0;
    c->median = middle(values, count);
    if (count > 0) {
        c->min = values[0];
        c->max = values[count - 1];
    }
    for (size_t i = 0; i < json_array_size(c->runs); i++) {
        const json_t *by = json_object_get(json_array_get(c->runs, i), "bound");
        bound += by && strcmp(json_string_value(by), "generator") == 0;
    }
    c->lower_bound = bound * 2 > count;
}

int records_load(struct records *r, const char *raw, const char *questions, const char *peers)
{
    *r = (struct records){ 0 };
    if (load_questions(r, questions) != 0 || load_peers(r, peers) != 0 || load_lines(r, raw) != 0)
        return -1;
    for (size_t i = 1; i < json_array_size(r->lines); i++) {
        json_t *line = json_array_get(r->lines, i);
        struct cell *c = cell_of(r, line);
        if (!c)
            continue;
        const char *failure = json_string_value(json_object_get(line, "failed"));
        if (failure) {
            c->failure = failure;
            c->failures++;
            continue;
        }
        if (!c->runs)
            c->runs = json_array();
        json_array_append(c->runs, line);
    }
    for (size_t i = 0; i < r->question_count; i++)
        for (size_t k = 0; k < r->peer_count; k++)
            if (r->questions[i].metric)
                finish_cell(&r->questions[i].cells[k], r->questions[i].metric);
    return 0;
}

void records_free(struct records *r)
{
    for (size_t i = 0; i < r->question_count; i++) {
        for (size_t k = 0; k < r->peer_count; k++)
            json_decref(r->questions[i].cells[k].runs);
        free(r->questions[i].name);
        free(r->questions[i].title);
    }
    for (size_t k = 0; k < r->peer_count; k++) {
        free(r->peers[k].name);
        free(r->peers[k].proto);
    }
    json_decref(r->lines);
}
