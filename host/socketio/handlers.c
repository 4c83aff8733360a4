// SPDX-License-Identifier: Apache-2.0
// See handlers.h: keeping callbacks and calling them in the order they were added.
#include "handlers.h"

#include "namespace.h"

#include <errno.h>
#include <stdlib.h>

struct zn_event_handlers {
    struct zn_handler_list list;
    size_t name_len;
    char name[];
};

static struct zn_slice event_key(const void *item)
{
    const struct zn_event_handlers *event = item;
    return (struct zn_slice){ event->name, event->name_len };
}

int zn__handlers_create(const uint64_t secret[2], struct zn_handlers **handlers_out)
{
    struct zn_handlers *handlers = calloc(1, sizeof(*handlers));
    if (handlers == NULL)
        return -ENOMEM;
    zn__table_init(&handlers->events, event_key, secret);
    *handlers_out = handlers;
    return 0;
}

void zn__handlers_destroy(struct zn_handlers *handlers)
{
    struct zn_event_handlers *event;
    uint32_t cursor = 0;
    while ((event = zn__table_next(&handlers->events, &cursor)) != NULL) {
        free(event->list.at);
        free(event);
    }
    zn__table_deinit(&handlers->events);
    for (unsigned i = 0; i < ZN_HANDLER_KINDS; i++)
        free(handlers->lists[i].at);
    free(handlers);
}

const struct zn_handler_list *zn__handlers_event(const struct zn_handlers *handlers,
                                                 struct zn_slice name)
{
    struct zn_event_handlers *event = zn__table_find(&handlers->events, name);
    return event != NULL ? &event->list : NULL;
}

void zn__handlers_call_event(const struct zn_handler_list *list, struct zn_socket *socket,
                             const struct zn_event *event)
{
    for (size_t i = 0; i < list->len; i++)
        list->at[i].fn.event(socket, event, list->at[i].user);
}

void zn__handlers_call_socket(const struct zn_handler_list *list, struct zn_socket *socket)
{
    for (size_t i = 0; i < list->len; i++)
        list->at[i].fn.socket(socket, list->at[i].user);
}

void zn__handlers_call_reason(const struct zn_handler_list *list, struct zn_socket *socket,
                              const char *reason)
{
    for (size_t i = 0; i < list->len; i++)
        list->at[i].fn.reason(socket, reason, list->at[i].user);
}

void zn__handlers_call_count(const struct zn_handler_list *list, struct zn_socket *socket,
                             size_t count)
{
    for (size_t i = 0; i < list->len; i++)
        list->at[i].fn.count(socket, count, list->at[i].user);
}

// --- The public API -------------------------------------------------------------------------

static int list_add(struct zn_handler_list *list, union zn_handler_fn fn, void *user)
{
    struct zn_handler *at = realloc(list->at, (list->len + 1) * sizeof(*at));
    if (at == NULL)
        return -ENOMEM;
    at[list->len++] = (struct zn_handler){ fn, user };
    list->at = at;
    return 0;
}

static int add(struct zn_namespace *ns, enum zn_handler_kind kind, union zn_handler_fn fn,
               void *user)
{
    return list_add(&ns->handlers->lists[kind], fn, user);
}

int zn_use(struct zn_namespace *ns, zn_middleware_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_MIDDLEWARE, (union zn_handler_fn){ .middleware = fn }, user);
}

int zn_on_connection(struct zn_namespace *ns, zn_socket_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_CONNECTION, (union zn_handler_fn){ .socket = fn }, user);
}

int zn_on(struct zn_namespace *ns, const char *event, zn_event_fn fn, void *user)
{
    struct zn_table *events = &ns->handlers->events;
    struct zn_slice name = { event, strlen(event) };
    struct zn_event_handlers *entry = zn__table_find(events, name);
    if (entry == NULL) {
        entry = calloc(1, sizeof(*entry) + name.len);
        if (entry == NULL)
            return -ENOMEM;
        entry->name_len = name.len;
        memcpy(entry->name, name.p, name.len);
        if (zn__table_put(events, entry) < 0) {
            free(entry);
            return -ENOMEM;
        }
    }
    return list_add(&entry->list, (union zn_handler_fn){ .event = fn }, user);
}

int zn_on_any(struct zn_namespace *ns, zn_event_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_ANY, (union zn_handler_fn){ .event = fn }, user);
}

int zn_on_any_outgoing(struct zn_namespace *ns, zn_event_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_ANY_OUTGOING, (union zn_handler_fn){ .event = fn }, user);
}

int zn_on_disconnecting(struct zn_namespace *ns, zn_reason_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_DISCONNECTING, (union zn_handler_fn){ .reason = fn }, user);
}

int zn_on_disconnect(struct zn_namespace *ns, zn_reason_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_DISCONNECT, (union zn_handler_fn){ .reason = fn }, user);
}

int zn_on_drain(struct zn_namespace *ns, zn_socket_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_DRAIN, (union zn_handler_fn){ .socket = fn }, user);
}

int zn_on_dropped(struct zn_namespace *ns, zn_count_fn fn, void *user)
{
    return add(ns, ZN_HANDLER_DROPPED, (union zn_handler_fn){ .count = fn }, user);
}
