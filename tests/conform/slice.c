// SPDX-License-Identifier: Apache-2.0
// Slices of JSON text, see slice.h.
#include "slice.h"

#include <string.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct js trim(const char *p, const char *end)
{
    while (p < end && blank(*p))
        p++;
    while (end > p && blank(end[-1]))
        end--;
    return (struct js){ p, (size_t)(end - p) };
}

// `p` is at the opening quote; returns the closing one, or `end`.
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p;
}

// The first `stop` or closing bracket outside of strings and brackets, or `end`.
static const char *value_end(const char *p, const char *end, char stop)
{
    size_t depth = 0;

    for (; p < end; p++) {
        if (*p == '"') {
            p = string_end(p, end);
            if (p == end)
                return end;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            if (depth == 0)
                return p;
            depth--;
        } else if (*p == stop && depth == 0) {
            return p;
        }
    }
    return end;
}

bool js_nth(struct js values, unsigned n, struct js *out)
{
    const char *p = values.p, *end = values.p + values.len;

    for (;; n--) {
        const char *stop = value_end(p, end, ',');
        if (n == 0) {
            *out = trim(p, stop);
            return out->len > 0;
        }
        if (stop == end || *stop != ',')
            return false;
        p = stop + 1;
    }
}

bool js_arg(const struct zn_args *args, unsigned n, struct js *out)
{
    return js_nth((struct js){ args->json, args->json_len }, n, out);
}

static struct js between(struct js value, char open)
{
    if (value.len < 2 || value.p[0] != open)
        return (struct js){ value.p, 0 };
    return (struct js){ value.p + 1, value.len - 2 };
}

bool js_get(struct js object, const char *key, struct js *out)
{
    struct js inside = between(object, '{'), member;
    size_t key_len = strlen(key);

    for (unsigned i = 0; js_nth(inside, i, &member); i++) {
        const char *end = member.p + member.len;
        const char *colon = value_end(member.p, end, ':');
        struct js name = trim(member.p, colon);
        if (colon < end && name.len == key_len + 2 && memcmp(name.p + 1, key, key_len) == 0) {
            *out = trim(colon + 1, end);
            return out->len > 0;
        }
    }
    return false;
}

struct js js_inside(struct js array)
{
    return between(array, '[');
}

bool js_is(struct js value, const char *text)
{
    return value.len == strlen(text) && memcmp(value.p, text, value.len) == 0;
}

bool js_is_binary(const struct zn_args *args, unsigned n)
{
    struct js arg, mark;

    return args->bin_len > 0 && js_arg(args, n, &arg) && js_get(arg, "_placeholder", &mark) &&
           js_is(mark, "true");
}
