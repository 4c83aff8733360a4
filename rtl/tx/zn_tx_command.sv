// SPDX-License-Identifier: Apache-2.0
// Reads messages of the host: checks each against driver/README.md, writes payload to its buffer while it arrives, and
// hands the command on once what it must have is there. Of a payload that ends early nothing stays: the write position goes
// back. Lists of flow ids follow their command, in a queue of beats, as they come.
//
// Handshake: valid/ready on all streams. Payload buffer: we/addr/data; the reader says with payload_release_i how many beats
// are free again. The sum of a command's payload (SEGMENT and broadcasts) comes out at sum_o, in the order of the
// commands, a few cycles after its command may have been taken. Latency: 4 cycles from the last beat that a command needs.
// Rate: one beat a cycle.
`default_nettype none

module zn_tx_command
  import zn_contract_pkg::*, zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Members = 65536,
    parameter int unsigned PayloadMax = 2048,
    parameter int unsigned Skips = 16,
    parameter int unsigned PayloadBeats = 128  // of the payload buffer: a power of two, at least twice the longest payload
) (
    input  wire                             clk_i,
    input  wire                             rst_i,
    input  wire                             s_valid_i,
    output logic                            s_ready_o,
    input  wire  [DataWidth-1:0]            s_data_i,
    input  wire  [DataWidth/8-1:0]          s_keep_i,
    input  wire                             s_last_i,
    output logic                            payload_we_o,
    output logic [$clog2(PayloadBeats)-1:0] payload_addr_o,
    output logic [DataWidth-1:0]            payload_data_o,
    input  wire  [$clog2(PayloadBeats):0]   payload_release_i,
    output logic                            ids_valid_o,
    input  wire                             ids_ready_i,
    output logic [DataWidth-1:0]            ids_data_o,
    output tx_list_t                        ids_list_o,
    output logic                            m_valid_o,
    input  wire                             m_ready_i,
    output tx_command_t                     m_command_o,
    output logic                            sum_valid_o,
    input  wire                             sum_ready_i,
    output logic [15:0]                     sum_o
);
  localparam int unsigned Bytes = DataWidth / 8;
  localparam int unsigned ByteBits = $clog2(Bytes);
  localparam int unsigned HeaderBeats = 64 / Bytes;
  localparam int unsigned PayloadBits = $clog2(PayloadBeats);
  localparam int unsigned Waiting = 16;    // commands between here and the one that is executed
  localparam int unsigned IdsWaiting = 32; // beats of flow ids
  localparam int unsigned MemberBits = $clog2(Members + 1);

  typedef enum logic [2:0] {
    AREA_HEADER,
    AREA_ADDRESS,
    AREA_PAYLOAD,
    AREA_PADDING,
    AREA_IDS,
    AREA_REST      // all is there, or it was refused; what follows is skipped
  } area_t;

  // --- Input: the header is the first block of 64 bytes of a message, the address that follows some the second.

  logic advance;
  logic in_valid;
  logic in_last;
  logic [DataWidth-1:0] in_data;
  logic [Bytes-1:0] in_keep;
  logic [DataWidth-1:0] in_kept;
  logic [4:0] in_beat_q;  // of the message, held when both blocks are over

  zn_skid #(
      .Width(DataWidth + Bytes + 1)
  ) u_input (
      .clk_i,
      .rst_i,
      .valid_i(s_valid_i),
      .ready_o(s_ready_o),
      .data_i({s_last_i, s_keep_i, s_data_i}),
      .valid_o(in_valid),
      .ready_i(advance),
      .data_o({in_last, in_keep, in_data})
  );

  always_comb begin
    for (int unsigned i = 0; i < Bytes; i++) in_kept[8*i +: 8] = in_keep[i] ? in_data[8*i +: 8] : 8'd0;
  end

  // --- First stage: the beat, and what has arrived of header and address up to it.

  logic gather_valid_q;
  logic gather_last_q;
  logic gather_header_q;
  logic gather_header_end_q;
  logic [DataWidth-1:0] gather_data_q;
  logic [ByteBits:0] gather_bytes_q;
  command_t gathered_q;
  flow_address_t address_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      gather_valid_q <= 1'b0;
      in_beat_q <= '0;
    end else if (advance) begin
      gather_valid_q <= in_valid;
      if (in_valid) begin
        if (in_last) in_beat_q <= '0;
        else if (32'(in_beat_q) < 2 * HeaderBeats) in_beat_q <= in_beat_q + 5'd1;
      end
    end
    if (advance && in_valid) begin
      gather_last_q <= in_last;
      gather_header_q <= 32'(in_beat_q) < HeaderBeats;
      gather_header_end_q <= 32'(in_beat_q) == HeaderBeats - 1;
      gather_data_q <= in_kept;
      gather_bytes_q <= (ByteBits + 1)'($countones(in_keep));
      for (int unsigned b = 0; b < HeaderBeats; b++) begin
        if (32'(in_beat_q) == b) gathered_q[DataWidth*b +: DataWidth] <= in_kept;
        if (32'(in_beat_q) == HeaderBeats + b) address_q[DataWidth*b +: DataWidth] <= in_kept;
      end
    end
  end

  // --- What the header asks for, and whether it may.

  logic is_broadcast;
  logic is_group;
  logic has_payload;
  logic has_ids;
  logic members_good;
  logic refused;
  tx_op_kind_t kind;

  assign is_group = gathered_q.kind == MSG_BROADCAST_GROUP;
  assign is_broadcast = gathered_q.kind == MSG_BROADCAST_LIST || is_group;
  assign has_payload = gathered_q.kind == MSG_RAW || gathered_q.kind == MSG_SEGMENT || is_broadcast;
  assign has_ids = gathered_q.kind == MSG_MEMBERS || is_broadcast;

  always_comb begin
    unique case (gathered_q.kind)
      MSG_RAW: kind = TX_OP_RAW;
      MSG_SEGMENT: kind = TX_OP_SEGMENT;
      MSG_ADD: kind = TX_OP_ADD;
      MSG_DELETE: kind = TX_OP_DELETE;
      MSG_GRANT: kind = TX_OP_GRANT;
      MSG_RESYNC: kind = TX_OP_RESYNC;
      MSG_READ: kind = TX_OP_READ;
      MSG_MEMBERS: kind = TX_OP_MEMBERS;
      MSG_BROADCAST_LIST, MSG_BROADCAST_GROUP: kind = TX_OP_COPY;
      default: kind = TX_OP_BAD;
    endcase
  end

  // MEMBERS and groups: flow + count <= Members, without carries past the bits that Members has.
  logic [31:0] count;
  logic [MemberBits:0] members_end;

  assign count = is_group ? gathered_q.count : 32'(gathered_q.ids);
  assign members_end = {1'b0, gathered_q.flow[MemberBits-1:0]} + {1'b0, count[MemberBits-1:0]};
  assign members_good = (gathered_q.flow >> MemberBits) == '0 && (count >> MemberBits) == '0
      && 32'(members_end) <= Members;

  always_comb begin
    unique case (kind)
      TX_OP_RAW: refused = gathered_q.length == '0 || 32'(gathered_q.length) > PayloadMax;
      TX_OP_SEGMENT: refused = gathered_q.flow >= Flows || 32'(gathered_q.length) > PayloadMax;
      TX_OP_ADD, TX_OP_DELETE, TX_OP_GRANT, TX_OP_RESYNC, TX_OP_READ: refused = gathered_q.flow >= Flows;
      TX_OP_MEMBERS: refused = !members_good;
      TX_OP_COPY:
        refused = gathered_q.length == '0 || 32'(gathered_q.length) > PayloadMax
            || (is_group && (32'(gathered_q.ids) > Skips || !members_good));
      default: refused = 1'b1;
    endcase
    if (gathered_q.version != CONTRACT_VERSION) refused = 1'b1;
  end

  // --- Second stage: the beat that takes effect, and its command.

  logic valid_q;
  logic last_q;
  logic header_q;
  logic header_end_q;
  logic [DataWidth-1:0] data_q;
  logic [ByteBits:0] bytes_q;
  logic refused_q;
  logic [15:0] payload_length_q;
  tx_command_t asked_q;       // but for address and place of the payload
  tx_command_t asked_d;

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= 1'b0;
    else if (advance) valid_q <= gather_valid_q;
    if (advance && gather_valid_q) begin
      last_q <= gather_last_q;
      header_q <= gather_header_q;
      header_end_q <= gather_header_end_q;
      data_q <= gather_data_q;
      bytes_q <= gather_bytes_q;
      if (gather_header_end_q) begin
        refused_q <= refused;
        payload_length_q <= has_payload ? gathered_q.length : 16'd0;
        asked_q <= asked_d;
      end
    end
  end

  always_comb begin
    asked_d = '0;
    asked_d.kind = kind;
    asked_d.group = is_group;
    asked_d.quiet = gathered_q.flags[CMD_QUIET_BIT];
    asked_d.open = gathered_q.flags[CMD_OPEN_BIT];
    asked_d.push = gathered_q.flags[CMD_PUSH_BIT];
    asked_d.unblock = gathered_q.flags[CMD_UNBLOCK_BIT];
    asked_d.flow = gathered_q.flow;
    asked_d.cookie = gathered_q.cookie;
    asked_d.length = gathered_q.length;
    asked_d.window = gathered_q.window;
    asked_d.ack = gathered_q.ack;
    asked_d.count = count;
    asked_d.ids = has_ids ? gathered_q.ids : 16'd0;
    asked_d.setup.snd_nxt = gathered_q.snd_nxt;
    asked_d.setup.limit = gathered_q.limit;
    asked_d.setup.rcv_nxt = gathered_q.rcv_nxt;
    asked_d.setup.max_frame = gathered_q.max_frame;
    asked_d.setup.state = '{
        fill: gathered_q.state.fill[3:0],
        b0: gathered_q.state.b0,
        b1: gathered_q.state.b1,
        length: gathered_q.state.length,
        key: gathered_q.state.key
    };
    asked_d.setup.flags = gathered_q.flow_flags[3:0];
    asked_d.setup.mss = gathered_q.mss;
    asked_d.setup.heartbeat_ms = gathered_q.heartbeat_ms;
    asked_d.setup.replies = gathered_q.replies[7:0];
  end

  // --- The body, area by area.

  area_t area_q;
  area_t next_area;
  logic [18:0] left_q;     // bytes of the area, from this beat on
  logic [18:0] next_left;
  logic [5:0] to_block;    // bytes from the payload's end to the next multiple of 64
  logic [2:0] padding;     // beats between payload and ids
  logic fills;             // this beat is the area's last
  logic enough;            // and has all of it
  logic committed_q;       // the command was handed on
  logic complete;          // with this beat the command has what it must have
  logic commit;
  logic write_payload;
  logic has_address;

  assign has_address = asked_q.kind == TX_OP_ADD || asked_q.kind == TX_OP_DELETE;
  assign to_block = 6'd0 - asked_q.length[5:0];
  assign padding = 3'({1'b0, to_block} >> ByteBits);
  assign fills = left_q <= 19'(Bytes);
  assign enough = fills && 19'(bytes_q) >= left_q;

  // Which area follows this beat: of a header's end, or of an area's last beat.
  always_comb begin
    if (header_q && has_address) next_area = AREA_ADDRESS;
    else if (header_q && payload_length_q != '0) next_area = AREA_PAYLOAD;
    else if (area_q != AREA_IDS && area_q != AREA_REST && asked_q.ids != '0) begin
      next_area = area_q == AREA_PAYLOAD && padding != '0 ? AREA_PADDING : AREA_IDS;
    end else next_area = AREA_REST;

    unique case (next_area)
      AREA_ADDRESS: next_left = 19'd64;
      AREA_PAYLOAD: next_left = 19'(payload_length_q);
      AREA_PADDING: next_left = 19'(padding) << ByteBits;
      AREA_IDS: next_left = {1'b0, asked_q.ids, 2'b00};
      default: next_left = '0;
    endcase
  end

  always_comb begin
    if (header_q) complete = header_end_q && 32'(bytes_q) == Bytes && !refused_q
        && (next_area == AREA_REST || next_area == AREA_IDS);
    else complete = (area_q == AREA_ADDRESS || area_q == AREA_PAYLOAD) && enough;
  end

  assign commit = valid_q && !committed_q && (complete || last_q || (header_end_q && refused_q));

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      area_q <= AREA_HEADER;
      committed_q <= 1'b0;
    end else if (advance && valid_q) begin
      if (last_q) area_q <= AREA_HEADER;
      else if (header_end_q) area_q <= refused_q ? AREA_REST : next_area;
      else if (!header_q && area_q != AREA_REST && fills) area_q <= next_area;
      committed_q <= !last_q && (committed_q || commit);
    end
    if (advance && valid_q) left_q <= header_q || fills ? next_left : left_q - 19'(Bytes);
  end

  // --- Lists: a command with ids gets at least one beat, the last of which has `ends`.

  logic listed_q;  // all of the list was handed on, or there is none
  logic list_valid;
  logic list_ready;
  logic may_commit;
  logic may_write;
  tx_list_t list;

  always_comb begin
    list.ends = last_q || (area_q == AREA_IDS && fills);
    list.early = !(area_q == AREA_IDS && enough);
    list.count = '0;
    if (!header_q && area_q == AREA_IDS) list.count = fills && enough ? 5'(left_q >> 2) : 5'(bytes_q[ByteBits:2]);
    // A list that follows a command which was, or is now, handed on as good.
    list_valid = valid_q && asked_q.ids != '0 && !listed_q && !(header_q && !header_end_q)
        && (committed_q ? area_q == AREA_IDS || last_q : commit && complete && last_q);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) listed_q <= 1'b0;
    else if (advance && valid_q) begin
      listed_q <= !last_q && (listed_q || (list_valid && list.ends) || (header_end_q && refused_q));
    end
  end

  zn_fifo #(
      .Width($bits(tx_list_t) + DataWidth),
      .Depth(IdsWaiting)
  ) u_ids (
      .clk_i,
      .rst_i,
      .valid_i(list_valid && may_commit && may_write),
      .ready_o(list_ready),
      .data_i({list, data_q}),
      .valid_o(ids_valid_o),
      .ready_i(ids_ready_i),
      .data_o({ids_list_o, ids_data_o}),
      .count_o()
  );

  // --- Write position of the payload; one bit more than addresses have tells full from empty.

  logic [PayloadBits:0] begin_q;
  logic [PayloadBits:0] write_q;
  logic [PayloadBits:0] write_d;
  logic [PayloadBits:0] read_q;
  logic [PayloadBits:0] payload_beats;
  logic payload_full;

  assign payload_full = write_q == {~read_q[PayloadBits], read_q[PayloadBits-1:0]};
  assign write_payload = valid_q && !header_q && area_q == AREA_PAYLOAD;
  assign payload_beats = write_d - begin_q;
  assign write_d = write_q + (PayloadBits + 1)'(write_payload);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      begin_q <= '0;
      write_q <= '0;
      read_q <= '0;
    end else begin
      read_q <= read_q + payload_release_i;
      if (advance) begin
        write_q <= commit && !complete ? begin_q : write_d;
        if (commit && complete) begin_q <= write_d;
      end
    end
  end

  assign payload_we_o = write_payload && advance;
  assign payload_addr_o = write_q[PayloadBits-1:0];

  // Bytes behind the payload do not count in its sum.
  always_comb begin
    for (int unsigned i = 0; i < Bytes; i++) begin
      payload_data_o[8*i +: 8] = left_q > 19'(i) ? data_q[8*i +: 8] : 8'd0;
    end
  end

  logic sum_valid;
  logic [15:0] sum;

  zn_tx_sum #(
      .DataWidth(DataWidth)
  ) u_sum (
      .clk_i,
      .rst_i,
      .clear_i(valid_q && advance && header_end_q),
      .add_i(payload_we_o),
      .push_i(commit && advance && complete && (asked_q.kind == TX_OP_SEGMENT || asked_q.kind == TX_OP_COPY)),
      .data_i(payload_data_o),
      .valid_o(sum_valid),
      .sum_o(sum)
  );

  // A sum for each command that waits, and one for the command before the queue.
  logic sum_ready;
  zn_fifo #(
      .Width(16),
      .Depth(2 * Waiting)
  ) u_sums (
      .clk_i,
      .rst_i,
      .valid_i(sum_valid),
      .ready_o(sum_ready),
      .data_i(sum),
      .valid_o(sum_valid_o),
      .ready_i(sum_ready_i),
      .data_o(sum_o),
      .count_o()
  );

  // --- The command. A beat goes on when all that it does can be done in this cycle.

  tx_command_t command;
  logic command_ready;
  logic cut;  // inside the header: of such a message flow and cookie are 0

  assign may_commit = !commit || command_ready;
  assign may_write = !(write_payload && payload_full);
  assign advance = may_commit && may_write && !(list_valid && !list_ready);
  assign cut = header_q && !(header_end_q && 32'(bytes_q) == Bytes);

  always_comb begin
    command = asked_q;
    if (!complete) command.kind = TX_OP_BAD;
    if (cut) command.flow = '0;
    if (cut) command.cookie = '0;
    command.payload_addr = 16'(begin_q[PayloadBits-1:0]);
    command.payload_beats = complete ? 16'(payload_beats) : 16'd0;
    command.setup.peer_mac = address_q.peer_mac;
    command.setup.vlan = address_q.vlan;
    command.setup.has_vlan = address_q.has_vlan != '0;
    command.setup.ip_id = address_q.ip_id;
    command.setup.tuple = '{
        v6: address_q.ip_version == 8'd6,
        peer_address: address_q.peer_address,
        local_address: address_q.local_address,
        peer_port: address_q.peer_port,
        local_port: address_q.local_port
    };
  end

  zn_fifo #(
      .Width($bits(tx_command_t)),
      .Depth(Waiting)
  ) u_commands (
      .clk_i,
      .rst_i,
      .valid_i(commit && may_write && !(list_valid && !list_ready)),
      .ready_o(command_ready),
      .data_i(command),
      .valid_o(m_valid_o),
      .ready_i(m_ready_i),
      .data_o(m_command_o),
      .count_o()
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (rst_i) sum_valid |-> sum_ready);
  assert property (@(posedge clk_i) disable iff (rst_i) valid_q && last_q |-> commit || committed_q);
  assert property (@(posedge clk_i) disable iff (rst_i) valid_q && header_q |-> area_q == AREA_HEADER);
`endif
endmodule

`default_nettype wire
