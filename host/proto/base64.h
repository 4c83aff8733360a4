// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4; section 5 for the URL alphabet).
#ifndef ZN_PROTO_BASE64_H
#define ZN_PROTO_BASE64_H

#include "slice.h"

#include <stdint.h>
#include <sys/types.h>

#define ZN_BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

// Writes ZN_BASE64_LEN(len) characters with padding, no NUL; returns their number.
size_t zn__base64_encode(const void *data, size_t len, char *out);

// URL alphabet, no padding: (len * 4 + 2) / 3 characters.
size_t zn__base64url_encode(const void *data, size_t len, char *out);

// Decodes as browsers' and Node's decoders do for well-formed input: padding
// may be missing. `out` has room for in.len / 4 * 3 + 3 bytes. Returns the length,
// or -EPROTO for a character outside the alphabet or an impossible length.
ssize_t zn__base64_decode(struct zn_slice in, uint8_t *out);

#endif
