// SPDX-License-Identifier: Apache-2.0
// Guard pages for tests.
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void guard_init(struct guard *guard, size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard->room = (room + page - 1) / page * page;
    guard->map_len = guard->room + 2 * page;
    guard->map = mmap(NULL, guard->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    guard->start = guard->map + page;
    if (guard->map == MAP_FAILED ||
        mprotect(guard->start, guard->room, PROT_READ | PROT_WRITE) != 0) {
        perror("guard_init");
        exit(1);
    }
}

void guard_deinit(struct guard *guard)
{
    munmap(guard->map, guard->map_len);
}

uint8_t *guard_end(const struct guard *guard, size_t len)
{
    return guard->start + guard->room - len;
}

uint8_t *guard_copy(const struct guard *guard, const void *data, size_t len)
{
    uint8_t *p = guard_end(guard, len);
    if (len > 0)
        memmove(p, data, len);
    return p;
}
