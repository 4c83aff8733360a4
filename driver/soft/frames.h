// SPDX-License-Identifier: Apache-2.0
// Frames in the payload of one segment: delineation and unmasking in place.
//
// Thread: pure functions.
#ifndef ZN_SOFT_FRAMES_H
#define ZN_SOFT_FRAMES_H

#include "contract/contract.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ZN__SOFT_DESCS =
        sizeof(((struct zn_acc_rx_annotation *)0)->frame) / sizeof(struct zn_acc_frame_desc)
};

// What a flow accepts.
struct zn__soft_frame_limits {
    uint32_t max_frame; // payload bytes
    bool deflate;       // RSV1 is allowed on text and binary frames
};

// What was found: of the frames whose header became complete, how many (held at 255) and the first
// ones.
struct zn__soft_frames {
    unsigned count;
    struct zn_acc_frame_desc desc[ZN__SOFT_DESCS];
};

// Reads `payload[0, len)` from `state` on, unmasks it and moves the state. When it returns another
// reason than OK payload and state are as they were, and *frames is undefined.
enum zn_acc_reason zn__soft_frames_treat(struct zn_acc_ws_state *state,
                                         const struct zn__soft_frame_limits *limits,
                                         uint8_t *payload, size_t len,
                                         struct zn__soft_frames *frames);

#endif
