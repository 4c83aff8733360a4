// SPDX-License-Identifier: Apache-2.0
// Clients that send frames, and what the network and the host make of it: segments of all sizes,
// lost, repeated and broken ones, packets of other kinds, commands.
//
// Thread: one.
#ifndef ZN_RX_BACK_TRAFFIC_H
#define ZN_RX_BACK_TRAFFIC_H

#include <deque>

#include "reference.h"

namespace zn
{

// What a run sends.
struct Mix {
    std::vector<unsigned> frame_sizes; // payload bytes
    unsigned flows = 4;
    unsigned payload_max = 1460; // of a segment
    unsigned tiny = 30;          // percent of segments with at most `tiny_max` bytes
    unsigned tiny_max = 16;
    unsigned bad_frame = 2;  // permille of frames, each kind alike
    unsigned untreated = 10; // percent of segments that arrive late, twice, damaged, or on no flow
    unsigned command = 3;    // percent
    unsigned talk = 20;      // percent of frames that are pings, probes or heartbeat answers
    unsigned too_long = 1;   // permille of packets that are longer than packet_max
    unsigned same = 50;      // percent of packets of the same flow as the one before
};

// The frame's bytes, masked. `length_form`: 0 the shortest, 2 or 8 that many bytes.
Bytes frame(Random &random, uint8_t b0, const Bytes &payload, unsigned length_form = 0);

// The bytes that one client sends.
class Client
{
  public:
    // The next `count` bytes; they stay until drop().
    Bytes peek(Random &random, const Mix &mix, unsigned flags, size_t count);
    void drop(size_t count);
    // Goes on from a state of its own choice, which it returns.
    State restart(Random &random, const Mix &mix, unsigned flags);

  private:
    void more(Random &random, const Mix &mix, unsigned flags);
    std::deque<uint8_t> bytes_;
};

// One thing that goes into the receive pipeline.
struct Item {
    bool is_command = false;
    Packet packet;
    Command command;
};

class Traffic
{
  public:
    Traffic(const Mix &mix, Reference &reference, uint64_t stream, unsigned overhead);
    // The next item, of which the reference has not heard yet. Call accept() before the next one.
    Item next();
    // What the reference said about it.
    void accept(const Item &item, unsigned reason);
    // Commands that make all flows known.
    std::vector<Command> adds();
    std::vector<Command> reads();

  private:
    Item segment(unsigned flow);
    Item command();
    void disturb(Packet *packet);
    Command add(unsigned flow);

    Mix mix_;
    Reference &reference_;
    Random random_;
    unsigned overhead_; // bytes around the payload, at most
    std::vector<Client> client_;
    unsigned flow_ = 0;
    bool disturbed_ = false;
};

// A packet whose payload is given, on an Ethernet, IP and TCP header of random bytes.
Packet wrap(Random &random, const Bytes &payload, unsigned payload_offset, unsigned padding);

} // namespace zn

#endif
