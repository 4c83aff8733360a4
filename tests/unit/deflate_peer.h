// SPDX-License-Identifier: Apache-2.0
// The other end of a permessage-deflate connection for tests: zlib, driven by hand.
#ifndef ZN_TESTS_DEFLATE_PEER_H
#define ZN_TESTS_DEFLATE_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum { TEXT_LEN = 4096 };

// Text with repetitions at all distances up to 2 KiB, the same in every run.
void text_fill(uint8_t *text, size_t len);

// One message: appends the tail and inflates into out[cap]. A failure ends the test.
size_t peer_inflate(z_stream *z, const uint8_t *data, size_t len, uint8_t *out, size_t cap);

// One message, without the tail.
size_t peer_deflate(z_stream *z, const uint8_t *data, size_t len, uint8_t *out, size_t cap);

#endif
