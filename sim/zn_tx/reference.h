// SPDX-License-Identifier: Apache-2.0
// What the transmit side should do, written from driver/README.md and nothing else: contexts of
// flows, packets byte by byte with checksums over all of their bytes, records, commands to the
// receive side. It does one operation at a time, so that a bench can follow the order that the RTL
// chose.
//
// Thread: one.
#ifndef ZN_SIM_TX_REFERENCE_H
#define ZN_SIM_TX_REFERENCE_H

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "bench/stream.h"
#include "contract/contract.h"

namespace tx
{

using zn::Bytes;
using Record = zn_acc_report_record;

struct Settings {
    bool heartbeats_on = false;
    unsigned rate_period = 10;
    uint32_t report_wait = 40;
    uint8_t local_mac[6] = { 0x02, 0x5a, 0x4e, 0x49, 0x43, 0x01 };
    uint8_t ttl = 64;
    uint8_t tos = 0;
};

struct Sizes {
    uint32_t flows;
    uint32_t members;
    uint32_t payload_max;
    uint32_t skips;
};

struct Reply {
    uint32_t flow;
    uint32_t cookie;
    uint8_t b0;
    Bytes payload;
};

// A flow's context, and the address that ADD gave.
struct Flow {
    bool valid = false;
    bool open = false;
    bool blocked = false;
    uint8_t flags = 0;
    zn_acc_flow_address address{};
    uint16_t ip_id = 0;
    uint32_t snd_nxt = 0;
    uint32_t limit = 0;
    uint32_t ack = 0;
    uint16_t window = 0;
    uint16_t mss = 0;
    uint16_t heartbeat_ms = 0;
    uint16_t due_ms = 0;
    unsigned replies = 0;
    unsigned replied = 0;
    unsigned period = 0;
};

// A packet that leaves. `order` counts operations of the host; those of replies and heartbeats have
// none.
struct Packet {
    Bytes bytes;
    uint64_t order;
    bool of_host;
    bool raw;
};

// A command that goes on to the receive side.
struct Onward {
    zn_acc_command command;
    zn_acc_flow_address address;
};

struct Counts {
    uint64_t raw, segment, skipped, reply, reply_refused, heartbeat, command, bad;
};

class Reference
{
  public:
    Reference(const Sizes &sizes, const Settings &settings);

    Settings settings;
    uint32_t now_ms = 0;

    void message(const Bytes &message);
    void reply(const Reply &reply);

    // The next operations of the host up to one that makes a record; false if there is none left.
    bool next_host(Record *record);
    bool next_reply(Record *record);
    // False if none is due or allowed.
    bool heartbeat(uint32_t flow, Record *record);
    // Whether messages or replies wait that have yet to make a record.
    bool waits() const;

    // What the operations so far made, oldest first.
    std::deque<Packet> packets;
    std::deque<Onward> onward;
    Counts counts{};
    // How often each kind of record came with each reason.
    std::map<std::pair<unsigned, unsigned>, unsigned> seen;

    const Flow &flow(uint32_t id) const
    {
        return flows_[id];
    }

  private:
    struct Message {
        zn_acc_command command{};
        Bytes body;
        bool whole_header = false;
    };
    // A broadcast that is under way.
    struct Broadcast {
        bool active = false;
        bool early = false;
        Bytes payload;
        std::vector<uint32_t> receivers;
        std::vector<uint32_t> skips;
        size_t next = 0;
        uint32_t sent = 0;
    };

    bool step(Record *record);
    bool step_broadcast(Record *record);
    bool good(const Message &message) const;
    bool good_broadcast(const Message &message) const;
    void begin_broadcast(const Message &message);
    bool begin(const Message &message, Record *record);
    bool done(const Message &message, uint8_t reason, Record *record);
    bool members(const Message &message, Record *record);
    bool raw(const Message &message);
    bool segment(const Message &message, Record *record);
    bool one_flow(const Message &message, Record *record);
    void add(const Message &message);
    uint8_t room(const Flow &flow, size_t length) const;
    void send(Flow &flow, const Bytes &payload, bool push, bool of_host);
    Bytes compose(const Flow &flow, const Bytes &payload, bool push) const;
    Record note(Record record);
    Flow *known(uint32_t id);

    Sizes sizes_;
    std::vector<Flow> flows_;
    std::vector<uint32_t> members_;
    std::deque<Message> messages_;
    std::deque<Reply> replies_;
    Broadcast broadcast_;
    uint64_t order_ = 0;
};

// Words of 32 bits that are whole in `bytes` from `at` on, at most `count`.
std::vector<uint32_t> words(const Bytes &bytes, size_t at, size_t count);

} // namespace tx

#endif
