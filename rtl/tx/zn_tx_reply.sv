// SPDX-License-Identifier: Apache-2.0
// Replies that the receive side asks for: writes each frame (two bytes of header, payload of up to 125) to one of the
// buffer's slots and sums it, then asks for it to be sent.
//
// Handshake: valid/ready on both streams; release_i says that the oldest slot is free again. The buffer is read with re/addr,
// data one cycle later. Latency: 8 cycles and one for each beat of the frame. Rate: one reply at a time.
`default_nettype none

module zn_tx_reply
  import zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Slots = 4
) (
    input  wire                                        clk_i,
    input  wire                                        rst_i,
    input  wire                                        reply_valid_i,
    output logic                                       reply_ready_o,
    input  reply_t                                     reply_i,
    output logic                                       op_valid_o,
    input  wire                                        op_ready_i,
    output tx_op_t                                     op_o,
    input  wire                                        release_i,
    input  wire                                        buffer_re_i,
    input  wire  [$clog2(Slots*1024/DataWidth)-1:0]    buffer_addr_i,
    output logic [DataWidth-1:0]                       buffer_data_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned SlotBeats = 128 / Bytes;
  localparam int unsigned SlotBits = $clog2(Slots);
  localparam int unsigned BeatBits = $clog2(SlotBeats);

  typedef enum logic [1:0] {
    STATE_IDLE,
    STATE_WRITE,
    STATE_SUM,
    STATE_OP
  } state_t;

  state_t state_q;
  logic [SlotBits-1:0] slot_q;
  logic [SlotBits:0] used_q;      // slots
  logic [BeatBits-1:0] beat_q;
  logic [1023:0] frame_q;         // what is left to write, and zeros
  logic [7:0] left_q;             // bytes of it
  logic [7:0] length_q;
  logic [31:0] flow_q;
  logic [31:0] cookie_q;
  logic [15:0] sum_q;
  logic [15:0] sum;
  logic sum_valid;
  logic [DataWidth-1:0] data;
  logic writes;
  logic ends;

  assign reply_ready_o = state_q == STATE_IDLE && used_q != (SlotBits + 1)'(Slots);
  assign op_valid_o = state_q == STATE_OP;
  assign writes = state_q == STATE_WRITE;
  assign ends = writes && 32'(left_q) <= Bytes;

  // Bytes behind the payload are not defined.
  always_comb begin
    for (int unsigned i = 0; i < Bytes; i++) data[8*i +: 8] = 32'(left_q) > i ? frame_q[8*i +: 8] : 8'd0;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= STATE_IDLE;
      slot_q <= '0;
      used_q <= '0;
    end else begin
      unique case (state_q)
        STATE_IDLE: if (reply_valid_i && reply_ready_o) state_q <= STATE_WRITE;
        STATE_WRITE: if (ends) state_q <= STATE_SUM;
        STATE_SUM: if (sum_valid) state_q <= STATE_OP;
        default:
          if (op_ready_i) begin
            state_q <= STATE_IDLE;
            slot_q <= slot_q + 1'b1;
          end
      endcase
      used_q <= used_q + (SlotBits + 1)'(op_valid_o && op_ready_i) - (SlotBits + 1)'(release_i);
    end
    if (state_q == STATE_IDLE) begin
      beat_q <= '0;
      frame_q <= {8'd0, reply_i.payload[999:0], 1'b0, reply_i.length, reply_i.b0};
      left_q <= 8'(reply_i.length) + 8'd2;
      length_q <= 8'(reply_i.length) + 8'd2;
      flow_q <= reply_i.flow;
      cookie_q <= reply_i.cookie;
    end else if (writes) begin
      beat_q <= beat_q + 1'b1;
      frame_q <= frame_q >> DataWidth;
      left_q <= left_q - 8'(Bytes);
    end
    if (sum_valid) sum_q <= sum;
  end

  zn_tx_sum #(
      .DataWidth(DataWidth)
  ) u_sum (
      .clk_i,
      .rst_i,
      .clear_i(state_q == STATE_IDLE),
      .add_i(writes),
      .push_i(ends),
      .data_i(data),
      .valid_o(sum_valid),
      .sum_o(sum)
  );

  zn_ram #(
      .Width(DataWidth),
      .Depth(Slots * SlotBeats)
  ) u_frames (
      .clk_i,
      .we_i(writes),
      .waddr_i({slot_q, beat_q}),
      .wdata_i(data),
      .re_i(buffer_re_i),
      .raddr_i(buffer_addr_i),
      .rdata_o(buffer_data_o)
  );

  always_comb begin
    op_o = '0;
    op_o.kind = TX_OP_REPLY;
    op_o.flow = flow_q;
    op_o.known = flow_q < Flows;
    op_o.push = 1'b1;
    op_o.cookie = cookie_q;
    op_o.length = 16'(length_q);
    op_o.payload_sum = sum_q;
    op_o.payload_addr = 16'({slot_q, {BeatBits{1'b0}}});
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) release_i |-> used_q != '0);
  assert property (@(posedge clk_i) disable iff (rst_i) reply_valid_i |-> reply_i.length <= 7'd125);
`endif
endmodule

`default_nettype wire
