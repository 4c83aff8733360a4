// SPDX-License-Identifier: Apache-2.0
// Toeplitz hash of a message (the hash of receive side scaling): bit i of the message, counted from the most significant of
// its first byte, puts the 32 bits of the key that begin at bit i into an exclusive or.
//
// Handshake: valid only; never stops. key_i is steady.
// Latency: 2 cycles. Rate: one hash a cycle.
`default_nettype none

module zn_rx_hash #(
    parameter int unsigned Bytes = 36
) (
    input  wire                 clk_i,
    input  wire  [8*Bytes-1:0]  message_i,  // first byte in the low bits
    input  wire  [8*Bytes+31:0] key_i,      // first byte in the low bits
    output logic [31:0]         hash_o
);
  localparam int unsigned Bits = 8 * Bytes;
  localparam int unsigned Parts = 16;  // of a hash bit after the first stage

  // Both in the order in which their bits count, the first one at 0.
  logic [Bits-1:0] message;
  logic [Bits+31:0] key;
  logic [31:0][Parts-1:0] part_d, part_q;
  logic [31:0] hash_d;

  always_comb begin
    for (int unsigned i = 0; i < Bytes; i++) message[8*i+:8] = {<<{message_i[8*i+:8]}};
    for (int unsigned i = 0; i < Bytes + 4; i++) key[8*i+:8] = {<<{key_i[8*i+:8]}};
  end

  always_comb begin
    for (int unsigned j = 0; j < 32; j++) begin
      part_d[31-j] = '0;
      for (int unsigned i = 0; i < Bits; i += Parts) part_d[31-j] ^= message[i+:Parts] & key[i+j+:Parts];
    end
    for (int unsigned j = 0; j < 32; j++) hash_d[j] = ^part_q[j];
  end

  always_ff @(posedge clk_i) begin
    part_q <= part_d;
    hash_o <= hash_d;
  end

  if (Bytes % 2 != 0) $error("zn_rx_hash: Bytes is even");
endmodule

`default_nettype wire
