// SPDX-License-Identifier: Apache-2.0
// Drives a device and follows it with the C model: the device's own output says in which order it
// did things, the model does the same things in the same order, and everything has to agree bit for
// bit.
//
// One order cannot be seen from outside: that of a quiet GRANT and an answer of the core's on the
// same flow. So a quiet GRANT goes to a flow with FLOW_ANSWER or FLOW_ENGINE only while nothing
// else is under way.
#ifndef ZN_COSIM_FOLLOWER_H
#define ZN_COSIM_FOLLOWER_H

#include <deque>

#include "checks.h"
#include "device.h"

namespace cosim
{

// A packet from the wire, and what its sender knows about it.
struct Sent {
    Bytes bytes;
    bool broken = false;    // the MAC's mark
    bool corrupted = false; // its bytes are not what the client sent; a checksum is wrong
    int connection = -1;    // whose data it carries; -1: nobody's
    uint64_t offset = 0;    // of its payload in the connection's stream
    uint32_t payload_len = 0;
    uint32_t payload_at = 0; // in bytes
};

// A message to the core.
struct Message {
    Bytes bytes;
    bool bad = false;    // BAD_COMMAND is what it has to get
    bool silent = false; // no record: a good RAW, or QUIET
};

class Listener
{
  public:
    virtual ~Listener() = default;
    // A packet and its annotation reached the host.
    virtual void on_packet(const Sent &sent, const zn_acc_rx_annotation &annotation,
                           const uint8_t *packet, size_t len) = 0;
    // A record of the transmit side; `command` is null for replies and heartbeats.
    virtual void on_record(const zn_acc_report_record &record, const Message *command) = 0;
    virtual void on_rx_done(const zn_acc_report_record &record, const Message &command) = 0;
    // A packet that is not RAW went out.
    virtual void on_wire(const Bytes &packet) = 0;
};

class Follower
{
  public:
    explicit Follower(Device &device);
    ~Follower();
    Follower(const Follower &) = delete;
    Follower &operator=(const Follower &) = delete;

    void set_listener(Listener *listener)
    {
        listener_ = listener;
    }
    Device &device()
    {
        return device_;
    }
    void wire_push(Sent sent);
    void host_push(Message message);
    // Clocks the device, and follows what came out.
    void run(unsigned cycles);
    // Runs until everything pushed has had its effect; fails if that does not happen.
    void settle();
    // These settle first.
    void write(uint32_t offset, uint32_t value);
    void advance(uint32_t ms);
    void compare_counters();

    uint32_t now_ms() const
    {
        return now_ms_;
    }
    size_t under_way() const
    {
        return sent_.size() + commands_.size() + rx_commands_.size() + taken_;
    }

  private:
    struct Expected {
        Bytes bytes;
        uint64_t command; // its number, or NONE
    };
    static void on_model_wire(void *user, const struct iovec *iov, unsigned len);
    static void on_model_record(void *user, const zn_acc_report_record *record);
    void pull();
    void follow_packet(const Bytes &message);
    void follow_report(const Bytes &message);
    void follow_record(const zn_acc_report_record &record);
    void follow_rx_done(const zn_acc_report_record &record);
    void follow_command(const zn_acc_report_record &record);
    void do_silent();
    void do_command();
    void match_record(const zn_acc_report_record &got);
    void match_wire();
    void cover_packet(const zn_acc_rx_annotation &annotation, const Sent &sent);
    bool settled() const;
    std::string pending() const;

    static constexpr uint64_t NONE = ~uint64_t(0);
    Device &device_;
    Listener *listener_ = nullptr;
    zn_soft *model_ = nullptr;
    uint32_t now_ms_ = 0;
    bool clock_moves_ = false;
    uint64_t reports_ = 0;
    uint64_t next_command_ = 0; // number of commands_.front()
    uint64_t doing_ = NONE;     // command whose operation the model does now
    bool doing_raw_ = false;
    bool broadcast_ = false;
    Message current_;  // the command that was done last
    size_t taken_ = 0; // answers that wait in the core
    std::deque<Sent> sent_;
    std::deque<Message> commands_, rx_commands_;
    std::deque<Expected> expected_, expected_raw_;
    std::deque<Bytes> wire_;
    std::deque<zn_acc_report_record> records_; // of the model, not yet compared
};

} // namespace cosim

#endif
