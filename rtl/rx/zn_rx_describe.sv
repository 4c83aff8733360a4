// SPDX-License-Identifier: Apache-2.0
// Describes a packet's first frames, counts them all, finds pings, probes and answers to heartbeats, and writes what stands in
// front of the packet on its way to the host.
//
// Ports are named after the stage they belong to: _a is 3 cycles after zn_rx_frames' slot_o, _d three cycles later, _e
// four. Latency: 6 cycles from _a to notice_o. Rate: one slot a cycle.
`default_nettype none

module zn_rx_describe
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes = 64,
    parameter int unsigned Flows = 65536,
    localparam int unsigned Log = $clog2(Bytes)
) (
    input  wire                        clk_i,
    input  wire                        rst_i,
    input  wire [15:0]                 now_ms_i,
    input  wire slot_t                 slot_a_i,
    input  wire packet_t               packet_a_i,
    input  wire [Bytes+Carry-1:0][7:0] data_a_i,
    input  wire [3:0]                  first_valid_a_i,  // the beat's first headers
    input  wire [3:0][Log-1:0]         first_a_i,
    input  wire opening_t              opening_d_i,
    input  wire [6:0]                  headers_e_i,      // in the beat, those that became complete
    input  wire verdict_t              verdict_e_i,
    output logic                       notice_valid_o,
    output notice_t                    notice_o
);
  localparam int unsigned IndexBits = $clog2(Flows);
  localparam int unsigned Descs = 4;

  // A frame, and what it is besides.
  typedef struct packed {
    logic        valid;
    frame_desc_t desc;
    logic        ping;
    logic        probe;
  } frame_t;

  // --- Stage a: the bytes at the first headers.
  slot_t slot_b;
  packet_t packet_b;
  logic [3:0] valid_b;
  logic [3:0][Log-1:0] at_b;
  window_t [3:0] window_b;

  always_ff @(posedge clk_i) begin
    if (rst_i) slot_b.valid <= 1'b0;
    else slot_b <= slot_a_i;
    packet_b <= packet_a_i;
    valid_b <= first_valid_a_i;
    at_b <= first_a_i;
    for (int i = 0; i < Descs; i++) begin
      for (int k = 0; k < HeaderMax; k++) begin
        logic [Bytes-1:0][7:0] choice;
        choice = data_a_i[k+:Bytes];
        window_b[i][k] <= choice[first_a_i[i]];
      end
    end
  end

  // --- Stage b: what they say. A text of up to 6 bytes ends inside the window. Whether they are good is known elsewhere: if one is
  // not, the packet is not treated.
  typedef struct packed {
    logic        valid;
    logic [7:0]  b0;
    logic [31:0] length;
    logic [6:0]  after;   // where the payload begins, in the beat
    logic        is_3;
    logic        is_2probe;
  } found_t;

  function automatic found_t header_find(input window_t w, input slot_t slot, input logic valid, input logic [6:0] at);
    found_t f;
    logic [5:0][7:0] text;
    logic [3:0] need;
    for (int i = 0; i < 6; i++) text[i] = w[6+i] ^ w[2+i%4];
    need = header_size(w[1]);
    f.b0 = w[0];
    f.after = at + {3'd0, need};
    f.valid = valid && f.after <= slot.finish;
    f.length = need == 4'd14 ? {w[6], w[7], w[8], w[9]} : need == 4'd8 ? {16'd0, w[2], w[3]} : {25'd0, w[1][6:0]};
    f.is_3 = w[0] == 8'h81 && w[1][6:0] == 7'd1 && text[0] == "3";
    f.is_2probe = w[0] == 8'h81 && w[1][6:0] == 7'd6 && text == {"e", "b", "o", "r", "p", "2"};
    return f;
  endfunction

  slot_t slot_c;
  packet_t packet_c;
  found_t [3:0] found_c;
  logic [15:0] before_c;  // of the beat's first byte in the payload, modulo 2^16
  logic [16:0] rest_c;    // payload from there on

  always_ff @(posedge clk_i) begin
    if (rst_i) slot_c.valid <= 1'b0;
    else slot_c <= slot_b;
    packet_c <= packet_b;
    before_c <= slot_b.base - packet_b.payload_offset;
    rest_c <= {1'b0, packet_b.payload_offset} + {1'b0, packet_b.payload_length} - {1'b0, slot_b.base};
    for (int i = 0; i < Descs; i++) found_c[i] <= header_find(window_b[i], slot_b, valid_b[i], 7'(at_b[i]));
  end

  // --- Stage c: where their payloads lie.
  slot_t slot_d;
  packet_t packet_d;
  found_t [3:0] found_d;
  logic [3:0][15:0] offset_d;
  logic [3:0][16:0] room_d;

  always_ff @(posedge clk_i) begin
    if (rst_i) slot_d.valid <= 1'b0;
    else slot_d <= slot_c;
    packet_d <= packet_c;
    found_d <= found_c;
    for (int i = 0; i < Descs; i++) begin
      offset_d[i] <= before_c + {9'd0, found_c[i].after};
      room_d[i] <= rest_c - {10'd0, found_c[i].after};
    end
  end

  // --- Stage d: what they are.
  slot_t slot_e;
  packet_t packet_e;
  frame_t [3:0] frame_e;
  frame_t split_e;
  parser_t state_e;

  always_ff @(posedge clk_i) begin
    if (rst_i) slot_e.valid <= 1'b0;
    else slot_e <= slot_d;
    packet_e <= packet_d;
    state_e <= parser_of(opening_d_i.place);
    for (int i = 0; i < Descs; i++) begin
      logic complete;
      complete = found_d[i].length <= {15'd0, room_d[i]};
      frame_e[i].valid <= found_d[i].valid;
      frame_e[i].desc.offset <= offset_d[i];
      frame_e[i].desc.b0 <= found_d[i].b0;
      frame_e[i].desc.length <= found_d[i].length;
      frame_e[i].desc.flags <= '0;
      frame_e[i].desc.flags[FRAME_COMPLETE_BIT] <= complete;
      frame_e[i].desc.flags[FRAME_HEARTBEAT_BIT] <= complete && found_d[i].is_3 && packet_d.flags[FLOW_ENGINE_BIT];
      frame_e[i].probe <= complete && found_d[i].is_2probe && packet_d.flags[FLOW_ENGINE_BIT];
      frame_e[i].ping <= complete && found_d[i].b0 == 8'h89 && packet_d.flags[FLOW_ANSWER_BIT];
    end
    split_e.valid <= opening_d_i.split;
    split_e.desc.offset <= 16'(opening_d_i.rest);
    split_e.desc.b0 <= opening_d_i.b0;
    split_e.desc.length <= opening_d_i.length;
    split_e.desc.flags <= '0;
    split_e.desc.flags[FRAME_SPLIT_BIT] <= 1'b1;
    split_e.desc.flags[FRAME_COMPLETE_BIT] <= opening_d_i.length <= {16'd0, packet_d.payload_length - 16'(opening_d_i.rest)};
    {split_e.ping, split_e.probe} <= '0;
  end

  // --- Stage e: the packet's frames so far.
  frame_t [3:0] frames_q;
  frame_t [3:0] frames_d;
  logic [7:0] count_q;
  logic [7:0] count_d;
  parser_t state_q;

  always_comb begin
    logic [8:0] sum;
    frames_d = frames_q;
    sum = {1'b0, count_q} + {2'd0, headers_e_i};
    count_d = sum[8] ? 8'd255 : sum[7:0];
    for (int i = 0; i < Descs; i++) begin
      for (int k = 0; k <= i; k++) begin
        if (count_q == 8'(i - k)) frames_d[i] = frame_e[k];
      end
    end
    if (slot_e.head) begin
      frames_d = '0;
      if (split_e.valid) frames_d[0] = split_e;
      count_d = {7'd0, split_e.valid};
    end
  end

  always_ff @(posedge clk_i) begin
    if (slot_e.valid) begin
      frames_q <= frames_d;
      count_q <= count_d;
      if (slot_e.head) state_q <= state_e;
    end
  end

  // --- What goes in front.
  rx_annotation_t annotation;
  report_record_t record;
  notice_t notice_d;
  logic seen;
  logic stamp;
  logic [15:0] last_seen;

  always_comb begin
    annotation = '0;
    annotation.kind = MSG_RX_PACKET;
    annotation.version = CONTRACT_VERSION;
    annotation.reason = verdict_e_i.reason;
    annotation.flags[RX_FLOW_BIT] = verdict_e_i.has_flow;
    annotation.flags[RX_CHECKSUM_OK_BIT] = !slot_e.long_packet && slot_e.outcome.checksum_ok;
    if (verdict_e_i.reason == REASON_OK || verdict_e_i.reason >= REASON_NO_FLOW) begin
      annotation.payload_offset = packet_e.payload_offset;
      annotation.payload_length = packet_e.payload_length;
    end
    if (!slot_e.long_packet) annotation.packet_length = slot_e.outcome.packet_length;
    if (verdict_e_i.has_flow) begin
      annotation.flow = packet_e.flow;
      annotation.rcv_nxt = verdict_e_i.rcv_nxt;
      annotation.state = '{key: state_q.key, length: state_q.length, reserved_4: '0, b1: state_q.b1, b0: state_q.b0,
                            fill: {4'd0, state_q.fill}};
    end
    seen = 1'b0;
    for (int i = 0; i < Descs; i++) begin
      if (verdict_e_i.treated && frames_d[i].valid) begin
        annotation.frame[i] = frames_d[i].desc;
        seen = seen || frames_d[i].desc.flags[FRAME_HEARTBEAT_BIT];
      end
    end
    if (verdict_e_i.treated) annotation.frames = count_d;

    record.kind = RECORD_RX_DONE;
    record.reason = verdict_e_i.reason;
    record.length = '0;
    record.flow = packet_e.flow;
    record.seq = packet_e.op == RX_OP_READ && verdict_e_i.reason == REASON_OK ? {16'd0, last_seen} : '0;
    record.cookie = packet_e.cookie;

    notice_d = '0;
    notice_d.command = packet_e.op != RX_OP_PACKET;
    notice_d.header = notice_d.command ? 512'(record) : annotation;
    notice_d.treated = verdict_e_i.treated;
    notice_d.heartbeat = seen;
    for (int i = Descs - 1; i >= 0; i--) begin
      if (verdict_e_i.treated && frames_d[i].valid && (frames_d[i].ping || frames_d[i].probe)) begin
        notice_d.asks = 1'b1;
        notice_d.ask = 2'(i);
        notice_d.probe = frames_d[i].probe;
        notice_d.ask_start = frames_d[i].desc.offset;
        notice_d.ask_length = frames_d[i].desc.length[6:0];
      end
    end
  end

  // --- Where the payload of the frame that asks lies.
  logic notice_valid_q;
  notice_t notice_q;
  logic [31:0] seq_q;
  rx_annotation_t annotation_q;
  assign annotation_q = notice_q.header;

  always_ff @(posedge clk_i) begin
    notice_valid_q <= !rst_i && slot_e.valid && !slot_e.head && verdict_e_i.push;
    notice_q <= notice_d;
    seq_q <= packet_e.seq;
    notice_valid_o <= !rst_i && notice_valid_q;
    notice_o <= notice_q;
    notice_o.ask_start <= annotation_q.payload_offset + notice_q.ask_start;
    notice_o.cookie <= seq_q + {16'd0, notice_q.ask_start};
  end

  // --- When a flow last answered a heartbeat. ADD writes it before READ reads it, so it needs no clearing.
  assign stamp = slot_e.valid && !slot_e.head && verdict_e_i.push
      && (seen || (packet_e.op == RX_OP_ADD && verdict_e_i.reason == REASON_OK));

  zn_ram #(
      .Width(16),
      .Depth(Flows)
  ) u_last_seen (
      .clk_i,
      .we_i(stamp),
      .waddr_i(packet_e.flow[IndexBits-1:0]),
      .wdata_i(packet_e.op == RX_OP_PACKET ? now_ms_i : '0),
      .re_i(1'b1),
      .raddr_i(packet_d.flow[IndexBits-1:0]),
      .rdata_o(last_seen)
  );
endmodule

`default_nettype wire
