// SPDX-License-Identifier: Apache-2.0
// Defaults and copies of the options that several endpoints share.
#ifndef ZN_CORE_OPTIONS_H
#define ZN_CORE_OPTIONS_H

#include "proto/deflate.h"
#include "proto/slice.h"

#include <zapnic/zapnic.h>

// A deep copy. 0, or -ENOMEM with nothing held.
int zn__cors_copy(struct zn_cors *to, const struct zn_cors *from);
void zn__cors_free(struct zn_cors *cors);
// Whether one of the origins, which may have a '*' in them, is this Origin header's.
bool zn__cors_allows(const struct zn_cors *cors, struct zn_slice origin);

void zn__deflate_defaults(struct zn_deflate_options *options);
struct zn_deflate_config zn__deflate_config(const struct zn_deflate_options *options);

#endif
