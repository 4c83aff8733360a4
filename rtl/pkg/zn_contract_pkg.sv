// SPDX-License-Identifier: Apache-2.0
// Made from driver/contract/contract.def by contract_gen; do not edit.
`default_nettype none

package zn_contract_pkg;
  localparam logic [7:0] CONTRACT_VERSION = 8'd1;
  localparam logic [3:0] FILL_PAYLOAD = 4'd15;

  // First byte of the 64-byte in-band header that starts every packet between host and core.
  localparam logic [7:0] MSG_RX_PACKET = 8'd1;
  localparam logic [7:0] MSG_REPORT = 8'd2;
  localparam logic [7:0] MSG_RAW = 8'd16;
  localparam logic [7:0] MSG_SEGMENT = 8'd17;
  localparam logic [7:0] MSG_ADD = 8'd18;
  localparam logic [7:0] MSG_DELETE = 8'd19;
  localparam logic [7:0] MSG_GRANT = 8'd20;
  localparam logic [7:0] MSG_RESYNC = 8'd21;
  localparam logic [7:0] MSG_READ = 8'd22;
  localparam logic [7:0] MSG_MEMBERS = 8'd23;
  localparam logic [7:0] MSG_BROADCAST_LIST = 8'd24;
  localparam logic [7:0] MSG_BROADCAST_GROUP = 8'd25;

  // Why a packet was passed untouched, or a command had no effect. 0 is success.
  localparam logic [7:0] REASON_OK = 8'd0;
  localparam logic [7:0] REASON_NOT_TCP = 8'd1;
  localparam logic [7:0] REASON_BAD_LENGTH = 8'd2;
  localparam logic [7:0] REASON_IP_OPTIONS = 8'd3;
  localparam logic [7:0] REASON_FRAGMENT = 8'd4;
  localparam logic [7:0] REASON_BAD_IP_CHECKSUM = 8'd5;
  localparam logic [7:0] REASON_BAD_TCP_CHECKSUM = 8'd6;
  localparam logic [7:0] REASON_BAD_PACKET = 8'd7;
  localparam logic [7:0] REASON_TCP_FLAGS = 8'd8;
  localparam logic [7:0] REASON_NO_PAYLOAD = 8'd9;
  localparam logic [7:0] REASON_NO_FLOW = 8'd10;
  localparam logic [7:0] REASON_DISABLED = 8'd11;
  localparam logic [7:0] REASON_OUT_OF_SEQUENCE = 8'd12;
  localparam logic [7:0] REASON_WAIT_RESYNC = 8'd13;
  localparam logic [7:0] REASON_FRAME_UNMASKED = 8'd14;
  localparam logic [7:0] REASON_FRAME_RESERVED = 8'd15;
  localparam logic [7:0] REASON_FRAME_CONTROL = 8'd16;
  localparam logic [7:0] REASON_FRAME_LENGTH = 8'd17;
  localparam logic [7:0] REASON_FRAME_TOO_BIG = 8'd18;
  localparam logic [7:0] REASON_TABLE_FULL = 8'd19;
  localparam logic [7:0] REASON_NO_GRANT = 8'd20;
  localparam logic [7:0] REASON_IN_FRAME = 8'd21;
  localparam logic [7:0] REASON_RATE = 8'd22;
  localparam logic [7:0] REASON_TOO_LONG = 8'd23;
  localparam logic [7:0] REASON_LEFT_OUT = 8'd24;
  localparam logic [7:0] REASON_BAD_COMMAND = 8'd25;
  localparam logic [7:0] REASON_BLOCKED = 8'd26;

  // Where a receive parser stands: at a frame header, inside one, or inside payload.
  typedef struct packed {
    logic [31:0] key;
    logic [31:0] length;
    logic [7:0] reserved_4;
    logic [7:0] b1;
    logic [7:0] b0;
    logic [7:0] fill;
  } ws_state_t;

  // A frame whose header became complete in this packet, in order.
  typedef struct packed {
    logic [31:0] length;
    logic [7:0] flags;
    logic [7:0] b0;
    logic [15:0] offset;
  } frame_desc_t;

  // In front of each packet to the host (RX_PACKET).
  typedef struct packed {
    frame_desc_t [3:0] frame;
    ws_state_t state;
    logic [7:0] reserved_11;
    logic [7:0] frames;
    logic [15:0] packet_length;
    logic [15:0] payload_length;
    logic [15:0] payload_offset;
    logic [31:0] rcv_nxt;
    logic [31:0] flow;
    logic [7:0] flags;
    logic [7:0] reason;
    logic [7:0] version;
    logic [7:0] kind;
  } rx_annotation_t;

  // In front of report records (REPORT).
  typedef struct packed {
    logic [447:0] reserved_5;
    logic [31:0] now_ms;
    logic [15:0] count;
    logic [7:0] version;
    logic [7:0] kind;
  } report_header_t;

  // What a report_record tells. Records of the transmit side stand in the order in which its operations took effect, those named RX_* in the order of packets to the host.
  localparam logic [7:0] RECORD_SENT = 8'd1;
  localparam logic [7:0] RECORD_REPLY = 8'd2;
  localparam logic [7:0] RECORD_HEARTBEAT = 8'd3;
  localparam logic [7:0] RECORD_DONE = 8'd4;
  localparam logic [7:0] RECORD_BROADCAST_END = 8'd5;
  localparam logic [7:0] RECORD_RX_DONE = 8'd6;

  // One outcome. Each sequence number that the core assigns is in exactly one record.
  typedef struct packed {
    logic [31:0] cookie;
    logic [31:0] seq;
    logic [31:0] flow;
    logic [15:0] length;
    logic [7:0] reason;
    logic [7:0] kind;
  } report_record_t;

  // In front of everything to the core. Fields that a message does not use are 0.
  typedef struct packed {
    logic [31:0] reserved_20;
    logic [15:0] replies;
    logic [15:0] heartbeat_ms;
    logic [15:0] mss;
    logic [15:0] ids;
    ws_state_t state;
    logic [31:0] max_frame;
    logic [31:0] count;
    logic [31:0] rcv_nxt;
    logic [31:0] snd_nxt;
    logic [31:0] limit;
    logic [31:0] ack;
    logic [15:0] window;
    logic [15:0] length;
    logic [31:0] cookie;
    logic [31:0] flow;
    logic [7:0] flow_flags;
    logic [7:0] flags;
    logic [7:0] version;
    logic [7:0] kind;
  } command_t;

  // Follows ADD and DELETE. Addresses of IPv4 stand in their first four bytes, the rest 0.
  typedef struct packed {
    logic [127:0] reserved_10;
    logic [15:0] ip_id;
    logic [15:0] local_port;
    logic [15:0] peer_port;
    logic [127:0] local_address;
    logic [127:0] peer_address;
    logic [7:0] has_vlan;
    logic [7:0] ip_version;
    logic [15:0] vlan;
    logic [47:0] peer_mac;
  } flow_address_t;

  // Who a flow is, on the receive side: written by ADD.
  typedef struct packed {
    logic [31:0] max_frame;
    logic [3:0] flags;
    logic [15:0] local_port;
    logic [15:0] peer_port;
    logic [127:0] local_address;
    logic [127:0] peer_address;
    logic [0:0] v6;
  } rx_key_t;

  // Where a flow stands, on the receive side: written by each treated packet.
  typedef struct packed {
    logic [15:0] last_seen;
    logic [31:0] key;
    logic [31:0] length;
    logic [7:0] b1;
    logic [7:0] b0;
    logic [3:0] fill;
    logic [31:0] rcv_nxt;
    logic [0:0] broken;
    logic [0:0] valid;
  } rx_context_t;

  // The transmit side's.
  typedef struct packed {
    logic [7:0] period;
    logic [7:0] replied;
    logic [7:0] replies;
    logic [15:0] due_ms;
    logic [15:0] heartbeat_ms;
    logic [15:0] mss;
    logic [15:0] window;
    logic [31:0] ack;
    logic [31:0] limit;
    logic [31:0] snd_nxt;
    logic [15:0] ip_id;
    logic [15:0] local_port;
    logic [15:0] peer_port;
    logic [127:0] local_address;
    logic [127:0] peer_address;
    logic [15:0] vlan;
    logic [47:0] peer_mac;
    logic [3:0] flags;
    logic [0:0] has_vlan;
    logic [0:0] v6;
    logic [0:0] blocked;
    logic [0:0] open;
    logic [0:0] valid;
  } tx_context_t;

  // Ids in the list at REG_PARAMS.
  localparam logic [7:0] PARAM_END = 8'd0;
  localparam logic [7:0] PARAM_FLOWS = 8'd1;
  localparam logic [7:0] PARAM_FRAMES = 8'd2;
  localparam logic [7:0] PARAM_MEMBERS = 8'd3;
  localparam logic [7:0] PARAM_PAYLOAD = 8'd4;
  localparam logic [7:0] PARAM_PACKET = 8'd5;
  localparam logic [7:0] PARAM_SKIPS = 8'd6;
  localparam logic [7:0] PARAM_DATA_BITS = 8'd7;
  localparam logic [7:0] PARAM_BUCKETS = 8'd8;

  // Counters after those of the reasons; word index from REG_COUNTERS.
  localparam logic [7:0] COUNTER_RX_PACKETS = 8'd32;
  localparam logic [7:0] COUNTER_RX_FRAMES = 8'd33;
  localparam logic [7:0] COUNTER_RX_REPORTS = 8'd34;
  localparam logic [7:0] COUNTER_TX_RAW = 8'd35;
  localparam logic [7:0] COUNTER_TX_SEGMENTS = 8'd36;
  localparam logic [7:0] COUNTER_TX_SKIPPED = 8'd37;
  localparam logic [7:0] COUNTER_REPLIES = 8'd38;
  localparam logic [7:0] COUNTER_REPLIES_REFUSED = 8'd39;
  localparam logic [7:0] COUNTER_REPLIES_MISSED = 8'd40;
  localparam logic [7:0] COUNTER_HEARTBEATS = 8'd41;
  localparam logic [7:0] COUNTER_HEARTBEATS_SEEN = 8'd42;
  localparam logic [7:0] COUNTER_COMMANDS = 8'd43;
  localparam logic [7:0] COUNTER_COMMANDS_BAD = 8'd44;

  // Bit numbers of flags.
  localparam int unsigned FRAME_SPLIT_BIT = 0;
  localparam int unsigned FRAME_COMPLETE_BIT = 1;
  localparam int unsigned FRAME_TAKEN_BIT = 2;
  localparam int unsigned FRAME_HEARTBEAT_BIT = 3;
  localparam int unsigned RX_FLOW_BIT = 0;
  localparam int unsigned RX_CHECKSUM_OK_BIT = 1;
  localparam int unsigned CMD_QUIET_BIT = 0;
  localparam int unsigned CMD_OPEN_BIT = 1;
  localparam int unsigned CMD_PUSH_BIT = 2;
  localparam int unsigned CMD_UNBLOCK_BIT = 3;
  localparam int unsigned FLOW_RECEIVE_BIT = 0;
  localparam int unsigned FLOW_DEFLATE_BIT = 1;
  localparam int unsigned FLOW_ANSWER_BIT = 2;
  localparam int unsigned FLOW_ENGINE_BIT = 3;

  // Registers: byte offsets.
  localparam logic [11:0] REG_MAGIC = 12'h000;
  localparam logic [11:0] REG_CONTRACT = 12'h004;
  localparam logic [11:0] REG_CONTROL = 12'h008;
  localparam logic [11:0] REG_NOW_MS = 12'h00c;
  localparam logic [11:0] REG_MS_CYCLES = 12'h010;
  localparam logic [11:0] REG_RATE_PERIOD = 12'h014;
  localparam logic [11:0] REG_REPORT_WAIT = 12'h018;
  localparam logic [11:0] REG_LOCAL_MAC = 12'h020;
  localparam logic [11:0] REG_HOP = 12'h028;
  localparam logic [11:0] REG_HASH_KEY = 12'h040;
  localparam logic [11:0] REG_PARAMS = 12'h080;
  localparam logic [11:0] REG_COUNTERS = 12'h200;
endpackage

`default_nettype wire
