// SPDX-License-Identifier: Apache-2.0
// Directed runs of the receive side: where frames and segments are cut.
#include <algorithm>

#include "cover.h"
#include "scenario.h"

namespace cosim
{

namespace
{

enum { LONG_FRAME = 65536, GAPS = 16, GAP_ROUNDS = 4 };

Settings settings_plain(Random &random)
{
    Settings settings;
    settings.flags = ZN_FLOW_RECEIVE;
    settings.isn = static_cast<uint32_t>(random.next());
    settings.snd_nxt = static_cast<uint32_t>(random.next());
    return settings;
}

Frame frame_of(Random &random, size_t len)
{
    Frame frame;
    frame.payload = random.bytes(len);
    return frame;
}

// Sends what was not sent, up to `offset`, in one segment without options and padding.
void send_to(World &world, Connection &connection, uint64_t offset)
{
    Client &client = connection.client();
    if (offset <= client.sent())
        return;
    Sent sent = client.next(offset - client.sent());
    const Bytes payload(sent.bytes.begin() + sent.payload_at,
                        sent.bytes.begin() + sent.payload_at + sent.payload_len);
    Segment segment;
    segment.seq = client.seq(sent.offset);
    sent.bytes = packet_build(client.endpoint(), segment, payload.data(), payload.size());
    sent.payload_at = static_cast<uint32_t>(packet_tcp_offset(client.endpoint()) + 20);
    world.push(std::move(sent));
}

// A filler frame, then one whose header begins at `phase` of a beat; `bytes` of the header are in
// the first segment.
void split(World &world, Connection &connection, const Frame &frame, unsigned phase, unsigned bytes)
{
    Client &client = connection.client();
    const unsigned beat = cover_beat_bytes();
    const unsigned at = static_cast<unsigned>(packet_tcp_offset(client.endpoint()) + 20);
    unsigned filler = (phase + 16 * beat - at) % beat;
    while (filler && filler < frame_header_len(0))
        filler += beat;
    if (filler)
        client.add(frame_of(world.random(), filler - frame_header_len(0)));
    const uint64_t header = client.end();
    client.add(frame);
    send_to(world, connection, header + bytes);
    send_to(world, connection, client.end());
}

void splits_short(World &world)
{
    Connection &connection = world.open_known(settings_plain(world.random()), Taste(), 0);
    for (unsigned phase = 0; phase < cover_beat_bytes(); phase++) {
        for (size_t len : { 0, 5, 126 }) {
            for (unsigned bytes = 1; bytes <= frame_header_len(len); bytes++) {
                split(world, connection, frame_of(world.random(), len), phase, bytes);
                world.run(16);
            }
        }
    }
    for (unsigned frames = 0; frames < 16; frames++) { // in one packet, and a byte of the next one
        for (unsigned i = 0; i < frames; i++)
            connection.client().add(frame_of(world.random(), i % 3));
        const uint64_t end = connection.client().end();
        connection.client().add(frame_of(world.random(), 9));
        send_to(world, connection, end + 1);
        send_to(world, connection, connection.client().end());
    }
    world.finish();
}

// Their payload is not sent: each header has a connection of its own, which then ends.
void splits_long(World &world)
{
    for (unsigned phase = 0; phase < cover_beat_bytes(); phase++) {
        for (unsigned bytes = 1; bytes <= 14; bytes++) {
            Connection &connection = world.open_known(settings_plain(world.random()), Taste(), 1);
            Frame frame;
            frame.claimed = LONG_FRAME + bytes;
            split(world, connection, frame, phase, bytes);
            world.follower().settle();
            ZN_CHECK(CHECK_STATE_AGREES,
                     connection.receiver().next() == connection.client().sent() &&
                         connection.receiver().state().length == frame.claimed,
                     "a header of 14 bytes, %u of them in the first packet, is not read", bytes);
            world.close(connection);
            world.follower().settle();
        }
    }
    world.follower().compare_counters();
}

// The core misses its place inside the header of a long frame, and is told where that is. As above,
// one connection a header.
void resyncs_long(World &world)
{
    Random &random = world.random();
    for (unsigned bytes = 1; bytes < 14; bytes++) {
        Connection &connection = world.open_known(settings_plain(random), Taste(), 1);
        Client &client = connection.client();
        client.add(frame_of(random, 5));
        Frame frame;
        frame.claimed = LONG_FRAME + bytes;
        client.add(frame);
        const uint64_t header = client.places().back().start;
        const Sent first = client.next(header + bytes - 1);
        world.push(client.next(1)); // overtakes
        world.push(first);
        world.follower().settle();
        world.push(connection.resync(random, false));
        world.push(client.next(14 - bytes));
        world.follower().settle();
        world.push(client.segment(header + bytes, 14 - bytes)); // if the core was not told in time
        world.follower().settle();
        ZN_CHECK(CHECK_STATE_AGREES,
                 connection.treated() == 2 && connection.receiver().state().length == frame.claimed,
                 "a RESYNC after %u bytes of a header: %llu packets are treated", bytes,
                 static_cast<unsigned long long>(connection.treated()));
        world.close(connection);
        world.follower().settle();
    }
}

} // namespace

void scenario_splits(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    stall_none(world);
    splits_short(world);
    splits_long(world);
    resyncs_long(world);
}

void scenario_gaps(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    std::vector<Connection *> flows;
    stall_none(world);
    for (uint32_t i = 0; i < GAPS; i++)
        flows.push_back(&world.open_known(settings_plain(random), Taste(), i));
    for (unsigned round = 0; round < GAP_ROUNDS * run.count; round++) {
        for (unsigned gap = 0; gap < GAPS; gap++) {
            for (unsigned i = 0; i < 8 * (gap + 1); i++) {
                Client &client = flows[i % (gap + 1)]->client();
                client.generate(200);
                world.push(client.next(1 + random.below(random.percent(50) ? 12 : 150)));
            }
            // Commands, too, stand between packets.
            for (unsigned i = random.below(20); i; i--)
                world.push(message_of(command_of(ZN_MSG_READ, random.below(GAPS), i)));
            world.run(random.percent(50) ? 400 : 0);
        }
    }
    // Packets right in front of and behind an ADD.
    for (unsigned i = 0; i < 16; i++) {
        Connection &connection = world.open(endpoint_random(random, static_cast<uint16_t>(200 + i)),
                                            settings_plain(random), Taste(), GAPS + i);
        for (unsigned n = 0; n < 24; n++) {
            connection.client().generate(20);
            world.push(connection.client().next(random.range(1, 10)));
        }
        world.run(random.below(20));
        world.push(connection.add(random));
        world.run(random.below(100));
    }
    world.finish();
}

// The core loses its place after each byte, and is put right at once: a RESYNC in every state,
// among segments of a few bytes.
void scenario_bytes(const Run &run)
{
    World world(run.device(run.seed), run.seed);
    Random &random = world.random();
    stall_none(world);
    std::vector<Connection *> flows;
    for (uint32_t i = 0; i < 4; i++)
        flows.push_back(&world.open_known(settings_plain(random), Taste(), i));
    for (unsigned i = 0; i < 400 * run.count; i++) {
        Connection &connection = *flows[i % flows.size()];
        Client &client = connection.client();
        if (client.end() - client.sent() < 80)
            client.add(frame_of(random, random.percent(50)   ? LONG_FRAME
                                        : random.percent(50) ? 130
                                                             : random.below(20)));
        // The core sees the second segment first. In headers both are small.
        const bool header = client.sent() < client.places().back().payload;
        const Sent missed = client.next(header ? random.range(1, 2) : random.range(1, 30));
        world.push(client.next(1));
        world.push(missed);
        world.follower().settle();
        if (connection.needs_resync())
            world.push(connection.resync(random, i % 8 == 0));
        while (!header && client.end() - client.sent() > 3000)
            world.push(client.next(1400));
        if (!header)
            world.push(client.next(random.range(1, 30)));
        world.run(200);
    }
    world.finish();
}

} // namespace cosim
