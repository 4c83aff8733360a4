// SPDX-License-Identifier: Apache-2.0
// Results as JSON. See output.h.
#include <math.h>

#include "output.h"

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

// What all runs of a question have in common is said once, with the question.
static const char *const setup_keys[] = { "scenario", "conns", "depth", "size", "rate", "text" };
static const char *const known_keys[] = { "question", "peer", "proto", "seed" };

static json_t *runs_of(const struct cell *c)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < json_array_size(c->runs); i++) {
        json_t *run = json_copy(json_array_get(c->runs, i));
        for (size_t k = 0; k < sizeof(setup_keys) / sizeof(*setup_keys); k++)
            json_object_del(run, setup_keys[k]);
        for (size_t k = 0; k < sizeof(known_keys) / sizeof(*known_keys); k++)
            json_object_del(run, known_keys[k]);
        json_array_append_new(runs, run);
    }
    return runs;
}

static json_t *setup_of(const struct records *r, const struct question *q)
{
    json_t *setup = json_object();
    for (size_t i = 0; i < r->peer_count; i++) {
        const json_t *run = json_array_get(q->cells[i].runs, 0);
        for (size_t k = 0; run && k < sizeof(setup_keys) / sizeof(*setup_keys); k++)
            json_object_set(setup, setup_keys[k], json_object_get(run, setup_keys[k]));
    }
    return setup;
}

static json_t *result_of(const struct peer *p, const struct cell *c)
{
    json_t *o = json_object();
    json_object_set_new(o, "peer", json_string(p->name));
    json_object_set_new(o, "proto", json_string(p->proto));
    if (c->failure) {
        json_object_set_new(o, "failures", json_integer((json_int_t)c->failures));
        json_object_set_new(o, "failure", json_string(c->failure));
    }
    if (!c->runs)
        return o;
    json_object_set_new(o, "median", number(c->median));
    json_object_set_new(o, "min", number(c->min));
    json_object_set_new(o, "max", number(c->max));
    json_object_set_new(o, "lower_bound", json_boolean(c->lower_bound));
    json_object_set_new(o, "wall_kmsg_per_s", number(cell_median(c, "kmsg_per_s")));
    json_object_set_new(o, "latency_p50_us", number(cell_median(c, "latency_us.p50")));
    json_object_set_new(o, "latency_p99_us", number(cell_median(c, "latency_us.p99")));
    json_object_set_new(o, "runs", runs_of(c));
    return o;
}

static json_t *question_of(const struct records *r, const struct question *q)
{
    json_t *o = json_object();
    json_t *results = json_array();
    json_object_set_new(o, "name", json_string(q->name));
    json_object_set_new(o, "title", json_string(q->title));
    json_object_set_new(o, "setup", setup_of(r, q));
    json_object_set_new(o, "unit", json_string(q->unit));
    json_object_set_new(o, "less_is_better", json_boolean(q->less_is_better));
    for (size_t k = 0; k < r->peer_count; k++)
        if (q->cells[k].runs || q->cells[k].failure)
            json_array_append_new(results, result_of(&r->peers[k], &q->cells[k]));
    json_object_set_new(o, "results", results);
    return o;
}

// What the micro benches recorded, by name.
static json_t *micro_of(const struct records *r)
{
    json_t *o = json_object();
    for (size_t i = 0; i < json_array_size(r->lines); i++) {
        const json_t *line = json_array_get(r->lines, i);
        const char *name = json_string_value(json_object_get(line, "micro"));
        if (name)
            json_object_set(o, name, json_object_get(line, "value"));
    }
    return o;
}

int json_write(const struct records *r, const char *path)
{
    json_t *top = json_copy(r->machine);
    json_t *questions = json_array();
    for (size_t i = 0; i < r->question_count; i++)
        if (r->questions[i].asked)
            json_array_append_new(questions, question_of(r, &r->questions[i]));
    json_object_set_new(top, "questions", questions);
    json_object_set_new(top, "micro", micro_of(r));
    int rc = json_dump_file(top, path, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(top);
    return rc;
}
