// SPDX-License-Identifier: Apache-2.0
// Request heads and bodies: the same bytes whole and in pieces must give the same
// request, the same body and the same refusal. The first byte picks the pieces.
#include "proto/http1.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1 << 16 };

// What came out of one reading.
struct outcome {
    struct zn_http_req req;
    int head_err;
    ssize_t body_err;
    bool body_done;
    size_t body_used; // input used before the verdict
    size_t data_len;
    char data[BODY_MAX];
};

// The length of the next piece, from 1 to what is left.
static size_t piece(uint32_t *seed, uint32_t max, size_t left)
{
    size_t n;

    *seed = *seed * 1664525 + 1013904223;
    n = 1 + (*seed >> 16) % max;
    return n < left ? n : left;
}

// The checker sees a read beyond a piece, since each is in memory of its own size.
static char *copy(const char *in, size_t len)
{
    char *p = malloc(len > 0 ? len : 1);

    assert(p != NULL);
    memcpy(p, in, len);
    return p;
}

static void read_body(struct outcome *out, const char *in, size_t len, uint32_t seed, uint32_t max)
{
    struct zn_http_body body;

    zn__http_body_init(&body, &out->req);
    for (size_t at = 0; at < len && !body.done && out->body_err == 0;) {
        size_t n = piece(&seed, max, len - at);
        char *p = copy(in + at, n);
        size_t used = 0;

        while (used < n && !body.done) {
            struct zn_slice data;
            ssize_t step = zn__http_body_next(&body, p + used, n - used, &data);

            if (step < 0) {
                out->body_err = step;
                break;
            }
            assert(step > 0 && (size_t)step <= n - used);
            assert(data.len == 0 || (data.p >= p + used && data.p + data.len <= p + used + step));
            memcpy(out->data + out->data_len, data.p, data.len);
            out->data_len += data.len;
            out->body_used += (size_t)step;
            used += (size_t)step;
        }
        at += used;
        free(p);
    }
    out->body_done = body.done;
}

static void read_all(struct outcome *out, const char *in, size_t len, uint32_t seed, uint32_t max)
{
    size_t have = 0;

    memset(out, 0, offsetof(struct outcome, data));
    zn__http_req_init(&out->req);
    out->head_err = -1;
    do {
        char *p;

        have += len > have ? piece(&seed, max, len - have) : 0;
        p = copy(in, have);
        out->head_err = zn__http_req_parse(&out->req, p, have);
        free(p);
    } while (have < len && out->head_err != 0 && out->req.status == 0);
    if (out->head_err == 0) {
        assert(out->req.head_len <= have && out->req.headers_len <= ZN_HTTP_HEADERS_MAX);
        read_body(out, in + out->req.head_len, len - out->req.head_len, seed, max);
    }
}

// Whatever was taken keeps the promises that framing and echoing rest on.
static void check_head(const struct zn_http_req *req, const char *head)
{
    struct zn_slice element;
    uint32_t cursor = 0;

    assert(!(req->chunked && req->has_length));
    assert(memchr(head, '\0', req->head_len) == NULL);
    assert(req->target.len > 0 && req->path.len <= req->target.len);
    for (unsigned i = 0; i < req->headers_len; i++) {
        struct zn_slice name = zn__http_slice(head, req->headers[i].name);

        assert(name.len > 0 && name.p[name.len] == ':');
        assert(zn__http_value_valid(zn__http_slice(head, req->headers[i].value)));
        while (zn__http_list_next(req, head, name, &cursor, &element)) {
            assert(element.len > 0);
        }
        cursor = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole, cut;
    const char *in = (const char *)data + 1;
    struct zn_slice value;
    char text[256];

    if (size < 1 || size > BODY_MAX) {
        return 0;
    }
    size--;
    read_all(&whole, in, size, 0, UINT16_MAX + 1);
    read_all(&cut, in, size, data[0], 1 + data[0] % 32u);
    assert(whole.head_err == cut.head_err || (whole.req.status == 0 && cut.req.status == 0));
    assert(memcmp(&whole, &cut, offsetof(struct zn_http_req, headers)) == 0);
    assert(memcmp(whole.req.headers, cut.req.headers,
                  whole.req.headers_len * sizeof(whole.req.headers[0])) == 0);
    assert(whole.body_err == cut.body_err && whole.body_done == cut.body_done);
    assert(whole.data_len == cut.data_len && memcmp(whole.data, cut.data, cut.data_len) == 0);
    assert(whole.body_err != 0 || whole.body_used == cut.body_used);
    if (whole.head_err == 0) {
        struct zn_slice query = zn__http_slice(in, whole.req.query);

        check_head(&whole.req, in);
        (void)zn__http_query_find(query, ZN_SLICE("EIO"), &value);
        (void)zn__http_unescape(query, true, text, sizeof(text));
    }
    return 0;
}
