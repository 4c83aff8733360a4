// SPDX-License-Identifier: Apache-2.0
// build/zapnic: finds the sub-command and hands over.
#include "serve.h"
#include "xdp.h"

#include <zapnic/zapnic.h>

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

static int print_help(int argc, char **argv);
static int print_version(int argc, char **argv);

static const struct command commands[] = {
    { "serve", zn__serve, "run a Socket.IO server with the demo's chat rooms" },
    { "xdp", zn__xdp, "share an interface between the kernel and a server on AF_XDP" },
    { "help", print_help, "show this list" },
    { "version", print_version, "print the version" },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *out)
{
    fputs("usage: zapnic COMMAND [flags]\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\n`zapnic COMMAND --help` tells more.\n", out);
}

static int print_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    usage(stdout);
    return 0;
}

static int print_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("zapnic %s\n", zn_version());
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    // --help and --version are commands written as flags.
    if (strcmp(name, "-h") == 0)
        name = "help";
    else if (strncmp(name, "--", 2) == 0)
        name += 2;
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (argc > 1)
        fprintf(stderr, "zapnic: there is no command '%s'\n", argv[1]);
    usage(stderr);
    return 2;
}
