// SPDX-License-Identifier: Apache-2.0
// See field.h.
#include "field.h"

#include <ctype.h>
#include <string.h>

char *field_of(const char *line, int field)
{
    for (; field > 0; field--) {
        line = strchr(line, '|');
        if (!line)
            return NULL;
        line++;
    }
    while (isblank((unsigned char)*line))
        line++;
    size_t len = strcspn(line, "|\n");
    while (len > 0 && isblank((unsigned char)line[len - 1]))
        len--;
    return strndup(line, len);
}
