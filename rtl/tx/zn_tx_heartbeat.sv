// SPDX-License-Identifier: Apache-2.0
// Walks over all flows, so that each is looked at for a due heartbeat.
//
// Handshake: valid_o asks for a look at flow_o, urgent_o says that it has waited long enough to be served with others;
// ready_i says that it was. Rate: a flow each 4 cycles when nothing else needs the flows, else each 64.
`default_nettype none

module zn_tx_heartbeat #(
    parameter int unsigned Flows = 65536
) (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         on_i,
    output logic        valid_o,
    output logic        urgent_o,
    input  wire         ready_i,
    output logic [31:0] flow_o
);
  localparam int unsigned FlowBits = $clog2(Flows);

  logic [FlowBits-1:0] flow_q;
  logic [5:0] waited_q;

  assign flow_o = 32'(flow_q);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      flow_q <= '0;
      waited_q <= '0;
      valid_o <= 1'b0;
      urgent_o <= 1'b0;
    end else if (ready_i) begin
      flow_q <= 32'(flow_q) == Flows - 1 ? '0 : flow_q + 1'b1;
      waited_q <= '0;
      valid_o <= 1'b0;
      urgent_o <= 1'b0;
    end else begin
      if (waited_q != '1) waited_q <= waited_q + 6'd1;
      valid_o <= on_i && waited_q >= 6'd2;
      urgent_o <= on_i && waited_q == '1;
    end
  end
endmodule

`default_nettype wire
