// SPDX-License-Identifier: Apache-2.0
// The table of settings and how a value gets into one, see settings.h. Where values come from is
// settings_load.c's.
#include "settings_table.h"

#include "nic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const zn__settings_datapaths[] = { "auto", "epoll", "uring", "dpdk", NULL };
static const char *const overflows[] = { "disconnect", "drop-oldest", "drop-newest", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const formats[] = { "text", "json", NULL };

enum { DAY_MS = 24 * 3600 * 1000 };

#define AT(field) offsetof(struct zn_settings, field)
#define TEXT(n, field, meta, fallback, help)                                                       \
    {                                                                                              \
        n, ZN_KIND_TEXT, AT(field), 0, 0, NULL, meta, fallback, help                               \
    }
#define NUMBER(n, field, min, max, meta, fallback, help)                                           \
    {                                                                                              \
        n, ZN_KIND_NUMBER, AT(field), min, max, NULL, meta, fallback, help                         \
    }
#define BOOL(n, field, fallback, help)                                                             \
    {                                                                                              \
        n, ZN_KIND_BOOL, AT(field), 0, 0, NULL, "yes|no", fallback, help                           \
    }
#define CHOICE(n, field, words, meta, fallback, help)                                              \
    {                                                                                              \
        n, ZN_KIND_CHOICE, AT(field), 0, 0, words, meta, fallback, help                            \
    }

const struct zn_setting zn__settings_table[] = {
    TEXT("config", config, "FILE", NULL, "read settings from FILE, lines of `name = value`"),
    TEXT("host", host, "ADDRESS", NULL, "address to listen on; default: all, IPv4 and IPv6"),
    NUMBER("port", port, 0, 65535, "N", "3000", "port to listen on; 0: any free one"),
    NUMBER("threads", threads, 0, 1024, "N", "0", "reactor threads; 0: one a core"),
    CHOICE("datapath", datapath, zn__settings_datapaths, "NAME", "auto",
           "auto, epoll or uring: how bytes come from the kernel; dpdk: without it"),
    TEXT("device", device, "PORT", "net_tap0",
         "dpdk: port of the environment, its number, or device arguments that make one"),
    TEXT("address", address, "IP[,IP6]", NULL, "dpdk: the addresses that the port answers to"),
    CHOICE(
        "accel", accel, zn__settings_accels, "NAME", "soft",
        "dpdk: soft (the accelerator in software), hw (a core stands behind the port) or sim (Verilated)"),
    BOOL("shared-address", shared_address, "no",
         "dpdk: other programs answer there too: no RST from ports that are not ours"),
    NUMBER("mtu", mtu, 576, 9000, "BYTES", "1500", "dpdk: of the link"),
    NUMBER("busy-poll", busy_poll_us, 0, 1000000, "US", "100",
           "dpdk: an idle loop looks again for so long before it sleeps"),
    TEXT("cert", cert, "FILE", NULL, "TLS certificate chain (PEM); with --key"),
    TEXT("key", key, "FILE", NULL, "TLS private key (PEM); SIGHUP reads both again"),
    TEXT("path", path, "PATH", "/socket.io/", "where Socket.IO is served"),
    { "cors-origin", ZN_KIND_LIST, AT(cors_origin), 0, 0, NULL, "ORIGIN", NULL,
      "origin of other sites' pages, `*` in it stands for anything; repeat for more" },
    BOOL("cors-credentials", cors_credentials, "no", "let those pages send cookies"),
    BOOL("cors-upgrades", cors_upgrades, "no", "refuse WebSocket upgrades from any other origin"),
    NUMBER("max-payload", max_payload, 64, 1 << 30, "BYTES", "1000000", "largest message taken"),
    NUMBER("ping-interval", ping_interval_ms, 100, DAY_MS, "MS", "25000", "between heartbeats"),
    NUMBER("ping-timeout", ping_timeout_ms, 100, DAY_MS, "MS", "20000",
           "a client that does not answer one for so long is gone"),
    NUMBER("upgrade-timeout", upgrade_timeout_ms, 100, DAY_MS, "MS", "10000",
           "for a client to finish its move to WebSocket"),
    NUMBER("connect-timeout", connect_timeout_ms, 100, DAY_MS, "MS", "45000",
           "for a client to join its first namespace"),
    BOOL("deflate", deflate, "no", "offer permessage-deflate"),
    NUMBER("buffer", buffer, 4096, 1ULL << 40, "BYTES", "4m", "output that may wait a connection"),
    CHOICE("overflow", overflow, overflows, "WHAT", "disconnect",
           "when it is full: disconnect, drop-oldest or drop-newest"),
    NUMBER("unfinished", unfinished, 0, 1ULL << 40, "BYTES", "0",
           "incomplete messages on all connections; 0: 1g, or less with little memory"),
    NUMBER("connections", connections, 1, 100000000, "N", "1000000", "most connections a thread"),
    NUMBER("recovery", recovery_ms, 0, DAY_MS, "MS", "0",
           "keep what a client misses while it is away for so long; 0: off"),
    NUMBER("drain-ms", drain_ms, 0, DAY_MS, "MS", "5000",
           "on SIGTERM, wait so long for output to leave"),
    CHOICE("log-level", log_level, levels, "LEVEL", "info", "error, warn, info or debug"),
    CHOICE("log-format", log_format, formats, "FORMAT", "text", "text or json, one line an event"),
    BOOL("demo", demo, "yes", "serve the demo page and its chat rooms at /"),
    BOOL("help", help, "no", "show this list"),
};

const size_t zn__settings_table_len = sizeof zn__settings_table / sizeof zn__settings_table[0];
_Static_assert(sizeof zn__settings_table / sizeof zn__settings_table[0] <= ZN_SETTINGS_MAX,
               "the table is longer than zn_settings.source");

static void *field(struct zn_settings *settings, const struct zn_setting *setting)
{
    return (char *)settings + setting->offset;
}

static int set_text(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

static int set_number(uint64_t *number, const struct zn_setting *setting, const char *value,
                      char *err_out)
{
    static const char suffixes[] = "kmg";
    unsigned long long n;
    unsigned shift = 0;
    const char *suffix;
    char *end;

    errno = 0;
    n = strtoull(value, &end, 10);
    if (value[0] >= '0' && value[0] <= '9' && errno == 0) {
        suffix = *end != '\0' ? strchr(suffixes, *end | 0x20) : NULL;
        if (suffix != NULL && end[1] == '\0') {
            shift = 10 * (unsigned)(suffix - suffixes + 1);
            end++;
        }
        if (*end == '\0' && n <= setting->max >> shift && n << shift >= setting->min) {
            *number = n << shift;
            return 0;
        }
    }
    snprintf(err_out, ZN_SETTINGS_ERR, "takes a number from %llu to %llu, not '%.80s'",
             (unsigned long long)setting->min, (unsigned long long)setting->max, value);
    return -EINVAL;
}

static int set_bool(bool *flag, const char *value, char *err_out)
{
    static const char *const yes[] = { "yes", "true", "on", "1" };
    static const char *const no[] = { "no", "false", "off", "0" };

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *flag = strcmp(value, yes[i]) == 0;
            return 0;
        }
    }
    snprintf(err_out, ZN_SETTINGS_ERR, "takes yes or no, not '%.80s'", value);
    return -EINVAL;
}

static int set_choice(unsigned *choice, const struct zn_setting *setting, const char *value,
                      char *err_out)
{
    int len;

    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(value, setting->choices[i]) == 0) {
            *choice = i;
            return 0;
        }
    }
    len = snprintf(err_out, ZN_SETTINGS_ERR, "takes one of");
    for (unsigned i = 0; setting->choices[i] != NULL; i++)
        len += snprintf(err_out + len, (size_t)(ZN_SETTINGS_ERR - len), "%s %s", i > 0 ? "," : "",
                        setting->choices[i]);
    snprintf(err_out + len, (size_t)(ZN_SETTINGS_ERR - len), "; not '%.80s'", value);
    return -EINVAL;
}

static void texts_clear(struct zn_texts *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        free(texts->list[i]);
    free(texts->list);
    *texts = (struct zn_texts){ 0 };
}

// Adds the words of a list separated by commas or spaces.
static int texts_add(struct zn_texts *texts, const char *value)
{
    static const char separators[] = ", \t";

    for (value += strspn(value, separators); *value != '\0'; value += strspn(value, separators)) {
        size_t len = strcspn(value, separators);
        char **list = realloc(texts->list, (texts->len + 1) * sizeof *list);
        if (list == NULL)
            return -ENOMEM;
        texts->list = list;
        list[texts->len] = strndup(value, len);
        if (list[texts->len] == NULL)
            return -ENOMEM;
        texts->len++;
        value += len;
    }
    return 0;
}

static int set_value(struct zn_settings *settings, const struct zn_setting *setting,
                     const char *value, char *err_out)
{
    void *to = field(settings, setting);

    switch (setting->kind) {
    case ZN_KIND_TEXT:
        return set_text(to, value);
    case ZN_KIND_NUMBER:
        return set_number(to, setting, value, err_out);
    case ZN_KIND_BOOL:
        return set_bool(to, value, err_out);
    case ZN_KIND_CHOICE:
        return set_choice(to, setting, value, err_out);
    case ZN_KIND_LIST:
        return texts_add(to, value);
    }
    return -EINVAL;
}

int zn__settings_set(struct zn_settings *settings, const char *name, const char *value,
                     enum zn_source source, char err_out[ZN_SETTINGS_ERR])
{
    size_t i = 0;
    int err;

    while (i < zn__settings_table_len && strcmp(zn__settings_table[i].name, name) != 0)
        i++;
    if (i == zn__settings_table_len) {
        snprintf(err_out, ZN_SETTINGS_ERR,
                 "there is no such setting; `zapnic serve --help` lists all");
        return -ENOENT;
    }
    if (source < settings->source[i])
        return 0;
    if (zn__settings_table[i].kind == ZN_KIND_LIST && source > settings->source[i])
        texts_clear(field(settings, &zn__settings_table[i]));
    err = set_value(settings, &zn__settings_table[i], value, err_out);
    if (err == -ENOMEM)
        snprintf(err_out, ZN_SETTINGS_ERR, "no memory");
    if (err == 0)
        settings->source[i] = (uint8_t)source;
    return err;
}

int zn__settings_init(struct zn_settings *settings)
{
    char err[ZN_SETTINGS_ERR];

    *settings = (struct zn_settings){ 0 };
    for (size_t i = 0; i < zn__settings_table_len; i++) {
        const struct zn_setting *setting = &zn__settings_table[i];
        if (setting->fallback == NULL)
            continue;
        int rc =
            zn__settings_set(settings, setting->name, setting->fallback, ZN_SOURCE_DEFAULT, err);
        assert(rc == 0 || rc == -ENOMEM);
        if (rc < 0) {
            zn__settings_deinit(settings);
            return rc;
        }
    }
    return 0;
}

void zn__settings_deinit(struct zn_settings *settings)
{
    for (size_t i = 0; i < zn__settings_table_len; i++) {
        void *at = field(settings, &zn__settings_table[i]);
        if (zn__settings_table[i].kind == ZN_KIND_TEXT)
            free(*(char **)at);
        else if (zn__settings_table[i].kind == ZN_KIND_LIST)
            texts_clear(at);
    }
    *settings = (struct zn_settings){ 0 };
}
