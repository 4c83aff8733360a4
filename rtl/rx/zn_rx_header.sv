// SPDX-License-Identifier: Apache-2.0
// What follows if a frame header begins at byte Position of a beat: where the next one begins, or why there is none.
// Nothing here depends on where headers do begin.
//
// `close` reaches the end of the next beat. Only lengths of 7 bits are so short.
//
// Latency: 2 cycles to link_o, 3 to rest_o. Rate: one beat a cycle.
`default_nettype none

module zn_rx_header
  import zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes    = 64,
    parameter int unsigned Position = 0
) (
    input  wire                  clk_i,
    input  wire window_t         window_i,
    input  wire [HeaderMax-1:0]  there_i,      // which of them are payload of the packet
    input  wire [6:0]            finish_i,     // slot_t
    input  wire [6:0]            span_i,       // slot_t
    input  wire                  deflate_i,
    input  wire [31:0]           max_frame_i,
    output link_t                link_o,
    output logic [33:0]          rest_o        // from the end of the beat's payload to the next header
);
  facts_t facts_q;
  header_t header;
  logic [8:0] next_q;
  logic close_q;   // so short that the next header begins in this beat or the next one
  logic hop_q;     // in this one, before the payload ends
  logic begins_q;
  logic [6:0] fill_q;
  logic [8:0] next;
  logic [6:0] span_q;
  link_t link_d;
  logic [31:0] length_q;
  logic [7:0] before_q;  // where the header's payload begins, from the end of the beat's payload; may be negative

  assign next = 9'(Position + 6) + {2'd0, window_i[1][6:0]};

  always_ff @(posedge clk_i) begin
    facts_q <= header_facts(window_i, there_i, deflate_i, max_frame_i);
    next_q <= next;
    close_q <= window_i[1][6:1] != 6'd63 && next < 9'(2 * Bytes);
    hop_q <= window_i[1][6:1] != 6'd63 && next < 9'(Bytes) && next < {2'd0, finish_i};
    begins_q <= there_i[0];
    fill_q <= finish_i - 7'(Position);
    span_q <= span_i;
  end

  always_comb begin
    header = header_judge(facts_q);
    link_d.close = header.complete && close_q;
    link_d.hop = header.complete && hop_q;
    link_d.bad = header.bad;
    link_d.partial = begins_q && !header.complete && header.bad == 3'd0;
    link_d.is16 = facts_q.is16;
    link_d.is64 = facts_q.is64;
    link_d.last = 6'(Position);
    link_d.next = link_d.partial ? fill_q : next_q[6:0];
  end

  always_ff @(posedge clk_i) begin
    link_o <= link_d;
    length_q <= header.length;
    before_q <= 8'(Position) + {4'd0, header.need} - {1'b0, span_q};
    rest_o <= {2'd0, length_q} + {{26{before_q[7]}}, before_q};
  end
endmodule

`default_nettype wire
