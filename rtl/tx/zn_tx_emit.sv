// SPDX-License-Identifier: Apache-2.0
// Puts packets on the wire: headers, then the payload, moved to where the headers end. There is no cycle without a beat
// between the beats of a packet, nor between packets that wait.
//
// Handshake: valid/ready on both streams. Payload is read from the buffers with re/addr, data one cycle later; with a
// packet's last beat the parts of the buffers that it held are released. Latency: 4 cycles. Rate: one beat a cycle.
`default_nettype none

module zn_tx_emit
  import zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned PayloadBeats = 128,
    parameter int unsigned ReplyBeats = 8       // of the buffer of replies
) (
    input  wire                             clk_i,
    input  wire                             rst_i,
    input  wire                             packet_valid_i,
    output logic                            packet_ready_o,
    input  tx_packet_t                      packet_i,
    output logic                            buffer_re_o,
    output logic [$clog2(PayloadBeats)-1:0] payload_addr_o,
    input  wire  [DataWidth-1:0]            payload_data_i,
    output logic [$clog2(PayloadBeats):0]   payload_release_o,
    output logic [$clog2(ReplyBeats)-1:0]   reply_addr_o,
    input  wire  [DataWidth-1:0]            reply_data_i,
    output logic                            reply_release_o,
    output logic                            m_valid_o,
    input  wire                             m_ready_i,
    output logic [DataWidth-1:0]            m_data_o,
    output logic [DataWidth/8-1:0]          m_keep_o,
    output logic                            m_last_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned HeaderBeats = (TX_HEADER_MAX + Bytes - 1) / Bytes;
  localparam logic [23:0] Heartbeat = {8'h32, 8'h01, 8'h81};  // the text frame `2`

  logic advance;

  // --- Which beat.

  logic [15:0] beat_q;           // of the packet
  logic [15:0] addr_q;           // of the next payload beat, but for the first
  logic [15:0] read_q;           // payload beats that were read
  logic [3:0] skipped;           // whole beats of headers, before the first one with payload
  logic last;
  logic reads;
  logic [15:0] addr;
  logic [HeaderBeats*DataWidth-1:0] headers;
  logic [DataWidth-1:0] header;

  always_comb begin
    skipped = '0;
    for (int unsigned shape = 0; shape < 4; shape++) begin
      if (packet_i.shape == 3'(shape)) skipped = 4'(header_bytes(shape) / Bytes);
    end
  end

  assign last = !packet_i.send || beat_q == packet_i.last_beat;
  assign reads = packet_valid_i && packet_i.send && beat_q >= 16'(skipped) && read_q != packet_i.payload_beats;
  assign addr = read_q == '0 ? packet_i.payload_addr : addr_q;
  assign headers = {{(HeaderBeats * DataWidth - 8 * TX_HEADER_MAX) {1'b0}}, packet_i.header};

  always_comb begin
    header = '0;
    for (int unsigned b = 0; b < HeaderBeats; b++) begin
      if (beat_q == 16'(b)) header = headers[DataWidth*b +: DataWidth];
    end
  end

  assign packet_ready_o = advance && last;
  assign buffer_re_o = advance && reads;
  assign payload_addr_o = addr[$clog2(PayloadBeats)-1:0];
  assign reply_addr_o = addr[$clog2(ReplyBeats)-1:0];
  assign payload_release_o = packet_valid_i && packet_ready_o ? packet_i.release_beats[$clog2(PayloadBeats):0] : '0;
  assign reply_release_o = packet_valid_i && packet_ready_o && packet_i.release_reply;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      beat_q <= '0;
      read_q <= '0;
    end else if (advance && packet_valid_i) begin
      beat_q <= last ? '0 : beat_q + 16'd1;
      if (last) read_q <= '0;
      else if (reads) read_q <= read_q + 16'd1;
    end
    if (advance && reads) addr_q <= addr + 16'd1;
  end

  // --- What the buffers gave. Then: this payload beat and the one before.

  typedef struct packed {
    logic                 reads;
    logic                 first;
    logic                 last;
    tx_shape_t            shape;
    tx_source_t           source;
    logic [5:0]           last_byte;
    logic [DataWidth-1:0] header;
  } beat_t;

  beat_t fetched_q;
  beat_t aligned_q;
  logic [2:0] valid_q;
  logic [DataWidth-1:0] payload;
  logic [DataWidth-1:0] now_q;
  logic [DataWidth-1:0] before_q;
  logic [DataWidth-1:0] moved;

  always_comb begin
    unique case (fetched_q.source)
      TX_SOURCE_REPLY: payload = reply_data_i;
      TX_SOURCE_HEARTBEAT: payload = DataWidth'(Heartbeat);
      default: payload = payload_data_i;
    endcase
    if (!fetched_q.reads) payload = '0;
  end

  always_comb begin
    moved = now_q;
    for (int unsigned shape = 0; shape < 4; shape++) begin
      if (aligned_q.shape == 3'(shape)) begin
        moved = (now_q << (8 * (header_bytes(shape) % Bytes)))
            | (before_q >> (DataWidth - 8 * (header_bytes(shape) % Bytes)));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= '0;
    else if (advance) valid_q <= {valid_q[1:0], packet_valid_i && packet_i.send};
    if (advance) begin
      fetched_q <= '{
          reads: reads,
          first: beat_q == '0,
          last: last,
          shape: packet_i.shape,
          source: packet_i.source,
          last_byte: packet_i.last_byte,
          header: header
      };
      aligned_q <= fetched_q;
      now_q <= payload;
      before_q <= fetched_q.first ? '0 : now_q;
    end
  end

  // --- The beat.

  logic [DataWidth-1:0] data_q;
  logic [Bytes-1:0] keep_q;
  logic last_q;

  always_ff @(posedge clk_i) begin
    if (advance) begin
      data_q <= aligned_q.header | moved;
      for (int unsigned i = 0; i < Bytes; i++) keep_q[i] <= !aligned_q.last || 6'(i) <= aligned_q.last_byte;
      last_q <= aligned_q.last;
    end
  end

  zn_skid #(
      .Width(DataWidth + Bytes + 1)
  ) u_output (
      .clk_i,
      .rst_i,
      .valid_i(valid_q[2]),
      .ready_o(advance),
      .data_i({last_q, keep_q, data_q}),
      .valid_o(m_valid_o),
      .ready_i(m_ready_i),
      .data_o({m_last_o, m_keep_o, m_data_o})
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i)
      packet_valid_i && packet_ready_o && packet_i.send |-> read_q + 16'(reads) == packet_i.payload_beats);
`endif
endmodule

`default_nettype wire
