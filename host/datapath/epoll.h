// SPDX-License-Identifier: Apache-2.0
// The parts of the epoll datapath: streams and what is due on them (epoll_stream.c), the table's
// operations on them (epoll_ops.c), and the instance with its turn (epoll.c).
//
// Streams are registered once, edge-triggered for input and output together, so that in steady
// state an echo costs one recv and one send and no epoll_ctl: what an edge said is kept in the
// stream's flags, and a stream with something left to do stands in the ready list, which each
// poll() walks once.
//
// Thread: the instance's.
#ifndef ZN_EPOLL_H
#define ZN_EPOLL_H

#include "adoptions.h"
#include "datapath.h"
#include "list.h"
#include "slab.h"
#include "socket.h"

#include <sys/epoll.h>

enum zn_epoll_flag {
    ZN_EPOLL_QUEUED = 1 << 0,   // in the ready list
    ZN_EPOLL_READABLE = 1 << 1, // the kernel has input, an end of stream or an error for us
    ZN_EPOLL_HANGUP = 1 << 2,   // an end of stream comes behind the input
    ZN_EPOLL_PAUSED = 1 << 3,   // want(false)
    ZN_EPOLL_EOF_SEEN = 1 << 4,
    ZN_EPOLL_BLOCKED = 1 << 5,  // a send was cut short
    ZN_EPOLL_WRITABLE = 1 << 6, // and there is room again: SENT is due
    ZN_EPOLL_BROKEN = 1 << 7,   // ERROR is due or was reported
    ZN_EPOLL_REPORTED = 1 << 8, // ERROR was reported
    ZN_EPOLL_LEAVING = 1 << 9,
    ZN_EPOLL_DEAD = 1 << 10,
};

enum {
    ZN_EPOLL_EVENTS_MAX = 512, // taken from the kernel in one turn
    ZN_EPOLL_ACCEPTS_MAX = 64, // in one turn
    ZN_EPOLL_RECV_DEFAULT = 64 * 1024,
    ZN_EPOLL_RECV_LEAST = 2048, // less room than this is not worth a call
    ZN_EPOLL_AREA_SIZE = 1024 * 1024,
};

// Kinds of what an epoll event leads to, in the low bits of its data.
enum {
    ZN_EPOLL_TAG_STREAM,
    ZN_EPOLL_TAG_LISTENER,
    ZN_EPOLL_TAG_WAKE,
    ZN_EPOLL_TAG_LINGER,
    ZN_EPOLL_TAG_MASK = 15
};

struct zn_stream {
    struct zn_link link; // in the ready or the dead list
    int fd;
    uint16_t flags;
    uint16_t err;
};
_Static_assert(offsetof(struct zn_stream, link) == 0, "list.h");

// A released socket that waits for the peer's end of stream.
struct zn_epoll_lingerer {
    uint64_t until_ns;
    uint32_t bytes;
    int fd; // -1: closed already
};

struct zn_epoll_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct zn_slab slab;
    struct zn_list ready, dead;
    int epoll_fd;
    struct zn_waker waker;
    int listeners[ZN_LISTENERS_MAX];
    unsigned listeners_len;
    bool accepting;        // the listeners are armed
    uint64_t accept_at_ns; // when a pause for want of descriptors ends; 0: none
    uint8_t *area;         // input of this turn
    size_t area_used;
    struct zn_adoptions adoptions;
    struct zn_epoll_lingerer lingers[ZN_LINGERS_MAX]; // a ring, in order of their times
    unsigned linger_head, linger_tail;
    struct sockaddr_in6 peers[ZN_EPOLL_ACCEPTS_MAX]; // of this turn's ACCEPT events
    unsigned peers_len;
    struct epoll_event kernel_events[ZN_EPOLL_EVENTS_MAX];
};

// --- epoll_stream.c

void zn__epoll_ready(struct zn_epoll_dp *dp, struct zn_stream *stream);
void zn__epoll_break(struct zn_epoll_dp *dp, struct zn_stream *stream, int err);

// epoll_ctl: 0 or negative errno; and that of a new stream.
int zn__epoll_watch(struct zn_epoll_dp *dp, int op, int fd, uint32_t interest, uint64_t data);
int zn__epoll_stream_watch(struct zn_epoll_dp *dp, struct zn_stream *stream);

// Takes in what the kernel said of a stream.
void zn__epoll_edge(struct zn_epoll_dp *dp, struct zn_stream *stream, uint32_t edge);

// Makes one event of what is due. False: there was nothing after all.
bool zn__epoll_event(struct zn_epoll_dp *dp, struct zn_stream *stream, struct zn_dp_event *event);
bool zn__epoll_due(const struct zn_stream *stream);

// Takes over the descriptor of a released stream, after sending our end of stream.
void zn__epoll_linger(struct zn_epoll_dp *dp, int fd);
void zn__epoll_linger_read(struct zn_epoll_dp *dp, struct zn_epoll_lingerer *linger);
void zn__epoll_linger_expire(struct zn_epoll_dp *dp);

// --- epoll_ops.c

void zn__epoll_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len);
void zn__epoll_want(struct zn_dp *base, struct zn_stream *stream, bool recv);
void zn__epoll_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how);
void zn__epoll_detach(struct zn_dp *base, struct zn_stream *stream);
int zn__epoll_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie);

#endif
