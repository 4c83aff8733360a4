// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace cosim
{

namespace
{

const char *const names[CHECK_COUNT] = {
    [CHECK_ANNOTATION] = "match.annotation",
    [CHECK_PACKET] = "match.packet",
    [CHECK_RECORD] = "match.record",
    [CHECK_WIRE] = "match.wire",
    [CHECK_COUNTERS] = "match.counters",
    [CHECK_SETTLES] = "match.nothing_is_lost",
    [CHECK_RECOVERED] = "invariant1.bytes_recovered",
    [CHECK_STATE_AGREES] = "invariant1.state_agrees_with_software",
    [CHECK_DESCRIPTORS] = "invariant1.frames_described",
    [CHECK_UNCHANGED] = "invariant2.untreated_passes_unchanged",
    [CHECK_ORDER] = "invariant2.every_packet_in_order",
    [CHECK_COMMITTED] = "invariant3.only_good_packets_move_state",
    [CHECK_GRANT] = "invariant4.nothing_beyond_the_grant",
    [CHECK_BOUNDARY] = "invariant4.own_frames_at_boundaries",
    [CHECK_REPORTED_ONCE] = "invariant4.sequence_numbers_reported_once",
    [CHECK_ANSWERED] = "invariant4.pings_answered",
    [CHECK_SENT_CONTENT] = "invariant4.sent_what_was_asked",
    [CHECK_ISOLATED] = "invariant5.flows_do_not_meet",
    [CHECK_SOFTWARE_GOES_ON] = "invariant6.goes_on_in_software",
};

uint64_t asked[CHECK_COUNT];

} // namespace

const char *check_name(Check check)
{
    return names[check];
}

uint64_t check_asked(Check check)
{
    return asked[check];
}

void check_count(Check check)
{
    asked[check]++;
}

void check_fail(Check check, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    std::vsnprintf(text, sizeof text, format, list);
    va_end(list);
    throw Failure(check, std::string(names[check]) + ": " + text);
}

void check_equal(Check check, const char *what, const uint8_t *got, size_t got_len,
                 const uint8_t *want, size_t want_len)
{
    check_count(check);
    const size_t len = std::min(got_len, want_len);
    const size_t at = static_cast<size_t>(std::mismatch(got, got + len, want).first - got);
    if (at < len)
        check_fail(check, "%s: byte %zu of %zu is 0x%02x, not 0x%02x", what, at, want_len, got[at],
                   want[at]);
    if (got_len != want_len)
        check_fail(check, "%s: %zu bytes long, not %zu", what, got_len, want_len);
}

} // namespace cosim
