// SPDX-License-Identifier: Apache-2.0
// A handshake as JSON, the way the reference shows it to applications.
#include "conform.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes one part of a query; NULL: no memory, or not UTF-8.
static json_t *decoded(const char *p, const char *end)
{
    char *text = malloc((size_t)(end - p) + 1);
    size_t len = 0;

    if (text == NULL)
        return NULL;
    for (; p < end; p++) {
        if (*p == '%' && end - p > 2 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
            text[len++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
            p += 2;
        } else {
            text[len++] = *p == '+' ? ' ' : *p;
        }
    }
    json_t *value = json_stringn(text, len);
    free(text);
    return value;
}

// A name that comes more than once has an array of its values.
static void query_add(json_t *query, json_t *name, json_t *value)
{
    const char *key = json_string_value(name);
    json_t *old;

    if (key == NULL || value == NULL) {
        json_decref(value);
        return;
    }
    old = json_object_get(query, key);
    if (old == NULL) {
        json_object_set_new(query, key, value);
        return;
    }
    if (!json_is_array(old)) {
        json_t *list = json_array();
        json_array_append(list, old);
        json_object_set_new(query, key, list);
        old = list;
    }
    json_array_append_new(old, value);
}

static json_t *query_parse(const char *p)
{
    json_t *query = json_object();

    while (*p != '\0') {
        const char *end = p + strcspn(p, "&");
        const char *equals = memchr(p, '=', (size_t)(end - p));
        if (end > p) {
            json_t *name = decoded(p, equals != NULL ? equals : end);
            query_add(query, name, decoded(equals != NULL ? equals + 1 : end, end));
            json_decref(name);
        }
        p = *end == '&' ? end + 1 : end;
    }
    return query;
}

bool conform_query_has(const struct zn_handshake *handshake, const char *name)
{
    json_t *query = query_parse(handshake->query);
    bool found = json_object_get(query, name) != NULL;

    json_decref(query);
    return found;
}

// Text of a JSON value, which is let go.
static char *text_of(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(value);
    return text;
}

char *conform_handshake_json(const struct zn_handshake *h)
{
    char *query = text_of(query_parse(h->query));
    char *url = text_of(json_string(h->url));
    time_t seconds = (time_t)(h->issued_ms / 1000);
    struct tm tm;
    char date[64], *out = NULL;

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", &tm);
    if (query != NULL && url != NULL &&
        asprintf(&out,
                 "{\"headers\":%s,\"time\":\"%s\",\"address\":\"%s\",\"xdomain\":%s,\"secure\":%s,"
                 "\"issued\":%llu,\"url\":%s,\"query\":%s,\"auth\":%s}",
                 h->headers, date, h->address, h->xdomain ? "true" : "false",
                 h->secure ? "true" : "false", (unsigned long long)h->issued_ms, url, query,
                 h->auth != NULL ? h->auth : "{}") < 0)
        out = NULL;
    free(query);
    free(url);
    return out;
}
