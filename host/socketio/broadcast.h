// SPDX-License-Identifier: Apache-2.0
// One event to many sockets.
//
// Thread: the reactor whose sockets receive.
#ifndef ZN_CORE_BROADCAST_H
#define ZN_CORE_BROADCAST_H

#include "letter.h"

// Sends the letter's event to this reactor's receivers.
void zn__broadcast_deliver(struct zn_io_shard *shard, const struct zn_letter *letter);
// The same, each receiver being asked for an answer; says how many they are.
void zn__broadcast_survey(struct zn_io_shard *shard, const struct zn_letter *letter);

#endif
