// SPDX-License-Identifier: Apache-2.0
// Holds packets until they are decided, then sends them to the host: the notice in front, and payload unmasked if the
// packet was treated. A command becomes a report.
//
// A beat is promised room when it is accepted (accept_i); credit_o says that there is room for it. Beats and notices may come in any
// order to each other; each packet has one notice, which may come before its last beat (long packets).
//
// Handshake: beat_valid_i and notice_valid_i are never refused; m_*: valid/ready, data holds until taken.
// Latency: 3 cycles from a notice to its first beat. Rate: one beat a cycle, without gaps between packets.
`default_nettype none

module zn_rx_output
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned PacketMax = 2048,
    localparam int unsigned Bytes = DataWidth / 8
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire                  replies_on_i,
    input  wire [31:0]           now_ms_i,
    output logic                 credit_o,
    input  wire                  accept_i,
    input  wire                  beat_valid_i,
    input  wire [DataWidth-1:0]  beat_data_i,
    input  wire [DataWidth-1:0]  beat_xor_i,
    input  wire [Bytes-1:0]      beat_keep_i,
    input  wire                  beat_last_i,
    input  wire                  notice_valid_i,
    input  wire notice_t         notice_i,
    output logic                 m_valid_o,
    input  wire                  m_ready_i,
    output logic [DataWidth-1:0] m_data_o,
    output logic [Bytes-1:0]     m_keep_o,
    output logic                 m_last_o,
    output logic                 reply_valid_o,
    input  wire                  reply_ready_i,
    output reply_t               reply_o,
    output logic                 count_packet_o,
    output logic [7:0]           count_reason_o,
    output logic [7:0]           count_frames_o,
    output logic                 count_reply_missed_o,
    output logic                 count_heartbeat_o
);
  // Two of the longest packets that wait for their end, and what is on its way through the pipeline.
  localparam int unsigned Depth = 1 << $clog2(2 * PacketMax / Bytes + 48);
  localparam int unsigned CountBits = $clog2(Depth + 1);
  localparam int unsigned HeaderWords = 64 / Bytes;
  localparam int unsigned RecordWords = ($bits(report_record_t) / 8 + Bytes - 1) / Bytes;
  localparam int unsigned Words = HeaderWords + RecordWords;
  localparam int unsigned WordBits = $clog2(Words + 1);

  // --- Room. Two beats may be on their way when it runs out.
  logic [CountBits-1:0] used_q;
  logic beat_pop;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      used_q <= '0;
      credit_o <= 1'b0;
    end else begin
      used_q <= used_q + CountBits'(accept_i) - CountBits'(beat_pop);
      credit_o <= used_q < CountBits'(Depth - 2);
    end
  end

  // --- What waits.
  typedef struct packed {
    logic                 last;
    logic [Bytes-1:0]     keep;
    logic [DataWidth-1:0] change;
    logic [DataWidth-1:0] data;
  } beat_t;

  beat_t beat;
  logic beat_valid;
  notice_t notice;
  logic notice_valid;
  logic notice_pop;

  zn_fifo #(
      .Width($bits(beat_t)),
      .Depth(Depth)
  ) u_beats (
      .clk_i,
      .rst_i,
      .valid_i(beat_valid_i),
      .ready_o(),
      .data_i({beat_last_i, beat_keep_i, beat_xor_i, beat_data_i}),
      .valid_o(beat_valid),
      .ready_i(beat_pop),
      .data_o(beat),
      .count_o()
  );

  zn_fifo #(
      .Width($bits(notice_t)),
      .Depth(Depth)
  ) u_notices (
      .clk_i,
      .rst_i,
      .valid_i(notice_valid_i),
      .ready_o(),
      .data_i(notice_i),
      .valid_o(notice_valid),
      .ready_i(notice_pop),
      .data_o(notice),
      .count_o()
  );

  // --- The packet that leaves.
  logic busy_q;
  logic command_q;
  logic treated_q;
  logic [Words*DataWidth-1:0] words_q;  // in front of it; a report's are the whole
  logic [WordBits-1:0] word_q;
  logic [WordBits-1:0] word_end;
  logic in_front;     // words are left
  logic out_valid;
  logic out_ready;
  logic out_last;
  logic [DataWidth-1:0] out_data;
  logic done;
  logic room;
  logic take;
  rx_annotation_t annotation;
  report_header_t report;

  assign word_end = command_q ? WordBits'(Words) : WordBits'(HeaderWords);
  assign in_front = word_q != word_end;
  assign out_last = command_q ? word_q == WordBits'(Words - 1) : !in_front && beat.last;
  assign out_valid = busy_q && (command_q && out_last ? beat_valid : in_front || beat_valid);
  assign out_data = in_front ? words_q[DataWidth-1:0] : beat.data ^ (treated_q ? beat.change : '0);
  assign done = out_valid && out_ready && out_last;
  assign beat_pop = out_valid && out_ready && (!in_front || (command_q && out_last));
  assign notice_pop = notice_valid && (!busy_q || done);
  assign take = notice_pop && notice.asks && replies_on_i && room;

  always_comb begin
    annotation = notice.header;
    if (take) annotation.frame[notice.ask].flags[FRAME_TAKEN_BIT] = 1'b1;
    report = '0;
    report.kind = MSG_REPORT;
    report.version = CONTRACT_VERSION;
    report.count = 16'd1;
    report.now_ms = now_ms_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) busy_q <= 1'b0;
    else busy_q <= notice_pop || (busy_q && !done);
    if (notice_pop) begin
      command_q <= notice.command;
      treated_q <= notice.treated;
      word_q <= '0;
      words_q <= notice.command ? (Words * DataWidth)'({notice.header[127:0], report})
          : (Words * DataWidth)'(annotation);
    end else if (out_valid && out_ready && in_front) begin
      word_q <= word_q + 1'b1;
      words_q <= words_q >> DataWidth;
    end
  end

  zn_skid #(
      .Width(DataWidth + Bytes + 1)
  ) u_out (
      .clk_i,
      .rst_i,
      .valid_i(out_valid),
      .ready_o(out_ready),
      .data_i({out_last, in_front ? {Bytes{1'b1}} : beat.keep, out_data}),
      .valid_o(m_valid_o),
      .ready_i(m_ready_i),
      .data_o({m_last_o, m_keep_o, m_data_o})
  );

  zn_rx_reply #(
      .Bytes(Bytes)
  ) u_reply (
      .clk_i,
      .rst_i,
      .room_o(room),
      .take_i(take),
      .probe_i(notice.probe),
      .start_i(notice.ask_start),
      .length_i(notice.ask_length),
      .flow_i(annotation.flow),
      .cookie_i(notice.cookie),
      .beat_i(beat_pop),
      .last_i(out_last),
      .data_i(out_data),
      .reply_valid_o,
      .reply_ready_i,
      .reply_o
  );

  always_ff @(posedge clk_i) begin
    count_packet_o <= !rst_i && notice_pop && !notice.command;
    count_reason_o <= annotation.reason;
    count_frames_o <= annotation.frames;
    count_reply_missed_o <= !rst_i && notice_pop && notice.asks && replies_on_i && !room;
    count_heartbeat_o <= !rst_i && notice_pop && notice.heartbeat;
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) used_q <= CountBits'(Depth));
`endif
endmodule

`default_nettype wire
