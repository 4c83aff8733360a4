// SPDX-License-Identifier: Apache-2.0
// The member table: flow ids of groups. All entries are 0 after reset.
//
// Handshake: writes at once, when ready_after_reset_o; start_i with begin_i and count_i (1 or more) while not busy_o
// reads a range, then valid/ready. Latency: 2 cycles. Rate: one id a cycle.
`default_nettype none

module zn_tx_members #(
    parameter int unsigned Members = 65536
) (
    input  wire         clk_i,
    input  wire         rst_i,
    output logic        ready_after_reset_o,
    input  wire         we_i,
    input  wire  [31:0] index_i,
    input  wire  [31:0] id_i,
    input  wire         start_i,
    input  wire  [31:0] begin_i,
    input  wire  [31:0] count_i,
    output logic        busy_o,
    output logic        valid_o,
    input  wire         ready_i,
    output logic [31:0] id_o
);
  localparam int unsigned IndexBits = $clog2(Members);

  logic [IndexBits-1:0] clear_q;
  logic [IndexBits-1:0] read_q;
  logic [31:0] unread_q;
  logic valid_q;
  logic re;

  assign re = unread_q != '0 && (!valid_q || ready_i);
  assign valid_o = valid_q;
  assign busy_o = unread_q != '0 || valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      clear_q <= '0;
      ready_after_reset_o <= 1'b0;
      unread_q <= '0;
      valid_q <= 1'b0;
    end else begin
      if (!ready_after_reset_o) begin
        clear_q <= clear_q + 1'b1;
        ready_after_reset_o <= 32'(clear_q) == Members - 1;
      end
      if (start_i) unread_q <= count_i;
      else if (re) unread_q <= unread_q - 32'd1;
      if (re) valid_q <= 1'b1;
      else if (ready_i) valid_q <= 1'b0;
    end
    if (start_i) read_q <= begin_i[IndexBits-1:0];
    else if (re) read_q <= read_q + 1'b1;
  end

  zn_ram #(
      .Width(32),
      .Depth(Members)
  ) u_table (
      .clk_i,
      .we_i(we_i || !ready_after_reset_o),
      .waddr_i(ready_after_reset_o ? index_i[IndexBits-1:0] : clear_q),
      .wdata_i(ready_after_reset_o ? id_i : 32'd0),
      .re_i(re),
      .raddr_i(read_q),
      .rdata_o(id_o)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) we_i |-> ready_after_reset_o && index_i < Members);
  assert property (@(posedge clk_i) disable iff (rst_i) start_i |-> !busy_o && count_i != '0);
  assert property (@(posedge clk_i) disable iff (rst_i) start_i |-> 33'(begin_i) + 33'(count_i) <= 33'(Members));
`endif
endmodule

`default_nettype wire
