// SPDX-License-Identifier: Apache-2.0
// How fast is the check of text, by script, length and SIMD level, and as a share of memcpy? What
// is recorded is 64 KB of ASCII and of the slowest script.
#include "micro.h"
#include "proto/simd.h"
#include "proto/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 65536 + 64, RECORDED = 65536 };

// Whole characters, so that any number of repetitions is valid.
static const struct {
    const char *name, *chars;
} scripts[] = {
    { "ascii", "the quick brown fox " },
    { "latin", "d\xc3\xa9j\xc3\xa0 vu, fa\xc3\xa7"
               "ade " },
    { "greek", "\xce\xba\xcf\x8c\xcf\x83\xce\xbc\xce\xb5 " },
    { "hangul", "\xed\x95\x9c\xea\xb8\x80 \xea\xb5\xad\xec\x96\xb4" },
    { "emoji", "\xf0\x9f\x98\x80\xf0\x9f\x9a\x80" },
};

struct text {
    uint8_t *bytes;
    size_t len;
};

static void run(void *arg, size_t times)
{
    const struct text *text = arg;
    for (size_t i = 0; i < times; i++) {
        if (!zn__utf8_valid(text->bytes, text->len))
            abort();
    }
}

static void run_memcpy(void *arg, size_t times)
{
    static _Alignas(64) uint8_t to[ROOM];
    const struct text *text = arg;
    for (size_t i = 0; i < times; i++) {
        memcpy(to + 6, text->bytes, text->len);
        __asm__ volatile("" ::: "memory");
    }
}

// About `len` bytes of whole characters.
static struct text fill(const char *chars, size_t len)
{
    static _Alignas(64) uint8_t room[ROOM];
    struct text text = { .bytes = room + 6 };
    size_t n = strlen(chars);
    for (; text.len + n <= len; text.len += n)
        memcpy(text.bytes + text.len, chars, n);
    return text;
}

// Rows of one text; returns the figure of the best level, and memcpy's.
static struct micro_figure measure(const char *script, size_t len, struct text *text,
                                   struct micro_figure *copy_out)
{
    struct micro_figure f = { 0 };
    struct micro_figure copy = micro_measure(run_memcpy, text);
    double size = (double)text->len;
    for (int level = 0; level <= (int)zn__simd_best(); level++) {
        zn__simd_set((enum zn_simd)level);
        f = micro_measure(run, text);
        printf("%-6s %6zu B  %-7s %7.2f GB/s  (half of samples %.2f to %.2f, p99 %.2f)  "
               "%8.1f ns  %.2f x memcpy\n",
               script, len, zn__simd_name((enum zn_simd)level), size / f.median, size / f.high,
               size / f.low, size / f.p99, f.median, copy.median / f.median);
    }
    *copy_out = copy;
    return f;
}

static void record(const char *which, double speed, double share)
{
    char name[64];
    snprintf(name, sizeof(name), "utf8-64k-%s", which);
    micro_record(name, speed);
    snprintf(name, sizeof(name), "utf8-64k-%s-of-memcpy", which);
    micro_record(name, share);
}

int main(void)
{
    static const size_t lengths[] = { 125, 1024, 16384, RECORDED };
    double least_speed = HUGE_VAL, least_share = HUGE_VAL;
    micro_print_machine();
    for (size_t s = 0; s < sizeof(scripts) / sizeof(*scripts); s++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
            struct text text = fill(scripts[s].chars, lengths[i]);
            struct micro_figure copy, f = measure(scripts[s].name, lengths[i], &text, &copy);
            double speed = (double)text.len / f.median, share = copy.median / f.median;
            if (lengths[i] != RECORDED)
                continue;
            if (s == 0)
                record(scripts[s].name, speed, share);
            least_speed = speed < least_speed ? speed : least_speed;
            least_share = share < least_share ? share : least_share;
        }
    }
    record("slowest", least_speed, least_share);
    return 0;
}
