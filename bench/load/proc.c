// SPDX-License-Identifier: Apache-2.0
// Reading /proc. See proc.h.
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

// Calls visit for pid and every descendant. Returns what the first non-zero visit returned.
static int walk(pid_t pid, int (*visit)(pid_t pid, void *arg), void *arg)
{
    int rc = visit(pid, arg);
    if (rc != 0)
        return rc;
    char path[96];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    struct dirent *task;
    while (tasks && (task = readdir(tasks)) != NULL) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, task->d_name);
        FILE *children = fopen(path, "re");
        int child;
        while (children && fscanf(children, "%d", &child) == 1)
            walk(child, visit, arg); // a child may end meanwhile: not an error
        if (children)
            fclose(children);
    }
    if (tasks)
        closedir(tasks);
    return 0;
}

static void add_waits(pid_t pid, struct proc_cpu *sum)
{
    char path[96];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    struct dirent *task;
    while (tasks && (task = readdir(tasks)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, task->d_name);
        FILE *f = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        unsigned long long run, wait;
        if (f && fscanf(f, "%llu %llu", &run, &wait) == 2)
            sum->wait_ns += wait;
        if (f)
            fclose(f);
    }
    if (tasks)
        closedir(tasks);
}

static int add_cpu(pid_t pid, void *arg)
{
    struct proc_cpu *sum = arg;
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0)
        return -ESRCH;
    sum->run_ns += clock_ns_of(clock);
    add_waits(pid, sum);
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return -ESRCH;
    char *fields = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
    unsigned long user = 0, system = 0;
    if (fields && sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) == 2) {
        uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
        sum->user_ns += user * tick_ns;
        sum->system_ns += system * tick_ns;
    }
    fclose(f);
    return 0;
}

int proc_cpu_read(pid_t pid, struct proc_cpu *out)
{
    *out = (struct proc_cpu){ 0 };
    return walk(pid, add_cpu, out);
}

// Sums the values of "Key: n kB" lines of a file whose key is one of those given, in bytes.
static uint64_t sum_keys(const char *path, const char *const *keys, size_t count)
{
    char line[256];
    uint64_t sum = 0;
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        for (size_t i = 0; i < count; i++) {
            size_t len = strlen(keys[i]);
            if (strncmp(line, keys[i], len) == 0 && line[len] == ':')
                sum += strtoull(line + len + 1, NULL, 10) * 1024;
        }
    }
    if (f)
        fclose(f);
    return sum;
}

static int add_memory(pid_t pid, void *arg)
{
    static const char *const rss[] = { "Rss" };
    static const char *const uss[] = { "Private_Clean", "Private_Dirty", "Private_Hugetlb" };
    struct proc_memory *sum = arg;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    if (access(path, R_OK) != 0)
        return -ESRCH;
    sum->rss += sum_keys(path, rss, 1);
    sum->uss += sum_keys(path, uss, 3);
    return 0;
}

int proc_memory_read(pid_t pid, struct proc_memory *out)
{
    *out = (struct proc_memory){ 0 };
    return walk(pid, add_memory, out);
}

uint64_t proc_slab_read(void)
{
    static const char *const slab[] = { "Slab" };
    return sum_keys("/proc/meminfo", slab, 1);
}

uint64_t proc_tcp_buffers_read(void)
{
    char line[256];
    uint64_t pages = 0;
    FILE *f = fopen("/proc/net/sockstat", "re");
    while (f && fgets(line, sizeof(line), f)) {
        const char *mem = strncmp(line, "TCP:", 4) == 0 ? strstr(line, " mem ") : NULL;
        if (mem)
            pages = strtoull(mem + 5, NULL, 10);
    }
    if (f)
        fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
