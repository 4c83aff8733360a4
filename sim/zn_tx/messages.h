// SPDX-License-Identifier: Apache-2.0
// Messages of the host, as bytes.
#ifndef ZN_SIM_TX_MESSAGES_H
#define ZN_SIM_TX_MESSAGES_H

#include "reference.h"

namespace tx
{

// The four kinds of headers: bit 0 VLAN, bit 1 IPv6.
constexpr unsigned shapes = 4;

zn_acc_command command(uint8_t kind, uint32_t flow);
zn_acc_flow_address address(zn::Random &random, unsigned shape);
Bytes random_bytes(zn::Random &random, size_t length);

// An ADD that sends freely from `snd_nxt` on.
zn_acc_command open_flow(uint32_t flow, uint32_t snd_nxt);

// The command, then the body.
Bytes message(const zn_acc_command &command, const Bytes &body = {});
Bytes message(const zn_acc_command &command, const zn_acc_flow_address &address);
// Sets length (of segments, broadcasts, raw packets) and ids from what is given.
Bytes with_payload(zn_acc_command command, const Bytes &payload);
Bytes with_lists(zn_acc_command command, const Bytes &payload, const std::vector<uint32_t> &ids);
Bytes members(uint32_t first, const std::vector<uint32_t> &ids);

} // namespace tx

#endif
