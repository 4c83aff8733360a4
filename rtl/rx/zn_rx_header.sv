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
    output link_t                link_o
);
  header_t header;
  logic [8:0] next;
  logic [8:0] next_q;
  logic good_q;
  logic bad_q;
  logic partial_q;
  logic short_q;
  logic [6:0] finish_q;
  link_t link_d;

  assign header = header_read(window_i, there_i, deflate_i, max_frame_i);
  assign next = 9'(Position + 6) + {2'd0, window_i[1][6:0]};

  always_ff @(posedge clk_i) begin
    next_q <= next;
    good_q <= header.complete;
    bad_q <= header.bad != 3'd0;
    partial_q <= there_i[0] && !header.complete && header.bad == 3'd0;
    short_q <= header.need == 4'd6;
    finish_q <= finish_i;
  end

  always_comb begin
    link_d.close = good_q && short_q && next_q < 9'(2 * Bytes);
    link_d.hop = link_d.close && next_q < 9'(Bytes) && next_q < {2'd0, finish_q};
    link_d.bad = bad_q;
    link_d.partial = partial_q;
    link_d.last = 6'(Position);
    link_d.next = next_q[6:0];
  end

  always_ff @(posedge clk_i) link_o <= link_d;
endmodule

`default_nettype wire
