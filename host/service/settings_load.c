// SPDX-License-Identifier: Apache-2.0
// Where settings come from: the command line, the environment, a file. See settings.h.
#include "settings_table.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_FIRST = 256 }; // getopt's value of the first flag

// Puts where a value came from in front of what is wrong with it.
static int blame(char *err_out, int err, const char *where)
{
    char what[ZN_SETTINGS_ERR];

    snprintf(what, sizeof what, "%s", err_out);
    snprintf(err_out, ZN_SETTINGS_ERR, "%.200s: %.300s", where, what);
    return err;
}

static int blame_flag(char *err_out, int err, const char *name)
{
    char where[64];

    snprintf(where, sizeof where, "--%s", name);
    return blame(err_out, err, where);
}

// --- Flags ----------------------------------------------------------------------------------

static int load_flags(struct zn_settings *settings, int argc, char **argv, char *err_out)
{
    struct option options[ZN_SETTINGS_MAX + 1] = { 0 };
    int opt;

    for (size_t i = 0; i < zn__settings_table_len; i++) {
        options[i].name = zn__settings_table[i].name;
        options[i].has_arg =
            zn__settings_table[i].kind == ZN_KIND_BOOL ? optional_argument : required_argument;
        options[i].val = FLAG_FIRST + (int)i;
    }
    optind = 1;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        const char *word = argv[optind - 1];
        const char *name = "help", *value = "yes";
        if (opt >= FLAG_FIRST) {
            name = zn__settings_table[opt - FLAG_FIRST].name;
            value = optarg != NULL ? optarg : "yes";
        } else if (opt == ':') {
            snprintf(err_out, ZN_SETTINGS_ERR, "%.80s: a value must follow", word);
            return -EINVAL;
        } else if (opt != 'h') {
            snprintf(err_out, ZN_SETTINGS_ERR,
                     "%.80s: there is no such flag; `zapnic serve --help` lists all", word);
            return -EINVAL;
        }
        int err = zn__settings_set(settings, name, value, ZN_SOURCE_FLAG, err_out);
        if (err < 0)
            return blame_flag(err_out, err, name);
    }
    if (optind < argc) {
        snprintf(err_out, ZN_SETTINGS_ERR, "'%.80s' is not expected here; flags begin with --",
                 argv[optind]);
        return -EINVAL;
    }
    return 0;
}

// --- Environment ----------------------------------------------------------------------------

static int load_environment(struct zn_settings *settings, char *err_out)
{
    for (size_t i = 0; i < zn__settings_table_len; i++) {
        const char *name = zn__settings_table[i].name, *value;
        char variable[64];
        int len = snprintf(variable, sizeof variable, "ZAPNIC_%s", name);

        for (int at = 0; at < len; at++)
            variable[at] = (char)(variable[at] == '-' ? '_' : toupper((unsigned char)variable[at]));
        value = getenv(variable);
        if (value == NULL || value[0] == '\0')
            continue;
        int err = zn__settings_set(settings, name, value, ZN_SOURCE_ENV, err_out);
        if (err < 0)
            return blame(err_out, err, variable);
    }
    return 0;
}

// --- File -----------------------------------------------------------------------------------

struct file {
    FILE *in;
    struct zn_settings *settings;
    unsigned line;
    bool too_long;
    int err;
    char *err_out;
};

// Counts lines for inih, which does not tell them, and finds those that it would cut in two.
static char *read_line(char *line, int size, void *stream)
{
    struct file *file = stream;

    if (file->err < 0 || file->too_long || fgets(line, size, file->in) == NULL)
        return NULL;
    file->line++;
    file->too_long = strchr(line, '\n') == NULL && !feof(file->in);
    return file->too_long ? NULL : line;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
    struct file *file = user;

    if (file->err < 0)
        return 0;
    if (section[0] != '\0' && strcmp(section, "serve") != 0) {
        snprintf(file->err_out, ZN_SETTINGS_ERR,
                 "there is no section [%.40s]; settings stand in [serve] or in none", section);
        file->err = -EINVAL;
    } else if (strcmp(name, "config") == 0 || strcmp(name, "help") == 0) {
        snprintf(file->err_out, ZN_SETTINGS_ERR, "%s cannot stand in a file", name);
        file->err = -EINVAL;
    } else {
        file->err = zn__settings_set(file->settings, name, value, ZN_SOURCE_FILE, file->err_out);
        if (file->err < 0)
            blame(file->err_out, file->err, name);
    }
    return file->err == 0;
}

static int load_file(struct zn_settings *settings, char *err_out)
{
    const char *name = settings->config;
    struct file file = { .settings = settings, .err_out = err_out };
    char where[300];
    int line;

    file.in = fopen(name, "re");
    if (file.in == NULL) {
        int err = -errno;
        snprintf(err_out, ZN_SETTINGS_ERR, "cannot read the configuration file %.200s: %s", name,
                 strerror(-err));
        return err;
    }
    line = ini_parse_stream(read_line, &file, take_pair, &file);
    fclose(file.in);
    if (file.err == 0 && file.too_long) {
        snprintf(err_out, ZN_SETTINGS_ERR, "the line is too long");
        file.err = -EINVAL;
    } else if (file.err == 0 && line != 0) {
        file.line = line > 0 ? (unsigned)line : file.line;
        snprintf(err_out, ZN_SETTINGS_ERR, "lines look like `name = value`, this one does not");
        file.err = -EINVAL;
    }
    if (file.err == 0)
        return 0;
    snprintf(where, sizeof where, "%.200s:%u", name, file.line);
    return blame(err_out, file.err, where);
}

// --- All of it ------------------------------------------------------------------------------

static int check(const struct zn_settings *settings, char *err_out)
{
    const char *path = settings->path;
    const char *wrong = NULL;

    if ((settings->cert == NULL) != (settings->key == NULL))
        wrong = "--cert and --key go together: give both for TLS, or neither";
    else if (path[0] != '/' || strlen(path) > 200 || path[strcspn(path, "?# \t\"<>&")] != '\0')
        wrong = "--path takes a path such as /socket.io/";
    else if (strcmp(path, "/") == 0 && settings->demo)
        wrong = "--path / leaves no place for the demo page; add --demo=no";
    else if (settings->cors_upgrades && settings->cors_origin.len == 0)
        wrong = "--cors-upgrades needs at least one --cors-origin";
    if (wrong == NULL)
        return 0;
    snprintf(err_out, ZN_SETTINGS_ERR, "%s", wrong);
    return -EINVAL;
}

int zn__settings_load(struct zn_settings *settings, int argc, char **argv,
                      char err_out[ZN_SETTINGS_ERR])
{
    int err = load_flags(settings, argc, argv, err_out);

    if (err < 0 || settings->help)
        return err;
    err = load_environment(settings, err_out);
    if (err == 0 && settings->config != NULL)
        err = load_file(settings, err_out);
    return err < 0 ? err : check(settings, err_out);
}

void zn__settings_help(FILE *out)
{
    for (size_t i = 0; i < zn__settings_table_len; i++) {
        const struct zn_setting *setting = &zn__settings_table[i];
        char flag[64];
        bool is_bool = setting->kind == ZN_KIND_BOOL;

        snprintf(flag, sizeof flag, is_bool ? "--%s[=%s]" : "--%s %s", setting->name,
                 setting->metavar);
        fprintf(out, "  %-26s %s", flag, setting->help);
        if (setting->fallback != NULL && strcmp(setting->name, "help") != 0)
            fprintf(out, " (%s)", setting->fallback);
        fputc('\n', out);
    }
}
