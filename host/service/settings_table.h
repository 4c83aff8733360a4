// SPDX-License-Identifier: Apache-2.0
// One row for each setting: flag, environment variable, line of the file and line of --help in one.
#ifndef ZN_SERVICE_SETTINGS_TABLE_H
#define ZN_SERVICE_SETTINGS_TABLE_H

#include "settings.h"

enum zn_kind {
    ZN_KIND_TEXT,   // char *
    ZN_KIND_NUMBER, // uint64_t; may end in k, m or g
    ZN_KIND_BOOL,   // bool
    ZN_KIND_CHOICE, // unsigned: index of a word
    ZN_KIND_LIST,   // struct zn_texts
};

struct zn_setting {
    const char *name; // "ping-interval": --ping-interval, ZAPNIC_PING_INTERVAL, ping-interval =
    enum zn_kind kind;
    size_t offset;              // in struct zn_settings
    uint64_t min, max;          // of a number
    const char *const *choices; // NULL-terminated
    const char *metavar;
    const char *fallback; // NULL: none
    const char *help;
};

extern const struct zn_setting zn__settings_table[];
extern const size_t zn__settings_table_len;

#endif
