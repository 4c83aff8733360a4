// SPDX-License-Identifier: Apache-2.0
// The core in the 250 MHz box of OpenNIC shell, for one interface with one QDMA: the streams have the names of the box's
// (p2p_250mhz), tuser in its three parts. tuser_size has to be right on every beat, so packets are stored before they leave
// (zn_packet_size). src and dst are one-hot: 1 << interface for the host, 1 << (6 + interface) for the MAC.
//
// The registers run in axis_aclk here; the shell's come in axil_aclk: put an AXI-Lite clock converter between. axis_aresetn
// is a reset in axis_aclk. The shell drops packets that the MAC found broken, so none is marked.
//
// Handshake: valid/ready. Latency: the core's, and that of zn_packet_size. Rate: one beat a cycle.
`default_nettype none

module zn_opennic_box #(
    parameter int unsigned Interface = 0,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,
    parameter int unsigned PacketMax = 2048,
    parameter int unsigned StoreBeats = 256  // the longest packet of either direction, header included, in beats
) (
    input  wire          axis_aclk,
    input  wire          axis_aresetn,
    output wire          ready,  // the core takes packets

    input  wire          s_axil_awvalid,
    /* verilator lint_off UNUSEDSIGNAL */  // of a wider bus the core sees the low bits; size, src, dst say nothing new
    input  wire  [31:0]  s_axil_awaddr,
    output wire          s_axil_awready,
    input  wire          s_axil_wvalid,
    input  wire  [31:0]  s_axil_wdata,
    output wire          s_axil_wready,
    output wire          s_axil_bvalid,
    output wire  [1:0]   s_axil_bresp,
    input  wire          s_axil_bready,
    input  wire          s_axil_arvalid,
    input  wire  [31:0]  s_axil_araddr,
    output wire          s_axil_arready,
    output wire          s_axil_rvalid,
    output wire  [31:0]  s_axil_rdata,
    output wire  [1:0]   s_axil_rresp,
    input  wire          s_axil_rready,

    input  wire          s_axis_qdma_h2c_tvalid,
    input  wire  [511:0] s_axis_qdma_h2c_tdata,
    input  wire  [63:0]  s_axis_qdma_h2c_tkeep,
    input  wire          s_axis_qdma_h2c_tlast,
    input  wire  [15:0]  s_axis_qdma_h2c_tuser_size,
    input  wire  [15:0]  s_axis_qdma_h2c_tuser_src,
    input  wire  [15:0]  s_axis_qdma_h2c_tuser_dst,
    output wire          s_axis_qdma_h2c_tready,

    output wire          m_axis_qdma_c2h_tvalid,
    output wire  [511:0] m_axis_qdma_c2h_tdata,
    output wire  [63:0]  m_axis_qdma_c2h_tkeep,
    output wire          m_axis_qdma_c2h_tlast,
    output wire  [15:0]  m_axis_qdma_c2h_tuser_size,
    output wire  [15:0]  m_axis_qdma_c2h_tuser_src,
    output wire  [15:0]  m_axis_qdma_c2h_tuser_dst,
    input  wire          m_axis_qdma_c2h_tready,

    output wire          m_axis_adap_tx_250mhz_tvalid,
    output wire  [511:0] m_axis_adap_tx_250mhz_tdata,
    output wire  [63:0]  m_axis_adap_tx_250mhz_tkeep,
    output wire          m_axis_adap_tx_250mhz_tlast,
    output wire  [15:0]  m_axis_adap_tx_250mhz_tuser_size,
    output wire  [15:0]  m_axis_adap_tx_250mhz_tuser_src,
    output wire  [15:0]  m_axis_adap_tx_250mhz_tuser_dst,
    input  wire          m_axis_adap_tx_250mhz_tready,

    input  wire          s_axis_adap_rx_250mhz_tvalid,
    input  wire  [511:0] s_axis_adap_rx_250mhz_tdata,
    input  wire  [63:0]  s_axis_adap_rx_250mhz_tkeep,
    input  wire          s_axis_adap_rx_250mhz_tlast,
    input  wire  [15:0]  s_axis_adap_rx_250mhz_tuser_size,
    input  wire  [15:0]  s_axis_adap_rx_250mhz_tuser_src,
    input  wire  [15:0]  s_axis_adap_rx_250mhz_tuser_dst,
    /* verilator lint_on UNUSEDSIGNAL */
    output wire          s_axis_adap_rx_250mhz_tready
);
  localparam logic [15:0] Host = 16'd1 << Interface;
  localparam logic [15:0] Mac = 16'd1 << (6 + Interface);

  logic rst;
  logic up_valid;
  logic up_ready;
  logic up_last;
  logic [511:0] up_data;
  logic [63:0] up_keep;
  logic down_valid;
  logic down_ready;
  logic down_last;
  logic [511:0] down_data;
  logic [63:0] down_keep;

  assign rst = !axis_aresetn;
  assign m_axis_qdma_c2h_tuser_src = Mac;
  assign m_axis_qdma_c2h_tuser_dst = Host;
  assign m_axis_adap_tx_250mhz_tuser_src = Host;
  assign m_axis_adap_tx_250mhz_tuser_dst = Mac;

  zn_core #(
      .DataWidth(512),
      .Flows(Flows),
      .Members(Members),
      .PayloadMax(PayloadMax),
      .PacketMax(PacketMax)
  ) u_core (
      .clk_i(axis_aclk),
      .rst_i(rst),
      .ready_o(ready),
      .rx_valid_i(s_axis_adap_rx_250mhz_tvalid),
      .rx_ready_o(s_axis_adap_rx_250mhz_tready),
      .rx_data_i(s_axis_adap_rx_250mhz_tdata),
      .rx_keep_i(s_axis_adap_rx_250mhz_tkeep),
      .rx_last_i(s_axis_adap_rx_250mhz_tlast),
      .rx_bad_i(1'b0),
      .host_rx_valid_o(up_valid),
      .host_rx_ready_i(up_ready),
      .host_rx_data_o(up_data),
      .host_rx_keep_o(up_keep),
      .host_rx_last_o(up_last),
      .host_tx_valid_i(s_axis_qdma_h2c_tvalid),
      .host_tx_ready_o(s_axis_qdma_h2c_tready),
      .host_tx_data_i(s_axis_qdma_h2c_tdata),
      .host_tx_keep_i(s_axis_qdma_h2c_tkeep),
      .host_tx_last_i(s_axis_qdma_h2c_tlast),
      .tx_valid_o(down_valid),
      .tx_ready_i(down_ready),
      .tx_data_o(down_data),
      .tx_keep_o(down_keep),
      .tx_last_o(down_last),
      .axil_awvalid_i(s_axil_awvalid),
      .axil_awready_o(s_axil_awready),
      .axil_awaddr_i(s_axil_awaddr[11:0]),
      .axil_wvalid_i(s_axil_wvalid),
      .axil_wready_o(s_axil_wready),
      .axil_wdata_i(s_axil_wdata),
      .axil_wstrb_i(4'b1111),
      .axil_bvalid_o(s_axil_bvalid),
      .axil_bready_i(s_axil_bready),
      .axil_bresp_o(s_axil_bresp),
      .axil_arvalid_i(s_axil_arvalid),
      .axil_arready_o(s_axil_arready),
      .axil_araddr_i(s_axil_araddr[11:0]),
      .axil_rvalid_o(s_axil_rvalid),
      .axil_rready_i(s_axil_rready),
      .axil_rdata_o(s_axil_rdata),
      .axil_rresp_o(s_axil_rresp)
  );

  zn_packet_size #(
      .DataWidth(512),
      .Depth(StoreBeats)
  ) u_to_host (
      .clk_i(axis_aclk),
      .rst_i(rst),
      .s_valid_i(up_valid),
      .s_ready_o(up_ready),
      .s_data_i(up_data),
      .s_keep_i(up_keep),
      .s_last_i(up_last),
      .m_valid_o(m_axis_qdma_c2h_tvalid),
      .m_ready_i(m_axis_qdma_c2h_tready),
      .m_data_o(m_axis_qdma_c2h_tdata),
      .m_keep_o(m_axis_qdma_c2h_tkeep),
      .m_last_o(m_axis_qdma_c2h_tlast),
      .m_size_o(m_axis_qdma_c2h_tuser_size)
  );

  zn_packet_size #(
      .DataWidth(512),
      .Depth(StoreBeats)
  ) u_to_mac (
      .clk_i(axis_aclk),
      .rst_i(rst),
      .s_valid_i(down_valid),
      .s_ready_o(down_ready),
      .s_data_i(down_data),
      .s_keep_i(down_keep),
      .s_last_i(down_last),
      .m_valid_o(m_axis_adap_tx_250mhz_tvalid),
      .m_ready_i(m_axis_adap_tx_250mhz_tready),
      .m_data_o(m_axis_adap_tx_250mhz_tdata),
      .m_keep_o(m_axis_adap_tx_250mhz_tkeep),
      .m_last_o(m_axis_adap_tx_250mhz_tlast),
      .m_size_o(m_axis_adap_tx_250mhz_tuser_size)
  );
endmodule

`default_nettype wire
