// SPDX-License-Identifier: Apache-2.0
// Events and acknowledgements on their way out: what the application gave is checked and laid
// out as the parts of a packet, without copying the arguments.
//
// Lives on the stack of whoever sends.
#ifndef ZN_CORE_OUTGOING_H
#define ZN_CORE_OUTGOING_H

#include "core/packet.h"
#include "namespace.h"

#include "proto/sio.h"

enum { ZN_OUTGOING_NO_ID = -1 };

struct zn_outgoing {
    struct zn_packet packet;
    struct zn_slice event; // its name
    struct zn_args args;
    int64_t id;
    char small[192];
    char *head; // `small`, or larger and malloc'ed
};

// An event with ack id `id`, or ZN_OUTGOING_NO_ID. Its parts are two or, if not `open`, three: the
// head with the name, the arguments, the closing bracket. -EINVAL: reserved or malformed; -ENOMEM.
int zn__outgoing_event(struct zn_outgoing *out, const struct zn_namespace *ns,
                       const struct zn_message *message, int64_t id, bool open);
int zn__outgoing_ack(struct zn_outgoing *out, const struct zn_namespace *ns, uint64_t id,
                     const struct zn_args *args);
void zn__outgoing_deinit(struct zn_outgoing *out);

// Calls the namespace's catch-all listeners for what goes out.
void zn__outgoing_notify(struct zn_socket *socket, struct zn_slice name, const struct zn_args *args,
                         int64_t id);

#endif
