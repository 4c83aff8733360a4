// SPDX-License-Identifier: Apache-2.0
// Packed structs of rtl/pkg/zn_pkg.sv as bits of a port, the last field of the SystemVerilog
// declaration first.
#ifndef ZN_SIM_TX_FIELDS_H
#define ZN_SIM_TX_FIELDS_H

#include "bench/stream.h"

namespace tx
{

class FieldWriter
{
  public:
    void put(uint64_t value, unsigned bits)
    {
        for (unsigned i = 0; i < bits; i++)
            put_bit(value >> i & 1);
    }
    // `bits` bits, of `value` and zeros behind it.
    void put(const zn::Bytes &value, unsigned bits)
    {
        for (unsigned i = 0; i < bits; i++)
            put_bit(i / 8 < value.size() && (value[i / 8] >> i % 8 & 1));
    }
    zn::Bytes bytes;

  private:
    void put_bit(bool bit)
    {
        if (count_ % 8 == 0)
            bytes.push_back(0);
        bytes.back() |= static_cast<uint8_t>(bit << count_ % 8);
        count_++;
    }
    size_t count_ = 0;
};

class FieldReader
{
  public:
    explicit FieldReader(const zn::Bytes &bytes) : bytes_(bytes)
    {
    }
    uint64_t get(unsigned bits)
    {
        uint64_t value = 0;
        for (unsigned i = 0; i < bits; i++)
            value |= uint64_t{ get_bit() } << i;
        return value;
    }
    zn::Bytes get_bytes(size_t count)
    {
        zn::Bytes out;
        while (out.size() < count)
            out.push_back(static_cast<uint8_t>(get(8)));
        return out;
    }

  private:
    bool get_bit()
    {
        const size_t at = count_++;
        return bytes_.at(at / 8) >> at % 8 & 1;
    }
    zn::Bytes bytes_;
    size_t count_ = 0;
};

} // namespace tx

#endif
