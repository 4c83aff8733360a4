// SPDX-License-Identifier: Apache-2.0
// One connection: the client, and the host's two halves of it, with what the contract promises
// about them.
#ifndef ZN_COSIM_CONNECTION_H
#define ZN_COSIM_CONNECTION_H

#include "receiver.h"
#include "sender.h"

namespace cosim
{

struct Settings {
    uint8_t flags = ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER;
    uint32_t max_frame = 0xfffffffe;
    uint32_t isn = 0;     // the client's first sequence number
    uint32_t snd_nxt = 0; // the host's
    uint16_t mss = 1400;
    uint16_t heartbeat_ms = 0;
    uint16_t replies = 255;
    uint32_t room = 20000; // granted by ADD
};

class Connection
{
  public:
    enum Stage { SOFTWARE, ADDING, UP, DELETING, GONE };
    Connection(Random &random, int id, uint32_t flow, const Endpoint &end, const Settings &settings,
               Taste taste);
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    Client &client()
    {
        return client_;
    }
    Receiver &receiver()
    {
        return receiver_;
    }
    Sender &sender()
    {
        return sender_;
    }
    uint32_t flow() const
    {
        return flow_;
    }
    Stage stage() const
    {
        return stage_;
    }
    // The receive side knows the flow and treated packets may come.
    bool is_known() const
    {
        return known_;
    }
    bool has_taken() const
    {
        return !taken_.empty();
    }
    uint64_t treated() const
    {
        return treated_;
    }
    const Settings &settings() const
    {
        return settings_;
    }

    // Makes the flow known at where the host has read to.
    Message add(Random &random);
    Message remove(Random &random);
    // The core waits elsewhere than the host has read to, and nothing was done about it.
    bool needs_resync() const;
    // At where the host has read to; `ahead`: perhaps at a later place in the same frame.
    Message resync(Random &random, bool ahead);

    void on_packet(const Sent &sent, const zn_acc_rx_annotation &annotation, const uint8_t *packet);
    void on_rx_done(const zn_acc_report_record &record, const zn_acc_command &command);
    void on_done(const zn_acc_report_record &record, const zn_acc_command &command);
    void on_reply(const zn_acc_report_record &record);
    void on_heartbeat(const zn_acc_report_record &record);
    // All is done and settled: what the client asked was answered, and so on.
    void finish();

  private:
    void check_committed(const Sent &sent, const zn_acc_rx_annotation &annotation);
    void check_treated(const Sent &sent, const zn_acc_rx_annotation &annotation,
                       const uint8_t *packet);
    void cover_headers(const Sent &sent, const zn_acc_rx_annotation &annotation,
                       const uint8_t *packet);
    void answer(size_t place);
    void forgotten();
    size_t place_of(uint64_t payload) const;

    const uint32_t flow_;
    const Settings settings_;
    Client client_;
    Receiver receiver_;
    Sender sender_;
    Stage stage_ = SOFTWARE;
    bool known_ = false;
    bool half_gone_ = false; // one of DELETE's two records is there
    bool resync_waits_ = false;
    bool stands_ = false; // the last packet was not treated for want of the right place
    bool broken_ = false; // the core says so
    uint64_t treated_ = 0;
    uint32_t core_rcv_nxt_ = 0;     // where the core has to stand
    std::multiset<uint64_t> taken_; // payload offsets of what the core answers
    std::set<size_t> answered_;     // places that the host answered
    std::set<size_t> answered_by_core_;
    std::vector<Bytes> pongs_; // that the client has to get
    struct {
        bool valid = false;
        unsigned bytes = 0;
        unsigned phase = 0;
    } split_; // header that the last treated packet ended in
};

} // namespace cosim

#endif
