// SPDX-License-Identifier: Apache-2.0
// The meaning of the header fields that frame a request or steer its connection.
//
// Thread: pure functions.
#ifndef ZN_PROTO_HTTP1_FIELD_H
#define ZN_PROTO_HTTP1_FIELD_H

#include "http1.h"

// Notes one field in `req`, whose pos is at the end of its line. Returns 0, or the status to refuse
// the request with.
uint16_t zn__http_field_read(struct zn_http_req *req, const char *head,
                             const struct zn_http_header *field);

// After the last field: what must be there, and what follows from all of them.
uint16_t zn__http_fields_end(struct zn_http_req *req);

#endif
