// SPDX-License-Identifier: Apache-2.0
// Takes beats of flow ids apart: the ids one by one, then the list's end.
//
// Handshake: valid/ready on both sides. With end_o id_o means nothing, and early_o says whether ids were missing.
// Latency: 1 cycle. Rate: one id, or end, a cycle.
`default_nettype none

module zn_tx_ids
  import zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire                  valid_i,
    output logic                 ready_o,
    input  wire  [DataWidth-1:0] data_i,
    input  tx_list_t             list_i,
    output logic                 valid_o,
    input  wire                  ready_i,
    output logic [31:0]          id_o,
    output logic                 end_o,
    output logic                 early_o
);
  logic [DataWidth-1:0] words_q;
  tx_list_t list_q;  // of what is left
  logic take;

  assign valid_o = list_q.count != '0 || list_q.ends;
  assign id_o = words_q[31:0];
  assign end_o = list_q.count == '0;
  assign early_o = list_q.early;
  assign take = valid_o && ready_i;
  assign ready_o = !valid_o || (take && (end_o || (list_q.count == 5'd1 && !list_q.ends)));

  always_ff @(posedge clk_i) begin
    if (rst_i) list_q <= '0;
    else if (ready_o) list_q <= valid_i ? list_i : '0;
    else if (take) list_q.count <= list_q.count - 5'd1;
    if (ready_o) words_q <= data_i;
    else if (take) words_q <= words_q >> 32;
  end
endmodule

`default_nettype wire
