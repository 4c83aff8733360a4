// SPDX-License-Identifier: Apache-2.0
// See namespace.h.
#include "namespace.h"

#include "recovery.h"
#include "room.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>

struct zn_slice zn__namespace_key(const void *item)
{
    return zn__namespace_slice(item);
}

struct zn_slice zn__space_key(const void *item)
{
    const struct zn_space *space = item;
    return zn__namespace_slice(space->ns);
}

static struct zn_slice socket_key(const void *item)
{
    const struct zn_socket *socket = item;
    return (struct zn_slice){ socket->id, ZN_EIO_SID_LEN };
}

// Under io->lock. `handlers`: the parent's, or NULL for its own.
static struct zn_namespace *namespace_create(struct zn_io *io, struct zn_slice name,
                                             struct zn_handlers *handlers)
{
    struct zn_namespace *ns = calloc(1, sizeof(*ns) + name.len + 1);
    if (ns == NULL)
        return NULL;
    ns->io = io;
    ns->name_len = name.len;
    memcpy(ns->name, name.p, name.len);
    ns->child = handlers != NULL;
    ns->handlers = handlers;
    ns->spaces = calloc(io->server->threads, sizeof(struct zn_space *));
    if (ns->spaces == NULL || (io->recovery != NULL && zn__log_create(&ns->log) < 0) ||
        (handlers == NULL && zn__handlers_create(io->server->secret, &ns->handlers) < 0)) {
        zn__namespace_destroy(ns);
        return NULL;
    }
    return ns;
}

void zn__namespace_destroy(struct zn_namespace *ns)
{
    if (ns->handlers != NULL && !ns->child)
        zn__handlers_destroy(ns->handlers);
    if (ns->log != NULL)
        zn__log_destroy(ns->log);
    free(ns->spaces);
    free(ns);
}

// The namespace of this name, made if need be. Under io->lock.
static struct zn_namespace *namespace_get(struct zn_io *io, struct zn_slice name,
                                          struct zn_handlers *handlers)
{
    struct zn_namespace *ns = zn__table_find(&io->names, name);
    if (ns != NULL)
        return ns;
    ns = namespace_create(io, name, handlers);
    if (ns == NULL)
        return NULL;
    if (zn__table_put(&io->names, ns) < 0) {
        zn__namespace_destroy(ns);
        return NULL;
    }
    ns->next = io->all;
    io->all = ns;
    return ns;
}

static struct zn_namespace *child_create(struct zn_namespace *parent, struct zn_slice name)
{
    struct zn_io *io = parent->io;
    struct zn_namespace *child = zn__table_find(&io->names, name); // made in the meantime
    if (child != NULL || io->children_len >= ZN_NAMESPACE_CHILDREN_MAX)
        return child;
    child = namespace_get(io, name, parent->handlers);
    if (child == NULL)
        return NULL;
    io->children_len++;
    child->sibling = atomic_load(&parent->children);
    atomic_store(&parent->children, child);
    return child;
}

// Asks the parents in turn. The callbacks run without the lock.
static struct zn_namespace *child_ask(struct zn_io *io, struct zn_slice name, const char *auth_json)
{
    if (io->parents == NULL)
        return NULL;
    char text[ZN_NAMESPACE_NAME_MAX + 1];
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    for (struct zn_namespace *parent = io->parents; parent != NULL; parent = parent->next_parent) {
        if (!parent->match(text, auth_json, parent->match_user))
            continue;
        pthread_mutex_lock(&io->lock);
        struct zn_namespace *child = child_create(parent, name);
        pthread_mutex_unlock(&io->lock);
        return child;
    }
    return NULL;
}

static struct zn_space *space_create(struct zn_io_shard *shard, struct zn_namespace *ns)
{
    struct zn_space *space = calloc(1, sizeof(*space));
    if (space == NULL)
        return NULL;
    const uint64_t *secret = shard->reactor->server->secret;
    space->ns = ns;
    space->shard = shard;
    zn__table_init(&space->by_id, socket_key, secret);
    zn__table_init(&space->rooms, zn__room_key, secret);
    if (zn__table_put(&shard->spaces, space) < 0) {
        free(space);
        return NULL;
    }
    if (ns->log != NULL)
        space->cursor = zn__log_end(ns->log, shard->io->recovery);
    ns->spaces[shard->reactor->index] = space;
    return space;
}

struct zn_space *zn__namespace_open(struct zn_io_shard *shard, struct zn_slice name,
                                    const char *auth_json)
{
    struct zn_space *space = zn__table_find(&shard->spaces, name);
    if (space != NULL)
        return space;
    if (name.len > ZN_NAMESPACE_NAME_MAX || memchr(name.p, '\0', name.len) != NULL)
        return NULL;
    struct zn_io *io = shard->io;
    pthread_mutex_lock(&io->lock);
    struct zn_namespace *ns = zn__table_find(&io->names, name);
    pthread_mutex_unlock(&io->lock);
    if (ns == NULL)
        ns = child_ask(io, name, auth_json);
    return ns != NULL ? space_create(shard, ns) : NULL;
}

void zn__space_destroy(struct zn_space *space)
{
    space->ns->spaces[space->shard->reactor->index] = NULL;
    for (uint32_t i = 0; i < space->sockets_len; i++) {
        zn__room_leave_all(space->sockets[i]);
        zn__socket_free(space->sockets[i]);
    }
    free(space->sockets);
    zn__table_deinit(&space->by_id);
    zn__table_deinit(&space->rooms);
    free(space);
}

static int sockets_resize(struct zn_space *space, uint32_t cap)
{
    struct zn_socket **sockets = realloc(space->sockets, cap * sizeof(struct zn_socket *));
    if (sockets == NULL)
        return -ENOMEM;
    space->sockets = sockets;
    space->sockets_cap = cap;
    return 0;
}

int zn__space_add(struct zn_space *space, struct zn_socket *socket)
{
    uint32_t cap = space->sockets_cap;
    if (space->sockets_len == cap && sockets_resize(space, cap > 0 ? cap + cap / 2 : 8) < 0)
        return -ENOMEM;
    if (zn__table_put(&space->by_id, socket) < 0)
        return -ENOMEM;
    socket->mark = 0;
    socket->index = space->sockets_len;
    space->sockets[space->sockets_len++] = socket;
    return 0;
}

void zn__space_remove(struct zn_space *space, struct zn_socket *socket)
{
    zn__table_take(&space->by_id, socket_key(socket));
    struct zn_socket *last = space->sockets[--space->sockets_len];
    space->sockets[socket->index] = last;
    last->index = socket->index;
    if (space->sockets_cap > 64 && space->sockets_len <= space->sockets_cap / 4)
        (void)sockets_resize(space, space->sockets_cap / 2); // keeps the larger one otherwise
}

// --- The public API -------------------------------------------------------------------------

struct zn_namespace *zn_of(struct zn_server *server, const char *name)
{
    struct zn_io *io = server->io;
    if (io == NULL || name == NULL)
        return NULL;
    char text[ZN_NAMESPACE_NAME_MAX + 1] = "/"; // the slash may be left out
    size_t slash = name[0] != '/';
    size_t len = strlen(name);
    if (len + slash > ZN_NAMESPACE_NAME_MAX)
        return NULL;
    memcpy(text + slash, name, len);
    pthread_mutex_lock(&io->lock);
    struct zn_namespace *ns = namespace_get(io, (struct zn_slice){ text, len + slash }, NULL);
    pthread_mutex_unlock(&io->lock);
    return ns;
}

struct zn_namespace *zn_of_match(struct zn_server *server, zn_match_fn match, void *user)
{
    struct zn_io *io = server->io;
    if (io == NULL || match == NULL)
        return NULL;
    struct zn_namespace *ns = namespace_create(io, ZN_SLICE(""), NULL);
    if (ns == NULL)
        return NULL;
    ns->match = match;
    ns->match_user = user;
    pthread_mutex_lock(&io->lock);
    ns->next = io->all;
    io->all = ns;
    struct zn_namespace **end = &io->parents;
    while (*end != NULL)
        end = &(*end)->next_parent;
    *end = ns;
    pthread_mutex_unlock(&io->lock);
    return ns;
}

const char *zn_namespace_name(const struct zn_namespace *ns)
{
    return ns->name;
}
