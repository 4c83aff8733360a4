// SPDX-License-Identifier: Apache-2.0
// Looks at packets as they go by: what their headers say, once the bytes that matter are there, and steps 1 to 9 of
// the contract's list, once the last beat is. Each packet and each command gets one of both, in order.
//
// What meta_o and search_o hold is said in zn_rx_headers, what end_o holds in zn_rx_verdict.
//
// Handshake: valid only; never stops. Who feeds it keeps room for what comes out.
// Latency: 5 cycles from the beat that completes the headers to meta_o, $clog2(DataWidth/16) + 9 from the last beat to end_o.
// Rate: one beat a cycle.
`default_nettype none

module zn_rx_parse
  import zn_pkg::*, zn_rx_front_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned PacketMax = 2048
) (
    input  wire                   clk_i,
    input  wire                   rst_i,

    input  wire                   valid_i,
    input  wire [DataWidth-1:0]   data_i,
    input  wire [DataWidth/8-1:0] keep_i,
    input  wire                   last_i,
    input  wire                   bad_i,
    input  wire                   command_i,
    input  wire rx_meta_t         command_meta_i,

    output logic                  meta_valid_o,
    output rx_meta_t              meta_o,
    output logic                  search_o,

    output logic                  end_valid_o,
    output rx_end_t               end_o
);
  localparam int unsigned SumLatency = $clog2(DataWidth / 16) + 7;

  logic valid, header_valid, sum_ok;
  logic [DataWidth-1:0] data;
  beat_t beat;
  header_t header;
  headers_t headers;
  rx_meta_t command_meta;

  zn_rx_collect #(
      .DataWidth(DataWidth)
  ) u_collect (
      .clk_i,
      .rst_i,
      .valid_i,
      .data_i,
      .keep_i,
      .last_i,
      .bad_i,
      .command_i,
      .command_meta_i,
      .valid_o       (valid),
      .data_o        (data),
      .beat_o        (beat),
      .header_valid_o(header_valid),
      .header_o      (header),
      .command_meta_o(command_meta)
  );

  zn_rx_headers u_headers (
      .clk_i,
      .rst_i,
      .valid_i       (header_valid),
      .header_i      (header),
      .beat_i        (beat),
      .command_meta_i(command_meta),
      .valid_o       (meta_valid_o),
      .headers_o     (headers),
      .meta_o,
      .search_o
  );

  zn_rx_checksum #(
      .DataWidth(DataWidth)
  ) u_checksum (
      .clk_i,
      .rst_i,
      .valid_i (valid),
      .data_i  (data),
      .beat_i  (beat),
      .header_i(header),
      .ok_o    (sum_ok)
  );

  zn_rx_verdict #(
      .PacketMax (PacketMax),
      .SumLatency(SumLatency)
  ) u_verdict (
      .clk_i,
      .rst_i,
      .valid_i        (valid),
      .beat_i         (beat),
      .headers_valid_i(meta_valid_o),
      .headers_i      (headers),
      .sum_ok_i       (sum_ok),
      .valid_o        (end_valid_o),
      .end_o
  );
endmodule

`default_nettype wire
