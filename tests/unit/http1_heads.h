// SPDX-License-Identifier: Apache-2.0
// Request heads for tests of the parser: against a guard page, in every split, refused at a byte.
#ifndef ZN_TESTS_HTTP1_HEADS_H
#define ZN_TESTS_HTTP1_HEADS_H

#include "guard.h"
#include "proto/http1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define LINE "POST /x HTTP/1.1\r\n"
#define HOST LINE "Host: a\r\n"

static struct guard guard;

// Parses `head[0, cut)`, then all of it, each against the guard page.
static inline int parse_cut(struct zn_http_req *req, const char *head, size_t cut, size_t len)
{
    int err;

    zn__http_req_init(req);
    err = zn__http_req_parse(req, (char *)guard_copy(&guard, head, cut), cut);
    if (err != -EAGAIN) {
        return err;
    }
    return zn__http_req_parse(req, (char *)guard_copy(&guard, head, len), len);
}

static inline int parse(struct zn_http_req *req, const char *head, size_t len)
{
    return parse_cut(req, head, 0, len);
}

// Parses byte by byte; *used_out is how much was there at the verdict.
static inline int parse_bytes(struct zn_http_req *req, const char *head, size_t len,
                              size_t *used_out)
{
    int err = -EAGAIN;

    zn__http_req_init(req);
    for (*used_out = 0; err == -EAGAIN && *used_out < len;) {
        size_t n = ++*used_out;

        err = zn__http_req_parse(req, (char *)guard_copy(&guard, head, n), n);
    }
    return err;
}

// Refused with `status` whatever the split, the verdict falling at the last byte of
// `head`.
static inline void assert_refused(const char *head, size_t len, uint16_t status)
{
    struct zn_http_req req;
    size_t used;
    int err = parse_bytes(&req, head, len, &used);

    if (err != -EPROTO || req.status != status || used != len) {
        print_error("%.*s: %d, status %u, at %zu of %zu\n", (int)len, head, err, req.status, used,
                    len);
        fail();
    }
    for (size_t cut = 0; cut <= len; cut++) {
        assert_int_equal(parse_cut(&req, head, cut, len), -EPROTO);
        assert_int_equal(req.status, status);
    }
    assert_int_equal(zn__http_req_parse(&req, head, len), -EPROTO);
}

static inline void assert_slice(const char *head, struct zn_http_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(head + span.off, text, span.len);
}

static inline int guard_setup(void **state)
{
    (void)state;
    guard_init(&guard, 2 * ZN_HTTP_HEAD_MAX);
    return 0;
}

static inline int guard_teardown(void **state)
{
    (void)state;
    guard_deinit(&guard);
    return 0;
}

#endif
