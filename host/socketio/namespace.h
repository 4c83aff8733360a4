// SPDX-License-Identifier: Apache-2.0
// Namespaces: one object a name for the server, one `space` for each reactor that has sockets in
// it. Neither goes away before the server.
//
// Thread: the namespace is read-only but for `ids`, `children` and, under io->lock, being made;
// a space belongs to its reactor.
#ifndef ZN_CORE_NAMESPACE_H
#define ZN_CORE_NAMESPACE_H

#include "handlers.h"
#include "io.h"

struct zn_log;

enum {
    ZN_NAMESPACE_NAME_MAX = 1024,
    ZN_NAMESPACE_CHILDREN_MAX = 65536, // made by clients' wishes, in all
};

struct zn_namespace {
    struct zn_io *io;
    struct zn_handlers *handlers; // the parent's for a child
    struct zn_namespace *next;    // in io->all
    zn_match_fn match;            // a parent; its `spaces` stay empty
    void *match_user;
    struct zn_namespace *next_parent;
    bool child;
    struct zn_namespace *_Atomic children; // of a parent, the newest first
    struct zn_namespace *sibling;
    atomic_uint_fast64_t ids; // next ack id
    struct zn_log *log;       // recovery; NULL: off
    struct zn_space **spaces; // by reactor; each is read and set by its reactor alone
    size_t name_len;
    char name[];
};

struct zn_space {
    struct zn_namespace *ns;
    struct zn_io_shard *shard;
    struct zn_table by_id;      // connected sockets by their id
    struct zn_table rooms;      // struct zn_room by name
    struct zn_socket **sockets; // connected ones, dense
    uint32_t sockets_len, sockets_cap;
    uint32_t stamp;  // of the last choice that marked sockets, see choose.h
    uint64_t cursor; // recovery: the next packet of the log to deliver here
    bool delivering;
};

static inline struct zn_slice zn__namespace_slice(const struct zn_namespace *ns)
{
    return (struct zn_slice){ ns->name, ns->name_len };
}

// The space of the namespace that a client asks for, made when the namespace is there or a parent
// agrees. NULL: no such namespace (or no memory). Calls match functions.
struct zn_space *zn__namespace_open(struct zn_io_shard *shard, struct zn_slice name,
                                    const char *auth_json);

// The namespace's space on this reactor, or NULL when no socket has been in it here.
static inline struct zn_space *zn__namespace_space(const struct zn_namespace *ns,
                                                   const struct zn_io_shard *shard)
{
    return ns->spaces[shard->reactor->index];
}

void zn__namespace_destroy(struct zn_namespace *ns);
void zn__space_destroy(struct zn_space *space);

struct zn_slice zn__namespace_key(const void *item);
struct zn_slice zn__space_key(const void *item);

// Puts a socket that has connected in, or takes it out. -ENOMEM.
int zn__space_add(struct zn_space *space, struct zn_socket *socket);
void zn__space_remove(struct zn_space *space, struct zn_socket *socket);

#endif
