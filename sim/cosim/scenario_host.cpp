// SPDX-License-Identifier: Apache-2.0
// Directed runs about the host's side of the contract: the flow table, treatment off and on, flows
// apart.
#include <cstring>

#include "cover.h"
#include "scenario.h"

namespace cosim
{

namespace
{

enum { SEGMENTS = 40, WITNESSES = 4, HOSTILE_FIRST = 16, ROOM = 60000 };

Settings settings_plain(Random &random)
{
    Settings settings;
    settings.flags = ZN_FLOW_RECEIVE;
    settings.isn = static_cast<uint32_t>(random.next());
    settings.snd_nxt = static_cast<uint32_t>(random.next());
    settings.room = ROOM;
    return settings;
}

// The Toeplitz hash over addresses and ports, bit by bit.
uint32_t hash_of(const Bytes &key, const Endpoint &end)
{
    uint8_t input[36];
    std::memcpy(input, end.peer, 16);
    std::memcpy(input + 16, end.local, 16);
    put16(input + 32, end.peer_port);
    put16(input + 34, end.local_port);
    uint32_t hash = 0;
    for (size_t bit = 0; bit < 8 * sizeof input; bit++) {
        if (!(input[bit / 8] >> (7 - bit % 8) & 1))
            continue;
        for (size_t i = 0; i < 32; i++) {
            const size_t k = bit + i;
            hash ^= static_cast<uint32_t>(key[k / 8] >> (7 - k % 8) & 1) << (31 - i);
        }
    }
    return hash;
}

// An endpoint in the bucket of `hash`, with the same tag or another; only ports change, which the
// hash is linear in.
Endpoint endpoint_meeting(World &world, uint32_t hash, bool same_tag, uint16_t peer_port)
{
    const uint32_t mask = (world.params().buckets - 1) | (same_tag ? 0xffff0000 : 0);
    Endpoint end = endpoint_random(world.random(), peer_port);
    for (;;) {
        world.random().fill(end.peer, 4);
        end.local_port = 0;
        const uint32_t base = hash_of(world.hash_key(), end);
        uint32_t of_bit[16];
        for (int bit = 0; bit < 16; bit++) {
            end.local_port = static_cast<uint16_t>(1 << bit);
            of_bit[bit] = base ^ hash_of(world.hash_key(), end);
        }
        for (uint32_t port = 1; port < 65536; port++) {
            uint32_t h = base;
            for (int bit = 0; bit < 16; bit++)
                h ^= port >> bit & 1 ? of_bit[bit] : 0;
            const bool tag = h >> 16 == hash >> 16;
            if (!((h ^ hash) & mask) && tag == same_tag) {
                end.local_port = static_cast<uint16_t>(port);
                return end;
            }
        }
    }
}

void send_some(World &world, Connection &connection)
{
    for (int i = 0; i < 4; i++) {
        connection.client().generate(300);
        world.push(connection.client().next(1 + world.random().below(300)));
    }
}

Connection &open_at(World &world, const Endpoint &end, uint32_t flow)
{
    Connection &connection = world.open(end, settings_plain(world.random()), Taste(), flow);
    world.push(connection.add(world.random()));
    return connection;
}

// Witnesses' annotations and segments, with or without others on the wire.
std::vector<Bytes> witness(const Run &run, bool alone)
{
    World world(run.device(run.seed), run.seed);
    Random own(run.seed + 77);
    std::vector<Bytes> seen[2 * WITNESSES], all;
    std::vector<Connection *> flows;
    Taste calm;
    calm.ping = 0; // when the host answers depends on when it hears of it
    stall_none(world);
    for (uint32_t i = 0; i < WITNESSES; i++) {
        Settings settings = settings_plain(own);
        flows.push_back(&world.open(endpoint_random(own, static_cast<uint16_t>(60000 + i)),
                                    settings, calm, i, own));
        world.push(flows[i]->add(own));
    }
    world.follower().settle();
    world.watch_packet = [&](const Sent &sent, const zn_acc_rx_annotation &annotation) {
        auto *bytes = reinterpret_cast<const uint8_t *>(&annotation);
        if (sent.connection < WITNESSES)
            seen[sent.connection].emplace_back(bytes, bytes + sizeof annotation);
    };
    world.watch_wire = [&](const Received &packet) {
        if (packet.to_port >= 60000)
            seen[WITNESSES + packet.to_port - 60000].push_back(packet.payload);
    };
    Weather storm;
    storm.lost = storm.late = storm.damaged = 10;
    for (int i = 0; i < SEGMENTS * WITNESSES; i++) {
        Connection &connection = *flows[static_cast<size_t>(i % WITNESSES)];
        connection.client().generate(400);
        world.push(connection.client().next(1 + own.below(400)));
        Frame frame;
        frame.payload = own.bytes(own.below(100));
        connection.sender().queue(frame_encode_server(frame), false);
        world.push(connection.sender().next(own, 400));
        Connection *other = alone ? nullptr : world.open_random(10, HOSTILE_FIRST);
        if (other)
            world.push(other->add(world.random()));
        for (Connection *hostile : alone ? std::vector<Connection *>() : world.live()) {
            if (hostile->flow() < HOSTILE_FIRST || !world.random().percent(20))
                continue;
            world.burst(*hostile, 3, 400, storm);
            world.tend(*hostile);
        }
        world.run(100);
    }
    world.finish();
    for (const auto &part : seen) {
        all.insert(all.end(), part.begin(), part.end());
        all.emplace_back();
    }
    return all;
}

} // namespace

void scenario_table(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    stall_none(world);
    uint16_t port = 5000;
    const Endpoint first = endpoint_random(random, port++);
    const uint32_t hash = hash_of(world.hash_key(), first);
    Connection &holder = open_at(world, first, 0);
    Connection &twin = open_at(world, endpoint_meeting(world, hash, true, port++), 1);
    std::vector<Connection *> bucket;
    for (uint32_t i = 0; i < 4; i++) // the fourth finds no slot
        bucket.push_back(&open_at(world, endpoint_meeting(world, hash, false, port++), 2 + i));
    world.follower().settle();
    ZN_CHECK(CHECK_SOFTWARE_GOES_ON,
             holder.is_known() && !twin.is_known() && bucket[2]->is_known() &&
                 !bucket[3]->is_known(),
             "who is in the flow table");
    for (Connection *connection : world.live())
        send_some(world, *connection);
    world.push(twin.resync(random, false));
    world.close(twin);
    world.close(*bucket[0]);
    world.follower().settle();
    Connection &next = open_at(world, endpoint_meeting(world, hash, false, port++), 10);
    world.follower().settle();
    ZN_CHECK(CHECK_SOFTWARE_GOES_ON, next.is_known(), "a freed slot is not found");
    for (Connection *connection : world.live())
        send_some(world, *connection);
    world.finish();
}

void scenario_switches(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    std::vector<Connection *> flows;
    stall_none(world);
    Taste taste;
    taste.huge = 0;
    for (uint32_t i = 0; i < 6; i++) {
        Settings settings = settings_plain(random);
        settings.flags = static_cast<uint8_t>(ZN_FLOW_RECEIVE | random.below(16));
        flows.push_back(&world.open_known(settings, taste, i));
    }
    for (uint32_t round = 0; round < 16; round++) {
        const uint32_t control = round % 2 ? static_cast<uint32_t>(CONTROL_ALL) : random.below(8);
        world.follower().write(ZN_REG_CONTROL, control);
        for (Connection *connection : flows) {
            // What is there is read in software; then the core can go on.
            send_some(world, *connection);
            world.follower().settle();
            ZN_CHECK(CHECK_SOFTWARE_GOES_ON,
                     connection->receiver().next() == connection->client().sent(),
                     "flow %u stands still", connection->flow());
            if (connection->needs_resync())
                world.push(connection->resync(random, false));
            world.follower().settle();
            const uint64_t before = connection->treated();
            send_some(world, *connection);
            world.follower().settle();
            const uint64_t treated = connection->treated() - before;
            ZN_CHECK(CHECK_SOFTWARE_GOES_ON, treated == (control & CONTROL_RECEIVE ? 4 : 0),
                     "flow %u: %llu packets of 4 are treated, control is %u", connection->flow(),
                     static_cast<unsigned long long>(treated), control);
            world.tend(*connection);
        }
    }
    world.follower().write(ZN_REG_CONTROL, CONTROL_ALL);
    world.finish();
}

void scenario_isolation(const Run &run)
{
    const std::vector<Bytes> alone = witness(run, true), among = witness(run, false);
    ZN_CHECK(CHECK_ISOLATED, alone.size() == among.size(),
             "%zu packets and segments alone, %zu among others", alone.size(), among.size());
    for (size_t i = 0; i < alone.size(); i++)
        check_equal(CHECK_ISOLATED, "an annotation or segment, among others", among[i].data(),
                    among[i].size(), alone[i].data(), alone[i].size());
}

} // namespace cosim
