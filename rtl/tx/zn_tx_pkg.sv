// SPDX-License-Identifier: Apache-2.0
// Types that the modules of the transmit side share. See zn_tx for how they are put together.
//
// Ones'-complement sums (RFC 1071) are kept in the byte order of the stream: the word at byte i is
// {byte[i+1], byte[i]}. The checksum field is then written in stream order, too.
`default_nettype none

package zn_tx_pkg;
  import zn_contract_pkg::*;
  import zn_pkg::*;

  // Ethernet 14, VLAN 4, IPv6 40, TCP 20.
  localparam int unsigned TX_HEADER_MAX = 78;

  // Records of a full report packet.
  localparam int unsigned TX_REPORT_BATCH = 64;

  typedef enum logic [3:0] {
    TX_OP_BAD,
    TX_OP_RAW,
    TX_OP_SEGMENT,
    TX_OP_COPY,       // one receiver of a broadcast
    TX_OP_END,        // all receivers of a broadcast were looked at
    TX_OP_ADD,
    TX_OP_DELETE,
    TX_OP_GRANT,
    TX_OP_RESYNC,
    TX_OP_READ,
    TX_OP_MEMBERS,
    TX_OP_REPLY,
    TX_OP_HEARTBEAT   // look whether one is due
  } tx_op_kind_t;

  // Where the payload of a packet lies.
  typedef enum logic [1:0] {
    TX_SOURCE_PAYLOAD,    // the payload buffer
    TX_SOURCE_REPLY,      // the buffer of replies
    TX_SOURCE_HEARTBEAT   // a constant
  } tx_source_t;

  // What only ADD and the commands of the receive side bring with them.
  typedef struct packed {
    logic [31:0]  snd_nxt;
    logic [31:0]  limit;
    logic [31:0]  rcv_nxt;
    logic [31:0]  max_frame;
    parser_t      state;
    logic [3:0]   flags;
    logic [15:0]  mss;
    logic [15:0]  heartbeat_ms;
    logic [7:0]   replies;
    logic [47:0]  peer_mac;
    logic [15:0]  vlan;
    logic         has_vlan;
    logic [15:0]  ip_id;
    flow_tuple_t  tuple;
  } tx_setup_t;

  // A command whose body arrived whole, or one that was refused (TX_OP_BAD). Payload addresses and beats count
  // beats of the payload buffer.
  typedef struct packed {
    tx_op_kind_t kind;            // TX_OP_COPY: a broadcast
    logic        group;           // a broadcast: receivers come from the member table
    logic        quiet;
    logic        open;
    logic        push;
    logic        unblock;
    logic [31:0] flow;
    logic [31:0] cookie;
    logic [15:0] length;
    logic [15:0] window;
    logic [31:0] ack;
    logic [31:0] count;
    logic [15:0] ids;
    logic [15:0] payload_addr;
    logic [15:0] payload_beats;
    tx_setup_t   setup;
  } tx_command_t;

  // What stands in a beat of flow ids.
  typedef struct packed {
    logic [4:0] count;  // ids that are whole, in the low words
    logic       ends;   // the command's last beat of ids
    logic       early;  // with `ends`: some were missing
  } tx_list_t;

  // One access to a flow, or what has to take its place in the order of them.
  typedef struct packed {
    tx_op_kind_t kind;
    logic        known;           // `flow` is below Flows
    logic        left_out;        // TX_OP_COPY
    logic        early;           // TX_OP_MEMBERS, TX_OP_END: the list ended early
    logic        quiet;
    logic        open;
    logic        push;
    logic        unblock;
    logic [31:0] flow;
    logic [31:0] cookie;
    logic [15:0] length;          // bytes of TCP payload; TX_OP_RAW: of the packet
    logic [15:0] window;
    logic [31:0] ack;
    logic [15:0] payload_sum;
    logic [15:0] payload_addr;
    logic [15:0] release_beats;   // of the payload buffer, free once this operation's packet has left
  } tx_op_t;

  // The part of tx_context_t that operations change.
  typedef struct packed {
    logic        valid;
    logic        open;
    logic        blocked;
    logic        engine;
    logic [15:0] ip_id;
    logic [31:0] snd_nxt;
    logic [31:0] limit;
    logic [31:0] ack;
    logic [15:0] window;
    logic [15:0] mss;
    logic [15:0] heartbeat_ms;
    logic [15:0] due_ms;
    logic [7:0]  replies;
    logic [7:0]  replied;
    logic [7:0]  period;
  } tx_state_t;

  // The part that only ADD writes.
  typedef struct packed {
    logic [47:0] peer_mac;
    logic [15:0] vlan;
    logic        has_vlan;
    flow_tuple_t tuple;
  } tx_peer_t;

  // A packet whose headers are to be composed; without `send` it only releases buffers in its turn.
  typedef struct packed {
    logic        send;
    logic        raw;             // no headers
    logic        push;
    tx_source_t  source;
    logic [15:0] length;
    logic [15:0] payload_sum;
    logic [15:0] payload_addr;
    logic [15:0] release_beats;
    logic        release_reply;
    logic [31:0] seq;
    logic [31:0] ack;
    logic [15:0] window;
    logic [15:0] ip_id;
    tx_peer_t    peer;
  } tx_segment_t;

  // Which headers a packet has: they select its alignment.
  typedef struct packed {
    logic raw;
    logic v6;
    logic has_vlan;
  } tx_shape_t;

  // A packet with its headers; beats and bytes are of the stream to the wire.
  typedef struct packed {
    logic                       send;
    tx_shape_t                  shape;
    tx_source_t                 source;
    logic [15:0]                last_beat;      // number of the packet's last beat, from 0
    logic [5:0]                 last_byte;      // number of the last byte in it, from 0
    logic [15:0]                payload_beats;
    logic [15:0]                payload_addr;
    logic [15:0]                release_beats;
    logic                       release_reply;
    logic [8*TX_HEADER_MAX-1:0] header;         // byte 0 in the low bits
  } tx_packet_t;

  // Events to count, one cycle each.
  typedef struct packed {
    logic raw;
    logic segment;
    logic skipped;
    logic reply;
    logic reply_refused;
    logic heartbeat;
    logic command;
    logic bad;
  } tx_counts_t;

  function automatic logic [15:0] swap16(input logic [15:0] word);
    return {word[7:0], word[15:8]};
  endfunction

  function automatic logic [31:0] swap32(input logic [31:0] word);
    return {word[7:0], word[15:8], word[23:16], word[31:24]};
  endfunction

  // One step of the end-around carry; a second one leaves 16 bits.
  function automatic logic [16:0] fold(input logic [31:0] sum);
    return {1'b0, sum[15:0]} + {1'b0, sum[31:16]};
  endfunction

  function automatic logic [15:0] fold_last(input logic [16:0] sum);
    return sum[15:0] + {15'd0, sum[16]};
  endfunction

  // Bytes of headers.
  function automatic int unsigned header_bytes(input int unsigned shape);
    if (shape >= 4) return 0;
    return 54 + ((shape & 1) != 0 ? 4 : 0) + ((shape & 2) != 0 ? 20 : 0);
  endfunction
endpackage

`default_nettype wire
