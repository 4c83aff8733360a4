// SPDX-License-Identifier: Apache-2.0
// Puts commands between packets: says in each cycle whose beat is taken, the packet stream's or a command's. A command is a
// beat of its own; its data lanes mean nothing, so data does not pass through here.
//
// When both want the place between two packets they take turns, so that neither starves the other.
//
// Handshake: two valid/ready inputs. A beat is taken only in a cycle with room_i, which does not look at what is offered; so
// taken_o is a push, not an offer.
// Latency: 0 cycles. Rate: one beat a cycle.
`default_nettype none

module zn_rx_inject (
    input  wire  clk_i,
    input  wire  rst_i,
    input  wire  room_i,

    input  wire  s_valid_i,
    output logic s_ready_o,
    input  wire  s_last_i,

    input  wire  cmd_valid_i,
    output logic cmd_ready_o,

    output logic taken_o,
    output logic last_o,    // of the beat that is taken
    output logic command_o
);
  logic in_packet_q;
  logic packet_was_last_q;  // the place between packets is a command's turn

  assign command_o = !in_packet_q && cmd_valid_i && (packet_was_last_q || !s_valid_i);
  assign last_o = command_o || s_last_i;
  assign s_ready_o = room_i && !command_o;
  assign cmd_ready_o = room_i && command_o;
  assign taken_o = room_i && (command_o || s_valid_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_packet_q <= 1'b0;
      packet_was_last_q <= 1'b1;
    end else if (taken_o) begin
      in_packet_q <= !last_o;
      packet_was_last_q <= !command_o;
    end
  end
endmodule

`default_nettype wire
