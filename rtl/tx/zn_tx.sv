// SPDX-License-Identifier: Apache-2.0
// The transmit side: commands of the host in, packets for the wire and records for the host out. It is the egress sequencer of
// all flows that it knows: it alone gives their sequence numbers, and reports each.
//
//   host -> command -> execute -+
//             |  reply ---------+-> flow -> compose -> queue -> emit -> wire
//             |  heartbeat -----+     |-> report -> host
//             +-> payload buffer      +-> receive side             (buffer -> emit)
//
// Everything that touches a flow is one operation, and operations take effect in `flow`, in one order, which is the order
// of records, packets and commands to the receive side.
//
// Handshake: valid/ready on all streams; settings_i as in zn_pkg. Latency: 22 cycles from a command's last beat to
// the packet's first. Rate: one beat a cycle to the wire, without a pause between the copies of a broadcast.
`default_nettype none

module zn_tx
  import zn_contract_pkg::*, zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,
    parameter int unsigned Skips = 16
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  settings_t              settings_i,
    input  wire  [31:0]            now_ms_i,
    output logic                   ready_after_reset_o,
    input  wire                    s_valid_i,
    output logic                   s_ready_o,
    input  wire  [DataWidth-1:0]   s_data_i,
    input  wire  [DataWidth/8-1:0] s_keep_i,
    input  wire                    s_last_i,
    output logic                   m_valid_o,
    input  wire                    m_ready_i,
    output logic [DataWidth-1:0]   m_data_o,
    output logic [DataWidth/8-1:0] m_keep_o,
    output logic                   m_last_o,
    output logic                   r_valid_o,
    input  wire                    r_ready_i,
    output logic [DataWidth-1:0]   r_data_o,
    output logic [DataWidth/8-1:0] r_keep_o,
    output logic                   r_last_o,
    output logic                   cmd_valid_o,
    input  wire                    cmd_ready_i,
    output rx_meta_t               cmd_meta_o,
    input  wire                    reply_valid_i,
    output logic                   reply_ready_o,
    input  reply_t                 reply_i,
    output logic                   count_raw_o,
    output logic                   count_segment_o,
    output logic                   count_skipped_o,
    output logic                   count_reply_o,
    output logic                   count_reply_refused_o,
    output logic                   count_heartbeat_o,
    output logic                   count_command_o,
    output logic                   count_bad_o,
    output logic                   count_report_o
);
  if (DataWidth != 64 && DataWidth != 128 && DataWidth != 256 && DataWidth != 512) begin : gen_data_width
    $error("zn_tx: DataWidth is 64, 128, 256 or 512");
  end
  if (Flows < 2 || Members < 2 || Skips < 1) $error("zn_tx: Flows and Members are at least 2, Skips 1");
  if (PayloadMax < 64 || PayloadMax > 65495) $error("zn_tx: PayloadMax is 64 to 65495");

  // The payload buffer holds four of the longest payloads, so that the next ones arrive while one is sent.
  localparam int unsigned PayloadBeats = 1 << $clog2(4 * PayloadMax / (DataWidth / 8));
  localparam int unsigned ReplySlots = 4;
  localparam int unsigned ReplyBeats = ReplySlots * 1024 / DataWidth;
  localparam int unsigned PacketsWaiting = 16;
  localparam logic [15:0] HeartbeatLength = 16'd3;
  localparam logic [15:0] HeartbeatSum = 16'h01b3;  // 0x81 0x01 0x32

  // --- Commands, with their payload and flow ids.

  logic payload_we;
  logic [$clog2(PayloadBeats)-1:0] payload_waddr;
  logic [DataWidth-1:0] payload_wdata;
  logic [$clog2(PayloadBeats):0] payload_release;
  logic ids_valid;
  logic ids_ready;
  logic [DataWidth-1:0] ids_data;
  tx_list_t ids_list;
  logic command_valid;
  logic command_ready;
  tx_command_t command;
  logic sum_valid;
  logic sum_ready;
  logic [15:0] sum;

  zn_tx_command #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Members(Members),
      .PayloadMax(PayloadMax),
      .Skips(Skips),
      .PayloadBeats(PayloadBeats)
  ) u_command (
      .clk_i,
      .rst_i,
      .s_valid_i,
      .s_ready_o,
      .s_data_i,
      .s_keep_i,
      .s_last_i,
      .payload_we_o(payload_we),
      .payload_addr_o(payload_waddr),
      .payload_data_o(payload_wdata),
      .payload_release_i(payload_release),
      .ids_valid_o(ids_valid),
      .ids_ready_i(ids_ready),
      .ids_data_o(ids_data),
      .ids_list_o(ids_list),
      .m_valid_o(command_valid),
      .m_ready_i(command_ready),
      .m_command_o(command),
      .sum_valid_o(sum_valid),
      .sum_ready_i(sum_ready),
      .sum_o(sum)
  );

  // --- Operations: of commands, replies and heartbeats in turn.

  logic flows_ready;
  logic members_ready;
  logic [2:0] op_request;
  logic [2:0] op_grant;
  logic host_valid;
  tx_op_t host_op;
  tx_setup_t host_setup;
  logic reply_valid;
  tx_op_t reply_op;
  logic reply_release;
  logic beat_valid;
  logic beat_urgent;
  logic [31:0] beat_flow;
  tx_op_t beat_op;
  logic op_valid;
  logic op_ready;
  tx_op_t op;

  zn_tx_execute #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Members(Members),
      .Skips(Skips)
  ) u_execute (
      .clk_i,
      .rst_i,
      .ready_after_reset_o(members_ready),
      .command_valid_i(command_valid),
      .command_ready_o(command_ready),
      .command_i(command),
      .sum_valid_i(sum_valid),
      .sum_ready_o(sum_ready),
      .sum_i(sum),
      .ids_valid_i(ids_valid),
      .ids_ready_o(ids_ready),
      .ids_data_i(ids_data),
      .ids_list_i(ids_list),
      .op_valid_o(host_valid),
      .op_ready_i(op_grant[0] && op_ready),
      .op_o(host_op),
      .setup_o(host_setup)
  );

  logic buffer_re;
  logic [$clog2(PayloadBeats)-1:0] payload_raddr;
  logic [DataWidth-1:0] payload_rdata;
  logic [$clog2(ReplyBeats)-1:0] reply_raddr;
  logic [DataWidth-1:0] reply_rdata;

  zn_tx_reply #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Slots(ReplySlots)
  ) u_reply (
      .clk_i,
      .rst_i,
      .reply_valid_i,
      .reply_ready_o,
      .reply_i,
      .op_valid_o(reply_valid),
      .op_ready_i(op_grant[1] && op_ready),
      .op_o(reply_op),
      .release_i(reply_release),
      .buffer_re_i(buffer_re),
      .buffer_addr_i(reply_raddr),
      .buffer_data_o(reply_rdata)
  );

  zn_tx_heartbeat #(
      .Flows(Flows)
  ) u_heartbeat (
      .clk_i,
      .rst_i,
      .on_i(settings_i.heartbeats_on),
      .valid_o(beat_valid),
      .urgent_o(beat_urgent),
      .ready_i(op_grant[2] && op_ready),
      .flow_o(beat_flow)
  );

  always_comb begin
    beat_op = '0;
    beat_op.kind = TX_OP_HEARTBEAT;
    beat_op.known = 1'b1;
    beat_op.push = 1'b1;
    beat_op.flow = beat_flow;
    beat_op.length = HeartbeatLength;
    beat_op.payload_sum = HeartbeatSum;
  end

  assign op_request = {beat_valid && (beat_urgent || !(host_valid || reply_valid)), reply_valid, host_valid};
  assign op_valid = op_request != '0;
  assign op = op_grant[0] ? host_op : op_grant[1] ? reply_op : beat_op;

  zn_arbiter #(
      .Ports(3)
  ) u_turn (
      .clk_i,
      .rst_i,
      .request_i(op_request),
      .advance_i(op_valid && op_ready),
      .grant_o(op_grant)
  );

  // --- What they do.

  logic segment_valid;
  logic segment_ready;
  tx_segment_t segment;
  logic record_valid;
  logic record_ready;
  report_record_t record;
  tx_counts_t counts;

  zn_tx_flow #(
      .Flows(Flows)
  ) u_flow (
      .clk_i,
      .rst_i,
      .settings_i,
      .now_ms_i,
      .ready_after_reset_o(flows_ready),
      .op_valid_i(op_valid),
      .op_ready_o(op_ready),
      .op_i(op),
      .setup_i(host_setup),
      .segment_valid_o(segment_valid),
      .segment_ready_i(segment_ready),
      .segment_o(segment),
      .record_valid_o(record_valid),
      .record_ready_i(record_ready),
      .record_o(record),
      .cmd_valid_o,
      .cmd_ready_i,
      .cmd_meta_o,
      .counts_o(counts)
  );

  assign ready_after_reset_o = flows_ready && members_ready;
  assign count_raw_o = counts.raw;
  assign count_segment_o = counts.segment;
  assign count_skipped_o = counts.skipped;
  assign count_reply_o = counts.reply;
  assign count_reply_refused_o = counts.reply_refused;
  assign count_heartbeat_o = counts.heartbeat;
  assign count_command_o = counts.command;
  assign count_bad_o = counts.bad;

  // --- To the host.

  zn_tx_report #(
      .DataWidth(DataWidth)
  ) u_report (
      .clk_i,
      .rst_i,
      .settings_i,
      .now_ms_i,
      .valid_i(record_valid),
      .ready_o(record_ready),
      .record_i(record),
      .r_valid_o,
      .r_ready_i,
      .r_data_o,
      .r_keep_o,
      .r_last_o,
      .count_o(count_report_o)
  );

  // --- To the wire.

  logic composed_valid;
  logic composed_ready;
  tx_packet_t composed;
  logic packet_valid;
  logic packet_ready;
  tx_packet_t packet;

  zn_tx_compose #(
      .DataWidth(DataWidth)
  ) u_compose (
      .clk_i,
      .rst_i,
      .settings_i,
      .segment_valid_i(segment_valid),
      .segment_ready_o(segment_ready),
      .segment_i(segment),
      .packet_valid_o(composed_valid),
      .packet_ready_i(composed_ready),
      .packet_o(composed)
  );

  zn_fifo #(
      .Width($bits(tx_packet_t)),
      .Depth(PacketsWaiting)
  ) u_packets (
      .clk_i,
      .rst_i,
      .valid_i(composed_valid),
      .ready_o(composed_ready),
      .data_i(composed),
      .valid_o(packet_valid),
      .ready_i(packet_ready),
      .data_o(packet),
      .count_o()
  );

  zn_ram #(
      .Width(DataWidth),
      .Depth(PayloadBeats)
  ) u_payload (
      .clk_i,
      .we_i(payload_we),
      .waddr_i(payload_waddr),
      .wdata_i(payload_wdata),
      .re_i(buffer_re),
      .raddr_i(payload_raddr),
      .rdata_o(payload_rdata)
  );

  zn_tx_emit #(
      .DataWidth(DataWidth),
      .PayloadBeats(PayloadBeats),
      .ReplyBeats(ReplyBeats)
  ) u_emit (
      .clk_i,
      .rst_i,
      .packet_valid_i(packet_valid),
      .packet_ready_o(packet_ready),
      .packet_i(packet),
      .buffer_re_o(buffer_re),
      .payload_addr_o(payload_raddr),
      .payload_data_i(payload_rdata),
      .payload_release_o(payload_release),
      .reply_addr_o(reply_raddr),
      .reply_data_i(reply_rdata),
      .reply_release_o(reply_release),
      .m_valid_o,
      .m_ready_i,
      .m_data_o,
      .m_keep_o,
      .m_last_o
  );
endmodule

`default_nettype wire
