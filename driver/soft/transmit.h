// SPDX-License-Identifier: Apache-2.0
// Segments: what the core sends on a flow by itself, and whether it may.
#ifndef ZN_SOFT_TRANSMIT_H
#define ZN_SOFT_TRANSMIT_H

#include "soft/instance.h"

// The flow's context; NULL when the id is out of range or the flow is not valid.
struct zn__soft_tx_flow *zn__soft_tx_flow(struct zn_soft *soft, uint32_t flow);

// Whether `len` bytes may follow what was sent: OK, TOO_LONG or NO_GRANT.
enum zn_acc_reason zn__soft_tx_room(const struct zn__soft_tx_flow *tx, uint16_t len);

// The same for a payload that may not lie inside a frame of the host's: also IN_FRAME.
enum zn_acc_reason zn__soft_tx_between_frames(const struct zn__soft_tx_flow *tx, uint16_t len);

// Sends `payload[0, len)`, whose sum (checksum.h) is `sum`, and moves snd_nxt. The checks are done.
void zn__soft_tx_send(struct zn_soft *soft, struct zn__soft_tx_flow *tx, const uint8_t *payload,
                      uint16_t len, uint64_t sum, bool push);

// The transmit side of commands for one flow, which was found good; `body` follows the command.
// READ and RESYNC change nothing there: zn__soft_tx_look().
void zn__soft_tx_segment(struct zn_soft *soft, const struct zn_acc_command *command,
                         const uint8_t *body);
void zn__soft_tx_grant(struct zn_soft *soft, const struct zn_acc_command *command);
void zn__soft_tx_add(struct zn_soft *soft, const struct zn_acc_command *command,
                     const uint8_t *body);
void zn__soft_tx_delete(struct zn_soft *soft, const struct zn_acc_command *command);
void zn__soft_tx_look(struct zn_soft *soft, const struct zn_acc_command *command);

#endif
