// SPDX-License-Identifier: Apache-2.0
// The conformance server: a program on libzapnic's public header that strangers' suites and clients
// are pointed at. Each contract puts its own handlers on one server.
//
// Thread: set-up on the main thread, handlers on the reactors'.
#ifndef CONFORM_H
#define CONFORM_H

#include <zapnic/zapnic.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum contract {
    CONTRACT_ECHO, // the default
    CONTRACT_CLIENT,
    CONTRACT_REMOTE,
    CONTRACT_BENCH_ECHO,
    CONTRACT_BENCH_BCAST,
};

struct conform {
    enum contract contract;
    struct zn_server_options server_options;
    struct zn_io_options io;
    struct zn_deflate_options deflate; // of the plain WebSocket endpoints
    const char *host;
    uint16_t port;
    bool quiet;
    bool verbose;
    struct zn_server *server;
    struct zn_ws_endpoint *ws;
};

// Fills *conform from the command line. 0; 1: done (help was printed); -EINVAL: told on stderr.
int conform_parse(int argc, char **argv, struct conform *conform);

// Put a contract's handlers on conform->server. 0 or negative errno.
int conform_echo(struct conform *conform);
int conform_client(struct conform *conform);
int conform_remote(struct conform *conform);
int conform_bench(struct conform *conform);

// What a handshake is in JSON: headers, time, address, xdomain, secure, issued, url, query, auth.
// The caller frees it; NULL: no memory.
char *conform_handshake_json(const struct zn_handshake *handshake);

// Whether the handshake's query has a parameter of this name.
bool conform_query_has(const struct zn_handshake *handshake, const char *name);

// --- nic.c: `--datapath dpdk`. 0, or negative errno after a message on stderr.
int conform_nic_open(const struct conform *conform);

#endif
