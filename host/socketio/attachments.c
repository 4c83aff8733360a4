// SPDX-License-Identifier: Apache-2.0
// See attachments.h.
#include "attachments.h"

#include "core/unfinished.h"

#include <errno.h>
#include <stdlib.h>

int zn__attachments_create(struct zn_reactor *reactor, struct zn_slice text,
                           struct zn_attachments **out)
{
    int err = zn__unfinished_take(reactor, text.len);
    if (err < 0)
        return err;
    struct zn_attachments *attachments = malloc(sizeof(*attachments) + text.len);
    if (attachments == NULL) {
        zn__unfinished_give(reactor, text.len);
        return -ENOMEM;
    }
    attachments->reactor = reactor;
    attachments->held = text.len;
    memcpy(attachments->text, text.p, text.len);
    attachments->text_len = text.len;
    attachments->total = text.len;
    attachments->len = 0;
    err = zn__sio_decode((struct zn_slice){ attachments->text, text.len }, &attachments->packet);
    if (err < 0) {
        zn__unfinished_give(reactor, text.len);
        free(attachments);
        return err;
    }
    *out = attachments;
    return 0;
}

void zn__attachments_destroy(struct zn_attachments *attachments)
{
    unsigned own = attachments->len;
    if (own == attachments->packet.attachments)
        own--;
    for (unsigned i = 0; i < own; i++)
        free((void *)attachments->at[i].p);
    zn__unfinished_give(attachments->reactor, attachments->held);
    free(attachments);
}

int zn__attachments_add(struct zn_attachments *attachments, const void *data, size_t len,
                        size_t max)
{
    if (attachments->total > max || len > max - attachments->total)
        return -EMSGSIZE;
    bool last = attachments->len + 1 == attachments->packet.attachments;
    const void *p = data;
    if (!last) {
        int err = zn__unfinished_take(attachments->reactor, len);
        if (err < 0)
            return err;
        attachments->held += len;
        void *copy = malloc(len > 0 ? len : 1);
        if (copy == NULL)
            return -ENOMEM;
        memcpy(copy, data, len);
        p = copy;
    }
    attachments->total += len;
    attachments->at[attachments->len++] = (struct zn_data){ p, len };
    return last ? 1 : 0;
}
