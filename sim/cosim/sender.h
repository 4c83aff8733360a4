// SPDX-License-Identifier: Apache-2.0
// What a host sends on one flow, and what the client gets: frames cut into SEGMENTs, those that
// were refused sent again after an unblocking GRANT, and between them what the core makes.
#ifndef ZN_COSIM_SENDER_H
#define ZN_COSIM_SENDER_H

#include <deque>
#include <list>

#include "follower.h"
#include "frames.h"
#include "packet.h"

namespace cosim
{

class Sender
{
  public:
    Sender(uint32_t flow, const Endpoint &end, uint32_t snd_nxt, uint32_t limit, uint16_t mss);
    Sender(const Sender &) = delete;
    Sender &operator=(const Sender &) = delete;

    // Puts a server's frame in the queue; `first`: before all that have not begun.
    void queue(const Bytes &frame, bool first);
    // There are bytes that are not on their way, and nothing that was refused stands before them.
    bool wants() const;
    // The next SEGMENT: at most `max` bytes of a frame. `max` 0: a bare acknowledgement.
    Message next(Random &random, size_t max);
    // A GRANT of `bytes` from where the flow is known to stand; unblocks when all refusals are
    // known.
    Message grant(Random &random, uint32_t bytes, bool quiet);
    // All that was asked for has its record, and the flow is blocked.
    bool is_blocked() const
    {
        return blocked_ && segments_.empty();
    }
    bool is_idle() const
    {
        return frames_.empty() && segments_.empty();
    }
    // The flow has less room than `bytes`.
    bool is_short(uint32_t bytes) const
    {
        return static_cast<int32_t>(limit_ - snd_nxt_ - bytes) < 0;
    }
    uint16_t mss() const
    {
        return mss_;
    }

    // The record of a message of next().
    void on_segment(const zn_acc_report_record &record);
    // The record of a broadcast's copy, or of a frame that the core made (`own`), with what it was
    // to send.
    void on_other(const zn_acc_report_record &record, const Bytes &payload, bool own);
    // A packet that reached the client.
    void on_wire(const Received &packet);
    // Nothing is under way: what was reported and what was sent has to be the same.
    void finish() const;
    // Payloads of the pongs that the client got, in order.
    const std::vector<Bytes> &pongs() const
    {
        return pongs_;
    }

  private:
    struct Out {
        Bytes bytes;
        size_t done;  // bytes that left
        size_t asked; // that left or are on their way
    };
    struct Asked {
        std::list<Out>::iterator frame;
        size_t len; // 0: a bare acknowledgement, of no frame
    };
    struct Reported {
        uint32_t seq;
        Bytes payload;
        bool own;
    };
    void report(const zn_acc_report_record &record, const Bytes &payload, bool own);
    void match();

    const uint32_t flow_;
    const Endpoint end_;
    const uint16_t mss_;
    uint32_t snd_nxt_;   // as records tell
    uint32_t wire_next_; // as packets tell
    uint32_t limit_;
    uint32_t farthest_; // the highest limit ever given
    bool blocked_ = false;
    std::list<Out> frames_;
    std::deque<Asked> segments_;
    std::deque<Reported> reported_;
    std::deque<Received> received_;
    FrameReader reader_;
    Bytes frame_; // payload of the frame that the client reads
    uint8_t frame_b0_ = 0;
    std::vector<Bytes> pongs_;
};

} // namespace cosim

#endif
