// SPDX-License-Identifier: Apache-2.0
// Cuts the payload of a ping out of the packet on its way to the host, and hands over the reply that it, or a probe,
// asks for. Room for Depth replies, those that are being cut out included.
//
// Handshake: take_i only while room_o, with the packet's notice; beat_i for each of the packet's beats as it passes. reply_*: valid/ready;
// data holds until taken. Latency: 3 cycles from the packet's last beat. Rate: one beat a cycle.
`default_nettype none

module zn_rx_reply
  import zn_pkg::*;
#(
    parameter int unsigned Bytes = 64,
    parameter int unsigned Depth = 4
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    output logic                  room_o,
    input  wire                   take_i,
    input  wire                   probe_i,
    input  wire [15:0]            start_i,   // of the payload, in the packet
    input  wire [6:0]             length_i,
    input  wire [31:0]            flow_i,
    input  wire [31:0]            cookie_i,
    input  wire                   beat_i,
    input  wire                   last_i,
    input  wire [Bytes-1:0][7:0]  data_i,    // unmasked
    output logic                  reply_valid_o,
    input  wire                   reply_ready_i,
    output reply_t                reply_o
);
  localparam int unsigned Log = $clog2(Bytes);
  localparam int unsigned Chunks = 128 / Bytes;

  // --- The packet that passes.
  logic taking_q;
  logic probe_q;
  logic [15:0] start_q;
  logic [6:0] length_q;
  logic [31:0] flow_q;
  logic [31:0] cookie_q;
  logic [15-Log:0] index_q;  // of the beat

  always_ff @(posedge clk_i) begin
    if (rst_i) taking_q <= 1'b0;
    else if (take_i) taking_q <= 1'b1;
    else if (beat_i && last_i) taking_q <= 1'b0;
    if (take_i) begin
      probe_q <= probe_i;
      start_q <= start_i;
      length_q <= length_i;
      flow_q <= flow_i;
      cookie_q <= cookie_i;
      index_q <= '0;
    end else if (beat_i) begin
      index_q <= index_q + 1'b1;
    end
  end

  // --- The beat turned so that the payload's first byte is the first one.
  logic [Bytes-1:0][7:0] turned_q;
  logic turned_valid_q;
  logic turned_last_q;
  logic [Log-1:0] turn_q;
  logic [16-Log:0] chunk_q;  // of the payload, that the front of the turned beat belongs to; -1 for none
  logic turned_probe_q;
  logic [6:0] turned_length_q;
  logic [31:0] turned_flow_q;
  logic [31:0] turned_cookie_q;

  always_ff @(posedge clk_i) begin
    turned_valid_q <= !rst_i && taking_q && beat_i;
    turned_last_q <= last_i;
    for (int i = 0; i < Bytes; i++) turned_q[i] <= data_i[start_q[Log-1:0] + Log'(i)];
    turn_q <= start_q[Log-1:0];
    chunk_q <= {1'b0, index_q} - {1'b0, start_q[15:Log]};
    turned_probe_q <= probe_q;
    turned_length_q <= length_q;
    turned_flow_q <= flow_q;
    turned_cookie_q <= cookie_q;
  end

  // --- Its bytes to where they belong; those that wrapped around are the end of the chunk before.
  logic [127:0][7:0] payload_q;
  logic push_q;
  logic push_probe_q;
  logic [6:0] push_length_q;
  logic [31:0] push_flow_q;
  logic [31:0] push_cookie_q;

  always_ff @(posedge clk_i) begin
    push_q <= !rst_i && turned_valid_q && turned_last_q;
    push_probe_q <= turned_probe_q;
    push_length_q <= turned_length_q;
    push_flow_q <= turned_flow_q;
    push_cookie_q <= turned_cookie_q;
    for (int c = 0; c < Chunks; c++) begin
      for (int i = 0; i < Bytes; i++) begin
        if (turned_valid_q && chunk_q == (17-Log)'(32'(c) + (i + 32'(turn_q) < Bytes ? 0 : 1)))
          payload_q[c*Bytes+i] <= turned_q[i];
      end
    end
  end

  // --- The replies that wait.
  logic [$clog2(Depth+1)-1:0] reserved_q;
  logic given;
  reply_t reply;

  always_comb begin
    reply.flow = push_flow_q;
    reply.cookie = push_cookie_q;
    reply.b0 = push_probe_q ? 8'h81 : 8'h8a;
    reply.length = push_length_q;
    for (int i = 0; i < 128; i++) reply.payload[8*i+:8] = i < 32'(push_length_q) ? payload_q[i] : 8'd0;
    if (push_probe_q) reply.payload[7:0] = "3";
  end

  assign given = reply_valid_o && reply_ready_i;
  assign room_o = reserved_q != ($clog2(Depth + 1))'(Depth);

  always_ff @(posedge clk_i) begin
    if (rst_i) reserved_q <= '0;
    else reserved_q <= reserved_q + ($clog2(Depth + 1))'(take_i) - ($clog2(Depth + 1))'(given);
  end

  zn_fifo #(
      .Width($bits(reply_t)),
      .Depth(Depth)
  ) u_replies (
      .clk_i,
      .rst_i,
      .valid_i(push_q),
      .ready_o(),
      .data_i(reply),
      .valid_o(reply_valid_o),
      .ready_i(reply_ready_i),
      .data_o(reply_o),
      .count_o()
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) take_i |-> room_o);
`endif
endmodule

`default_nettype wire
