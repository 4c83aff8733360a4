// SPDX-License-Identifier: Apache-2.0
// Choice of a datapath at run time.
#include "datapath.h"

#include <string.h>

const struct zn_dp_ops *zn_dp_find(const char *name)
{
    if (!strcmp(name, "epoll") || !strcmp(name, "auto"))
        return &zn_dp_epoll;
    if (!strcmp(name, "uring"))
        return &zn_dp_uring;
    return NULL;
}
