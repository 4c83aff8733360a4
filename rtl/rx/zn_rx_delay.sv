// SPDX-License-Identifier: Apache-2.0
// A value and its valid bit, some cycles later. For pipelines that never stop.
//
// Latency: Cycles cycles. Rate: one value a cycle.
`default_nettype none

module zn_rx_delay #(
    parameter int unsigned Width  = 1,
    parameter int unsigned Cycles = 1
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   valid_i,
    input  wire [Width-1:0] data_i,
    output logic                  valid_o,
    output logic      [Width-1:0] data_o
);
  logic [Cycles-1:0] valid_q;
  logic [Cycles-1:0][Width-1:0] data_q;  // youngest in the low bits

  always_ff @(posedge clk_i) begin
    valid_q <= rst_i ? '0 : Cycles'({valid_q, valid_i});
    data_q <= (Cycles * Width)'({data_q, data_i});
  end

  assign valid_o = valid_q[Cycles-1];
  assign data_o = data_q[Cycles-1];

  if (Cycles < 1) $error("zn_rx_delay: Cycles is at least 1");
endmodule

`default_nettype wire
