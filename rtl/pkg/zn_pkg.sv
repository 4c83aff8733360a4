// SPDX-License-Identifier: Apache-2.0
// Types that blocks of the core share. Messages to and from the host are in zn_contract_pkg.
//
// Streams are AXI-Stream: byte i of a beat is tdata[8*i +: 8]; tkeep has its low bits set and is all
// ones but in the last beat. Sideband structs stand with every beat of their packet, unless noted.
`default_nettype none

package zn_pkg;
  import zn_contract_pkg::*;

  // A 4-tuple, bytes as on the wire, first byte in the low bits; IPv4 in the low 32 bits.
  typedef struct packed {
    logic         v6;
    logic [127:0] peer_address;
    logic [127:0] local_address;
    logic [15:0]  peer_port;
    logic [15:0]  local_port;
  } flow_tuple_t;

  // Parser state, as ws_state_t without its padding.
  typedef struct packed {
    logic [3:0]  fill;
    logic [7:0]  b0;
    logic [7:0]  b1;
    logic [31:0] length;
    logic [31:0] key;
  } parser_t;

  // What goes down the receive pipeline: a packet, or a command that has to take effect between packets.
  // A command is one beat with tlast; its tdata means nothing.
  typedef enum logic [2:0] {
    RX_OP_PACKET,
    RX_OP_ADD,
    RX_OP_DELETE,
    RX_OP_RESYNC,
    RX_OP_READ
  } rx_op_t;

  // Known at a packet's first beat. For a command: what it needs.
  typedef struct packed {
    rx_op_t      op;
    flow_tuple_t tuple;           // ADD, DELETE: of the flow
    logic [31:0] seq;             // packet: TCP sequence number; ADD, RESYNC: rcv_nxt
    logic [15:0] payload_offset;  // packet
    logic [15:0] payload_length;  // packet
    logic [31:0] flow;            // command
    logic [31:0] cookie;          // command
    logic [3:0]  flags;           // ADD: FLOW_*
    logic [31:0] max_frame;       // ADD
    parser_t     state;           // ADD, RESYNC
  } rx_meta_t;

  // Known at a packet's last beat: steps 1 to 9 of the contract's list.
  typedef struct packed {
    logic [7:0]  reason;        // REASON_OK or the first of them that failed
    logic        checksum_ok;   // steps 1 to 7 hold
    logic [15:0] packet_length; // bytes of the packet
  } rx_end_t;

  // What the flow table knows, with every beat. For commands: how ADD or DELETE of the table went.
  typedef struct packed {
    logic        hit;        // the tuple is in the table; RESYNC, READ: always 1
    logic [31:0] flow;
    logic [3:0]  flags;      // FLOW_*
    logic [31:0] max_frame;
    logic [7:0]  reason;     // of a command: OK, TABLE_FULL, NO_FLOW
  } rx_lookup_t;

  // A reply that the receive side asks of the transmit side.
  typedef struct packed {
    logic [31:0]   flow;
    logic [31:0]   cookie;   // sequence number of the asking frame's first payload byte
    logic [7:0]    b0;       // first byte of the reply: 0x8a, or 0x81 for `3probe`
    logic [6:0]    length;   // payload bytes, 0 to 125
    logic [1023:0] payload;  // byte 0 in the low bits
  } reply_t;

  // Settings from the registers; they change only between packets' first beats if the host waits for it.
  typedef struct packed {
    logic         receive_on;
    logic         replies_on;
    logic         heartbeats_on;
    logic [3:0]   rate_period;
    logic [31:0]  report_wait;
    logic [47:0]  local_mac;   // byte 0 in the low bits
    logic [7:0]   ttl;
    logic [7:0]   tos;
    logic [319:0] hash_key;    // byte 0 in the low bits
  } settings_t;
endpackage

`default_nettype wire
