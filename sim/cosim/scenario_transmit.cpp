// SPDX-License-Identifier: Apache-2.0
// Directed runs of the transmit side: answers to pings, broadcasts, the clock.
#include <algorithm>

#include "cover.h"
#include "scenario.h"

namespace cosim
{

namespace
{

enum { TRIES = 8, PING_MAX = 125, GROUP = 24, ROOM = 60000 };

Settings settings_answering(Random &random)
{
    Settings settings;
    settings.flags = ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER | ZN_FLOW_ENGINE;
    settings.isn = static_cast<uint32_t>(random.next());
    settings.snd_nxt = static_cast<uint32_t>(random.next());
    settings.room = ROOM;
    return settings;
}

Frame ping_of(Random &random, size_t len)
{
    Frame frame;
    frame.b0 = WS_FIN | OP_PING;
    frame.payload = random.bytes(len);
    return frame;
}

Frame text_of(const char *text, size_t len)
{
    Frame frame;
    frame.b0 = WS_FIN | OP_TEXT;
    frame.payload.assign(text, text + len);
    return frame;
}

void send_all(World &world, Connection &connection)
{
    while (connection.client().sent() < connection.client().end())
        world.push(connection.client().next(1460));
}

// A ping while the transmit side of `connection` is in some situation.
void ping_meets(World &world, const Settings &settings, uint32_t flow, bool open)
{
    Random &random = world.random();
    Connection &connection = world.open_known(settings, Taste(), flow);
    Frame half;
    half.payload = random.bytes(100);
    connection.sender().queue(frame_encode_server(half), false);
    if (open) {
        world.push(connection.sender().next(random, 50));
        world.follower().settle();
    }
    for (size_t len : { 0, 60, 125 }) {
        connection.client().add(ping_of(random, len));
        connection.client().add(text_of("2probe", 6));
        send_all(world, connection);
        world.follower().settle();
    }
    world.finish();
    world.close(connection);
    world.follower().settle();
}

// DELETE on the transmit side while pings are still on their way to it.
void pings_of_deleted(World &world, uint32_t flow)
{
    Random &random = world.random();
    Connection &connection = world.open_known(settings_answering(random), Taste(), flow);
    for (int i = 0; i < 64; i++) {
        connection.client().add(ping_of(random, random.below(PING_MAX + 1)));
        send_all(world, connection);
    }
    world.run(40);
    world.close(connection);
    world.follower().settle();
}

// A segment and a pong that end a byte before the grant does, with it, and a byte behind it.
void grant_ends(World &world, uint32_t flow)
{
    Random &random = world.random();
    for (uint32_t spare = 0; spare < 3; spare++) {
        Settings settings = settings_answering(random);
        settings.room = 99 + spare;
        Connection &segment = world.open_known(settings, Taste(), flow);
        Connection &pong = world.open_known(settings, Taste(), flow + 1);
        Frame frame;
        frame.payload = random.bytes(98);
        segment.sender().queue(frame_encode_server(frame), false);
        world.push(segment.sender().next(random, 100));
        pong.client().add(ping_of(random, 98));
        send_all(world, pong);
        world.follower().settle();
        ZN_CHECK(CHECK_GRANT, segment.sender().is_blocked() == (spare == 0),
                 "100 bytes with a grant of %u", settings.room);
        world.finish();
        world.close(segment);
        world.close(pong);
        world.follower().settle();
    }
}

void broadcast(World &world, size_t len, const std::vector<Connection *> &flows, bool list)
{
    Random &random = world.random();
    const Bytes payload = len < 2 ? Bytes(len, 0) : [&] {
        Frame frame;
        frame.payload = random.bytes(len - (len < 128 ? 2 : 4));
        return frame_encode_server(frame);
    }();
    zn_acc_command command = command_of(list ? ZN_MSG_BROADCAST_LIST : ZN_MSG_BROADCAST_GROUP, 0,
                                        static_cast<uint32_t>(random.next()));
    command.length = static_cast<uint16_t>(payload.size());
    std::vector<uint32_t> ids;
    for (Connection *connection : flows) {
        if (list || (ids.size() < world.params().skips && random.percent(20)))
            ids.push_back(connection->flow());
    }
    command.count = list ? 0 : static_cast<uint32_t>(flows.size());
    command.ids = static_cast<uint16_t>(ids.size());
    world.push(message_broadcast(command, payload, ids));
}

void grant_all(World &world, const std::vector<Connection *> &flows)
{
    world.follower().settle();
    for (Connection *connection : flows) {
        if (connection->sender().is_blocked() || connection->sender().is_short(ROOM / 2))
            world.push(connection->sender().grant(world.random(), ROOM, false));
    }
}

} // namespace

void scenario_pings(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    stall_none(world);
    Connection &connection = world.open_known(settings_answering(random), Taste(), 0);
    for (unsigned len = 0; len <= PING_MAX; len++) {
        // The core need not take it; as a rule it does.
        for (unsigned i = 0; i < TRIES && (!i || !cover_count(COVER_REPLY_LENGTH, len)); i++) {
            connection.client().add(ping_of(random, len));
            send_all(world, connection);
            world.follower().settle();
        }
        if (connection.sender().is_short(1000))
            world.push(connection.sender().grant(random, ROOM, false));
    }
    Settings none = settings_answering(random), few = none, narrow = none;
    none.room = 0;
    few.replies = 1;
    narrow.mss = 40;
    ping_meets(world, none, 1, false);
    ping_meets(world, few, 2, false);
    ping_meets(world, narrow, 3, false);
    ping_meets(world, settings_answering(random), 4, true);
    grant_ends(world, 10);
    for (uint32_t flow = 5; flow < 9; flow++)
        pings_of_deleted(world, flow);
    world.finish();
}

void scenario_broadcasts(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    stall_none(world);
    std::vector<Connection *> flows;
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < GROUP; i++) {
        Settings settings = settings_answering(random);
        settings.snd_nxt = 0u - 200 * random.below(8); // some wrap at a segment's edge
        flows.push_back(&world.open_known(settings, Taste(), 2 * i));
        ids.push_back(2 * i);
    }
    world.push(message_members(0, 1, ids, false));
    for (size_t len = 2; len <= 129; len++)
        broadcast(world, len, { flows.begin(), flows.begin() + 4 }, len % 2);
    grant_all(world, flows);
    for (size_t len :
         { 200u, 200u, 200u, 200u, 200u, 200u, 200u, 200u, 64u, 1400u, 1401u, 2048u }) {
        broadcast(world, len, flows, random.percent(50));
        if (random.percent(30))
            world.push(flows[random.below(GROUP)]->sender().next(random, 0));
        world.run(random.below(400));
        grant_all(world, flows);
    }
    // Inside a frame of the host's: refused, and then blocked.
    for (unsigned i = 0; i < 4; i++) {
        Frame frame;
        frame.payload = random.bytes(500);
        flows[i]->sender().queue(frame_encode_server(frame), false);
        world.push(flows[i]->sender().next(random, 100));
    }
    broadcast(world, 100, flows, true);
    broadcast(world, 101, flows, false);
    world.finish();
}

void scenario_clock(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    stall_none(world);
    std::vector<Connection *> flows;
    for (uint32_t i = 0; i < 12; i++) {
        Settings settings = settings_answering(random);
        settings.heartbeat_ms = static_cast<uint16_t>(i == 0 ? 0x8000 : random.range(1000, 30000));
        settings.replies = static_cast<uint16_t>(1 + i % 3);
        settings.room = i % 4 == 3 ? 4 : ROOM;
        flows.push_back(&world.open_known(settings, Taste(), i));
    }
    // The clock stands where a heartbeat becomes due.
    Settings exact = settings_answering(random);
    exact.heartbeat_ms = 20;
    Connection &beating = world.open_known(exact, Taste(), 20);
    world.follower().advance(exact.heartbeat_ms - 1);
    world.follower().advance(1);
    world.close(beating);
    for (unsigned round = 0; round < 24; round++) {
        Connection &connection = *flows[random.below(12)];
        const bool whole = random.percent(50);
        connection.client().add(text_of("3", 1));
        connection.client().add(ping_of(random, 4));
        world.push(connection.client().next(whole ? 100 : random.range(1, 12)));
        send_all(world, connection);
        world.follower().settle();
        world.push(message_of(command_of(ZN_MSG_READ, connection.flow(), round)));
        world.follower().advance(random.percent(70) ? random.range(1, 20)
                                                    : random.range(1000, 9000));
    }
    world.finish();
}

} // namespace cosim
