// SPDX-License-Identifier: Apache-2.0
// RFC 7692 permessage-deflate: offers and the response to them, see deflate.h.
#include "deflate.h"
#include "http1_chars.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum {
    WINDOW_BITS_MIN = 8,
    WINDOW_BITS_MAX = 15,
};

enum offer_param {
    SERVER_NO_CONTEXT = 1 << 0,
    CLIENT_NO_CONTEXT = 1 << 1,
    SERVER_WINDOW = 1 << 2,
    CLIENT_WINDOW = 1 << 3,
};

struct offer {
    uint8_t seen; // enum offer_param bits
    uint8_t server_window;
    uint8_t client_window;
    bool refused;
};

static const struct {
    struct zn_slice name;
    enum offer_param bit;
} offer_params[] = {
    { { "server_no_context_takeover", 26 }, SERVER_NO_CONTEXT },
    { { "client_no_context_takeover", 26 }, CLIENT_NO_CONTEXT },
    { { "server_max_window_bits", 22 }, SERVER_WINDOW },
    { { "client_max_window_bits", 22 }, CLIENT_WINDOW },
};

static void skip_space(struct zn_slice *s)
{
    while (s->len > 0 && zn__http_is_blank(*s->p)) {
        s->p++;
        s->len--;
    }
}

static bool take_char(struct zn_slice *s, char c)
{
    if (s->len == 0 || *s->p != c)
        return false;
    s->p++;
    s->len--;
    return true;
}

static bool take_token(struct zn_slice *s, struct zn_slice *token)
{
    size_t n = 0;

    while (n < s->len && zn__http_is(s->p[n], ZN_HTTP_TOKEN))
        n++;
    *token = (struct zn_slice){ s->p, n };
    s->p += n;
    s->len -= n;
    return n > 0;
}

// The text between quotes, with its escapes still in it; without them it has to be a token
// (RFC 6455 section 9.1). No value that is known here needs an escape, so one refuses its offer.
static bool take_quoted(struct zn_slice *s, struct zn_slice *value)
{
    size_t n = 0, chars = 0;

    while (n < s->len && s->p[n] != '"') {
        if (s->p[n] == '\\')
            n++;
        if (n == s->len || !zn__http_is(s->p[n], ZN_HTTP_TOKEN))
            return false;
        n++;
        chars++;
    }
    *value = (struct zn_slice){ s->p, n };
    s->p += n;
    s->len -= n;
    return chars > 0 && take_char(s, '"');
}

// Reads `; name [= value]`. value->p is NULL when there is none. 0 or -EPROTO.
static int take_param(struct zn_slice *s, struct zn_slice *name, struct zn_slice *value)
{
    *value = (struct zn_slice){ NULL, 0 };
    if (!take_char(s, ';'))
        return -EPROTO;
    skip_space(s);
    if (!take_token(s, name))
        return -EPROTO;
    skip_space(s);
    if (take_char(s, '=')) {
        skip_space(s);
        if (take_char(s, '"') ? !take_quoted(s, value) : !take_token(s, value))
            return -EPROTO;
        skip_space(s);
    }
    return 0;
}

// 8..15 in decimal without leading zeros, else 0 (section 7.1.2).
static uint8_t window_bits_parse(struct zn_slice value)
{
    if (value.len == 1 && (value.p[0] == '8' || value.p[0] == '9'))
        return (uint8_t)(value.p[0] - '0');
    if (value.len == 2 && value.p[0] == '1' && value.p[1] >= '0' && value.p[1] <= '5')
        return (uint8_t)(10 + value.p[1] - '0');
    return 0;
}

static void offer_add(struct offer *offer, struct zn_slice name, struct zn_slice value)
{
    enum offer_param bit = 0;

    for (size_t i = 0; i < sizeof(offer_params) / sizeof(offer_params[0]); i++) {
        if (zn__slice_ieq(name, offer_params[i].name))
            bit = offer_params[i].bit;
    }
    if (bit == 0 || (offer->seen & bit)) {
        offer->refused = true;
        return;
    }
    offer->seen |= (uint8_t)bit;
    switch (bit) {
    case SERVER_NO_CONTEXT:
    case CLIENT_NO_CONTEXT:
        offer->refused |= value.p != NULL;
        break;
    case SERVER_WINDOW:
        offer->server_window = window_bits_parse(value);
        offer->refused |= offer->server_window == 0;
        break;
    case CLIENT_WINDOW:
        offer->client_window = value.p ? window_bits_parse(value) : WINDOW_BITS_MAX;
        offer->refused |= offer->client_window == 0;
        break;
    }
}

// Reads one element of the list. Returns -EPROTO when it is not of the grammar, 1 when it
// is an offer of permessage-deflate that can be kept, 0 for anything else.
static int offer_parse(struct zn_slice element, struct offer *offer)
{
    struct zn_slice name, value;

    *offer = (struct offer){ 0 };
    if (!take_token(&element, &name))
        return -EPROTO;
    offer->refused = !zn__slice_ieq(name, ZN_SLICE("permessage-deflate"));
    skip_space(&element);
    while (element.len > 0) {
        if (take_param(&element, &name, &value) < 0)
            return -EPROTO;
        if (!offer->refused)
            offer_add(offer, name, value);
    }
    return !offer->refused;
}

static uint8_t window_bits_min(uint8_t offered, uint8_t ours)
{
    assert(ours == 0 || (ours >= WINDOW_BITS_MIN && ours <= WINDOW_BITS_MAX));
    if (offered == 0)
        offered = WINDOW_BITS_MAX;
    return ours != 0 && ours < offered ? ours : offered;
}

static void params_choose(const struct offer *offer, const struct zn_deflate_config *config,
                          struct zn_deflate_params *params)
{
    bool can_ask = offer->seen & CLIENT_WINDOW;

    *params = (struct zn_deflate_params){
        .server_no_context_takeover =
            config->server_no_context_takeover || (offer->seen & SERVER_NO_CONTEXT),
        .client_no_context_takeover =
            config->client_no_context_takeover || (offer->seen & CLIENT_NO_CONTEXT),
        .server_max_window_bits =
            window_bits_min(offer->server_window, config->server_max_window_bits),
        .client_max_window_bits =
            can_ask ? window_bits_min(offer->client_window, config->client_max_window_bits)
                    : WINDOW_BITS_MAX,
    };
}

// The response names every limit that the client has to know or asked to see (section 7.1):
// a server window that was offered must be answered, the client's may only be then.
static size_t response_write(const struct zn_deflate_params *params, uint8_t seen,
                             char out[ZN_DEFLATE_RESPONSE_MAX])
{
    char server[32] = "", client[32] = "";
    int len;

    if ((seen & SERVER_WINDOW) || params->server_max_window_bits < WINDOW_BITS_MAX)
        snprintf(server, sizeof(server), "; server_max_window_bits=%u",
                 params->server_max_window_bits);
    if (params->client_max_window_bits < WINDOW_BITS_MAX)
        snprintf(client, sizeof(client), "; client_max_window_bits=%u",
                 params->client_max_window_bits);
    len = snprintf(out, ZN_DEFLATE_RESPONSE_MAX, "permessage-deflate%s%s%s%s",
                   params->server_no_context_takeover ? "; server_no_context_takeover" : "",
                   params->client_no_context_takeover ? "; client_no_context_takeover" : "", server,
                   client);
    assert(len > 0 && len < ZN_DEFLATE_RESPONSE_MAX);
    return (size_t)len;
}

size_t zn__deflate_negotiate(const struct zn_http_req *req, const char *head,
                             const struct zn_deflate_config *config,
                             struct zn_deflate_params *params_out,
                             char out[ZN_DEFLATE_RESPONSE_MAX])
{
    struct zn_slice element;
    struct offer offer;
    uint32_t cursor = 0;
    size_t len = 0;

    if (!config->enabled)
        return 0;
    while (zn__http_list_next(req, head, ZN_SLICE("sec-websocket-extensions"), &cursor, &element)) {
        if (len > 0 || offer_parse(element, &offer) <= 0)
            continue;
        params_choose(&offer, config, params_out);
        len = response_write(params_out, offer.seen, out);
    }
    return len;
}
