// SPDX-License-Identifier: Apache-2.0
// A device, the model that follows it, and the connections through it: what all scenarios build on.
#ifndef ZN_COSIM_WORLD_H
#define ZN_COSIM_WORLD_H

#include <functional>
#include <memory>

#include "connection.h"
#include "message.h"

namespace cosim
{

// How a network treats segments, in percent.
struct Weather {
    unsigned lost = 0;
    unsigned twice = 0;
    unsigned late = 0; // held back, and let go later among others
    unsigned damaged = 0;
    unsigned again = 0; // old bytes with other boundaries
};

enum : uint32_t {
    CONTROL_RECEIVE = 1,
    CONTROL_REPLIES = 2,
    CONTROL_HEARTBEATS = 4,
    CONTROL_ALL = 7
};

class World : public Listener
{
  public:
    World(std::unique_ptr<Device> device, uint64_t seed);

    Random &random()
    {
        return random_;
    }
    Follower &follower()
    {
        return follower_;
    }
    const Params &params() const
    {
        return device_->params();
    }
    Device &device()
    {
        return *device_;
    }
    // The connection stays the world's. Its flow id is free, and is given back by close() when all
    // of it is over.
    Connection &open(const Endpoint &end, const Settings &settings, Taste taste, uint32_t flow);
    // The same, with random numbers that nothing else draws from.
    Connection &open(const Endpoint &end, const Settings &settings, Taste taste, uint32_t flow,
                     Random &random);
    // One that the core knows already, with random addresses.
    Connection &open_known(const Settings &settings, Taste taste, uint32_t flow);
    // A random one on a free flow id from `first_flow` on; null if there is none.
    Connection *open_random(unsigned fault_percent, uint32_t first_flow);
    void close(Connection &connection);
    std::vector<Connection *> live() const;
    bool is_free(uint32_t flow) const;

    void push(Message message);
    void push(Sent sent);
    // Sends what `weather` makes of it.
    void send(Sent sent, const Endpoint &end, const Weather &weather);
    // A few segments of one connection, back to back.
    void burst(Connection &connection, unsigned segments, size_t longest, const Weather &weather);
    // What a host does now and then on one connection: grants, segments, resyncs.
    void tend(Connection &connection);
    void run(unsigned cycles)
    {
        follower_.run(cycles);
    }
    // Fair weather until all bytes of all connections have arrived and everything was answered;
    // then all final checks.
    void finish();

    void on_packet(const Sent &sent, const zn_acc_rx_annotation &annotation, const uint8_t *packet,
                   size_t len) override;
    void on_record(const zn_acc_report_record &record, const Message *command) override;
    void on_rx_done(const zn_acc_report_record &record, const Message &command) override;
    void on_wire(const Bytes &packet) override;
    // Called with each packet of a connection.
    std::function<void(const Sent &, const zn_acc_rx_annotation &)> watch_packet;
    // Called with each segment that reached a client.
    std::function<void(const Received &)> watch_wire;
    const Bytes &hash_key() const
    {
        return hash_key_;
    }

  private:
    Connection *of_flow(uint32_t flow);
    void drain(Connection &connection);
    void note_gap(int connection, const zn_acc_rx_annotation &annotation);

    Random random_;
    std::unique_ptr<Device> device_;
    Follower follower_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection *> owners_;         // of flow ids
    std::map<uint16_t, Connection *> by_port_; // of clients, each of which has its own
    std::deque<Sent> late_;
    std::vector<uint64_t> last_treated_; // by connection: number of the packet
    uint64_t packets_ = 0;
    uint16_t next_port_ = 1024;
    Bytes hash_key_;
};

} // namespace cosim

#endif
