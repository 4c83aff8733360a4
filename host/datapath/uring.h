// SPDX-License-Identifier: Apache-2.0
// The parts of the io_uring datapath: buffers lent to the kernel (uring_buffers.c), the state
// machine of a stream (uring_stream.c), the table's operations on streams (uring_ops.c), and the
// instance with its turn (uring.c).
//
// Completions never become events directly: they change streams, and a stream with something due
// stands in the ready list, which each poll() walks once.
//
// Thread: the instance's.
#ifndef ZN_URING_H
#define ZN_URING_H

#include "adoptions.h"
#include "datapath.h"
#include "list.h"
#include "slab.h"
#include "socket.h"

#include <liburing.h>

enum {
    ZN_URING_SQ = 512,
    ZN_URING_CQ = 4096,
    ZN_URING_SCALE_MAX = 8,      // divides both where locked memory is short
    ZN_URING_ACCEPTS_MAX = 64,   // in one turn
    ZN_URING_BUFFERS_MAX = 1024, // a power of two
    ZN_URING_BUFFERS_MIN = 64,   // lent at first; more when they run out
    ZN_URING_BUFFER_SIZE = 32 * 1024,
    ZN_URING_HELD_MAX = 8,  // buffers of one stream before its receiving stops; the kernel
                            // may have filled 32 more in one go by then
    ZN_URING_NONE = 0xffff, // no buffer; no linger slot
};

// What a completion is of, in the low bits of its user_data.
enum {
    ZN_URING_RECV,
    ZN_URING_SEND,
    ZN_URING_WATCH,
    ZN_URING_LISTENER,
    ZN_URING_WAKE,
    ZN_URING_IGNORE,
    ZN_URING_TAG_MASK = 15,
};

enum zn_uring_flag {
    ZN_URING_QUEUED = 1 << 0,     // in the ready list
    ZN_URING_ARMED = 1 << 1,      // a multishot receive is with the kernel,
    ZN_URING_CANCELLING = 1 << 2, // and is being cancelled
    ZN_URING_SENDING = 1 << 3,    // a send is with the kernel
    ZN_URING_FRESH = 1 << 4,      // and was given in the running call of send()
    ZN_URING_WATCHED = 1 << 5,    // a poll for errors is with the kernel
    ZN_URING_PAUSED = 1 << 6,     // want(false)
    ZN_URING_GLUTTED = 1 << 7,    // holds many buffers: receives none before these are read
    ZN_URING_EOF_DUE = 1 << 8,
    ZN_URING_EOF_SEEN = 1 << 9,
    ZN_URING_SENT_DUE = 1 << 10,
    ZN_URING_OWES = 1 << 11, // the caller was not told yet what became of its bytes
    ZN_URING_BROKEN = 1 << 12,
    ZN_URING_REPORTED = 1 << 13, // that it is broken
    ZN_URING_LEAVING = 1 << 14,
    ZN_URING_FIN_DUE = 1 << 15, // shut down when the send is through
    ZN_URING_ENDED = 1 << 16,   // released or reset by the caller
    ZN_URING_GONE_DUE = 1 << 17,
    ZN_URING_SHUT = 1 << 18,    // our FIN is out
    ZN_URING_CLOSING = 1 << 19, // closes when nothing is with the kernel any more
    ZN_URING_DEAD = 1 << 20,
};

// Operations of the stream are with the kernel.
static const uint32_t zn_uring_busy = ZN_URING_ARMED | ZN_URING_SENDING | ZN_URING_WATCHED;

struct zn_uring_spill {
    struct zn_uring_spill *next; // of those to be freed
    size_t start, len;
    uint8_t data[];
};

// What is left to send of a stream whose socket was full.
struct zn_uring_rest {
    struct msghdr message; // its iovecs are those behind, from the first that is not through
    struct iovec iov[];
};

struct zn_stream {
    struct zn_link link;          // in the ready or the dead list
    struct zn_uring_spill *spill; // input copied out of buffers, older than those
    struct zn_uring_rest *rest;
    int fd;
    uint32_t flags;
    uint32_t given; // to send and not sent yet; of an ended stream, after our FIN: bytes received
    uint32_t sent;  // since the last SENT
    uint16_t first; // buffers received, by id
    uint16_t last;  // of an ended stream: its place among those that linger
    uint16_t held;  // how many buffers
    uint16_t err;
};
_Static_assert(offsetof(struct zn_stream, link) == 0, "list.h");

// Buffers that the kernel receives into, and what is known of those that it gave back.
struct zn_uring_buffers {
    struct io_uring_buf_ring *ring;
    uint8_t *memory;
    uint32_t size;     // of each
    uint32_t provided; // how many there are so far
    uint32_t in_ring;  // of these, with the kernel and empty
    bool touched;      // some above the least were used since the last trim
    uint64_t trim_ns;  // when the next trim may be
    uint32_t lent_len;
    uint32_t len[ZN_URING_BUFFERS_MAX];  // what was received
    uint16_t next[ZN_URING_BUFFERS_MAX]; // of the same stream
    uint16_t lent[ZN_URING_BUFFERS_MAX]; // in this turn's events
};

struct zn_uring_linger {
    struct zn_stream *stream; // NULL: closed already
    uint64_t until_ns;
};

struct zn_uring_dp {
    struct zn_dp base;
    struct zn_dp_config config;
    struct io_uring ring;
    bool enabled;
    struct zn_slab slab;
    struct zn_uring_buffers buffers;
    struct zn_list ready, dead;
    struct zn_uring_spill *spent; // given with this turn's events
    struct zn_waker waker;
    bool wake_armed;
    int listeners[ZN_LISTENERS_MAX];
    unsigned listeners_len;
    unsigned accepts_due;  // bit set of listeners that may have something
    uint64_t accept_at_ns; // when a pause for want of descriptors ends; 0: none
    struct sockaddr_in6 peers[ZN_URING_ACCEPTS_MAX];
    struct zn_adoptions adoptions;
    struct zn_uring_linger lingers[ZN_LINGERS_MAX]; // a ring, in order of their times
    unsigned linger_head, linger_tail;
    struct msghdr messages[ZN_URING_SQ]; // of sends that are not submitted yet
    unsigned messages_len;
};

// --- uring_buffers.c

// Registers the ring of buffers as group 0. Negative errno: the kernel cannot.
int zn__uring_buffers_init(struct zn_uring_buffers *buffers, struct io_uring *ring, size_t size);
void zn__uring_buffers_deinit(struct zn_uring_buffers *buffers);

static inline uint8_t *zn__uring_buffer(struct zn_uring_buffers *buffers, uint16_t id)
{
    return buffers->memory + (size_t)id * buffers->size;
}

// Back to the kernel: one now, or all that this turn's events lent.
void zn__uring_buffer_return(struct zn_uring_buffers *buffers, uint16_t id);
void zn__uring_buffers_return_lent(struct zn_uring_buffers *buffers);

// Counts a buffer that came back from the kernel with something in it.
static inline void zn__uring_buffer_filled(struct zn_uring_buffers *buffers, uint16_t id)
{
    buffers->in_ring--;
    buffers->touched |= id >= ZN_URING_BUFFERS_MIN;
}

// Gives the memory of a burst back while all buffers are empty: called before a sleep, when no
// completion is outstanding. Returns when it wants to be called again, or UINT64_MAX.
uint64_t zn__uring_buffers_trim(struct zn_uring_buffers *buffers, uint64_t now_ns);

// Lends the kernel more of them, up to the maximum.
void zn__uring_buffers_grow(struct zn_uring_buffers *buffers);

// --- uring_stream.c

// A submission entry; submits what is queued if there is no room.
struct io_uring_sqe *zn__uring_sqe(struct zn_uring_dp *dp);

void zn__uring_ready(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_break(struct zn_uring_dp *dp, struct zn_stream *stream, int err);

// Asks for input, and for word of errors while no input is wanted.
void zn__uring_arm(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_watch(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_disarm(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_cancel_all(struct zn_uring_dp *dp, struct zn_stream *stream);

// Copies what stands in buffers behind the spill, and returns the buffers. -ENOMEM.
int zn__uring_unbuffer(struct zn_uring_dp *dp, struct zn_stream *stream);

// Completions of a stream's operations.
void zn__uring_on_recv(struct zn_uring_dp *dp, struct zn_stream *stream, int result,
                       unsigned flags);
void zn__uring_on_send(struct zn_uring_dp *dp, struct zn_stream *stream, int result);
void zn__uring_on_watch(struct zn_uring_dp *dp, struct zn_stream *stream, int result);

// Goes on with what is left to send, of which `done` bytes more are through.
void zn__uring_send_rest(struct zn_uring_dp *dp, struct zn_stream *stream, size_t done);

// Makes one event of what is due. False: there was nothing to tell.
bool zn__uring_event(struct zn_uring_dp *dp, struct zn_stream *stream, struct zn_dp_event *event);
bool zn__uring_due(const struct zn_stream *stream);

// Takes an ended stream on: its last bytes, our FIN, the peer's, and closing.
void zn__uring_wind_up(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_linger(struct zn_uring_dp *dp, struct zn_stream *stream);
void zn__uring_linger_expire(struct zn_uring_dp *dp);
void zn__uring_close_soon(struct zn_uring_dp *dp, struct zn_stream *stream);

// --- uring.c

// Binds the ring to the calling thread, the first time.
void zn__uring_enable(struct zn_uring_dp *dp);

// Works off all completions that are there.
void zn__uring_harvest(struct zn_uring_dp *dp);

// --- uring_ops.c

void zn__uring_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len);
void zn__uring_want(struct zn_dp *base, struct zn_stream *stream, bool recv);
void zn__uring_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how);
void zn__uring_detach(struct zn_dp *base, struct zn_stream *stream);
int zn__uring_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie);

#endif
