// SPDX-License-Identifier: Apache-2.0
// One payload to many connections: those that can take it now share one BROADCAST_LIST, the others
// queue it.
#include <errno.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

enum { LIST_MAX = 1024 }; // flow ids of one command: with the payload they fit a jumbo packet

// The connection has nothing in front of this message, and its windows take it whole.
static bool can_join(const struct zn_tcp_conn *conn, size_t len)
{
    uint32_t next = conn->snd_nxt + conn->submitted_bytes + (uint32_t)len;
    return len != 0 && !zn__tcp_queues_full(conn->tcp) &&
           conn->sent.count + conn->submitted.count < ZN_FLIGHT_MAX && conn->offloaded &&
           !conn->corked && !conn->blocked && conn->pending.count == 0 &&
           conn->refused.count == 0 && len <= conn->mss && zn__tcp_usable(conn) >= len &&
           zn__seq_le(next, conn->limit);
}

static void send_list(struct zn_tcp *tcp, const void *data, size_t len, const uint32_t *ids,
                      unsigned count)
{
    static const uint8_t zeros[64];
    struct zn_acc_command command = {
        .kind = ZN_MSG_BROADCAST_LIST,
        .version = ZN_CONTRACT_VERSION,
        .flags = ZN_CMD_PUSH,
        .length = (uint16_t)len,
        .ids = (uint16_t)count,
    };
    struct iovec body[3] = { { (void *)data, len },
                             { (void *)zeros, -len & 63 },
                             { (void *)ids, count * sizeof(*ids) } };
    tcp->config.sink.command(tcp->config.user, &command, body, 3);
}

void zn_tcp_broadcast(struct zn_tcp *tcp, struct zn_tcp_conn *const *conns, unsigned count,
                      const void *data, size_t len, int *results)
{
    uint32_t ids[LIST_MAX];
    unsigned listed = 0;
    struct iovec iov = { (void *)data, len };
    for (unsigned i = 0; i < count; i++) {
        struct zn_tcp_conn *conn = conns[i];
        bool open = !conn->shut && !conn->released && conn->state != ZN_TCP_CLOSED;
        struct zn_span *span = open && can_join(conn, len)
                                   ? zn__tcp_queue_push(conn->tcp, &conn->submitted, sizeof(*span))
                                   : NULL;
        if (span == NULL) {
            results[i] = zn_tcp_send(conn, &iov, 1);
            continue;
        }
        *span = (struct zn_span){
            .data = data, .at_us = tcp->now_us, .len = (uint32_t)len, .last = true
        };
        conn->submitted_bytes += (uint32_t)len;
        results[i] = 0;
        ids[listed++] = conn->flow;
        if (listed == LIST_MAX) {
            send_list(tcp, data, len, ids, listed);
            listed = 0;
        }
    }
    if (listed != 0)
        send_list(tcp, data, len, ids, listed);
}
