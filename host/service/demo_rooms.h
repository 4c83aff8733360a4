// SPDX-License-Identifier: Apache-2.0
// The demo's rooms: who is in each and what was said last. Everything is bounded; a room that
// nobody is in stays, with its messages, until its place is needed.
//
// Thread: any; one lock around all of it, held for short copies only.
#ifndef ZN_SERVICE_DEMO_ROOMS_H
#define ZN_SERVICE_DEMO_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ZN_DEMO_NAME_CHARS = 32,   // of a person or a room
    ZN_DEMO_TEXT_CHARS = 1000, // of a message
    ZN_DEMO_NAME_SIZE = 4 * ZN_DEMO_NAME_CHARS + 1,
    ZN_DEMO_TEXT_SIZE = 4 * ZN_DEMO_TEXT_CHARS + 1,
    ZN_DEMO_ID_SIZE = 32,
    ZN_DEMO_ROOMS_MAX = 256,
    ZN_DEMO_PEOPLE_MAX = 256, // in a room
    ZN_DEMO_HISTORY = 50,     // messages kept in a room
    ZN_DEMO_LISTED = 100,     // rooms that the list shows
};

struct zn_demo_rooms;

int zn__demo_rooms_create(struct zn_demo_rooms **rooms_out);
void zn__demo_rooms_destroy(struct zn_demo_rooms *rooms);

// Puts a person into a room, or gives them another name there. 0, or -ENOSPC (too many rooms),
// -EUSERS (the room is full), -ENOMEM.
int zn__demo_rooms_join(struct zn_demo_rooms *rooms, const char *room, const char *id,
                        const char *name);

void zn__demo_rooms_leave(struct zn_demo_rooms *rooms, const char *room, const char *id);

// Keeps a message of somebody who is in the room. Its JSON comes back in json_out, the caller frees
// it. 0, or -ENOENT (not in that room), -ENOMEM.
int zn__demo_rooms_say(struct zn_demo_rooms *rooms, const char *room, const char *id,
                       const char *text, uint64_t now_ms, char **json_out);

// Whether somebody is in a room, and their name there.
bool zn__demo_rooms_find(struct zn_demo_rooms *rooms, const char *room, const char *id,
                         char name_out[ZN_DEMO_NAME_SIZE]);

// {"ok":true,"room":..,"name":..,"people":[..],"messages":[..]} for somebody who has joined. The
// caller frees it; NULL: no memory, or no such room.
char *zn__demo_rooms_welcome(struct zn_demo_rooms *rooms, const char *room, const char *name);

// [{"room":..,"people":n}], those with the most people. The caller frees it; NULL: no memory.
char *zn__demo_rooms_list(struct zn_demo_rooms *rooms);

// Whether the list has changed since this was asked last.
bool zn__demo_rooms_changed(struct zn_demo_rooms *rooms);

#endif
