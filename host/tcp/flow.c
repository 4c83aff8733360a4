// SPDX-License-Identifier: Apache-2.0
// A connection as the accelerator knows it: commands that add, change and forget its flow.
#include <errno.h>
#include <string.h>

#include "tcp/seq.h"
#include "tcp/stack.h"

static struct zn_acc_command command_of(const struct zn_tcp_conn *conn, uint8_t kind,
                                        enum zn_tcp_cookie cookie)
{
    return (struct zn_acc_command){
        .kind = kind,
        .version = ZN_CONTRACT_VERSION,
        .flow = conn->flow,
        .cookie = cookie,
    };
}

static void send(struct zn_tcp_conn *conn, const struct zn_acc_command *command,
                 const struct zn_acc_flow_address *address)
{
    struct iovec body = { (void *)address, sizeof(*address) };
    conn->tcp->config.sink.command(conn->tcp->config.user, command, &body, address != NULL);
}

static struct zn_acc_flow_address address_of(struct zn_tcp_conn *conn)
{
    struct zn_acc_flow_address address = {
        .ip_version = conn->link.v6 ? 6 : 4,
        .has_vlan = conn->link.has_vlan,
        .ip_id = conn->tcp->ip_id,
    };
    memcpy(address.peer_mac, conn->link.peer_mac, sizeof(address.peer_mac));
    memcpy(address.vlan, conn->link.vlan, sizeof(address.vlan));
    memcpy(address.peer_address, conn->tuple.peer_address, sizeof(address.peer_address));
    memcpy(address.local_address, conn->tuple.local_address, sizeof(address.local_address));
    memcpy(address.peer_port, conn->tuple.peer_port, sizeof(address.peer_port));
    memcpy(address.local_port, conn->tuple.local_port, sizeof(address.local_port));
    return address;
}

// `offload` NULL: the flow sends, and nothing that it receives is treated.
void zn__tcp_flow_add(struct zn_tcp_conn *conn, const struct zn_tcp_offload *offload)
{
    struct zn_acc_command command = command_of(conn, ZN_MSG_ADD, ZN_COOKIE_ADD);
    command.flags = conn->corked || conn->pending.count != 0 ? ZN_CMD_OPEN : 0;
    command.window = zn__tcp_window_field(conn);
    command.ack = conn->rcv_nxt;
    command.limit = conn->limit;
    command.snd_nxt = conn->snd_nxt + conn->submitted_bytes;
    command.rcv_nxt = conn->rcv_nxt;
    command.mss = conn->mss;
    if (offload != NULL) {
        command.flow_flags = offload->flags;
        command.max_frame = offload->max_frame;
        command.heartbeat_ms = offload->heartbeat_ms;
        command.replies = offload->replies;
        command.state = offload->state;
    }
    struct zn_acc_flow_address address = address_of(conn);
    send(conn, &command, &address);
    conn->offloaded = true;
    conn->treated = offload != NULL && offload->flags & ZN_FLOW_RECEIVE;
    conn->makes = offload != NULL && offload->flags & (ZN_FLOW_ANSWER | ZN_FLOW_ENGINE);
}

void zn__tcp_flow_delete(struct zn_tcp_conn *conn)
{
    struct zn_acc_command command = command_of(conn, ZN_MSG_DELETE, ZN_COOKIE_DELETE);
    struct zn_acc_flow_address address = address_of(conn);
    conn->offloaded = conn->treated = false;
    conn->deleting = 2; // DONE and RX_DONE
    send(conn, &command, &address);
}

// Lets the accelerator send up to what both windows allow, and at least up to `need`, which the
// caller has checked.
void zn__tcp_flow_grant(struct zn_tcp_conn *conn, uint32_t need, bool unblock)
{
    uint32_t window = conn->snd_wnd < conn->cubic.cwnd ? conn->snd_wnd : conn->cubic.cwnd;
    conn->limit = zn__seq_max(zn__seq_max(conn->limit, conn->snd_una + window), need);
    struct zn_acc_command command = command_of(conn, ZN_MSG_GRANT, ZN_COOKIE_DATA);
    command.flags = (uint8_t)(ZN_CMD_QUIET | (unblock ? ZN_CMD_UNBLOCK : 0));
    command.limit = conn->limit;
    command.ack = conn->rcv_nxt;
    command.window = zn__tcp_window_field(conn);
    send(conn, &command, NULL);
}

// Keeps the grant ahead of what the accelerator may want to send, by half a window at the least:
// one command for many acknowledgements.
void zn__tcp_flow_grant_ahead(struct zn_tcp_conn *conn)
{
    uint32_t window = conn->snd_wnd < conn->cubic.cwnd ? conn->snd_wnd : conn->cubic.cwnd;
    uint32_t target = conn->snd_una + window;
    // The accelerator's bytes take memory too, as long as they are not acknowledged.
    if (zn__tcp_queues_full(conn->tcp) || conn->sent.count >= ZN_FLIGHT_MAX)
        return;
    if (conn->offloaded && zn__seq_lt(conn->limit, target) && target - conn->limit >= window / 2)
        zn__tcp_flow_grant(conn, conn->limit, false);
}

// Forgets the flow and adds it again with what has changed; nothing that was sent is touched.
static void replace(struct zn_tcp_conn *conn, const struct zn_tcp_offload *offload)
{
    struct zn_acc_command command = command_of(conn, ZN_MSG_DELETE, ZN_COOKIE_REPLACE);
    struct zn_acc_flow_address address = address_of(conn);
    send(conn, &command, &address);
    zn__tcp_flow_add(conn, offload);
}

int zn_tcp_offload(struct zn_tcp_conn *conn, const struct zn_tcp_offload *offload)
{
    if (!conn->offloaded || conn->unread_bytes != 0)
        return -EAGAIN; // `state` holds at rcv_nxt only when everything before it was read
    replace(conn, offload);
    return 0;
}

void zn_tcp_resync(struct zn_tcp_conn *conn, const struct zn_acc_ws_state *state)
{
    // In front of what waits to be read is the past: nothing more comes from there.
    if (!conn->treated || conn->unread_bytes != 0)
        return;
    struct zn_acc_command command = command_of(conn, ZN_MSG_RESYNC, ZN_COOKIE_RESYNC);
    command.rcv_nxt = conn->rcv_nxt;
    command.state = *state;
    send(conn, &command, NULL);
}
