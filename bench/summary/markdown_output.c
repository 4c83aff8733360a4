// SPDX-License-Identifier: Apache-2.0
// Results as Markdown tables. See output.h.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "targets.h"

static void print_value(FILE *f, double value)
{
    if (isnan(value))
        fputs("-", f);
    else if (fabs(value) >= 100)
        fprintf(f, "%.0f", value);
    else
        fprintf(f, "%.3g", value);
}

static void print_header(const struct records *r, FILE *f, const char *first)
{
    fprintf(f, "| %s |", first);
    for (size_t k = 0; k < r->peer_count; k++)
        if (r->peers[k].measured)
            fprintf(f, " %s%s |", r->peers[k].name,
                    strcmp(r->peers[k].proto, "sio") == 0 ? " (Socket.IO)" : "");
    fputs("\n|---|", f);
    for (size_t k = 0; k < r->peer_count; k++)
        if (r->peers[k].measured)
            fputs("---|", f);
    fputc('\n', f);
}

// Median, and how far the farthest run lies from it.
static void print_figure(FILE *f, const struct cell *c)
{
    if (!c->runs) {
        fputs(c->failure ? " failed |" : " - |", f);
        return;
    }
    double up = c->max - c->median, down = c->median - c->min;
    fputs(c->lower_bound ? " >= " : " ", f);
    print_value(f, c->median);
    if (c->median > 0)
        fprintf(f, " ±%.0f %%", 100 * (up > down ? up : down) / c->median);
    fputs(" |", f);
}

static void print_figures(const struct records *r, FILE *f)
{
    fputs(
        "## Thousands of messages per second of server CPU time\n\n"
        "Median of the runs and the farthest run's distance from it. `>=`: the load generator was "
        "the limit, so the server can do at least this.\n"
        "Rows marked * have the unit that they name, and less is better there.\n\n",
        f);
    print_header(r, f, "question");
    for (size_t i = 0; i < r->question_count; i++) {
        const struct question *q = &r->questions[i];
        if (!q->asked)
            continue;
        fprintf(f, "| %s%s |", q->title, q->less_is_better ? " *" : "");
        for (size_t k = 0; k < r->peer_count; k++)
            if (r->peers[k].measured)
                print_figure(f, &q->cells[k]);
        fputc('\n', f);
    }
}

// What a peer's figure is to ours of the same protocol: above 1 we are ahead, also for memory.
static void print_ratios(const struct records *r, FILE *f, size_t ours)
{
    fprintf(f, "\n## %s compared with each (above 1: %s is ahead)\n\n", r->peers[ours].name,
            r->peers[ours].name);
    print_header(r, f, "question");
    for (size_t i = 0; i < r->question_count; i++) {
        const struct question *q = &r->questions[i];
        const struct cell *mine = &q->cells[ours];
        if (!q->asked || !mine->runs)
            continue;
        fprintf(f, "| %s |", q->title);
        for (size_t k = 0; k < r->peer_count; k++) {
            const struct cell *c = &q->cells[k];
            if (!r->peers[k].measured)
                continue;
            if (!c->runs)
                fputs(" - |", f);
            else
                fprintf(f, " %.2f |", question_ratio(q, mine->median, c->median));
        }
        fputc('\n', f);
    }
}

static void print_failures(const struct records *r, FILE *f)
{
    bool any = false;
    for (size_t i = 0; i < r->question_count; i++)
        for (size_t k = 0; k < r->peer_count; k++) {
            const struct cell *c = &r->questions[i].cells[k];
            if (!c->failure)
                continue;
            if (!any)
                fputs("\n## Runs that failed\n\n", f);
            any = true;
            fprintf(f, "- %s, %s: %zu, the last with \"%s\"\n", r->peers[k].name,
                    r->questions[i].title, c->failures, c->failure);
        }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "?";
}

static void print_machine(const struct records *r, FILE *f)
{
    const json_t *machine = json_object_get(r->machine, "machine");
    json_t *versions = json_object_get(r->machine, "versions");
    fprintf(f,
            "%s, %lld cores, %s; %s; commit %s; seed %lld; %g s a run after %g s of "
            "warm-up.\n\nVersions:",
            text_of(machine, "cpu"),
            (long long)json_integer_value(json_object_get(machine, "cores")),
            text_of(machine, "kernel"), text_of(r->machine, "date"), text_of(r->machine, "commit"),
            (long long)json_integer_value(json_object_get(r->machine, "seed")),
            json_number_value(json_object_get(r->machine, "seconds")),
            json_number_value(json_object_get(r->machine, "warmup")));
    for (void *at = json_object_iter(versions); at; at = json_object_iter_next(versions, at))
        fprintf(f, " %s %s;", json_object_iter_key(at),
                json_string_value(json_object_iter_value(at)));
    fputs("\n\n", f);
}

int markdown_write(const struct records *r, const char *targets, const char *path)
{
    FILE *f = fopen(path, "we");
    if (!f)
        return -1;
    fputs("# Bench results\n\n", f);
    print_machine(r, f);
    print_figures(r, f);
    int rc = targets_write(r, targets, f);
    for (size_t k = 0; k < r->peer_count; k++)
        if (r->peers[k].measured && strncmp(r->peers[k].name, "zapnic", 6) == 0)
            print_ratios(r, f, k);
    print_failures(r, f);
    return fclose(f) == 0 ? rc : -1;
}
