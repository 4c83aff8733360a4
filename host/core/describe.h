// SPDX-License-Identifier: Apache-2.0
// socket.handshake of the reference as JSON text.
#ifndef ZN_CORE_DESCRIBE_H
#define ZN_CORE_DESCRIBE_H

#include "buffer.h"
#include "socket.h"

// Appends {"headers":..,"time":..,"address":..,"xdomain":..,"secure":..,"issued":..,"url":..,
// "query":..,"auth":..}. -ENOMEM.
int zn__describe_handshake(const struct zn_socket *socket, struct zn_buffer **out);

// Appends a query string (after '?') as an object, decoded as URLSearchParams does.
int zn__describe_query(const char *query, struct zn_buffer **out);

#endif
