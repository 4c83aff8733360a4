// SPDX-License-Identifier: Apache-2.0
// See targets.h.
#include "targets.h"

#include "field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 5 };

struct target {
    char *field[FIELDS]; // question, server, "at least" or "at most", number, beside
};

// A figure that a target speaks of.
struct figure {
    double value;        // NAN: the run has none
    const char *beside;  // the server that it is a ratio to, or NULL
    const char *sign;    // "" or ">= ", "<= ": the generator set the pace
    const char *subject; // the question's title, or the micro bench's name
    const char *unit;
};

static const struct question *question_find(const struct records *r, const char *name)
{
    for (size_t i = 0; i < r->question_count; i++)
        if (strcmp(r->questions[i].name, name) == 0)
            return r->questions[i].asked ? &r->questions[i] : NULL;
    return NULL;
}

static bool is_ours(const struct peer *p)
{
    return strncmp(p->name, "zapnic", 6) == 0;
}

// The cell of the server that a ratio is to; `raw` means the best of plain WebSocket.
static const struct cell *beside_find(const struct records *r, const struct question *q,
                                      const char *beside, const char **name_out)
{
    const struct cell *best = NULL;
    for (size_t k = 0; k < r->peer_count; k++) {
        const struct peer *p = &r->peers[k];
        const struct cell *c = &q->cells[k];
        bool any = strcmp(beside, "raw") == 0 && strcmp(p->proto, "raw") == 0 && !is_ours(p) &&
                   strcmp(p->name, "floor") != 0;
        if (c->runs == NULL || (!any && strcmp(p->name, beside) != 0))
            continue;
        if (best == NULL || question_ratio(q, c->median, best->median) > 1) {
            best = c;
            *name_out = p->name;
        }
    }
    return best;
}

static struct figure question_figure(const struct records *r, const struct target *t)
{
    struct figure figure = { .value = NAN, .sign = "" };
    const struct question *q = question_find(r, t->field[0]);
    for (size_t k = 0; q != NULL && k < r->peer_count; k++) {
        const struct cell *ours = &q->cells[k];
        if (strcmp(r->peers[k].name, t->field[1]) != 0 || ours->runs == NULL)
            continue;
        figure.subject = q->title;
        figure.value = ours->median;
        figure.unit = q->unit;
        figure.sign = ours->lower_bound ? ">= " : "";
        if (t->field[4][0] == '\0')
            return figure;
        const struct cell *theirs = beside_find(r, q, t->field[4], &figure.beside);
        figure.value = theirs != NULL ? question_ratio(q, ours->median, theirs->median) : NAN;
        if (theirs != NULL && theirs->lower_bound)
            figure.sign = ours->lower_bound ? "about " : "<= ";
    }
    return figure;
}

static struct figure micro_figure(const struct records *r, const struct target *t)
{
    double value = records_micro(r, t->field[0]);
    return (struct figure){ .value = value, .sign = "", .subject = t->field[0], .unit = "" };
}

// What the generator held back may still be reached: that is not a miss, nor is it a hit when it
// was the other server that was held back.
static const char *verdict(const struct target *t, const struct figure *figure)
{
    double aim = strtod(t->field[3], NULL);
    bool least = strcmp(t->field[2], "at least") == 0;
    bool met = least ? figure->value >= aim : figure->value <= aim;
    bool may_be_more = figure->sign[0] == '>' || figure->sign[0] == 'a';
    bool may_be_less = figure->sign[0] == '<' || figure->sign[0] == 'a';
    if (met ? may_be_less : may_be_more)
        return "open: the generator was the limit";
    return met ? "met" : "**missed**";
}

static void write_row(const struct target *t, const struct figure *figure, FILE *f)
{
    fprintf(f, "| %s | %s | %s %s", figure->subject, t->field[1], t->field[2], t->field[3]);
    if (figure->beside != NULL)
        fprintf(f, " x %s%s", strcmp(t->field[4], "raw") == 0 ? "the best, " : "", figure->beside);
    else if (figure->unit[0] != '\0')
        fprintf(f, " %s", figure->unit);
    fprintf(f, " | %s%.*f | %s |\n", figure->sign, fabs(figure->value) >= 100 ? 0 : 2,
            figure->value, verdict(t, figure));
}

static int read_line(const char *line, struct target *t)
{
    int missing = 0;
    for (int i = 0; i < FIELDS; i++) {
        t->field[i] = field_of(line, i);
        missing += t->field[i] == NULL;
    }
    return missing == 0 ? 0 : -1;
}

int targets_write(const struct records *r, const char *path, FILE *f)
{
    char line[512];
    int rc = 0;
    size_t rows = 0;
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        fprintf(stderr, "summary: cannot open: %s\n", path);
        return -1;
    }
    while (rc == 0 && fgets(line, sizeof(line), in) != NULL) {
        struct target t = { 0 };
        if (line[0] == '#' || line[0] == '\n')
            continue;
        rc = read_line(line, &t);
        if (rc == 0) {
            bool micro = strcmp(t.field[1], "micro") == 0;
            struct figure figure = micro ? micro_figure(r, &t) : question_figure(r, &t);
            if (!isnan(figure.value) && rows++ == 0)
                fputs("\n## Targets\n\n| what | server | target | measured | |\n"
                      "|---|---|---|---|---|\n",
                      f);
            if (!isnan(figure.value))
                write_row(&t, &figure, f);
        } else {
            fprintf(stderr, "summary: bad line: %s\n", path);
        }
        for (int i = 0; i < FIELDS; i++)
            free(t.field[i]);
    }
    fclose(in);
    return rc;
}
