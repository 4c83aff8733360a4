// SPDX-License-Identifier: Apache-2.0
// One entry between a producer and a consumer of a stream: valid and data come from flip-flops, ready passes through.
//
// Handshake: valid/ready; data holds until taken. Latency: 1 cycle. Rate: one beat a cycle.
`default_nettype none

module zn_stream_reg #(
    parameter int unsigned Width = 8
) (
    input  wire              clk_i,
    input  wire              rst_i,
    input  wire              valid_i,
    output logic             ready_o,
    input  wire  [Width-1:0] data_i,
    output logic             valid_o,
    input  wire              ready_i,
    output logic [Width-1:0] data_o
);
  logic valid_q;
  logic [Width-1:0] data_q;

  assign ready_o = !valid_q || ready_i;
  assign valid_o = valid_q;
  assign data_o = data_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= 1'b0;
    else if (ready_o) valid_q <= valid_i;
    if (ready_o) data_q <= data_i;
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) valid_i && !ready_o |=> valid_i && $stable(data_i));
  assert property (@(posedge clk_i) disable iff (rst_i) valid_o && !ready_i |=> valid_o && $stable(data_o));
`endif
endmodule

`default_nettype wire
