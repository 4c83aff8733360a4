// SPDX-License-Identifier: Apache-2.0
// What the bytes of one connection mean: the contract between client.c (sockets) and conn.c
// (protocol).
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include "client.h"

// TCP is connected: sends the WebSocket handshake (RFC 6455 section 4.1).
void conn_start(struct client *cl, struct conn *c);

// Bytes have arrived. May close the connection.
void conn_receive(struct client *cl, struct conn *c, const uint8_t *data, size_t len);

// Closes because of an error, counts it and tells the scenario.
void conn_fail(struct client *cl, struct conn *c, const char *why);

#endif
