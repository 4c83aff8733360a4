// SPDX-License-Identifier: Apache-2.0
// Drives a module that hands a stream of words through, and follows it: words leave as they came and hold until taken, for 16
// pairs of pauses. Prints PASS or FAIL and ends the simulation.
`default_nettype none

module stream #(
    parameter Width = 8
) (
    output reg              clk,
    output reg              rst,
    output reg              valid,
    input  wire             ready,
    output reg  [Width-1:0] data,
    input  wire             out_valid,
    output reg              out_ready,
    input  wire [Width-1:0] out_data
);
  localparam Cycles = 65536;

  reg [Width-1:0] sent[0:Cycles-1];
  reg [Width-1:0] held_data;
  reg held;
  reg taken;
  integer cycle, pushed, popped, wrong, seed, i;
  wire [1:0] idle = cycle[13:12];
  wire [1:0] stall = cycle[15:14];

  // In 0, 1, 2 or 3 of 4 cycles.
  function pause(input [1:0] share);
    reg [1:0] draw;
    begin
      draw = $random(seed);
      pause = draw < share;
    end
  endfunction

  task drive;
    begin
      if (taken) valid = 0;
      if (!valid && !pause(idle)) begin
        valid = 1;
        for (i = 0; i < Width; i = i + 1) data[i] = $random(seed);
      end
      out_ready = !pause(stall);
    end
  endtask

  task follow;
    begin
      if (held && !(out_valid === 1 && out_data === held_data)) wrong = wrong + 1;
      held = out_valid !== 0 && !out_ready;
      held_data = out_data;
      taken = valid && ready === 1;
      if (taken) begin
        sent[pushed] = data;
        pushed = pushed + 1;
      end
      if (out_valid !== 0 && out_ready) begin
        // A word takes a cycle at least, so that one pushed in this cycle cannot leave.
        if (popped >= pushed - taken || out_data !== sent[popped]) wrong = wrong + 1;
        popped = popped + 1;
      end
    end
  endtask

  initial begin
    clk = 0;
    rst = 1;
    valid = 0;
    out_ready = 0;
    held = 0;
    taken = 0;
    pushed = 0;
    popped = 0;
    wrong = 0;
    seed = 1;
    repeat (8) #5 clk = !clk;
    rst = 0;
    for (cycle = 0; cycle < Cycles; cycle = cycle + 1) begin
      drive;
      #5 follow;
      clk = 1;
      #5 clk = 0;
    end
    // The last cycles stalled in 3 of 4; most of what went in has come out.
    if (wrong == 0 && popped > Cycles / 8 && pushed - popped < 100) $display("PASS: %0d words", popped);
    else $display("FAIL: %0d wrong, %0d in, %0d out", wrong, pushed, popped);
    $finish(0);
  end
endmodule

`default_nettype wire
