// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <algorithm>

namespace tx
{

uint32_t Traffic::any_flow()
{
    return static_cast<uint32_t>(random_.below(sizes_.flows));
}

// Now and then one that is out of range.
uint32_t Traffic::any_receiver()
{
    if (random_.chance(3))
        return static_cast<uint32_t>(random_.chance(50) ? sizes_.flows : random_.bits());
    return any_flow();
}

std::vector<uint32_t> Traffic::receivers(size_t count)
{
    std::vector<uint32_t> out(count);
    for (uint32_t &id : out)
        id = any_receiver();
    return out;
}

// Mostly short, sometimes up to the longest, often at an edge.
size_t Traffic::any_length()
{
    size_t length = random_.range(1, random_.chance(20) ? sizes_.payload_max : 200);
    if (random_.chance(20))
        length = length / 64 * 64 + random_.below(3) + 63;
    return std::min<size_t>(length, sizes_.payload_max);
}

zn_acc_command Traffic::any_command(uint8_t kind, uint32_t flow)
{
    zn_acc_command out = command(kind, flow);
    out.cookie = static_cast<uint32_t>(random_.bits());
    out.window = static_cast<uint16_t>(random_.bits());
    out.ack = static_cast<uint32_t>(random_.bits());
    return out;
}

Bytes Traffic::add(uint32_t flow)
{
    zn_acc_command out = any_command(ZN_MSG_ADD, flow);
    out.flow_flags = random_.bits() & 15;
    out.flags = random_.chance(5) ? ZN_CMD_OPEN : 0;
    out.snd_nxt =
        static_cast<uint32_t>(random_.chance(50) ? random_.bits() : 0u - random_.below(2000));
    out.limit = out.snd_nxt + static_cast<uint32_t>(random_.below(10000));
    out.rcv_nxt = static_cast<uint32_t>(random_.bits());
    out.max_frame = static_cast<uint32_t>(random_.bits());
    out.mss = static_cast<uint16_t>(random_.chance(20) ? random_.range(1, 200)
                                                       : random_.range(1000, 65535));
    out.heartbeat_ms = static_cast<uint16_t>(random_.chance(20) ? 0 : random_.range(1, 0x8000));
    out.replies = static_cast<uint16_t>(random_.chance(50) ? random_.below(3) : 255);
    Bytes state = random_bytes(random_, sizeof(out.state));
    state[0] &= 15; // fill
    state[3] = 0;   // reserved
    memcpy(&out.state, state.data(), sizeof(out.state));
    return message(out, address(random_, static_cast<unsigned>(random_.below(shapes))));
}

Bytes Traffic::grant()
{
    zn_acc_command out = any_command(ZN_MSG_GRANT, any_flow());
    out.limit = reference_.flow(out.flow).snd_nxt + static_cast<uint32_t>(random_.below(10000));
    out.flags = random_.chance(70) ? ZN_CMD_UNBLOCK : 0;
    if (quiet_ && random_.chance(50))
        out.flags |= ZN_CMD_QUIET;
    return message(out);
}

Bytes Traffic::raw()
{
    Bytes out = with_payload(any_command(ZN_MSG_RAW, 0), random_bytes(random_, any_length()));
    if (random_.chance(10))
        out.resize(out.size() + random_.range(1, 200), 0xee); // what follows a body is skipped
    return out;
}

Bytes Traffic::segment()
{
    zn_acc_command out = any_command(ZN_MSG_SEGMENT, any_flow());
    out.flags = (random_.chance(50) ? ZN_CMD_PUSH : 0) | (random_.chance(10) ? ZN_CMD_OPEN : 0);
    return with_payload(out, random_bytes(random_, random_.chance(10) ? 0 : any_length()));
}

Bytes Traffic::list()
{
    zn_acc_command out = any_command(ZN_MSG_BROADCAST_LIST, any_flow());
    out.flags = random_.chance(50) ? ZN_CMD_PUSH : 0;
    std::vector<uint32_t> ids = receivers(random_.below(40));
    if (random_.chance(20))
        std::fill(ids.begin(), ids.end(), any_flow());
    Bytes bytes = with_lists(out, random_bytes(random_, any_length()), ids);
    if (random_.chance(10))
        bytes.resize(bytes.size() + random_.range(1, 200), 0xee);
    return bytes;
}

Bytes Traffic::group()
{
    zn_acc_command out = any_command(ZN_MSG_BROADCAST_GROUP, 0);
    out.flags = random_.chance(50) ? ZN_CMD_PUSH : 0;
    out.flow = static_cast<uint32_t>(random_.below(sizes_.members));
    out.count = static_cast<uint32_t>(random_.range(0, sizes_.members - out.flow));
    return with_lists(out, random_bytes(random_, any_length()),
                      receivers(random_.below(sizes_.skips + 1)));
}

Bytes Traffic::write_members()
{
    const uint32_t first = static_cast<uint32_t>(random_.below(sizes_.members));
    zn_acc_command out = any_command(ZN_MSG_MEMBERS, first);
    out.flags = random_.chance(30) ? ZN_CMD_QUIET : 0;
    return with_lists(out, {}, receivers(random_.range(0, sizes_.members - first)));
}

Bytes Traffic::other(uint8_t kind)
{
    zn_acc_command out = any_command(kind, any_flow());
    out.rcv_nxt = static_cast<uint32_t>(random_.bits());
    if (kind == ZN_MSG_DELETE)
        return message(out, address(random_, static_cast<unsigned>(random_.below(shapes))));
    return message(out);
}

Bytes Traffic::good()
{
    const uint64_t which = random_.below(100);
    if (which < 6)
        return add(any_flow());
    if (which < 8)
        return other(ZN_MSG_DELETE);
    if (which < 30)
        return grant();
    if (which < 40)
        return raw();
    if (which < 70)
        return segment();
    if (which < 78)
        return list();
    if (which < 86)
        return group();
    if (which < 92)
        return write_members();
    return other(which < 96 ? ZN_MSG_READ : ZN_MSG_RESYNC);
}

// A good one that is cut, or of which one field is wrong.
Bytes Traffic::bad()
{
    Bytes out = good();
    zn_acc_command head;
    memcpy(&head, out.data(), sizeof(head));
    switch (random_.below(6)) {
    case 0:
        head.version = static_cast<uint8_t>(random_.chance(50) ? 0 : 2);
        break;
    case 1:
        head.kind = static_cast<uint8_t>(random_.bits());
        break;
    case 2:
        head.flow = static_cast<uint32_t>(random_.chance(50) ? sizes_.members : random_.bits());
        break;
    case 3:
        head.length = static_cast<uint16_t>(
            random_.chance(50) ? 0 : sizes_.payload_max + random_.range(1, 9));
        break;
    case 4:
        head.count = static_cast<uint32_t>(random_.bits());
        break;
    default:
        out.resize(random_.range(1, out.size()));
        return out;
    }
    memcpy(out.data(), &head, sizeof(head));
    return out;
}

Bytes Traffic::next()
{
    return random_.chance(10) ? bad() : good();
}

Reply Traffic::reply()
{
    const bool pong = random_.chance(80);
    Reply out{ any_receiver(), static_cast<uint32_t>(random_.bits()), 0, {} };
    out.b0 = pong ? 0x8a : 0x81;
    out.payload =
        pong ? random_bytes(random_, random_.below(126)) : Bytes{ '3', 'p', 'r', 'o', 'b', 'e' };
    return out;
}

} // namespace tx
