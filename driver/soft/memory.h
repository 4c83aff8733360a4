// SPDX-License-Identifier: Apache-2.0
// Memory of tables: zero, on cache lines of its own. A large table lies in huge pages where the
// kernel gives them, because each packet may want another entry; what is not used of it costs
// nothing.
//
// Thread: any.
#ifndef ZN_SOFT_MEMORY_H
#define ZN_SOFT_MEMORY_H

#include <stddef.h>

// NULL when there is none; `len` 0 is some.
void *zn__soft_memory_alloc(size_t len);

// What alloc() gave for the same `len`; NULL is nothing.
void zn__soft_memory_free(void *memory, size_t len);

#endif
