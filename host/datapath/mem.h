// SPDX-License-Identifier: Apache-2.0
// The parts of the datapath in memory: the table's operations (mem.c) and the far ends
// (mem_peer.c), which the test holds.
//
// Thread: streams and far ends belong to the instance's thread; detached handles may cross.
#ifndef ZN_MEM_H
#define ZN_MEM_H

#include "datapath.h"
#include "list.h"
#include "slab.h"

enum {
    ZN_MEM_QUEUED = 1 << 0, // in the ready list
    ZN_MEM_PAUSED = 1 << 1, // want(false)
    ZN_MEM_EOF_SEEN = 1 << 2,
    ZN_MEM_FIN_SENT = 1 << 3,
    ZN_MEM_BROKEN = 1 << 4,
    ZN_MEM_REPORTED = 1 << 5, // that it is broken
    ZN_MEM_BLOCKED = 1 << 6,  // SENT is due when the far end has room
    ZN_MEM_LEAVING = 1 << 7,
    ZN_MEM_DEAD = 1 << 8,
    ZN_MEM_OWES = 1 << 9,   // zn_dp_mem_async: bytes of the caller's are not accounted for
    ZN_MEM_ENDED = 1 << 10, // zn_dp_mem_async: ended while it owes; GONE is due
};

struct zn_mem_bytes {
    uint8_t *data;
    size_t start, len, cap;
};

struct zn_stream {
    struct zn_link link; // in the ready, the adopted or the dead list
    struct zn_mem_peer *peer;
    void *cookie; // of an adoption
    int flags;
    int err;
    struct iovec *given; // zn_dp_mem_async: the caller's bytes, read when there is room
    size_t given_len, given_done, given_total;
    uint64_t ended_ns;
};
_Static_assert(offsetof(struct zn_stream, link) == 0, "list.h");

struct zn_mem_peer {
    struct zn_mem_peer *next; // of those waiting or travelling
    struct zn_mem_dp *dp;     // NULL: the instance was closed, or the stream travels
    struct zn_stream *stream; // NULL: not accepted yet, or ended
    struct zn_mem_bytes to_server;
    struct zn_mem_bytes to_peer;
    size_t window;
    size_t chunk;
    int handle; // while travelling, else 0
    bool waiting;
    bool wrote_fin, wrote_reset;
    bool got_fin, got_reset;
    bool gone; // zn_dp_mem_free() was called
};

struct zn_mem_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct zn_slab slab;
    struct zn_list ready, adopted, dead;
    struct zn_mem_peer *waiting, *waiting_last;
    void **lent; // what events point at, freed by the next poll()
    size_t lent_len, lent_cap;
    uint16_t next_port;
    bool refusing;
};

// --- mem_peer.c

// The memory, or the end of the program: a test double has no way on without.
void *zn__mem_must(void *memory);

void zn__mem_append(struct zn_mem_bytes *bytes, const void *data, size_t len);
size_t zn__mem_take(struct zn_mem_bytes *bytes, void *buf, size_t cap);

// Frees a far end that neither a stream nor the test holds.
void zn__mem_forget(struct zn_mem_peer *peer);

// Gives a far end a handle under which it can be found on any thread; and finds it, or NULL.
int zn__mem_depart(struct zn_mem_peer *peer);
struct zn_mem_peer *zn__mem_arrive(int handle);

// --- mem.c

void zn__mem_ready(struct zn_mem_dp *dp, struct zn_stream *stream);

#endif
