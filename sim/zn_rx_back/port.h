// SPDX-License-Identifier: Apache-2.0
// Packed structs of zn_pkg as bytes of a port.
#ifndef ZN_RX_BACK_PORT_H
#define ZN_RX_BACK_PORT_H

#include <initializer_list>

#include "reference.h"

namespace zn
{

struct Field {
    uint64_t value;
    unsigned width; // above 64: the upper bits are 0
};

// Fields as they are declared, the first one in the highest bits.
inline Bytes pack(std::initializer_list<Field> fields)
{
    unsigned width = 0;
    for (const Field &f : fields)
        width += f.width;
    Bytes bytes((width + 7) / 8);
    for (const Field &f : fields) {
        width -= f.width;
        for (unsigned i = 0; i < f.width && i < 64; i++)
            if (f.value >> i & 1)
                bytes[(width + i) / 8] |= 1 << (width + i) % 8;
    }
    return bytes;
}

inline uint32_t key_number(const std::array<uint8_t, 4> &key)
{
    return key[0] | key[1] << 8 | key[2] << 16 | (uint32_t)key[3] << 24;
}

// rx_meta_t
inline Bytes meta_port(unsigned op, uint32_t seq, unsigned offset, unsigned length, uint32_t flow,
                       uint32_t cookie, unsigned flags, uint32_t max_frame, const State &s)
{
    return pack({ { op, 3 },
                  { 0, 289 },
                  { seq, 32 },
                  { offset, 16 },
                  { length, 16 },
                  { flow, 32 },
                  { cookie, 32 },
                  { flags, 4 },
                  { max_frame, 32 },
                  { s.fill, 4 },
                  { s.b0, 8 },
                  { s.b1, 8 },
                  { s.length, 32 },
                  { key_number(s.key), 32 } });
}

// rx_lookup_t
inline Bytes lookup_port(bool hit, uint32_t flow, unsigned flags, uint32_t max_frame,
                         unsigned reason)
{
    return pack({ { hit, 1 }, { flow, 32 }, { flags, 4 }, { max_frame, 32 }, { reason, 8 } });
}

// rx_end_t
inline Bytes end_port(unsigned reason, bool checksum_ok, unsigned packet_length)
{
    return pack({ { reason, 8 }, { checksum_ok, 1 }, { packet_length, 16 } });
}

// reply_t
inline Reply reply_from_port(const Bytes &b)
{
    auto bits = [&](unsigned at, unsigned width) {
        uint64_t value = 0;
        for (unsigned i = 0; i < width; i++)
            value |= (uint64_t)(b[(at + i) / 8] >> (at + i) % 8 & 1) << i;
        return value;
    };
    Reply r;
    const unsigned length = (unsigned)bits(1024, 7);
    r.payload.assign(b.begin(), b.begin() + length);
    r.b0 = (uint8_t)bits(1031, 8);
    r.cookie = (uint32_t)bits(1039, 32);
    r.flow = (uint32_t)bits(1071, 32);
    return r;
}

} // namespace zn

#endif
