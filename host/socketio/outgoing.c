// SPDX-License-Identifier: Apache-2.0
// See outgoing.h.
#include "outgoing.h"

#include "socket.h"

#include "proto/json.h"
#include "proto/sio_placeholder.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdlib.h>

// Whether `json` is JSON values separated by commas, or nothing.
static bool values_valid(struct zn_slice json)
{
    if (json.len == 0)
        return true;
    if (!zn__utf8_valid(json.p, json.len))
        return false;
    for (;;) {
        ssize_t used = zn__json_value(json, NULL, NULL);
        if (used < 0)
            return false;
        json.p += used;
        json.len -= (size_t)used;
        while (json.len > 0 && strchr(" \t\r\n", *json.p) != NULL && *json.p != '\0') {
            json.p++;
            json.len--;
        }
        if (json.len == 0)
            return true;
        if (*json.p != ',')
            return false;
        json.p++;
        json.len--;
    }
}

// Arguments that a handler passes on as they came were checked with the event.
static bool args_passed_on(const struct zn_namespace *ns, const struct zn_args *args)
{
    const struct zn_io_shard *shard = zn__io_self(ns->io);
    const struct zn_args *handled = shard != NULL ? shard->handled : NULL;
    return handled != NULL && args->json == handled->json && args->json_len == handled->json_len &&
           args->bin_len == handled->bin_len;
}

static int args_check(const struct zn_namespace *ns, const struct zn_args *args)
{
    if (args_passed_on(ns, args))
        return 0;
    struct zn_slice json = { args->json, args->json != NULL ? args->json_len : 0 };
    if (args->bin_len > ZN_SIO_ATTACHMENTS_MAX || !values_valid(json))
        return -EINVAL;
    if (args->bin_len > 0 && zn__sio_placeholders_check(json, args->bin_len) < 0)
        return -EINVAL;
    return 0;
}

static int head_room(struct zn_outgoing *out, size_t len)
{
    out->head = out->small;
    if (len > sizeof(out->small))
        out->head = malloc(len);
    return out->head != NULL ? 0 : -ENOMEM;
}

int zn__outgoing_event(struct zn_outgoing *out, const struct zn_namespace *ns,
                       const struct zn_message *message, int64_t id, bool open)
{
    if (message->event == NULL || args_check(ns, &message->args) < 0)
        return -EINVAL;
    struct zn_slice name = { message->event, strlen(message->event) };
    if (zn__sio_event_reserved(name) || !zn__utf8_valid(name.p, name.len))
        return -EINVAL;
    size_t cap = ZN_SIO_HEAD_MAX + ns->name_len + 6 * name.len + 8;
    if (head_room(out, cap) < 0)
        return -ENOMEM;
    const struct zn_args *args = &message->args;
    out->event = name;
    out->args = *args;
    out->id = id;
    char *head = out->head;
    enum zn_sio_type type = args->bin_len > 0 ? ZN_SIO_BINARY_EVENT : ZN_SIO_EVENT;
    size_t len =
        (size_t)zn__sio_head_write(head, cap, type, args->bin_len, zn__namespace_slice(ns), id);
    head[len++] = '[';
    len += (size_t)zn__json_quote(name, head + len, cap - len - 1);
    if (args->json_len > 0)
        head[len++] = ',';
    zn__packet_init(&out->packet, '4', message->flags);
    zn__packet_add(&out->packet, head, len);
    zn__packet_add(&out->packet, args->json, args->json_len);
    if (!open)
        zn__packet_add(&out->packet, "]", 1);
    out->packet.bin = args->bin;
    out->packet.bin_len = args->bin_len;
    return 0;
}

int zn__outgoing_ack(struct zn_outgoing *out, const struct zn_namespace *ns, uint64_t id,
                     const struct zn_args *args)
{
    static const struct zn_args none = { 0 };
    if (args == NULL)
        args = &none;
    if (id > INT64_MAX || args_check(ns, args) < 0)
        return -EINVAL;
    size_t cap = ZN_SIO_HEAD_MAX + ns->name_len + 2;
    if (head_room(out, cap) < 0)
        return -ENOMEM;
    enum zn_sio_type type = args->bin_len > 0 ? ZN_SIO_BINARY_ACK : ZN_SIO_ACK;
    size_t len = (size_t)zn__sio_head_write(out->head, cap, type, args->bin_len,
                                            zn__namespace_slice(ns), (int64_t)id);
    out->head[len++] = '[';
    zn__packet_init(&out->packet, '4', 0);
    zn__packet_add(&out->packet, out->head, len);
    zn__packet_add(&out->packet, args->json, args->json_len);
    zn__packet_add(&out->packet, "]", 1);
    out->packet.bin = args->bin;
    out->packet.bin_len = args->bin_len;
    return 0;
}

void zn__outgoing_deinit(struct zn_outgoing *out)
{
    zn__packet_deinit(&out->packet);
    if (out->head != out->small)
        free(out->head);
}

void zn__outgoing_notify(struct zn_socket *socket, struct zn_slice name, const struct zn_args *args,
                         int64_t id)
{
    const struct zn_handler_list *list = zn__socket_handlers(socket, ZN_HANDLER_ANY_OUTGOING);
    if (list->len == 0)
        return;
    struct zn_event event = {
        .name = name.p,
        .name_len = name.len,
        .args = *args,
        .has_ack = id >= 0,
        .ack_id = id >= 0 ? (uint64_t)id : 0,
    };
    zn__handlers_call_event(list, socket, &event);
}
