// SPDX-License-Identifier: Apache-2.0
// Random requests beside a search around the circle.
// parameters: Ports=5
`default_nettype none

module tb;
  reg clk, rst, advance;
  reg [4:0] request, expected;
  wire [4:0] grant;
  integer cycle, wrong, seed, served, i;

  zn_arbiter u_dut (
      .clk_i(clk),
      .rst_i(rst),
      .request_i(request),
      .advance_i(advance),
      .grant_o(grant)
  );

  initial begin
    clk = 0;
    rst = 1;
    request = 0;
    advance = 0;
    wrong = 0;
    seed = 1;
    served = 4;
    repeat (8) #5 clk = !clk;
    rst = 0;
    for (cycle = 0; cycle < 10000; cycle = cycle + 1) begin
      request = $random(seed);
      advance = request != 0 && $random(seed) % 3 != 0;
      expected = 0;
      for (i = 5; i >= 1; i = i - 1) if (request[(served + i) % 5]) expected = 1 << ((served + i) % 5);
      #5 if (grant !== expected) wrong = wrong + 1;
      for (i = 0; i < 5; i = i + 1) if (advance && expected[i]) served = i;
      clk = 1;
      #5 clk = 0;
    end
    if (wrong == 0) $display("PASS: %0d cycles", cycle);
    else $display("FAIL: %0d wrong", wrong);
    $finish(0);
  end
endmodule

`default_nettype wire
