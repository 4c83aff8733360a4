// SPDX-License-Identifier: Apache-2.0
// Round robin among requests: the grant goes to the first request after the one that was served last.
//
// Handshake: grant_o is one-hot, or 0 without request, and follows request_i at once; advance_i says that the grant was
// used. Latency: 0 cycles. Rate: one grant a cycle.
`default_nettype none

module zn_arbiter #(
    parameter int unsigned Ports = 2
) (
    input  wire              clk_i,
    input  wire              rst_i,
    input  wire  [Ports-1:0] request_i,
    input  wire              advance_i,
    output logic [Ports-1:0] grant_o
);
  logic [Ports-1:0] after_q;  // ports after the one that was served last
  logic [Ports-1:0] preferred;
  logic [Ports-1:0] candidates;

  assign preferred = request_i & after_q;
  assign candidates = preferred != '0 ? preferred : request_i;
  assign grant_o = candidates & (~candidates + Ports'(1));

  always_ff @(posedge clk_i) begin
    if (rst_i) after_q <= '0;
    else if (advance_i) after_q <= ~(grant_o | (grant_o - Ports'(1)));
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) $onehot0(grant_o));
  assert property (@(posedge clk_i) (grant_o & ~request_i) == '0);
  assert property (@(posedge clk_i) (request_i != '0) == (grant_o != '0));
`endif
endmodule

`default_nettype wire
