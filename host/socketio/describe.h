// SPDX-License-Identifier: Apache-2.0
// JSON text that the layer writes itself, above all socket.handshake of the reference.
#ifndef ZN_CORE_DESCRIBE_H
#define ZN_CORE_DESCRIBE_H

#include "core/buffer.h"
#include "socket.h"

// Appends {"headers":..,"time":..,"address":..,"xdomain":..,"secure":..,"issued":..,"url":..,
// "query":..,"auth":..}. -ENOMEM.
int zn__describe_handshake(const struct zn_socket *socket, struct zn_buffer **out);

// Appends a query string (after '?') as an object, decoded as URLSearchParams does.
int zn__describe_query(const char *query, struct zn_buffer **out);

// Appends a JSON string; what is no UTF-8 is taken as Latin-1, as Node.js takes header bytes.
int zn__describe_text(struct zn_slice text, struct zn_buffer **out);

#endif
