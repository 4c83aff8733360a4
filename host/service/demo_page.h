// SPDX-License-Identifier: Apache-2.0
// The demo's page: the files of www/, embedded at build time.
//
// Thread: before and after the server runs.
#ifndef ZN_SERVICE_DEMO_PAGE_H
#define ZN_SERVICE_DEMO_PAGE_H

#include <zapnic/zapnic.h>

struct zn_demo_page; // the copies that the server serves

// Serves each file at its name, and index.html at "/" with `path` in place of "/socket.io/". 0 or
// negative errno.
int zn__demo_page_create(struct zn_server *server, const char *path,
                         struct zn_demo_page **page_out);
void zn__demo_page_destroy(struct zn_demo_page *page); // after zn_server_destroy(); NULL is fine

#endif
