// SPDX-License-Identifier: Apache-2.0
// What the receive back end has to do, written from driver/README.md alone: one byte at a time.
//
// Thread: one.
#ifndef ZN_RX_BACK_REFERENCE_H
#define ZN_RX_BACK_REFERENCE_H

#include <array>
#include <vector>

#include "bench/stream.h"
#include "contract/contract.h"

namespace zn
{

// Where a parser stands: zn_acc_ws_state as numbers.
struct State {
    unsigned fill = 0;
    uint8_t b0 = 0, b1 = 0;
    uint32_t length = 0;
    std::array<uint8_t, 4> key{};
};

struct Flow {
    bool valid = false, broken = false;
    uint32_t rcv_nxt = 0;
    State state;
    uint16_t last_seen = 0;
    unsigned flags = 0;
    uint32_t max_frame = 0;
};

// A packet with what the front end says of it.
struct Packet {
    Bytes bytes;
    unsigned payload_offset = 0, payload_length = 0;
    uint32_t seq = 0;
    bool hit = true;
    unsigned flow = 0;
    unsigned reason = 0; // steps 1 to 9
    bool checksum_ok = true;
};

enum class Op { packet, add, erase, resync, read };

struct Command {
    Op op = Op::read;
    unsigned flow = 0;
    uint32_t cookie = 0;
    unsigned table_reason = 0;
    uint32_t rcv_nxt = 0;
    unsigned flags = 0;
    uint32_t max_frame = 0;
    State state;
};

struct Reply {
    uint32_t flow = 0, cookie = 0;
    uint8_t b0 = 0;
    Bytes payload;
    bool operator==(const Reply &o) const
    {
        return flow == o.flow && cookie == o.cookie && b0 == o.b0 && payload == o.payload;
    }
};

// What the host gets for a packet: annotation with no frame marked as taken, then the bytes.
struct Expected {
    Bytes bytes;
    int ask = -1; // which described frame could be answered
    Reply reply;  // the answer
    unsigned reason = 0, frames = 0;
    bool heartbeat = false;
};

struct Settings {
    bool receive_on = true, replies_on = true;
    uint32_t now_ms = 0;
    unsigned packet_max = 0;
};

class Reference
{
  public:
    Reference(unsigned flows, const Settings &settings) : settings(settings), flow_(flows)
    {
    }
    Settings settings;
    Expected receive(const Packet &packet);
    // The report, from the header on.
    Bytes command(const Command &command, unsigned beat_bytes);
    const Flow &flow(unsigned id) const
    {
        return flow_[id];
    }
    Flow &flow_to_tune(unsigned id)
    {
        return flow_[id];
    }

  private:
    std::vector<Flow> flow_;
};

} // namespace zn

#endif
