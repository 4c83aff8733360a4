// SPDX-License-Identifier: Apache-2.0
// The named checks of the co-simulation. Each counts how often it was asked: one that was never
// asked proves nothing, and is reported as a failure of the whole run.
#ifndef ZN_COSIM_CHECKS_H
#define ZN_COSIM_CHECKS_H

#include <cstdint>
#include <stdexcept>
#include <string>

namespace cosim
{

enum Check {
    // Bit for bit against the C model.
    CHECK_ANNOTATION,
    CHECK_PACKET,
    CHECK_RECORD,
    CHECK_WIRE,
    CHECK_COUNTERS,
    CHECK_SETTLES,
    // The contract's invariants, without the model.
    CHECK_RECOVERED,
    CHECK_STATE_AGREES,
    CHECK_DESCRIPTORS,
    CHECK_UNCHANGED,
    CHECK_ORDER,
    CHECK_COMMITTED,
    CHECK_GRANT,
    CHECK_BOUNDARY,
    CHECK_REPORTED_ONCE,
    CHECK_ANSWERED,
    CHECK_SENT_CONTENT,
    CHECK_ISOLATED,
    CHECK_SOFTWARE_GOES_ON,
    CHECK_COUNT
};

struct Failure : std::runtime_error {
    Failure(Check which, const std::string &what) : std::runtime_error(what), check(which)
    {
    }
    Check check;
};

const char *check_name(Check check);
uint64_t check_asked(Check check);

void check_count(Check check);
[[noreturn]] void check_fail(Check check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Counts, and throws Failure with the text when `holds` is false.
#define ZN_CHECK(check, holds, ...)                                                                \
    do {                                                                                           \
        ::cosim::check_count(check);                                                               \
        if (!(holds))                                                                              \
            ::cosim::check_fail(check, __VA_ARGS__);                                               \
    } while (0)

// Throws Failure where two runs of bytes differ first, as `what`.
void check_equal(Check check, const char *what, const uint8_t *got, size_t got_len,
                 const uint8_t *want, size_t want_len);

} // namespace cosim

#endif
