// SPDX-License-Identifier: Apache-2.0
// One line an event on a stream, as text for people or as JSON for collectors. Whatever stands in
// an event's fields, it stays one line.
//
// Thread: any, once init has returned.
#ifndef ZN_SERVICE_LOG_H
#define ZN_SERVICE_LOG_H

#include <zapnic/zapnic.h>

#include <stdio.h>

enum zn_log_format { ZN_LOG_TEXT, ZN_LOG_JSON };

struct zn_log {
    FILE *out;
    enum zn_log_level level; // lesser events are left out
    enum zn_log_format format;
};

void zn__log_init(struct zn_log *log, FILE *out, enum zn_log_level level,
                  enum zn_log_format format);

// Writes one event. `fields`: a JSON object or NULL. Has the type of zn_log_fn; `user` is the log.
void zn__log_event(enum zn_log_level level, const char *event, const char *fields, void *user);

// The same with fields as for json_pack(), such as "{s:s}". No memory: the event without them.
void zn__log_pack(struct zn_log *log, enum zn_log_level level, const char *event,
                  const char *format, ...);

#endif
