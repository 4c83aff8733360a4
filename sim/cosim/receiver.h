// SPDX-License-Identifier: Apache-2.0
// What a host does with a client's packets: TCP reassembly and WebSocket parsing over what the
// accelerator hands up, treated or not, in any order. Compares every byte with what the client
// sent.
#ifndef ZN_COSIM_RECEIVER_H
#define ZN_COSIM_RECEIVER_H

#include <map>
#include <set>
#include <vector>

#include "client.h"

namespace cosim
{

class Receiver
{
  public:
    explicit Receiver(const Client &client);
    Receiver(const Receiver &) = delete;
    Receiver &operator=(const Receiver &) = delete;

    // A packet with good checksums. `state` is the annotation's for a treated packet, else null.
    void take(uint64_t offset, const uint8_t *payload, size_t len, const zn_acc_ws_state *state);

    // Everything before it was read.
    uint64_t next() const
    {
        return next_;
    }
    const zn_acc_ws_state &state() const
    {
        return reader_.state();
    }
    // Where the stream will be at `offset`, if that is inside the frame being read: for a RESYNC
    // ahead.
    bool state_ahead(uint64_t offset, zn_acc_ws_state &state) const;
    // Pings and probes that were read since the last call, by their place in the client's list.
    std::vector<size_t> take_asking();
    // Protocol breaks that were met; the receiver went on behind them.
    unsigned breaks() const
    {
        return breaks_;
    }

  private:
    struct Piece {
        Bytes bytes;
        bool treated;
        zn_acc_ws_state state;
    };
    void begin(const FrameReader::Begin &begin);
    void payload(const uint8_t *data, size_t len);
    void end();
    void read(uint64_t start, const Piece &piece);
    void skip_break();

    const Client &client_;
    FrameReader reader_;
    uint64_t next_ = 0;
    size_t place_ = 0; // frame being read, or to come
    size_t got_ = 0;   // bytes of its payload
    unsigned breaks_ = 0;
    std::multimap<uint64_t, Piece> pieces_;
    std::vector<size_t> asking_;
};

} // namespace cosim

#endif
