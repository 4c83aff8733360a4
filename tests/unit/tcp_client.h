// SPDX-License-Identifier: Apache-2.0
// A client's TCP, plain on purpose: go-back-N with a fixed window, fast retransmission at three
// duplicates, reassembly in one buffer of the whole stream. It checks that the server keeps to the
// windows that it announced.
#ifndef TCP_CLIENT_H
#define TCP_CLIENT_H

#include "tcp_rig.h"

struct tcp_client_options {
    bool v6, sack, scale, delayed_ack;
    bool shrinks;    // its window, below what it announced before
    uint32_t window; // bytes
    uint16_t mss;
    uint32_t isn;
};

// A segment of the client's leaves.
typedef void (*tcp_client_emit_fn)(void *user, const struct zn_segment_out *out);

struct tcp_client {
    struct tcp_client_options options;
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    uint64_t now_us;
    uint32_t seed;
    bool open;         // the handshake is done
    bool reset;        // by the server
    const char *wrong; // what the server did against the rules; NULL: nothing

    const uint8_t *out; // the caller's
    size_t out_len;
    bool fin;           // follows the last byte
    size_t acked, next; // stream offsets; FIN has one
    size_t furthest;    // that `next` has been
    size_t peer_edge;   // end of the server's window
    uint8_t peer_scale;
    unsigned dup_acks, backoff;
    uint64_t resend_at_us; // 0: nothing is in flight

    uint32_t peer_isn;
    uint8_t *in;   // the caller's, in_room bytes
    uint8_t *have; // one for each of them
    size_t in_room, in_len;
    size_t fin_at;      // SIZE_MAX: not known yet
    size_t read;        // by the application
    size_t edge;        // furthest end of a window that was announced
    size_t newest;      // place that changed last
    uint64_t ack_at_us; // delayed acknowledgement; 0: none
    unsigned unacked;   // segments

    tcp_client_emit_fn emit;
    void *user;
};

// `n` and the options say who it is; `in` and `have` have room for all that the server sends.
void tcp_client_init(struct tcp_client *client, unsigned n,
                     const struct tcp_client_options *options, tcp_client_emit_fn emit, void *user);

// Time passes: sends what is due and what the window allows.
void tcp_client_tick(struct tcp_client *client, uint64_t now_us);

// A segment of the server's, as the server's packet says it.
void tcp_client_input(struct tcp_client *client, const struct zn_segment *segment);

// RST, at once; the client is gone.
void tcp_client_abort(struct tcp_client *client);

// The server's stream has ended, and ours is acknowledged.
bool tcp_client_done(const struct tcp_client *client);

#endif
