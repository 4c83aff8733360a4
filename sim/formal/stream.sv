// SPDX-License-Identifier: Apache-2.0
// What holds for every module `DUT` that hands a stream of words through, whatever its two ends do: words leave in the order in
// which they came, none is lost, none twice; what is shown stays until it is taken; and it does move.
`default_nettype none

module stream (
    input wire       clk,
    input wire       valid,
    input wire [1:0] data,
    input wire       out_ready
);
  wire ready, out_valid;
  wire [1:0] out_data;

  reg started = 0;
  reg [4:0] pushed = 0;
  reg [4:0] popped = 0;
  (* anyconst *) wire [4:0] watched;  // the number of any one word
  reg [1:0] watched_data;
  reg was_waiting = 0, was_shown = 0;
  reg [1:0] waiting_data, shown_data;

  `DUT u_dut (
      .clk_i(clk),
      .rst_i(!started),
      .valid_i(valid),
      .ready_o(ready),
      .data_i(data),
      .valid_o(out_valid),
      .ready_i(out_ready),
      .data_o(out_data)
  );

  always @(posedge clk) begin
    started <= 1;
    was_waiting <= started && valid && !ready;
    was_shown <= started && out_valid && !out_ready;
    waiting_data <= data;
    shown_data <= out_data;
    if (started) begin
      if (was_waiting) assume (valid && data == waiting_data);
      if (valid && ready) begin
        pushed <= pushed + 1;
        if (pushed == watched) watched_data <= data;
      end
      if (out_valid && out_ready) begin
        popped <= popped + 1;
        if (popped == watched) assert (out_data == watched_data);
      end
      if (was_shown) assert (out_valid && out_data == shown_data);
      // A word that is inside is shown the next cycle, and only then.
      assert (out_valid == (pushed != popped));
      cover (popped == 4 && pushed - popped == `ENTRIES);
    end else assume (!valid);
  end
endmodule
