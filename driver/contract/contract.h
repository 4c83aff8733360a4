// SPDX-License-Identifier: Apache-2.0
// Made from contract.def by contract_gen; do not edit. CONTRACT.md is its page to read.
// clang-format off
#ifndef ZN_CONTRACT_H
#define ZN_CONTRACT_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "messages are little-endian");

enum { ZN_CONTRACT_VERSION = 1, ZN_FILL_PAYLOAD = 15 };

// First byte of the 64-byte in-band header that starts every packet between host and core.
enum zn_acc_msg {
    ZN_MSG_RX_PACKET = 1, // to host: rx_annotation, then the packet from the wire
    ZN_MSG_REPORT = 2, // to host: report_header, then report_records
    ZN_MSG_RAW = 16, // to core: `length` bytes follow; sent as they are
    ZN_MSG_SEGMENT = 17, // to core: `length` bytes of TCP payload follow; sent as one segment of `flow`
    ZN_MSG_ADD = 18, // to core: flow_address follows; makes `flow` known to both directions
    ZN_MSG_DELETE = 19, // to core: flow_address follows, as in ADD; forgets `flow`
    ZN_MSG_GRANT = 20, // to core: moves the limit, acknowledgement and window of `flow`
    ZN_MSG_RESYNC = 21, // to core: at `rcv_nxt` the parser of `flow` is in `state`
    ZN_MSG_READ = 22, // to core: reports where `flow` stands, and does nothing
    ZN_MSG_MEMBERS = 23, // to core: `ids` flow ids follow; written to the member table from index `flow` on
    ZN_MSG_BROADCAST_LIST = 24, // to core: payload, then `ids` receivers, from the next 64-byte boundary on
    ZN_MSG_BROADCAST_GROUP = 25, // to core: payload, then `ids` flows to leave out; receivers are `count` members from index `flow` on
};

// Why a packet was passed untouched, or a command had no effect. 0 is success.
enum zn_acc_reason {
    ZN_REASON_OK = 0, // treated; done
    ZN_REASON_NOT_TCP = 1, // neither IPv4 nor IPv6 with TCP, or two VLAN tags
    ZN_REASON_BAD_LENGTH = 2, // lengths of Ethernet, IP and TCP contradict each other, or a header is cut off
    ZN_REASON_IP_OPTIONS = 3, // IPv4 options or IPv6 extension headers
    ZN_REASON_FRAGMENT = 4, // an IPv4 fragment
    ZN_REASON_BAD_IP_CHECKSUM = 5,
    ZN_REASON_BAD_TCP_CHECKSUM = 6,
    ZN_REASON_BAD_PACKET = 7, // the MAC marked the packet as broken
    ZN_REASON_TCP_FLAGS = 8, // SYN, FIN, RST or URG, or no ACK
    ZN_REASON_NO_PAYLOAD = 9, // a segment without payload
    ZN_REASON_NO_FLOW = 10, // the 4-tuple, or the flow id, is not known
    ZN_REASON_DISABLED = 11, // receive treatment is off, for this flow or by register
    ZN_REASON_OUT_OF_SEQUENCE = 12, // not the segment that the flow expects
    ZN_REASON_WAIT_RESYNC = 13, // an earlier packet of the flow broke the protocol
    ZN_REASON_FRAME_UNMASKED = 14, // a client's frame without mask (RFC 6455 section 5.1)
    ZN_REASON_FRAME_RESERVED = 15, // RSV bits or an opcode that was not agreed (section 5.2)
    ZN_REASON_FRAME_CONTROL = 16, // a control frame of more than 125 bytes or fragmented (section 5.5)
    ZN_REASON_FRAME_LENGTH = 17, // a length not in its shortest form (section 5.2)
    ZN_REASON_FRAME_TOO_BIG = 18, // a frame above the flow's max_frame
    ZN_REASON_TABLE_FULL = 19, // ADD: bucket full or an equal tag in it; the flow sends, but its packets pass as NO_FLOW
    ZN_REASON_NO_GRANT = 20, // the segment would end beyond the flow's limit
    ZN_REASON_IN_FRAME = 21, // the host is inside a frame of its own on this flow
    ZN_REASON_RATE = 22, // the flow had its replies of this period
    ZN_REASON_TOO_LONG = 23, // more payload than the flow's mss or the payload buffer
    ZN_REASON_LEFT_OUT = 24, // named in the broadcast's list of flows to leave out
    ZN_REASON_BAD_COMMAND = 25, // unknown kind, wrong version, flow or member index out of range, body shorter than it says
    ZN_REASON_BLOCKED = 26, // an earlier segment of the flow was refused; the host has not unblocked it
};

// Where a receive parser stands: at a frame header, inside one, or inside payload.
struct zn_acc_ws_state {
    uint8_t fill; // bytes of a header gathered so far, 0 to 13; 15 (FILL_PAYLOAD): inside payload
    uint8_t b0; // first byte of the frame's header, when fill is not 0
    uint8_t b1; // second byte, when fill is 2 or more
    uint8_t reserved_4[1]; // 0
    uint32_t length; // inside a header: the extended length's bytes so far, as a big-endian number, held at 2^32-1 when above; inside payload: bytes left, at least 1
    uint8_t key[4]; // inside a header: the mask key's bytes so far, the rest 0; inside payload: key[0] belongs to the next byte
};
_Static_assert(sizeof(struct zn_acc_ws_state) == 12, "size");

// A frame whose header became complete in this packet, in order.
struct zn_acc_frame_desc {
    uint16_t offset; // of the frame's first payload byte (or where it would be), from the TCP payload's start
    uint8_t b0; // first byte of the header: FIN, RSV, opcode
    uint8_t flags; // FRAME_*
    uint32_t length; // payload length of the frame
};
_Static_assert(sizeof(struct zn_acc_frame_desc) == 8, "size");

// In front of each packet to the host (RX_PACKET).
struct zn_acc_rx_annotation {
    uint8_t kind; // msg RX_PACKET
    uint8_t version; // VERSION
    uint8_t reason; // OK: payload is unmasked in place; else the packet is as it was on the wire
    uint8_t flags; // RX_*
    uint32_t flow; // when RX_FLOW is set
    uint32_t rcv_nxt; // when RX_FLOW is set: the sequence number that the flow expects after this packet
    uint16_t payload_offset; // of the TCP payload from the packet's first byte; 0 unless the reason is OK or past NO_PAYLOAD
    uint16_t payload_length; // bytes of TCP payload
    uint16_t packet_length; // bytes of the packet that follows
    uint8_t frames; // frames whose header became complete in this packet; 255: that many or more
    uint8_t reserved_11[1]; // 0
    struct zn_acc_ws_state state; // at the first payload byte, when treated; else the flow's state, when RX_FLOW is set
    struct zn_acc_frame_desc frame[4]; // the first four of `frames`
};
_Static_assert(sizeof(struct zn_acc_rx_annotation) == 64, "size");

// In front of report records (REPORT).
struct zn_acc_report_header {
    uint8_t kind; // msg REPORT
    uint8_t version; // VERSION
    uint16_t count; // records that follow; the last beat is filled with zeros
    uint32_t now_ms; // the core's clock
    uint8_t reserved_5[56]; // 0
};
_Static_assert(sizeof(struct zn_acc_report_header) == 64, "size");

// What a report_record tells. Records of the transmit side stand in the order in which its operations took effect, those named RX_* in the order of packets to the host.
enum zn_acc_record {
    ZN_RECORD_SENT = 1, // SEGMENT or one copy of a broadcast: reason OK: `length` bytes from `seq` on left
    ZN_RECORD_REPLY = 2, // answer to a ping or probe; cookie is the sequence number of its first payload byte; reason not OK: not sent, the host answers
    ZN_RECORD_HEARTBEAT = 3, // the core sent an Engine.IO `2`
    ZN_RECORD_DONE = 4, // any other command took effect on the transmit side; READ: seq is snd_nxt, length the window
    ZN_RECORD_BROADCAST_END = 5, // all receivers of a broadcast were looked at; length is 0, seq the number of copies sent
    ZN_RECORD_RX_DONE = 6, // ADD, DELETE or RESYNC took effect on the receive side; READ: seq is last_seen in ms of the core's clock
};

// One outcome. Each sequence number that the core assigns is in exactly one record.
struct zn_acc_report_record {
    uint8_t kind; // record
    uint8_t reason; // reason
    uint16_t length; // bytes of TCP payload
    uint32_t flow;
    uint32_t seq; // sequence number of the first byte; when not sent, snd_nxt
    uint32_t cookie; // the command's
};
_Static_assert(sizeof(struct zn_acc_report_record) == 16, "size");

// In front of everything to the core. Fields that a message does not use are 0.
struct zn_acc_command {
    uint8_t kind; // msg
    uint8_t version; // VERSION
    uint8_t flags; // CMD_*
    uint8_t flow_flags; // FLOW_*: ADD
    uint32_t flow; // flow id; MEMBERS, BROADCAST_GROUP: first member index
    uint32_t cookie; // comes back in the records
    uint16_t length; // RAW: bytes of the packet; SEGMENT: bytes of payload, 0 for a bare acknowledgement; BROADCAST_*: bytes of payload, 1 or more
    uint16_t window; // ADD, GRANT, SEGMENT: the window field of segments from now on, in its scaled form
    uint32_t ack; // ADD, GRANT, SEGMENT: the acknowledgement number of segments from now on
    uint32_t limit; // ADD, GRANT: the core may send bytes before this sequence number
    uint32_t snd_nxt; // ADD: the first sequence number to send
    uint32_t rcv_nxt; // ADD, RESYNC: the sequence number at which `state` holds
    uint32_t count; // BROADCAST_GROUP: members
    uint32_t max_frame; // ADD: longest frame payload accepted, at most 2^32-2
    struct zn_acc_ws_state state; // ADD, RESYNC
    uint16_t ids; // flow ids that follow: MEMBERS, BROADCAST_LIST, BROADCAST_GROUP (there at most PARAM_SKIPS)
    uint16_t mss; // ADD: most payload bytes of a segment
    uint16_t heartbeat_ms; // ADD: an Engine.IO `2` each time that this long passed, 0 for none
    uint16_t replies; // ADD: answers to pings and probes allowed in each period of REG_RATE_PERIOD, 0 to 255
    uint8_t reserved_20[4]; // 0
};
_Static_assert(sizeof(struct zn_acc_command) == 64, "size");

// Follows ADD and DELETE. Addresses of IPv4 stand in their first four bytes, the rest 0.
struct zn_acc_flow_address {
    uint8_t peer_mac[6];
    uint8_t vlan[2]; // tag control information as on the wire
    uint8_t ip_version; // 4 or 6
    uint8_t has_vlan; // 1: segments carry `vlan`
    uint8_t peer_address[16];
    uint8_t local_address[16];
    uint8_t peer_port[2];
    uint8_t local_port[2];
    uint16_t ip_id; // identification of the next IPv4 segment
    uint8_t reserved_10[16]; // 0
};
_Static_assert(sizeof(struct zn_acc_flow_address) == 64, "size");

// Ids in the list at REG_PARAMS.
enum zn_acc_param {
    ZN_PARAM_END = 0,
    ZN_PARAM_FLOWS = 1, // flow ids are below this
    ZN_PARAM_FRAMES = 2, // frame_descs of an annotation
    ZN_PARAM_MEMBERS = 3, // entries of the member table
    ZN_PARAM_PAYLOAD = 4, // most bytes of a SEGMENT or BROADCAST payload
    ZN_PARAM_PACKET = 5, // longest packet that is treated; longer ones pass as BAD_LENGTH
    ZN_PARAM_SKIPS = 6, // flows that a BROADCAST_GROUP can leave out
    ZN_PARAM_DATA_BITS = 7, // width of a beat
    ZN_PARAM_BUCKETS = 8, // buckets of the flow table, four slots each
};

// Counters after those of the reasons; word index from REG_COUNTERS.
enum zn_acc_counter {
    ZN_COUNTER_RX_PACKETS = 32, // packets from the wire
    ZN_COUNTER_RX_FRAMES = 33, // frames whose header was seen in treated packets
    ZN_COUNTER_RX_REPORTS = 34, // report packets to the host
    ZN_COUNTER_TX_RAW = 35, // raw packets sent
    ZN_COUNTER_TX_SEGMENTS = 36, // segments sent, copies of broadcasts included
    ZN_COUNTER_TX_SKIPPED = 37, // segments and copies that were not sent
    ZN_COUNTER_REPLIES = 38, // pings and probes answered
    ZN_COUNTER_REPLIES_REFUSED = 39, // taken and then not answered
    ZN_COUNTER_REPLIES_MISSED = 40, // not taken for want of room
    ZN_COUNTER_HEARTBEATS = 41, // heartbeats sent
    ZN_COUNTER_HEARTBEATS_SEEN = 42, // answers to heartbeats
    ZN_COUNTER_COMMANDS = 43, // commands read
    ZN_COUNTER_COMMANDS_BAD = 44, // refused as BAD_COMMAND
};

enum {
    ZN_FRAME_SPLIT = 1 << 0, // the header began in an earlier packet
    ZN_FRAME_COMPLETE = 1 << 1, // the whole payload is in this packet
    ZN_FRAME_TAKEN = 1 << 2, // the core answers this ping or probe; a REPLY record follows
    ZN_FRAME_HEARTBEAT = 1 << 3, // an Engine.IO `3`; last_seen was stamped
    ZN_RX_FLOW = 1 << 0, // the packet belongs to `flow`
    ZN_RX_CHECKSUM_OK = 1 << 1, // IP and TCP checksums were verified and hold
    ZN_CMD_QUIET = 1 << 0, // GRANT, MEMBERS: no DONE record
    ZN_CMD_OPEN = 1 << 1, // SEGMENT: the payload ends inside a frame of the host's; ADD: the host is inside one
    ZN_CMD_PUSH = 1 << 2, // SEGMENT, BROADCAST_*: set PSH
    ZN_CMD_UNBLOCK = 1 << 3, // GRANT: the host has made up for what was refused
    ZN_FLOW_RECEIVE = 1 << 0, // treat received packets
    ZN_FLOW_DEFLATE = 1 << 1, // RSV1 is allowed on text and binary frames (RFC 7692)
    ZN_FLOW_ANSWER = 1 << 2, // answer pings
    ZN_FLOW_ENGINE = 1 << 3, // Engine.IO: send heartbeats, stamp their answers, answer `2probe`
};

// Registers: byte offsets of 32-bit words.
enum {
    ZN_REG_MAGIC = 0x000, // ro: 0x43494e5a, `ZNIC`
    ZN_REG_CONTRACT = 0x004, // ro: VERSION
    ZN_REG_CONTROL = 0x008, // rw: bit 0: receive treatment on; bit 1: replies on; bit 2: heartbeats on. 0 after reset: everything passes as DISABLED
    ZN_REG_NOW_MS = 0x00c, // ro: the core's clock
    ZN_REG_MS_CYCLES = 0x010, // rw: clock cycles of a millisecond
    ZN_REG_RATE_PERIOD = 0x014, // rw: log2 of the ms in a period of replies, 0 to 15
    ZN_REG_REPORT_WAIT = 0x018, // rw: cycles that an unfinished batch of records waits for more
    ZN_REG_LOCAL_MAC = 0x020, // rw: source address of segments: bytes 0 to 3; bytes 4 and 5 in the next word
    ZN_REG_HOP = 0x028, // rw: bits 7:0 TTL or hop limit, bits 15:8 TOS or traffic class of segments
    ZN_REG_HASH_KEY = 0x040, // rw: 40 bytes, the Toeplitz key, as words; write before the first ADD
    ZN_REG_PARAMS = 0x080, // ro: list of parameters: pairs of words (id, value), ends with id 0
    ZN_REG_COUNTERS = 0x200, // ro: 32-bit counters that wrap: one a reason for received packets (at reason * 4), then those of counter
};

// State kept for a flow, in bits.
enum {
    ZN_RX_KEY_BITS = 325,
    ZN_RX_CONTEXT_BITS = 134,
    ZN_TX_CONTEXT_BITS = 561,
};

#endif
