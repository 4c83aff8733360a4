// SPDX-License-Identifier: Apache-2.0
// Streams of the accelerated datapath: what TCP says becomes events.
#ifndef ZN_ACCEL_STREAM_H
#define ZN_ACCEL_STREAM_H

#include "accel.h"

extern const struct zn_tcp_sink zn__accel_sink;

// Makes up to `max` events of what is ready.
int zn__accel_events(struct zn_accel_dp *dp, struct zn_dp_event *events, unsigned max);

// Takes up what the caller has said of frames since the last turn.
void zn__accel_offload(struct zn_accel_dp *dp);

// Streams whose input did not fit the last turn.
void zn__accel_want_again(struct zn_accel_dp *dp);

void zn__accel_break(struct zn_accel_dp *dp, struct zn_stream *stream, int err);

#endif
