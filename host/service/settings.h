// SPDX-License-Identifier: Apache-2.0
// The settings of `zapnic serve`, from four places: flags, environment, configuration file,
// defaults. A place further in front wins, whatever the order in which they are read.
//
// Thread: the main thread, before the server runs. The struct owns its strings.
#ifndef ZN_SERVICE_SETTINGS_H
#define ZN_SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum zn_source { ZN_SOURCE_DEFAULT, ZN_SOURCE_FILE, ZN_SOURCE_ENV, ZN_SOURCE_FLAG };

enum { ZN_SETTINGS_MAX = 40, ZN_SETTINGS_ERR = 512 };

struct zn_texts {
    char **list;
    size_t len;
};

struct zn_settings {
    char *config;
    char *host;
    uint64_t port;
    uint64_t threads;
    unsigned datapath; // of zn__settings_datapaths
    char *device, *address;
    unsigned accel; // of zn__settings_accels
    uint64_t mtu, busy_poll_us;
    bool shared_address;
    char *cert, *key;
    char *path;
    struct zn_texts cors_origin;
    bool cors_credentials;
    bool cors_upgrades;
    uint64_t max_payload;
    uint64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms, connect_timeout_ms;
    bool deflate;
    uint64_t buffer;
    uint64_t unfinished;
    unsigned overflow; // enum zn_overflow
    uint64_t connections;
    uint64_t recovery_ms;
    uint64_t drain_ms;
    unsigned log_level;  // enum zn_log_level
    unsigned log_format; // enum zn_log_format
    bool demo;
    bool help;
    uint8_t source[ZN_SETTINGS_MAX]; // where each setting comes from
};

extern const char *const zn__settings_datapaths[]; // NULL-terminated

int zn__settings_init(struct zn_settings *settings); // all defaults. 0 or -ENOMEM
void zn__settings_deinit(struct zn_settings *settings);

// Sets one by its long name. A place behind the one that set it before changes nothing; lists grow
// within one place. 0, or -ENOENT (no such setting), -EINVAL, -ENOMEM with a sentence for the user
// in err_out.
int zn__settings_set(struct zn_settings *settings, const char *name, const char *value,
                     enum zn_source source, char err_out[ZN_SETTINGS_ERR]);

// Reads everything: argv (argv[0] is the sub-command), ZAPNIC_* of the environment and the
// file that they name. 0, or negative errno with a sentence in err_out.
int zn__settings_load(struct zn_settings *settings, int argc, char **argv,
                      char err_out[ZN_SETTINGS_ERR]);

// The flags as a table for --help.
void zn__settings_help(FILE *out);

#endif
