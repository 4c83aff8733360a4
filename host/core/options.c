// SPDX-License-Identifier: Apache-2.0
// See options.h.
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int zn__cors_copy(struct zn_cors *to, const struct zn_cors *from)
{
    *to = *from;
    to->origins = NULL;
    to->origins_len = 0;
    if (from->origins_len == 0)
        return 0;
    const char **origins = calloc(from->origins_len, sizeof(*origins));
    if (origins == NULL)
        return -ENOMEM;
    to->origins = origins;
    for (size_t i = 0; i < from->origins_len; i++) {
        origins[i] = strdup(from->origins[i]);
        if (origins[i] == NULL) {
            zn__cors_free(to);
            return -ENOMEM;
        }
        to->origins_len++;
    }
    return 0;
}

void zn__cors_free(struct zn_cors *cors)
{
    for (size_t i = 0; i < cors->origins_len; i++)
        free((char *)cors->origins[i]);
    free((void *)cors->origins);
    cors->origins = NULL;
    cors->origins_len = 0;
}

static bool origin_matches(struct zn_slice pattern, struct zn_slice origin)
{
    const char *star = memchr(pattern.p, '*', pattern.len);
    if (star == NULL)
        return zn__slice_ieq(pattern, origin);
    size_t front = (size_t)(star - pattern.p);
    size_t back = pattern.len - front - 1;
    return origin.len >= front + back && strncasecmp(origin.p, pattern.p, front) == 0 &&
           strncasecmp(origin.p + origin.len - back, star + 1, back) == 0;
}

bool zn__cors_allows(const struct zn_cors *cors, struct zn_slice origin)
{
    for (size_t i = 0; i < cors->origins_len; i++) {
        struct zn_slice pattern = { cors->origins[i], strlen(cors->origins[i]) };
        if (origin_matches(pattern, origin))
            return true;
    }
    return false;
}

void zn__deflate_defaults(struct zn_deflate_options *options)
{
    if (options->window_bits == 0)
        options->window_bits = 15;
    if (options->level == 0)
        options->level = 1;
    if (options->threshold == 0)
        options->threshold = 1024;
    if (options->ratio_floor == 0)
        options->ratio_floor = 16u << 20;
    if (options->ratio_max == 0)
        options->ratio_max = 200;
}

struct zn_deflate_config zn__deflate_config(const struct zn_deflate_options *options)
{
    return (struct zn_deflate_config){
        .enabled = options->enabled,
        .server_no_context_takeover = options->no_context_takeover,
        .client_no_context_takeover = options->no_context_takeover,
        .server_max_window_bits = options->window_bits,
    };
}
