// SPDX-License-Identifier: Apache-2.0
// First in, first out, over one RAM. The oldest entry stands at data_o as soon as valid_o is up; Depth entries fit.
//
// Handshake: valid/ready; data holds until taken; ready_o comes from a flip-flop. count_o: entries held, the one at
// data_o included. Latency: 1 cycle. Rate: one entry in and one out a cycle.
`default_nettype none

module zn_fifo #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 16
) (
    input  wire                        clk_i,
    input  wire                        rst_i,
    input  wire                        valid_i,
    output logic                       ready_o,
    input  wire  [Width-1:0]           data_i,
    output logic                       valid_o,
    input  wire                        ready_i,
    output logic [Width-1:0]           data_o,
    output logic [$clog2(Depth+1)-1:0] count_o
);
  if (Depth < 2 || (Depth & (Depth - 1)) != 0) $error("zn_fifo: Depth is a power of two, at least 2");

  localparam int unsigned IndexBits = $clog2(Depth);
  localparam int unsigned CountBits = $clog2(Depth + 1);

  logic [IndexBits-1:0] head_q;
  logic [IndexBits-1:0] head_d;
  logic [IndexBits-1:0] tail_q;
  logic [CountBits-1:0] count_q;
  logic [CountBits-1:0] count_d;
  logic valid_q;
  logic ready_q;
  logic push;
  logic pop;

  assign push = valid_i && ready_q;
  assign pop = valid_q && ready_i;
  assign head_d = head_q + IndexBits'(pop);
  assign count_d = count_q + CountBits'(push) - CountBits'(pop);
  assign valid_o = valid_q;
  assign ready_o = ready_q;
  assign count_o = count_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      head_q <= '0;
      tail_q <= '0;
      count_q <= '0;
      valid_q <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      head_q <= head_d;
      tail_q <= tail_q + IndexBits'(push);
      count_q <= count_d;
      valid_q <= count_d != '0;
      ready_q <= count_d != CountBits'(Depth);
    end
  end

  // The next head is read in every cycle; a push into an empty FIFO is read while it is written.
  zn_ram #(
      .Width(Width),
      .Depth(Depth)
  ) u_words (
      .clk_i,
      .we_i(push),
      .waddr_i(tail_q),
      .wdata_i(data_i),
      .re_i(1'b1),
      .raddr_i(head_d),
      .rdata_o(data_o)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) count_q <= CountBits'(Depth));
  assert property (@(posedge clk_i) disable iff (rst_i) valid_i && !ready_o |=> valid_i && $stable(data_i));
  assert property (@(posedge clk_i) disable iff (rst_i) valid_o && !ready_i |=> valid_o && $stable(data_o));
`endif
endmodule

`default_nettype wire
