// SPDX-License-Identifier: Apache-2.0
// What holds for zn_ram: a read gives what was last written to its address, in the same cycle too; rdata holds without a read.
`default_nettype none

module ram (
    input wire       clk,
    input wire       we,
    input wire       re,
    input wire [1:0] waddr,
    input wire [1:0] raddr,
    input wire [3:0] wdata
);
  wire [3:0] rdata;
  (* anyconst *) wire [1:0] watched;  // any one address
  reg written = 0, expecting = 0, was_idle = 0;
  reg [3:0] word, expected, before;

  zn_ram u_dut (
      .clk_i(clk),
      .we_i(we),
      .waddr_i(waddr),
      .wdata_i(wdata),
      .re_i(re),
      .raddr_i(raddr),
      .rdata_o(rdata)
  );

  wire now = we && waddr == watched;

  always @(posedge clk) begin
    if (now) begin
      word <= wdata;
      written <= 1;
    end
    expecting <= re && raddr == watched && (written || now);
    expected <= now ? wdata : word;
    if (expecting) assert (rdata == expected);
    was_idle <= !re;
    before <= rdata;
    if (was_idle) assert (rdata == before);
    cover (expecting && !now && written && we);
  end
endmodule
