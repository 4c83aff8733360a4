// SPDX-License-Identifier: Apache-2.0
// Random reads and writes beside a plain array.
// parameters: Width=37 Depth=16
`default_nettype none

module tb;
  reg clk, we, re;
  reg [3:0] waddr, raddr;
  reg [36:0] wdata, expected;
  reg [36:0] words[0:15];
  wire [36:0] rdata;
  integer cycle, wrong, seed;

  zn_ram u_dut (
      .clk_i(clk),
      .we_i(we),
      .waddr_i(waddr),
      .wdata_i(wdata),
      .re_i(re),
      .raddr_i(raddr),
      .rdata_o(rdata)
  );

  initial begin
    clk = 0;
    wrong = 0;
    seed = 1;
    for (cycle = 0; cycle < 10000; cycle = cycle + 1) begin
      // First each word is written; then it is read from the second cycle on.
      we = cycle < 16 || $random(seed) % 2 == 0;
      re = cycle >= 16 && (cycle == 16 || $random(seed) % 2 == 0);
      waddr = cycle < 16 ? cycle : $random(seed);
      raddr = $random(seed);
      wdata = {$random(seed), $random(seed)};
      if (we) words[waddr] = wdata;
      if (re) expected = words[raddr];
      #5 clk = 1;
      #1 if (cycle >= 16 && rdata !== expected) wrong = wrong + 1;
      #4 clk = 0;
    end
    if (wrong == 0) $display("PASS: %0d cycles", cycle);
    else $display("FAIL: %0d wrong", wrong);
    $finish(0);
  end
endmodule

`default_nettype wire
