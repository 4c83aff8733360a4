// SPDX-License-Identifier: Apache-2.0
// Turns commands into operations on flows, in order: most are one, a broadcast is one a receiver and one that ends it.
// MEMBERS writes the member table here.
//
// Handshake: valid/ready. setup_o belongs to the operation. Latency: 0 cycles for a command of one operation, 3 cycles to the
// first receiver of a broadcast, one more for each flow to leave out. Rate: one operation a cycle.
`default_nettype none

module zn_tx_execute
  import zn_tx_pkg::*;
#(
    parameter int unsigned DataWidth = 512,
    parameter int unsigned Flows = 65536,
    parameter int unsigned Members = 65536,
    parameter int unsigned Skips = 16
) (
    input  wire                        clk_i,
    input  wire                        rst_i,
    output logic                       ready_after_reset_o,
    input  wire                        command_valid_i,
    output logic                       command_ready_o,
    input  tx_command_t                command_i,
    input  wire                        sum_valid_i,
    output logic                       sum_ready_o,
    input  wire  [15:0]                sum_i,
    input  wire                        ids_valid_i,
    output logic                       ids_ready_o,
    input  wire  [DataWidth-1:0]       ids_data_i,
    input  tx_list_t                   ids_list_i,
    output logic                       op_valid_o,
    input  wire                        op_ready_i,
    output tx_op_t                     op_o,
    output tx_setup_t                  setup_o
);
  typedef enum logic [2:0] {
    STATE_COMMAND,   // the operation of the command itself, which ends it
    STATE_SKIPS,     // flows to leave out
    STATE_MEMBERS,   // reading of members begins
    STATE_COPIES,
    STATE_WRITE      // MEMBERS
  } state_t;

  state_t state_q;
  state_t state_d;
  logic listed_q;          // the lists of this command were worked through
  logic early_q;           // one of them ended early
  logic [15:0] skips_q;    // flows to leave out that were read
  logic [31:0] written_q;  // members that were written

  logic list_valid;
  logic list_ready;
  logic list_end;
  logic list_early;
  logic list_ends;         // its end is taken in this cycle
  logic [31:0] list_id;
  logic member_start;
  logic member_busy;
  logic member_valid;
  logic member_ready;
  logic [31:0] member_id;
  logic member_we;

  zn_tx_ids #(
      .DataWidth(DataWidth)
  ) u_ids (
      .clk_i,
      .rst_i,
      .valid_i(ids_valid_i),
      .ready_o(ids_ready_o),
      .data_i(ids_data_i),
      .list_i(ids_list_i),
      .valid_o(list_valid),
      .ready_i(list_ready),
      .id_o(list_id),
      .end_o(list_end),
      .early_o(list_early)
  );

  zn_tx_members #(
      .Members(Members)
  ) u_members (
      .clk_i,
      .rst_i,
      .ready_after_reset_o,
      .we_i(member_we),
      .index_i(command_i.flow + written_q),
      .id_i(list_id),
      .start_i(member_start),
      .begin_i(command_i.flow),
      .count_i(command_i.count),
      .busy_o(member_busy),
      .valid_o(member_valid),
      .ready_i(member_ready),
      .id_o(member_id)
  );

  // --- Receivers, each with whether the list of flows to leave out has it.

  logic [Skips-1:0] skip_valid_q;
  logic [Skips-1:0][31:0] skip_q;
  logic [Skips-1:0] hits;
  logic [31:0] receiver;
  logic copy_in;
  logic copy_in_ready;
  logic copy_valid;
  logic copy_ready;
  logic [Skips-1:0] copy_hits;
  logic [31:0] copy_flow;

  assign receiver = command_i.group ? member_id : list_id;
  assign copy_in = state_q == STATE_COPIES && (command_i.group ? member_valid : list_valid && !list_end);

  always_comb begin
    for (int unsigned i = 0; i < Skips; i++) hits[i] = skip_valid_q[i] && skip_q[i] == receiver;
  end

  zn_stream_reg #(
      .Width(Skips + 32)
  ) u_copy (
      .clk_i,
      .rst_i,
      .valid_i(copy_in),
      .ready_o(copy_in_ready),
      .data_i({hits, receiver}),
      .valid_o(copy_valid),
      .ready_i(copy_ready),
      .data_o({copy_hits, copy_flow})
  );

  always_ff @(posedge clk_i) begin
    if (state_q == STATE_COMMAND) skip_valid_q <= '0;
    for (int unsigned i = 0; i < Skips; i++) begin
      if (state_q == STATE_SKIPS && list_valid && !list_end && skips_q == 16'(i)) begin
        skip_valid_q[i] <= 1'b1;
        skip_q[i] <= list_id;
      end
    end
  end

  // --- Which step of the command.

  logic is_broadcast;
  logic is_members;
  logic has_lists;

  assign is_broadcast = command_i.kind == TX_OP_COPY;
  assign is_members = command_i.kind == TX_OP_MEMBERS;
  assign has_lists = (is_broadcast && command_i.group) || ((is_broadcast || is_members) && command_i.ids != '0);
  assign member_start = state_q == STATE_MEMBERS && command_i.count != '0;
  assign member_we = state_q == STATE_WRITE && list_valid && !list_end;
  assign member_ready = state_q == STATE_COPIES && copy_in_ready;
  assign list_ends = list_valid && list_end && list_ready;

  always_comb begin
    unique case (state_q)
      STATE_SKIPS, STATE_WRITE: list_ready = 1'b1;
      STATE_COPIES: list_ready = !command_i.group && copy_in_ready;
      default: list_ready = 1'b0;
    endcase
  end

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      STATE_COMMAND:
        if (command_valid_i && has_lists && !listed_q && ready_after_reset_o) begin
          if (is_members) state_d = STATE_WRITE;
          else if (!command_i.group) state_d = STATE_COPIES;
          else state_d = command_i.ids != '0 ? STATE_SKIPS : STATE_MEMBERS;
        end
      STATE_SKIPS: if (list_ends) state_d = list_early ? STATE_COMMAND : STATE_MEMBERS;
      STATE_MEMBERS: state_d = STATE_COPIES;
      STATE_COPIES:
        if (command_i.group ? !member_busy : list_ends) state_d = STATE_COMMAND;
      STATE_WRITE: if (list_ends) state_d = STATE_COMMAND;
      default: state_d = STATE_COMMAND;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= STATE_COMMAND;
      listed_q <= 1'b0;
      early_q <= 1'b0;
      skips_q <= '0;
      written_q <= '0;
    end else begin
      state_q <= state_d;
      if (command_ready_o) begin
        listed_q <= 1'b0;
        early_q <= 1'b0;
        skips_q <= '0;
        written_q <= '0;
      end else begin
        if (state_q != STATE_COMMAND) listed_q <= 1'b1;
        if (list_ends) early_q <= list_early;
        if (state_q == STATE_SKIPS && list_valid) skips_q <= skips_q + 16'd1;
        if (member_we) written_q <= written_q + 32'd1;
      end
    end
  end

  // --- The operation: those of the copies that wait come before the command's own.

  logic needs_sum;

  assign needs_sum = is_broadcast || command_i.kind == TX_OP_SEGMENT;
  assign copy_ready = op_ready_i && sum_valid_i;
  assign op_valid_o = copy_valid ? sum_valid_i
      : state_q == STATE_COMMAND && command_valid_i && ready_after_reset_o && (listed_q || !has_lists)
        && (sum_valid_i || !needs_sum);
  assign command_ready_o = op_valid_o && op_ready_i && !copy_valid;
  assign sum_ready_o = command_ready_o && needs_sum;
  assign setup_o = command_i.setup;

  always_comb begin
    op_o = '0;
    op_o.kind = command_i.kind;
    if (is_broadcast && !copy_valid) op_o.kind = command_i.group && early_q ? TX_OP_BAD : TX_OP_END;
    op_o.flow = copy_valid ? copy_flow : command_i.flow;
    op_o.known = op_o.flow < Flows;
    op_o.left_out = copy_valid && copy_hits != '0;
    op_o.early = early_q;
    op_o.quiet = command_i.quiet;
    op_o.open = command_i.open;
    op_o.push = command_i.push;
    op_o.unblock = command_i.unblock;
    op_o.cookie = command_i.cookie;
    op_o.length = command_i.length;
    op_o.window = command_i.window;
    op_o.ack = command_i.ack;
    op_o.payload_sum = sum_i;
    op_o.payload_addr = command_i.payload_addr;
    if (!copy_valid) op_o.release_beats = command_i.payload_beats;
  end
endmodule

`default_nettype wire
