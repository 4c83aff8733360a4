// SPDX-License-Identifier: Apache-2.0
// Messages from the host: what is refused, and who does the rest.
#include "soft/broadcast.h"
#include "soft/transmit.h"

#include <assert.h>

// The command, and what follows it.
struct message {
    struct zn_acc_command command;
    const uint8_t *body;
    size_t body_len;
};

// A command for one flow, with `need` bytes behind it.
static bool flow_good(const struct zn_soft *soft, const struct message *m, size_t need)
{
    return m->command.flow < soft->config.flows && m->body_len >= need;
}

// A broadcast, but for its words.
static bool payload_good(const struct zn_soft *soft, const struct message *m)
{
    uint16_t length = m->command.length;
    return length > 0 && length <= soft->config.payload_max && m->body_len >= length;
}

static bool members_good(const struct zn_soft *soft, uint32_t first, uint32_t count)
{
    return (uint64_t)first + count <= soft->config.members;
}

static bool group_good(const struct zn_soft *soft, const struct message *m)
{
    const struct zn_acc_command *command = &m->command;
    size_t need = command->ids > 0 ? zn__soft_broadcast_words_at(command) + command->ids * 4u : 0;
    return payload_good(soft, m) && members_good(soft, command->flow, command->count) &&
           command->ids <= soft->config.skips_max && m->body_len >= need;
}

// Whether the command can be begun. Lists are used as they come: of those that end early, what is
// there.
static bool is_good(const struct zn_soft *soft, const struct message *m)
{
    const struct zn_acc_command *command = &m->command;
    if (command->version != ZN_CONTRACT_VERSION)
        return false;
    switch (command->kind) {
    case ZN_MSG_RAW:
    case ZN_MSG_BROADCAST_LIST:
        return payload_good(soft, m);
    case ZN_MSG_BROADCAST_GROUP:
        return group_good(soft, m);
    case ZN_MSG_SEGMENT:
        return command->length <= soft->config.payload_max && flow_good(soft, m, command->length);
    case ZN_MSG_ADD:
    case ZN_MSG_DELETE:
        return flow_good(soft, m, sizeof(struct zn_acc_flow_address));
    case ZN_MSG_GRANT:
    case ZN_MSG_RESYNC:
    case ZN_MSG_READ:
        return flow_good(soft, m, 0);
    case ZN_MSG_MEMBERS:
        return members_good(soft, command->flow, command->ids);
    default:
        return false;
    }
}

// The DONE record of what is for no flow.
static void done(struct zn_soft *soft, const struct zn_acc_command *command, bool bad)
{
    struct zn_acc_report_record record = { .kind = ZN_RECORD_DONE,
                                           .reason = bad ? ZN_REASON_BAD_COMMAND : ZN_REASON_OK,
                                           .flow = command->flow,
                                           .cookie = command->cookie };
    if (bad)
        zn__soft_count(soft, ZN_COUNTER_COMMANDS_BAD);
    zn__soft_record(soft, &record);
}

static void members(struct zn_soft *soft, const struct message *m)
{
    const struct zn_acc_command *command = &m->command;
    size_t words = m->body_len / sizeof(uint32_t);
    bool ends_early = words < command->ids;
    words = ends_early ? words : command->ids;
    if (words > 0)
        memcpy(soft->members + command->flow, m->body, words * sizeof(uint32_t));
    if (ends_early || !(command->flags & ZN_CMD_QUIET))
        done(soft, command, ends_early);
}

static void raw(struct zn_soft *soft, const struct message *m)
{
    struct iovec iov = { (void *)m->body, m->command.length };
    zn__soft_count(soft, ZN_COUNTER_TX_RAW);
    soft->config.sink.wire(soft->config.sink.user, &iov, 1);
}

// Returns whether the receive side has a part in it.
static bool begin(struct zn_soft *soft, const struct message *m)
{
    const struct zn_acc_command *command = &m->command;
    switch (command->kind) {
    case ZN_MSG_RAW:
        raw(soft, m);
        return false;
    case ZN_MSG_SEGMENT:
        zn__soft_tx_segment(soft, command, m->body);
        return false;
    case ZN_MSG_GRANT:
        zn__soft_tx_grant(soft, command);
        return false;
    case ZN_MSG_MEMBERS:
        members(soft, m);
        return false;
    case ZN_MSG_ADD:
        zn__soft_tx_add(soft, command, m->body);
        return true;
    case ZN_MSG_DELETE:
        zn__soft_tx_delete(soft, command);
        return true;
    case ZN_MSG_RESYNC:
    case ZN_MSG_READ:
        zn__soft_tx_look(soft, command);
        return true;
    default:
        zn__soft_broadcast_begin(soft, command, m->body, m->body_len);
        return false;
    }
}

bool zn_soft_command_tx(struct zn_soft *soft, const uint8_t *message, size_t len)
{
    struct message m = { 0 };
    assert(!soft->broadcast.active);
    zn__soft_count(soft, ZN_COUNTER_COMMANDS);
    if (len >= sizeof(m.command)) {
        memcpy(&m.command, message, sizeof(m.command));
        m.body = message + sizeof(m.command);
        m.body_len = len - sizeof(m.command);
    }
    if (is_good(soft, &m))
        return begin(soft, &m);
    done(soft, &m.command, true);
    return false;
}

void zn_soft_command(struct zn_soft *soft, const uint8_t *message, size_t len)
{
    if (zn_soft_command_tx(soft, message, len))
        zn_soft_command_rx(soft, message, len);
    while (zn_soft_copy(soft))
        continue;
}
