// SPDX-License-Identifier: Apache-2.0
// Packed answers of reactors, unpacked on the one that asked. See many.h.
#include "many.h"

#include <errno.h>
#include <stdlib.h>

static const char *take_string(const char **at)
{
    const char *text = *at;
    *at += strlen(text) + 1;
    return text;
}

static int read_socket(struct zn_socket_info *info, const char **at)
{
    uint32_t rooms_len;
    info->id = take_string(at);
    info->data = take_string(at);
    info->handshake = take_string(at);
    memcpy(&rooms_len, *at, sizeof(rooms_len));
    *at += sizeof(rooms_len);
    const char **rooms = calloc(rooms_len > 0 ? rooms_len : 1, sizeof(*rooms));
    if (rooms == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < rooms_len; i++)
        rooms[i] = take_string(at);
    info->rooms = rooms;
    info->rooms_len = rooms_len;
    return 0;
}

static int read_sockets(struct zn_items *items, const char *text, size_t count, unsigned from)
{
    struct zn_socket_info *sockets =
        realloc(items->sockets, (items->sockets_len + count) * sizeof(*sockets));
    if (sockets == NULL)
        return -ENOMEM;
    items->sockets = sockets;
    for (size_t i = 0; i < count; i++) {
        struct zn_socket_info *info = &sockets[items->sockets_len];
        info->thread = from;
        if (read_socket(info, &text) < 0)
            return -ENOMEM;
        items->sockets_len++;
    }
    return 0;
}

static int read_names(struct zn_items *items, const char *text, size_t count)
{
    const char **names = realloc(items->names, (items->names_len + count) * sizeof(*names));
    if (names == NULL)
        return -ENOMEM;
    items->names = names;
    for (size_t i = 0; i < count; i++)
        names[items->names_len++] = take_string(&text);
    return 0;
}

int zn__items_read(struct zn_items *items, bool sockets, const char *text, size_t count,
                   unsigned from)
{
    if (count == 0)
        return 0;
    return sockets ? read_sockets(items, text, count, from) : read_names(items, text, count);
}

static struct zn_slice name_key(const void *item)
{
    return (struct zn_slice){ item, strlen(item) };
}

void zn__items_names(const struct zn_items *items, const uint64_t secret[2], zn_names_fn done,
                     void *user)
{
    struct zn_table seen;
    size_t len = 0;
    zn__table_init(&seen, name_key, secret);
    for (size_t i = 0; i < items->names_len; i++) {
        const char *name = items->names[i];
        if (zn__table_find(&seen, name_key(name)) != NULL)
            continue;
        if (zn__table_put(&seen, (void *)name) < 0)
            break;
        items->names[len++] = name;
    }
    done(items->names, len, user);
    zn__table_deinit(&seen);
}

void zn__items_deinit(struct zn_items *items)
{
    for (size_t i = 0; i < items->sockets_len; i++)
        free((void *)items->sockets[i].rooms);
    free(items->sockets);
    free(items->names);
}
