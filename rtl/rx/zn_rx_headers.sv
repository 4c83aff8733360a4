// SPDX-License-Identifier: Apache-2.0
// Reads the headers of a packet: what stands with it as meta, and what zn_rx_verdict needs for steps 2 to 9 of the
// contract's list. For a command the meta is the command's own.
//
// meta_o.payload_offset and payload_length are those of the TCP payload when the bytes gathered hold an Ethernet, an IP and a TCP
// header (without options) that steps 2 to 5 let through, and 0 otherwise; search_o says the same. Checksums and the
// packet's length are not known yet: a payload may reach beyond the packet, which its end then says.
//
// Handshake: valid only; never stops.
// Latency: 4 cycles (HeadersLatency). Rate: one packet a cycle.
`default_nettype none

module zn_rx_headers
  import zn_pkg::*;
  import zn_rx_front_pkg::*;
(
    input  wire           clk_i,
    input  wire           rst_i,

    input  wire           valid_i,
    input  wire header_t  header_i,
    input  wire beat_t    beat_i,          // the beat that brought the last of the header
    input  wire rx_meta_t command_meta_i,

    output logic          valid_o,
    output headers_t      headers_o,
    output rx_meta_t      meta_o,
    output logic          search_o
);
  localparam logic [7:0] ProtocolTcp = 8'd6;
  localparam logic [5:0] TcpFlagAck = 6'h10;
  localparam logic [5:0] TcpFlagsJudged = 6'h37;  // URG, ACK, RST, SYN, FIN; not PSH
  localparam int unsigned IpBytes = 60;  // from the IP header on: IPv6 and 20 bytes of TCP

  // Stage 1: the VLAN tag taken out.
  typedef struct packed {
    logic                    command;
    logic                    vlan;
    logic [15:0]             ethertype;
    logic [16:0]             gathered;   // bytes of the packet that are there
    logic [IpBytes-1:0][7:0] ip;
  } untagged_t;

  // Stage 2: IPv4 and IPv6 told apart.
  typedef struct packed {
    logic        command;
    logic        whole;      // 20 bytes after the IP header's 20 or 40 are there
    headers_t    headers;
    flow_tuple_t tuple;
    logic [6:0]  tcp_start;
    logic [15:0] tcp_length;
    logic [31:0] seq;
    logic [3:0]  offset;
    logic [5:0]  flags;
    logic [3:0][17:0] sums;  // parts of the IPv4 header's checksum
  } split_t;

  // Stage 3: lengths compared.
  typedef struct packed {
    logic        command;
    logic        whole;
    headers_t    headers;
    flow_tuple_t tuple;
    logic [31:0] seq;
    logic [15:0] payload_offset;
    logic [15:0] payload_length;
    logic [19:0] sum;
  } measured_t;

  untagged_t untagged_d, untagged_q;
  split_t split_d, split_q;
  measured_t measured_d, measured_q;
  headers_t headers_d;
  rx_meta_t meta_d, command_meta;
  logic search_d;
  logic measured_valid;

  always_comb begin : untag
    untagged_d.command = beat_i.command;
    untagged_d.vlan = network16(header_i[13:12]) == 16'h8100;
    untagged_d.ethertype = untagged_d.vlan ? network16(header_i[17:16]) : network16(header_i[13:12]);
    untagged_d.gathered = beat_i.base + 17'(beat_i.count);
    untagged_d.ip = untagged_d.vlan ? header_i[18+:IpBytes] : header_i[14+:IpBytes];
  end

  // IPv6 next headers that stand for an extension header.
  function automatic logic is_extension(input logic [7:0] next_header);
    return next_header inside {8'd0, 8'd43, 8'd44, 8'd50, 8'd51, 8'd60, 8'd135, 8'd139, 8'd140};
  endfunction

  logic [19:0][7:0] tcp;
  logic [9:0][17:0] word;
  logic [3:0] version, ihl;
  logic [15:0] total;

  always_comb begin : split
    for (int unsigned i = 0; i < 10; i++) word[i] = 18'(network16(untagged_q.ip[2*i+:2]));
    version = untagged_q.ip[0][7:4];
    ihl = untagged_q.ip[0][3:0];
    total = network16(untagged_q.ip[3:2]);

    split_d = '0;
    split_d.command = untagged_q.command;
    split_d.headers.vlan = untagged_q.vlan;
    split_d.headers.v4 = untagged_q.ethertype == 16'h0800;
    split_d.headers.v6 = untagged_q.ethertype == 16'h86dd;
    split_d.sums[0] = word[0] + word[1] + word[2];
    split_d.sums[1] = word[3] + word[4] + word[5];
    split_d.sums[2] = word[6] + word[7];
    split_d.sums[3] = word[8] + word[9];

    split_d.tuple.v6 = split_d.headers.v6;
    if (split_d.headers.v6) begin
      tcp = untagged_q.ip[59:40];
      split_d.headers.options = is_extension(untagged_q.ip[6]);
      split_d.headers.not_tcp = version != 4'd6 || !(untagged_q.ip[6] == ProtocolTcp || split_d.headers.options);
      split_d.tuple.peer_address = untagged_q.ip[23:8];
      split_d.tuple.local_address = untagged_q.ip[39:24];
      split_d.tcp_start = untagged_q.vlan ? 7'd58 : 7'd54;
      split_d.tcp_length = network16(untagged_q.ip[5:4]);
    end else begin
      tcp = untagged_q.ip[39:20];
      split_d.headers.lengths_bad = ihl < 4'd5 || total < {10'd0, ihl, 2'd0};
      split_d.headers.options = ihl > 4'd5;
      split_d.headers.not_tcp = version != 4'd4 || untagged_q.ip[9] != ProtocolTcp;
      split_d.headers.fragment = {untagged_q.ip[6][5:0], untagged_q.ip[7]} != '0;
      split_d.tuple.peer_address = 128'(untagged_q.ip[15:12]);
      split_d.tuple.local_address = 128'(untagged_q.ip[19:16]);
      split_d.tcp_start = untagged_q.vlan ? 7'd38 : 7'd34;
      split_d.tcp_length = total - 16'd20;
    end
    split_d.whole = untagged_q.gathered >= 17'(split_d.tcp_start) + 17'd20;
    split_d.tuple.peer_port = tcp[1:0];
    split_d.tuple.local_port = tcp[3:2];
    split_d.seq = network32(tcp[7:4]);
    split_d.offset = tcp[12][7:4];
    split_d.flags = tcp[13][5:0];
  end

  logic [5:0] tcp_header;

  always_comb begin : measure
    tcp_header = {split_q.offset, 2'd0};

    measured_d.command = split_q.command;
    measured_d.whole = split_q.whole;
    measured_d.tuple = split_q.tuple;
    measured_d.seq = split_q.seq;
    measured_d.payload_offset = 16'(split_q.tcp_start) + 16'(tcp_header);
    measured_d.payload_length = split_q.tcp_length - 16'(tcp_header);
    measured_d.sum = 20'(split_q.sums[0]) + 20'(split_q.sums[1]) + 20'(split_q.sums[2]) + 20'(split_q.sums[3]);
    measured_d.headers = split_q.headers;
    measured_d.headers.tcp_cut = split_q.tcp_length < 16'd20;
    measured_d.headers.offset_bad = split_q.offset < 4'd5 || split_q.tcp_length < 16'(tcp_header);
    measured_d.headers.flags_bad = (split_q.flags & TcpFlagsJudged) != TcpFlagAck;
    measured_d.headers.ip_end = 17'(split_q.tcp_start) + 17'(split_q.tcp_length);
  end

  logic [16:0] folded;

  always_comb begin : finish
    folded = 17'(measured_q.sum[15:0]) + 17'(measured_q.sum[19:16]);
    headers_d = measured_q.headers;
    headers_d.ip_sum_bad = measured_q.headers.v4 && folded != 17'h0ffff;
    headers_d.no_payload = measured_q.payload_length == '0;

    search_d = !measured_q.command && measured_q.whole && (headers_d.v4 || headers_d.v6) &&
        !(headers_d.lengths_bad || headers_d.not_tcp || headers_d.options || headers_d.fragment || headers_d.tcp_cut ||
          headers_d.offset_bad);

    meta_d = command_meta;
    if (!measured_q.command) begin
      meta_d = '0;
      meta_d.op = RX_OP_PACKET;
      meta_d.tuple = measured_q.tuple;
      meta_d.seq = measured_q.seq;
      meta_d.payload_offset = search_d ? measured_q.payload_offset : '0;
      meta_d.payload_length = search_d ? measured_q.payload_length : '0;
    end
  end

  always_ff @(posedge clk_i) begin
    valid_o <= measured_valid && !rst_i;
    untagged_q <= untagged_d;
    split_q <= split_d;
    measured_q <= measured_d;
    headers_o <= headers_d;
    meta_o <= meta_d;
    search_o <= search_d;
  end

  zn_rx_delay #(
      .Width ($bits(rx_meta_t)),
      .Cycles(HeadersLatency - 1)
  ) u_command_meta (
      .clk_i,
      .rst_i,
      .valid_i,
      .data_i (command_meta_i),
      .valid_o(measured_valid),
      .data_o (command_meta)
  );
endmodule

`default_nettype wire
