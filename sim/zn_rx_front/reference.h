// SPDX-License-Identifier: Apache-2.0
// What the receive front has to say of packets and commands, written from the contract's text:
// steps 1 to 9 of its list, and the flow table.
//
// Thread: one.
#ifndef ZN_SIM_RX_FRONT_REFERENCE_H
#define ZN_SIM_RX_FRONT_REFERENCE_H

#include <cstdint>
#include <vector>

#include "bench/stream.h"
#include "contract/contract.h"
#include "zn_rx_front/packets.h"

namespace zn
{

// What is known of a packet without the flow table.
struct Verdict {
    unsigned reason = ZN_REASON_OK;
    bool checksum_ok = false;
    size_t length = 0; // 0 for a packet that is too long
    bool followed =
        false; // the headers lead to the payload, whatever lengths and checksums say of the whole
    Tuple tuple = {}; // these when followed
    uint32_t seq = 0;
    unsigned payload_offset = 0;
    unsigned payload_length = 0;
};

Verdict judge(const Bytes &packet, bool bad, size_t packet_max);

// Receive-side scaling's hash.
uint32_t toeplitz(const Bytes &message, const Bytes &key);

class FlowTable
{
  public:
    struct Entry {
        bool used = false;
        uint32_t hash = 0;
        uint32_t flow = 0;
        Tuple tuple = {};
        unsigned flags = 0;
        uint32_t max_frame = 0;
    };

    FlowTable(size_t buckets, Bytes key) : slots_(buckets * 4), key_(std::move(key))
    {
    }
    uint32_t hash(const Tuple &tuple) const;
    // OK or TABLE_FULL.
    unsigned add(const Entry &entry);
    // OK or NO_FLOW.
    unsigned remove(const Tuple &tuple, uint32_t flow);
    const Entry *find(const Tuple &tuple) const;
    void clear();

  private:
    Entry *bucket(uint32_t hash)
    {
        return &slots_[hash % (slots_.size() / 4) * 4];
    }

    std::vector<Entry> slots_;
    Bytes key_;
};

} // namespace zn

#endif
