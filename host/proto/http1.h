// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 requests for the handshake, polling and small static files: an
// incremental, strict parser (RFC 9110, RFC 9112). Anything that could be read
// two ways by two parsers is refused. No allocation, no OS calls.
//
// Thread: pure functions; a struct is used by one thread at a time.
#ifndef ZN_PROTO_HTTP1_H
#define ZN_PROTO_HTTP1_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    ZN_HTTP_HEADERS_MAX = 64,
    ZN_HTTP_HEAD_MAX = 16384, // bytes of request line and headers together
};

enum zn_http_method {
    ZN_HTTP_GET,
    ZN_HTTP_HEAD,
    ZN_HTTP_POST,
    ZN_HTTP_PUT,
    ZN_HTTP_DELETE,
    ZN_HTTP_OPTIONS,
    ZN_HTTP_PATCH,
    ZN_HTTP_OTHER, // any other valid token
};

// Offsets from the first byte of the head, so that a request stays valid when
// its bytes are moved to another buffer.
struct zn_http_span {
    uint16_t off;
    uint16_t len;
};

struct zn_http_header {
    struct zn_http_span name;
    struct zn_http_span value; // optional white space trimmed
};

// A request head, and the parser's place in it. About 0.6 KiB: lend it to a
// connection only while a head is incomplete.
struct zn_http_req {
    uint16_t head_len; // bytes up to and including the empty line, when complete
    uint16_t status;   // after -EPROTO: what to answer (400, 414, 431, 501, 505)
    uint8_t method;    // enum zn_http_method
    uint8_t minor;     // HTTP/1.<minor>, 0 or 1
    bool chunked;
    bool has_length;
    bool keep_alive;      // by version and Connection header
    bool expect_continue; // "Expect: 100-continue"
    bool upgrade;         // Connection has "upgrade" and an Upgrade header is there
    uint64_t content_length;
    struct zn_http_span target; // path and query as sent
    struct zn_http_span path;   // before '?', not decoded
    struct zn_http_span query;  // after '?', may be empty
    uint16_t headers_len;
    struct zn_http_header headers[ZN_HTTP_HEADERS_MAX];
    // Parser state.
    uint16_t pos;
    uint16_t mark;
    uint8_t state;
    uint8_t seen; // headers that may come only once
};

void zn__http_req_init(struct zn_http_req *req);

// Reads on in `head[0, len)`; `head` starts at the request line (one empty line
// before it is skipped, RFC 9112 section 2.2) and every call passes all bytes so
// far, of which only the new ones and the last line's are looked at.
// Returns 0 when the head is complete (req->head_len), -EAGAIN for more input,
// -EPROTO with req->status set at the first byte that proves the head bad.
// Refused (RFC 9112 sections 2.2, 3, 5, 6, 11.2): bare CR or LF, obs-fold, white
// space before a colon, missing (HTTP/1.1), repeated or malformed Host,
// Content-Length with Transfer-Encoding, repeated or non-digit Content-Length, any
// transfer coding but a single final "chunked", tabs around either, Transfer-Encoding
// on HTTP/1.0, control bytes, a target that is not origin-form (or "*" for OPTIONS),
// over-long heads.
int zn__http_req_parse(struct zn_http_req *req, const char *head, size_t len);

static inline struct zn_slice zn__http_slice(const char *head, struct zn_http_span s)
{
    return (struct zn_slice){ head + s.off, s.len };
}

// The first header called `name` (case-insensitive); found: true, value in *out.
bool zn__http_header_find(const struct zn_http_req *req, const char *head, struct zn_slice name,
                          struct zn_slice *out);

// Walks a comma-separated list header that may stand in several lines (RFC 9110
// section 5.3). Start with *cursor = 0; each call gives the next trimmed element
// that is not empty, quoted strings kept whole. Returns false at the end.
bool zn__http_list_next(const struct zn_http_req *req, const char *head, struct zn_slice name,
                        uint32_t *cursor, struct zn_slice *out);

// The value of `key` in a query string, not decoded; the first one counts.
bool zn__http_query_find(struct zn_slice query, struct zn_slice key, struct zn_slice *out);

// Percent-decodes (and '+' to space when `plus`) `in` into `out[cap]`.
// Returns the length, or -EPROTO for a bad escape, -EMSGSIZE when it does not fit.
ssize_t zn__http_unescape(struct zn_slice in, bool plus, char *out, size_t cap);

// Whether `text` can be written as a field value (RFC 9110 section 5.5): no control
// byte but tab, no white space at its ends. For everything that is echoed.
bool zn__http_value_valid(struct zn_slice text);

// A request body: Content-Length or chunked (RFC 9112 section 7.1). Chunk
// extensions are checked and skipped, trailers read and dropped, within one limit.
struct zn_http_body {
    uint64_t left;  // bytes of the body, or of the current chunk
    uint32_t aside; // bytes of extensions and trailers so far
    uint8_t state;
    bool chunked;
    bool done;
};

void zn__http_body_init(struct zn_http_body *body, const struct zn_http_req *req);

// One step over `in[0, len)`: a run of body bytes, if any, in *data_out (which
// points into `in`). Returns the bytes of `in` used up; look at body->done after each
// step, call again while bytes are left; those after the end are the next request's.
// -EPROTO: malformed, -EMSGSIZE: extensions or
// trailers beyond 4 KiB.
ssize_t zn__http_body_next(struct zn_http_body *body, const char *in, size_t len,
                           struct zn_slice *data_out);

#endif
