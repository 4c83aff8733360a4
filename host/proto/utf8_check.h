// SPDX-License-Identifier: Apache-2.0
// The vector versions of the UTF-8 check, for utf8.c only.
//
// Thread: pure functions.
#ifndef ZN_PROTO_UTF8_CHECK_H
#define ZN_PROTO_UTF8_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A vector of AVX2, and the three bytes that the last one looks back to.
enum { ZN__UTF8_CHECK_MIN = 32 + 3 };

// Whether text[0, len) is valid as a whole; len >= ZN__UTF8_CHECK_MIN. Reads nothing outside of it.
typedef bool (*zn__utf8_check_fn)(const uint8_t *text, size_t len);

#if defined(__x86_64__)
bool zn__utf8_check_sse41(const uint8_t *text, size_t len);
bool zn__utf8_check_avx2(const uint8_t *text, size_t len);
bool zn__utf8_check_avx512(const uint8_t *text, size_t len);
#elif defined(__aarch64__)
bool zn__utf8_check_neon(const uint8_t *text, size_t len);
#endif

#endif
