// SPDX-License-Identifier: Apache-2.0
// Two ports with packets of 1 to 4 beats; a beat is {port, number of the packet, number of the beat}.
// parameters: Ports=2 Width=17
`default_nettype none

module tb;
  reg clk, rst, out_ready;
  reg [1:0] valid, last, taken;
  reg [33:0] data;
  wire [1:0] ready;
  wire [16:0] out_data;
  wire out_valid, out_last;
  integer cycle, wrong, seed, packets, p;
  integer packet[0:1], beat[0:1], length[0:1];
  integer next_packet[0:1];
  integer next_beat;

  zn_stream_mux u_dut (
      .clk_i(clk),
      .rst_i(rst),
      .valid_i(valid),
      .ready_o(ready),
      .data_i(data),
      .last_i(last),
      .valid_o(out_valid),
      .ready_i(out_ready),
      .data_o(out_data),
      .last_o(out_last)
  );

  task drive(input integer port);
    begin
      if (!valid[port]) valid[port] = $random(seed) % 3 != 0;
      last[port] = beat[port] == length[port] - 1;
      if (port == 0) data[16:0] = {1'b0, packet[0][11:0], beat[0][3:0]};
      else data[33:17] = {1'b1, packet[1][11:0], beat[1][3:0]};
    end
  endtask

  task accept(input integer port);
    begin
      valid[port] = 0;
      beat[port] = beat[port] + 1;
      if (last[port]) begin
        beat[port] = 0;
        packet[port] = packet[port] + 1;
        length[port] = 1 + packet[port] % 4;
      end
    end
  endtask

  task follow;
    begin
      p = out_data[16];
      if (out_data[15:4] !== next_packet[p][11:0] || out_data[3:0] !== next_beat[3:0] ||
          out_last !== (next_beat == next_packet[p] % 4))
        wrong = wrong + 1;
      next_beat = next_beat + 1;
      if (out_last) begin
        next_beat = 0;
        next_packet[p] = next_packet[p] + 1;
        packets = packets + 1;
      end
    end
  endtask

  initial begin
    clk = 0;
    rst = 1;
    valid = 0;
    last = 0;
    out_ready = 0;
    wrong = 0;
    seed = 1;
    packets = 0;
    next_beat = 0;
    for (p = 0; p < 2; p = p + 1) begin
      packet[p] = 0;
      beat[p] = 0;
      length[p] = 1;
      next_packet[p] = 0;
    end
    repeat (8) #5 clk = !clk;
    rst = 0;
    for (cycle = 0; cycle < 10000; cycle = cycle + 1) begin
      drive(0);
      drive(1);
      out_ready = $random(seed) % 3 != 0;
      #5 taken = valid & ready;
      if (out_valid !== 0 && out_ready) follow;
      clk = 1;
      #5 clk = 0;
      if (taken[0]) accept(0);
      if (taken[1]) accept(1);
    end
    if (wrong == 0 && packets > 1000) $display("PASS: %0d packets", packets);
    else $display("FAIL: %0d wrong, %0d packets", wrong, packets);
    $finish(0);
  end
endmodule

`default_nettype wire
