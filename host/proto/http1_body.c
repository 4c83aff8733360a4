// SPDX-License-Identifier: Apache-2.0
// Request bodies: by length, or chunked (RFC 9112 section 7.1). The chunk grammar
// is taken to the letter: no white space, no bare CR or LF, extensions well formed.
//
// Thread: pure functions.
#include "http1.h"

#include "http1_chars.h"

#include <errno.h>

enum { ASIDE_MAX = 4096, SIZE_DIGITS_MAX = 16 };

enum state {
    SIZE = 0, // SIZE + n: after n digits of the chunk size
    SIZE_LF = SIZE + SIZE_DIGITS_MAX + 1,
    EXT_NAME_FIRST,
    EXT_NAME,
    EXT_VALUE_FIRST,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_QUOTED_PAIR,
    EXT_END,
    DATA,
    DATA_CR,
    DATA_LF,
    LINE, // at the start of a trailer line
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    BAD,
};

void zn__http_body_init(struct zn_http_body *body, const struct zn_http_req *req)
{
    *body = (struct zn_http_body){
        .left = req->chunked ? 0 : req->content_length,
        .state = req->chunked ? SIZE : DATA,
        .chunked = req->chunked,
        .done = !req->chunked && req->content_length == 0,
    };
}

// The steps below take one byte outside the data and return the next state, BAD
// when it may not stand there.

static enum state after_size(char c)
{
    return c == '\r' ? SIZE_LF : c == ';' ? EXT_NAME_FIRST : BAD;
}

static enum state step_size(struct zn_http_body *body, char c)
{
    if (!zn__http_is(c, ZN_HTTP_HEX)) {
        return body->state == SIZE ? BAD : after_size(c);
    }
    if (body->state == SIZE + SIZE_DIGITS_MAX || body->left > INT64_MAX >> 4) {
        return BAD;
    }
    body->left = body->left << 4 | zn__http_hex(c);
    return (enum state)(body->state + 1);
}

// chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] )
static enum state step_ext(enum state state, char c)
{
    bool token = zn__http_is(c, ZN_HTTP_TOKEN);

    switch (state) {
    case EXT_NAME_FIRST:
        return token ? EXT_NAME : BAD;
    case EXT_NAME:
        return token ? EXT_NAME : c == '=' ? EXT_VALUE_FIRST : after_size(c);
    case EXT_VALUE_FIRST:
        return token ? EXT_VALUE : c == '"' ? EXT_QUOTED : BAD;
    case EXT_VALUE:
        return token ? EXT_VALUE : after_size(c);
    case EXT_QUOTED:
        if (c == '"' || c == '\\') {
            return c == '"' ? EXT_END : EXT_QUOTED_PAIR;
        }
        return zn__http_is(c, ZN_HTTP_VALUE) ? EXT_QUOTED : BAD;
    case EXT_QUOTED_PAIR:
        return zn__http_is(c, ZN_HTTP_VALUE) ? EXT_QUOTED : BAD;
    default:
        return after_size(c);
    }
}

static enum state step_trailer(enum state state, char c)
{
    switch (state) {
    case LINE:
        return c == '\r' ? END_LF : zn__http_is(c, ZN_HTTP_TOKEN) ? TRAILER_NAME : BAD;
    case TRAILER_NAME:
        return c == ':' ? TRAILER_VALUE : zn__http_is(c, ZN_HTTP_TOKEN) ? TRAILER_NAME : BAD;
    case TRAILER_VALUE:
        return c == '\r' ? TRAILER_LF : zn__http_is(c, ZN_HTTP_VALUE) ? TRAILER_VALUE : BAD;
    default: // TRAILER_LF
        return c == '\n' ? LINE : BAD;
    }
}

static enum state step(struct zn_http_body *body, char c)
{
    enum state state = (enum state)body->state;

    if (state < SIZE_LF) {
        return step_size(body, c);
    }
    if (state >= EXT_NAME_FIRST && state <= EXT_END) {
        body->aside++;
        return step_ext(state, c);
    }
    switch (state) {
    case SIZE_LF:
        return c != '\n' ? BAD : body->left > 0 ? DATA : LINE;
    case DATA_CR:
        return c == '\r' ? DATA_LF : BAD;
    case DATA_LF:
        return c == '\n' ? SIZE : BAD;
    case END_LF:
        body->done = c == '\n';
        return body->done ? END_LF : BAD;
    case BAD:
        return BAD;
    default:
        body->aside++;
        return step_trailer(state, c);
    }
}

static size_t take_data(struct zn_http_body *body, const char *in, size_t len,
                        struct zn_slice *data_out)
{
    size_t n = len < body->left ? len : (size_t)body->left;

    *data_out = (struct zn_slice){ in, n };
    body->left -= n;
    if (body->left == 0) {
        body->state = DATA_CR;
        body->done = !body->chunked;
    }
    return n;
}

ssize_t zn__http_body_next(struct zn_http_body *body, const char *in, size_t len,
                           struct zn_slice *data_out)
{
    size_t at = 0;

    *data_out = (struct zn_slice){ in, 0 };
    while (at < len && !body->done) {
        if (body->state == DATA) {
            at += take_data(body, in + at, len - at, data_out);
            break;
        }
        body->state = (uint8_t)step(body, in[at]);
        if (body->state == BAD) {
            return -EPROTO;
        }
        if (body->aside > ASIDE_MAX) {
            body->state = BAD;
            return -EMSGSIZE;
        }
        at++;
    }
    return (ssize_t)at;
}
