// SPDX-License-Identifier: Apache-2.0
// Bytes as they stand on the wire, and the random numbers that choose them. Everything random of a
// run comes from one Random, so that its seed repeats the run.
#ifndef ZN_COSIM_BYTES_H
#define ZN_COSIM_BYTES_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cosim
{

using Bytes = std::vector<uint8_t>;

// xorshift64*: fast, the same on every machine.
class Random
{
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du)
    {
        if (!state_)
            state_ = 1;
        for (int i = 0; i < 4; i++)
            next();
    }
    uint64_t next()
    {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1du >> 8;
    }
    // 0 to n - 1.
    uint32_t below(uint32_t n)
    {
        return static_cast<uint32_t>(next() % n);
    }
    // first to last, both included.
    uint32_t range(uint32_t first, uint32_t last)
    {
        return first + below(last - first + 1);
    }
    bool percent(unsigned chance)
    {
        return below(100) < chance;
    }
    void fill(uint8_t *to, size_t len)
    {
        for (size_t i = 0; i < len; i++)
            to[i] = static_cast<uint8_t>(next());
    }
    Bytes bytes(size_t len)
    {
        Bytes out(len);
        fill(out.data(), len);
        return out;
    }

  private:
    uint64_t state_;
};

inline void put16(uint8_t *to, uint32_t value)
{
    to[0] = static_cast<uint8_t>(value >> 8);
    to[1] = static_cast<uint8_t>(value);
}

inline void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

inline uint32_t get16(const uint8_t *from)
{
    return static_cast<uint32_t>(from[0] << 8 | from[1]);
}

inline uint32_t get32(const uint8_t *from)
{
    return get16(from) << 16 | get16(from + 2);
}

inline void append(Bytes &to, const Bytes &more)
{
    to.insert(to.end(), more.begin(), more.end());
}

} // namespace cosim

#endif
