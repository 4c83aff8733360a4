// SPDX-License-Identifier: Apache-2.0
// Where flows stand on the transmit side (tx_context_t, in two RAMs: what operations change, and what only ADD writes),
// and the decision what an operation may do. It gives sequence numbers, and says for each operation what is to be sent,
// reported and told to the receive side.
//
// Handshake: valid/ready on all streams. No operation is taken before ready_after_reset_o.
// Latency: 3 cycles. Rate: one operation a cycle, the same flow in each of them included.
//
// Stages: read the state RAM | state (or what the operation before just wrote) | decide, write, read the peer RAM | hand on.
`default_nettype none

module zn_tx_flow
  import zn_contract_pkg::*, zn_pkg::*, zn_tx_pkg::*;
#(
    parameter int unsigned Flows = 65536
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  settings_t              settings_i,
    input  wire  [31:0]            now_ms_i,
    output logic                   ready_after_reset_o,
    input  wire                    op_valid_i,
    output logic                   op_ready_o,
    input  tx_op_t                 op_i,
    input  tx_setup_t              setup_i,
    output logic                   segment_valid_o,
    input  wire                    segment_ready_i,
    output tx_segment_t            segment_o,
    output logic                   record_valid_o,
    input  wire                    record_ready_i,
    output report_record_t         record_o,
    output logic                   cmd_valid_o,
    input  wire                    cmd_ready_i,
    output rx_meta_t               cmd_meta_o,
    output tx_counts_t             counts_o
);
  localparam int unsigned FlowBits = $clog2(Flows);

  logic advance;

  // --- Read.

  logic [FlowBits-1:0] clear_q;
  logic read_valid_q;
  tx_op_t read_op_q;
  tx_setup_t read_setup_q;
  tx_state_t read_state;
  logic write;
  tx_state_t state_d;
  logic valid_q;        // what is decided on
  tx_op_t op_q;
  tx_setup_t setup_q;
  tx_state_t state_q;

  assign op_ready_o = advance && ready_after_reset_o;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      clear_q <= '0;
      ready_after_reset_o <= 1'b0;
      read_valid_q <= 1'b0;
    end else begin
      if (!ready_after_reset_o) begin
        clear_q <= clear_q + 1'b1;
        ready_after_reset_o <= 32'(clear_q) == Flows - 1;
      end
      if (advance) read_valid_q <= op_valid_i && ready_after_reset_o;
    end
    if (advance) begin
      read_op_q <= op_i;
      read_setup_q <= setup_i;
    end
  end

  zn_ram #(
      .Width($bits(tx_state_t)),
      .Depth(Flows)
  ) u_state (
      .clk_i,
      .we_i(write || !ready_after_reset_o),
      .waddr_i(ready_after_reset_o ? op_q.flow[FlowBits-1:0] : clear_q),
      .wdata_i(ready_after_reset_o ? state_d : '0),
      .re_i(advance),
      .raddr_i(op_i.flow[FlowBits-1:0]),
      .rdata_o(read_state)
  );

  // --- State: a write that is under way is newer than what was read.

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= 1'b0;
    else if (advance) valid_q <= read_valid_q;
    if (advance) begin
      op_q <= read_op_q;
      setup_q <= read_setup_q;
      state_q <= write && op_q.flow[FlowBits-1:0] == read_op_q.flow[FlowBits-1:0] ? state_d : read_state;
    end
  end

  // --- Decide.

  logic known;          // the flow is one, and was added
  logic is_segment;     // SEGMENT with payload, or a copy
  logic bare;           // SEGMENT without payload
  logic new_period;
  logic [7:0] period_q; // low bits of the period's number
  logic [7:0] replied;
  logic [31:0] room;    // left of the grant after this segment
  logic [15:0] late;    // since a heartbeat was due
  logic due;
  logic [7:0] reason;
  logic sent;

  assign known = op_q.known && state_q.valid;
  assign bare = op_q.kind == TX_OP_SEGMENT && op_q.length == '0;
  assign is_segment = (op_q.kind == TX_OP_SEGMENT && !bare) || op_q.kind == TX_OP_COPY;
  assign new_period = state_q.period != period_q;
  assign replied = new_period ? 8'd0 : state_q.replied;
  assign room = state_q.limit - state_q.snd_nxt - 32'(op_q.length);

  assign late = now_ms_i[15:0] - state_q.due_ms;
  assign due = settings_i.heartbeats_on && known && state_q.engine && state_q.heartbeat_ms != '0 && !late[15];

  always_ff @(posedge clk_i) period_q <= 8'(now_ms_i >> settings_i.rate_period);

  always_comb begin
    reason = REASON_OK;
    unique case (op_q.kind)
      TX_OP_SEGMENT, TX_OP_COPY, TX_OP_REPLY, TX_OP_HEARTBEAT: begin
        if (!known) reason = REASON_NO_FLOW;
        else if (bare) reason = REASON_OK;
        else if (op_q.left_out) reason = REASON_LEFT_OUT;
        else if (is_segment && state_q.blocked) reason = REASON_BLOCKED;
        else if (op_q.kind == TX_OP_REPLY && replied >= state_q.replies) reason = REASON_RATE;
        else if (op_q.kind != TX_OP_SEGMENT && state_q.open) reason = REASON_IN_FRAME;
        else if (op_q.length > state_q.mss) reason = REASON_TOO_LONG;
        else if (room[31]) reason = REASON_NO_GRANT;
      end
      TX_OP_DELETE, TX_OP_GRANT, TX_OP_RESYNC, TX_OP_READ: if (!known) reason = REASON_NO_FLOW;
      TX_OP_MEMBERS, TX_OP_END: if (op_q.early) reason = REASON_BAD_COMMAND;
      TX_OP_BAD: reason = REASON_BAD_COMMAND;
      default: ;
    endcase
  end

  always_comb begin
    unique case (op_q.kind)
      TX_OP_SEGMENT, TX_OP_COPY, TX_OP_REPLY: sent = reason == REASON_OK;
      TX_OP_HEARTBEAT: sent = reason == REASON_OK && due;
      default: sent = 1'b0;
    endcase
  end

  always_comb begin
    state_d = state_q;
    if (sent) begin
      state_d.snd_nxt = state_q.snd_nxt + 32'(op_q.length);
      state_d.ip_id = state_q.ip_id + 16'd1;
    end
    unique case (op_q.kind)
      TX_OP_SEGMENT, TX_OP_COPY: begin
        if (op_q.kind == TX_OP_SEGMENT) begin
          state_d.window = op_q.window;
          state_d.ack = op_q.ack;
          if (sent && !bare) state_d.open = op_q.open;
        end
        if (reason != REASON_OK && reason != REASON_LEFT_OUT) state_d.blocked = 1'b1;
      end
      TX_OP_REPLY:
        if (sent) begin
          state_d.replied = replied + 8'd1;
          state_d.period = period_q;
        end
      TX_OP_HEARTBEAT: if (sent) state_d.due_ms = state_q.due_ms + state_q.heartbeat_ms;
      TX_OP_GRANT: begin
        state_d.limit = setup_q.limit;
        state_d.ack = op_q.ack;
        state_d.window = op_q.window;
        if (op_q.unblock) state_d.blocked = 1'b0;
      end
      TX_OP_DELETE: state_d.valid = 1'b0;
      TX_OP_ADD: state_d = '{
          valid: 1'b1,
          open: op_q.open,
          blocked: 1'b0,
          engine: setup_q.flags[FLOW_ENGINE_BIT],
          ip_id: setup_q.ip_id,
          snd_nxt: setup_q.snd_nxt,
          limit: setup_q.limit,
          ack: op_q.ack,
          window: op_q.window,
          mss: setup_q.mss,
          heartbeat_ms: setup_q.heartbeat_ms,
          due_ms: now_ms_i[15:0] + setup_q.heartbeat_ms,
          replies: setup_q.replies,
          replied: 8'd0,
          period: period_q
      };
      default: ;
    endcase
  end

  // A flow that is not valid keeps what it has; only ADD changes it.
  always_comb begin
    unique case (op_q.kind)
      TX_OP_SEGMENT, TX_OP_COPY, TX_OP_REPLY, TX_OP_HEARTBEAT, TX_OP_GRANT, TX_OP_DELETE: write = known;
      TX_OP_ADD: write = 1'b1;
      default: write = 1'b0;
    endcase
    write = write && valid_q && advance;
  end

  // --- Hand on.

  logic [31:0] copies_q;  // copies of this broadcast that were sent
  logic segment_q;
  logic record_q;
  logic cmd_q;
  tx_segment_t segment_d;
  tx_segment_t segment;  // but for the peer, which comes out of its RAM at the same time
  tx_peer_t peer;
  tx_peer_t peer_d;
  tx_peer_t peer_q;
  logic peer_write_q;
  logic [FlowBits-1:0] peer_addr_q;
  report_record_t record_d;
  rx_meta_t meta_d;
  tx_op_kind_t kind;

  assign kind = op_q.kind;

  always_comb begin
    record_d = '{
        kind: RECORD_DONE,
        reason: reason,
        length: 16'd0,
        flow: op_q.flow,
        seq: 32'd0,
        cookie: op_q.cookie
    };
    unique case (kind)
      TX_OP_SEGMENT, TX_OP_COPY, TX_OP_REPLY, TX_OP_HEARTBEAT: begin
        record_d.kind = kind == TX_OP_REPLY ? RECORD_REPLY : kind == TX_OP_HEARTBEAT ? RECORD_HEARTBEAT : RECORD_SENT;
        record_d.length = sent ? op_q.length : 16'd0;
        record_d.seq = known ? state_q.snd_nxt : 32'd0;
      end
      TX_OP_END: begin
        record_d.kind = RECORD_BROADCAST_END;
        record_d.seq = copies_q;
      end
      TX_OP_ADD: record_d.seq = setup_q.snd_nxt;
      TX_OP_DELETE, TX_OP_GRANT, TX_OP_RESYNC: record_d.seq = known ? state_q.snd_nxt : 32'd0;
      TX_OP_READ:
        if (known) begin
          record_d.seq = state_q.snd_nxt;
          record_d.length = state_q.window;
        end
      default: ;
    endcase
  end

  always_comb begin
    segment_d = '0;
    segment_d.send = sent || kind == TX_OP_RAW;
    segment_d.raw = kind == TX_OP_RAW;
    segment_d.push = op_q.push;
    unique case (kind)
      TX_OP_REPLY: segment_d.source = TX_SOURCE_REPLY;
      TX_OP_HEARTBEAT: segment_d.source = TX_SOURCE_HEARTBEAT;
      default: segment_d.source = TX_SOURCE_PAYLOAD;
    endcase
    segment_d.length = op_q.length;
    segment_d.payload_sum = op_q.payload_sum;
    segment_d.payload_addr = op_q.payload_addr;
    segment_d.release_beats = op_q.release_beats;
    segment_d.release_reply = kind == TX_OP_REPLY;
    segment_d.seq = state_q.snd_nxt;
    segment_d.ack = state_d.ack;
    segment_d.window = state_d.window;
    segment_d.ip_id = state_q.ip_id;
  end

  always_comb begin
    unique case (kind)
      TX_OP_ADD: meta_d.op = RX_OP_ADD;
      TX_OP_DELETE: meta_d.op = RX_OP_DELETE;
      TX_OP_RESYNC: meta_d.op = RX_OP_RESYNC;
      default: meta_d.op = RX_OP_READ;
    endcase
    meta_d.tuple = setup_q.tuple;
    meta_d.seq = setup_q.rcv_nxt;
    meta_d.payload_offset = '0;
    meta_d.payload_length = '0;
    meta_d.flow = op_q.flow;
    meta_d.cookie = op_q.cookie;
    meta_d.flags = setup_q.flags;
    meta_d.max_frame = setup_q.max_frame;
    meta_d.state = setup_q.state;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      segment_q <= 1'b0;
      record_q <= 1'b0;
      cmd_q <= 1'b0;
    end else if (!advance) begin
      if (segment_ready_i) segment_q <= 1'b0;
      if (record_ready_i) record_q <= 1'b0;
      if (cmd_ready_i) cmd_q <= 1'b0;
    end else begin
      // Also what is not sent takes its turn, to give back its part of the buffers.
      segment_q <= valid_q && (sent || op_q.release_beats != '0 || kind == TX_OP_RAW || kind == TX_OP_REPLY);
      record_q <= valid_q && kind != TX_OP_RAW && !(kind == TX_OP_HEARTBEAT && !sent)
          && !(op_q.quiet && kind inside {TX_OP_GRANT, TX_OP_MEMBERS} && reason != REASON_BAD_COMMAND);
      cmd_q <= valid_q && kind inside {TX_OP_ADD, TX_OP_DELETE, TX_OP_RESYNC, TX_OP_READ};
    end
    if (rst_i || (advance && valid_q && kind == TX_OP_END)) copies_q <= '0;
    else if (advance && valid_q && kind == TX_OP_COPY && sent) copies_q <= copies_q + 32'd1;
    if (advance) begin
      segment <= segment_d;
      record_o <= record_d;
      cmd_meta_o <= meta_d;
    end
  end

  // Written a cycle after the decision, when the next operation reads. Of IPv4 addresses only four bytes count.
  always_ff @(posedge clk_i) begin
    if (rst_i) peer_write_q <= 1'b0;
    else if (advance) peer_write_q <= valid_q && kind == TX_OP_ADD;
    if (advance) begin
      peer_addr_q <= op_q.flow[FlowBits-1:0];
      peer_q <= peer_d;
    end
  end

  always_comb begin
    peer_d = '{peer_mac: setup_q.peer_mac, vlan: setup_q.vlan, has_vlan: setup_q.has_vlan, tuple: setup_q.tuple};
    if (!setup_q.tuple.v6) begin
      peer_d.tuple.peer_address[127:32] = '0;
      peer_d.tuple.local_address[127:32] = '0;
    end
  end

  // The three parts of an operation leave when each can; the next operation follows when all have.
  assign advance = (!segment_q || segment_ready_i) && (!record_q || record_ready_i) && (!cmd_q || cmd_ready_i);
  assign segment_valid_o = segment_q;
  assign record_valid_o = record_q;
  assign cmd_valid_o = cmd_q;

  zn_ram #(
      .Width($bits(tx_peer_t)),
      .Depth(Flows)
  ) u_peer (
      .clk_i,
      .we_i(peer_write_q),
      .waddr_i(peer_addr_q),
      .wdata_i(peer_q),
      .re_i(advance),
      .raddr_i(op_q.flow[FlowBits-1:0]),
      .rdata_o(peer)
  );

  always_comb begin
    segment_o = segment;
    segment_o.peer = peer;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i || !advance || !valid_q) begin
      counts_o <= '0;
    end else begin
      counts_o.raw <= kind == TX_OP_RAW;
      counts_o.segment <= kind inside {TX_OP_SEGMENT, TX_OP_COPY} && sent;
      counts_o.skipped <= kind inside {TX_OP_SEGMENT, TX_OP_COPY} && !sent;
      counts_o.reply <= kind == TX_OP_REPLY && sent;
      counts_o.reply_refused <= kind == TX_OP_REPLY && !sent;
      counts_o.heartbeat <= kind == TX_OP_HEARTBEAT && sent;
      counts_o.command <= !(kind inside {TX_OP_COPY, TX_OP_REPLY, TX_OP_HEARTBEAT});
      counts_o.bad <= reason == REASON_BAD_COMMAND;
    end
  end

`ifndef SYNTHESIS
  // A segment that is sent ends within its grant (invariant 4 of the contract).
  assert property (@(posedge clk_i) disable iff (rst_i) valid_q && sent && !bare |-> !room[31] && known);
  assert property (@(posedge clk_i) disable iff (rst_i) valid_q && sent && kind != TX_OP_SEGMENT |-> !state_q.open);
  assert property (@(posedge clk_i) disable iff (rst_i) valid_q && kind == TX_OP_ADD |-> op_q.known);
`endif
endmodule

`default_nettype wire
