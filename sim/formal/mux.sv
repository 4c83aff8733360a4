// SPDX-License-Identifier: Apache-2.0
// What holds for zn_stream_mux with two ports: the beats of a port leave in order, none lost, none twice; between the first
// and the last beat of a packet there is none of the other port; a port that waits is passed over by one packet at most.
`default_nettype none

module mux (
    input wire       clk,
    input wire [1:0] valid,
    input wire [1:0] last,
    input wire [1:0] data0,
    input wire [1:0] data1,
    input wire       out_ready
);
  wire [1:0] ready;
  wire out_valid, out_last, out_port;
  wire [1:0] out_data;

  reg started = 0;
  reg [4:0] pushed0 = 0, pushed1 = 0, popped0 = 0, popped1 = 0;
  (* anyconst *) wire [4:0] watched;
  (* anyconst *) wire port;
  reg [2:0] watched_beat;  // last and data of beat `watched` of `port`
  reg [1:0] was_waiting = 0;
  reg [1:0] waiting_last, waiting_data0, waiting_data1;
  reg was_shown = 0, inside = 0, inside_port;
  reg [3:0] shown;
  reg [1:0] passed0 = 0, passed1 = 0;

  zn_stream_mux u_dut (
      .clk_i(clk),
      .rst_i(!started),
      .valid_i(valid),
      .ready_o(ready),
      .data_i({1'b1, data1, 1'b0, data0}),
      .last_i(last),
      .valid_o(out_valid),
      .ready_i(out_ready),
      .data_o({out_port, out_data}),
      .last_o(out_last)
  );

  wire [4:0] pushed = port ? pushed1 : pushed0;
  wire [4:0] popped = port ? popped1 : popped0;
  wire [1:0] taken = valid & ready;
  wire left = out_valid && out_ready;

  always @(posedge clk) begin
    started <= 1;
    if (started) begin
      was_waiting <= valid & ~ready;
      waiting_last <= last;
      waiting_data0 <= data0;
      waiting_data1 <= data1;
      if (was_waiting[0]) assume (valid[0] && last[0] == waiting_last[0] && data0 == waiting_data0);
      if (was_waiting[1]) assume (valid[1] && last[1] == waiting_last[1] && data1 == waiting_data1);

      pushed0 <= pushed0 + taken[0];
      pushed1 <= pushed1 + taken[1];
      if (taken[port] && pushed == watched) watched_beat <= {last[port], port ? data1 : data0};
      if (left) begin
        if (out_port) popped1 <= popped1 + 1;
        else popped0 <= popped0 + 1;
        inside <= !out_last;
        inside_port <= out_port;
        if (inside) assert (out_port == inside_port);
        if (out_port == port && popped == watched) assert ({out_last, out_data} == watched_beat);
      end
      assert (!(taken[0] && taken[1]));
      assert (out_valid == (pushed0 != popped0 || pushed1 != popped1));
      was_shown <= out_valid && !out_ready;
      shown <= {out_port, out_last, out_data};
      if (was_shown) assert (out_valid && shown == {out_port, out_last, out_data});

      // Packets of the other port that were taken whole while this one waited.
      passed0 <= valid[0] && !ready[0] ? passed0 + (taken[1] && last[1]) : 0;
      passed1 <= valid[1] && !ready[1] ? passed1 + (taken[0] && last[0]) : 0;
      assert (passed0 <= 1 && passed1 <= 1);
      cover (popped0 == 4 && popped1 == 4 && inside);
    end else assume (valid == 0);
  end
endmodule
