// SPDX-License-Identifier: Apache-2.0
// A 4-tuple as the flow table hashes and compares it.
#ifndef ZN_SOFT_TUPLE_H
#define ZN_SOFT_TUPLE_H

#include <stdint.h>

// Bytes as on the wire; addresses of IPv4 stand in the first four bytes, the rest is 0. The hash is
// over the struct.
struct zn__soft_tuple {
    uint8_t peer_address[16];
    uint8_t local_address[16];
    uint8_t peer_port[2];
    uint8_t local_port[2];
};
_Static_assert(sizeof(struct zn__soft_tuple) == 36, "hashed as a whole");

#endif
