// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share. tcp.h is what others see.
#ifndef ZN_TCP_STACK_H
#define ZN_TCP_STACK_H

#include "core/wheel.h"
#include "tcp/packet.h"
#include "tcp/tcp.h"

enum {
    ZN_TCP_PORTS = 8,
    ZN_CONNS_A_BLOCK = 256,
    ZN_REPLY_MAX = 127,     // bytes of a reply frame
    ZN_COOKIE_MS = 2 << 16, // that a SYN cookie is good, at the most
    ZN_ORPHAN_MS = 60000,   // a released connection lasts so long without progress
    ZN_QUEUE_MAX = 1 << 16, // entries
    ZN_FLIGHT_MAX =
        ZN_QUEUE_MAX / 2, // pieces of the caller's in flight; the accelerator's come on top
};

// --- Sending

enum zn_sent_kind {
    ZN_SENT_HOST,      // the caller's bytes
    ZN_SENT_REPLY,     // made by the accelerator; `data` is ours and freed with the entry
    ZN_SENT_HEARTBEAT, // the same, of constant bytes
    ZN_SENT_FIN,
};

// A stretch of sequence space that was sent once and may have to be sent again.
struct zn_sent {
    const uint8_t *data;
    uint64_t at_us; // when it was sent last
    uint32_t seq;
    uint16_t len; // of sequence space
    uint8_t kind;
    bool last : 1; // ends a segment; others share theirs with the next one
    bool sacked : 1;
    bool lost : 1;
    bool resent : 1; // since it was lost
    bool again : 1;  // ever
};

// Bytes that wait to be sent, or that the accelerator has not reported yet.
struct zn_span {
    const uint8_t *data;
    uint64_t at_us; // when it was submitted
    uint32_t len;
    bool last; // submitted: ends its segment
};

// A queue of equal entries in a power-of-two ring. An unused one holds no memory, an empty one that
// of a few entries. All memory is counted.
struct zn_tcp_queue {
    void *entries;
    uint32_t head;
    uint32_t count;
    uint32_t room;
    uint32_t entry_size;
};

// --- Receiving

struct zn_hold {
    struct zn_hold *next;
    uint32_t seq;
    uint16_t len;
    bool treated;
    struct zn_acc_rx_annotation annotation; // when treated
    uint8_t bytes[];                        // hold_size of the stack
};

// --- Congestion, RFC 9438 unless said otherwise. Windows are in bytes.

struct zn_cubic {
    uint32_t cwnd;
    uint32_t ssthresh;
    uint32_t w_max;
    uint32_t w_est;
    uint64_t epoch_us; // 0: none
    uint32_t k_ms;
};

enum zn_tcp_state {
    ZN_TCP_ESTABLISHED,
    ZN_TCP_FIN_WAIT_1,
    ZN_TCP_FIN_WAIT_2,
    ZN_TCP_CLOSE_WAIT,
    ZN_TCP_CLOSING,
    ZN_TCP_LAST_ACK,
    ZN_TCP_TIME_WAIT,
    ZN_TCP_CLOSED, // waits for the accelerator to forget the flow
};

// What ZN_DUE_RETRANSMIT stands for.
enum zn_tcp_armed { ZN_ARMED_RTO, ZN_ARMED_TAIL_PROBE, ZN_ARMED_PERSIST };

enum zn_tcp_due {
    ZN_DUE_RETRANSMIT,
    ZN_DUE_ACK,  // delayed acknowledgement
    ZN_DUE_IDLE, // keepalive; FIN_WAIT_2 and TIME_WAIT
    ZN_DUES,
};

struct zn_tcp_conn {
    struct zn_tcp *tcp;
    struct zn_timer timer; // the earliest of `due`
    uint64_t due[ZN_DUES]; // ms; 0: none
    struct zn_tcp_conn *dirty_next;

    uint32_t flow;      // its index, and the accelerator's flow id
    uint8_t state;      // enum zn_tcp_state
    uint8_t deleting;   // DONE and RX_DONE of DELETE that have not come
    uint16_t taken;     // pings whose REPLY record has not come
    bool dirty : 1;     // on the stack's list: zn_tcp_flush() looks at it
    bool offloaded : 1; // the accelerator knows the flow
    bool treated : 1;   // and treats its frames
    bool wanted : 1;
    bool released : 1; // by the caller
    bool shut : 1;     // FIN is to follow what is queued
    bool fin_sent : 1;
    bool fin_received : 1;
    bool fin_told : 1;
    bool fin_done : 1; // LAST_ACK: ours is acknowledged
    bool ack_now : 1;
    bool sack : 1;       // agreed
    bool recovering : 1; // until recover_seq is acknowledged
    bool rto_recovering : 1;
    bool probe_out : 1; // of the tail: whether it repaired a loss is open
    bool probed : 1;    // one tail loss probe a flight
    bool blocked : 1;   // the accelerator refused a segment
    bool makes : 1;     // the accelerator may send bytes of its own on this flow
    bool corked : 1;
    bool in_use : 1;
    bool kept : 1; // closed, and the caller still needs its memory

    // Receive (RFC 9293 section 3.3.1).
    uint32_t rcv_nxt;
    uint32_t rcv_edge;  // right edge of the window that was announced
    uint32_t rcv_acked; // the last acknowledgement that was sent
    uint32_t held_bytes;
    uint32_t hold_blocks;        // that hold them
    uint32_t unread_bytes;       // of those, in order: they wait for zn_tcp_want()
    struct zn_hold *hold;        // by sequence number
    struct zn_sack_block newest; // out-of-order block that changed last (RFC 2018 section 4)
    uint8_t rcv_scale;
    uint8_t snd_scale;

    // Send.
    uint16_t mss;
    uint32_t snd_una;
    uint32_t snd_nxt; // as far as records tell
    uint32_t snd_wnd; // bytes
    uint32_t snd_wnd_max;
    uint32_t snd_wl1;
    uint32_t snd_wl2;
    uint32_t ack_ahead; // acknowledged beyond snd_nxt: its records are on their way
    uint32_t limit;     // granted
    uint32_t submitted_bytes;
    uint32_t pending_bytes;
    struct zn_tcp_queue pending;   // struct zn_span
    struct zn_tcp_queue submitted; // struct zn_span
    struct zn_tcp_queue refused;   // struct zn_span
    struct zn_tcp_queue sent;      // struct zn_sent
    struct zn_tcp_queue pings;     // struct zn_ping

    // Recovery (RFC 6675), retransmission time (RFC 6298).
    uint32_t sacked_bytes;
    uint32_t lost_bytes;
    uint32_t resent_bytes; // of those lost
    uint32_t recover_seq;
    uint32_t probe_end; // snd_nxt when the tail was probed
    uint32_t dup_acks;
    uint32_t srtt_us; // 0: no sample yet
    uint32_t rttvar_us;
    uint32_t rto_ms;
    uint8_t backoff;
    uint8_t timeouts; // since the last progress
    uint8_t probes;
    uint8_t armed;      // enum zn_tcp_armed
    uint8_t challenges; // since challenge_ms
    uint64_t challenge_ms;
    uint64_t heard_ms; // last segment of the peer's
    uint64_t released_ms;
    uint64_t sent_ms; // last new data
    struct zn_cubic cubic;

    struct zn_tcp_link link;
    struct zn_tuple tuple;
};

// A ping or probe that the accelerator took: kept until its record tells where the answer went.
struct zn_ping {
    uint32_t cookie; // sequence number of its first payload byte
    uint8_t b0;      // of the answer
    uint8_t len;
    uint8_t payload[ZN_REPLY_MAX - 2];
};

// --- The stack

enum zn_entry_kind { ZN_ENTRY_NONE, ZN_ENTRY_CONN, ZN_ENTRY_HALF, ZN_ENTRY_TIME_WAIT };

// A handshake under way: SYN came, SYN-ACK went out.
struct zn_half {
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    struct zn_timer timer;
    uint64_t at_us; // when the SYN-ACK left; UINT64_MAX: more than once
    uint32_t irs;
    uint32_t iss;
    uint16_t mss;
    uint8_t scale; // 255: none
    bool sack;
    uint8_t tries;
    uint32_t next_free;
};

struct zn_time_wait {
    struct zn_tuple tuple;
    struct zn_tcp_link link;
    struct zn_timer timer;
    uint32_t snd_nxt;
    uint32_t rcv_nxt;
    uint32_t next_free;
};

// Cookies of commands: what a record answers.
enum zn_tcp_cookie {
    ZN_COOKIE_DATA,
    ZN_COOKIE_ACK,
    ZN_COOKIE_ADD,
    ZN_COOKIE_DELETE,
    ZN_COOKIE_REPLACE, // DELETE that an ADD of the same flow follows
    ZN_COOKIE_RESYNC,
};

// Timers say in `kind` what they are embedded in.
enum zn_tcp_timer { ZN_TIMER_CONN, ZN_TIMER_HALF, ZN_TIMER_TIME_WAIT };

struct zn_tcp {
    struct zn_tcp_config config;
    struct zn_tcp_stats stats;
    struct zn_wheel wheel;
    uint64_t now_us;
    uint64_t now_ms;
    uint16_t ports[ZN_TCP_PORTS];
    bool stopped; // accepts nothing on them any more
    uint16_t ip_id;
    uint8_t scale; // of the receive window

    struct zn_tcp_conn *dirty;
    struct zn_tcp_conn *limbo; // closed since the last poll, by dirty_next

    char **conn_blocks; // ZN_CONNS_A_BLOCK connections each, made when needed
    size_t conn_stride;
    uint32_t *free_conns; // stack of indices
    uint32_t free_conns_len;
    uint32_t conns_made; // indices below this have been used

    struct zn_half *halves;
    uint32_t free_half; // UINT32_MAX: none
    uint32_t halves_used_up_to;
    uint64_t cookies_until_ms; // cookies that were sent are good; 0: none was
    uint16_t *source_counts;   // half-open handshakes by hashed source
    struct zn_time_wait *time_waits;
    uint32_t free_time_wait;
    uint32_t time_waits_used_up_to;

    uint32_t *table; // tuple -> kind and index; open addressing
    uint32_t table_mask;

    struct zn_hold *free_hold;
    uint32_t hold_per_conn; // blocks
    char *hold_memory;
    size_t hold_size; // payload bytes of a block: the MTU
};

// table.c
uint32_t zn__tcp_find(struct zn_tcp *tcp, const struct zn_tuple *tuple); // entry, 0: none
void zn__tcp_enter(struct zn_tcp *tcp, const struct zn_tuple *tuple, enum zn_entry_kind kind,
                   uint32_t index);
void zn__tcp_leave(struct zn_tcp *tcp, const struct zn_tuple *tuple);
static inline enum zn_entry_kind zn__entry_kind(uint32_t entry)
{
    return (enum zn_entry_kind)(entry >> 30);
}
static inline uint32_t zn__entry_index(uint32_t entry)
{
    return entry & 0x3fffffff;
}

// queue.c
// NULL: no memory, or the queue is as long as it may be.
void *zn__tcp_queue_push(struct zn_tcp *tcp, struct zn_tcp_queue *queue, size_t entry_size);
void zn__tcp_queue_pop(struct zn_tcp *tcp, struct zn_tcp_queue *queue);
void zn__tcp_queue_free(struct zn_tcp *tcp, struct zn_tcp_queue *queue);
static inline bool zn__tcp_queues_full(const struct zn_tcp *tcp)
{
    return tcp->config.queue_max != 0 && tcp->stats.queue_bytes >= tcp->config.queue_max;
}
static inline void *zn__tcp_queue_at(const struct zn_tcp_queue *queue, uint32_t i,
                                     size_t entry_size)
{
    return (char *)queue->entries + ((queue->head + i) & (queue->room - 1)) * entry_size;
}

// conn.c
struct zn_tcp_conn *zn__tcp_conn(struct zn_tcp *tcp, uint32_t index); // NULL: not in use
struct zn_tcp_conn *zn__tcp_conn_open(struct zn_tcp *tcp, const struct zn_half *half,
                                      const struct zn_segment *segment);
void zn__tcp_conn_break(struct zn_tcp_conn *conn, int err);
void zn__tcp_conn_end(struct zn_tcp_conn *conn);
void zn__tcp_conn_end_if_over(struct zn_tcp_conn *conn);
void zn__tcp_conn_drop_queues(struct zn_tcp_conn *conn);
void zn__tcp_reap(struct zn_tcp *tcp); // the memory of connections that closed may be used again
void zn__tcp_mark(struct zn_tcp_conn *conn); // zn_tcp_flush() looks at it

// handshake.c, cookie.c
void zn__tcp_syn(struct zn_tcp *tcp, const struct zn_segment *segment, const uint32_t *least_iss);
void zn__tcp_half_input(struct zn_tcp *tcp, uint32_t index, const struct zn_segment *segment);
void zn__tcp_half_due(struct zn_tcp *tcp, struct zn_half *half);
void zn__tcp_cookie_ack(struct zn_tcp *tcp, const struct zn_segment *segment);
uint32_t zn__tcp_isn(const struct zn_tcp *tcp, const struct zn_tuple *tuple);
uint32_t zn__tcp_cookie_make(const struct zn_tcp *tcp, const struct zn_segment *segment);
bool zn__tcp_cookie_check(const struct zn_tcp *tcp, const struct zn_segment *segment,
                          uint16_t *mss_out);
uint32_t zn__tcp_first_window(const struct zn_tcp *tcp);
uint16_t zn__tcp_mss(const struct zn_tcp *tcp, const struct zn_segment *segment);

// input.c
void zn__tcp_conn_input(struct zn_tcp_conn *conn, struct zn_segment *segment,
                        const struct zn_acc_rx_annotation *annotation);

// hold.c
void zn__tcp_text(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                  const struct zn_acc_rx_annotation *annotation);
void zn__tcp_hold_deliver(struct zn_tcp_conn *conn);
void zn__tcp_hold_free(struct zn_tcp_conn *conn);
unsigned zn__tcp_sack_blocks(const struct zn_tcp_conn *conn, struct zn_sack_block *blocks);

// ack.c, recovery.c
bool zn__tcp_ack(struct zn_tcp_conn *conn, const struct zn_segment *segment); // false: drop it
void zn__tcp_ack_catch_up(struct zn_tcp_conn *conn);
void zn__tcp_sack_input(struct zn_tcp_conn *conn, const struct zn_segment *segment);
void zn__tcp_detect_loss(struct zn_tcp_conn *conn);
void zn__tcp_partial_ack(struct zn_tcp_conn *conn);
void zn__tcp_mark_all_lost(struct zn_tcp_conn *conn);
void zn__tcp_mark_long_lost(struct zn_tcp_conn *conn);
void zn__tcp_retransmit_lost(struct zn_tcp_conn *conn);
uint32_t zn__tcp_pipe(const struct zn_tcp_conn *conn);

// output.c
uint32_t zn__tcp_usable(const struct zn_tcp_conn *conn);
void zn__tcp_output(struct zn_tcp_conn *conn);
void zn__tcp_ack_send(struct zn_tcp_conn *conn);
void zn__tcp_resend(struct zn_tcp_conn *conn, struct zn_sent *sent);
void zn__tcp_probe(struct zn_tcp_conn *conn);
void zn__tcp_raw(struct zn_tcp *tcp, const struct zn_segment_out *out);
void zn__tcp_reset_for(struct zn_tcp *tcp, const struct zn_segment *segment);
void zn__tcp_reset_conn(struct zn_tcp_conn *conn);
void zn__tcp_challenge(struct zn_tcp_conn *conn);
uint16_t zn__tcp_window_field(struct zn_tcp_conn *conn);
struct zn_sent *zn__tcp_sent_push(struct zn_tcp_conn *conn, enum zn_sent_kind kind,
                                  const uint8_t *data, uint16_t len);

// flow.c
void zn__tcp_flow_add(struct zn_tcp_conn *conn, const struct zn_tcp_offload *offload);
void zn__tcp_flow_delete(struct zn_tcp_conn *conn);
void zn__tcp_flow_grant_ahead(struct zn_tcp_conn *conn);
void zn__tcp_flow_grant(struct zn_tcp_conn *conn, uint32_t limit, bool unblock);

// record.c
void zn__tcp_reply_free(struct zn_tcp_conn *conn, const struct zn_sent *sent);
void zn__tcp_taken(struct zn_tcp_conn *conn, const struct zn_segment *segment,
                   const struct zn_acc_rx_annotation *annotation);

// timer.c
void zn__tcp_due_set(struct zn_tcp_conn *conn, enum zn_tcp_due due, uint64_t at_ms);
void zn__tcp_rtt_sample(struct zn_tcp_conn *conn, uint64_t rtt_us);
void zn__tcp_retransmit_arm(struct zn_tcp_conn *conn);
void zn__tcp_conn_due(struct zn_tcp_conn *conn);

// time_wait.c
void zn__tcp_time_wait_enter(struct zn_tcp_conn *conn);
bool zn__tcp_time_wait_input(struct zn_tcp *tcp, uint32_t index, const struct zn_segment *segment,
                             uint32_t *least_iss_out);
void zn__tcp_time_wait_free(struct zn_tcp *tcp, struct zn_time_wait *wait);

// cubic.c
void zn__cubic_init(struct zn_cubic *cubic, uint16_t mss);
void zn__cubic_ack(struct zn_cubic *cubic, uint16_t mss, uint32_t acked, uint32_t srtt_us,
                   uint64_t now_us);
void zn__cubic_loss(struct zn_cubic *cubic, uint16_t mss);
void zn__cubic_timeout(struct zn_cubic *cubic, uint16_t mss, uint32_t in_flight, bool first);
void zn__cubic_idle(struct zn_cubic *cubic, uint16_t mss);

// neighbour.c
void zn__tcp_arp(struct zn_tcp *tcp, const struct zn_packet *packet);
void zn__tcp_icmp(struct zn_tcp *tcp, const struct zn_packet *packet);
void zn__tcp_icmp6(struct zn_tcp *tcp, const struct zn_packet *packet);
bool zn__tcp_is_ours(const struct zn_tcp *tcp, const uint8_t *address, bool v6);
bool zn__tcp_is_peer(const struct zn_tcp *tcp, const uint8_t *address, bool v6);

#endif
