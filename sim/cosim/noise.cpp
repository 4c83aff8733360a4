// SPDX-License-Identifier: Apache-2.0
#include "noise.h"

#include <algorithm>
#include <cstring>

namespace cosim
{

namespace
{

// Changes one field of the IP header; `p` is its first byte, `len` the packet's from there on.
void spoil_ip(Random &random, uint8_t *p, size_t len, bool v6)
{
    static const uint8_t extensions[] = { 0, 43, 44, 50, 51, 60, 135, 139, 140, 17, 58, 1 };
    uint8_t *length = p + (v6 ? 4 : 2);
    switch (random.below(6)) {
    case 0:
        p[0] ^= static_cast<uint8_t>(1 << random.below(8)); // version, header length
        break;
    case 1:
        put16(length, static_cast<uint32_t>(random.percent(50) ? random.below(80) : random.next()));
        break;
    case 2: // lengths that just fit or just do not
        put16(length, static_cast<uint32_t>(len - (v6 ? 40 : 0) + random.below(3) - 1));
        break;
    case 3:
        if (!v6)
            put16(p + 6, static_cast<uint32_t>(random.next())); // fragments
        break;
    case 4:
        if (!v6)
            p[0] = static_cast<uint8_t>(0x40 | random.range(5, 15)); // options
        break;
    default:
        p[v6 ? 6 : 9] = extensions[random.below(12)];
    }
}

// Changes one field of the headers so that one step of the contract's list fails, or seems to.
void spoil(Random &random, Bytes &packet, const Endpoint &end)
{
    const size_t ip = packet_ip_offset(end), tcp = packet_tcp_offset(end);
    const auto anything = static_cast<uint32_t>(random.next());
    switch (random.below(14)) {
    case 0:
        put16(&packet[12], random.percent(50) ? 0x0806 : anything);
        break;
    case 1:
        put16(&packet[ip - 2], random.percent(50) ? 0x8100 : 0x88a8); // a second tag
        break;
    case 2:
        packet[tcp + 12] = static_cast<uint8_t>(anything);
        break;
    case 3: // a data offset that just fits or just does not
        packet[tcp + 12] =
            static_cast<uint8_t>(((packet.size() - tcp) / 4 + random.below(3) - 1) << 4);
        break;
    case 4:
    case 5:
        packet[tcp + 13] = static_cast<uint8_t>(anything);
        break;
    case 6:
        packet.resize(1 + random.below(static_cast<uint32_t>(packet.size())));
        break;
    case 7:
        packet[random.below(static_cast<uint32_t>(packet.size()))] ^=
            static_cast<uint8_t>(anything);
        break;
    default:
        spoil_ip(random, &packet[ip], packet.size() - ip, end.v6);
    }
}

} // namespace

Sent noise_packet(Random &random, const Endpoint &end, uint32_t packet_max)
{
    Sent sent;
    if (random.percent(5)) {
        sent.bytes = random.bytes(1 + random.below(200));
        return sent;
    }
    Endpoint from = random.percent(50) ? end : endpoint_random(random, 900);
    Segment segment;
    segment.seq = static_cast<uint32_t>(random.next());
    segment.options_len = static_cast<uint8_t>(random.below(11) * 4);
    segment.padding = static_cast<uint8_t>(random.percent(50) ? 0 : random.below(50));
    size_t len = random.percent(30) ? 0 : random.below(200);
    if (random.percent(5))
        len = packet_max - packet_tcp_offset(from) - 20 - segment.options_len - segment.padding +
              random.below(3) - 1;
    else if (random.percent(3))
        len = packet_max + random.below(3000);
    const Bytes payload = random.bytes(len);
    sent.bytes = packet_build(from, segment, payload.data(), payload.size());
    if (random.percent(80))
        spoil(random, sent.bytes, from);
    if (random.percent(75))
        packet_fix_checksums(sent.bytes);
    sent.broken = random.percent(5);
    return sent;
}

Message noise_command(Random &random, const Params &params)
{
    const uint32_t cookie = static_cast<uint32_t>(random.next());
    zn_acc_command command = command_of(ZN_MSG_SEGMENT, random.below(params.flows), cookie);
    Bytes body;
    switch (random.below(9)) {
    case 0:
        command.version = 2;
        break;
    case 1:
        command.kind =
            static_cast<uint8_t>(random.percent(50) ? 26 + random.below(230) : random.below(16));
        body = random.bytes(random.below(300));
        break;
    case 2: { // flow out of range
        static const uint8_t kinds[] = { ZN_MSG_SEGMENT, ZN_MSG_ADD,    ZN_MSG_DELETE,
                                         ZN_MSG_GRANT,   ZN_MSG_RESYNC, ZN_MSG_READ };
        command.kind = kinds[random.below(6)];
        command.flow = random.percent(50)
                           ? params.flows
                           : params.flows + static_cast<uint32_t>(random.next() >> 33);
        command.length = 8;
        body = random.bytes(64);
        break;
    }
    case 3: // body ends early
        command.length = static_cast<uint16_t>(random.range(1, params.payload_max));
        body = random.bytes(random.below(command.length));
        break;
    case 4:
        command.length = static_cast<uint16_t>(random.range(params.payload_max + 1, 65535));
        body = random.bytes(random.percent(50) ? command.length : random.below(500));
        break;
    case 5:
        command.kind = ZN_MSG_RAW;
        command.length = static_cast<uint16_t>(random.percent(50) ? 0 : 100);
        body = random.bytes(random.below(command.length ? 100 : 200));
        break;
    case 6:
        command.kind = random.percent(50) ? ZN_MSG_ADD : ZN_MSG_DELETE;
        body = random.bytes(random.below(64));
        break;
    case 7:
        command.kind = ZN_MSG_BROADCAST_GROUP;
        command.length = 10;
        body = random.bytes(64 + 4 * 40);
        command.flow = 0;
        if (random.percent(50)) {
            command.ids = static_cast<uint16_t>(params.skips + 1 + random.below(20));
            command.count = 3;
        } else {
            command.count = params.members + 1;
        }
        break;
    default:
        command.kind = ZN_MSG_MEMBERS;
        command.flow = params.members - 1;
        command.ids = 2;
        body = random.bytes(8);
    }
    Message message = message_with(command, body);
    message.bad = true;
    if (random.percent(8))
        message.bytes.resize(1 + random.below(63));
    return message;
}

Chaos::Chaos(World &world, uint32_t flows) : world_(world), flows_(flows)
{
    uint16_t port = 100;
    for (Flow &flow : flows_)
        flow.end = endpoint_random(world.random(), port++);
}

void Chaos::packet()
{
    Random &random = world_.random();
    Flow &flow = flows_[random.below(static_cast<uint32_t>(flows_.size()))];
    while (flow.stream.size() < 2000) {
        Frame frame;
        frame.b0 = static_cast<uint8_t>(WS_FIN | random.range(1, 2));
        if (random.percent(30))
            frame.b0 = WS_FIN | OP_PING;
        if (random.percent(1))
            frame.b0 = static_cast<uint8_t>(random.next());
        frame.payload = random.bytes(random.below(frame.b0 == (WS_FIN | OP_PING) ? 126 : 300));
        const Bytes key = random.bytes(4);
        append(flow.stream, frame_encode(frame, key.data()));
    }
    const size_t len = 1 + random.below(random.percent(50) ? 20 : 1400);
    Segment segment;
    segment.seq = flow.seq;
    Sent sent;
    sent.bytes = packet_build(flow.end, segment, flow.stream.data(), len);
    flow.stream.erase(flow.stream.begin(), flow.stream.begin() + static_cast<ptrdiff_t>(len));
    flow.seq += static_cast<uint32_t>(len);
    world_.push(std::move(sent));
}

void Chaos::raw()
{
    Random &random = world_.random();
    zn_acc_command command = command_of(ZN_MSG_RAW, 0, static_cast<uint32_t>(random.next()));
    const Bytes body =
        random.bytes(random.range(20, random.percent(80) ? 200 : world_.params().payload_max));
    command.length = static_cast<uint16_t>(body.size());
    world_.push(message_with(command, body, true));
}

void Chaos::add(uint32_t id)
{
    Random &random = world_.random();
    Flow &flow = flows_[id];
    zn_acc_command command = command_of(ZN_MSG_ADD, id, static_cast<uint32_t>(random.next()));
    command.flow_flags = static_cast<uint8_t>(random.below(16) | ZN_FLOW_RECEIVE);
    command.flags = random.percent(20) ? ZN_CMD_OPEN : 0;
    command.snd_nxt = static_cast<uint32_t>(random.next());
    command.limit = flow.limit = command.snd_nxt + random.below(3000);
    command.rcv_nxt = flow.seq;
    command.max_frame = random.percent(80) ? 0xfffffffe : 200;
    command.mss = static_cast<uint16_t>(random.percent(50) ? 1400 : random.below(130));
    command.heartbeat_ms = static_cast<uint16_t>(random.percent(50) ? 0 : random.range(20, 100));
    command.replies = static_cast<uint16_t>(random.below(5));
    flow.stream.clear();
    flow.added = true;
    world_.push(
        message_with(command, endpoint_address(flow.end, static_cast<uint16_t>(random.next()))));
}

void Chaos::command()
{
    Random &random = world_.random();
    const uint32_t id = random.below(static_cast<uint32_t>(flows_.size()));
    Flow &flow = flows_[id];
    const uint32_t cookie = static_cast<uint32_t>(random.next());
    zn_acc_command command = command_of(ZN_MSG_GRANT, id, cookie);
    command.ack = cookie;
    command.window = static_cast<uint16_t>(random.next());
    if (!flow.added && random.percent(60)) {
        add(id);
        return;
    }
    switch (random.below(8)) {
    case 0:
    case 1:
        command.limit = flow.limit += random.below(2000) - 200;
        command.flags = random.percent(70) ? ZN_CMD_UNBLOCK : 0;
        world_.push(message_of(command));
        break;
    case 2:
        command.kind = ZN_MSG_READ;
        world_.push(message_of(command));
        break;
    case 3:
        command.kind = ZN_MSG_RESYNC;
        command.rcv_nxt = flow.seq;
        if (random.percent(50)) {
            command.state = { ZN_FILL_PAYLOAD,       WS_FIN | OP_BINARY,
                              WS_MASK | 126,         {},
                              1 + random.below(900), {} };
            random.fill(command.state.key, 4);
        }
        flow.stream = random.bytes(command.state.length);
        world_.push(message_of(command));
        break;
    case 4:
        if (flow.added && random.percent(30)) {
            // Nothing of it may be under way when its id is used again.
            world_.follower().settle();
            command.kind = ZN_MSG_DELETE;
            world_.push(message_with(command, endpoint_address(flow.end, 0)));
            world_.follower().settle();
            flow.added = false;
        } else if (!flow.added) {
            command.kind = ZN_MSG_DELETE;
            world_.push(message_with(command, endpoint_address(flow.end, 0)));
        }
        break;
    default: {
        const Bytes body = random.bytes(random.below(random.percent(80) ? 150 : 1500));
        command.kind = ZN_MSG_SEGMENT;
        command.length = static_cast<uint16_t>(body.size());
        command.flags = random.percent(30) ? ZN_CMD_OPEN : ZN_CMD_PUSH;
        world_.push(message_with(command, body));
    }
    }
}

} // namespace cosim
