// SPDX-License-Identifier: Apache-2.0
// Streams that adopt() has taken over and poll() has not told of yet, for the datapaths over kernel
// sockets.
//
// Thread: the instance's.
#ifndef ZN_ADOPTIONS_H
#define ZN_ADOPTIONS_H

#include "datapath.h"
#include "slab.h"

struct zn_adoption;

// Zero bytes are the empty state.
struct zn_adoptions {
    struct zn_adoption *at;
    size_t len, cap;
};

// Makes a stream of the handle, whose descriptor is the caller's to put into it. 0, or -ENOMEM with
// the descriptor closed.
int zn__adoptions_add(struct zn_adoptions *adoptions, struct zn_slab *slab,
                      const struct zn_dp_handle *handle, void *cookie,
                      struct zn_stream **stream_out);

// Moves up to `max` of them, the oldest first, into ADOPTED events. Returns their number.
unsigned zn__adoptions_events(struct zn_adoptions *adoptions, struct zn_dp_event *events,
                              unsigned max);

// Frees the list; the streams are the slab's.
void zn__adoptions_deinit(struct zn_adoptions *adoptions);

#endif
