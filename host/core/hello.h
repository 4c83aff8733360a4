// SPDX-License-Identifier: Apache-2.0
// What a client said when it connected, kept for the application: a copy of the request head,
// shown on demand as Node.js shows a request.
//
// Thread: the connection's reactor.
#ifndef ZN_CORE_HELLO_H
#define ZN_CORE_HELLO_H

#include "conn.h"

struct zn_hello;

// From the request in hand; NULL: no memory.
struct zn_hello *zn__hello_create(const struct zn_conn *conn);
void zn__hello_destroy(struct zn_hello *hello);

// Fills in all but `auth`; the strings live as long as `hello`.
void zn__hello_show(struct zn_hello *hello, struct zn_handshake *out);

#endif
