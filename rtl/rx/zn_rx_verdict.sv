// SPDX-License-Identifier: Apache-2.0
// Gives the reason of a packet: steps 1 to 9 of the contract's list, in its order. Walked from the front, a packet fails
// where it first contradicts itself; in this order:
//
//   BAD_LENGTH       longer than PacketMax, and then packet_length is 0
//   BAD_PACKET       the MAC's mark
//   BAD_LENGTH       Ethernet header or VLAN tag cut off
//   NOT_TCP          type neither IPv4 nor IPv6
//   BAD_LENGTH       20 bytes of IPv4, 40 of IPv6 not there; IPv4 header length below 20 or above the total length; IP packet
//                    longer than what is there
//   NOT_TCP          version, protocol, next header
//   IP_OPTIONS, FRAGMENT, BAD_IP_CHECKSUM
//   BAD_LENGTH       fewer than 20 bytes of TCP in the IP packet; data offset below 20 or beyond it
//   BAD_TCP_CHECKSUM, TCP_FLAGS, NO_PAYLOAD
//
// The parts come at different times: beat_i with zn_rx_collect's output, headers_i HeadersLatency cycles after the beat that
// completed them, sum_ok_i SumLatency cycles after the last beat.
//
// A command's end is REASON_OK, no checksum, length 0.
//
// Handshake: valid only; never stops.
// Latency: SumLatency + 1 cycles after the last beat. Rate: one packet a cycle.
`default_nettype none

module zn_rx_verdict
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_front_pkg::*;
#(
    parameter int unsigned PacketMax  = 2048,
    parameter int unsigned SumLatency = 12
) (
    input  wire           clk_i,
    input  wire           rst_i,

    input  wire           valid_i,
    input  wire beat_t    beat_i,
    input  wire           headers_valid_i,
    input  wire headers_t headers_i,
    input  wire           sum_ok_i,

    output logic          valid_o,
    output rx_end_t       end_o
);
  typedef struct packed {
    logic        command;
    logic        bad;
    logic        last;
    logic [16:0] length;  // so far
  } counted_t;

  // What is missing or too much.
  typedef struct packed {
    logic command;
    logic bad;
    logic too_long;
    logic link_cut;   // no Ethernet header, or its tag cut off
    logic ip_beyond;  // the IP packet does not fit; nor does one whose header is cut off, whatever it seems to say
    logic [15:0] length;
  } compared_t;

  typedef struct packed {
    logic        command;
    logic [7:0]  early;   // of steps 1 to 6
    logic [7:0]  late;    // of steps 8 and 9
    logic [15:0] length;
  } judged_t;

  // The headers arrive: they count from this beat to the packet's last.
  counted_t counted_d, counted;
  logic counted_valid;
  headers_t headers, headers_q;

  always_comb begin
    counted_d.command = beat_i.command;
    counted_d.bad = beat_i.bad;
    counted_d.last = beat_i.last;
    counted_d.length = beat_i.base + 17'(beat_i.count);
  end

  zn_rx_delay #(
      .Width ($bits(counted_t)),
      .Cycles(HeadersLatency)
  ) u_counted (
      .clk_i,
      .rst_i,
      .valid_i,
      .data_i (counted_d),
      .valid_o(counted_valid),
      .data_o (counted)
  );

  assign headers = headers_valid_i ? headers_i : headers_q;

  compared_t compared_d, compared_q;

  always_comb begin : compare
    compared_d.command = counted.command;
    compared_d.bad = counted.bad;
    compared_d.too_long = counted.length > 17'(PacketMax);
    compared_d.link_cut = counted.length < 17'd14 || (headers.vlan && counted.length < 17'd18);
    compared_d.ip_beyond = counted.length < headers.ip_end;
    compared_d.length = counted.length[15:0];
  end

  judged_t judged_d, judged;
  logic compared_valid_q, judged_valid;

  always_comb begin : judge
    judged_d.command = compared_q.command;
    judged_d.length = compared_q.too_long ? '0 : compared_q.length;

    if (compared_q.too_long) judged_d.early = REASON_BAD_LENGTH;
    else if (compared_q.bad) judged_d.early = REASON_BAD_PACKET;
    else if (compared_q.link_cut) judged_d.early = REASON_BAD_LENGTH;
    else if (!headers_q.v4 && !headers_q.v6) judged_d.early = REASON_NOT_TCP;
    else if (headers_q.lengths_bad || compared_q.ip_beyond) judged_d.early = REASON_BAD_LENGTH;
    else if (headers_q.not_tcp) judged_d.early = REASON_NOT_TCP;
    else if (headers_q.options) judged_d.early = REASON_IP_OPTIONS;
    else if (headers_q.fragment) judged_d.early = REASON_FRAGMENT;
    else if (headers_q.ip_sum_bad) judged_d.early = REASON_BAD_IP_CHECKSUM;
    else if (headers_q.tcp_cut || headers_q.offset_bad) judged_d.early = REASON_BAD_LENGTH;
    else judged_d.early = REASON_OK;

    if (headers_q.flags_bad) judged_d.late = REASON_TCP_FLAGS;
    else if (headers_q.no_payload) judged_d.late = REASON_NO_PAYLOAD;
    else judged_d.late = REASON_OK;
  end

  zn_rx_delay #(
      .Width ($bits(judged_t)),
      .Cycles(SumLatency - HeadersLatency - 1)
  ) u_judged (
      .clk_i,
      .rst_i,
      .valid_i(compared_valid_q),
      .data_i (judged_d),
      .valid_o(judged_valid),
      .data_o (judged)
  );

  always_ff @(posedge clk_i) begin
    if (headers_valid_i) headers_q <= headers_i;
    compared_q <= compared_d;
    compared_valid_q <= counted_valid && counted.last && !rst_i;

    valid_o <= judged_valid && !rst_i;
    end_o <= '0;
    if (!judged.command) begin
      end_o.packet_length <= judged.length;
      end_o.checksum_ok <= judged.early == REASON_OK && sum_ok_i;
      if (judged.early != REASON_OK) end_o.reason <= judged.early;
      else if (!sum_ok_i) end_o.reason <= REASON_BAD_TCP_CHECKSUM;
      else end_o.reason <= judged.late;
    end
  end

  if (PacketMax > 65535) $error("zn_rx_verdict: PacketMax is at most 65535");
  if (SumLatency < HeadersLatency + 2) $error("zn_rx_verdict: the sum comes before the headers");
endmodule

`default_nettype wire
