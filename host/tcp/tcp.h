// SPDX-License-Identifier: Apache-2.0
// Server-side TCP over IPv4 and IPv6, without I/O: packets and records of an accelerator go in
// (driver/README.md), messages to it and events come out. It reads no clock, it is told the time.
//
// RFC 9293, with 2018 and 6675 (SACK), 5681, 6582 and 9438 (congestion), 6298 (retransmission), the
// tail loss probe of 8985, 5961 (blind attacks), 6528 (initial sequence numbers), 7323's window
// scaling. It opens no connections and uses no timestamps, because the accelerator's segments carry
// no options.
//
// The accelerator is the egress sequencer of a connection: data leave by SEGMENT commands, whose
// sequence numbers come back in records; only retransmissions, handshakes and closings are packets
// made here.
//
// Owner: one reactor thread. Nothing is allocated for a packet; connections and their queues are,
// up to the maxima of the configuration. Bytes given to zn_tcp_send() stay the caller's and must
// stay in place until `sent` or `closed` accounts for them.
#ifndef ZN_TCP_H
#define ZN_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "contract/contract.h"

struct zn_tcp;
struct zn_tcp_conn;
struct zn_tuple;

// Payload in order. Accelerated frames: `annotation` tells where they lie, and the bytes are
// unmasked; NULL: the bytes are as the peer sent them.
struct zn_tcp_data {
    uint8_t *bytes; // writable
    size_t len;
    const struct zn_acc_rx_annotation *annotation; // offsets count from `bytes`
    bool held; // the bytes were kept since an earlier packet: good during the call only, else as
               // long as the packet
};

enum { ZN_TCP_PIECES = 7 }; // of a command's body

// What the stack calls while one of the functions below runs. `user` is the configuration's.
struct zn_tcp_sink {
    // A message for the accelerator: 64 bytes, then the body in up to ZN_TCP_PIECES pieces. Good
    // during the call only.
    void (*command)(void *user, const struct zn_acc_command *command, const struct iovec *body,
                    unsigned body_len);

    // A new connection to a port that is listened on.
    void (*accepted)(void *user, struct zn_tcp_conn *conn);

    // Only while the connection is wanted (zn_tcp_want()). False: not taken; the bytes are kept,
    // and the connection is not wanted any more.
    bool (*received)(void *user, struct zn_tcp_conn *conn, const struct zn_tcp_data *data);

    // The peer has acknowledged `len` more bytes of those sent: they may be reused.
    void (*sent)(void *user, struct zn_tcp_conn *conn, size_t len);

    // The accelerator took a ping or probe and then did not answer: `b0` and the payload of the
    // answer.
    void (*unanswered)(void *user, struct zn_tcp_conn *conn, uint8_t b0, const uint8_t *payload,
                       size_t len);

    // The peer sent FIN; sending still works.
    void (*ended)(void *user, struct zn_tcp_conn *conn);

    // The connection broke (-ECONNRESET, -ETIMEDOUT, -EPROTO); the caller releases it.
    void (*broke)(void *user, struct zn_tcp_conn *conn, int err);

    // The last call about a connection that was released: the bytes that it was given are free now,
    // its memory is when zn_tcp_poll() is called next, unless zn_tcp_keep() is called now.
    void (*closed)(void *user, struct zn_tcp_conn *conn);
};

struct zn_tcp_config {
    uint8_t mac[6];
    uint8_t ip4[4];       // all zeros: none
    uint8_t ip6[16];      // all zeros: none
    uint8_t ip6_link[16]; // link-local address, or all zeros
    uint16_t mtu;         // of the link, 576 to 9000
    uint32_t conns_max;   // also the flow ids that are used: 0 to conns_max - 1
    size_t user_size;     // zeroed bytes of the caller's in each connection
    uint32_t half_max;    // handshakes under way that are remembered; above that, SYN cookies
    uint32_t half_per_source_max;
    uint32_t time_wait_max;
    uint32_t window;       // bytes of receive window, up to 1 GiB
    uint32_t hold_blocks;  // blocks of the MTU's size for input that is out of order or not wanted
                           // yet, all connections
    uint32_t keepalive_ms; // 0: none
    uint32_t linger_ms;    // input of a released connection is thrown away for so long, so that the
                           // peer reads what was sent to it; then RST answers it
    uint64_t queue_max;    // bytes of memory for what is queued or unacknowledged (not the caller's
                           // bytes themselves), all connections; 0: no limit
    bool shared; // others answer at our addresses too: ports that were never listened on get no RST
    uint64_t secret[2]; // from the system's random source
    struct zn_tcp_sink sink;
    void *user;
};

// Every packet that is not used is counted by reason.
struct zn_tcp_stats {
    uint64_t packets, segments, bytes_in, bytes_out;
    uint64_t accepted, refused, cookies_sent, cookies_good, half_timed_out;
    uint64_t retransmitted, timeouts, fast_recoveries, probes;
    uint64_t drop_bad, drop_other, drop_not_ours, drop_no_port, drop_half_full, drop_out_of_window,
        drop_hold_full, drop_hold_share, drop_queue_full, drop_conns_full, drop_bad_ack,
        drop_bad_record;
    uint64_t challenges, challenges_withheld, resets_in, resets_out;
    uint64_t queue_bytes; // of memory, see queue_max
    uint32_t conns, halves, time_waits, hold_used;
};

int zn_tcp_create(const struct zn_tcp_config *config,
                  struct zn_tcp **tcp_out); // 0, -EINVAL, -ENOMEM
void zn_tcp_destroy(struct zn_tcp *tcp);    // peers of what is still open get RST; no more events
const struct zn_tcp_stats *zn_tcp_stats(const struct zn_tcp *tcp);

// Accepts connections to `port`; up to 8 ports. 0 or -ENOSPC. `port` 0: stops accepting.
int zn_tcp_listen(struct zn_tcp *tcp, uint16_t port);

// The time, then everything that is due. Returns when it wants to be called again, in ns;
// UINT64_MAX: when something happens.
uint64_t zn_tcp_poll(struct zn_tcp *tcp, uint64_t now_ns);

// One packet with its annotation. The packet is used during the call only.
void zn_tcp_packet(struct zn_tcp *tcp, const struct zn_acc_rx_annotation *annotation,
                   uint8_t *packet, size_t len);

// One record of a report.
void zn_tcp_record(struct zn_tcp *tcp, const struct zn_acc_report_record *record);

// Ends a burst of packets and records: sends what they made possible, acknowledgements included.
void zn_tcp_flush(struct zn_tcp *tcp);

static inline void *zn_tcp_user(struct zn_tcp_conn *conn, size_t user_size)
{
    return (char *)conn - ((user_size + 15) & ~(size_t)15);
}

const struct zn_tuple *zn_tcp_tuple(const struct zn_tcp_conn *conn);
bool zn_tcp_is_v6(const struct zn_tcp_conn *conn);

// Queues bytes to send. 0, or -EPIPE after shutdown, -ENOBUFS: too many pieces wait, here or in all
// (nothing was taken).
int zn_tcp_send(struct zn_tcp_conn *conn, const struct iovec *iov, unsigned iov_len);

// The same bytes to many connections, by one BROADCAST_LIST where the device can; `len` is at most
// the smallest mss for that. The result for conns[i] is as zn_tcp_send()'s in results[i].
void zn_tcp_broadcast(struct zn_tcp *tcp, struct zn_tcp_conn *const *conns, unsigned count,
                      const void *data, size_t len, int *results);

// Payload bytes that are queued or unacknowledged.
size_t zn_tcp_unacked(const struct zn_tcp_conn *conn);

// Stops (false) and restarts (true) `received`. What arrives meanwhile is kept within the window.
void zn_tcp_want(struct zn_tcp_conn *conn, bool wanted);

// From rcv_nxt on the peer's bytes are WebSocket frames and `state` holds there: the accelerator
// treats them. Once with FLOW_ANSWER or FLOW_ENGINE: later calls change nothing.
struct zn_tcp_offload {
    uint8_t flags; // FLOW_*
    uint32_t max_frame;
    uint16_t heartbeat_ms;
    uint16_t replies; // a period
    struct zn_acc_ws_state state;
};
int zn_tcp_offload(struct zn_tcp_conn *conn,
                   const struct zn_tcp_offload *offload); // 0, or -EAGAIN: input is held back

// The accelerator lost its place; the caller knows the parser's state at the next byte that it will
// receive (inside `received`: behind that data). Nothing happens while more waits to be received.
void zn_tcp_resync(struct zn_tcp_conn *conn, const struct zn_acc_ws_state *state);

// What was sent so far ends inside a frame of the caller's (true) or at its end: no NIC-made byte
// goes between.
void zn_tcp_cork(struct zn_tcp_conn *conn, bool inside_frame);

// FIN after what is queued.
void zn_tcp_shutdown(struct zn_tcp_conn *conn);

// In `closed`: the memory stays until zn_tcp_forget(), and then up to the next zn_tcp_poll().
void zn_tcp_keep(struct zn_tcp_conn *conn);
void zn_tcp_forget(struct zn_tcp_conn *conn);

// No more events but `closed`. In order: what is queued still goes out; `reset`: RST, at once.
void zn_tcp_release(struct zn_tcp_conn *conn, bool reset);

#endif
