// SPDX-License-Identifier: Apache-2.0
// Ones'-complement sum (RFC 1071) of a payload, beat by beat.
//
// Handshake: none, it takes what it is given. `clear_i` starts a sum, `add_i` adds the beat (bytes that do not count
// are 0), `push_i` ends it; all three may stand in one cycle, and act in this order. sum_o is good in the cycle of
// valid_o. Latency: 5 cycles from push_i. Rate: one beat a cycle. A sum is of less than 2^17 bytes.
`default_nettype none

module zn_tx_sum
  import zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire                  clear_i,
    input  wire                  add_i,
    input  wire                  push_i,
    input  wire  [DataWidth-1:0] data_i,
    output logic                 valid_o,
    output logic [15:0]          sum_o
);
  localparam int unsigned Words = DataWidth / 16;
  localparam int unsigned Groups = Words / 4;

  logic [Groups-1:0][17:0] group_q;
  logic [20:0] beat_sum;
  logic [20:0] beat_q;
  logic [31:0] total_q;
  logic [16:0] folded_q;
  logic [1:0] clear_q;
  logic [1:0] add_q;
  logic [4:0] push_q;

  always_comb begin
    beat_sum = '0;
    for (int unsigned g = 0; g < Groups; g++) beat_sum += 21'(group_q[g]);
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned g = 0; g < Groups; g++) begin
      group_q[g] <= (18'(data_i[64*g +: 16]) + 18'(data_i[64*g + 16 +: 16]))
          + (18'(data_i[64*g + 32 +: 16]) + 18'(data_i[64*g + 48 +: 16]));
    end
    beat_q <= beat_sum;
    total_q <= (clear_q[1] ? 32'd0 : total_q) + (add_q[1] ? 32'(beat_q) : 32'd0);
    folded_q <= fold(total_q);
    sum_o <= fold_last(folded_q);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      clear_q <= '0;
      add_q <= '0;
      push_q <= '0;
    end else begin
      clear_q <= {clear_q[0], clear_i};
      add_q <= {add_q[0], add_i};
      push_q <= {push_q[3:0], push_i};
    end
  end

  assign valid_o = push_q[4];

endmodule

`default_nettype wire
