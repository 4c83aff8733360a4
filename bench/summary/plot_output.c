// SPDX-License-Identifier: Apache-2.0
// Results as gnuplot scripts with their data in them. See output.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "output.h"

static const char growth[] = "-growth-";

// Of the lines of curve charts: a peer has the same in all of them.
static const char *const colours[] = { "#cc3311", "#ee7733", "#000000", "#0077bb", "#33bbee",
                                       "#009988", "#ddaa33", "#ee3377", "#999933", "#bbbbbb",
                                       "#882255", "#661100", "#44aa99" };

static FILE *open_script(const char *folder, const char *name, int width)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.gp", folder, name);
    FILE *f = fopen(path, "we");
    if (f)
        fprintf(f,
                "set terminal svg size %d,480 background 'white' font 'sans-serif,12'\n"
                "set output out\nset grid y\nset key outside right top\n",
                width);
    return f;
}

// One chart a question: a bar for each peer, from the least run to the greatest run marked.
static int write_bars(const struct records *r, const struct question *q, const char *folder)
{
    FILE *f = open_script(folder, q->name, 800);
    if (!f)
        return -1;
    fprintf(f, "set title \"%s\"\nset ylabel '%s'\nset yrange [0:*]\nunset key\n", q->title,
            q->unit);
    fputs("set style fill solid 0.6\nset boxwidth 0.7\nset xtics rotate by -35\nset bmargin 6\n"
          "set rmargin 8\n"
          "$data << END\n",
          f);
    for (size_t k = 0; k < r->peer_count; k++)
        if (q->cells[k].runs)
            fprintf(f, "\"%s\" %g %g %g\n", r->peers[k].name, q->cells[k].median, q->cells[k].min,
                    q->cells[k].max);
    fputs("END\nplot $data using 0:2:xtic(1) with boxes lc rgb '#4477aa', "
          "$data using 0:3:(0):($4-$3) with vectors nohead lw 2 lc rgb 'black'\n",
          f);
    return fclose(f) == 0 ? 0 : -1;
}

static bool in_family(const struct question *q, const char *family, size_t len)
{
    return q->metric && strncmp(q->name, family, len) == 0 &&
           strncmp(q->name + len, growth, sizeof(growth) - 1) == 0;
}

static void write_curve_data(const struct records *r, FILE *f, size_t peer, const char *family,
                             size_t len)
{
    fprintf(f, "$peer%zu << END\n", peer);
    for (size_t i = 0; i < r->question_count; i++) {
        const struct question *q = &r->questions[i];
        if (in_family(q, family, len) && q->cells[peer].runs)
            fprintf(f, "%s %g\n", q->name + len + sizeof(growth) - 1, q->cells[peer].median);
    }
    fputs("END\n", f);
}

static bool has_points(const struct records *r, size_t peer, const char *family, size_t len)
{
    for (size_t i = 0; i < r->question_count; i++)
        if (in_family(&r->questions[i], family, len) && r->questions[i].cells[peer].runs)
            return true;
    return false;
}

// One chart for the family of a question: a line for each peer, dashed if it speaks Socket.IO, over
// the number at the end of the name.
static int write_curves(const struct records *r, const struct question *q, size_t len,
                        const char *folder)
{
    const char *family = q->name;
    char name[128];
    snprintf(name, sizeof(name), "%.*s-growth", (int)len, family);
    FILE *f = open_script(folder, name, 900);
    if (!f)
        return -1;
    fprintf(f,
            "set title '%.*s'\nset xlabel 'connections'\nset ylabel '%s'\nset logscale xy\n"
            "set style data linespoints\nset autoscale xfix\n",
            (int)len, family, q->unit);
    for (size_t k = 0; k < r->peer_count; k++)
        if (has_points(r, k, family, len))
            write_curve_data(r, f, k, family, len);
    const char *separator = "plot";
    for (size_t k = 0; k < r->peer_count; k++) {
        if (!has_points(r, k, family, len))
            continue;
        bool sio = strcmp(r->peers[k].proto, "sio") == 0;
        fprintf(f, "%s $peer%zu using 1:2 title '%s' lw 2 dt %d pt %zu lc rgb '%s'", separator, k,
                r->peers[k].name, sio ? 2 : 1, k + 1,
                colours[k % (sizeof(colours) / sizeof(*colours))]);
        separator = ",";
    }
    fputc('\n', f);
    return fclose(f) == 0 ? 0 : -1;
}

int plots_write(const struct records *r, const char *folder)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return -1;
    int rc = 0;
    char last[128] = "";
    for (size_t i = 0; i < r->question_count; i++) {
        const struct question *q = &r->questions[i];
        const char *at = strstr(q->name, growth);
        if (!q->metric)
            continue;
        if (!at) {
            rc |= write_bars(r, q, folder);
            continue;
        }
        size_t len = (size_t)(at - q->name);
        if (strncmp(last, q->name, len) == 0 && last[len] == '\0')
            continue;
        snprintf(last, sizeof(last), "%.*s", (int)len, q->name);
        rc |= write_curves(r, q, len, folder);
    }
    return rc;
}
