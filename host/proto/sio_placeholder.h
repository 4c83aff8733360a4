// SPDX-License-Identifier: Apache-2.0
// The places of attachments inside the JSON of a binary packet:
// `{"_placeholder":true,"num":n}` at any depth.
//
// Thread: pure functions.
#ifndef ZN_PROTO_SIO_PLACEHOLDER_H
#define ZN_PROTO_SIO_PLACEHOLDER_H

#include "slice.h"

// Looks at every object of `data`, JSON that was checked before. 0 when each one
// whose `_placeholder` is true has a `num` that is a whole number in
// [0, attachments), else -EPROTO ("illegal attachments" in the reference).
// What stands inside a valid one is not looked at, since it is replaced as a whole.
int zn__sio_placeholders_check(struct zn_slice data, unsigned attachments);

#endif
