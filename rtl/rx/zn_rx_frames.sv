// SPDX-License-Identifier: Apache-2.0
// Where headers begin in each beat, where each flow stands after each packet, and what becomes of the packet.
//
// Two stages. The first one knows where the next header begins, selects what the chain of headers does, and so
// knows it for the next beat. A head slot takes that from where its flow stands. The second one reads the chain's last header
// (or the carried one, at a head slot) as a whole, counts to headers that are further away than the next beat, and at the
// packet's last beat makes the flow's next place.
//
// Latency: 1 cycle to slot_o, packet_o, data_o and what stands with them; 2 to opening_o and verdict_o.
// Rate: one slot a cycle; a packet has two at least.
`default_nettype none

module zn_rx_frames
  import zn_contract_pkg::*, zn_pkg::*, zn_rx_back_pkg::*;
#(
    parameter int unsigned Bytes = 64,
    parameter int unsigned Flows = 65536,
    localparam int unsigned Log = $clog2(Bytes)
) (
    input  wire                         clk_i,
    input  wire                         rst_i,
    input  wire                         receive_on_i,
    output logic                        ready_o,

    input  wire slot_t                  early_slot_i,    // the slot that comes to slot_i two cycles later
    input  wire packet_t                early_packet_i,

    input  wire slot_t                  slot_i,
    input  wire packet_t                packet_i,
    input  wire link_t [Bytes-1:0]      link_i,
    input  wire [Bytes-1:0][33:0]       rest_i,          // of zn_rx_header
    input  wire [Bytes+Carry-1:0][7:0]  data_i,
    input  wire carry_t                 lead_i,          // head: the first bytes of payload
    input  wire carry_t                 tail_i,          // the beat with the payload's last byte: the last bytes

    output slot_t                       slot_o,
    output packet_t                     packet_o,
    output logic [Bytes+Carry-1:0][7:0] data_o,
    output logic                        has_o,           // a header begins in the beat
    output logic [Log-1:0]              start_o,         // the first one
    output logic                        partial_o,       // the payload ends inside the last one
    output lanes_t                      lanes_o,         // the mask key at the beat's first byte
    output logic [3:0]                  rest_o,          // first payload beat: header bytes in front of all else
    output opening_t                    opening_o,
    output verdict_t                    verdict_o
);
  localparam int unsigned PosBits = 34;
  localparam logic [PosBits-1:0] Never = {1'b1, {(PosBits-1){1'b0}}};  // behind the end of all packets
  typedef logic [PosBits-1:0] pos_t;

  // --- The second stage's registers that the first one looks at.
  slot_t slot_q;
  packet_t packet_q;
  logic has_q;
  pos_t pos_q;  // where the next header begins, counted from the end of payload in the beat before the one at slot_q

  // --- First stage.
  brief_t brief;
  place_t place;           // for the slot in the second stage
  logic update;
  brief_t next_brief;
  place_t next_place;
  logic head;
  logic has;
  logic ahead;           // pos_q lies in this beat
  logic [Log-1:0] start;
  link_t link;
  logic near_q;          // the next header begins in the next beat, at near_at_q
  logic near_d;
  logic [Log-1:0] near_at_q;
  logic [Log-1:0] near_at_d;
  window_t joined;
  logic [4:0] gathered;  // bytes of a carried header, with those of this packet

  zn_rx_flows #(
      .Flows(Flows)
  ) u_flows (
      .clk_i,
      .rst_i,
      .ready_o,
      .early_i(early_slot_i.valid && early_slot_i.head
               && (early_packet_i.hit || early_packet_i.op != RX_OP_PACKET)),
      .early_flow_i(early_packet_i.flow),
      .brief_o(brief),
      .place_o(place),
      .update_i(update),
      .update_flow_i(packet_q.flow),
      .update_place_i(next_place),
      .update_brief_i(next_brief)
  );

  assign head = slot_i.valid && slot_i.head;
  assign ahead = slot_q.valid ? !slot_q.head && !has_q && pos_q[PosBits-1:Log] == (PosBits - Log)'(1)
      : pos_q[PosBits-1:Log] == '0;
  assign start = near_q ? near_at_q : pos_q[Log-1:0];
  assign has = slot_i.valid && !slot_i.head && slot_i.payload && (near_q || ahead) && 7'(start) < slot_i.finish;
  assign link = link_i[start];

  assign gathered = {1'b0, brief.fill}
      + (packet_i.payload_length > 16'(HeaderMax) ? 5'(HeaderMax) : packet_i.payload_length[4:0]);
  assign joined = window_join(brief.tail, lead_i, brief.fill);

  // Only a header with a length of 7 bits, or a payload's end, is followed by a header in the first payload beat.
  logic [7:0] first;       // where the next header begins, counted from the beat
  logic first_known;

  always_comb begin
    if (brief.in_header) begin
      first = {2'd0, slot_i.offset} + 8'd6 - {4'd0, brief.fill} + {1'b0, joined[1][6:0]};
      first_known = gathered >= 5'd6 && header_size(joined[1]) == 4'd6;
    end else begin
      first = {2'd0, slot_i.offset} + {1'b0, brief.left};
      first_known = !brief.distant;
    end
    near_d = near_q;
    near_at_d = near_at_q;
    if (head) begin
      near_d = first_known && first < 8'(Bytes);
      near_at_d = first[Log-1:0];
    end else if (slot_i.valid) begin
      near_d = has && link.close && link.next >= 7'(Bytes);
      near_at_d = link.next[Log-1:0];
    end
  end

  // --- Second stage.
  logic [Bytes+Carry-1:0][7:0] data_q;
  logic [Log-1:0] start_q;
  link_t link_q;
  carry_t lead_q;
  carry_t tail_q;
  logic carried_q;        // head: a header of an earlier packet is not whole
  logic [3:0] fill_q;     // bytes of it
  window_t joined_q;
  logic [4:0] gathered_q;
  logic [Bytes-1:0][33:0] rest_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      slot_q.valid <= 1'b0;
    end else begin
      slot_q <= slot_i;
    end
    packet_q <= packet_i;
    data_q <= data_i;
    has_q <= has;
    start_q <= start;
    link_q <= link;
    lead_q <= lead_i;
    tail_q <= tail_i;
    carried_q <= brief.in_header;
    fill_q <= brief.fill;
    rest_q <= rest_i;
    joined_q <= joined;
    gathered_q <= gathered;
    near_q <= near_d;
    near_at_q <= near_at_d;
  end

  // The header that is read: the carried one, or the beat's last.
  logic at_head;
  logic at_beat;
  logic reading;
  window_t window;
  logic [HeaderMax-1:0] there;
  header_t joined_header;
  header_t header;
  logic [Bytes-1:0][7:0] places;
  logic [7:0] offset;       // of the header in the beat; may be negative
  logic [7:0] payload_at;   // of what follows it

  assign at_head = slot_q.valid && slot_q.head;
  assign at_beat = slot_q.valid && !slot_q.head;
  assign reading = at_head ? carried_q : has_q;
  assign offset = at_head ? {2'd0, slot_q.offset} - {4'd0, fill_q} : {2'd0, link_q.last};

  always_comb begin
    for (int i = 0; i < HeaderMax; i++) begin
      places = data_q[i+:Bytes];
      window[i] = at_head ? joined_q[i] : places[link_q.last[Log-1:0]];
      there[i] = 5'(i) < gathered_q;
    end
    joined_header = header_judge(header_facts(joined_q, there, packet_q.flags[FLOW_DEFLATE_BIT], packet_q.max_frame));
    header = joined_header;
    if (!at_head) begin
      header.complete = link_q.bad == '0 && !link_q.partial;
      header.bad = link_q.bad;
      header.need = link_q.is64 ? 4'd14 : link_q.is16 ? 4'd8 : 4'd6;
    end
    payload_at = offset + {4'd0, header.need};
  end

  // What a packet's slots leave to each other.
  typedef struct packed {
    place_t      place;     // before the packet
    logic [7:0]  why;       // steps 10 to 13 of the contract
    logic [2:0]  bad;       // header_t, of the first bad header
    logic        partial;   // the payload ends inside a header
    logic [3:0]  fill;      // of that header
    logic [7:0]  b0;        // of the last header that was complete
    logic [7:0]  b1;
    lanes_t      lanes;     // its key
    logic [3:0]  rest;
    carry_t      tail;      // the last bytes, this packet's included
    lanes_t      key;       // at the packet's end
  } run_t;

  run_t run_q;
  run_t run_d;
  pos_t pos_d;

  function automatic carry_t tail_after(input carry_t tail, input carry_t lead, input logic [3:0] count);
    logic [2*Carry-1:0][7:0] all;
    logic [Carry-1:0][7:0] choice;
    carry_t after;
    all = {lead, tail};
    for (int i = 0; i < Carry; i++) begin
      choice = all[i+:Carry];
      after[i] = choice[count];
    end
    return after;
  endfunction

  logic long_enough;        // the packet's payload fills a whole tail
  assign long_enough = packet_q.payload_length >= 16'(Carry);

  always_comb begin
    run_d = run_q;
    pos_d = pos_q - pos_t'(slot_q.span);
    if (at_head) begin
      run_d.place = place;
      run_d.why = REASON_OK;
      if (!packet_q.hit || !place.valid) run_d.why = REASON_NO_FLOW;
      else if (!receive_on_i || !packet_q.flags[FLOW_RECEIVE_BIT]) run_d.why = REASON_DISABLED;
      else if (place.broken) run_d.why = REASON_WAIT_RESYNC;
      else if (place.rcv_nxt != packet_q.seq) run_d.why = REASON_OUT_OF_SEQUENCE;
      run_d.bad = '0;
      run_d.partial = 1'b0;
      run_d.b0 = place.b0;
      run_d.b1 = place.b1;
      run_d.lanes = key_to_lanes(place.tail[Carry-1-:4], slot_q.offset[1:0]);
      run_d.rest = '0;
      run_d.tail = tail_after(place.tail, lead_q, packet_q.payload_length[3:0]);
      pos_d = pos_t'(slot_q.offset) + pos_t'(place.length);
    end
    if (at_beat && slot_q.payload_last && long_enough) run_d.tail = tail_q;
    if (slot_q.valid && reading) begin
      if (run_d.bad == '0) run_d.bad = header.bad;
      if (header.complete) begin
        run_d.b0 = window[0];
        run_d.b1 = window[1];
        run_d.lanes = key_to_lanes(header_key(window, header.need), payload_at[1:0]);
        run_d.rest = header.need - fill_q;
        pos_d = at_head ? pos_t'(joined_header.length) + pos_t'(payload_at) : rest_q[link_q.last[Log-1:0]];
      end else begin
        run_d.partial = 1'b1;
        run_d.fill = at_head ? gathered_q[3:0] : link_q.next[3:0];
        run_d.rest = 4'(Carry);
        pos_d = Never;
      end
    end
    if (at_beat && slot_q.payload_last) run_d.key = lanes_to_key(run_d.lanes, slot_q.finish[1:0]);
    if (at_beat) run_d.rest = run_q.rest;
  end

  always_ff @(posedge clk_i) begin
    if (slot_q.valid) begin
      run_q <= run_d;
      pos_q <= pos_d;
    end
  end

  // --- The end of a packet or command.
  logic is_packet;
  logic good;        // all that comes before step 14 holds
  logic treated;
  logic [31:0] seq_after;
  verdict_t verdict_d;

  assign is_packet = packet_q.op == RX_OP_PACKET;
  assign good = is_packet && !slot_q.long_packet && slot_q.outcome.reason == REASON_OK && run_q.why == REASON_OK;
  assign treated = good && run_d.bad == '0;
  assign seq_after = packet_q.seq + {16'd0, packet_q.payload_length};
  assign update = at_beat && slot_q.last && (!is_packet || packet_q.hit);

  // What the command sets.
  logic sets;
  place_t set_place_q;

  assign sets = packet_q.op == RX_OP_ADD ? packet_q.reason == REASON_OK
      : packet_q.op == RX_OP_RESYNC && run_q.place.valid;
  always_ff @(posedge clk_i) set_place_q <= place_of(1'b1, 1'b0, packet_i.seq, packet_i.state);

  always_comb begin
    next_place = run_q.place;
    if (good) begin
      next_place.broken = !treated;
      if (treated) begin
        next_place.rcv_nxt = seq_after;
        next_place.in_header = run_d.partial;
        next_place.fill = run_d.fill;
        next_place.b0 = run_d.b0;
        next_place.b1 = run_d.b1;
        next_place.length = pos_d[31:0];
        next_place.tail = run_d.tail;
        if (!run_d.partial) next_place.tail[Carry-1-:4] = run_d.key;
      end
    end
    if (sets) next_place = set_place_q;
    if (packet_q.op == RX_OP_DELETE && packet_q.reason == REASON_OK) next_place.valid = 1'b0;
  end

  // The same in brief, on a short path: what is left is that of a near header, or is distant.
  brief_t run_brief_q;    // if the payload ended in an earlier beat
  brief_t run_brief_d;
  brief_t head_brief_q;
  brief_t before_q;       // before the packet
  pos_t pos_left;
  logic [7:0] close_left;

  assign pos_left = pos_q - pos_t'(slot_q.span);
  assign close_left = {1'b0, link_q.next} - {1'b0, slot_q.span};

  always_comb begin
    run_brief_d = run_brief_q;
    if (at_head) begin
      run_brief_d.in_header = run_d.partial;
      run_brief_d.fill = gathered_q[3:0];
      run_brief_d.tail = run_d.tail;
    end else begin
      if (has_q && link_q.partial) begin
        run_brief_d.in_header = 1'b1;
        run_brief_d.fill = link_q.next[3:0];
      end
      if (slot_q.payload_last) begin
        run_brief_d.distant = has_q ? !link_q.close || close_left[7] : pos_left[PosBits-1:7] != '0;
        run_brief_d.left = has_q ? close_left[6:0] : pos_left[6:0];
        if (long_enough) run_brief_d.tail = tail_q;
      end
    end
  end

  always_comb begin
    next_brief = before_q;
    if (treated) next_brief = run_brief_d;
    if (sets) next_brief = brief_of(set_place_q);
  end

  always_ff @(posedge clk_i) begin
    if (slot_q.valid) run_brief_q <= run_brief_d;
    if (at_head) before_q <= head_brief_q;
    head_brief_q <= brief;
  end

  always_comb begin
    verdict_d.push = at_beat && (slot_q.long_first || (slot_q.last && !slot_q.long_packet));
    verdict_d.treated = treated;
    verdict_d.has_flow = 1'b0;
    verdict_d.rcv_nxt = treated ? seq_after : run_q.place.rcv_nxt;
    case (packet_q.op)
      RX_OP_PACKET: begin
        verdict_d.has_flow = !slot_q.long_packet && slot_q.outcome.reason == REASON_OK && run_q.why != REASON_NO_FLOW;
        if (slot_q.long_packet) verdict_d.reason = REASON_BAD_LENGTH;
        else if (slot_q.outcome.reason != REASON_OK) verdict_d.reason = slot_q.outcome.reason;
        else if (run_q.why != REASON_OK) verdict_d.reason = run_q.why;
        else verdict_d.reason = run_d.bad == '0 ? REASON_OK : REASON_FRAME_UNMASKED - 8'd1 + {5'd0, run_d.bad};
      end
      RX_OP_ADD, RX_OP_DELETE: verdict_d.reason = packet_q.reason;
      default: verdict_d.reason = run_q.place.valid ? REASON_OK : REASON_NO_FLOW;
    endcase
  end

  always_ff @(posedge clk_i) begin
    verdict_o <= verdict_d;
    opening_o.place <= place;
    opening_o.split <= carried_q && header.complete;
    opening_o.rest <= run_d.rest;
    opening_o.b0 <= window[0];
    opening_o.length <= header.length;
  end

  assign slot_o = slot_q;
  assign packet_o = packet_q;
  assign data_o = data_q;
  assign has_o = has_q;
  assign start_o = start_q;
  assign partial_o = has_q && link_q.partial;
  assign lanes_o = run_q.lanes;
  assign rest_o = run_q.rest;

`ifndef SYNTHESIS
  // The brief form says the same as the whole one, and is distant only if no header begins in the next beat's reach.
  assert property (@(posedge clk_i) disable iff (rst_i) update && next_place.valid |->
      next_brief.in_header == next_place.in_header && (next_place.in_header ? next_brief.fill == next_place.fill
          : next_brief.distant ? next_place.length >= Bytes : next_place.length == {25'd0, next_brief.left}));
`endif
endmodule

`default_nettype wire
