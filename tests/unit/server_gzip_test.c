// SPDX-License-Identifier: Apache-2.0
// Long polling answers: compressed for clients that take gzip, whole for the others.
#include "mem_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { TEXT_LEN = 5000 };

// Two packets of letters.
static int text_at(int i)
{
    return i == TEXT_LEN / 2 ? '\x1e' : i == TEXT_LEN / 2 + 1 ? '4' : 'a' + i % 26;
}

// Posts "4" and TEXT_LEN characters in packets of two, polls with `headers`, and returns the
// answer.
static const char *answer(struct mem_server *mem, const char *headers, size_t *len_out)
{
    static char post[TEXT_LEN * 2];
    char poll[512], sid[21];
    struct zn_mem_peer *peer = mem_server_connect(mem);
    const char open[] = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n";
    mem_server_say(mem, peer, open, sizeof(open) - 1);
    const char *at = strstr(mem_server_hear(peer, NULL), "{\"sid\":\"");
    assert_non_null(at);
    memcpy(sid, at + 8, 20);
    sid[20] = '\0';
    int n = sprintf(post,
                    "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n"
                    "Content-Length: %d\r\n\r\n4",
                    sid, TEXT_LEN + 1);
    for (int i = 0; i < TEXT_LEN; i++)
        post[n++] = (char)text_at(i);
    mem_server_say(mem, peer, post, (size_t)n);
    mem_server_hear(peer, NULL);
    n = sprintf(poll,
                "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n%s\r\n", sid,
                headers);
    mem_server_say(mem, peer, poll, (size_t)n);
    const char *got = mem_server_hear(peer, len_out);
    zn_dp_mem_free(peer);
    mem_server_settle(mem);
    return got;
}

static void check_text(const char *text, size_t len)
{
    assert_int_equal(len, TEXT_LEN + 1);
    assert_int_equal(text[0], '4');
    for (int i = 0; i < TEXT_LEN; i++)
        assert_int_equal(text[i + 1], text_at(i));
}

static void answer_with_gzip_inflates_to_the_payload(void **state)
{
    struct mem_server mem;
    uint8_t text[TEXT_LEN * 2];
    size_t len;
    (void)state;
    mem_server_start(&mem, NULL);
    const char *got = answer(&mem, "Accept-Encoding: br, gzip; q=0.5\r\n", &len);
    assert_non_null(strstr(got, "\r\nContent-Encoding: gzip\r\n"));
    const char *body = strstr(got, "\r\n\r\n") + 4;
    size_t body_len = (size_t)(got + len - body);
    assert_int_equal(atoi(strstr(got, "Content-Length: ") + 16), body_len);
    z_stream z = { .next_in = (uint8_t *)body,
                   .avail_in = (uInt)body_len,
                   .next_out = text,
                   .avail_out = sizeof(text) };
    assert_int_equal(inflateInit2(&z, 31), Z_OK); // gzip only: checks length and CRC
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    check_text((const char *)text, z.total_out);
    inflateEnd(&z);
    mem_server_stop(&mem);
}

static void answer_without_gzip_is_the_payload(void **state)
{
    struct mem_server mem;
    size_t len;
    (void)state;
    mem_server_start(&mem, NULL);
    static const char *const headers[] = { "", "Accept-Encoding: br, gzippy\r\n",
                                           "Accept-Encoding: gzip;q=0\r\n",
                                           "Accept-Encoding: gzip ; q=0.0\r\n" };
    for (unsigned i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        const char *got = answer(&mem, headers[i], &len);
        assert_null(strstr(got, "Content-Encoding"));
        const char *body = strstr(got, "\r\n\r\n") + 4;
        check_text(body, (size_t)(got + len - body));
    }
    mem_server_stop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_with_gzip_inflates_to_the_payload),
        cmocka_unit_test(answer_without_gzip_is_the_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
