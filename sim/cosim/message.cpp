// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <cstring>

namespace cosim
{

namespace
{

void append_ids(Bytes &to, const std::vector<uint32_t> &ids)
{
    for (uint32_t id : ids) {
        uint8_t bytes[4];
        std::memcpy(bytes, &id, sizeof id);
        to.insert(to.end(), bytes, bytes + sizeof bytes);
    }
}

} // namespace

zn_acc_command command_of(zn_acc_msg kind, uint32_t flow, uint32_t cookie)
{
    zn_acc_command command = {};
    command.kind = static_cast<uint8_t>(kind);
    command.version = ZN_CONTRACT_VERSION;
    command.flow = flow;
    command.cookie = cookie;
    return command;
}

Message message_with(const zn_acc_command &command, const Bytes &body, bool silent)
{
    Message message;
    message.bytes.resize(sizeof command);
    std::memcpy(message.bytes.data(), &command, sizeof command);
    append(message.bytes, body);
    message.silent = silent;
    return message;
}

Message message_of(const zn_acc_command &command)
{
    return message_with(command, Bytes(), (command.flags & ZN_CMD_QUIET) != 0);
}

Message message_with(const zn_acc_command &command, const zn_acc_flow_address &address)
{
    auto *bytes = reinterpret_cast<const uint8_t *>(&address);
    return message_with(command, Bytes(bytes, bytes + sizeof address));
}

Message message_broadcast(const zn_acc_command &command, const Bytes &payload,
                          const std::vector<uint32_t> &ids)
{
    Bytes body = payload;
    if (!ids.empty())
        body.resize((payload.size() + 63) / 64 * 64);
    append_ids(body, ids);
    return message_with(command, body);
}

Message message_members(uint32_t index, uint32_t cookie, const std::vector<uint32_t> &ids,
                        bool quiet)
{
    zn_acc_command command = command_of(ZN_MSG_MEMBERS, index, cookie);
    command.ids = static_cast<uint16_t>(ids.size());
    command.flags = quiet ? ZN_CMD_QUIET : 0;
    Bytes body;
    append_ids(body, ids);
    return message_with(command, body, quiet);
}

zn_acc_command command_in(const Message &message)
{
    zn_acc_command command = {};
    std::memcpy(&command, message.bytes.data(),
                message.bytes.size() < sizeof command ? message.bytes.size() : sizeof command);
    return command;
}

} // namespace cosim
