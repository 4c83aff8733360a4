// SPDX-License-Identifier: Apache-2.0
// What /proc and the CPU clocks tell about a process and its children: CPU time, memory, kernel
// slab. No state; any thread.
#ifndef BENCH_LOAD_PROC_H
#define BENCH_LOAD_PROC_H

#include <stdint.h>
#include <sys/types.h>

struct proc_cpu {
    uint64_t run_ns;  // user and system time, all threads (also those that ended) and live children
    uint64_t wait_ns; // time that live threads were runnable but not running
    uint64_t user_ns; // split of run_ns as the kernel estimates it, in its ticks
    uint64_t system_ns;
};

struct proc_memory {
    uint64_t rss; // bytes
    uint64_t uss; // private bytes: what would be freed if it ended
};

// Sums over pid and its descendants. Returns 0, or -ESRCH when pid is gone.
int proc_cpu_read(pid_t pid, struct proc_cpu *out);
int proc_memory_read(pid_t pid, struct proc_memory *out);

// The machine's slab memory in bytes (sockets' kernel structures are in there), and the pages that
// TCP buffers hold, in bytes.
uint64_t proc_slab_read(void);
uint64_t proc_tcp_buffers_read(void);

#endif
