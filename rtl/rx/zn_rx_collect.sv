// SPDX-License-Identifier: Apache-2.0
// Numbers the beats of a packet and gathers its first bytes, whatever the width of a beat.
//
// header_o fills up with the packet's beats: in the cycle of a beat that beat's bytes stand in it and those of the
// packet's earlier beats, and they stay until the next packet's first beat. header_valid_o comes once a packet, with the beat
// that brings the last of the bytes, or with the packet's last beat; bytes that the packet does not have are then undefined.
//
// Handshake: valid only; never stops.
// Latency: 1 cycle. Rate: one beat a cycle.
`default_nettype none

module zn_rx_collect
  import zn_pkg::*;
  import zn_rx_front_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire                         clk_i,
    input  wire                         rst_i,

    input  wire                         valid_i,
    input  wire [DataWidth-1:0]   data_i,
    input  wire [DataWidth/8-1:0] keep_i,
    input  wire                         last_i,
    input  wire                         bad_i,
    input  wire                         command_i,
    input  wire rx_meta_t               command_meta_i,

    output logic                        valid_o,
    output logic      [DataWidth-1:0]   data_o,
    output beat_t                       beat_o,
    output logic                        header_valid_o,
    output header_t                     header_o,
    output rx_meta_t                    command_meta_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned Beats = (HeaderBytes + Bytes - 1) / Bytes;

  logic [$clog2(Beats+1)-1:0] index_q;  // of the next beat, held at Beats
  logic [16:0] base_q;

  // Bytes of a beat: keep's ones are its low bits, so the highest is where a one stands below a zero.
  function automatic logic [7:0] kept(input logic [Bytes-1:0] keep);
    logic [7:0] count;
    count = '0;
    for (int unsigned i = 0; i < Bytes; i++) begin
      if (keep[i] && !(i + 1 < Bytes && keep[(i+1)%Bytes])) count |= 8'(i + 1);
    end
    return count;
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      index_q <= '0;
      base_q <= '0;
    end else if (valid_i) begin
      if (last_i) begin
        index_q <= '0;
        base_q <= '0;
      end else begin
        if (32'(index_q) != Beats) index_q <= index_q + 1'b1;
        if (!base_q[16]) base_q <= base_q + 17'(Bytes);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    valid_o <= valid_i && !rst_i;
    header_valid_o <= valid_i && !rst_i && (32'(index_q) == Beats - 1 || (last_i && 32'(index_q) < Beats));
    data_o <= data_i;
    command_meta_o <= command_meta_i;
    beat_o.command <= command_i;
    beat_o.first <= index_q == '0;
    beat_o.last <= last_i;
    beat_o.bad <= bad_i;
    beat_o.base <= base_q;
    beat_o.count <= last_i ? kept(keep_i) : 8'(Bytes);
  end

  for (genvar i = 0; i < HeaderBytes; i++) begin : gen_byte
    always_ff @(posedge clk_i) begin
      if (valid_i && 32'(index_q) == i / Bytes) header_o[i] <= data_i[8*(i%Bytes)+:8];
    end
  end

  if (!(DataWidth inside {64, 128, 256, 512})) $error("zn_rx_collect: DataWidth is 64, 128, 256 or 512");

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) valid_i && !command_i |-> keep_i[0] && (last_i || &keep_i));
`endif
endmodule

`default_nettype wire
