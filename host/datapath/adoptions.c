// SPDX-License-Identifier: Apache-2.0
// See adoptions.h.
#include "adoptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct zn_adoption {
    struct zn_stream *stream;
    void *cookie;
};

static int grow(struct zn_adoptions *adoptions)
{
    size_t cap = adoptions->cap ? adoptions->cap * 2 : 16;
    void *grown = realloc(adoptions->at, cap * sizeof *adoptions->at);
    if (!grown)
        return -ENOMEM;
    adoptions->at = grown;
    adoptions->cap = cap;
    return 0;
}

int zn__adoptions_add(struct zn_adoptions *adoptions, struct zn_slab *slab,
                      const struct zn_dp_handle *handle, void *cookie,
                      struct zn_stream **stream_out)
{
    struct zn_stream *stream = NULL;
    if (adoptions->len < adoptions->cap || !grow(adoptions))
        stream = zn__slab_alloc(slab);
    if (!stream) {
        close(handle->fd);
        return -ENOMEM;
    }
    adoptions->at[adoptions->len++] = (struct zn_adoption){ stream, cookie };
    *stream_out = stream;
    return 0;
}

unsigned zn__adoptions_events(struct zn_adoptions *adoptions, struct zn_dp_event *events,
                              unsigned max)
{
    unsigned len = adoptions->len < max ? (unsigned)adoptions->len : max;
    if (!len)
        return 0;
    for (unsigned i = 0; i < len; i++) {
        events[i] = (struct zn_dp_event){ .type = ZN_DP_ADOPTED,
                                          .stream = adoptions->at[i].stream,
                                          .cookie = adoptions->at[i].cookie };
    }
    adoptions->len -= len;
    memmove(adoptions->at, adoptions->at + len, adoptions->len * sizeof *adoptions->at);
    return len;
}

void zn__adoptions_deinit(struct zn_adoptions *adoptions)
{
    free(adoptions->at);
}
