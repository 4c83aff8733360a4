// SPDX-License-Identifier: Apache-2.0
// Gathers records and sends them to the host in REPORT packets: a batch of TX_REPORT_BATCH, or what there is once an
// unfinished batch has waited for settings_i.report_wait cycles. No record is lost: ready_o goes low instead.
//
// Handshake: valid/ready on both sides; count_o is up for one cycle a packet. Latency: 4 cycles and the wait. Rate: one record
// a cycle, but for the cycles of the packets' headers; at DataWidth 64 one record in two cycles.
`default_nettype none

module zn_tx_report
  import zn_contract_pkg::*, zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  settings_t              settings_i,
    input  wire  [31:0]            now_ms_i,
    input  wire                    valid_i,
    output logic                   ready_o,
    input  report_record_t         record_i,
    output logic                   r_valid_o,
    input  wire                    r_ready_i,
    output logic [DataWidth-1:0]   r_data_o,
    output logic [DataWidth/8-1:0] r_keep_o,
    output logic                   r_last_o,
    output logic                   count_o
);
  localparam int unsigned HeaderBeats = 512 / DataWidth;
  localparam int unsigned RecordBits = $bits(report_record_t);
  // A beat holds some records, or a record is some beats.
  localparam int unsigned PerBeat = DataWidth >= RecordBits ? DataWidth / RecordBits : 1;
  localparam int unsigned Parts = DataWidth >= RecordBits ? 1 : RecordBits / DataWidth;
  localparam int unsigned CountBits = $clog2(2 * TX_REPORT_BATCH + 1);

  typedef enum logic [1:0] {
    STATE_WAIT,
    STATE_HEADER,
    STATE_RECORDS
  } state_t;

  logic record_valid;
  logic record_ready;
  logic [RecordBits-1:0] record;
  logic [CountBits-1:0] waiting;

  zn_fifo #(
      .Width(RecordBits),
      .Depth(2 * TX_REPORT_BATCH)
  ) u_records (
      .clk_i,
      .rst_i,
      .valid_i,
      .ready_o,
      .data_i(record_i),
      .valid_o(record_valid),
      .ready_i(record_ready),
      .data_o(record),
      .count_o(waiting)
  );

  // --- When a packet begins, and of how many records.

  state_t state_q;
  logic [31:0] waited_q;
  logic [CountBits-1:0] count_q;  // records of this packet
  logic [CountBits-1:0] left_q;   // of them, not in a beat yet
  logic [31:0] now_ms_q;
  logic [3:0] header_q;           // beat of the header
  logic [3:0] place_q;            // of the next record in its beat, or of the next part of the record
  logic full;
  logic begins;
  logic advance;                  // of the output
  logic beat_ends;
  logic part_ends;                // the record is in beats as a whole
  logic last;

  assign full = waiting >= CountBits'(TX_REPORT_BATCH);
  assign begins = state_q == STATE_WAIT && waiting != '0 && (full || waited_q >= settings_i.report_wait);
  assign part_ends = Parts == 1 || 32'(place_q) == Parts - 1;
  assign last = left_q == CountBits'(1) && part_ends;
  assign beat_ends = last || 32'(place_q) == PerBeat - 1 || Parts > 1;
  assign record_ready = state_q == STATE_RECORDS && advance && part_ends;
  assign count_o = begins;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= STATE_WAIT;
      waited_q <= '0;
    end else begin
      if (begins || waiting == '0) waited_q <= '0;
      else if (waited_q != '1) waited_q <= waited_q + 32'd1;
      unique case (state_q)
        STATE_WAIT: if (begins) state_q <= STATE_HEADER;
        STATE_HEADER: if (advance && 32'(header_q) == HeaderBeats - 1) state_q <= STATE_RECORDS;
        default: if (record_ready && record_valid && last) state_q <= STATE_WAIT;
      endcase
    end
    if (state_q == STATE_WAIT) begin
      count_q <= full ? CountBits'(TX_REPORT_BATCH) : waiting;
      left_q <= full ? CountBits'(TX_REPORT_BATCH) : waiting;
      now_ms_q <= now_ms_i;
      header_q <= '0;
      place_q <= '0;
    end else if (advance) begin
      if (state_q == STATE_HEADER) header_q <= header_q + 4'd1;
      else if (record_valid) begin
        if (record_ready) left_q <= left_q - CountBits'(1);
        place_q <= 32'(place_q) == (Parts > 1 ? Parts : PerBeat) - 1 ? '0 : place_q + 4'd1;
      end
    end
  end

  // --- The beat that is put together.

  report_header_t header;
  logic [511:0] header_bits;
  logic [DataWidth-1:0] beat_q;
  logic beat_valid_q;
  logic beat_last_q;

  logic [DataWidth-1:0] beat_d;

  // The record, or its part, joins those that stand in the beat.
  if (Parts > 1) begin : gen_parts
    assign beat_d = record[DataWidth*(32'(place_q) % Parts) +: DataWidth];
  end else begin : gen_records
    always_comb begin
      beat_d = place_q == '0 ? '0 : beat_q;
      for (int unsigned i = 0; i < PerBeat; i++) begin
        if (32'(place_q) == i) beat_d[RecordBits*i +: RecordBits] = record;
      end
    end
  end

  always_comb begin
    header = '0;
    header.kind = MSG_REPORT;
    header.version = CONTRACT_VERSION;
    header.count = 16'(count_q);
    header.now_ms = now_ms_q;
  end
  assign header_bits = header;

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_valid_q <= 1'b0;
    else if (advance) begin
      beat_valid_q <= state_q == STATE_HEADER || (state_q == STATE_RECORDS && record_valid && beat_ends);
    end
    if (advance) begin
      beat_last_q <= state_q == STATE_RECORDS && last;
      if (state_q == STATE_HEADER) beat_q <= header_bits[DataWidth*(32'(header_q) % HeaderBeats) +: DataWidth];
      else if (state_q == STATE_RECORDS && record_valid) beat_q <= beat_d;
    end
  end

  zn_skid #(
      .Width(DataWidth + 1)
  ) u_output (
      .clk_i,
      .rst_i,
      .valid_i(beat_valid_q),
      .ready_o(advance),
      .data_i({beat_last_q, beat_q}),
      .valid_o(r_valid_o),
      .ready_i(r_ready_i),
      .data_o({r_last_o, r_data_o})
  );

  assign r_keep_o = '1;
endmodule

`default_nettype wire
