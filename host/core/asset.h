// SPDX-License-Identifier: Apache-2.0
// Files that are embedded at build time by embed.sh: the client bundle that browsers load from
// /socket.io/, and the demo page of the service.
//
// Thread: constants.
#ifndef ZN_CORE_ASSET_H
#define ZN_CORE_ASSET_H

#include <stddef.h>
#include <stdint.h>

struct zn_asset {
    const char *name;         // "socket.io.min.js"
    const char *content_type; // "application/javascript; charset=utf-8"
    const char *etag;         // with its quotes
    const uint8_t *data;
    size_t len;
    const uint8_t *gzip; // the same bytes as a gzip file
    size_t gzip_len;
};

// dist/ of the npm package socket.io-client; the ETag is its version, as the reference has it.
extern const struct zn_asset zn__client_assets[];
extern const size_t zn__client_assets_len;

// host/service/www. Linked into the command, not into the library.
extern const struct zn_asset zn_demo_assets[];
extern const size_t zn_demo_assets_len;

#endif
