// SPDX-License-Identifier: Apache-2.0
// See describe.h.
#include "describe.h"

#include "proto/http1.h"
#include "proto/json.h"
#include "proto/utf8.h"

#include <stdio.h>
#include <time.h>

static int add(struct zn_buffer **out, const char *text)
{
    return zn__buffer_add(out, text, strlen(text));
}

int zn__describe_text(struct zn_slice text, struct zn_buffer **out)
{
    size_t cap = text.len * 6 + 2;
    if (zn__buffer_room(out, cap + text.len * 2) < 0)
        return -ENOMEM;
    struct zn_buffer *buffer = *out;
    char *at = (char *)buffer->data + buffer->len;
    if (!zn__utf8_valid(text.p, text.len)) {
        char *wide = at + cap;
        size_t len = 0;
        for (size_t i = 0; i < text.len; i++) {
            unsigned char c = (unsigned char)text.p[i];
            if (c >= 0x80) {
                wide[len++] = (char)(0xc0 | c >> 6);
                c = 0x80 | (c & 0x3f);
            }
            wide[len++] = (char)c;
        }
        text = (struct zn_slice){ wide, len };
    }
    ssize_t n = zn__json_quote(text, at, cap);
    buffer->len += n > 0 ? (size_t)n : 0;
    return 0;
}

// One name or value of a query as a JSON string; as it stands when it is badly escaped.
static int add_decoded(struct zn_buffer **out, struct zn_slice in)
{
    char *text = malloc(in.len > 0 ? in.len : 1);
    if (text == NULL)
        return -ENOMEM;
    ssize_t len = zn__http_unescape(in, true, text, in.len);
    int err = zn__describe_text(len < 0 ? in : (struct zn_slice){ text, (size_t)len }, out);
    free(text);
    return err;
}

int zn__describe_query(const char *query, struct zn_buffer **out)
{
    int err = add(out, "{");
    bool first = true;
    while (err == 0 && *query != '\0') {
        size_t len = strcspn(query, "&");
        const char *equals = memchr(query, '=', len);
        size_t name_len = equals != NULL ? (size_t)(equals - query) : len;
        size_t value_len = equals != NULL ? len - name_len - 1 : 0;
        if (len > 0) {
            err = first ? 0 : add(out, ",");
            err = err < 0 ? err : add_decoded(out, (struct zn_slice){ query, name_len });
            err = err < 0 ? err : add(out, ":");
            err = err < 0 ? err
                          : add_decoded(out, (struct zn_slice){ equals != NULL ? equals + 1 : "",
                                                                value_len });
            first = false;
        }
        query += len;
        if (*query == '&')
            query++;
    }
    return err < 0 ? err : add(out, "}");
}

// The time as Date.prototype.toString() has it, in UTC.
static void time_text(uint64_t ms, char out[80])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(out, 80, "%.3s %.3s %02d %04d %02d:%02d:%02d GMT+0000 (Coordinated Universal Time)",
             days + 3 * tm.tm_wday, months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_year + 1900,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int zn__describe_handshake(const struct zn_socket *socket, struct zn_buffer **out)
{
    struct zn_handshake shake;
    char when[80], flags[240];
    zn_socket_handshake(socket, &shake);
    time_text(shake.issued_ms, when);
    snprintf(flags, sizeof(flags),
             ",\"time\":\"%s\",\"address\":\"%s\",\"xdomain\":%s,"
             "\"secure\":%s,\"issued\":%llu,\"url\":",
             when, shake.address, shake.xdomain ? "true" : "false", shake.secure ? "true" : "false",
             (unsigned long long)shake.issued_ms);
    int err = add(out, "{\"headers\":");
    err = err < 0 ? err : add(out, shake.headers);
    err = err < 0 ? err : add(out, flags);
    err = err < 0 ? err : zn__describe_text((struct zn_slice){ shake.url, strlen(shake.url) }, out);
    err = err < 0 ? err : add(out, ",\"query\":");
    err = err < 0 ? err : zn__describe_query(shake.query, out);
    err = err < 0 ? err : add(out, ",\"auth\":");
    err = err < 0 ? err : add(out, shake.auth);
    return err < 0 ? err : add(out, "}");
}
