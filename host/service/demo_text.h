// SPDX-License-Identifier: Apache-2.0
// What people may type: names and messages are checked and trimmed before anyone else sees them.
//
// Thread: any; pure function.
#ifndef ZN_SERVICE_DEMO_TEXT_H
#define ZN_SERVICE_DEMO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

// Copies valid UTF-8 without white space around it to `out`, with a NUL. `chars_max`: code points;
// `out` has room for 4 * chars_max + 1 bytes. `lines`: line ends and tabs are allowed inside.
// The length in bytes, or -ENODATA (nothing is left), -EMSGSIZE (too long), -EINVAL (control
// characters, or characters that turn the direction of what follows around).
int zn__demo_text(const char *text, size_t len, unsigned chars_max, bool lines, char *out);

#endif
