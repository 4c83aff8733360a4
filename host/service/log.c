// SPDX-License-Identifier: Apache-2.0
// Log lines, see log.h. Every field goes through the JSON encoder, so that line ends and control
// characters of strangers cannot make lines of their own.
#include "log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STAMP_LEN = 32 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void zn__log_init(struct zn_log *log, FILE *out, enum zn_log_level level, enum zn_log_format format)
{
    *log = (struct zn_log){ .out = out, .level = level, .format = format };
}

static void stamp(char out[STAMP_LEN])
{
    struct timespec now;
    struct tm tm;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    len = strftime(out, STAMP_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, STAMP_LEN - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

// Words stand as they are; anything else is quoted as JSON does it.
static bool is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"=\\", *p) != NULL)
            return false;
    return text[0] != '\0';
}

static void write_text(FILE *out, const json_t *fields)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)fields, key, value)
    {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        const char *plain = json_string_value(value);
        fprintf(out, " %s=", key);
        if (plain != NULL && is_plain(plain))
            fputs(plain, out);
        else if (text != NULL)
            fputs(text, out);
        free(text);
    }
}

static void write_json(FILE *out, const char *time, const char *level, const char *event,
                       json_t *fields)
{
    json_t *line = json_pack("{s:s,s:s,s:s}", "time", time, "level", level, "event", event);
    char *text;

    if (fields != NULL)
        json_object_update_missing(line, fields);
    text = json_dumps(line, JSON_COMPACT);
    if (text != NULL)
        fputs(text, out);
    free(text);
    json_decref(line);
}

static void write_line(struct zn_log *log, enum zn_log_level level, const char *event,
                       json_t *fields)
{
    char time[STAMP_LEN];

    stamp(time);
    flockfile(log->out);
    if (log->format == ZN_LOG_JSON) {
        write_json(log->out, time, level_names[level], event, fields);
    } else {
        fprintf(log->out, "%s %-5s %s", time, level_names[level], event);
        write_text(log->out, fields);
    }
    fputc('\n', log->out);
    fflush(log->out);
    funlockfile(log->out);
}

void zn__log_event(enum zn_log_level level, const char *event, const char *fields, void *user)
{
    struct zn_log *log = user;
    json_t *parsed = NULL;

    if (level > log->level)
        return;
    if (fields != NULL) {
        parsed = json_loads(fields, 0, NULL);
        if (!json_is_object(parsed)) {
            json_decref(parsed);
            parsed = json_pack("{s:s}", "fields", fields);
        }
    }
    write_line(log, level, event, parsed);
    json_decref(parsed);
}

void zn__log_pack(struct zn_log *log, enum zn_log_level level, const char *event,
                  const char *format, ...)
{
    json_t *fields;
    va_list list;

    if (level > log->level)
        return;
    va_start(list, format);
    fields = json_vpack_ex(NULL, 0, format, list);
    va_end(list);
    write_line(log, level, event, fields);
    json_decref(fields);
}
