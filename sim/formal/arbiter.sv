// SPDX-License-Identifier: Apache-2.0
// What holds for zn_arbiter with four ports: a grant is one of the requests whenever there is one; a request that stays is
// passed over at most three times.
`default_nettype none

module arbiter (
    input wire       clk,
    input wire [3:0] request,
    input wire       advance
);
  wire [3:0] grant;
  reg started = 0;
  (* anyconst *) wire [1:0] port;
  reg [2:0] passed = 0;

  zn_arbiter u_dut (
      .clk_i(clk),
      .rst_i(!started),
      .request_i(request),
      .advance_i(advance),
      .grant_o(grant)
  );

  always @(posedge clk) begin
    started <= 1;
    if (started) begin
      assume (!advance || request != 0);
      assert ((grant & (grant - 4'd1)) == 0);
      assert ((grant & ~request) == 0);
      assert ((grant != 0) == (request != 0));
      passed <= request[port] && !(advance && grant[port]) ? passed + advance : 0;
      assert (passed <= 3);
      cover (passed == 3 && grant[port]);
    end
  end
endmodule
