// SPDX-License-Identifier: Apache-2.0
// The registers of the contract on AXI-Lite: identity, parameters, settings, the ms clock, counters.
//
// Handshake: AXI-Lite without protection bits; a write is taken when address and data are both there; one read and one
// write are under way at a time; the answer is always OKAY. Words that do not exist read as 0. Latency: 2 cycles from an
// address to rdata; a pulse is counted 2 cycles later. Rate: every counter counts every cycle.
`default_nettype none

module zn_regs
  import zn_contract_pkg::*, zn_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Buckets = 32768,
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,
    parameter int unsigned PacketMax = 2048,
    parameter int unsigned Skips = 16,
    parameter int unsigned MsCycles = 250000  // REG_MS_CYCLES after reset
) (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         axil_awvalid_i,
    output logic        axil_awready_o,
    /* verilator lint_off UNUSEDSIGNAL */  // words alone can be addressed: bits 1:0 mean nothing
    input  wire  [11:0] axil_awaddr_i,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire         axil_wvalid_i,
    output logic        axil_wready_o,
    input  wire  [31:0] axil_wdata_i,
    input  wire  [3:0]  axil_wstrb_i,
    output logic        axil_bvalid_o,
    input  wire         axil_bready_i,
    output logic [1:0]  axil_bresp_o,
    input  wire         axil_arvalid_i,
    output logic        axil_arready_o,
    /* verilator lint_off UNUSEDSIGNAL */  // as above
    input  wire  [11:0] axil_araddr_i,
    /* verilator lint_on UNUSEDSIGNAL */
    output logic        axil_rvalid_o,
    input  wire         axil_rready_i,
    output logic [31:0] axil_rdata_o,
    output logic [1:0]  axil_rresp_o,
    output settings_t   settings_o,
    output logic [31:0] now_ms_o,
    // Counters: one pulse an event.
    input  wire         count_packet_i,
    input  wire  [7:0]  count_reason_i,  // of the packet, with its pulse
    input  wire  [7:0]  count_frames_i,  // of the packet, with its pulse
    input  wire         count_report_i,
    input  wire         count_raw_i,
    input  wire         count_segment_i,
    input  wire         count_skipped_i,
    input  wire         count_reply_i,
    input  wire         count_reply_refused_i,
    input  wire         count_reply_missed_i,
    input  wire         count_heartbeat_i,
    input  wire         count_heartbeat_seen_i,
    input  wire         count_command_i,
    input  wire         count_bad_i
);
  localparam logic [31:0] Magic = 32'h43494e5a;
  localparam int unsigned Frames = 4;  // of rx_annotation_t
  localparam int unsigned Counters = 45;
  localparam int unsigned FirstEvent = 32;  // the counters below it are those of the reasons
  localparam int unsigned KeyWords = 10;

  // Word numbers.
  localparam logic [9:0] WordCounters = REG_COUNTERS[11:2];
  localparam logic [9:0] WordKey = REG_HASH_KEY[11:2];
  localparam logic [9:0] WordMac = REG_LOCAL_MAC[11:2];

  // --- Writes

  logic write;
  logic bvalid_q;
  logic [9:0] write_word;

  assign write = axil_awvalid_i && axil_wvalid_i && !bvalid_q;
  assign write_word = axil_awaddr_i[11:2];
  assign axil_awready_o = write;
  assign axil_wready_o = write;
  assign axil_bvalid_o = bvalid_q;
  assign axil_bresp_o = 2'b00;

  always_ff @(posedge clk_i) begin
    if (rst_i) bvalid_q <= 1'b0;
    else bvalid_q <= write || (bvalid_q && !axil_bready_i);
  end

  function automatic logic [31:0] merged(input logic [31:0] old);
    for (int unsigned i = 0; i < 4; i++)
      merged[8*i+:8] = axil_wstrb_i[i] ? axil_wdata_i[8*i+:8] : old[8*i+:8];
  endfunction

  logic [31:0] control_q;
  logic [31:0] ms_cycles_q;
  logic [31:0] rate_period_q;
  logic [31:0] report_wait_q;
  logic [1:0][31:0] local_mac_q;
  logic [31:0] hop_q;
  logic [KeyWords-1:0][31:0] hash_key_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      control_q <= '0;
      ms_cycles_q <= 32'(MsCycles);
      rate_period_q <= '0;
      report_wait_q <= '0;
      local_mac_q <= '0;
      hop_q <= '0;
      hash_key_q <= '0;
    end else if (write) begin
      case (write_word)
        REG_CONTROL[11:2]: control_q <= merged(control_q) & 32'h7;
        REG_MS_CYCLES[11:2]: ms_cycles_q <= merged(ms_cycles_q);
        REG_RATE_PERIOD[11:2]: rate_period_q <= merged(rate_period_q) & 32'hf;
        REG_REPORT_WAIT[11:2]: report_wait_q <= merged(report_wait_q);
        WordMac: local_mac_q[0] <= merged(local_mac_q[0]);
        WordMac + 10'd1: local_mac_q[1] <= merged(local_mac_q[1]) & 32'hffff;
        REG_HOP[11:2]: hop_q <= merged(hop_q) & 32'hffff;
        default: ;
      endcase
      for (int unsigned i = 0; i < KeyWords; i++)
        if (write_word == WordKey + 10'(i)) hash_key_q[i] <= merged(hash_key_q[i]);
    end
  end

  assign settings_o = '{
          receive_on: control_q[0],
          replies_on: control_q[1],
          heartbeats_on: control_q[2],
          rate_period: rate_period_q[3:0],
          report_wait: report_wait_q,
          local_mac: {local_mac_q[1][15:0], local_mac_q[0]},
          ttl: hop_q[7:0],
          tos: hop_q[15:8],
          hash_key: hash_key_q
      };

  // --- Clock. A write of REG_MS_CYCLES begins a new millisecond; at 0 the clock stands still.

  logic [31:0] now_ms_q;
  logic [31:0] left_q;  // cycles of this millisecond that are left, its last one not counted

  assign now_ms_o = now_ms_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      now_ms_q <= '0;
      left_q <= 32'(MsCycles) - 32'd1;
    end else if (write && write_word == REG_MS_CYCLES[11:2]) begin
      left_q <= merged(ms_cycles_q) - 32'd1;
    end else if (ms_cycles_q != '0) begin
      left_q <= left_q == '0 ? ms_cycles_q - 32'd1 : left_q - 32'd1;
      now_ms_q <= now_ms_q + 32'(left_q == '0);
    end
  end

  // --- Counters

  logic [Counters-1:0] event_d;
  logic [Counters-1:0] event_q;
  logic [7:0] frames_q;
  logic [31:0] counter_q[Counters];

  always_comb begin
    event_d = '0;
    for (int unsigned i = 0; i < FirstEvent; i++)
      event_d[i] = count_packet_i && count_reason_i == 8'(i);
    event_d[6'(COUNTER_RX_PACKETS)] = count_packet_i;
    event_d[6'(COUNTER_RX_FRAMES)] = count_packet_i;
    event_d[6'(COUNTER_RX_REPORTS)] = count_report_i;
    event_d[6'(COUNTER_TX_RAW)] = count_raw_i;
    event_d[6'(COUNTER_TX_SEGMENTS)] = count_segment_i;
    event_d[6'(COUNTER_TX_SKIPPED)] = count_skipped_i;
    event_d[6'(COUNTER_REPLIES)] = count_reply_i;
    event_d[6'(COUNTER_REPLIES_REFUSED)] = count_reply_refused_i;
    event_d[6'(COUNTER_REPLIES_MISSED)] = count_reply_missed_i;
    event_d[6'(COUNTER_HEARTBEATS)] = count_heartbeat_i;
    event_d[6'(COUNTER_HEARTBEATS_SEEN)] = count_heartbeat_seen_i;
    event_d[6'(COUNTER_COMMANDS)] = count_command_i;
    event_d[6'(COUNTER_COMMANDS_BAD)] = count_bad_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) event_q <= '0;
    else event_q <= event_d;
    frames_q <= count_frames_i;
    for (int unsigned i = 0; i < Counters; i++) begin
      if (rst_i) counter_q[i] <= '0;
      else if (event_q[i])
        counter_q[i] <= counter_q[i] + (i == 32'(COUNTER_RX_FRAMES) ? 32'(frames_q) : 32'd1);
    end
  end

  // --- Reads

  // The list at REG_PARAMS; after its 16 words come zeros, its end.
  function automatic logic [31:0] param(input logic [3:0] word);
    case (word)
      4'd0: param = 32'(PARAM_FLOWS);
      4'd1: param = 32'(Flows);
      4'd2: param = 32'(PARAM_FRAMES);
      4'd3: param = 32'(Frames);
      4'd4: param = 32'(PARAM_MEMBERS);
      4'd5: param = 32'(Members);
      4'd6: param = 32'(PARAM_PAYLOAD);
      4'd7: param = 32'(PayloadMax);
      4'd8: param = 32'(PARAM_PACKET);
      4'd9: param = 32'(PacketMax);
      4'd10: param = 32'(PARAM_SKIPS);
      4'd11: param = 32'(Skips);
      4'd12: param = 32'(PARAM_DATA_BITS);
      4'd13: param = 32'(DataWidth);
      4'd14: param = 32'(PARAM_BUCKETS);
      default: param = 32'(Buckets);
    endcase
  endfunction

  logic reading_q;
  logic rvalid_q;
  logic [9:0] word_q;
  logic [31:0] rdata_q;
  logic [31:0] rdata_d;

  assign axil_arready_o = !reading_q && !rvalid_q;
  assign axil_rvalid_o = rvalid_q;
  assign axil_rdata_o = rdata_q;
  assign axil_rresp_o = 2'b00;

  always_comb begin
    rdata_d = '0;
    case (word_q)
      REG_MAGIC[11:2]: rdata_d = Magic;
      REG_CONTRACT[11:2]: rdata_d = 32'(CONTRACT_VERSION);
      REG_CONTROL[11:2]: rdata_d = control_q;
      REG_NOW_MS[11:2]: rdata_d = now_ms_q;
      REG_MS_CYCLES[11:2]: rdata_d = ms_cycles_q;
      REG_RATE_PERIOD[11:2]: rdata_d = rate_period_q;
      REG_REPORT_WAIT[11:2]: rdata_d = report_wait_q;
      WordMac: rdata_d = local_mac_q[0];
      WordMac + 10'd1: rdata_d = local_mac_q[1];
      REG_HOP[11:2]: rdata_d = hop_q;
      default: ;
    endcase
    for (int unsigned i = 0; i < KeyWords; i++)
      if (word_q == WordKey + 10'(i)) rdata_d |= hash_key_q[i];
    if (word_q[9:4] == REG_PARAMS[11:6]) rdata_d |= param(word_q[3:0]);
    for (int unsigned i = 0; i < Counters; i++)
      if (word_q == WordCounters + 10'(i)) rdata_d |= counter_q[i];
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      reading_q <= 1'b0;
      rvalid_q <= 1'b0;
    end else begin
      reading_q <= axil_arvalid_i && axil_arready_o;
      rvalid_q <= reading_q || (rvalid_q && !axil_rready_i);
    end
    word_q <= axil_araddr_i[11:2];
    if (reading_q) rdata_q <= rdata_d;
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) count_packet_i |-> count_reason_i < 8'(FirstEvent));
  assert property (@(posedge clk_i) disable iff (rst_i) axil_bvalid_o && !axil_bready_i |=> axil_bvalid_o);
  assert property (@(posedge clk_i) disable iff (rst_i)
                   axil_rvalid_o && !axil_rready_i |=> axil_rvalid_o && $stable(axil_rdata_o));
`endif
endmodule

`default_nettype wire
