// SPDX-License-Identifier: Apache-2.0
// The demo's rooms, see demo_rooms.h.
#include "demo_rooms.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct person {
    char id[ZN_DEMO_ID_SIZE];
    char name[ZN_DEMO_NAME_SIZE];
};

struct room {
    char name[ZN_DEMO_NAME_SIZE];
    uint64_t used; // by rooms->clock
    struct person *people;
    unsigned people_len, people_cap;
    json_t *messages[ZN_DEMO_HISTORY]; // a ring
    unsigned first, messages_len;
};

struct zn_demo_rooms {
    pthread_mutex_t lock;
    struct room *list[ZN_DEMO_ROOMS_MAX];
    unsigned len;
    uint64_t clock;
    uint64_t next_id; // of a message
    bool changed;
};

int zn__demo_rooms_create(struct zn_demo_rooms **rooms_out)
{
    struct zn_demo_rooms *rooms = calloc(1, sizeof *rooms);

    if (rooms == NULL)
        return -ENOMEM;
    pthread_mutex_init(&rooms->lock, NULL);
    // Clients tell messages apart by id, across restarts of the server too.
    rooms->next_id = (uint64_t)time(NULL) * 1000000;
    *rooms_out = rooms;
    return 0;
}

static void room_destroy(struct room *room)
{
    for (unsigned i = 0; i < ZN_DEMO_HISTORY; i++)
        json_decref(room->messages[i]);
    free(room->people);
    free(room);
}

void zn__demo_rooms_destroy(struct zn_demo_rooms *rooms)
{
    if (rooms == NULL)
        return;
    for (unsigned i = 0; i < rooms->len; i++)
        room_destroy(rooms->list[i]);
    pthread_mutex_destroy(&rooms->lock);
    free(rooms);
}

// --- Under the lock -------------------------------------------------------------------------

static struct room *find_room(struct zn_demo_rooms *rooms, const char *name)
{
    for (unsigned i = 0; i < rooms->len; i++)
        if (strcmp(rooms->list[i]->name, name) == 0)
            return rooms->list[i];
    return NULL;
}

static struct person *find_person(struct room *room, const char *id)
{
    for (unsigned i = 0; room != NULL && i < room->people_len; i++)
        if (strcmp(room->people[i].id, id) == 0)
            return &room->people[i];
    return NULL;
}

// A place for a new room: the next one, or that of the empty room that was used longest ago.
static struct room **place(struct zn_demo_rooms *rooms)
{
    struct room **oldest = NULL;

    if (rooms->len < ZN_DEMO_ROOMS_MAX)
        return &rooms->list[rooms->len++];
    for (unsigned i = 0; i < rooms->len; i++) {
        struct room **at = &rooms->list[i];
        if ((*at)->people_len == 0 && (oldest == NULL || (*at)->used < (*oldest)->used))
            oldest = at;
    }
    if (oldest != NULL)
        room_destroy(*oldest);
    return oldest;
}

static int make_room(struct zn_demo_rooms *rooms, const char *name, struct room **room_out)
{
    struct room *room = calloc(1, sizeof *room);
    struct room **at;

    if (room == NULL)
        return -ENOMEM;
    at = place(rooms);
    if (at == NULL) {
        free(room);
        return -ENOSPC;
    }
    snprintf(room->name, sizeof room->name, "%s", name);
    *room_out = *at = room;
    return 0;
}

static int add_person(struct room *room, const char *id, const char *name)
{
    struct person *person = find_person(room, id);

    if (person == NULL) {
        if (room->people_len == ZN_DEMO_PEOPLE_MAX)
            return -EUSERS;
        if (room->people_len == room->people_cap) {
            unsigned cap = room->people_cap == 0 ? 4 : 2 * room->people_cap;
            struct person *people = realloc(room->people, cap * sizeof *people);
            if (people == NULL)
                return -ENOMEM;
            room->people = people;
            room->people_cap = cap;
        }
        person = &room->people[room->people_len++];
        snprintf(person->id, sizeof person->id, "%s", id);
    }
    snprintf(person->name, sizeof person->name, "%s", name);
    return 0;
}

static void keep(struct room *room, json_t *message)
{
    unsigned at = (room->first + room->messages_len) % ZN_DEMO_HISTORY;

    if (room->messages_len == ZN_DEMO_HISTORY)
        room->first = (room->first + 1) % ZN_DEMO_HISTORY;
    else
        room->messages_len++;
    json_decref(room->messages[at]);
    room->messages[at] = message;
}

static json_t *people_json(const struct room *room)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < room->people_len; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s}", "id", room->people[i].id, "name", room->people[i].name));
    return list;
}

static json_t *messages_json(const struct room *room)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < room->messages_len; i++)
        json_array_append(list, room->messages[(room->first + i) % ZN_DEMO_HISTORY]);
    return list;
}

static int by_people(const void *a, const void *b)
{
    const struct room *x = *(struct room *const *)a, *y = *(struct room *const *)b;

    if (x->people_len != y->people_len)
        return x->people_len < y->people_len ? 1 : -1;
    return strcmp(x->name, y->name);
}

// --- Around it ------------------------------------------------------------------------------

// Text of a JSON value, which is let go. Call it under the lock: messages are shared.
static char *text_of(json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    return text;
}

int zn__demo_rooms_join(struct zn_demo_rooms *rooms, const char *room_name, const char *id,
                        const char *name)
{
    struct room *room;
    int err = 0;

    pthread_mutex_lock(&rooms->lock);
    room = find_room(rooms, room_name);
    if (room == NULL)
        err = make_room(rooms, room_name, &room);
    if (err == 0)
        err = add_person(room, id, name);
    if (err == 0) {
        room->used = ++rooms->clock;
        rooms->changed = true;
    }
    pthread_mutex_unlock(&rooms->lock);
    return err;
}

void zn__demo_rooms_leave(struct zn_demo_rooms *rooms, const char *room_name, const char *id)
{
    struct room *room;
    struct person *person;

    pthread_mutex_lock(&rooms->lock);
    room = find_room(rooms, room_name);
    person = find_person(room, id);
    if (person != NULL) {
        *person = room->people[--room->people_len];
        room->used = ++rooms->clock;
        rooms->changed = true;
    }
    pthread_mutex_unlock(&rooms->lock);
}

int zn__demo_rooms_say(struct zn_demo_rooms *rooms, const char *room_name, const char *id,
                       const char *text, uint64_t now_ms, char **json_out)
{
    struct room *room;
    struct person *person;
    int err = -ENOENT;

    pthread_mutex_lock(&rooms->lock);
    room = find_room(rooms, room_name);
    person = find_person(room, id);
    if (person != NULL) {
        json_t *message = json_pack("{s:I,s:s,s:s,s:s,s:s,s:I}", "id", (json_int_t)rooms->next_id++,
                                    "room", room_name, "from", id, "name", person->name, "text",
                                    text, "at", (json_int_t)now_ms);
        *json_out = text_of(json_incref(message));
        err = *json_out != NULL ? 0 : -ENOMEM;
        if (err == 0)
            keep(room, message);
        else
            json_decref(message);
    }
    pthread_mutex_unlock(&rooms->lock);
    return err;
}

bool zn__demo_rooms_find(struct zn_demo_rooms *rooms, const char *room, const char *id,
                         char name_out[ZN_DEMO_NAME_SIZE])
{
    struct person *person;

    pthread_mutex_lock(&rooms->lock);
    person = find_person(find_room(rooms, room), id);
    if (person != NULL)
        snprintf(name_out, ZN_DEMO_NAME_SIZE, "%s", person->name);
    pthread_mutex_unlock(&rooms->lock);
    return person != NULL;
}

char *zn__demo_rooms_welcome(struct zn_demo_rooms *rooms, const char *room_name, const char *name)
{
    struct room *room;
    char *text = NULL;

    pthread_mutex_lock(&rooms->lock);
    room = find_room(rooms, room_name);
    if (room != NULL)
        text = text_of(json_pack("{s:b,s:s,s:s,s:o,s:o}", "ok", 1, "room", room_name, "name", name,
                                 "people", people_json(room), "messages", messages_json(room)));
    pthread_mutex_unlock(&rooms->lock);
    return text;
}

char *zn__demo_rooms_list(struct zn_demo_rooms *rooms)
{
    json_t *list = json_array();
    char *text;

    pthread_mutex_lock(&rooms->lock);
    qsort(rooms->list, rooms->len, sizeof rooms->list[0], by_people);
    for (unsigned i = 0; i < rooms->len && i < ZN_DEMO_LISTED; i++)
        json_array_append_new(list, json_pack("{s:s,s:i}", "room", rooms->list[i]->name, "people",
                                              (int)rooms->list[i]->people_len));
    text = text_of(list);
    pthread_mutex_unlock(&rooms->lock);
    return text;
}

bool zn__demo_rooms_changed(struct zn_demo_rooms *rooms)
{
    bool changed;

    pthread_mutex_lock(&rooms->lock);
    changed = rooms->changed;
    rooms->changed = false;
    pthread_mutex_unlock(&rooms->lock);
    return changed;
}
