// SPDX-License-Identifier: Apache-2.0
// Fixed bodies over HTTP: what the application serves, and the Socket.IO client's bundle.
//
// Thread: set up before the server runs, then any reactor.
#ifndef ZN_CORE_STATIC_H
#define ZN_CORE_STATIC_H

#include "conn.h"

struct zn_static {
    char *path;
    char *content_type;
    const void *data;
    size_t len;
    const void *gzip; // the same, compressed; NULL: not
    size_t gzip_len;
    char etag[40]; // with quotes
};

void zn__static_request(struct zn_conn *conn, const struct zn_static *file);
// Answers with the client bundle's file of this name; false: there is none.
bool zn__static_client(struct zn_conn *conn, struct zn_slice name);
void zn__static_destroy(struct zn_static *file);

#endif
