// SPDX-License-Identifier: Apache-2.0
// Two entries between a producer and a consumer of a stream: every output, ready_o too, comes from a flip-flop, so
// that no path crosses it.
//
// Handshake: valid/ready; data holds until taken. Latency: 1 cycle. Rate: one beat a cycle.
`default_nettype none

module zn_skid #(
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
  logic spare_q;
  logic [Width-1:0] data_q;
  logic [Width-1:0] spare_data_q;
  logic stuck;

  assign stuck = valid_q && !ready_i;
  assign ready_o = !spare_q;
  assign valid_o = valid_q;
  assign data_o = data_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      valid_q <= 1'b0;
      spare_q <= 1'b0;
    end else begin
      valid_q <= stuck || spare_q || valid_i;
      spare_q <= stuck && (spare_q || valid_i);
    end
    if (!stuck) data_q <= spare_q ? spare_data_q : data_i;
    if (!spare_q) spare_data_q <= data_i;
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) valid_i && !ready_o |=> valid_i && $stable(data_i));
  assert property (@(posedge clk_i) disable iff (rst_i) valid_o && !ready_i |=> valid_o && $stable(data_o));
`endif
endmodule

`default_nettype wire
