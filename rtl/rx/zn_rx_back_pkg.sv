// SPDX-License-Identifier: Apache-2.0
// Types of the receive back end, and the reading of one frame header (RFC 6455 section 5.2).
//
// The back end works in slots: each packet is one head slot, which stands in front of the packet's first payload
// beat, and its beats. Positions count bytes from the first byte of a beat.
`default_nettype none

package zn_rx_back_pkg;
  import zn_contract_pkg::*;
  import zn_pkg::*;

  localparam int unsigned HeaderMax = 14;  // bytes of the longest masked header
  localparam int unsigned Carry = 13;      // most bytes of a header that is not whole

  typedef logic [HeaderMax-1:0][7:0] window_t;  // where a header may begin, first byte lowest
  typedef logic [Carry-1:0][7:0] carry_t;       // the last bytes of what was received, latest byte highest
  typedef logic [3:0][7:0] lanes_t;             // a mask key: entry i for bytes at positions of i modulo 4

  // What stands at a header's first byte.
  typedef struct packed {
    logic        complete;  // every byte is there, and the header is good
    logic [2:0]  bad;       // not 0: with REASON_FRAME_UNMASKED - 1 added, the reason
    logic [3:0]  need;      // bytes of the header
    logic [31:0] length;    // of the payload, held at 2^32-1
  } header_t;

  // What the bytes of a header say, before it is judged.
  typedef struct packed {
    logic        is16;      // an extended length of 2 bytes, of 8 bytes
    logic        is64;
    logic        whole;     // every byte is there
    logic        high;      // a length of 8 bytes is above 2^32-1
    logic [31:0] low;       // the length, if it is not
    logic        unmasked;
    logic        reserved;
    logic        control;
    logic        few16;     // a length of 2 bytes would fit in 7 bits, one of 8 bytes in 2 bytes
    logic        few64;
    logic        over7;     // above the flow's max_frame, for each form of the length
    logic        over16;
    logic        over64;
  } facts_t;

  // Where a flow stands, as rx_context_t, with a header's bytes as they came: in a header, its last `fill` bytes are those of
  // tail. Else `length` bytes of payload are left; if that is not 0, the last four bytes of tail are the key, its first byte for the
  // next byte of payload.
  typedef struct packed {
    logic        valid;
    logic        broken;
    logic [31:0] rcv_nxt;
    logic        in_header;  // a header
    logic [3:0]  fill;
    logic [7:0]  b0;
    logic [7:0]  b1;
    logic [31:0] length;
    carry_t      tail;
  } place_t;

  // What the next packet needs of it at once.
  typedef struct packed {
    logic       in_header;
    logic [3:0] fill;
    logic       distant; // `left` does not hold what is left
    logic [6:0] left;
    carry_t     tail;
  } brief_t;

  // A packet or command, with each of its slots.
  typedef struct packed {
    rx_op_t      op;
    logic [31:0] seq;
    logic [15:0] payload_offset;
    logic [15:0] payload_length;
    logic [31:0] flow;
    logic [31:0] cookie;
    parser_t     state;
    logic        hit;
    logic [3:0]  flags;
    logic [31:0] max_frame;
    logic [7:0]  reason;  // of the flow table, for a command
  } packet_t;

  // A slot.
  typedef struct packed {
    logic        valid;
    logic        head;           // a packet's head slot; else one of its beats
    logic        last;           // the packet's last beat
    logic        long_packet;    // too long to be treated
    logic        long_first;     // the beat at which that is seen
    logic        payload;        // the beat may have payload
    logic        payload_first;  // the beat with the first byte of payload
    logic        payload_last;   // the beat with the last one
    logic [5:0]  offset;         // of the first payload byte in its beat: head and first payload beat
    logic [6:0]  finish;         // where the payload ends, counted from the beat's first byte, held at 127
    logic [6:0]  span;           // the smaller one of `finish` and the beat's size
    logic [15:0] base;           // of the beat's first byte in the packet
    rx_end_t     outcome;        // with last
  } slot_t;

  // What stands at a position, when a header begins there.
  typedef struct packed {
    logic       hop;      // the next header begins in this beat, at `next`
    logic       close;    // the next header begins in this beat or the next one, at `next`
    logic [2:0] bad;      // header_t
    logic       partial;  // the payload ends inside the header, of which `next` bytes are there
    logic       is16;     // facts_t
    logic       is64;
    logic [5:0] last;     // of a chain: where its last header begins
    logic [6:0] next;
  } link_t;

  // Where the flow stood, and what a carried header became; with each head slot.
  typedef struct packed {
    place_t      place;
    logic        split;   // a header of an earlier packet became complete
    logic [3:0]  rest;    // bytes of it in this packet
    logic [7:0]  b0;      // of it
    logic [31:0] length;  // of it
  } opening_t;

  // How a packet or command ended.
  typedef struct packed {
    logic        push;      // it is decided
    logic [7:0]  reason;
    logic        has_flow;
    logic        treated;
    logic [31:0] rcv_nxt;
  } verdict_t;

  // What goes to the host in front of a packet, or, for a command, instead of it.
  typedef struct packed {
    logic           command;
    logic [511:0]   header;     // a command's record in the low bits
    logic           treated;
    logic           asks;       // a frame that could be answered
    logic [1:0]     ask;        // which of the described ones
    logic           probe;      // it is `2probe`
    logic [15:0]    ask_start;  // its payload's first byte in the packet
    logic [6:0]     ask_length;
    logic [31:0]    cookie;
    logic           heartbeat;
  } notice_t;


  // Bytes of the masked header whose second byte is `b1`.
  function automatic logic [3:0] header_size(input logic [7:0] b1);
    return b1[6:0] == 7'd127 ? 4'd14 : b1[6:0] == 7'd126 ? 4'd8 : 4'd6;
  endfunction

  // What the bytes of a header at the front of `w` say, one by one; they exist where `there` is set (from the first on,
  // without gaps).
  function automatic facts_t header_facts(input window_t w, input logic [HeaderMax-1:0] there,
                                          input logic deflate, input logic [31:0] max_frame);
    facts_t f;
    logic [3:0] opcode;
    logic is16;
    logic is64;
    logic [31:0] low64;
    logic [15:0] len16;
    opcode = w[0][3:0];
    is16 = w[1][6:0] == 7'd126;
    is64 = w[1][6:0] == 7'd127;
    len16 = {w[2], w[3]};
    low64 = {w[6], w[7], w[8], w[9]};
    f.is16 = is16;
    f.is64 = is64;
    f.whole = is64 ? there[13] : is16 ? there[7] : there[5];
    f.high = {w[2], w[3], w[4], w[5]} != 32'd0;
    f.low = is64 ? low64 : is16 ? {16'd0, len16} : {25'd0, w[1][6:0]};
    f.unmasked = there[1] && !w[1][7];
    f.reserved = w[0][5:4] != 2'd0 || opcode[2:0] > 3'd2
        || (w[0][6] && !(deflate && (opcode == 4'd1 || opcode == 4'd2)));
    f.control = opcode[3] && (is16 || is64 || !w[0][7]);
    f.few16 = len16 < 16'd126;
    f.few64 = low64[31:16] == 16'd0;
    f.over7 = {25'd0, w[1][6:0]} > max_frame;
    f.over16 = {16'd0, len16} > max_frame;
    f.over64 = low64 > max_frame;
    return f;
  endfunction

  // The header that they make.
  function automatic header_t header_judge(input facts_t f);
    header_t h;
    logic longer;
    logic over;
    longer = f.is16 ? f.few16 : f.is64 && !f.high && f.few64;
    over = f.is64 ? f.high || f.over64 : f.is16 ? f.over16 : f.over7;
    h.need = f.is64 ? 4'd14 : f.is16 ? 4'd8 : 4'd6;
    h.length = f.low | {32{f.is64 && f.high}};
    h.bad = 3'd0;
    if (f.unmasked) h.bad = 3'd1;
    else if (f.whole && f.reserved) h.bad = 3'd2;
    else if (f.whole && f.control) h.bad = 3'd3;
    else if (f.whole && longer) h.bad = 3'd4;
    else if (f.whole && over) h.bad = 3'd5;
    h.complete = f.whole && h.bad == 3'd0;
    return h;
  endfunction

  // Entry i of `key` is that of the byte at `position` + i.
  function automatic lanes_t key_to_lanes(input lanes_t key, input logic [1:0] position);
    lanes_t lanes;
    logic [1:0] lane;
    for (int i = 0; i < 4; i++) begin
      lane = 2'(i) + position;
      lanes[lane] = key[i];
    end
    return lanes;
  endfunction

  function automatic lanes_t lanes_to_key(input lanes_t lanes, input logic [1:0] position);
    lanes_t key;
    logic [1:0] lane;
    for (int i = 0; i < 4; i++) begin
      lane = 2'(i) + position;
      key[i] = lanes[lane];
    end
    return key;
  endfunction

  // The key of the header of `size` bytes at the front of `w`.
  function automatic lanes_t header_key(input window_t w, input logic [3:0] size);
    case (size)
      4'd14:   return {w[13], w[12], w[11], w[10]};
      4'd8:    return {w[7], w[6], w[5], w[4]};
      default: return {w[5], w[4], w[3], w[2]};
    endcase
  endfunction

  // The last `fill` bytes of `tail`, then those of `more`.
  function automatic window_t window_join(input carry_t tail, input carry_t more, input logic [3:0] fill);
    logic [2*Carry:0][7:0] all;
    logic [Carry:0][7:0] choice;
    logic [3:0] skip;
    window_t w;
    all = {8'd0, more, tail};
    skip = 4'(Carry) - fill;
    for (int i = 0; i < HeaderMax; i++) begin
      choice = all[i+:Carry+1];
      w[i] = choice[skip];
    end
    return w;
  endfunction

  // As the contract has it.
  function automatic parser_t parser_of(input place_t place);
    window_t w;
    parser_t s;
    logic [3:0] key_at;
    s = '0;
    w = window_join(place.tail, '0, place.fill);
    key_at = header_size(w[1]) - 4'd4;
    if (place.in_header) begin
      s.fill = place.fill;
      s.b0 = w[0];
      if (place.fill >= 4'd2) s.b1 = w[1];
      s.length = length_so_far(w, place.fill);
      for (int i = 0; i < 4; i++) begin
        if (place.fill >= 4'd2 && key_at + 4'(i) < place.fill) s.key[8*i+:8] = w[key_at+4'(i)];
      end
    end else if (place.length != 32'd0) begin
      s.fill = FILL_PAYLOAD;
      s.b0 = place.b0;
      s.b1 = place.b1;
      s.length = place.length;
      s.key = place.tail[Carry-1-:4];
    end
    return s;
  endfunction

  // The bytes of the extended length among the first `fill` bytes of a header, as a number, held at 2^32-1.
  function automatic logic [31:0] length_so_far(input window_t w, input logic [3:0] fill);
    logic [2:0][7:0] high;  // more than four bytes: those that must be 0
    logic [31:0] low;
    high = '0;
    low = '0;
    if (w[1][6:0] == 7'd126) begin
      if (fill == 4'd3) low = {24'd0, w[2]};
      else if (fill > 4'd3) low = {16'd0, w[2], w[3]};
    end else if (w[1][6:0] == 7'd127) begin
      case (fill)
        4'd0, 4'd1, 4'd2: low = '0;
        4'd3: low = {24'd0, w[2]};
        4'd4: low = {16'd0, w[2], w[3]};
        4'd5: low = {8'd0, w[2], w[3], w[4]};
        4'd6: low = {w[2], w[3], w[4], w[5]};
        4'd7: {high[0], low} = {w[2], w[3], w[4], w[5], w[6]};
        4'd8: {high[1:0], low} = {w[2], w[3], w[4], w[5], w[6], w[7]};
        4'd9: {high, low} = {w[2], w[3], w[4], w[5], w[6], w[7], w[8]};
        default: {high, low} = {w[2] | w[3], w[4], w[5], w[6], w[7], w[8], w[9]};
      endcase
    end
    return low | {32{high != '0}};
  endfunction

  // The tail that stands for a state of the contract.
  function automatic carry_t tail_of(input parser_t s);
    logic [2*Carry-1:0][7:0] all;
    logic [Carry:0][7:0] choice;
    carry_t tail;
    logic [3:0] key_at;
    logic [3:0] lengths;  // bytes of the extended length that are there
    window_t w;
    key_at = header_size(s.b1) - 4'd4;
    lengths = s.fill < key_at ? s.fill - 4'd2 : key_at - 4'd2;
    w = '0;
    w[0] = s.b0;
    w[1] = s.b1;
    for (int i = 0; i < 8; i++) begin
      if (4'(i) < lengths && lengths - 4'(i) <= 4'd4)
        w[2+i] = s.length[{2'(lengths - 4'd1 - 4'(i)), 3'd0}+:8];
    end
    for (int i = 0; i < 4; i++) w[key_at+4'(i)] = s.key[8*i+:8];
    all = {w[Carry-1:0], {Carry{8'd0}}};
    for (int i = 0; i < Carry; i++) begin
      choice = all[i+:Carry+1];
      tail[i] = choice[s.fill];
    end
    if (s.fill == FILL_PAYLOAD) tail[Carry-1-:4] = s.key;
    return tail;
  endfunction

  // As the back end has it.
  function automatic place_t place_of(input logic valid, input logic broken, input logic [31:0] rcv_nxt,
                                      input parser_t s);
    place_t place;
    place.valid = valid;
    place.broken = broken;
    place.rcv_nxt = rcv_nxt;
    place.in_header = s.fill != 4'd0 && s.fill != FILL_PAYLOAD;
    place.fill = s.fill;
    place.b0 = s.b0;
    place.b1 = s.b1;
    place.length = s.fill == FILL_PAYLOAD ? s.length : '0;
    place.tail = tail_of(s);
    return place;
  endfunction

  function automatic brief_t brief_of(input place_t place);
    return '{
        in_header: place.in_header,
        fill: place.fill,
        distant: place.length[31:7] != '0,
        left: place.length[6:0],
        tail: place.tail
    };
  endfunction
endpackage

`default_nettype wire
