// SPDX-License-Identifier: Apache-2.0
// The entrance of the receive back end: makes slots of beats, each with the bytes after it that a header which begins
// in it may have, and the bytes before it. A beat leaves when the next ones of its packet, as far as a header may reach, are in.
//
// In front of a packet's first payload beat, or its last beat if there is none, a head slot is put in. It costs nothing: the
// notice in front of the packet on its way to the host takes that time.
//
// Handshake: valid/ready at the entrance, which also waits for credit_i; slots never wait. Latency: 2 cycles.
// Rate: one slot a cycle.
`default_nettype none

module zn_rx_window
  import zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned PacketMax = 2048,
    localparam int unsigned Bytes = DataWidth / 8
) (
    input  wire                          clk_i,
    input  wire                          rst_i,
    input  wire                          credit_i,
    input  wire                          s_valid_i,
    output logic                         s_ready_o,
    input  wire [DataWidth-1:0]          s_data_i,
    input  wire [Bytes-1:0]              s_keep_i,
    input  wire                          s_last_i,
    input  wire rx_meta_t                s_meta_i,
    input  wire rx_lookup_t              s_lookup_i,
    input  wire rx_end_t                 s_end_i,
    output slot_t                        slot_o,
    output packet_t                      packet_o,
    output logic [Bytes-1:0]             keep_o,
    output logic [Bytes+Carry-1:0][7:0]  data_o,   // the beat, and what follows it
    output carry_t                       before_o  // what came before it
);
  localparam int unsigned Log = $clog2(Bytes);
  localparam int unsigned Ahead = (Carry + Bytes - 1) / Bytes;  // beats that a header may reach into
  localparam int unsigned Entries = Ahead + 1;

  typedef struct packed {
    logic                  last;
    logic [Bytes-1:0][7:0] data;
    logic [Bytes-1:0]      keep;
    packet_t               packet;
    rx_end_t               outcome;
  } entry_t;

  entry_t [Entries-1:0] entry_q;  // the oldest in the low bits
  entry_t [Entries-1:0] entry_d;
  entry_t entry_new;
  entry_t oldest;
  logic [Entries-1:0] full_q;
  logic [Entries-1:0] full_kept;
  logic [Entries-1:0] full_d;
  logic accept;
  logic complete;   // all that the oldest beat needs is in
  logic emit_head;
  logic emit_beat;

  logic head_sent_q;
  logic [15:0] base_q;
  logic long_q;       // this beat or an earlier one is beyond PacketMax
  logic long_before_q;
  carry_t before_q;

  slot_t slot_d;
  slot_t slot_q;
  packet_t packet_q;
  logic [Bytes-1:0] keep_q;
  logic [Entries*Bytes-1:0][7:0] data;
  logic [Carry+Bytes-1:0][7:0] passed;
  logic [Bytes+Carry-1:0][7:0] data_q;
  carry_t slot_before_q;

  assign oldest = entry_q[0];

  // --- Entries: filled from the low end on.
  always_comb begin
    entry_new.last = s_last_i;
    entry_new.data = s_data_i;
    entry_new.keep = s_keep_i;
    entry_new.outcome = s_end_i;
    entry_new.packet.op = s_meta_i.op;
    entry_new.packet.seq = s_meta_i.seq;
    entry_new.packet.payload_offset = s_meta_i.payload_offset;
    entry_new.packet.payload_length = s_meta_i.op == RX_OP_PACKET ? s_meta_i.payload_length : '0;
    entry_new.packet.flow = s_meta_i.op == RX_OP_PACKET ? s_lookup_i.flow : s_meta_i.flow;
    entry_new.packet.cookie = s_meta_i.cookie;
    entry_new.packet.state = s_meta_i.state;
    entry_new.packet.hit = s_lookup_i.hit;
    entry_new.packet.flags = s_lookup_i.flags;
    entry_new.packet.max_frame = s_lookup_i.max_frame;
    entry_new.packet.reason = s_lookup_i.reason;
  end

  assign full_kept = emit_beat ? full_q >> 1 : full_q;
  assign s_ready_o = credit_i && !full_kept[Entries-1];
  assign accept = s_valid_i && s_ready_o;
  assign full_d = accept ? {full_kept[Entries-2:0], 1'b1} : full_kept;

  always_comb begin
    for (int i = 0; i < Entries; i++) begin
      entry_d[i] = emit_beat ? entry_q[i+1 < Entries ? i + 1 : i] : entry_q[i];
      if (!full_kept[i]) entry_d[i] = entry_new;
    end
  end

  always_comb begin
    logic ended;
    ended = oldest.last;
    complete = full_q[0];
    for (int i = 1; i < Entries; i++) begin
      complete = complete && (ended || full_q[i]);
      ended = ended || entry_q[i].last;
    end
  end

  // --- What the oldest beat is.
  logic [16:0] finish;     // of the payload, in the packet
  logic [16:0] distance;   // from the beat's first byte to there
  logic begins;            // the payload begins in this beat

  assign finish = {1'b0, oldest.packet.payload_offset} + {1'b0, oldest.packet.payload_length};
  assign distance = finish - {1'b0, base_q};
  assign begins = oldest.packet.payload_length != 16'd0
      && oldest.packet.payload_offset[15:Log] == base_q[15:Log];
  assign emit_head = complete && !head_sent_q && (begins || oldest.last);
  assign emit_beat = complete && !emit_head;

  always_comb begin
    slot_d = '0;
    slot_d.valid = complete;
    slot_d.head = emit_head;
    slot_d.last = oldest.last;
    slot_d.long_packet = long_q;
    slot_d.long_first = long_q && !long_before_q && !emit_head;
    slot_d.payload = oldest.packet.payload_length != 16'd0 && !long_q
        && oldest.packet.payload_offset[15:Log] <= base_q[15:Log];
    slot_d.payload_first = begins;
    slot_d.payload_last = slot_d.payload && !distance[16] && distance != 17'd0 && distance <= 17'(Bytes);
    slot_d.offset = 6'(oldest.packet.payload_offset[Log-1:0]);
    slot_d.finish = distance[16] ? 7'd0 : distance > 17'd127 ? 7'd127 : distance[6:0];
    slot_d.span = slot_d.finish < 7'(Bytes) ? slot_d.finish : 7'(Bytes);
    slot_d.base = base_q;
    slot_d.outcome = oldest.outcome;
  end

  always_comb begin
    for (int i = 0; i < Entries; i++) data[i*Bytes+:Bytes] = entry_q[i].data;
  end

  assign passed = {oldest.data, before_q};

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      full_q <= '0;
      head_sent_q <= 1'b0;
      base_q <= '0;
      long_q <= 1'b0;
      long_before_q <= 1'b0;
      slot_q.valid <= 1'b0;
    end else begin
      full_q <= full_d;
      slot_q <= slot_d;
      if (emit_head) head_sent_q <= 1'b1;
      if (emit_beat) begin
        head_sent_q <= !oldest.last && head_sent_q;
        base_q <= oldest.last ? '0 : long_q ? base_q : base_q + 16'(Bytes);
        long_q <= !oldest.last && (long_q || 32'(base_q) + Bytes >= PacketMax);
        long_before_q <= !oldest.last && long_q;
      end
    end
    entry_q <= entry_d;
    packet_q <= oldest.packet;
    keep_q <= oldest.keep;
    data_q <= data[Bytes+Carry-1:0];
    slot_before_q <= before_q;
    if (emit_beat) before_q <= passed[Bytes+:Carry];
  end

  assign slot_o = slot_q;
  assign packet_o = packet_q;
  assign keep_o = keep_q;
  assign data_o = data_q;
  assign before_o = slot_before_q;

  if (DataWidth != 64 && DataWidth != 128 && DataWidth != 256 && DataWidth != 512) $error("zn_rx_window: DataWidth is 64, 128, 256 or 512");
  if (PacketMax % Bytes != 0 || PacketMax + Bytes > 65536) $error("zn_rx_window: PacketMax is a multiple of a beat, below 65536");
endmodule

`default_nettype wire
