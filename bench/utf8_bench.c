// SPDX-License-Identifier: Apache-2.0
// How fast is the check of text, by script, length and SIMD level?
#include "micro.h"
#include "proto/simd.h"
#include "proto/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 65536 + 64 };

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

int main(void)
{
    static const size_t lengths[] = { 125, 1024, 16384, 65536 };
    micro_print_machine();
    for (size_t s = 0; s < sizeof(scripts) / sizeof(*scripts); s++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
            struct text text = fill(scripts[s].chars, lengths[i]);
            for (int level = 0; level <= (int)zn__simd_best(); level++) {
                zn__simd_set((enum zn_simd)level);
                struct micro_figure f = micro_measure(run, &text);
                double size = (double)text.len;
                printf("%-6s %6zu B  %-7s %7.2f GB/s  (half of samples %.2f to %.2f, p99 %.2f)  "
                       "%8.1f ns\n",
                       scripts[s].name, lengths[i], zn__simd_name((enum zn_simd)level),
                       size / f.median, size / f.high, size / f.low, size / f.p99, f.median);
            }
        }
    }
    return 0;
}
