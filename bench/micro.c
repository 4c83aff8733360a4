// SPDX-License-Identifier: Apache-2.0
// Timing: samples of about a millisecond each, after some for warming up. The clock is the thread's
// CPU time, so that other work on the machine shows as little as it can.
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 61, WARM_UP = 10, SAMPLE_NS = 1000000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double sample_ns(micro_fn fn, void *arg, size_t times)
{
    double start = now_ns();
    fn(arg, times);
    return now_ns() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct micro_figure micro_measure(micro_fn fn, void *arg)
{
    size_t times = 1;
    double ns[SAMPLES] = { 0 };
    while (sample_ns(fn, arg, times) < SAMPLE_NS)
        times *= 2;
    for (int i = -WARM_UP; i < SAMPLES; i++) {
        double each = sample_ns(fn, arg, times) / (double)times;
        if (i >= 0)
            ns[i] = each;
    }
    qsort(ns, SAMPLES, sizeof(*ns), compare);
    return (struct micro_figure){ .median = ns[SAMPLES / 2],
                                  .low = ns[SAMPLES / 4],
                                  .high = ns[SAMPLES * 3 / 4],
                                  .p99 = ns[SAMPLES * 99 / 100] };
}

void micro_record(const char *name, double value)
{
    const char *path = getenv("BENCH_RECORDS");
    FILE *f = path != NULL ? fopen(path, "ae") : NULL;
    if (f == NULL)
        return;
    fprintf(f, "{\"micro\":\"%s\",\"value\":%.4g}\n", name, value);
    fclose(f);
}

void micro_print_machine(void)
{
    char line[256], cpu[256] = "unknown";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            snprintf(cpu, sizeof(cpu), "%s", strchr(line, ':') + 2);
            cpu[strcspn(cpu, "\n")] = '\0';
            break;
        }
    }
    if (f != NULL)
        fclose(f);
    printf("machine: %s; compiler: %s; zapnic %s\n", cpu, __VERSION__, ZN_VERSION);
}
