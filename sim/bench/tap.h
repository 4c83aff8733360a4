// SPDX-License-Identifier: Apache-2.0
// Results of a bench in the Test Anything Protocol, and the random numbers that it draws from one
// printed seed.
//
// Thread: one.
#ifndef ZN_SIM_TAP_H
#define ZN_SIM_TAP_H

#include <cstdint>
#include <string>

namespace zn
{

// Counts cases. `ONLY` is for the runner; a bench always runs all of its cases.
class Tap
{
  public:
    // One case: prints `ok N - name` or `not ok N - name`. Returns `good`.
    bool ok(bool good, const std::string &name);
    // A remark, printed as `# text`.
    void note(const std::string &text);
    // Prints the plan; the program's exit code: 0 if there were cases and all passed, else 1.
    int done();

  private:
    unsigned cases_ = 0;
    unsigned failed_ = 0;
};

// printf into a string.
std::string text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The seed of this run: the environment's SEED, else 1. Printed when first asked for.
uint64_t seed();

// A sequence of numbers (splitmix64) that is a function of seed() and `stream` alone.
class Random
{
  public:
    explicit Random(uint64_t stream = 0);
    uint64_t bits();
    // 0 to `below` - 1.
    uint64_t below(uint64_t below);
    // `low` to `high`, both included.
    uint64_t range(uint64_t low, uint64_t high);
    // True in `percent` of 100 calls.
    bool chance(unsigned percent);

  private:
    uint64_t state_;
};

} // namespace zn

#endif
