// SPDX-License-Identifier: Apache-2.0
// A client's side of a connection: the frames that it sends, and their bytes as segments of any
// cut.
#ifndef ZN_COSIM_CLIENT_H
#define ZN_COSIM_CLIENT_H

#include "follower.h"
#include "frames.h"
#include "packet.h"

namespace cosim
{

// What kind of frames a client likes to send, in percent of its frames; the rest are data.
struct Taste {
    unsigned ping = 10;
    unsigned engine = 10; // `3`, `2probe` and other short texts
    unsigned empty = 10;
    unsigned fault = 0;     // frames that break the protocol
    uint32_t longest = 300; // payload of most data frames
    unsigned huge = 1;      // payload above that, up to 70000
};

class Client
{
  public:
    struct Place {
        Frame frame;
        uint64_t start; // offsets in the stream
        uint64_t payload;
        uint64_t end;
    };
    Client(Random &random, int id, const Endpoint &end, uint32_t isn, Agreed agreed, Taste taste);

    // Puts frames behind the stream's end until it has `len` bytes that were never sent.
    void generate(size_t len);
    void add(const Frame &frame);
    // Puts a client's bytes there, which end with a frame's end.
    void adopt(const Bytes &stream);
    // Everything before `offset` counts as sent.
    void skip_to(uint64_t offset)
    {
        sent_ = offset > sent_ ? offset : sent_;
    }
    // A segment with bytes [offset, offset + len) of the stream. Options and padding are random.
    Sent segment(uint64_t offset, size_t len);
    // The next new bytes, at most `max`.
    Sent next(size_t max);

    uint32_t seq(uint64_t offset) const
    {
        return isn_ + static_cast<uint32_t>(offset);
    }
    // The offset near `near` that has this sequence number.
    uint64_t offset(uint32_t seq_number, uint64_t near) const
    {
        return near + static_cast<uint64_t>(
                          static_cast<int64_t>(static_cast<int32_t>(seq_number - seq(near))));
    }
    uint64_t sent() const
    {
        return sent_;
    }
    uint64_t end() const
    {
        return stream_.size();
    }
    const std::vector<Place> &places() const
    {
        return places_;
    }
    const Endpoint &endpoint() const
    {
        return end_;
    }
    const Agreed &agreed() const
    {
        return agreed_;
    }
    Taste &taste()
    {
        return taste_;
    }

  private:
    Frame frame_random();
    Frame frame_faulty();
    size_t length_random();

    Random &random_;
    int id_;
    Endpoint end_;
    uint32_t isn_;
    Agreed agreed_;
    Taste taste_;
    Bytes stream_;
    std::vector<Place> places_;
    uint64_t sent_ = 0;
};

// Damages a segment as a wire does, so that a checksum, a length or the MAC's mark tells.
void sent_corrupt(Random &random, Sent &sent, const Endpoint &end);

} // namespace cosim

#endif
