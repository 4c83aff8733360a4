// SPDX-License-Identifier: Apache-2.0
// permessage-deflate offers: every parameter, several offers in one header or many, bad ones that
// refuse only themselves, those that are not of the grammar too.
#include "proto/deflate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define PMD "permessage-deflate"

static const struct zn_deflate_config plain = { .enabled = true };

static struct zn_deflate_params params; // of the last negotiation

// Negotiates over one header line a string. Returns the response, NULL for no offer taken.
static const char *negotiate(const struct zn_deflate_config *config, const char *const *lines)
{
    static char out[ZN_DEFLATE_RESPONSE_MAX + 1];
    char head[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
    struct zn_http_req req;
    size_t len;

    for (; *lines; lines++) {
        strcat(strcat(strcat(head, "Sec-WebSocket-Extensions: "), *lines), "\r\n");
    }
    strcat(head, "\r\n");
    zn__http_req_init(&req);
    assert_int_equal(zn__http_req_parse(&req, head, strlen(head)), 0);
    memset(out, '#', sizeof(out));
    memset(&params, 0, sizeof(params));
    len = zn__deflate_negotiate(&req, head, config, &params, out);
    assert_int_equal(out[ZN_DEFLATE_RESPONSE_MAX], '#');
    out[len] = '\0';
    return len > 0 ? out : NULL;
}

#define OFFER(config, ...) negotiate((config), (const char *const[]){ __VA_ARGS__, NULL })

static void check_params(bool server_no_context, bool client_no_context, int server_bits,
                         int client_bits)
{
    assert_int_equal(params.server_no_context_takeover, server_no_context);
    assert_int_equal(params.client_no_context_takeover, client_no_context);
    assert_int_equal(params.server_max_window_bits, server_bits);
    assert_int_equal(params.client_max_window_bits, client_bits);
}

static void offer_plain_accepted(void **state)
{
    (void)state;
    assert_string_equal(OFFER(&plain, PMD), PMD);
    check_params(false, false, 15, 15);
    assert_string_equal(OFFER(&plain, "Permessage-DEFLATE"), PMD);
    assert_string_equal(OFFER(&plain, PMD "; client_max_window_bits"), PMD);
    check_params(false, false, 15, 15);
}

static void offer_none_not_answered(void **state)
{
    (void)state;
    assert_null(negotiate(&plain, (const char *const[]){ NULL }));
    assert_null(OFFER(&plain, ""));
    assert_null(OFFER(&plain, ","));
    assert_null(OFFER(&plain, "x-webkit-deflate-frame, foo; bar=baz; qux=\"1\""));
    assert_null(OFFER(&plain, PMD "x"));
}

static void offer_disabled_not_answered(void **state)
{
    static const struct zn_deflate_config off = { .enabled = false };

    (void)state;
    assert_null(OFFER(&off, PMD));
}

static void offer_no_context_takeover_echoed(void **state)
{
    (void)state;
    assert_string_equal(OFFER(&plain, PMD "; server_no_context_takeover"),
                        PMD "; server_no_context_takeover");
    check_params(true, false, 15, 15);
    assert_string_equal(OFFER(&plain, PMD ";client_no_context_takeover"),
                        PMD "; client_no_context_takeover");
    check_params(false, true, 15, 15);
    assert_string_equal(
        OFFER(&plain, PMD "; client_no_context_takeover; server_no_context_takeover"),
        PMD "; server_no_context_takeover; client_no_context_takeover");
    check_params(true, true, 15, 15);
}

static void offer_windows_echoed(void **state)
{
    char offer[128], want[128];

    (void)state;
    for (int bits = 8; bits <= 15; bits++) {
        snprintf(offer, sizeof(offer), PMD "; server_max_window_bits=%d", bits);
        assert_string_equal(OFFER(&plain, offer), offer);
        check_params(false, false, bits, 15);
        snprintf(offer, sizeof(offer), PMD "; client_max_window_bits=%d", bits);
        snprintf(want, sizeof(want), bits < 15 ? "%s" : PMD, offer);
        assert_string_equal(OFFER(&plain, offer), want);
        check_params(false, false, 15, bits);
    }
}

static void config_limits_are_answered(void **state)
{
    static const struct zn_deflate_config small = {
        .enabled = true,
        .server_no_context_takeover = true,
        .client_no_context_takeover = true,
        .server_max_window_bits = 10,
        .client_max_window_bits = 11,
    };

    (void)state;
    // The client's window may be named only to a client that offered to be told.
    assert_string_equal(OFFER(&small, PMD),
                        PMD "; server_no_context_takeover; client_no_context_takeover; "
                            "server_max_window_bits=10");
    check_params(true, true, 10, 15);
    assert_string_equal(OFFER(&small, PMD "; client_max_window_bits"),
                        PMD "; server_no_context_takeover; client_no_context_takeover; "
                            "server_max_window_bits=10; client_max_window_bits=11");
    check_params(true, true, 10, 11);
    assert_string_equal(OFFER(&small, PMD "; client_max_window_bits=9; server_max_window_bits=12"),
                        PMD "; server_no_context_takeover; client_no_context_takeover; "
                            "server_max_window_bits=10; client_max_window_bits=9");
    check_params(true, true, 10, 9);
    assert_non_null(OFFER(&small, PMD "; server_max_window_bits=8"));
    check_params(true, true, 8, 15);
}

static void offer_bad_parameter_refuses_that_offer(void **state)
{
    static const char *const bad[] = {
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=010",
        "server_max_window_bits=1",
        "server_max_window_bits=10a",
        "server_max_window_bits=+9",
        "server_max_window_bits=\"16\"",
        "server_max_window_bits=\"1\\0\"",
        "server_max_window_bits=99999999999999999999",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=-9",
        "client_max_window_bits=15.0",
        "server_no_context_takeover=1",
        "server_no_context_takeover=true",
        "client_no_context_takeover=\"x\"",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "server_max_window_bits=10; server_max_window_bits=10",
        "constructor",
        "__proto__=1",
        "max_window_bits=10",
        "server_max_window_bits=10; unknown",
    };
    char offer[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(offer, sizeof(offer), PMD "; %s", bad[i]);
        assert_null(OFFER(&plain, offer));
        assert_string_equal(OFFER(&plain, offer, PMD), PMD);
        snprintf(offer, sizeof(offer), PMD "; %s, " PMD "; server_max_window_bits=9", bad[i]);
        assert_string_equal(OFFER(&plain, offer), PMD "; server_max_window_bits=9");
        check_params(false, false, 9, 15);
    }
}

static void offer_first_acceptable_taken(void **state)
{
    (void)state;
    assert_string_equal(OFFER(&plain, PMD "; server_max_window_bits=10, " PMD),
                        PMD "; server_max_window_bits=10");
    check_params(false, false, 10, 15);
    assert_string_equal(
        OFFER(&plain, "foo, bar; a=b", "baz", PMD "; x, " PMD ";server_no_context_takeover," PMD),
        PMD "; server_no_context_takeover");
    check_params(true, false, 15, 15);
    assert_string_equal(OFFER(&plain, PMD, PMD "; server_no_context_takeover"), PMD);
    check_params(false, false, 15, 15);
}

static void offer_spaces_and_quotes_read(void **state)
{
    (void)state;
    assert_string_equal(OFFER(&plain, "\t" PMD " \t;  server_max_window_bits \t= \t 10 \t ,  foo"),
                        PMD "; server_max_window_bits=10");
    assert_string_equal(OFFER(&plain, PMD ";server_max_window_bits=\"10\";"
                                          "client_max_window_bits=\"12\""),
                        PMD "; server_max_window_bits=10; client_max_window_bits=12");
    assert_string_equal(OFFER(&plain, PMD "; SERVER_max_window_bits=11"),
                        PMD "; server_max_window_bits=11");
    assert_string_equal(OFFER(&plain, ", ," PMD ",,"), PMD);
}

static void offer_off_grammar_refuses_itself(void **state)
{
    static const char *const bad[] = {
        ";",
        PMD ";",
        PMD "; ;",
        PMD "; =1",
        PMD "; a=",
        PMD "; a=;b",
        PMD "; a==b",
        PMD "; a=\"\"",
        PMD "; a=\"b c\"",
        PMD "; a=\"b",
        PMD "; a=\"b\\",
        PMD "; a=\"b\"c",
        PMD "; a b",
        PMD " foo",
        PMD "=1",
        "a/b",
        "\"" PMD "\"",
        PMD "; a=b@c",
        "foo; a=\xc3\xa4",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_null(OFFER(&plain, bad[i]));
        assert_string_equal(OFFER(&plain, PMD, bad[i]), PMD);
        assert_string_equal(OFFER(&plain, bad[i], PMD), PMD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offer_plain_accepted),
        cmocka_unit_test(offer_none_not_answered),
        cmocka_unit_test(offer_disabled_not_answered),
        cmocka_unit_test(offer_no_context_takeover_echoed),
        cmocka_unit_test(offer_windows_echoed),
        cmocka_unit_test(config_limits_are_answered),
        cmocka_unit_test(offer_bad_parameter_refuses_that_offer),
        cmocka_unit_test(offer_first_acceptable_taken),
        cmocka_unit_test(offer_spaces_and_quotes_read),
        cmocka_unit_test(offer_off_grammar_refuses_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
