// SPDX-License-Identifier: Apache-2.0
// Stores each packet until its last beat is in, and then sends it with its size in bytes on every beat, as a shell asks that
// wants to know the size of a packet before its end.
//
// A packet of more than Depth beats never leaves: Depth covers the longest that can come.
// Handshake: valid/ready; data holds until taken. Latency: 2 cycles after the packet's last beat. Rate: one beat a cycle.
`default_nettype none

module zn_packet_size #(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Depth = 256  // beats, a power of two
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
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
    output logic [15:0]            m_size_o
);
  localparam int unsigned Bytes = DataWidth / 8;

  logic beats_ready;
  logic sizes_ready;
  logic beat_valid;
  logic size_valid;
  logic taken;
  logic left;
  logic [15:0] before_q;  // bytes of this packet's earlier beats
  logic [15:0] size;

  assign s_ready_o = beats_ready && sizes_ready;
  assign taken = s_valid_i && s_ready_o;
  assign m_valid_o = beat_valid && size_valid;
  assign left = m_valid_o && m_ready_i;

  always_comb begin
    size = before_q;
    for (int unsigned i = 0; i < Bytes; i++) size += 16'(s_keep_i[i]);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) before_q <= '0;
    else if (taken) before_q <= s_last_i ? '0 : before_q + 16'(Bytes);
  end

  zn_fifo #(
      .Width(DataWidth + Bytes + 1),
      .Depth(Depth)
  ) u_beats (
      .clk_i,
      .rst_i,
      .valid_i(s_valid_i && sizes_ready),
      .ready_o(beats_ready),
      .data_i({s_last_i, s_keep_i, s_data_i}),
      .valid_o(beat_valid),
      .ready_i(left),
      .data_o({m_last_o, m_keep_o, m_data_o}),
      .count_o()
  );

  zn_fifo #(
      .Width(16),
      .Depth(Depth)
  ) u_sizes (
      .clk_i,
      .rst_i,
      .valid_i(taken && s_last_i),
      .ready_o(sizes_ready),
      .data_i(size),
      .valid_o(size_valid),
      .ready_i(left && m_last_o),
      .data_o(m_size_o),
      .count_o()
  );

`ifndef SYNTHESIS
  // The FIFO is full of one packet that has not ended.
  assert property (@(posedge clk_i) disable iff (rst_i) !(s_valid_i && !beats_ready && !size_valid));
`endif
endmodule

`default_nettype wire
