// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <algorithm>
#include <cstring>

#include "cover.h"

namespace cosim
{

namespace
{

enum { SEGMENT_MAX = 1460, FINISH_ROUNDS = 4000, ROOM = 30000 };

bool is_broadcast(uint8_t kind)
{
    return kind == ZN_MSG_BROADCAST_LIST || kind == ZN_MSG_BROADCAST_GROUP;
}

} // namespace

World::World(std::unique_ptr<Device> device, uint64_t seed)
    : random_(seed), device_(std::move(device)), follower_(*device_), owners_(params().flows)
{
    follower_.set_listener(this);
    hash_key_ = random_.bytes(40);
    for (uint32_t i = 0; i < hash_key_.size(); i += 4) {
        uint32_t word;
        std::memcpy(&word, &hash_key_[i], sizeof word);
        follower_.write(ZN_REG_HASH_KEY + i, word);
    }
    follower_.write(ZN_REG_LOCAL_MAC, 0x44332202);
    follower_.write(ZN_REG_LOCAL_MAC + 4, 0x6655);
    follower_.write(ZN_REG_HOP, 64 | 0x10 << 8);
    follower_.write(ZN_REG_RATE_PERIOD, 4);
    follower_.write(ZN_REG_REPORT_WAIT, 64);
    follower_.write(ZN_REG_CONTROL, CONTROL_ALL);
}

Connection &World::open(const Endpoint &end, const Settings &settings, Taste taste, uint32_t flow)
{
    return open(end, settings, taste, flow, random_);
}

Connection &World::open_known(const Settings &settings, Taste taste, uint32_t flow)
{
    Connection &connection = open(endpoint_random(random_, next_port_++), settings, taste, flow);
    push(connection.add(random_));
    follower_.settle();
    return connection;
}

Connection &World::open(const Endpoint &end, const Settings &settings, Taste taste, uint32_t flow,
                        Random &random)
{
    const int id = static_cast<int>(connections_.size());
    connections_.push_back(std::make_unique<Connection>(random, id, flow, end, settings, taste));
    last_treated_.push_back(0);
    owners_.at(flow) = connections_.back().get();
    by_port_[end.peer_port] = connections_.back().get();
    return *connections_.back();
}

bool World::is_free(uint32_t flow) const
{
    const Connection *owner = owners_.at(flow);
    return !owner || (owner->stage() == Connection::GONE && !owner->has_taken());
}

Connection *World::open_random(unsigned fault_percent, uint32_t first_flow)
{
    uint32_t flow = random_.range(first_flow, params().flows - 1);
    if (!is_free(flow))
        return nullptr;
    Settings settings;
    settings.flags =
        static_cast<uint8_t>(random_.below(16) | (random_.percent(90) ? ZN_FLOW_RECEIVE : 0));
    settings.isn = static_cast<uint32_t>(random_.next());
    settings.snd_nxt = static_cast<uint32_t>(random_.next());
    if (random_.percent(50))
        settings.isn = 0u - random_.below(3000);
    if (random_.percent(50))
        settings.snd_nxt = 0u - random_.below(3000);
    settings.mss = static_cast<uint16_t>(random_.percent(80) ? 1400 : random_.range(60, 1400));
    settings.heartbeat_ms = static_cast<uint16_t>(random_.percent(30) ? 0 : random_.range(20, 400));
    settings.replies = static_cast<uint16_t>(random_.percent(80) ? 255 : random_.below(4));
    settings.room = random_.percent(70) ? 20000 : random_.below(400);
    if (random_.percent(fault_percent ? 40 : 10))
        settings.max_frame = random_.range(300, 70000);
    Taste taste;
    taste.fault = fault_percent;
    taste.longest = random_.percent(50) ? 60 : 1500;
    taste.ping = random_.percent(50) ? 10 : 40;
    return &open(endpoint_random(random_, next_port_++), settings, taste, flow);
}

void World::close(Connection &connection)
{
    push(connection.remove(random_));
}

std::vector<Connection *> World::live() const
{
    std::vector<Connection *> out;
    for (const auto &connection : connections_) {
        if (connection->stage() != Connection::GONE && connection->stage() != Connection::DELETING)
            out.push_back(connection.get());
    }
    return out;
}

void World::push(Message message)
{
    follower_.host_push(std::move(message));
}

void World::push(Sent sent)
{
    follower_.wire_push(std::move(sent));
}

void World::send(Sent sent, const Endpoint &end, const Weather &weather)
{
    if (random_.percent(weather.lost))
        return;
    if (random_.percent(weather.damaged)) {
        Sent damaged = sent;
        sent_corrupt(random_, damaged, end);
        push(damaged);
        if (random_.percent(50))
            return;
    }
    if (random_.percent(weather.twice))
        push(sent);
    if (random_.percent(weather.late)) {
        late_.push_back(std::move(sent));
        return;
    }
    push(std::move(sent));
    if (!late_.empty() && random_.percent(40)) {
        const size_t which = random_.below(static_cast<uint32_t>(late_.size()));
        push(late_[which]);
        late_.erase(late_.begin() + static_cast<ptrdiff_t>(which));
    }
}

void World::burst(Connection &connection, unsigned segments, size_t longest, const Weather &weather)
{
    Client &client = connection.client();
    for (unsigned i = 0; i < segments; i++) {
        size_t max = 1 + random_.below(static_cast<uint32_t>(random_.percent(50) ? longest : 40));
        const uint64_t read = std::min(connection.receiver().next(), client.sent());
        const uint64_t lag = client.sent() - read;
        if (lag && random_.percent(weather.again)) {
            const uint64_t back =
                random_.below(static_cast<uint32_t>(std::min<uint64_t>(lag + 200, 5000)));
            const uint64_t from = client.sent() > back ? client.sent() - back : 0;
            send(client.segment(from, std::min<uint64_t>(max, client.sent() - from)),
                 client.endpoint(), weather);
            continue;
        }
        const uint32_t to_wrap = 0u - client.seq(client.sent());
        if (to_wrap - 1 < SEGMENT_MAX && random_.percent(50))
            max = to_wrap;
        client.generate(max);
        send(client.next(max), client.endpoint(), weather);
    }
}

void World::tend(Connection &connection)
{
    Sender &sender = connection.sender();
    if (connection.stage() != Connection::UP)
        return;
    // See follower.h.
    const bool quiet = !(connection.settings().flags & (ZN_FLOW_ANSWER | ZN_FLOW_ENGINE));
    if (connection.needs_resync() && random_.percent(60))
        push(connection.resync(random_, random_.percent(40)));
    if (sender.is_blocked() ? random_.percent(50) : random_.percent(5))
        push(sender.grant(random_, random_.percent(60) ? ROOM : random_.below(1000), quiet));
    if (random_.percent(20)) {
        Frame frame;
        frame.payload = random_.bytes(random_.below(random_.percent(80) ? 200 : 3000));
        sender.queue(frame_encode_server(frame), false);
    }
    for (unsigned i = random_.below(3); i && sender.wants(); i--) {
        const size_t most = random_.percent(5) ? params().payload_max : sender.mss();
        push(sender.next(random_, 1 + random_.below(static_cast<uint32_t>(most))));
    }
    if (random_.percent(5))
        push(sender.next(random_, 0));
    if (random_.percent(3))
        push(message_of(command_of(ZN_MSG_READ, connection.flow(), random_.below(1000))));
}

void World::drain(Connection &connection)
{
    Client &client = connection.client();
    const Receiver &receiver = connection.receiver();
    if (client.sent() < client.end()) {
        while (client.sent() < client.end())
            push(client.next(SEGMENT_MAX));
    } else if (receiver.next() < client.end()) {
        const uint64_t left = client.end() - receiver.next();
        push(client.segment(receiver.next(), std::min<uint64_t>(left, SEGMENT_MAX)));
    }
    Sender &sender = connection.sender();
    if (connection.stage() != Connection::UP)
        return;
    if (connection.needs_resync())
        push(connection.resync(random_, false));
    if (sender.is_blocked() || sender.is_short(ROOM / 2))
        push(sender.grant(random_, ROOM, false));
    if (sender.wants())
        push(sender.next(random_, sender.mss()));
}

void World::finish()
{
    while (!late_.empty()) {
        push(late_.front());
        late_.pop_front();
    }
    for (unsigned round = 0;; round++) {
        follower_.settle();
        bool more = false;
        for (Connection *connection : live()) {
            const bool up = connection->stage() == Connection::UP;
            if (connection->receiver().next() == connection->client().end() &&
                (!up || connection->sender().is_idle()))
                continue;
            drain(*connection);
            more = true;
        }
        if (!more)
            break;
        ZN_CHECK(CHECK_SETTLES, round < FINISH_ROUNDS, "connections do not come to their end");
    }
    for (const auto &connection : connections_)
        connection->finish();
    follower_.compare_counters();
    for (int port = 0; port < PORT_COUNT; port++) {
        if (device_->count(static_cast<Port>(port)).refused)
            cover_hit(COVER_PRESSURE, static_cast<size_t>(port));
    }
}

Connection *World::of_flow(uint32_t flow)
{
    return flow < owners_.size() ? owners_[flow] : nullptr;
}

void World::note_gap(int connection, const zn_acc_rx_annotation &annotation)
{
    const uint64_t last = last_treated_[static_cast<size_t>(connection)];
    if (annotation.reason)
        return;
    if (last) {
        cover_hit(COVER_GAP, packets_ - last - 1);
        if (annotation.state.fill)
            cover_hit(COVER_GAP_CARRIED, packets_ - last - 1);
    }
    last_treated_[static_cast<size_t>(connection)] = packets_;
}

void World::on_packet(const Sent &sent, const zn_acc_rx_annotation &annotation,
                      const uint8_t *packet, size_t len)
{
    packets_++;
    if (annotation.reason)
        check_equal(CHECK_UNCHANGED, "a packet that was not treated", packet, len,
                    sent.bytes.data(), sent.bytes.size());
    ZN_CHECK(CHECK_ORDER, len == sent.bytes.size(), "a packet of %zu bytes, not %zu", len,
             sent.bytes.size());
    if (sent.connection < 0)
        return;
    if (watch_packet)
        watch_packet(sent, annotation);
    note_gap(sent.connection, annotation);
    connections_[static_cast<size_t>(sent.connection)]->on_packet(sent, annotation, packet);
}

void World::on_record(const zn_acc_report_record &record, const Message *message)
{
    Connection *connection = of_flow(record.flow);
    if (!message) {
        if (connection && record.kind == ZN_RECORD_REPLY)
            connection->on_reply(record);
        else if (connection)
            connection->on_heartbeat(record);
        return;
    }
    const zn_acc_command command = command_in(*message);
    if (!connection || message->bad)
        return;
    if (is_broadcast(command.kind) && record.kind == ZN_RECORD_SENT) {
        const auto from = message->bytes.begin() + sizeof command;
        cover_hit(COVER_COPY_PHASE, command.length % 64);
        connection->sender().on_other(record, Bytes(from, from + command.length), false);
    } else if (command.kind == ZN_MSG_SEGMENT) {
        connection->sender().on_segment(record);
    } else {
        connection->on_done(record, command);
    }
}

void World::on_rx_done(const zn_acc_report_record &record, const Message &message)
{
    Connection *connection = of_flow(record.flow);
    const zn_acc_command command = command_in(message);
    if (command.kind == ZN_MSG_RESYNC && record.reason)
        cover_hit(COVER_RESYNC, COVER_RESYNC_NO_FLOW);
    if (connection)
        connection->on_rx_done(record, command);
}

void World::on_wire(const Bytes &packet)
{
    const Received received = packet_parse(packet);
    ZN_CHECK(CHECK_SENT_CONTENT, !received.error, "a segment: %s", received.error);
    if (watch_wire)
        watch_wire(received);
    const auto at = by_port_.find(received.to_port);
    if (at != by_port_.end())
        at->second->sender().on_wire(received);
}

} // namespace cosim
