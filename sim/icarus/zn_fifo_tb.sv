// SPDX-License-Identifier: Apache-2.0
// parameters: Width=37 Depth=8
`default_nettype none

module tb;
  wire clk, rst, valid, ready, out_valid, out_ready;
  wire [36:0] data, out_data;

  stream #(
      .Width(37)
  ) u_stream (
      .clk,
      .rst,
      .valid,
      .ready,
      .data,
      .out_valid,
      .out_ready,
      .out_data
  );

  zn_fifo u_dut (
      .clk_i(clk),
      .rst_i(rst),
      .valid_i(valid),
      .ready_o(ready),
      .data_i(data),
      .valid_o(out_valid),
      .ready_i(out_ready),
      .data_o(out_data),
      .count_o()
  );
endmodule

`default_nettype wire
