// SPDX-License-Identifier: Apache-2.0
// Memory between two pages that may not be touched: a read or write outside of an input, on either
// side, ends the test with a fault.
#ifndef ZN_TESTS_GUARD_H
#define ZN_TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct guard {
    uint8_t *map;
    size_t map_len;
    uint8_t *start; // first byte behind the lower guard page
    size_t room;
};

// Room for at least `room` bytes. A failure ends the program.
void guard_init(struct guard *guard, size_t room);
void guard_deinit(struct guard *guard);

// Room for `len` bytes, the last one before the upper guard page.
uint8_t *guard_end(const struct guard *guard, size_t len);

// The same with a copy of `data`. `data` may be NULL when len is 0.
uint8_t *guard_copy(const struct guard *guard, const void *data, size_t len);

#endif
