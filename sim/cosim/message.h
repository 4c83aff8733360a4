// SPDX-License-Identifier: Apache-2.0
// Messages to the core, put together from the contract's structs.
#ifndef ZN_COSIM_MESSAGE_H
#define ZN_COSIM_MESSAGE_H

#include "follower.h"
#include "packet.h"

namespace cosim
{

zn_acc_command command_of(zn_acc_msg kind, uint32_t flow, uint32_t cookie);
// The header alone.
Message message_of(const zn_acc_command &command);
// Header and body; `silent` as in Message.
Message message_with(const zn_acc_command &command, const Bytes &body, bool silent = false);
// ADD, DELETE.
Message message_with(const zn_acc_command &command, const zn_acc_flow_address &address);
// BROADCAST_*: header, payload, zeros up to 64 bytes, ids.
Message message_broadcast(const zn_acc_command &command, const Bytes &payload,
                          const std::vector<uint32_t> &ids);
// MEMBERS: header, ids.
Message message_members(uint32_t index, uint32_t cookie, const std::vector<uint32_t> &ids,
                        bool quiet);

zn_acc_command command_in(const Message &message);

} // namespace cosim

#endif
