// SPDX-License-Identifier: Apache-2.0
// Sums a packet's TCP pseudo-header, header and payload as ones' complement 16-bit words (RFC 9293 section 3.1, RFC 8200
// section 8.1). The addresses stand right before the TCP header in IPv4 and in IPv6, so one run of bytes is summed: from the
// addresses to the end of the IP packet; protocol and length are added at the end. All of it begins at an even offset.
//
// The headers are taken as if they were good; whether they are is zn_rx_verdict's to say.
//
// ok_o is for the packet whose last beat came Latency cycles earlier; whoever needs it counts.
//
// Handshake: valid only; never stops.
// Latency: $clog2(DataWidth/16) + 7 cycles. Rate: one beat a cycle.
`default_nettype none

module zn_rx_checksum
  import zn_rx_front_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire                 clk_i,
    input  wire                 rst_i,

    input  wire                 valid_i,
    input  wire [DataWidth-1:0] data_i,
    input  wire beat_t          beat_i,
    input  wire header_t        header_i,  // as zn_rx_collect has it: bytes 12 to 23 are there when the addresses begin

    output logic                ok_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned Words = Bytes / 2;
  localparam int unsigned Levels = $clog2(Words);
  localparam int unsigned ClipWidth = $clog2(Bytes + 1);

  // Stage 1: where the run begins, and the IP header's length field.
  // Stage 2: where it ends. Stage 3: both within the beat. Stage 4: masked.
  typedef struct packed {
    logic        first;
    logic        v6;
    logic [16:0] base;
    logic [16:0] start;
    logic [16:0] length_from;  // what the length field counts from
    logic [15:0] length;
  } located_t;

  located_t located_d, located_q;
  logic [16:0] base2_q, start2_q, end2_q;
  logic [ClipWidth-1:0] start3_q, end3_q;
  logic [3:0][DataWidth-1:0] data_q;  // of stages 1 to 4, the last one masked
  logic vlan, v6;
  logic valid_q;

  always_comb begin : locate
    vlan = network16(header_i[13:12]) == 16'h8100;
    v6 = network16(vlan ? header_i[17:16] : header_i[13:12]) == 16'h86dd;
    // IPv4's total length is at 2, IPv6's payload length at 4.
    case ({vlan, v6})
      2'b00: located_d.length = network16(header_i[17:16]);
      2'b01: located_d.length = network16(header_i[19:18]);
      2'b10: located_d.length = network16(header_i[21:20]);
      2'b11: located_d.length = network16(header_i[23:22]);
    endcase
    located_d.first = beat_i.first;
    located_d.v6 = v6;
    located_d.base = beat_i.base;
    located_d.start = (vlan ? 17'd18 : 17'd14) + (v6 ? 17'd8 : 17'd12);
    located_d.length_from = (vlan ? 17'd18 : 17'd14) + (v6 ? 17'd40 : 17'd0);
  end

  // An offset in the packet as one in the beat that begins at `base`: 0 if before, Bytes if after it.
  function automatic logic [ClipWidth-1:0] clip(input logic [16:0] offset, input logic [16:0] base);
    logic [17:0] distance;
    distance = 18'(offset) - 18'(base);
    if (distance[17]) return '0;
    if (distance >= 18'(Bytes)) return ClipWidth'(Bytes);
    return distance[ClipWidth-1:0];
  endfunction

  always_ff @(posedge clk_i) begin
    located_q <= located_d;
    base2_q <= located_q.base;
    start2_q <= located_q.start;
    end2_q <= located_q.length_from + 17'(located_q.length);
    start3_q <= clip(start2_q, base2_q);
    end3_q <= clip(end2_q, base2_q);
    data_q[2:0] <= {data_q[1:0], data_i};
    for (int unsigned i = 0; i < Bytes; i++) begin
      data_q[3][8*i+:8] <= (i >= 32'(start3_q) && i < 32'(end3_q)) ? data_q[2][8*i+:8] : '0;
    end
  end

  // The tree: level l has Words >> l sums of 16 + l bits.
  for (genvar l = 0; l <= Levels; l++) begin : gen_level
    logic [(Words>>l)-1:0][15+l:0] sums_q;
    if (l == 0) begin : gen_words
      for (genvar i = 0; i < Words; i++) begin : gen_word
        assign sums_q[i] = network16(data_q[3][16*i+:16]);
      end
    end else begin : gen_pairs
      for (genvar i = 0; i < (Words >> l); i++) begin : gen_pair
        always_ff @(posedge clk_i) begin
          sums_q[i] <= (16 + l)'(gen_level[l-1].sums_q[2*i]) + (16 + l)'(gen_level[l-1].sums_q[2*i+1]);
        end
      end
    end
  end

  // What goes with a beat until its sum is there.
  localparam int unsigned Wait = 3 + Levels;
  logic first, length_v6, valid;
  logic [15:0] length;

  zn_rx_delay #(
      .Width (18),
      .Cycles(Wait)
  ) u_wait (
      .clk_i,
      .rst_i,
      .valid_i(valid_q),
      .data_i ({located_q.first, located_q.v6, located_q.length}),
      .valid_o(valid),
      .data_o ({first, length_v6, length})
  );

  // A packet that is not too long has less than 2^15 words, so 32 bits hold their sum.
  logic [31:0] sum_q;
  logic [16:0] tail_q;  // of the pseudo-header: protocol and TCP's length
  logic [17:0] folded_q;
  logic [16:0] refolded;

  assign refolded = 17'(folded_q[15:0]) + 17'(folded_q[17:16]);

  always_ff @(posedge clk_i) begin
    valid_q <= valid_i && !rst_i;
    if (valid) sum_q <= (first ? 32'd0 : sum_q) + 32'(gen_level[Levels].sums_q[0]);
    tail_q <= 17'(length) + (length_v6 ? 17'd6 : 17'd6 - 17'd20);
    folded_q <= 18'(sum_q[31:16]) + 18'(sum_q[15:0]) + 18'(tail_q);
    ok_o <= refolded == 17'h0ffff;
  end
endmodule

`default_nettype wire
