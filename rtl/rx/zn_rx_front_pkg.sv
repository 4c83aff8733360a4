// SPDX-License-Identifier: Apache-2.0
// Types of the receive front: what its parts say to each other.
`default_nettype none

package zn_rx_front_pkg;
  import zn_pkg::*;

  // The bytes that are looked at before a packet's payload: Ethernet with one VLAN tag, IPv6, and TCP without its options.
  localparam int unsigned HeaderBytes = 14 + 4 + 40 + 20;

  // Latency of zn_rx_headers.
  localparam int unsigned HeadersLatency = 4;

  typedef logic [HeaderBytes-1:0][7:0] header_t;  // byte 0 is the packet's first

  // One beat without its data. `base` and `count` are held at 65536 and above: longer packets are BAD_LENGTH anyway.
  typedef struct packed {
    logic        command;  // a command's beat, no packet
    logic        first;
    logic        last;
    logic        bad;      // with last: the MAC's mark
    logic [16:0] base;     // offset of the beat's first byte
    logic [7:0]  count;    // bytes in the beat
  } beat_t;

  // What the headers say, judged as if they were whole; zn_rx_verdict knows what is there.
  typedef struct packed {
    logic        vlan;
    logic        v4;
    logic        v6;
    logic        lengths_bad;    // an IPv4 header of less than 20 bytes, or a packet shorter than its header
    logic        not_tcp;        // version, protocol, next header
    logic        options;        // IPv4 options, IPv6 extension headers
    logic        fragment;
    logic        ip_sum_bad;
    logic        tcp_cut;        // fewer than 20 bytes after the IP header
    logic        offset_bad;     // data offset below 20 or beyond the IP packet
    logic        flags_bad;
    logic        no_payload;
    logic [16:0] ip_end;         // offset of the first byte after the IP packet
  } headers_t;

  // What the flow table is asked.
  typedef struct packed {
    rx_op_t      op;
    logic        search;     // a packet whose headers can be trusted as far as the tuple
    flow_tuple_t tuple;
    logic [31:0] flow;       // commands
    logic [3:0]  flags;      // ADD
    logic [31:0] max_frame;  // ADD
  } lookup_request_t;

  // A number as it stands on the wire: its first byte is the lower one.
  function automatic logic [15:0] network16(input logic [15:0] bytes);
    return {bytes[7:0], bytes[15:8]};
  endfunction

  function automatic logic [31:0] network32(input logic [31:0] bytes);
    return {bytes[7:0], bytes[15:8], bytes[23:16], bytes[31:24]};
  endfunction
endpackage

`default_nettype wire
