// SPDX-License-Identifier: Apache-2.0
// Packets that belong to no connection: other protocols, malformed headers, segments without
// payload. And commands and packets of flows of which nobody expects anything but that the device
// does the same as the model.
#ifndef ZN_COSIM_NOISE_H
#define ZN_COSIM_NOISE_H

#include "world.h"

namespace cosim
{

// One packet; its addresses are `end` or others, its sequence number is random.
Sent noise_packet(Random &random, const Endpoint &end, uint32_t packet_max);

// A command that has to be refused as BAD_COMMAND.
Message noise_command(Random &random, const Params &params);

// Flows 0 to `flows` - 1, which no connection has.
class Chaos
{
  public:
    Chaos(World &world, uint32_t flows);
    void packet();
    void command();
    // A RAW packet.
    void raw();

  private:
    struct Flow {
        Endpoint end;
        bool added = false;
        uint32_t seq = 0;
        uint32_t limit = 0;
        Bytes stream;
    };
    void add(uint32_t flow);

    World &world_;
    std::vector<Flow> flows_;
};

} // namespace cosim

#endif
