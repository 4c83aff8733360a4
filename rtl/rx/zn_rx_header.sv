// SPDX-License-Identifier: Apache-2.0
// What follows if a frame header begins at byte Position of a beat: where the next one begins, or why there is none.
// Nothing here depends on where headers do begin.
//
// `close` reaches the end of the next beat. Only lengths of 7 bits are so short.
//
// Latency: 2 cycles. Rate: one beat a cycle.
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
    input  wire                  deflate_i,
    input  wire [31:0]           max_frame_i,
    output link_t                link_o,
    output logic [31:0]          length_o      // of the header's payload
);
  facts_t facts_q;
  header_t header;
  logic [8:0] next_q;
  logic close_q;   // so short that the next header begins in this beat or the next one
  logic hop_q;     // in this one, before the payload ends
  logic begins_q;
  logic [6:0] fill_q;
  logic [8:0] next;
  link_t link_d;

  assign next = 9'(Position + 6) + {2'd0, window_i[1][6:0]};

  always_ff @(posedge clk_i) begin
    facts_q <= header_facts(window_i, there_i, deflate_i, max_frame_i);
    next_q <= next;
    close_q <= window_i[1][6:1] != 6'd63 && next < 9'(2 * Bytes);
    hop_q <= window_i[1][6:1] != 6'd63 && next < 9'(Bytes) && next < {2'd0, finish_i};
    begins_q <= there_i[0];
    fill_q <= finish_i - 7'(Position);
  end

  always_comb begin
    header = header_judge(facts_q);
    link_d.close = header.complete && close_q;
    link_d.hop = header.complete && hop_q;
    link_d.bad = header.bad;
    link_d.partial = begins_q && !header.complete && header.bad == 3'd0;
    link_d.last = 6'(Position);
    link_d.next = link_d.partial ? fill_q : next_q[6:0];
  end

  always_ff @(posedge clk_i) begin
    link_o <= link_d;
    length_o <= header.length;
  end
endmodule

`default_nettype wire
