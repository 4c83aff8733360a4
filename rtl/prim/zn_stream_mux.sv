// SPDX-License-Identifier: Apache-2.0
// Puts packets of several streams one after the other: round robin, whole packets, never a beat of one inside another.
//
// Handshake: valid/ready; data holds until taken; data_i and last_i belong together. A port that was chosen keeps the output
// until its last beat, also through its own pauses. Latency: 1 cycle. Rate: one beat a cycle, also across packets.
`default_nettype none

module zn_stream_mux #(
    parameter int unsigned Ports = 2,
    parameter int unsigned Width = 8
) (
    input  wire                         clk_i,
    input  wire                         rst_i,
    input  wire  [Ports-1:0]            valid_i,
    output logic [Ports-1:0]            ready_o,
    input  wire  [Ports-1:0][Width-1:0] data_i,
    input  wire  [Ports-1:0]            last_i,
    output logic                        valid_o,
    input  wire                         ready_i,
    output logic [Width-1:0]            data_o,
    output logic                        last_o
);
  logic [Ports-1:0] grant;
  logic [Ports-1:0] chosen;
  logic [Ports-1:0] chosen_q;
  logic busy_q;
  logic any;
  logic last;
  logic [Width-1:0] data;
  logic ready;

  zn_arbiter #(
      .Ports(Ports)
  ) u_arbiter (
      .clk_i,
      .rst_i,
      .request_i(valid_i),
      .advance_i(!busy_q && valid_i != '0),
      .grant_o(grant)
  );

  assign chosen = busy_q ? chosen_q : grant;
  assign any = (chosen & valid_i) != '0;
  assign last = (chosen & last_i) != '0;
  assign ready_o = chosen & {Ports{ready}};

  always_comb begin
    data = '0;
    for (int unsigned i = 0; i < Ports; i++) data |= data_i[i] & {Width{chosen[i]}};
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) busy_q <= 1'b0;
    else busy_q <= (busy_q || any) && !(any && ready && last);
    if (!busy_q) chosen_q <= grant;
  end

  zn_skid #(
      .Width(Width + 1)
  ) u_out (
      .clk_i,
      .rst_i,
      .valid_i(any),
      .ready_o(ready),
      .data_i({last, data}),
      .valid_o,
      .ready_i,
      .data_o({last_o, data_o})
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) $onehot0(ready_o));
`endif
endmodule

`default_nettype wire
