// SPDX-License-Identifier: Apache-2.0
// Composes Ethernet, IPv4 or IPv6, and TCP headers with their checksums (RFC 791, 8200, 9293, 1071). The payload's part
// of the TCP checksum comes with the segment, so that the payload is not looked at.
//
// Handshake: valid/ready on both sides. Latency: 5 cycles. Rate: one packet a cycle.
`default_nettype none

module zn_tx_compose
  import zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire         clk_i,
    input  wire         rst_i,
    input  settings_t   settings_i,
    input  wire         segment_valid_i,
    output logic        segment_ready_o,
    input  tx_segment_t segment_i,
    output logic        packet_valid_o,
    input  wire         packet_ready_i,
    output tx_packet_t  packet_o
);
  localparam int unsigned ByteBits = $clog2(DataWidth / 8);
  localparam logic [7:0] TCP = 8'd6;
  localparam logic [7:0] ACK = 8'h10;
  localparam logic [7:0] PSH = 8'h08;
  localparam int unsigned Groups = 7;

  logic advance;
  logic [4:0] valid_q;

  assign advance = !valid_q[4] || packet_ready_i;
  assign segment_ready_o = advance;
  assign packet_valid_o = valid_q[4];

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= '0;
    else if (advance) valid_q <= {valid_q[3:0], segment_valid_i};
  end

  // --- First: the words of the checksums, in groups of up to four. All words are in stream order.

  tx_segment_t [3:0] segment_q;
  logic [15:0] tcp_length;
  logic [15:0] flags;
  logic [31:0] seq;
  logic [31:0] ack;
  logic [Groups-1:0][3:0][15:0] tcp_words;
  logic [1:0][3:0][15:0] ip_words;
  logic [Groups-1:0][17:0] tcp_group_q;
  logic [1:0][17:0] ip_group_q;

  assign tcp_length = segment_i.length + 16'd20;
  assign flags = {ACK | (segment_i.push ? PSH : 8'd0), 8'h50};
  assign seq = swap32(segment_i.seq);
  assign ack = swap32(segment_i.ack);

  always_comb begin
    tcp_words = '0;
    for (int unsigned g = 0; g < 2; g++) begin
      tcp_words[g] = segment_i.peer.tuple.peer_address[64*g +: 64];
      tcp_words[2 + g] = segment_i.peer.tuple.local_address[64*g +: 64];
    end
    tcp_words[4] = {segment_i.peer.tuple.peer_port, segment_i.peer.tuple.local_port, {TCP, 8'd0}, swap16(tcp_length)};
    tcp_words[5] = {seq, ack};
    tcp_words[6] = {16'd0, flags, swap16(segment_i.window), segment_i.payload_sum};
    ip_words[0] = {segment_i.peer.tuple.peer_address[31:0], segment_i.peer.tuple.local_address[31:0]};
    ip_words[1] = '0;
    ip_words[1][0] = {settings_i.tos, 8'h45};
    ip_words[1][1] = swap16(segment_i.length + 16'd40);
    ip_words[1][2] = swap16(segment_i.ip_id);
    ip_words[1][3] = 16'h0040;
  end

  function automatic logic [17:0] add4(input logic [3:0][15:0] words);
    return (18'(words[0]) + 18'(words[1])) + (18'(words[2]) + 18'(words[3]));
  endfunction

  // --- Second: their sums. Third and fourth: the carries.

  logic [31:0] tcp_sum_q;
  logic [31:0] ip_sum_q;
  logic [31:0] tcp_sum;
  logic [16:0] tcp_folded_q;
  logic [16:0] ip_folded_q;
  logic [15:0] tcp_checksum_q;
  logic [15:0] ip_checksum_q;

  always_comb begin
    tcp_sum = '0;
    for (int unsigned g = 0; g < Groups; g++) tcp_sum += 32'(tcp_group_q[g]);
  end

  always_ff @(posedge clk_i) begin
    if (advance) begin
      segment_q <= {segment_q[2:0], segment_i};
      for (int unsigned g = 0; g < Groups; g++) tcp_group_q[g] <= add4(tcp_words[g]);
      for (int unsigned g = 0; g < 2; g++) ip_group_q[g] <= add4(ip_words[g]);
      tcp_sum_q <= tcp_sum;
      ip_sum_q <= 32'(ip_group_q[0]) + 32'(ip_group_q[1]) + 32'({TCP, settings_i.ttl});
      tcp_folded_q <= fold(tcp_sum_q);
      ip_folded_q <= fold(ip_sum_q);
      tcp_checksum_q <= ~fold_last(tcp_folded_q);
      ip_checksum_q <= ~fold_last(ip_folded_q);
    end
  end

  // --- Fifth: the headers.

  tx_segment_t last;
  tx_packet_t packet_d;
  logic v6;
  logic has_vlan;
  logic [159:0] tcp;
  logic [159:0] ipv4;
  logic [319:0] ipv6;
  logic [95:0] macs;
  logic [479:0] above;   // IP and TCP
  logic [16:0] total;

  assign last = segment_q[3];
  assign v6 = last.peer.tuple.v6;
  assign has_vlan = last.peer.has_vlan;
  assign tcp = {16'd0, tcp_checksum_q, swap16(last.window), ACK | (last.push ? PSH : 8'd0), 8'h50, swap32(last.ack),
      swap32(last.seq), last.peer.tuple.peer_port, last.peer.tuple.local_port};
  assign ipv4 = {last.peer.tuple.peer_address[31:0], last.peer.tuple.local_address[31:0], ip_checksum_q, TCP,
      settings_i.ttl, 16'h0040, swap16(last.ip_id), swap16(last.length + 16'd40), settings_i.tos, 8'h45};
  assign ipv6 = {last.peer.tuple.peer_address, last.peer.tuple.local_address, settings_i.ttl, TCP,
      swap16(last.length + 16'd20), 16'd0, settings_i.tos[3:0], 4'd0, 4'd6, settings_i.tos[7:4]};
  assign macs = {settings_i.local_mac, last.peer.peer_mac};
  assign above = v6 ? {tcp, ipv6} : {160'd0, tcp, ipv4};
  assign total = 17'(last.length) + (last.raw ? 17'd0
      : 17'd54 + (v6 ? 17'd20 : 17'd0) + (has_vlan ? 17'd4 : 17'd0));

  always_comb begin
    packet_d.send = last.send;
    packet_d.shape = '{raw: last.raw, v6: v6 && !last.raw, has_vlan: has_vlan && !last.raw};
    packet_d.source = last.source;
    packet_d.last_beat = 16'((total - 17'd1) >> ByteBits);
    packet_d.last_byte = 6'(total - 17'd1) & 6'((1 << ByteBits) - 1);
    packet_d.payload_beats = 16'((17'(last.length) + 17'((1 << ByteBits) - 1)) >> ByteBits);
    packet_d.payload_addr = last.payload_addr;
    packet_d.release_beats = last.release_beats;
    packet_d.release_reply = last.release_reply;
    if (last.raw) packet_d.header = '0;
    else if (has_vlan) packet_d.header = {above, v6 ? 16'hdd86 : 16'h0008, last.peer.vlan, 16'h0081, macs};
    else packet_d.header = {32'd0, above, v6 ? 16'hdd86 : 16'h0008, macs};
  end

  always_ff @(posedge clk_i) begin
    if (advance) packet_o <= packet_d;
  end

endmodule

`default_nettype wire
