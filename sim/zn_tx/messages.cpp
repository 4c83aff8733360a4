// SPDX-License-Identifier: Apache-2.0
#include "messages.h"

namespace tx
{

zn_acc_command command(uint8_t kind, uint32_t flow)
{
    zn_acc_command command{};
    command.kind = kind;
    command.version = ZN_CONTRACT_VERSION;
    command.flow = flow;
    return command;
}

Bytes random_bytes(zn::Random &random, size_t length)
{
    Bytes out(length);
    for (uint8_t &byte : out)
        byte = static_cast<uint8_t>(random.bits());
    return out;
}

zn_acc_flow_address address(zn::Random &random, unsigned shape)
{
    zn_acc_flow_address out{};
    const Bytes bytes = random_bytes(random, sizeof(out));
    memcpy(&out, bytes.data(), sizeof(out));
    out.has_vlan = shape & 1;
    out.ip_version = shape & 2 ? 6 : 4;
    if (out.ip_version == 4) {
        memset(out.peer_address + 4, 0, 12);
        memset(out.local_address + 4, 0, 12);
    }
    return out;
}

zn_acc_command open_flow(uint32_t flow, uint32_t snd_nxt)
{
    zn_acc_command out = command(ZN_MSG_ADD, flow);
    out.snd_nxt = snd_nxt;
    out.limit = snd_nxt + 0x7fffffff;
    out.mss = 65535;
    out.window = 0x1234;
    out.ack = 0xabcdef01;
    out.replies = 255;
    return out;
}

Bytes message(const zn_acc_command &command, const Bytes &body)
{
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(&command);
    Bytes out(bytes, bytes + sizeof(command));
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

Bytes message(const zn_acc_command &command, const zn_acc_flow_address &address)
{
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(&address);
    return message(command, Bytes(bytes, bytes + sizeof(address)));
}

Bytes with_payload(zn_acc_command command, const Bytes &payload)
{
    command.length = static_cast<uint16_t>(payload.size());
    return message(command, payload);
}

Bytes with_lists(zn_acc_command command, const Bytes &payload, const std::vector<uint32_t> &ids)
{
    command.length = static_cast<uint16_t>(payload.size());
    command.ids = static_cast<uint16_t>(ids.size());
    Bytes body = payload;
    if (!ids.empty())
        body.resize((payload.size() + 63) / 64 * 64);
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(ids.data());
    body.insert(body.end(), bytes, bytes + 4 * ids.size());
    return message(command, body);
}

Bytes members(uint32_t first, const std::vector<uint32_t> &ids)
{
    return with_lists(command(ZN_MSG_MEMBERS, first), {}, ids);
}

} // namespace tx
