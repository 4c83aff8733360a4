// SPDX-License-Identifier: Apache-2.0
// How fast is unmasking in place, as a share of memcpy, at each SIMD level? Each payload begins 6
// bytes behind a cache line, as behind the head of a small frame; short ones take turns in 16 KiB,
// so that none is read just after it was written.
#include "micro.h"
#include "proto/simd.h"
#include "proto/ws.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 65536 + 64, TURNS = 16384, OFFSET = 6, RECORDED = 65536 };

static _Alignas(64) uint8_t from[ROOM], to[ROOM];

// Where the payload after the one at `at` begins.
static size_t next(size_t at, size_t len)
{
    at += (len + OFFSET + 63) / 64 * 64;
    return at + len <= TURNS ? at : OFFSET;
}

static void run_memcpy(void *arg, size_t times)
{
    size_t len = *(size_t *)arg, at = OFFSET;
    for (size_t i = 0; i < times; i++, at = next(at, len)) {
        memcpy(to + at, from + at, len);
        __asm__ volatile("" ::: "memory");
    }
}

static void run_unmask(void *arg, size_t times)
{
    size_t len = *(size_t *)arg, at = OFFSET;
    for (size_t i = 0; i < times; i++, at = next(at, len))
        zn__ws_unmask(to + at, len, 0x3d21fa37);
}

static void print_row(const char *name, size_t len, struct micro_figure f, double memcpy_ns)
{
    double size = (double)len;
    printf("%6zu B  %-7s %8.1f GB/s  (half of samples %.1f to %.1f, p99 %.1f)  %7.1f ns  %.2f x "
           "memcpy\n",
           len, name, size / f.median, size / f.high, size / f.low, size / f.p99, f.median,
           memcpy_ns / f.median);
}

int main(void)
{
    static const size_t lengths[] = { 125, 1024, 65536 };
    micro_print_machine();
    memset(from, 'x', sizeof(from));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        size_t len = lengths[i];
        struct micro_figure copy = micro_measure(run_memcpy, &len);
        print_row("memcpy", len, copy, copy.median);
        struct micro_figure unmask = copy;
        for (int level = 0; level <= (int)zn__simd_best(); level++) {
            zn__simd_set((enum zn_simd)level);
            unmask = micro_measure(run_unmask, &len);
            print_row(zn__simd_name((enum zn_simd)level), len, unmask, copy.median);
        }
        if (len == RECORDED) {
            micro_record("unmask-64k", (double)len / unmask.median);
            micro_record("unmask-64k-of-memcpy", copy.median / unmask.median);
        }
    }
    return 0;
}
