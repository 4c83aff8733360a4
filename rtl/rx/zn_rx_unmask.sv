// SPDX-License-Identifier: Apache-2.0
// The words that unmask a beat's payload by XOR, 0 elsewhere. A frame's key stands right in front of its payload, so the byte that
// unmasks a payload byte is the nearest key byte in front of it whose distance is a multiple of 4: no rotation. If there is
// none in the beat, it is that of the key that was in force at its first byte.
//
// Latency: 3 cycles. Rate: one beat a cycle.
`default_nettype none

module zn_rx_unmask
  import zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes = 64
) (
    input  wire                        clk_i,
    input  wire slot_t                 slot_i,
    input  wire [Bytes+Carry-1:0][7:0] data_i,
    input  wire [Bytes-1:0]            starts_i,  // where headers begin
    input  wire lanes_t                lanes_i,   // the key at the beat's first byte
    input  wire [3:0]                  rest_i,    // first payload beat: header bytes in front of all else
    output logic [Bytes-1:0][7:0]      xor_o
);
  localparam int unsigned Log = $clog2(Bytes);

  // --- Which bytes are headers, and which of them keys.
  logic [Bytes+Carry-1:0] header;
  logic [Bytes-1:0] key;
  logic [Carry-1:0] spill_q;  // header bytes in the next beats
  logic [Bytes-1:0] starts8;  // headers of at least 8 bytes
  logic [Bytes-1:0] starts14;
  logic [Bytes+Carry-1:0] rest;

  always_comb begin
    for (int p = 0; p < Bytes; p++) begin
      starts8[p] = starts_i[p] && header_size(data_i[p+1]) != 4'd6;
      starts14[p] = starts_i[p] && header_size(data_i[p+1]) == 4'd14;
    end
    for (int p = 0; p < Bytes + Carry; p++) begin
      rest[p] = slot_i.payload_first && p >= 32'(slot_i.offset) && p < 32'(slot_i.offset) + 32'(rest_i);
    end
    header = rest;
    if (!slot_i.payload_first) header[Carry-1:0] = spill_q;
    key = '0;
    for (int i = 0; i < HeaderMax; i++) begin
      for (int p = 0; p < Bytes; p++) begin
        if (i < 6 ? starts_i[p] : i < 8 ? starts8[p] : starts14[p]) header[p+i] = 1'b1;
        if (p + i < Bytes) begin
          if ((i >= 2 && i < 6 && starts_i[p] && !starts8[p]) || (i >= 4 && i < 8 && starts8[p] && !starts14[p])
              || (i >= 10 && starts14[p]))
            key[p+i] = 1'b1;
        end
      end
    end
  end

  logic [Bytes-1:0] payload_q;  // to be unmasked
  logic [Bytes-1:0] key_q;
  logic [Bytes-1:0][7:0] data_q;
  lanes_t lanes_q;

  always_ff @(posedge clk_i) begin
    if (slot_i.valid && !slot_i.head) spill_q <= header[Bytes+:Carry];
    for (int p = 0; p < Bytes; p++) begin
      payload_q[p] <= slot_i.payload && !header[p] && 7'(p) < slot_i.finish
          && !(slot_i.payload_first && 6'(p) < slot_i.offset);
    end
    key_q <= key;
    data_q <= data_i[Bytes-1:0];
    lanes_q <= lanes_i;
  end

  // --- Each byte gets the nearest key byte in front of it; step s looks 4 << s bytes back.
  localparam int unsigned Steps = Log - 2;
  localparam int unsigned FirstSteps = Steps > 2 ? 2 : Steps;

  typedef struct packed {
    logic [Bytes-1:0]      known;
    logic [Bytes-1:0][7:0] value;
  } scan_t;

  function automatic scan_t scan_step(input scan_t in, input int unsigned distance);
    scan_t out;
    out = in;
    for (int p = 0; p < Bytes; p++) begin
      if (p >= 32'(distance) && !in.known[p]) begin
        out.known[p] = in.known[p-32'(distance)];
        out.value[p] = in.value[p-32'(distance)];
      end
    end
    return out;
  endfunction

  scan_t scan_first;
  scan_t scan_q;
  scan_t scan_last;
  logic [Bytes-1:0] payload_late_q;
  lanes_t lanes_late_q;

  always_comb begin
    scan_first.known = key_q;
    scan_first.value = data_q;
    for (int s = 0; s < FirstSteps; s++) scan_first = scan_step(scan_first, 4 << s);
    scan_last = scan_q;
    for (int s = FirstSteps; s < Steps; s++) scan_last = scan_step(scan_last, 4 << s);
  end

  always_ff @(posedge clk_i) begin
    scan_q <= scan_first;
    payload_late_q <= payload_q;
    lanes_late_q <= lanes_q;
    for (int p = 0; p < Bytes; p++) begin
      xor_o[p] <= !payload_late_q[p] ? 8'd0 : scan_last.known[p] ? scan_last.value[p] : lanes_late_q[p%4];
    end
  end
endmodule

`default_nettype wire
