// SPDX-License-Identifier: Apache-2.0
// What people may type, see demo_text.h.
#include "demo_text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The code point at `p` of valid UTF-8, and its length.
static uint32_t decode(const unsigned char *p, size_t left, size_t *len_out)
{
    static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t code;

    if (len > left)
        len = left;
    code = p[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (p[i] & 0x3f);
    *len_out = len;
    return code;
}

static bool allowed(uint32_t code, bool lines)
{
    if (code < 0x20)
        return lines && (code == '\n' || code == '\t');
    return !(code >= 0x7f && code < 0xa0) &&      // DEL and C1 controls
           code != 0x2028 && code != 0x2029 &&    // line and paragraph separators
           !(code >= 0x202a && code <= 0x202e) && // bidirectional embeddings and overrides
           !(code >= 0x2066 && code <= 0x2069);   // bidirectional isolates
}

int zn__demo_text(const char *text, size_t len, unsigned chars_max, bool lines, char *out)
{
    unsigned chars = 0;
    size_t step;

    for (; len > 0 && blank(*text); len--)
        text++;
    while (len > 0 && blank(text[len - 1]))
        len--;
    if (len == 0)
        return -ENODATA;
    for (size_t i = 0; i < len; i += step) {
        if (!allowed(decode((const unsigned char *)text + i, len - i, &step), lines))
            return -EINVAL;
        if (++chars > chars_max)
            return -EMSGSIZE;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return (int)len;
}
