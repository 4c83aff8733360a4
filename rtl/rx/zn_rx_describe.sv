// SPDX-License-Identifier: Apache-2.0
// Describes a packet's first frames, counts them all, finds pings, probes and answers to heartbeats, and writes what stands in
// front of the packet on its way to the host.
//
// Ports are named after the stage they belong to: _a is 3 cycles after zn_rx_frames' slot_o, _c two cycles
// later. Latency: 3 cycles from _a to notice_o. Rate: one slot a cycle.
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
    input  wire [6:0]                  headers_c_i,      // in the beat, those that became complete
    input  wire opening_t              opening_c_i,
    input  wire verdict_t              verdict_c_i,
    output logic                       notice_valid_o,
    output notice_t                    notice_o
);
  localparam int unsigned IndexBits = $clog2(Flows);
  localparam int unsigned Descs = 4;

  // A frame, and what it is besides.
  typedef struct packed {
    logic        valid;
    frame_desc_t desc;
    logic        heartbeat;
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
        window_b[i][k] <= data_a_i[(Log+1)'(first_a_i[i]) + (Log+1)'(k)];
      end
    end
  end

  // --- Stage b: what they are. A text of up to 6 bytes ends inside the window.
  frame_t [3:0] frame_c;
  slot_t slot_c;
  packet_t packet_c;

  function automatic frame_t frame_read(input window_t w, input slot_t slot, input packet_t packet,
                                        input logic valid, input logic [6:0] at);
    frame_t f;
    header_t h;
    logic [HeaderMax-1:0] there;
    logic [5:0][7:0] text;
    logic [16:0] room;
    for (int i = 0; i < HeaderMax; i++) there[i] = 8'(at) + 8'(i) < {1'b0, slot.finish};
    for (int i = 0; i < 6; i++) text[i] = w[6+i] ^ w[2+i%4];
    h = header_judge(header_facts(w, there, packet.flags[FLOW_DEFLATE_BIT], packet.max_frame));
    f.valid = valid && h.complete;
    f.desc.offset = slot.base + 16'(at) + 16'(h.need) - packet.payload_offset;
    f.desc.b0 = w[0];
    f.desc.length = h.length;
    room = {1'b0, packet.payload_length} - {1'b0, f.desc.offset};
    f.desc.flags = '0;
    f.desc.flags[FRAME_COMPLETE_BIT] = h.length <= {15'd0, room};
    f.heartbeat = f.desc.flags[FRAME_COMPLETE_BIT] && packet.flags[FLOW_ENGINE_BIT]
        && w[0] == 8'h81 && h.length == 32'd1 && text[0] == "3";
    f.probe = f.desc.flags[FRAME_COMPLETE_BIT] && packet.flags[FLOW_ENGINE_BIT]
        && w[0] == 8'h81 && h.length == 32'd6 && text == {"e", "b", "o", "r", "p", "2"};
    f.ping = f.desc.flags[FRAME_COMPLETE_BIT] && packet.flags[FLOW_ANSWER_BIT] && w[0] == 8'h89;
    f.desc.flags[FRAME_HEARTBEAT_BIT] = f.heartbeat;
    return f;
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_i) slot_c.valid <= 1'b0;
    else slot_c <= slot_b;
    packet_c <= packet_b;
    for (int i = 0; i < Descs; i++) begin
      frame_c[i] <= frame_read(window_b[i], slot_b, packet_b, valid_b[i], 7'(at_b[i]));
    end
  end

  // --- Stage c: the packet's frames so far.
  frame_t [3:0] frames_q;
  frame_t [3:0] frames_d;
  logic [7:0] count_q;
  logic [7:0] count_d;
  place_t place_q;
  frame_t split;

  always_comb begin
    split.valid = opening_c_i.split;
    split.desc.offset = 16'(opening_c_i.rest);
    split.desc.b0 = opening_c_i.b0;
    split.desc.flags = '0;
    split.desc.flags[FRAME_SPLIT_BIT] = 1'b1;
    split.desc.flags[FRAME_COMPLETE_BIT] = {1'b0, opening_c_i.length} + 33'(opening_c_i.rest) <= 33'(packet_c.payload_length);
    split.desc.length = opening_c_i.length;
    {split.heartbeat, split.ping, split.probe} = '0;
  end

  always_comb begin
    logic [8:0] sum;
    frames_d = frames_q;
    sum = {1'b0, count_q} + {2'd0, headers_c_i};
    count_d = sum[8] ? 8'd255 : sum[7:0];
    for (int i = 0; i < Descs; i++) begin
      for (int k = 0; k <= i; k++) begin
        if (count_q == 8'(i - k)) frames_d[i] = frame_c[k];
      end
    end
    if (slot_c.head) begin
      frames_d = '0;
      frames_d[0] = split.valid ? split : '0;
      count_d = {7'd0, split.valid};
    end
  end

  always_ff @(posedge clk_i) begin
    if (slot_c.valid) begin
      frames_q <= frames_d;
      count_q <= count_d;
      if (slot_c.head) place_q <= opening_c_i.place;
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
    annotation.reason = verdict_c_i.reason;
    annotation.flags[RX_FLOW_BIT] = verdict_c_i.has_flow;
    annotation.flags[RX_CHECKSUM_OK_BIT] = !slot_c.long_packet && slot_c.outcome.checksum_ok;
    if (verdict_c_i.reason == REASON_OK || verdict_c_i.reason >= REASON_NO_FLOW) begin
      annotation.payload_offset = packet_c.payload_offset;
      annotation.payload_length = packet_c.payload_length;
    end
    if (!slot_c.long_packet) annotation.packet_length = slot_c.outcome.packet_length;
    if (verdict_c_i.has_flow) begin
      annotation.flow = packet_c.flow;
      annotation.rcv_nxt = verdict_c_i.rcv_nxt;
      annotation.state = state_of(place_q);
    end
    seen = 1'b0;
    for (int i = 0; i < Descs; i++) begin
      if (verdict_c_i.treated && frames_d[i].valid) begin
        annotation.frame[i] = frames_d[i].desc;
        seen = seen || frames_d[i].heartbeat;
      end
    end
    if (verdict_c_i.treated) annotation.frames = count_d;

    record.kind = RECORD_RX_DONE;
    record.reason = verdict_c_i.reason;
    record.length = '0;
    record.flow = packet_c.flow;
    record.seq = packet_c.op == RX_OP_READ && verdict_c_i.reason == REASON_OK ? {16'd0, last_seen} : '0;
    record.cookie = packet_c.cookie;

    notice_d = '0;
    notice_d.command = packet_c.op != RX_OP_PACKET;
    notice_d.header = notice_d.command ? 512'(record) : annotation;
    notice_d.treated = verdict_c_i.treated;
    notice_d.heartbeat = seen;
    for (int i = Descs - 1; i >= 0; i--) begin
      if (verdict_c_i.treated && frames_d[i].valid && (frames_d[i].ping || frames_d[i].probe)) begin
        notice_d.asks = 1'b1;
        notice_d.ask = 2'(i);
        notice_d.probe = frames_d[i].probe;
        notice_d.ask_start = packet_c.payload_offset + frames_d[i].desc.offset;
        notice_d.ask_length = frames_d[i].desc.length[6:0];
        notice_d.cookie = packet_c.seq + {16'd0, frames_d[i].desc.offset};
      end
    end
  end

  function automatic ws_state_t state_of(input place_t place);
    parser_t s;
    s = parser_of(place);
    return '{key: s.key, length: s.length, reserved_4: '0, b1: s.b1, b0: s.b0, fill: {4'd0, s.fill}};
  endfunction

  always_ff @(posedge clk_i) begin
    notice_valid_o <= !rst_i && slot_c.valid && !slot_c.head && verdict_c_i.push;
    notice_o <= notice_d;
  end

  // --- When a flow last answered a heartbeat. ADD writes it before READ reads it, so it needs no clearing.
  assign stamp = slot_c.valid && !slot_c.head && verdict_c_i.push
      && (seen || (packet_c.op == RX_OP_ADD && verdict_c_i.reason == REASON_OK));

  zn_ram #(
      .Width(16),
      .Depth(Flows)
  ) u_last_seen (
      .clk_i,
      .we_i(stamp),
      .waddr_i(packet_c.flow[IndexBits-1:0]),
      .wdata_i(packet_c.op == RX_OP_PACKET ? now_ms_i : '0),
      .re_i(1'b1),
      .raddr_i(packet_b.flow[IndexBits-1:0]),
      .rdata_o(last_seen)
  );
endmodule

`default_nettype wire
