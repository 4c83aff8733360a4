// SPDX-License-Identifier: Apache-2.0
// Lists of streams, first in first out: those that are ready, those whose memory goes with the next
// turn. A stream is in one list at a time; every back end's struct zn_stream begins with its link.
//
// Thread: the instance's.
#ifndef ZN_LIST_H
#define ZN_LIST_H

#include <stddef.h>

struct zn_stream;

struct zn_link {
    struct zn_stream *next;
};

struct zn_list {
    struct zn_stream *first, *last;
};

static inline struct zn_link *zn__link_of(struct zn_stream *stream)
{
    return (struct zn_link *)stream;
}

static inline void zn__list_append(struct zn_list *list, struct zn_stream *stream)
{
    zn__link_of(stream)->next = NULL;
    *(list->last ? &zn__link_of(list->last)->next : &list->first) = stream;
    list->last = stream;
}

// The first one, out of the list; NULL: the list is empty.
static inline struct zn_stream *zn__list_take(struct zn_list *list)
{
    struct zn_stream *stream = list->first;
    if (stream) {
        list->first = zn__link_of(stream)->next;
        if (!list->first)
            list->last = NULL;
    }
    return stream;
}

#endif
