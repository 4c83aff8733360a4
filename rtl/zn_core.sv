// SPDX-License-Identifier: Apache-2.0
// The zapnic core: a bump in the wire between MAC and host.
//
//   rx (MAC) ----> zn_rx_front ----> zn_rx_back ----> mux ----> host_rx
//                       ^ commands        | replies    ^ reports
//   tx (MAC) <------------------------- zn_tx ---------'<------ host_tx
//   axil <-------> zn_regs: settings, clock, counters
//
// rx_bad_i stands with rx_last_i: the MAC found the packet broken. Every packet of host_rx and host_tx begins with the
// 64-byte header of driver/README.md. Nothing is taken before ready_o, which comes when the tables are clear.
//
// Handshake: valid/ready on all streams; data holds until taken; tkeep is all ones but in a last beat.
// Latency: that of the blocks, and 1 cycle in the mux. Rate: one beat a cycle on each stream.
`default_nettype none

module zn_core
  import zn_contract_pkg::*, zn_pkg::*;
#(
    parameter int unsigned DataWidth = 512,        // 64, 128, 256, 512
    parameter int unsigned Flows = 65536,
    parameter int unsigned Buckets = Flows / 2,    // of the flow table, four slots each
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,      // bytes
    parameter int unsigned PacketMax = 2048,       // bytes; 9216 for jumbo packets
    parameter int unsigned Skips = 16,
    parameter int unsigned MsCycles = 250000       // cycles of a millisecond, until the host says otherwise
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    output logic                   ready_o,

    input  wire                    rx_valid_i,
    output logic                   rx_ready_o,
    input  wire  [DataWidth-1:0]   rx_data_i,
    input  wire  [DataWidth/8-1:0] rx_keep_i,
    input  wire                    rx_last_i,
    input  wire                    rx_bad_i,

    output logic                   host_rx_valid_o,
    input  wire                    host_rx_ready_i,
    output logic [DataWidth-1:0]   host_rx_data_o,
    output logic [DataWidth/8-1:0] host_rx_keep_o,
    output logic                   host_rx_last_o,

    input  wire                    host_tx_valid_i,
    output logic                   host_tx_ready_o,
    input  wire  [DataWidth-1:0]   host_tx_data_i,
    input  wire  [DataWidth/8-1:0] host_tx_keep_i,
    input  wire                    host_tx_last_i,

    output logic                   tx_valid_o,
    input  wire                    tx_ready_i,
    output logic [DataWidth-1:0]   tx_data_o,
    output logic [DataWidth/8-1:0] tx_keep_o,
    output logic                   tx_last_o,

    input  wire                    axil_awvalid_i,
    output logic                   axil_awready_o,
    input  wire  [11:0]            axil_awaddr_i,
    input  wire                    axil_wvalid_i,
    output logic                   axil_wready_o,
    input  wire  [31:0]            axil_wdata_i,
    input  wire  [3:0]             axil_wstrb_i,
    output logic                   axil_bvalid_o,
    input  wire                    axil_bready_i,
    output logic [1:0]             axil_bresp_o,
    input  wire                    axil_arvalid_i,
    output logic                   axil_arready_o,
    input  wire  [11:0]            axil_araddr_i,
    output logic                   axil_rvalid_o,
    input  wire                    axil_rready_i,
    output logic [31:0]            axil_rdata_o,
    output logic [1:0]             axil_rresp_o
);
  if (!(DataWidth inside {64, 128, 256, 512})) $error("zn_core: DataWidth is 64, 128, 256 or 512");
  if (Flows < 2 || Members < 2) $error("zn_core: Flows and Members are at least 2");
  if (Buckets < 2 || (Buckets & (Buckets - 1)) != 0) $error("zn_core: Buckets is a power of two");
  if (PayloadMax > 65535 || PacketMax > 65535) $error("zn_core: lengths have 16 bits");

  localparam int unsigned Bytes = DataWidth / 8;

  settings_t settings;
  logic [31:0] now_ms;

  // --- Start: nothing is taken before all blocks are ready.

  logic front_ready;
  logic back_ready;
  logic tx_side_ready;
  logic ready_q;
  logic rx_ready;
  logic host_tx_ready;

  assign ready_o = ready_q;
  assign rx_ready_o = rx_ready && ready_q;
  assign host_tx_ready_o = host_tx_ready && ready_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) ready_q <= 1'b0;
    else ready_q <= front_ready && back_ready && tx_side_ready;
  end

  // --- Receive

  logic cmd_valid;
  logic cmd_ready;
  rx_meta_t cmd_meta;
  logic packet_valid;
  logic packet_ready;
  logic [DataWidth-1:0] packet_data;
  logic [Bytes-1:0] packet_keep;
  logic packet_last;
  rx_meta_t packet_meta;
  rx_lookup_t packet_lookup;
  rx_end_t packet_end;

  zn_rx_front #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Buckets(Buckets),
      .PacketMax(PacketMax)
  ) u_rx_front (
      .clk_i,
      .rst_i,
      .settings_i(settings),
      .ready_after_reset_o(front_ready),
      .s_valid_i(rx_valid_i && ready_q),
      .s_ready_o(rx_ready),
      .s_data_i(rx_data_i),
      .s_keep_i(rx_keep_i),
      .s_last_i(rx_last_i),
      .s_bad_i(rx_bad_i),
      .cmd_valid_i(cmd_valid),
      .cmd_ready_o(cmd_ready),
      .cmd_meta_i(cmd_meta),
      .m_valid_o(packet_valid),
      .m_ready_i(packet_ready),
      .m_data_o(packet_data),
      .m_keep_o(packet_keep),
      .m_last_o(packet_last),
      .m_meta_o(packet_meta),
      .m_lookup_o(packet_lookup),
      .m_end_o(packet_end)
  );

  // Streams to the host, packets and reports, each {keep, data}.
  logic [1:0] up_valid;
  logic [1:0] up_ready;
  logic [1:0] up_last;
  logic [1:0][DataWidth-1:0] up_data;
  logic [1:0][Bytes-1:0] up_keep;

  logic reply_valid;
  logic reply_ready;
  reply_t reply;
  logic count_packet;
  logic [7:0] count_reason;
  logic [7:0] count_frames;
  logic count_reply_missed;
  logic count_heartbeat_seen;

  zn_rx_back #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .PacketMax(PacketMax)
  ) u_rx_back (
      .clk_i,
      .rst_i,
      .settings_i(settings),
      .now_ms_i(now_ms),
      .ready_after_reset_o(back_ready),
      .s_valid_i(packet_valid),
      .s_ready_o(packet_ready),
      .s_data_i(packet_data),
      .s_keep_i(packet_keep),
      .s_last_i(packet_last),
      .s_meta_i(packet_meta),
      .s_lookup_i(packet_lookup),
      .s_end_i(packet_end),
      .m_valid_o(up_valid[0]),
      .m_ready_i(up_ready[0]),
      .m_data_o(up_data[0]),
      .m_keep_o(up_keep[0]),
      .m_last_o(up_last[0]),
      .reply_valid_o(reply_valid),
      .reply_ready_i(reply_ready),
      .reply_o(reply),
      .count_packet_o(count_packet),
      .count_reason_o(count_reason),
      .count_frames_o(count_frames),
      .count_reply_missed_o(count_reply_missed),
      .count_heartbeat_o(count_heartbeat_seen)
  );

  // --- Transmit

  logic count_raw;
  logic count_segment;
  logic count_skipped;
  logic count_reply;
  logic count_reply_refused;
  logic count_heartbeat;
  logic count_command;
  logic count_bad;

  zn_tx #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Members(Members),
      .PayloadMax(PayloadMax),
      .Skips(Skips)
  ) u_tx (
      .clk_i,
      .rst_i,
      .settings_i(settings),
      .now_ms_i(now_ms),
      .ready_after_reset_o(tx_side_ready),
      .s_valid_i(host_tx_valid_i && ready_q),
      .s_ready_o(host_tx_ready),
      .s_data_i(host_tx_data_i),
      .s_keep_i(host_tx_keep_i),
      .s_last_i(host_tx_last_i),
      .m_valid_o(tx_valid_o),
      .m_ready_i(tx_ready_i),
      .m_data_o(tx_data_o),
      .m_keep_o(tx_keep_o),
      .m_last_o(tx_last_o),
      .r_valid_o(up_valid[1]),
      .r_ready_i(up_ready[1]),
      .r_data_o(up_data[1]),
      .r_keep_o(up_keep[1]),
      .r_last_o(up_last[1]),
      .cmd_valid_o(cmd_valid),
      .cmd_ready_i(cmd_ready),
      .cmd_meta_o(cmd_meta),
      .reply_valid_i(reply_valid),
      .reply_ready_o(reply_ready),
      .reply_i(reply),
      .count_raw_o(count_raw),
      .count_segment_o(count_segment),
      .count_skipped_o(count_skipped),
      .count_reply_o(count_reply),
      .count_reply_refused_o(count_reply_refused),
      .count_heartbeat_o(count_heartbeat),
      .count_command_o(count_command),
      .count_bad_o(count_bad),
      .count_report_o()
  );

  // --- To the host

  zn_stream_mux #(
      .Ports(2),
      .Width(DataWidth + Bytes)
  ) u_host_rx (
      .clk_i,
      .rst_i,
      .valid_i(up_valid),
      .ready_o(up_ready),
      .data_i({up_keep[1], up_data[1], up_keep[0], up_data[0]}),
      .last_i(up_last),
      .valid_o(host_rx_valid_o),
      .ready_i(host_rx_ready_i),
      .data_o({host_rx_keep_o, host_rx_data_o}),
      .last_o(host_rx_last_o)
  );

  // Reports of both sides are counted as they leave.
  logic inside_q;  // the beat at host_rx is not the first of its packet
  logic left;
  logic report_left;

  assign left = host_rx_valid_o && host_rx_ready_i;
  assign report_left = left && !inside_q && host_rx_data_o[7:0] == MSG_REPORT;

  always_ff @(posedge clk_i) begin
    if (rst_i) inside_q <= 1'b0;
    else if (left) inside_q <= !host_rx_last_o;
  end

  // --- Registers

  zn_regs #(
      .DataWidth(DataWidth),
      .Flows(Flows),
      .Buckets(Buckets),
      .Members(Members),
      .PayloadMax(PayloadMax),
      .PacketMax(PacketMax),
      .Skips(Skips),
      .MsCycles(MsCycles)
  ) u_regs (
      .clk_i,
      .rst_i,
      .axil_awvalid_i,
      .axil_awready_o,
      .axil_awaddr_i,
      .axil_wvalid_i,
      .axil_wready_o,
      .axil_wdata_i,
      .axil_wstrb_i,
      .axil_bvalid_o,
      .axil_bready_i,
      .axil_bresp_o,
      .axil_arvalid_i,
      .axil_arready_o,
      .axil_araddr_i,
      .axil_rvalid_o,
      .axil_rready_i,
      .axil_rdata_o,
      .axil_rresp_o,
      .settings_o(settings),
      .now_ms_o(now_ms),
      .count_packet_i(count_packet),
      .count_reason_i(count_reason),
      .count_frames_i(count_frames),
      .count_report_i(report_left),
      .count_raw_i(count_raw),
      .count_segment_i(count_segment),
      .count_skipped_i(count_skipped),
      .count_reply_i(count_reply),
      .count_reply_refused_i(count_reply_refused),
      .count_reply_missed_i(count_reply_missed),
      .count_heartbeat_i(count_heartbeat),
      .count_heartbeat_seen_i(count_heartbeat_seen),
      .count_command_i(count_command),
      .count_bad_i(count_bad)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i)
                   tx_valid_o && !tx_ready_i |=> tx_valid_o && $stable({tx_data_o, tx_keep_o, tx_last_o}));
  assert property (@(posedge clk_i) disable iff (rst_i)
                   host_rx_valid_o && !host_rx_ready_i |=>
                   host_rx_valid_o && $stable({host_rx_data_o, host_rx_keep_o, host_rx_last_o}));
`endif
endmodule

`default_nettype wire
