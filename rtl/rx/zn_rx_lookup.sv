// SPDX-License-Identifier: Apache-2.0
// The flow table: Buckets buckets of four slots {valid, tag, flow}, selected by the low bits of the tuple's hash, its high 16 bits
// being the tag, and a key for each flow, with which the whole tuple is compared.
//
// Packets: a hit gives the flow, its flags and its longest frame. ADD takes the first free slot, or says TABLE_FULL when
// there is none or a slot has the same tag. DELETE clears the slot of the tuple's bucket that holds `flow`, or says NO_FLOW.
// RESYNC and READ pass with hit set. Everything takes effect in order: a packet right behind an ADD finds the flow, one right
// before it does not.
//
// flow, flags and max_frame of a packet mean something with hit only; those of a command are its own.
//
// After reset all slots are cleared, one bucket a cycle; ready_o says when that is done. No request may come before.
//
// Handshake: valid only; never stops.
// Latency: 7 cycles. Rate: one request a cycle.
`default_nettype none

module zn_rx_lookup
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_front_pkg::*;
#(
    parameter int unsigned Flows   = 65536,
    parameter int unsigned Buckets = 32768
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire          [319:0] hash_key_i,
    output logic                 ready_o,

    input  wire                  valid_i,
    input  wire lookup_request_t request_i,

    output logic                 valid_o,
    output rx_lookup_t           lookup_o
);
  localparam int unsigned FlowBits = $clog2(Flows);
  localparam int unsigned BucketBits = $clog2(Buckets);
  localparam int unsigned HashLatency = 2;
  localparam int unsigned TupleBits = $bits(flow_tuple_t);
  localparam int unsigned DiffBits = 18;  // that one stage compares
  localparam int unsigned Diffs = (TupleBits + DiffBits - 1) / DiffBits;

  typedef struct packed {
    logic                valid;
    logic [15:0]         tag;
    logic [FlowBits-1:0] flow;
  } slot_t;
  typedef slot_t [3:0] bucket_t;

  // Stage 1, 2: the hash.
  logic hashed_valid;
  lookup_request_t hashed;
  logic [31:0] hash;

  zn_rx_hash #(
      .Bytes(36)
  ) u_hash (
      .clk_i,
      .message_i({request_i.tuple.local_port, request_i.tuple.peer_port, request_i.tuple.local_address,
                  request_i.tuple.peer_address}),
      .key_i    (hash_key_i),
      .hash_o   (hash)
  );

  zn_rx_delay #(
      .Width ($bits(lookup_request_t)),
      .Cycles(HashLatency)
  ) u_hashed (
      .clk_i,
      .rst_i,
      .valid_i,
      .data_i (request_i),
      .valid_o(hashed_valid),
      .data_o (hashed)
  );

  // Stage 3: the bucket is read. A bucket that the request ahead is about to write is taken from there.
  logic read_valid_q;
  lookup_request_t read_q;
  logic [15:0] read_tag_q;
  logic [BucketBits-1:0] read_index_q;
  bucket_t bucket_ram, bucket, bucket_write_data;
  logic bucket_write;

  always_ff @(posedge clk_i) begin
    read_valid_q <= hashed_valid && !rst_i;
    read_q <= hashed;
    read_tag_q <= hash[31:16];
    read_index_q <= hash[BucketBits-1:0];
  end

  // Stage 4: the slots are matched.
  logic matched_valid_q;
  lookup_request_t matched_q;
  logic [15:0] matched_tag_q;
  logic [BucketBits-1:0] matched_index_q;
  bucket_t matched_bucket_q;
  logic [3:0] tag_match_d, tag_match_q, flow_match_d, flow_match_q, free_d, free_q;

  always_comb begin : match
    bucket = (bucket_write && matched_index_q == read_index_q) ? bucket_write_data : bucket_ram;
    for (int unsigned i = 0; i < 4; i++) begin
      tag_match_d[i] = bucket[i].valid && bucket[i].tag == read_tag_q;
      flow_match_d[i] = bucket[i].valid && 32'(bucket[i].flow) == read_q.flow;
    end
    free_d[0] = !bucket[0].valid;
    for (int unsigned i = 1; i < 4; i++) begin
      free_d[i] = !bucket[i].valid;
      for (int unsigned j = 0; j < i; j++) free_d[i] = free_d[i] && bucket[j].valid;
    end
  end

  always_ff @(posedge clk_i) begin
    matched_valid_q <= read_valid_q && !rst_i;
    matched_q <= read_q;
    matched_tag_q <= read_tag_q;
    matched_index_q <= read_index_q;
    matched_bucket_q <= bucket;
    tag_match_q <= tag_match_d;
    flow_match_q <= flow_match_d;
    free_q <= free_d;
  end

  // Stage 5: the bucket is written, the key read or written.
  logic add, done;
  logic [FlowBits-1:0] slot_flow;
  logic [7:0] reason;
  rx_key_t key_write_data, key;

  always_comb begin : act
    add = matched_valid_q && matched_q.op == RX_OP_ADD && tag_match_q == '0 && free_q != '0;
    bucket_write = add || (matched_valid_q && matched_q.op == RX_OP_DELETE && flow_match_q != '0);
    bucket_write_data = matched_bucket_q;
    for (int unsigned i = 0; i < 4; i++) begin
      if (matched_q.op == RX_OP_ADD && free_q[i]) begin
        bucket_write_data[i] = '{valid: 1'b1, tag: matched_tag_q, flow: matched_q.flow[FlowBits-1:0]};
      end
      if (matched_q.op == RX_OP_DELETE && flow_match_q[i]) bucket_write_data[i].valid = 1'b0;
    end

    case (matched_q.op)
      RX_OP_ADD: reason = add ? REASON_OK : REASON_TABLE_FULL;
      RX_OP_DELETE: reason = bucket_write ? REASON_OK : REASON_NO_FLOW;
      default: reason = REASON_OK;
    endcase
    case (matched_q.op)
      RX_OP_PACKET: done = matched_q.search && tag_match_q != '0;
      default: done = reason == REASON_OK;
    endcase

    slot_flow = '0;
    for (int unsigned i = 0; i < 4; i++) begin
      slot_flow |= tag_match_q[i] ? matched_bucket_q[i].flow : '0;
    end

    key_write_data = '0;
    key_write_data.v6 = matched_q.tuple.v6;
    key_write_data.peer_address = matched_q.tuple.peer_address;
    key_write_data.local_address = matched_q.tuple.local_address;
    key_write_data.peer_port = matched_q.tuple.peer_port;
    key_write_data.local_port = matched_q.tuple.local_port;
    key_write_data.flags = matched_q.flags;
    key_write_data.max_frame = matched_q.max_frame;
  end

  // What a request came to, but for the comparison of the tuple.
  typedef struct packed {
    logic        packet;
    logic        done;
    logic [31:0] flow;
    logic [3:0]  flags;
    logic [31:0] max_frame;
    logic [7:0]  reason;
  } outcome_t;

  outcome_t outcome_q, outcome2_q;
  flow_tuple_t outcome_tuple_q, key_tuple;
  logic outcome_valid_q, outcome2_valid_q;
  logic [Diffs*DiffBits-1:0] diff;
  logic [Diffs-1:0] diff_q;

  always_comb begin : compare
    key_tuple.v6 = key.v6;
    key_tuple.peer_address = key.peer_address;
    key_tuple.local_address = key.local_address;
    key_tuple.peer_port = key.peer_port;
    key_tuple.local_port = key.local_port;
    diff = (Diffs * DiffBits)'(key_tuple) ^ (Diffs * DiffBits)'(outcome_tuple_q);
  end

  // Stage 6: the key is there, and compared in parts. Stage 7: the parts come together.
  always_ff @(posedge clk_i) begin
    outcome_valid_q <= matched_valid_q && !rst_i;
    outcome_tuple_q <= matched_q.tuple;
    outcome_q.packet <= matched_q.op == RX_OP_PACKET;
    outcome_q.done <= done;
    outcome_q.flow <= matched_q.op == RX_OP_PACKET ? 32'(slot_flow) : matched_q.flow;
    outcome_q.flags <= matched_q.flags;
    outcome_q.max_frame <= matched_q.max_frame;
    outcome_q.reason <= reason;

    outcome2_valid_q <= outcome_valid_q && !rst_i;
    outcome2_q <= outcome_q;
    if (outcome_q.packet) begin
      outcome2_q.flags <= key.flags;
      outcome2_q.max_frame <= key.max_frame;
    end
    for (int unsigned i = 0; i < Diffs; i++) diff_q[i] <= |diff[DiffBits*i+:DiffBits];

    valid_o <= outcome2_valid_q && !rst_i;
    lookup_o.hit <= outcome2_q.done && !(outcome2_q.packet && |diff_q);
    lookup_o.flow <= outcome2_q.flow;
    lookup_o.flags <= outcome2_q.flags;
    lookup_o.max_frame <= outcome2_q.max_frame;
    lookup_o.reason <= outcome2_q.reason;
  end

  // The walk that clears the slots.
  logic [BucketBits-1:0] walk_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      ready_o <= 1'b0;
      walk_q <= '0;
    end else if (!ready_o) begin
      ready_o <= walk_q == '1;
      walk_q <= walk_q + 1'b1;
    end
  end

  zn_ram #(
      .Width($bits(bucket_t)),
      .Depth(Buckets)
  ) u_buckets (
      .clk_i,
      .we_i   (bucket_write || !ready_o),
      .waddr_i(ready_o ? matched_index_q : walk_q),
      .wdata_i(ready_o ? bucket_write_data : '0),
      .re_i   (hashed_valid),
      .raddr_i(hash[BucketBits-1:0]),
      .rdata_o(bucket_ram)
  );

  zn_ram #(
      .Width($bits(rx_key_t)),
      .Depth(Flows)
  ) u_keys (
      .clk_i,
      .we_i   (add),
      .waddr_i(matched_q.flow[FlowBits-1:0]),
      .wdata_i(key_write_data),
      .re_i   (matched_valid_q),
      .raddr_i(slot_flow),
      .rdata_o(key)
  );

  if (Flows < 2) $error("zn_rx_lookup: Flows is at least 2");
  if (Buckets < 2 || Buckets > 65536 || (Buckets & (Buckets - 1)) != 0) begin : gen_buckets
    $error("zn_rx_lookup: Buckets is a power of two from 2 to 65536");
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) valid_i |-> ready_o);
  assert property (@(posedge clk_i) disable iff (rst_i) matched_valid_q |-> $onehot0(tag_match_q));
`endif
endmodule

`default_nettype wire
