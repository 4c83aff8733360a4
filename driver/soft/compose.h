// SPDX-License-Identifier: Apache-2.0
// Headers of the segments that the core makes.
#ifndef ZN_SOFT_COMPOSE_H
#define ZN_SOFT_COMPOSE_H

#include "soft/instance.h"

// Prepares tx->headers, and what goes with them, for the flow of `address`. tx->v6, ip_id and the
// sums are set by it.
void zn__soft_compose_prepare(struct zn__soft_tx_flow *tx,
                              const struct zn_acc_flow_address *address);

// Writes the headers of a segment at snd_nxt with `len` bytes of payload, whose sum (checksum.h) is
// `sum`, into soft->headers, tx->headers_len bytes. Moves ip_id, not snd_nxt.
void zn__soft_compose(struct zn_soft *soft, struct zn__soft_tx_flow *tx, uint16_t len, uint64_t sum,
                      bool push);

#endif
