// SPDX-License-Identifier: Apache-2.0
// Where each flow stands: a RAM, and the places that are not in it yet. A head slot asks two stages before it needs the
// brief form, and gets all of it one stage later. Updates come in the order of the packets, each at the latest when the next head slot
// gets its brief.
//
// The latest update stays in last_q, and is in the RAM one cycle later. So the brief is that of: the update of this cycle or
// last_q, for a head whose predecessor has the same flow; last_q or the RAM, one stage earlier, for all others.
//
// Handshake: none; after reset the RAM is cleared, which takes Flows cycles, before ready_o. Latency: 2 cycles from early_i to
// brief_o, 3 to place_o. Rate: one question and one update in two cycles.
`default_nettype none

module zn_rx_flows
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned Flows = 65536
) (
    input  wire          clk_i,
    input  wire          rst_i,
    output logic         ready_o,
    input  wire          early_i,         // a head slot of a known flow, two stages before it needs its place
    input  wire [31:0]   early_flow_i,
    output brief_t       brief_o,
    output place_t       place_o,
    input  wire          update_i,
    input  wire [31:0]   update_flow_i,
    input  wire place_t  update_place_i,
    input  wire brief_t  update_brief_i
);
  localparam int unsigned IndexBits = $clog2(Flows);
  localparam int unsigned Width = 2 + 32 + $bits(parser_t);
  typedef logic [IndexBits-1:0] index_t;

  // --- The walk that clears the RAM.
  index_t clear_q;
  logic ready_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      clear_q <= '0;
      ready_q <= 1'b0;
    end else if (!ready_q) begin
      clear_q <= clear_q + 1'b1;
      ready_q <= clear_q == index_t'(Flows - 1);
    end
  end
  assign ready_o = ready_q;

  // --- Updates.
  logic last_new_q;    // not in the RAM yet
  logic last_known_q;
  index_t last_flow_q;
  place_t last_q;
  brief_t last_brief_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      last_new_q <= 1'b0;
      last_known_q <= 1'b0;
    end else begin
      last_new_q <= update_i;
      last_known_q <= last_known_q || update_i;
    end
    if (update_i) begin
      last_flow_q <= index_t'(update_flow_i);
      last_q <= update_place_i;
      last_brief_q <= update_brief_i;
    end
  end

  // --- The first stage: the RAM is read.
  logic asked_q;
  index_t flow_q;
  logic [Width-1:0] stored;
  logic stored_valid;
  logic stored_broken;
  logic [31:0] stored_rcv_nxt;
  parser_t stored_parser;
  place_t stored_place;

  zn_ram #(
      .Width(Width),
      .Depth(Flows)
  ) u_places (
      .clk_i,
      .we_i(!ready_q || last_new_q),
      .waddr_i(ready_q ? last_flow_q : clear_q),
      .wdata_i(ready_q ? {last_q.valid, last_q.broken, last_q.rcv_nxt, parser_of(last_q)} : '0),
      .re_i(early_i),
      .raddr_i(index_t'(early_flow_i)),
      .rdata_o(stored)
  );

  assign {stored_valid, stored_broken, stored_rcv_nxt, stored_parser} = stored;
  assign stored_place = place_of(stored_valid, stored_broken, stored_rcv_nxt, stored_parser);

  // --- The second: the RAM's answer or the latest update, unless the packet in front has the same flow.
  logic before_known_q;  // of the head slot that came before
  index_t before_flow_q;
  logic same_q;
  logic recent;
  brief_t early_brief_q;
  place_t early_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      asked_q <= 1'b0;
      before_known_q <= 1'b0;
    end else begin
      asked_q <= early_i;
      before_known_q <= before_known_q || asked_q;
    end
    flow_q <= index_t'(early_flow_i);
    if (asked_q) before_flow_q <= flow_q;
    same_q <= before_known_q && before_flow_q == flow_q;
    early_q <= recent ? last_q : stored_place;
    early_brief_q <= recent ? last_brief_q : brief_of(stored_place);
  end

  assign recent = last_known_q && last_flow_q == flow_q;
  assign brief_o = !same_q ? early_brief_q : update_i ? update_brief_i : last_brief_q;

  // --- One stage later last_q is that of the packet in front for sure.
  logic same_late_q;
  place_t early_late_q;

  always_ff @(posedge clk_i) begin
    same_late_q <= same_q;
    early_late_q <= early_q;
  end

  assign place_o = same_late_q ? last_q : early_late_q;

  if (Flows < 2 || (Flows & (Flows - 1)) != 0) $error("zn_rx_flows: Flows is a power of two, at least 2");

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) update_i |-> ready_q && update_flow_i < Flows);
  assert property (@(posedge clk_i) disable iff (rst_i) early_i |-> ready_q);
`endif
endmodule

`default_nettype wire
