// SPDX-License-Identifier: Apache-2.0
// A value, some cycles later; 0 is a wire. For pipelines that never stop, beside a slot that says what is valid.
//
// Latency: Cycles cycles. Rate: one value a cycle.
`default_nettype none

module zn_rx_shift #(
    parameter int unsigned Width  = 1,
    parameter int unsigned Cycles = 1
) (
    input  wire              clk_i,
    input  wire  [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  if (Cycles == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign data_o = data_i;
  end else begin : gen_stages
    logic [Cycles-1:0][Width-1:0] data_q;  // youngest in the low bits

    always_ff @(posedge clk_i) data_q <= (Cycles * Width)'({data_q, data_i});
    assign data_o = data_q[Cycles-1];
  end
endmodule

`default_nettype wire
