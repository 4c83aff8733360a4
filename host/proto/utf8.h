// SPDX-License-Identifier: Apache-2.0
// Incremental, fail-fast UTF-8 validation (RFC 3629; Unicode 15 table 3-7).
#ifndef ZN_PROTO_UTF8_H
#define ZN_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The state between two runs: the bytes of a character that is cut. Zero is the start.
struct zn_utf8 {
    uint8_t need; // continuation bytes still to come
    uint8_t low;  // bounds of the next one
    uint8_t high;
};

// Reads on. False at the first byte that no valid text can contain there (a bad
// lead byte, a surrogate, an overlong form, above U+10FFFF), also when the
// character is not complete. SIMD for long runs.
bool zn__utf8_next(struct zn_utf8 *state, const uint8_t *data, size_t len);

// Whether the text may end here.
static inline bool zn__utf8_done(const struct zn_utf8 *state)
{
    return state->need == 0;
}

// Whole text in one call.
bool zn__utf8_valid(const void *data, size_t len);

#endif
