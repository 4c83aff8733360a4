// SPDX-License-Identifier: Apache-2.0
// The receive back end: takes each packet with what the front end knows of it, follows the frames in its payload, and
// hands it to the host with its annotation, payload unmasked if it was treated. Commands take effect between
// packets and become reports. driver/README.md says what all that means.
//
//   s -> window -> header -> chain -> frames -> starts -> unmask -> output -> m
//                                        '----> describe (notice) ----'  '-> reply
//
// Only the entrance and the output wait; between them everything moves in each cycle. The entrance lets in what the output has
// room for.
//
// Handshake: valid/ready; data holds until taken. Latency: 16 + log2(DataWidth / 8) cycles at most from a packet's last beat to
// its annotation, when nothing is in front. Rate: one beat out a cycle, annotations included, whatever the packets hold.
`default_nettype none

module zn_rx_back
  import zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows     = 65536,
    parameter int unsigned PacketMax = 2048
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  wire settings_t         settings_i,
    input  wire [31:0]             now_ms_i,
    output logic                   ready_after_reset_o,

    input  wire                    s_valid_i,
    output logic                   s_ready_o,
    input  wire [DataWidth-1:0]    s_data_i,
    input  wire [DataWidth/8-1:0]  s_keep_i,
    input  wire                    s_last_i,
    input  wire rx_meta_t          s_meta_i,
    input  wire rx_lookup_t        s_lookup_i,
    input  wire rx_end_t           s_end_i,

    output logic                   m_valid_o,
    input  wire                    m_ready_i,
    output logic [DataWidth-1:0]   m_data_o,
    output logic [DataWidth/8-1:0] m_keep_o,
    output logic                   m_last_o,

    output logic                   reply_valid_o,
    input  wire                    reply_ready_i,
    output reply_t                 reply_o,

    output logic                   count_packet_o,
    output logic [7:0]             count_reason_o,
    output logic [7:0]             count_frames_o,
    output logic                   count_reply_missed_o,
    output logic                   count_heartbeat_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned Log = $clog2(Bytes);
  localparam int unsigned Levels = Log - 2;
  localparam int unsigned DataBits = 8 * (Bytes + Carry);
  localparam int unsigned PacketBits = $bits(packet_t);

  // --- Entrance.
  logic credit;
  slot_t slot;
  packet_t packet;
  logic [Bytes-1:0] keep;
  logic [Bytes+Carry-1:0][7:0] data;
  carry_t previous;

  zn_rx_window #(
      .DataWidth(DataWidth),
      .PacketMax(PacketMax)
  ) u_window (
      .clk_i,
      .rst_i,
      .credit_i(credit && ready_after_reset_o),
      .s_valid_i,
      .s_ready_o,
      .s_data_i,
      .s_keep_i,
      .s_last_i,
      .s_meta_i,
      .s_lookup_i,
      .s_end_i,
      .slot_o(slot),
      .packet_o(packet),
      .keep_o(keep),
      .data_o(data),
      .before_o(previous)
  );

  // --- What headers would say, and where chains of them lead.
  link_t [Bytes-1:0] link;
  logic [Bytes-1:0][33:0] rest;
  logic [Bytes-1:0][33:0] rest_now;
  link_t [Bytes-1:0] chain;
  link_t [Levels-1:0][Bytes-1:0] level;

  for (genvar p = 0; p < Bytes; p++) begin : gen_header
    logic [HeaderMax-1:0] there;
    always_comb begin
      for (int i = 0; i < HeaderMax; i++) there[i] = 7'(p + i) < slot.finish;
    end
    zn_rx_header #(
        .Bytes(Bytes),
        .Position(p)
    ) u_header (
        .clk_i,
        .window_i(data[p+:HeaderMax]),
        .there_i(there),
        .finish_i(slot.finish),
        .span_i(slot.span),
        .deflate_i(packet.flags[1]),
        .max_frame_i(packet.max_frame),
        .link_o(link[p]),
        .rest_o(rest[p])
    );
  end

  zn_rx_chain #(
      .Bytes(Bytes)
  ) u_chain (
      .clk_i,
      .link_i(link),
      .level_o(level),
      .link_o(chain)
  );

  zn_rx_shift #(
      .Width (Bytes * 34),
      .Cycles(Levels - 1)
  ) u_rest (
      .clk_i,
      .data_i(rest),
      .data_o(rest_now)
  );

  // --- The first and the last bytes of the payload.
  logic [Bytes+Carry-1:0][7:0] around;
  carry_t lead_q;
  carry_t tail_q;
  carry_t lead;
  carry_t tail;

  assign around = {data[Bytes-1:0], previous};

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < Carry; i++) begin
      logic [Bytes-1:0][7:0] choice;
      logic [Bytes:0][7:0] choice_back;
      choice = data[i+:Bytes];
      lead_q[i] <= choice[slot.offset[Log-1:0]];
      choice_back = around[i+:Bytes+1];
      tail_q[i] <= choice_back[slot.span[Log:0]];
    end
  end

  zn_rx_shift #(
      .Width (2 * 8 * Carry),
      .Cycles(Levels + 1)
  ) u_edges (
      .clk_i,
      .data_i({lead_q, tail_q}),
      .data_o({lead, tail})
  );

  // --- Frames.
  slot_t slot_early;
  slot_t slot_now;
  packet_t packet_early;
  packet_t packet_now;
  logic [Bytes+Carry-1:0][7:0] data_now;

  zn_rx_slot_shift #(
      .Cycles(Levels)
  ) u_slot_early (
      .clk_i,
      .rst_i,
      .slot_i(slot),
      .slot_o(slot_early)
  );

  zn_rx_slot_shift #(
      .Cycles(2)
  ) u_slot_now (
      .clk_i,
      .rst_i,
      .slot_i(slot_early),
      .slot_o(slot_now)
  );

  zn_rx_shift #(
      .Width (PacketBits),
      .Cycles(Levels)
  ) u_early (
      .clk_i,
      .data_i(packet),
      .data_o(packet_early)
  );

  zn_rx_shift #(
      .Width (PacketBits),
      .Cycles(2)
  ) u_now (
      .clk_i,
      .data_i(packet_early),
      .data_o(packet_now)
  );

  zn_rx_shift #(
      .Width (DataBits),
      .Cycles(Levels + 2)
  ) u_data (
      .clk_i,
      .data_i(data),
      .data_o(data_now)
  );

  slot_t f_slot;
  packet_t f_packet;
  logic [Bytes+Carry-1:0][7:0] f_data;
  logic f_has;
  logic [Log-1:0] f_start;
  logic f_partial;
  lanes_t f_lanes;
  logic [3:0] f_rest;
  opening_t opening;
  verdict_t verdict;

  zn_rx_frames #(
      .Bytes(Bytes),
      .Flows(Flows)
  ) u_frames (
      .clk_i,
      .rst_i,
      .receive_on_i(settings_i.receive_on),
      .ready_o(ready_after_reset_o),
      .early_slot_i(slot_early),
      .early_packet_i(packet_early),
      .slot_i(slot_now),
      .packet_i(packet_now),
      .link_i(chain),
      .rest_i(rest_now),
      .data_i(data_now),
      .lead_i(lead),
      .tail_i(tail),
      .slot_o(f_slot),
      .packet_o(f_packet),
      .data_o(f_data),
      .has_o(f_has),
      .start_o(f_start),
      .partial_o(f_partial),
      .lanes_o(f_lanes),
      .rest_o(f_rest),
      .opening_o(opening),
      .verdict_o(verdict)
  );

  // --- All headers of the beat.
  logic [Bytes-1:0] starts;
  logic [3:0] first_valid;
  logic [3:0][Log-1:0] first;

  zn_rx_starts #(
      .Bytes(Bytes)
  ) u_starts (
      .clk_i,
      .link_i(link),
      .level_i(level),
      .has_i(f_has),
      .start_i(f_start),
      .starts_o(starts),
      .first_valid_o(first_valid),
      .first_o(first)
  );

  // --- Unmasking.
  slot_t x_slot;
  logic [Bytes+Carry-1:0][7:0] x_data;
  lanes_t x_lanes;
  logic [3:0] x_rest;
  logic x_partial;

  zn_rx_slot_shift #(
      .Cycles(Levels)
  ) u_x_slot (
      .clk_i,
      .rst_i,
      .slot_i(f_slot),
      .slot_o(x_slot)
  );

  zn_rx_shift #(
      .Width (DataBits + $bits(lanes_t) + 4 + 1),
      .Cycles(Levels)
  ) u_unmask_in (
      .clk_i,
      .data_i({f_data, f_lanes, f_rest, f_partial}),
      .data_o({x_data, x_lanes, x_rest, x_partial})
  );

  logic [Bytes-1:0][7:0] change;

  zn_rx_unmask #(
      .Bytes(Bytes)
  ) u_unmask (
      .clk_i,
      .slot_i(x_slot),
      .data_i(x_data),
      .starts_i(starts),
      .lanes_i(x_lanes),
      .rest_i(x_rest),
      .xor_o(change)
  );

  // --- The notice.
  slot_t a_slot;
  packet_t a_packet;
  logic [Bytes+Carry-1:0][7:0] a_data;
  logic [6:0] headers_q;
  logic [6:0] e_headers;
  opening_t d_opening;
  verdict_t e_verdict;
  logic notice_valid;
  notice_t notice;

  zn_rx_slot_shift #(
      .Cycles(3)
  ) u_a_slot (
      .clk_i,
      .rst_i,
      .slot_i(f_slot),
      .slot_o(a_slot)
  );

  zn_rx_shift #(
      .Width (PacketBits + DataBits),
      .Cycles(3)
  ) u_describe_in (
      .clk_i,
      .data_i({f_packet, f_data}),
      .data_o({a_packet, a_data})
  );

  always_ff @(posedge clk_i) headers_q <= 7'($countones(starts)) - 7'(x_partial);

  zn_rx_shift #(
      .Width (7),
      .Cycles(6 - Levels)
  ) u_headers (
      .clk_i,
      .data_i(headers_q),
      .data_o(e_headers)
  );

  zn_rx_shift #(
      .Width ($bits(opening_t)),
      .Cycles(5)
  ) u_opening (
      .clk_i,
      .data_i(opening),
      .data_o(d_opening)
  );

  zn_rx_shift #(
      .Width ($bits(verdict_t)),
      .Cycles(6)
  ) u_verdict (
      .clk_i,
      .data_i(verdict),
      .data_o(e_verdict)
  );

  zn_rx_describe #(
      .Bytes(Bytes),
      .Flows(Flows)
  ) u_describe (
      .clk_i,
      .rst_i,
      .now_ms_i(now_ms_i[15:0]),
      .slot_a_i(a_slot),
      .packet_a_i(a_packet),
      .data_a_i(a_data),
      .first_valid_a_i(first_valid),
      .first_a_i(first),
      .opening_d_i(d_opening),
      .headers_e_i(e_headers),
      .verdict_e_i(e_verdict),
      .notice_valid_o(notice_valid),
      .notice_o(notice)
  );

  // --- Exit. Beats arrive there with their words.
  slot_t o_slot;
  logic [DataWidth-1:0] o_data;
  logic [Bytes-1:0] o_keep;

  zn_rx_slot_shift #(
      .Cycles(3)
  ) u_o_slot (
      .clk_i,
      .rst_i,
      .slot_i(x_slot),
      .slot_o(o_slot)
  );

  zn_rx_shift #(
      .Width (DataWidth),
      .Cycles(3)
  ) u_out_in (
      .clk_i,
      .data_i(x_data[Bytes-1:0]),
      .data_o(o_data)
  );

  zn_rx_shift #(
      .Width (Bytes),
      .Cycles(2 * Levels + 6)
  ) u_keep (
      .clk_i,
      .data_i(keep),
      .data_o(o_keep)
  );

  zn_rx_output #(
      .DataWidth(DataWidth),
      .PacketMax(PacketMax)
  ) u_output (
      .clk_i,
      .rst_i,
      .replies_on_i(settings_i.replies_on),
      .now_ms_i,
      .credit_o(credit),
      .accept_i(s_valid_i && s_ready_o),
      .beat_valid_i(o_slot.valid && !o_slot.head),
      .beat_data_i(o_data),
      .beat_xor_i(change),
      .beat_keep_i(o_keep),
      .beat_last_i(o_slot.last),
      .notice_valid_i(notice_valid),
      .notice_i(notice),
      .m_valid_o,
      .m_ready_i,
      .m_data_o,
      .m_keep_o,
      .m_last_o,
      .reply_valid_o,
      .reply_ready_i,
      .reply_o,
      .count_packet_o,
      .count_reason_o,
      .count_frames_o,
      .count_reply_missed_o,
      .count_heartbeat_o
  );
endmodule

`default_nettype wire
