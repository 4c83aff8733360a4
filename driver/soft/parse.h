// SPDX-License-Identifier: Apache-2.0
// Received packets: Ethernet, IPv4 or IPv6, TCP; lengths and checksums. Steps 2 to 9 of the
// contract's list.
//
// Thread: pure functions.
#ifndef ZN_SOFT_PARSE_H
#define ZN_SOFT_PARSE_H

#include "contract/contract.h"
#include "soft/tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is known of a packet. With reason OK all of it, else only reason and checksum_ok.
struct zn__soft_segment {
    struct zn__soft_tuple tuple;
    uint32_t seq;
    uint16_t payload_offset; // from the packet's first byte
    uint16_t payload_len;    // 1 or more
    uint8_t reason;          // OK, or that of the first step that fails
    bool checksum_ok;        // IP and TCP checksums hold
    bool v6;
};

// `packet[0, len)`: from the Ethernet header on; at most 65535 bytes.
void zn__soft_parse(const uint8_t *packet, size_t len, struct zn__soft_segment *segment);

#endif
