// SPDX-License-Identifier: Apache-2.0
// Packets of the wire as the bench makes them: good ones, and ones that are wrong in a way that is
// asked for.
//
// Thread: one.
#ifndef ZN_SIM_RX_FRONT_PACKETS_H
#define ZN_SIM_RX_FRONT_PACKETS_H

#include <array>
#include <cstdint>
#include <vector>

#include "bench/stream.h"

namespace zn
{

// Bytes as on the wire; IPv4 addresses in the first four, the rest 0.
struct Tuple {
    bool v6 = false;
    std::array<uint8_t, 16> peer{};
    std::array<uint8_t, 16> local{};
    std::array<uint8_t, 2> peer_port{};
    std::array<uint8_t, 2> local_port{};
    bool operator==(const Tuple &other) const
    {
        return v6 == other.v6 && peer == other.peer && local == other.local &&
               peer_port == other.peer_port && local_port == other.local_port;
    }
};

Tuple random_tuple(Random &random, bool v6);

// What a packet is made of. A number of -1 means: as it should be.
struct Recipe {
    Tuple tuple = {};
    std::vector<uint16_t> tags = {}; // types of the VLAN tags
    int ethertype = -1;
    int version = -1;
    int ihl = -1;               // IPv4, words; the header has as many bytes as ip_options says
    unsigned ip_options = 0;    // IPv4, words
    int total_more = 0;         // what the IP length says above what is there
    uint16_t fragment = 0x4000; // IPv4: flags and offset
    uint8_t protocol = 6;       // or next header
    uint16_t ip_sum_flip = 0;   // bits of the checksum that are wrong
    uint32_t seq = 0;
    int data_offset = -1;     // words
    unsigned tcp_options = 0; // words
    uint8_t flags = 0x10;
    uint16_t tcp_sum_flip = 0;
    unsigned payload = 0;     // bytes
    int fill = -1;            // what the payload's bytes are
    unsigned tcp_missing = 0; // bytes that the IP packet lacks at the end
    unsigned padding = 0;     // bytes after the IP packet
    int cut = -1;             // bytes of all that are sent
    bool bad = false;         // the MAC's mark
};

// Payload, options and padding are random.
Bytes build(const Recipe &recipe, Random &random);

// The ones' complement sum of big-endian words, folded to 16 bits; an odd last byte is the higher
// half of its word.
uint16_t ones_sum(const uint8_t *bytes, size_t len, uint32_t sum = 0);

} // namespace zn

#endif
