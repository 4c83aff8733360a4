// SPDX-License-Identifier: Apache-2.0
// Results as JSON. See output.h.
#include <math.h>

#include "output.h"

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
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
    json_object_set(o, "runs", c->runs);
    return o;
}

static json_t *question_of(const struct records *r, const struct question *q)
{
    json_t *o = json_object();
    json_t *results = json_array();
    json_object_set_new(o, "name", json_string(q->name));
    json_object_set_new(o, "title", json_string(q->title));
    json_object_set_new(o, "unit", json_string(q->unit));
    json_object_set_new(o, "less_is_better", json_boolean(q->less_is_better));
    for (size_t k = 0; k < r->peer_count; k++)
        if (q->cells[k].runs || q->cells[k].failure)
            json_array_append_new(results, result_of(&r->peers[k], &q->cells[k]));
    json_object_set_new(o, "results", results);
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
    int rc = json_dump_file(top, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    json_decref(top);
    return rc;
}
