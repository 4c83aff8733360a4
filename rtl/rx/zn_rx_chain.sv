// SPDX-License-Identifier: Apache-2.0
// Follows chains of headers through a beat, for all places where one may begin at once. First within blocks of 8 bytes,
// which two headers can begin in, then from the lower half of a block of 16, 32, ... bytes into the upper half. A level takes
// one cycle.
//
// level_o[k] is what stands after level k, Levels - 1 - k cycles before link_o: where a chain leaves its block of 8 << k bytes.
//
// Latency: Levels = log2(Bytes) - 2 cycles. Rate: one beat a cycle.
`default_nettype none

module zn_rx_chain
  import zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes = 64,
    localparam int unsigned Levels = $clog2(Bytes) - 2
) (
    input  wire                            clk_i,
    input  wire link_t [Bytes-1:0]         link_i,
    output link_t [Levels-1:0][Bytes-1:0]  level_o,
    output link_t [Bytes-1:0]              link_o
);
  for (genvar k = 0; k < Levels; k++) begin : gen_level
    localparam int unsigned Block = 8 << k;
    localparam int unsigned Half = Block / 2;
    link_t [Bytes-1:0] in;
    link_t [Bytes-1:0] q;

    if (k == 0) begin : gen_first
      assign in = link_i;
    end else begin : gen_next
      assign in = gen_level[k-1].q;
    end

    for (genvar p = 0; p < Bytes; p++) begin : gen_place
      localparam int unsigned Base = p - p % Block;
      link_t d;
      if (p % Block < Half) begin : gen_lower
        // What stands where the chain goes on; the next header lies beyond the lower half, as none is shorter than 6 bytes.
        link_t [Half-1:0] upper;
        assign upper = in[Base+Half+:Half];
        assign d = in[p].hop && 32'(in[p].next) < Base + Block ? upper[in[p].next[$clog2(Half)-1:0]] : in[p];
      end else begin : gen_upper
        assign d = in[p];
      end
      always_ff @(posedge clk_i) q[p] <= d;
    end
    assign level_o[k] = q;
  end

  assign link_o = level_o[Levels-1];
endmodule

`default_nettype wire
