// SPDX-License-Identifier: Apache-2.0
// The application's callbacks of a namespace. Made before the reactors run, read by all of them
// afterwards. Children of a parent namespace share the parent's.
#ifndef ZN_CORE_HANDLERS_H
#define ZN_CORE_HANDLERS_H

#include "core/table.h"

#include <zapnic/zapnic.h>

enum zn_handler_kind {
    ZN_HANDLER_CONNECTION,
    ZN_HANDLER_ANY,
    ZN_HANDLER_ANY_OUTGOING,
    ZN_HANDLER_DISCONNECTING,
    ZN_HANDLER_DISCONNECT,
    ZN_HANDLER_DRAIN,
    ZN_HANDLER_DROPPED,
    ZN_HANDLER_MIDDLEWARE,
    ZN_HANDLER_KINDS,
};

union zn_handler_fn {
    zn_socket_fn socket;
    zn_event_fn event;
    zn_reason_fn reason;
    zn_count_fn count;
    zn_middleware_fn middleware;
};

struct zn_handler {
    union zn_handler_fn fn;
    void *user;
};

struct zn_handler_list {
    struct zn_handler *at;
    size_t len;
};

struct zn_handlers {
    struct zn_handler_list lists[ZN_HANDLER_KINDS];
    struct zn_table events; // struct zn_event_handlers by name
};

// 0; -ENOMEM.
int zn__handlers_create(const uint64_t secret[2], struct zn_handlers **handlers_out);
void zn__handlers_destroy(struct zn_handlers *handlers);

// Those of an event's name, or NULL.
const struct zn_handler_list *zn__handlers_event(const struct zn_handlers *handlers,
                                                 struct zn_slice name);

void zn__handlers_call_event(const struct zn_handler_list *list, struct zn_socket *socket,
                             const struct zn_event *event);
void zn__handlers_call_socket(const struct zn_handler_list *list, struct zn_socket *socket);
void zn__handlers_call_reason(const struct zn_handler_list *list, struct zn_socket *socket,
                              const char *reason);
void zn__handlers_call_count(const struct zn_handler_list *list, struct zn_socket *socket,
                             size_t count);

#endif
