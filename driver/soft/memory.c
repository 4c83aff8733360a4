// SPDX-License-Identifier: Apache-2.0
// Small tables come from the heap, large ones are mapped at a multiple of the huge page's size.
#include "soft/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

static size_t round_up(size_t len, size_t to)
{
    return (len + to - 1) / to * to;
}

static void *map(size_t len)
{
    uint8_t *all = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)all & (HUGE_PAGE - 1);
    uint8_t *at = all + before;
    if (before > 0)
        munmap(all, before);
    if (before < HUGE_PAGE)
        munmap(at + len, HUGE_PAGE - before);
    madvise(at, len, MADV_HUGEPAGE); // a kernel without them is slower, and right
    return at;
}

void *zn__soft_memory_alloc(size_t len)
{
    if (len >= HUGE_PAGE)
        return map(round_up(len, HUGE_PAGE));
    size_t room = round_up(len > 0 ? len : 1, LINE);
    void *memory = aligned_alloc(LINE, room);
    return memory != NULL ? memset(memory, 0, room) : NULL;
}

void zn__soft_memory_free(void *memory, size_t len)
{
    if (memory != NULL && len >= HUGE_PAGE)
        munmap(memory, round_up(len, HUGE_PAGE));
    else
        free(memory);
}
