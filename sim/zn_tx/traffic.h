// SPDX-License-Identifier: Apache-2.0
// Random messages and replies that keep flows at work: most are good and find a flow that may send,
// some are not.
//
// Thread: one.
#ifndef ZN_SIM_TX_TRAFFIC_H
#define ZN_SIM_TX_TRAFFIC_H

#include "messages.h"

namespace tx
{

class Traffic
{
  public:
    // `reference` says where flows stood when it last followed. `quiet`: also GRANTs without a
    // record, whose place among replies and heartbeats could not be told.
    Traffic(const Reference &reference, const Sizes &sizes, uint64_t random_stream, bool quiet)
        : reference_(reference), sizes_(sizes), random_(random_stream), quiet_(quiet)
    {
    }
    Bytes next();
    Bytes add(uint32_t flow);
    Reply reply();

  private:
    Bytes good();
    Bytes bad();
    Bytes grant();
    Bytes raw();
    Bytes segment();
    Bytes list();
    Bytes group();
    Bytes write_members();
    Bytes other(uint8_t kind);
    uint32_t any_flow();
    uint32_t any_receiver();
    std::vector<uint32_t> receivers(size_t count);
    size_t any_length();
    zn_acc_command any_command(uint8_t kind, uint32_t flow);

    const Reference &reference_;
    Sizes sizes_;
    zn::Random random_;
    bool quiet_;
};

} // namespace tx

#endif
