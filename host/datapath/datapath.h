// SPDX-License-Identifier: Apache-2.0
// The datapath table: where bytes come from and go to. One instance a reactor
// thread; back ends are mem (test double), epoll, uring, later dpdk, and tls, which
// wraps any of them. Nothing above this table knows about sockets, mbufs or TLS records.
//
// Thread: every call on the instance's own thread, but wake(). open(), listen() and close() may
// come from another thread while the instance's own does not run.
//
// Streams are allocated by the datapath with `user_size` zeroed bytes of the caller's in
// front of each (zn_stream_user()). A stream lives from its ACCEPT (or ADOPTED) event
// until the caller ends it with ZN_END_RELEASE or detaches it; its memory is
// freed at the start of the next poll(), so pointers stay good through the turn.
#ifndef ZN_DATAPATH_H
#define ZN_DATAPATH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "proto/ws.h"

enum { ZN_DP_ANSWERED_MAX = 8 };

struct zn_dp;
struct zn_stream; // private to the back end

enum zn_dp_event_type {
    ZN_DP_ACCEPT, // a new stream from a listener; `peer` is set
    ZN_DP_RECV,   // `data[0, len)`, writable, good until the next poll()
    ZN_DP_EOF,    // the peer sent FIN: no more RECV, sending still works
    ZN_DP_SENT,  // a send that was not taken whole went on: `len` more bytes are out; 0: room again
    ZN_DP_ERROR, // the stream broke (`err`, negative errno); no more events; end it
    ZN_DP_DETACHED, // the stream left this datapath, which frees it: `handle` can be adopted by
                    // another; data/len: bytes that arrived meanwhile, perhaps more than one
                    // RECV's
    ZN_DP_ADOPTED,  // an adopted handle is a stream here now; `cookie` as given to adopt()
    ZN_DP_PONGS,    // `data[0, len)` are pong frames that the accelerator was to send and did not:
                    // they are to be sent between frames
    ZN_DP_GONE, // last event of a stream that was ended while bytes of send() were still with the
                // datapath (ZN_DP_CAP_ASYNC): they are free now, and the stream's memory goes
};

// A stream on its way between two reactors' datapaths of the same kind (epoll and uring count as
// one).
struct zn_dp_handle {
    int fd;
    void *state;                               // of a wrapping datapath (TLS); NULL otherwise
    void (*drop)(struct zn_dp_handle *handle); // closes a handle that nobody will adopt
};

// What an accelerator did to the bytes of a RECV, and what it is told (ZN_DP_CAP_FRAMES).
struct zn_dp_frames {
    bool unmasked; // the payload of WebSocket frames in `data` is unmasked; their heads are as sent
    uint8_t answered_len;
    const uint8_t *answered[ZN_DP_ANSWERED_MAX]; // payload of pings that get their pong without us
    // Out: behind `data` the stream stands at `where` of a WebSocket, so that the accelerator may
    // treat what follows. Read when poll() is called next.
    bool known;
    bool deflate;       // RSV1 is agreed
    uint32_t frame_max; // payload of one frame
    struct zn_ws_where where;
};

struct zn_dp_event {
    uint8_t type; // enum zn_dp_event_type
    int32_t err;
    struct zn_stream *stream;
    uint8_t *data;
    size_t len;
    const struct sockaddr *peer; // ACCEPT; good until the next poll()
    struct zn_dp_handle handle;  // DETACHED
    void *cookie;                // ADOPTED
    struct zn_dp_frames *frames; // RECV; NULL: no accelerator
};

// One entry of a send burst: what one stream is to send in this turn.
struct zn_dp_send {
    struct zn_stream *stream;
    const struct iovec *iov; // needed during the call only; the bytes that it points to
    unsigned iov_len;        // must stay until they are reported as taken or sent; up to 1024
    size_t taken;            // out: bytes that the datapath is done with already
};

enum zn_dp_end {
    ZN_END_FIN,     // no more sends: the peer sees an end of stream after what was taken
    ZN_END_RELEASE, // done with it: close in order, free the stream; no more events
    ZN_END_RESET,   // the same, but the peer sees a reset
};

struct zn_dp_config {
    size_t user_size;     // bytes of the caller's in each stream
    unsigned streams_max; // accept stops above this
    size_t recv_size;     // bytes of one RECV at the most; 0: the default, 64 KiB
};

enum {
    ZN_DP_CAP_FRAMES = 1 << 0, // RECV may carry frame annotations (accelerated datapaths)
    ZN_DP_CAP_FDS = 1 << 1,    // detach and adopt work
    ZN_DP_CAP_ASYNC = 1 << 2, // bytes that send() did not take stay with the datapath until SENT or
                              // GONE; without it they are the caller's again at once
    ZN_DP_CAP_PIPELINE = 1 << 3, // with ASYNC: send() may be called while bytes of earlier calls
                                 // are with the datapath; SENT and GONE account for all of them
};

struct zn_dp_ops {
    const char *name;
    uint32_t caps;

    // Makes an instance. 0 or negative errno (-ENOSYS, -EPERM: not allowed here; try another).
    int (*open)(const struct zn_dp_config *config, struct zn_dp **dp_out);

    // Ends all streams and frees the instance.
    void (*close)(struct zn_dp *dp);

    // Accepts streams on `addr` (SO_REUSEADDR, SO_REUSEPORT). *port_out is the port bound.
    // NULL addr: stop accepting on all listeners.
    int (*listen)(struct zn_dp *dp, const struct sockaddr *addr, socklen_t addr_len,
                  uint16_t *port_out);

    // Waits up to `timeout_ns` (0: looks only; UINT64_MAX: until woken) for up to `max` events.
    // Returns their number, sets dp->now_ns. Input is offered in bounded helpings so that one
    // busy stream does not starve the others: a stream has one event of one poll() at the most, so
    // none of those behind it in `events` is of a stream that was just ended or stopped.
    int (*poll)(struct zn_dp *dp, struct zn_dp_event *events, unsigned max, uint64_t timeout_ns);

    // Sends a burst, one entry a stream, in as few system calls as the back end can.
    // Where taken is less than the whole: with ZN_DP_CAP_ASYNC the rest stays with the datapath,
    // and SENT events tell of its progress until it is accounted for; without, the rest is the
    // caller's, and a SENT of length 0 says that there is room to try again. Until then, do not
    // send on that stream (unless ZN_DP_CAP_PIPELINE). A stream that breaks reports ERROR by
    // poll(). If it is ended instead of waited for, GONE follows (ZN_DP_CAP_ASYNC): what was given
    // goes out first after RELEASE.
    void (*send)(struct zn_dp *dp, struct zn_dp_send *burst, unsigned burst_len);

    // Stops (false) and restarts (true) RECV events of a stream.
    void (*want)(struct zn_dp *dp, struct zn_stream *stream, bool recv);

    // See enum zn_dp_end.
    void (*end)(struct zn_dp *dp, struct zn_stream *stream, enum zn_dp_end how);

    // Lets a stream go to another reactor: DETACHED follows, or ERROR if it breaks before, and
    // nothing else. Nothing may be in flight to send. What was reported is not part of the handle
    // but the end of the stream: EOF comes again where it is adopted.
    void (*detach)(struct zn_dp *dp, struct zn_stream *stream);

    // Takes a detached handle over: ADOPTED follows. On failure the handle is closed.
    int (*adopt)(struct zn_dp *dp, struct zn_dp_handle handle, void *cookie);

    // Makes a waiting poll() return. The one call that any thread may make.
    void (*wake)(struct zn_dp *dp);
};

// What every instance starts with.
struct zn_dp {
    const struct zn_dp_ops *ops;
    uint64_t now_ns;        // the loop's clock, monotonic; moves in poll() only
    uint64_t wall_ms;       // milliseconds since the epoch, moves with now_ns
    uint64_t accept_pauses; // times that accepting stopped for want of descriptors or memory
};

// The caller's bytes of a stream, aligned to 16. Every back end lays a stream out as
// `struct zn_stream { ...; }` of its own size; the user bytes stand in front of it in one
// allocation, so that this needs no table look-up.
static inline void *zn_stream_user(struct zn_stream *stream, size_t user_size)
{
    return (char *)stream - ((user_size + 15) & ~(size_t)15);
}

extern const struct zn_dp_ops zn_dp_epoll;
extern const struct zn_dp_ops zn_dp_uring;
extern const struct zn_dp_ops zn_dp_accel; // accel.h: needs a device first

// By name ("auto", "epoll", "uring", "dpdk"): the table, or NULL. "auto" probes the kernel; use
// only open() and name of it, and then the instance's own table.
const struct zn_dp_ops *zn_dp_find(const char *name);

// --- mem: the test double. Its clock moves only by zn_dp_mem_advance().
extern const struct zn_dp_ops zn_dp_mem;
extern const struct zn_dp_ops zn_dp_mem_async; // the same with ZN_DP_CAP_ASYNC, as uring sends
struct zn_mem_peer;                            // the far end of a stream

struct zn_mem_peer *zn_dp_mem_connect(struct zn_dp *dp);
void zn_dp_mem_write(struct zn_mem_peer *peer, const void *data, size_t len); // copied
void zn_dp_mem_fin(struct zn_mem_peer *peer);
void zn_dp_mem_reset(struct zn_mem_peer *peer);
// Reads up to `cap` bytes that the server sent; 0: none now, -ECONNRESET: reset, -EPIPE: FIN was
// read.
ssize_t zn_dp_mem_read(struct zn_mem_peer *peer, void *buf, size_t cap);
// How many bytes the far end takes before sends are not taken whole any more (default: unbounded).
void zn_dp_mem_window(struct zn_mem_peer *peer, size_t bytes);
// Largest run of bytes given in one RECV (default: all), to test splits.
void zn_dp_mem_chunk(struct zn_mem_peer *peer, size_t bytes);
void zn_dp_mem_free(struct zn_mem_peer *peer); // the far end goes away
void zn_dp_mem_advance(struct zn_dp *dp, uint64_t ns);

// --- tls: OpenSSL records over any other datapath.
struct zn_tls;

// Certificate chain and key in PEM files. 0, or -EINVAL with a reason in err_out[256].
int zn_tls_create(const char *cert_path, const char *key_path, struct zn_tls **tls_out,
                  char err_out[256]);
// Reads the files again; new connections use them. Any thread.
int zn_tls_reload(struct zn_tls *tls, char err_out[256]);
void zn_tls_destroy(struct zn_tls *tls);

// Like ops->open of `inner`, but every stream accepted there speaks TLS. One `tls` may serve
// several instances (threads).
int zn_dp_tls_open(struct zn_tls *tls, const struct zn_dp_ops *inner,
                   const struct zn_dp_config *config, struct zn_dp **dp_out);

#endif
