// SPDX-License-Identifier: Apache-2.0
#include "bench/tap.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace zn
{

bool Tap::ok(bool good, const std::string &name)
{
    cases_++;
    failed_ += !good;
    printf("%sok %u - %s\n", good ? "" : "not ", cases_, name.c_str());
    fflush(stdout);
    return good;
}

void Tap::note(const std::string &text)
{
    printf("# %s\n", text.c_str());
    fflush(stdout);
}

int Tap::done()
{
    printf("1..%u\n", cases_);
    return cases_ == 0 || failed_ != 0;
}

std::string text(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return line;
}

uint64_t seed()
{
    static const uint64_t value = [] {
        const char *given = getenv("SEED");
        const uint64_t v = given ? strtoull(given, nullptr, 0) : 1;
        printf("# SEED=%llu\n", static_cast<unsigned long long>(v));
        return v;
    }();
    return value;
}

Random::Random(uint64_t stream)
    : state_(seed() * 0x9e3779b97f4a7c15u + stream * 0xd1342543de82ef95u)
{
}

uint64_t Random::bits()
{
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t Random::below(uint64_t below)
{
    return bits() % below;
}

uint64_t Random::range(uint64_t low, uint64_t high)
{
    return low + below(high - low + 1);
}

bool Random::chance(unsigned percent)
{
    return below(100) < percent;
}

} // namespace zn
