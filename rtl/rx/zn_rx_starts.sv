// SPDX-License-Identifier: Apache-2.0
// Where headers begin in a beat, from where the first one does and what zn_rx_chain found on its way: the way back, from
// the beat to its halves, and so on to blocks of 8 bytes. And the first four of them by themselves.
//
// Latency: Levels cycles to starts_o, 3 to first_o. Rate: one beat a cycle.
`default_nettype none

module zn_rx_starts
  import zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes = 64,
    localparam int unsigned Log = $clog2(Bytes),
    localparam int unsigned Levels = Log - 2
) (
    input  wire                            clk_i,
    input  wire link_t [Bytes-1:0]         link_i,     // to zn_rx_chain
    /* verilator lint_off UNUSEDSIGNAL */  // a beat of 8 bytes has no halves
    input  wire link_t [Levels-1:0][Bytes-1:0] level_i,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire                            has_i,      // Levels + 1 cycles after link_i
    input  wire [Log-1:0]                  start_i,
    output logic [Bytes-1:0]               starts_o,
    output logic [3:0]                     first_valid_o,
    output logic [3:0][Log-1:0]            first_o
);
  typedef struct packed {
    logic           hop;
    logic [Log-1:0] next;
  } hop_t;

  // --- What is needed of the chains.
  hop_t [Bytes-1:0] raw;
  always_comb begin
    for (int p = 0; p < Bytes; p++) raw[p] = '{hop: link_i[p].hop, next: link_i[p].next[Log-1:0]};
  end

  // --- Stage j knows the entry into each block of Bytes >> j bytes.
  for (genvar j = 0; j < Levels; j++) begin : gen_stage
    localparam int unsigned Blocks = 1 << j;
    logic [Blocks-1:0] valid;
    logic [Blocks-1:0][Log-1:0] entry;

    if (j == 0) begin : gen_whole
      assign valid = has_i;
      assign entry = start_i;
    end else begin : gen_halves
      localparam int unsigned Size = Bytes >> j;
      hop_t [Bytes-1:0] leave;
      hop_t [Bytes-1:0] leave_later;
      always_comb begin
        for (int p = 0; p < Bytes; p++) begin
          leave[p] = '{hop: level_i[Levels-1-j][p].hop, next: level_i[Levels-1-j][p].next[Log-1:0]};
        end
      end
      zn_rx_shift #(
          .Width (Bytes * (Log + 1)),
          .Cycles(2 * j)
      ) u_leave (
          .clk_i,
          .data_i(leave),
          .data_o(leave_later)
      );

      for (genvar b = 0; b < Blocks; b += 2) begin : gen_pair
        localparam int unsigned Middle = (b + 1) * Size;
        logic in_valid;
        logic [Log-1:0] in_entry;
        logic in_lower;
        hop_t [Size-1:0] lower;
        hop_t out;
        assign in_valid = gen_stage[j-1].valid[b/2];
        assign in_entry = gen_stage[j-1].entry[b/2];
        assign in_lower = in_valid && !in_entry[$clog2(Size)];
        assign lower = leave_later[Middle-Size+:Size];
        assign out = lower[in_entry[$clog2(Size)-1:0]];
        always_ff @(posedge clk_i) begin
          valid[b] <= in_lower;
          entry[b] <= in_entry;
          valid[b+1] <= in_lower ? out.hop && 32'(out.next) < Middle + Size : in_valid;
          entry[b+1] <= in_lower ? out.next : in_entry;
        end
      end
    end
  end

  // --- In a block of 8 bytes two headers can begin.
  hop_t [Bytes-1:0] raw_later;
  logic [Bytes-1:0] starts_d;

  zn_rx_shift #(
      .Width (Bytes * (Log + 1)),
      .Cycles(2 * Levels)
  ) u_raw (
      .clk_i,
      .data_i(raw),
      .data_o(raw_later)
  );

  always_comb begin
    starts_d = '0;
    for (int b = 0; b < Bytes / 8; b++) begin
      hop_t [1:0] front;
      hop_t out;
      logic [2:0] at;
      front = raw_later[8*b+:2];
      at = gen_stage[Levels-1].entry[b][2:0];
      out = front[at[0]];
      if (gen_stage[Levels-1].valid[b]) begin
        starts_d[8*b+32'(at)] = 1'b1;
        if (at[2:1] == 2'd0 && out.hop && 32'(out.next) < 8 * b + 8) starts_d[8*b+32'(out.next[2:0])] = 1'b1;
      end
    end
  end
  always_ff @(posedge clk_i) starts_o <= starts_d;

  // --- The first four, one after the other.
  logic [3:0] first_valid [4];
  logic [3:0][Log-1:0] first [4];
  hop_t [Bytes-1:0] raw_first [3];

  assign first_valid[0] = {3'd0, has_i};
  assign first[0] = {{(3*Log){1'b0}}, start_i};
  for (genvar i = 0; i < 3; i++) begin : gen_first
    zn_rx_shift #(
        .Width (Bytes * (Log + 1)),
        .Cycles(i == 0 ? Levels + 1 : 1)
    ) u_raw (
        .clk_i,
        .data_i(i == 0 ? raw : raw_first[i==0?0:i-1]),
        .data_o(raw_first[i])
    );
    hop_t out;
    assign out = raw_first[i][first[i][i]];
    always_ff @(posedge clk_i) begin
      first_valid[i+1] <= first_valid[i];
      first[i+1] <= first[i];
      first_valid[i+1][i+1] <= first_valid[i][i] && out.hop;
      first[i+1][i+1] <= out.next;
    end
  end
  assign first_valid_o = first_valid[3];
  assign first_o = first[3];
endmodule

`default_nettype wire
