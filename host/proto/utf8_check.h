// SPDX-License-Identifier: Apache-2.0
// The vector versions of the UTF-8 check, for utf8.c only.
//
// Thread: pure functions.
#ifndef ZN_PROTO_UTF8_CHECK_H
#define ZN_PROTO_UTF8_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The least length for vectors of `width` bytes: one, and the three bytes that the last looks back
// to.
#define ZN__UTF8_CHECK_MIN(width) ((width) + 3)

// Whether text[0, len) is valid as a whole. Reads nothing outside of it.
typedef bool (*zn__utf8_check_fn)(const uint8_t *text, size_t len);

#if defined(__x86_64__)
bool zn__utf8_check_sse41(const uint8_t *text, size_t len);
bool zn__utf8_check_avx2(const uint8_t *text, size_t len);
bool zn__utf8_check_avx512(const uint8_t *text, size_t len);
#elif defined(__aarch64__)
bool zn__utf8_check_neon(const uint8_t *text, size_t len);
#endif

#endif
