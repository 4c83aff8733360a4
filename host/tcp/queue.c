// SPDX-License-Identifier: Apache-2.0
// The ring under a connection's queues, and what all of them take.
#include <stdlib.h>
#include <string.h>

#include "tcp/stack.h"

enum { ROOM_MIN = 4 };

static int grow(struct zn_tcp *tcp, struct zn_tcp_queue *queue, uint32_t entry_size)
{
    uint32_t room = queue->room == 0 ? ROOM_MIN : queue->room * 2;
    if (room > ZN_QUEUE_MAX)
        return -1;
    char *entries = malloc((size_t)room * entry_size);
    if (entries == NULL)
        return -1;
    uint32_t tail = queue->room - queue->head; // entries up to the end of the old ring
    if (tail > queue->count)
        tail = queue->count;
    if (queue->count != 0) {
        memcpy(entries, (char *)queue->entries + (size_t)queue->head * entry_size,
               (size_t)tail * entry_size);
        memcpy(entries + (size_t)tail * entry_size, queue->entries,
               (size_t)(queue->count - tail) * entry_size);
    }
    free(queue->entries);
    tcp->stats.queue_bytes += (uint64_t)(room - queue->room) * entry_size;
    queue->entries = entries;
    queue->entry_size = entry_size;
    queue->room = room;
    queue->head = 0;
    return 0;
}

void *zn__tcp_queue_push(struct zn_tcp *tcp, struct zn_tcp_queue *queue, size_t entry_size)
{
    if (queue->count == queue->room && grow(tcp, queue, (uint32_t)entry_size) != 0)
        return NULL;
    return zn__tcp_queue_at(queue, queue->count++, entry_size);
}

void zn__tcp_queue_pop(struct zn_tcp *tcp, struct zn_tcp_queue *queue)
{
    queue->head = (queue->head + 1) & (queue->room - 1);
    if (--queue->count == 0 && queue->room > ROOM_MIN)
        zn__tcp_queue_free(tcp, queue);
}

void zn__tcp_queue_free(struct zn_tcp *tcp, struct zn_tcp_queue *queue)
{
    tcp->stats.queue_bytes -= (uint64_t)queue->room * queue->entry_size;
    free(queue->entries);
    *queue = (struct zn_tcp_queue){ 0 };
}
