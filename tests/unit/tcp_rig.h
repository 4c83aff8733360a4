// SPDX-License-Identifier: Apache-2.0
// host/tcp over the accelerator's C model on a clock of the test's: packets go in and come out as
// structs.
#ifndef TCP_RIG_H
#define TCP_RIG_H

#include "soft/soft.h"
#include "tcp/packet.h"
#include "tcp/tcp.h"

enum {
    TCP_RIG_PACKETS = 1024,
    TCP_RIG_RECORDS = 4096,
    TCP_RIG_PORT = 8080,
    TCP_RIG_PEER_PORT = 40000, // of peer 0
    TCP_RIG_MTU = 1500,
};

// A packet that left, parsed, with its bytes.
struct tcp_rig_packet {
    uint64_t at_us;
    struct zn_segment segment;
    uint8_t bytes[TCP_RIG_MTU + 64];
    size_t len;
};

// What the stack told about one connection.
struct tcp_rig_conn {
    struct zn_tcp_conn *conn;
    size_t received; // payload bytes, checked against the pattern
    size_t sent;
    bool accepted, ended, closed;
    int broke;
    unsigned unanswered, number; // the latter is the test's: which peer it is
};

struct tcp_rig {
    struct zn_tcp *tcp;
    struct zn_soft *soft;
    uint64_t now_us;
    bool hold_records; // the device's records wait until tcp_rig_records()
    struct zn_acc_report_record records[TCP_RIG_RECORDS];
    unsigned records_len;
    struct tcp_rig_packet *packets; // ring of those that left and were not taken
    unsigned first, count;
    struct tcp_rig_conn conns[64];
    unsigned conns_len;
    bool check_pattern;
    unsigned bad_bytes;
    uint64_t commands[32]; // by kind
    bool unwanted;         // new connections start unwanted
    // What takes the place of counting and comparing; NULL: nothing. False: not taken.
    bool (*received)(void *user, struct tcp_rig_conn *conn, const struct zn_tcp_data *data);
    void (*unanswered)(void *user, struct tcp_rig_conn *conn, uint8_t b0, const uint8_t *payload,
                       size_t len);
    void *user;
};

void tcp_rig_init(struct tcp_rig *rig, const struct zn_tcp_config *base);
void tcp_rig_deinit(struct tcp_rig *rig);
struct zn_tcp_config tcp_rig_config(void);

// Moves the clock to where the number that the server chooses for peer `n` is `iss`.
void tcp_rig_iss(struct tcp_rig *rig, unsigned n, bool v6, uint32_t iss);

// Moves the clock, a timer at a time.
void tcp_rig_advance(struct tcp_rig *rig, uint64_t to_us);

// A packet from the wire, through the model.
void tcp_rig_inject(struct tcp_rig *rig, const uint8_t *bytes, size_t len);
// `options`: bytes, a multiple of 4, behind those of `out`.
void tcp_rig_segment(struct tcp_rig *rig, const struct zn_segment_out *out, const uint8_t *options,
                     size_t options_len);
void tcp_rig_records(struct tcp_rig *rig);

// The oldest packet that left and was not taken yet; NULL: none.
struct tcp_rig_packet *tcp_rig_take(struct tcp_rig *rig);

// Tuple and link of peer `n`, as the server sees them, and as that peer sends (turned).
void tcp_rig_peer(unsigned n, bool v6, struct zn_tuple *tuple, struct zn_tcp_link *link);
extern const uint8_t tcp_rig_mac[6];

// Byte `i` of either direction's stream.
static inline uint8_t tcp_rig_byte(uint64_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 17);
}
const uint8_t *tcp_rig_stream(void); // 1 MiB of it

#endif
