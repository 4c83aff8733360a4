// SPDX-License-Identifier: Apache-2.0
// The receive front: packets from the wire, and commands between them, each with what is known of it.
//
//   s -> inject -> beats -----------------------> m_data
//   cmd ---'   '-> parse -> meta ---------------> m_meta
//                   |  '-> lookup --------------> m_lookup
//                   '----> end -----------------> m_end
//
// The beats wait in a FIFO until their packet was looked up; its last beat also waits for the verdict. The parser and
// the table never stop: each of the FIFOs holds as many entries as the one of the beats, and no packet has a second one.
//
// m_meta_o: for a packet op, seq, payload_offset and payload_length mean something. payload_offset and payload_length are
// set whenever the headers can be followed up to the payload (zn_rx_headers), else 0. They say where the payload is
// only if m_end_o.reason is REASON_OK; then steps 1 to 9 hold, and the annotation has them for every later reason too (NO_FLOW
// and beyond). For all other reasons the annotation's are 0, and m_meta_o may hold anything, a payload that ends beyond the
// packet's last byte included. m_meta_o.tuple is 0: the table has done with it.
// m_end_o is 0 but with the last beat.
// m_lookup_o.hit is 0 if the headers cannot be followed; it may be 1 with any reason, and counts only with REASON_OK.
//
// Handshake: valid/ready; data holds until taken. A packet begins to leave when its first HeaderBytes bytes or its last beat
// are in. Latency: 13 cycles from the beat that completes the headers to the packet's first beat; at least
// $clog2(DataWidth/16) + 10 for its last beat. Rate: one beat a cycle, packets of one beat included.
`default_nettype none

module zn_rx_front
  import zn_pkg::*, zn_rx_front_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows     = 65536,
    parameter int unsigned Buckets   = Flows / 2,
    parameter int unsigned PacketMax = 2048
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire settings_t        settings_i,
    output logic                  ready_after_reset_o,

    input  wire                   s_valid_i,
    output logic                  s_ready_o,
    input  wire [DataWidth-1:0]   s_data_i,
    input  wire [DataWidth/8-1:0] s_keep_i,
    input  wire                   s_last_i,
    input  wire                   s_bad_i,

    input  wire                   cmd_valid_i,
    output logic                  cmd_ready_o,
    input  wire rx_meta_t         cmd_meta_i,

    output logic                  m_valid_o,
    input  wire                   m_ready_i,
    output logic [DataWidth-1:0]  m_data_o,
    output logic [DataWidth/8-1:0] m_keep_o,
    output logic                  m_last_o,
    output rx_meta_t              m_meta_o,
    output rx_lookup_t            m_lookup_o,
    output rx_end_t               m_end_o
);
  localparam int unsigned Depth = 32;  // more than the latency plus the beats of HeaderBytes

  logic beats_ready, taken, taken_last, taken_command, taken_bad;
  logic [DataWidth/8-1:0] taken_keep;

  zn_rx_inject u_inject (
      .clk_i,
      .rst_i,
      .room_i   (ready_after_reset_o && beats_ready),
      .s_valid_i,
      .s_ready_o,
      .s_last_i,
      .cmd_valid_i,
      .cmd_ready_o,
      .taken_o  (taken),
      .last_o   (taken_last),
      .command_o(taken_command)
  );

  assign taken_keep = s_keep_i | {(DataWidth / 8) {taken_command}};
  assign taken_bad = s_bad_i && !taken_command;

  logic meta_valid, search, end_valid, lookup_valid;
  rx_meta_t meta;
  rx_end_t packet_end;
  rx_lookup_t lookup;
  lookup_request_t request;

  zn_rx_parse #(
      .DataWidth(DataWidth),
      .PacketMax(PacketMax)
  ) u_parse (
      .clk_i,
      .rst_i,
      .valid_i       (taken),
      .data_i        (s_data_i),
      .keep_i        (taken_keep),
      .last_i        (taken_last),
      .bad_i         (taken_bad),
      .command_i     (taken_command),
      .command_meta_i(cmd_meta_i),
      .meta_valid_o  (meta_valid),
      .meta_o        (meta),
      .search_o      (search),
      .end_valid_o   (end_valid),
      .end_o         (packet_end)
  );

  assign request = '{
          op: meta.op,
          search: search,
          tuple: meta.tuple,
          flow: meta.flow,
          flags: meta.flags,
          max_frame: meta.max_frame
      };

  zn_rx_lookup #(
      .Flows  (Flows),
      .Buckets(Buckets)
  ) u_lookup (
      .clk_i,
      .rst_i,
      .hash_key_i(settings_i.hash_key),
      .ready_o   (ready_after_reset_o),
      .valid_i   (meta_valid),
      .request_i (request),
      .valid_o   (lookup_valid),
      .lookup_o  (lookup)
  );

  // What leaves together.
  logic beat_out_valid, lookup_out_valid, end_out_valid, meta_out_valid;
  logic out_taken, packet_taken;
  logic meta_room, lookup_room, end_room;
  rx_end_t end_out;

  assign m_valid_o = beat_out_valid && meta_out_valid && lookup_out_valid && (end_out_valid || !m_last_o);
  assign out_taken = m_valid_o && m_ready_i;
  assign packet_taken = out_taken && m_last_o;
  assign m_meta_o.tuple = '0;
  assign m_end_o = m_last_o ? end_out : '0;

  zn_fifo #(
      .Width(DataWidth + DataWidth / 8 + 1),
      .Depth(Depth)
  ) u_beats (
      .clk_i,
      .rst_i,
      .valid_i(taken),
      .ready_o(beats_ready),
      .data_i ({taken_last, taken_keep, s_data_i}),
      .valid_o(beat_out_valid),
      .ready_i(out_taken),
      .data_o ({m_last_o, m_keep_o, m_data_o}),
      .count_o()
  );

  zn_fifo #(
      .Width($bits(rx_meta_t) - $bits(flow_tuple_t)),
      .Depth(Depth)
  ) u_meta (
      .clk_i,
      .rst_i,
      .valid_i(meta_valid),
      .ready_o(meta_room),
      .data_i ({meta.op, meta.seq, meta.payload_offset, meta.payload_length, meta.flow, meta.cookie, meta.flags,
                meta.max_frame, meta.state}),
      .valid_o(meta_out_valid),
      .ready_i(packet_taken),
      .data_o ({m_meta_o.op, m_meta_o.seq, m_meta_o.payload_offset, m_meta_o.payload_length, m_meta_o.flow,
                m_meta_o.cookie, m_meta_o.flags, m_meta_o.max_frame, m_meta_o.state}),
      .count_o()
  );

  zn_fifo #(
      .Width($bits(rx_lookup_t)),
      .Depth(Depth)
  ) u_lookups (
      .clk_i,
      .rst_i,
      .valid_i(lookup_valid),
      .ready_o(lookup_room),
      .data_i (lookup),
      .valid_o(lookup_out_valid),
      .ready_i(packet_taken),
      .data_o (m_lookup_o),
      .count_o()
  );

  zn_fifo #(
      .Width($bits(rx_end_t)),
      .Depth(Depth)
  ) u_ends (
      .clk_i,
      .rst_i,
      .valid_i(end_valid),
      .ready_o(end_room),
      .data_i (packet_end),
      .valid_o(end_out_valid),
      .ready_i(packet_taken),
      .data_o (end_out),
      .count_o()
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) meta_valid |-> meta_room);
  assert property (@(posedge clk_i) disable iff (rst_i) lookup_valid |-> lookup_room);
  assert property (@(posedge clk_i) disable iff (rst_i) end_valid |-> end_room);
  assert property (@(posedge clk_i) disable iff (rst_i) m_valid_o && !m_ready_i |=> m_valid_o && $stable(m_data_o));
`endif
endmodule

`default_nettype wire
