// SPDX-License-Identifier: Apache-2.0
// The core between the synchronous MAC streams and the host interface of one port of Corundum's application block
// (mqnic_app_block): connect the ports below to those of the same name, `clk` and `rst` to the block's, s_axil_app_ctrl_* to the
// application's registers. tuser: RX {timestamp, bad_frame}, TX {tag, bad_frame}.
//
// A packet of the host is a command: it does not leave as it came, and what leaves was made by the core. So each packet of the
// host is completed here, with its own tag and time 0, when the core has taken it; completions of the MAC end here. RX times
// are 0 too: they do not pass the core. bad_frame of the MAC reaches the host as reason BAD_PACKET of the annotation.
//
// Handshake: valid/ready. Latency: the core's. Rate: one beat a cycle.
`default_nettype none

module zn_corundum_app #(
    parameter int unsigned AXIS_SYNC_DATA_WIDTH = 512,
    parameter int unsigned PTP_TS_WIDTH = 96,
    parameter int unsigned TX_TAG_WIDTH = 16,
    parameter int unsigned AXIL_APP_CTRL_ADDR_WIDTH = 16,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,
    parameter int unsigned PacketMax = 2048,
    localparam int unsigned KeepWidth = AXIS_SYNC_DATA_WIDTH / 8,
    localparam int unsigned TxUserWidth = TX_TAG_WIDTH + 1,
    localparam int unsigned RxUserWidth = PTP_TS_WIDTH + 1
) (
    input  wire                                clk,
    input  wire                                rst,

    // Registers: the low 12 address bits.
    /* verilator lint_off UNUSEDSIGNAL */  // of a wider bus the core sees the low bits; it has no protection
    input  wire [AXIL_APP_CTRL_ADDR_WIDTH-1:0] s_axil_app_ctrl_awaddr,
    input  wire [2:0]                          s_axil_app_ctrl_awprot,
    input  wire                                s_axil_app_ctrl_awvalid,
    output wire                                s_axil_app_ctrl_awready,
    input  wire [31:0]                         s_axil_app_ctrl_wdata,
    input  wire [3:0]                          s_axil_app_ctrl_wstrb,
    input  wire                                s_axil_app_ctrl_wvalid,
    output wire                                s_axil_app_ctrl_wready,
    output wire [1:0]                          s_axil_app_ctrl_bresp,
    output wire                                s_axil_app_ctrl_bvalid,
    input  wire                                s_axil_app_ctrl_bready,
    input  wire [AXIL_APP_CTRL_ADDR_WIDTH-1:0] s_axil_app_ctrl_araddr,
    input  wire [2:0]                          s_axil_app_ctrl_arprot,
    input  wire                                s_axil_app_ctrl_arvalid,
    output wire                                s_axil_app_ctrl_arready,
    output wire [31:0]                         s_axil_app_ctrl_rdata,
    output wire [1:0]                          s_axil_app_ctrl_rresp,
    output wire                                s_axil_app_ctrl_rvalid,
    input  wire                                s_axil_app_ctrl_rready,

    // From the host's interface, to the MAC.
    input  wire [AXIS_SYNC_DATA_WIDTH-1:0]     s_axis_sync_tx_tdata,
    input  wire [KeepWidth-1:0]                s_axis_sync_tx_tkeep,
    input  wire                                s_axis_sync_tx_tvalid,
    output wire                                s_axis_sync_tx_tready,
    input  wire                                s_axis_sync_tx_tlast,
    input  wire [TxUserWidth-1:0]              s_axis_sync_tx_tuser,
    output wire [AXIS_SYNC_DATA_WIDTH-1:0]     m_axis_sync_tx_tdata,
    output wire [KeepWidth-1:0]                m_axis_sync_tx_tkeep,
    output wire                                m_axis_sync_tx_tvalid,
    input  wire                                m_axis_sync_tx_tready,
    output wire                                m_axis_sync_tx_tlast,
    output wire [TxUserWidth-1:0]              m_axis_sync_tx_tuser,

    // Completions, from the MAC to the host's interface.
    input  wire [PTP_TS_WIDTH-1:0]             s_axis_sync_tx_cpl_ts,
    input  wire [TX_TAG_WIDTH-1:0]             s_axis_sync_tx_cpl_tag,
    input  wire                                s_axis_sync_tx_cpl_valid,
    output wire                                s_axis_sync_tx_cpl_ready,
    output wire [PTP_TS_WIDTH-1:0]             m_axis_sync_tx_cpl_ts,
    output wire [TX_TAG_WIDTH-1:0]             m_axis_sync_tx_cpl_tag,
    output wire                                m_axis_sync_tx_cpl_valid,
    input  wire                                m_axis_sync_tx_cpl_ready,

    // From the MAC, to the host's interface.
    input  wire [AXIS_SYNC_DATA_WIDTH-1:0]     s_axis_sync_rx_tdata,
    input  wire [KeepWidth-1:0]                s_axis_sync_rx_tkeep,
    input  wire                                s_axis_sync_rx_tvalid,
    output wire                                s_axis_sync_rx_tready,
    input  wire                                s_axis_sync_rx_tlast,
    input  wire [RxUserWidth-1:0]              s_axis_sync_rx_tuser,
    /* verilator lint_on UNUSEDSIGNAL */
    output wire [AXIS_SYNC_DATA_WIDTH-1:0]     m_axis_sync_rx_tdata,
    output wire [KeepWidth-1:0]                m_axis_sync_rx_tkeep,
    output wire                                m_axis_sync_rx_tvalid,
    input  wire                                m_axis_sync_rx_tready,
    output wire                                m_axis_sync_rx_tlast,
    output wire [RxUserWidth-1:0]              m_axis_sync_rx_tuser
);
  localparam int unsigned Completions = 64;

  logic host_tx_ready;
  logic completion_ready;

  // A packet's last beat waits for room for its completion.
  assign s_axis_sync_tx_tready = host_tx_ready && completion_ready;
  assign m_axis_sync_tx_tuser = '0;
  assign m_axis_sync_rx_tuser = '0;
  assign s_axis_sync_tx_cpl_ready = 1'b1;
  assign m_axis_sync_tx_cpl_ts = '0;

  zn_fifo #(
      .Width(TX_TAG_WIDTH),
      .Depth(Completions)
  ) u_completions (
      .clk_i(clk),
      .rst_i(rst),
      .valid_i(s_axis_sync_tx_tvalid && s_axis_sync_tx_tready && s_axis_sync_tx_tlast),
      .ready_o(completion_ready),
      .data_i(s_axis_sync_tx_tuser[TxUserWidth-1:1]),
      .valid_o(m_axis_sync_tx_cpl_valid),
      .ready_i(m_axis_sync_tx_cpl_ready),
      .data_o(m_axis_sync_tx_cpl_tag),
      .count_o()
  );

  zn_core #(
      .DataWidth(AXIS_SYNC_DATA_WIDTH),
      .Flows(Flows),
      .Members(Members),
      .PayloadMax(PayloadMax),
      .PacketMax(PacketMax)
  ) u_core (
      .clk_i(clk),
      .rst_i(rst),
      .ready_o(),
      .rx_valid_i(s_axis_sync_rx_tvalid),
      .rx_ready_o(s_axis_sync_rx_tready),
      .rx_data_i(s_axis_sync_rx_tdata),
      .rx_keep_i(s_axis_sync_rx_tkeep),
      .rx_last_i(s_axis_sync_rx_tlast),
      .rx_bad_i(s_axis_sync_rx_tuser[0]),
      .host_rx_valid_o(m_axis_sync_rx_tvalid),
      .host_rx_ready_i(m_axis_sync_rx_tready),
      .host_rx_data_o(m_axis_sync_rx_tdata),
      .host_rx_keep_o(m_axis_sync_rx_tkeep),
      .host_rx_last_o(m_axis_sync_rx_tlast),
      .host_tx_valid_i(s_axis_sync_tx_tvalid && completion_ready),
      .host_tx_ready_o(host_tx_ready),
      .host_tx_data_i(s_axis_sync_tx_tdata),
      .host_tx_keep_i(s_axis_sync_tx_tkeep),
      .host_tx_last_i(s_axis_sync_tx_tlast),
      .tx_valid_o(m_axis_sync_tx_tvalid),
      .tx_ready_i(m_axis_sync_tx_tready),
      .tx_data_o(m_axis_sync_tx_tdata),
      .tx_keep_o(m_axis_sync_tx_tkeep),
      .tx_last_o(m_axis_sync_tx_tlast),
      .axil_awvalid_i(s_axil_app_ctrl_awvalid),
      .axil_awready_o(s_axil_app_ctrl_awready),
      .axil_awaddr_i(s_axil_app_ctrl_awaddr[11:0]),
      .axil_wvalid_i(s_axil_app_ctrl_wvalid),
      .axil_wready_o(s_axil_app_ctrl_wready),
      .axil_wdata_i(s_axil_app_ctrl_wdata),
      .axil_wstrb_i(s_axil_app_ctrl_wstrb),
      .axil_bvalid_o(s_axil_app_ctrl_bvalid),
      .axil_bready_i(s_axil_app_ctrl_bready),
      .axil_bresp_o(s_axil_app_ctrl_bresp),
      .axil_arvalid_i(s_axil_app_ctrl_arvalid),
      .axil_arready_o(s_axil_app_ctrl_arready),
      .axil_araddr_i(s_axil_app_ctrl_araddr[11:0]),
      .axil_rvalid_o(s_axil_app_ctrl_rvalid),
      .axil_rready_i(s_axil_app_ctrl_rready),
      .axil_rdata_o(s_axil_app_ctrl_rdata),
      .axil_rresp_o(s_axil_app_ctrl_rresp)
  );
endmodule

`default_nettype wire
