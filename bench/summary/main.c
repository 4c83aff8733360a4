// SPDX-License-Identifier: Apache-2.0
// Turns the raw lines of bench/run into results: medians and spreads as JSON, Markdown and plots.
//   summary --raw FILE --questions FILE --peers FILE --targets FILE --out PATH
//     --plots FOLDER
// PATH is without suffix; .json and .md are added.
#include <stdio.h>
#include <string.h>

#include "output.h"

static const char *argument(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

int main(int argc, char **argv)
{
    const char *raw = argument(argc, argv, "--raw");
    const char *questions = argument(argc, argv, "--questions");
    const char *peers = argument(argc, argv, "--peers");
    const char *targets = argument(argc, argv, "--targets");
    const char *out = argument(argc, argv, "--out");
    const char *plots = argument(argc, argv, "--plots");
    static struct records records;
    char json[512], markdown[512];
    if (!raw || !questions || !peers || !targets || !out || !plots) {
        fputs("usage: summary --raw FILE --questions FILE --peers FILE --targets FILE --out PATH "
              "--plots FOLDER\n",
              stderr);
        return 2;
    }
    if (records_load(&records, raw, questions, peers) != 0)
        return 1;
    snprintf(json, sizeof(json), "%s.json", out);
    snprintf(markdown, sizeof(markdown), "%s.md", out);
    int rc = json_write(&records, json) | markdown_write(&records, targets, markdown) |
             plots_write(&records, plots);
    if (rc != 0)
        fprintf(stderr, "summary: cannot write the results to %s\n", out);
    records_free(&records);
    return rc == 0 ? 0 : 1;
}
