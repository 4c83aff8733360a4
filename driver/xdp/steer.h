// SPDX-License-Identifier: Apache-2.0
// What the XDP program steer.bpf.c and its loader steer.c share, and the loader's functions.
//
// The program hands TCP packets for the server's ports and addresses to the AF_XDP socket of their
// queue and leaves everything else to the kernel. Before it hands a packet over, two guards may
// drop it: both are token buckets of the source address.
#ifndef ZN_STEER_H
#define ZN_STEER_H

#include <linux/types.h>

#define ZN_STEER_MAGIC 0x5a4e5354 // "ZNST"
#define ZN_STEER_VERSION 1
#define ZN_STEER_PROGRAM "zn_steer"
#define ZN_STEER_CONFIG ".data.zn" // section of the object file, and name of the map

enum {
    ZN_STEER_PORTS = 8,
    ZN_STEER_ADDRESSES = 8,
    ZN_STEER_QUEUES = 64,
    ZN_STEER_SOURCES = 65536, // that the guards remember; the longest unseen makes room
};

// One guard. The bucket holds `burst_ns / interval_ns` tokens and gains one every `interval_ns`;
// 0: the guard is off.
struct zn_steer_guard {
    __u64 interval_ns;
    __u64 burst_ns;
};

// The one element of the map ZN_STEER_CONFIG. All zero: every packet passes.
struct zn_steer_config {
    __u32 magic;
    __u32 version;
    __u32 ports_len;
    __u32 addresses_len;                    // 0: any address
    __u16 ports[ZN_STEER_PORTS];            // network order
    __u8 addresses[ZN_STEER_ADDRESSES][16]; // IPv4 as ::ffff:a.b.c.d
    struct zn_steer_guard packet;
    struct zn_steer_guard syn; // SYN without ACK
};

// The value of the map zn_sources, whose key is a source address in 16 bytes. A bucket is kept as
// the time at which it will be full again (CLOCK_MONOTONIC).
struct zn_steer_source {
    __u32 magic;
    __u32 version;
    __u64 packet_full_ns;
    __u64 syn_full_ns;
};

// Index of the map zn_counters: what became of packets, each counted once.
enum zn_steer_counter {
    ZN_STEER_REDIRECTED,
    ZN_STEER_NO_SOCKET,      // ours, but no server at this queue: to the kernel
    ZN_STEER_PACKET_LIMITED, // dropped
    ZN_STEER_SYN_LIMITED,    // dropped
    ZN_STEER_OTHER,          // to the kernel: not TCP, or not for our ports and addresses
    ZN_STEER_FRAGMENT,       // to the kernel
    ZN_STEER_MALFORMED,      // to the kernel: shorter than its headers say
    ZN_STEER_COUNTERS,
};

#ifndef __bpf__

enum { ZN_STEER_ERR = 512 };

enum zn_steer_mode { ZN_STEER_AUTO, ZN_STEER_NATIVE, ZN_STEER_GENERIC };

struct zn_steer_stats {
    enum zn_steer_mode mode; // native or generic
    struct zn_steer_config config;
    __u64 counters[ZN_STEER_COUNTERS]; // packets since the program was loaded
};

// All four: 0, or negative errno with a sentence in err_out. -EPERM: not root; -ENODEV: no such
// interface.

// Puts the program on the interface and its maps under /sys/fs/bpf/zapnic/INTERFACE. -EBUSY: one
// is there; -EOPNOTSUPP: no such mode.
int zn_steer_attach(const char *interface, const struct zn_steer_config *config,
                    enum zn_steer_mode mode, char err_out[ZN_STEER_ERR]);

// -ENOENT: the program is not there, though pins may have been, and are gone. Another program is
// left alone.
int zn_steer_detach(const char *interface, char err_out[ZN_STEER_ERR]);

// -ENOENT as above.
int zn_steer_stats(const char *interface, struct zn_steer_stats *stats_out,
                   char err_out[ZN_STEER_ERR]);

// Writes the program with a configuration as an object file, for DPDK or others who load it
// themselves.
int zn_steer_write(const char *path, const struct zn_steer_config *config,
                   char err_out[ZN_STEER_ERR]);

#endif
#endif
