// SPDX-License-Identifier: Apache-2.0
// A slot, some cycles later, at least 1. After reset none is on its way.
//
// Latency: Cycles cycles. Rate: one slot a cycle.
`default_nettype none

module zn_rx_slot_shift
  import zn_rx_back_pkg::*;
#(
    parameter int unsigned Cycles = 1
) (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire slot_t slot_i,
    output slot_t      slot_o
);
  slot_t late;
  logic late_valid;

  zn_rx_delay #(
      .Width ($bits(slot_t)),
      .Cycles(Cycles)
  ) u_delay (
      .clk_i,
      .rst_i,
      .valid_i(slot_i.valid),
      .data_i(slot_i),
      .valid_o(late_valid),
      .data_o(late)
  );

  always_comb begin
    slot_o = late;
    slot_o.valid = late_valid;
  end
endmodule

`default_nettype wire
