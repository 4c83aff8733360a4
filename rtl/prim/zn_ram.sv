// SPDX-License-Identifier: Apache-2.0
// Simple dual-port memory that becomes block RAM. A read of the address that is written in the same cycle gives the new
// data. Contents are not reset.
//
// Handshake: none; rdata_o changes only after a cycle with re_i. Latency: 1 cycle. Rate: a read and a write a cycle.
`default_nettype none

module zn_ram #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 16
) (
    input  wire                      clk_i,
    input  wire                      we_i,
    input  wire  [$clog2(Depth)-1:0] waddr_i,
    input  wire  [Width-1:0]         wdata_i,
    input  wire                      re_i,
    input  wire  [$clog2(Depth)-1:0] raddr_i,
    output logic [Width-1:0]         rdata_o
);
  if (Depth < 2) $error("zn_ram: Depth is at least 2");

  logic [Width-1:0] words [Depth];
  logic [Width-1:0] read_q;
  logic [Width-1:0] written_q;
  logic same_q;

  assign rdata_o = same_q ? written_q : read_q;

  always_ff @(posedge clk_i) begin
    if (we_i) words[waddr_i] <= wdata_i;
    if (re_i) begin
      read_q <= words[raddr_i];
      written_q <= wdata_i;
      same_q <= we_i && waddr_i == raddr_i;
    end
  end
endmodule

`default_nettype wire
