// SPDX-License-Identifier: Apache-2.0
// The demo's events, see demo.h. Everything that a client sends is checked here: its shape, its
// length, how often it comes.
//
// Thread: handlers run on the reactors'; what they share is in demo_rooms.c behind its lock. A
// person's own state hangs on the socket.
#include "demo.h"

#include "demo_page.h"
#include "demo_rooms.h"
#include "demo_text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOMS_EACH = 8,       // that one client may be in
    EVENTS_BURST = 30,    // that one client may send at once,
    EVENT_EVERY_MS = 100, // and then one in so long
    TICK_MS = 250,
    STATS_TICKS = 4,
};

// Clients choose the names of rooms. The prefix keeps them apart from the sockets' own rooms, which
// are named by their ids.
static const char room_prefix[] = "chat/";

enum { PREFIX_LEN = sizeof room_prefix - 1, ROOM_KEY_SIZE = PREFIX_LEN + ZN_DEMO_NAME_SIZE };

struct zn_demo {
    struct zn_server *server;
    struct zn_namespace *ns;
    struct zn_demo_rooms *rooms;
    struct zn_demo_page *page;
    unsigned ticks;
    uint64_t messages;  // in and out when last looked at,
    uint64_t looked_ms; // and when that was
};

struct person {
    char name[ZN_DEMO_NAME_SIZE];
    char rooms[ROOMS_EACH][ZN_DEMO_NAME_SIZE];
    unsigned rooms_len;
    unsigned credit; // events that may come now
    uint64_t credit_ms;
};

static void room_key(char key[ROOM_KEY_SIZE], const char *room)
{
    snprintf(key, ROOM_KEY_SIZE, "%s%s", room_prefix, room);
}

// Sends a JSON value, which is let go, to a room; `sender` does not get it itself.
static void tell(struct zn_demo *demo, const char *room, const struct zn_socket *sender,
                 const char *event, unsigned flags, json_t *value)
{
    char key[ROOM_KEY_SIZE];
    const char *keys[] = { key };
    struct zn_target target = { .ns = demo->ns, .rooms = keys, .rooms_len = 1, .sender = sender };
    char *text = json_dumps(value, JSON_COMPACT);

    room_key(key, room);
    if (text != NULL)
        zn_broadcast(&target,
                     &(struct zn_message){ .event = event, .args = ZN_JSON(text), .flags = flags });
    free(text);
    json_decref(value);
}

static void answer(struct zn_socket *socket, const struct zn_event *event, const char *json)
{
    if (event->has_ack)
        zn_ack(socket, event->ack_id, &ZN_JSON(json));
}

static void refuse(struct zn_socket *socket, const struct zn_event *event, const char *why)
{
    char json[160];

    snprintf(json, sizeof json, "{\"error\":\"%s\"}", why);
    answer(socket, event, json);
}

// Takes one event off the client's credit.
static bool within_rate(struct zn_demo *demo, struct person *person)
{
    uint64_t now_ms = zn_now_ms(demo->server);
    uint64_t earned = (now_ms - person->credit_ms) / EVENT_EVERY_MS;

    if (now_ms > person->credit_ms && earned > 0) {
        person->credit = (unsigned)(earned > EVENTS_BURST ? EVENTS_BURST : person->credit + earned);
        if (person->credit > EVENTS_BURST)
            person->credit = EVENTS_BURST;
        person->credit_ms += earned * EVENT_EVERY_MS;
    }
    if (person->credit == 0)
        return false;
    person->credit--;
    return true;
}

// The object that an event carries; NULL: it was refused.
static json_t *take(struct zn_demo *demo, struct zn_socket *socket, const struct zn_event *event)
{
    struct person *person = zn_socket_user(socket);
    json_t *value;

    if (person == NULL)
        return NULL;
    if (!within_rate(demo, person)) {
        refuse(socket, event, "That was too fast. Wait a moment.");
        return NULL;
    }
    // The first argument; what else may follow it is of no interest.
    value = json_loadb(event->args.json, event->args.json_len, JSON_DISABLE_EOF_CHECK, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    refuse(socket, event, "An object is missing.");
    return NULL;
}

// A text of the object, checked. False: refused.
static bool take_text(struct zn_socket *socket, const struct zn_event *event, const json_t *object,
                      const char *key, bool message, char *out)
{
    json_t *value = json_object_get(object, key);
    unsigned chars_max = message ? ZN_DEMO_TEXT_CHARS : ZN_DEMO_NAME_CHARS;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    int len = zn__demo_text(text, strlen(text), chars_max, message, out);
    char why[100];

    if (len > 0)
        return true;
    if (len == -ENODATA)
        snprintf(why, sizeof why, "Please give a %s.", key);
    else if (len == -EMSGSIZE)
        snprintf(why, sizeof why, "The %s may have up to %u characters.", key, chars_max);
    else
        snprintf(why, sizeof why, "The %s has characters that are not allowed.", key);
    refuse(socket, event, why);
    return false;
}

// --- Rooms ----------------------------------------------------------------------------------

static int find_own(const struct person *person, const char *room)
{
    for (unsigned i = 0; i < person->rooms_len; i++)
        if (strcmp(person->rooms[i], room) == 0)
            return (int)i;
    return -1;
}

static void say_joined(struct zn_demo *demo, struct zn_socket *socket, const char *room,
                       const char *name)
{
    tell(demo, room, socket, "joined", 0,
         json_pack("{s:s,s:s,s:s}", "room", room, "id", zn_socket_id(socket), "name", name));
}

// A person has one name in all rooms.
static void rename_person(struct zn_demo *demo, struct zn_socket *socket, struct person *person,
                          const char *name)
{
    json_t *data = json_pack("{s:s}", "name", name);
    char *text = json_dumps(data, JSON_COMPACT);

    snprintf(person->name, sizeof person->name, "%s", name);
    if (text != NULL)
        zn_socket_set_data(socket, text);
    for (unsigned i = 0; i < person->rooms_len; i++) {
        zn__demo_rooms_join(demo->rooms, person->rooms[i], zn_socket_id(socket), name);
        say_joined(demo, socket, person->rooms[i], name);
    }
    free(text);
    json_decref(data);
}

// Presence of a socket that is in the room already.
static int appear(struct zn_demo *demo, struct zn_socket *socket, struct person *person,
                  const char *room)
{
    int err = zn__demo_rooms_join(demo->rooms, room, zn_socket_id(socket), person->name);

    if (err < 0)
        return err;
    snprintf(person->rooms[person->rooms_len++], ZN_DEMO_NAME_SIZE, "%s", room);
    say_joined(demo, socket, room, person->name);
    return 0;
}

static int enter(struct zn_demo *demo, struct zn_socket *socket, struct person *person,
                 const char *room)
{
    char key[ROOM_KEY_SIZE];
    int err;

    if (find_own(person, room) >= 0)
        return 0;
    if (person->rooms_len == ROOMS_EACH)
        return -EMFILE;
    // First the room, then its list: nothing that is said in between can be missed.
    room_key(key, room);
    err = zn_join(socket, key);
    if (err < 0)
        return err;
    err = appear(demo, socket, person, room);
    if (err < 0)
        zn_leave(socket, key);
    return err;
}

static const char *why_not(int err)
{
    switch (err) {
    case -EMFILE:
        return "You are in many rooms already. Leave one first.";
    case -ENOSPC:
        return "There are too many rooms. Join one of them.";
    case -EUSERS:
        return "This room is full.";
    default:
        return "The server cannot do that now.";
    }
}

static void on_join(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_demo *demo = user;
    struct person *person = zn_socket_user(socket);
    json_t *object = take(demo, socket, event);
    char name[ZN_DEMO_NAME_SIZE], room[ZN_DEMO_NAME_SIZE];
    char *welcome;
    int err;

    if (object != NULL && take_text(socket, event, object, "name", false, name) &&
        take_text(socket, event, object, "room", false, room)) {
        if (strcmp(person->name, name) != 0)
            rename_person(demo, socket, person, name);
        err = enter(demo, socket, person, room);
        welcome = err == 0 ? zn__demo_rooms_welcome(demo->rooms, room, name) : NULL;
        if (welcome != NULL)
            answer(socket, event, welcome);
        else
            refuse(socket, event, why_not(err));
        free(welcome);
    }
    json_decref(object);
}

static void exit_room(struct zn_demo *demo, struct zn_socket *socket, const char *room)
{
    zn__demo_rooms_leave(demo->rooms, room, zn_socket_id(socket));
    tell(demo, room, socket, "left", 0,
         json_pack("{s:s,s:s}", "room", room, "id", zn_socket_id(socket)));
}

static void on_leave(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_demo *demo = user;
    struct person *person = zn_socket_user(socket);
    json_t *object = take(demo, socket, event);
    char room[ZN_DEMO_NAME_SIZE], key[ROOM_KEY_SIZE];
    int at;

    if (object != NULL && take_text(socket, event, object, "room", false, room)) {
        at = find_own(person, room);
        if (at >= 0) {
            room_key(key, room);
            zn_leave(socket, key);
            exit_room(demo, socket, room);
            person->rooms_len--;
            memmove(person->rooms[at], person->rooms[person->rooms_len], ZN_DEMO_NAME_SIZE);
        }
        answer(socket, event, "{\"ok\":true}");
    }
    json_decref(object);
}

// --- Messages -------------------------------------------------------------------------------

static void on_message(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_demo *demo = user;
    json_t *object = take(demo, socket, event);
    char room[ZN_DEMO_NAME_SIZE], key[ROOM_KEY_SIZE], text[ZN_DEMO_TEXT_SIZE];
    char *json = NULL;
    int err;

    if (object != NULL && take_text(socket, event, object, "room", false, room) &&
        take_text(socket, event, object, "text", true, text)) {
        err = zn__demo_rooms_say(demo->rooms, room, zn_socket_id(socket), text,
                                 zn_now_ms(demo->server), &json);
        if (err == 0) {
            room_key(key, room);
            zn_to(demo->ns, key, "message", &ZN_JSON(json));
            answer(socket, event, "{\"ok\":true}");
        } else {
            refuse(socket, event, err == -ENOENT ? "Join the room first." : why_not(err));
        }
        free(json);
    }
    json_decref(object);
}

static void on_typing(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct zn_demo *demo = user;
    json_t *object = take(demo, socket, event);
    char room[ZN_DEMO_NAME_SIZE], name[ZN_DEMO_NAME_SIZE];
    int on = json_is_true(json_object_get(object, "on"));

    if (object != NULL && take_text(socket, event, object, "room", false, room) &&
        zn__demo_rooms_find(demo->rooms, room, zn_socket_id(socket), name))
        tell(demo, room, socket, "typing", ZN_VOLATILE,
             json_pack("{s:s,s:s,s:s,s:b}", "room", room, "id", zn_socket_id(socket), "name", name,
                       "on", on));
    json_decref(object);
}

static void on_latency(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    struct person *person = zn_socket_user(socket);

    if (person != NULL && within_rate(user, person))
        answer(socket, event, "{\"ok\":true}");
}

// --- Coming and going -----------------------------------------------------------------------

struct recovery {
    struct zn_demo *demo;
    struct zn_socket *socket;
    struct person *person;
};

// The socket has been in this room all the time; the table of people lost sight of it.
static void recover_room(const char *key, void *user)
{
    struct recovery *recovery = user;

    if (strncmp(key, room_prefix, PREFIX_LEN) == 0 && recovery->person->rooms_len < ROOMS_EACH)
        appear(recovery->demo, recovery->socket, recovery->person, key + PREFIX_LEN);
}

static void recover(struct zn_demo *demo, struct zn_socket *socket, struct person *person)
{
    json_t *data = json_loads(zn_socket_data(socket), 0, NULL);
    const char *name = json_string_value(json_object_get(data, "name"));
    struct recovery recovery = { demo, socket, person };

    if (name != NULL && strlen(name) < sizeof person->name) {
        snprintf(person->name, sizeof person->name, "%s", name);
        zn_rooms(socket, recover_room, &recovery);
    }
    json_decref(data);
}

static void on_connection(struct zn_socket *socket, void *user)
{
    struct zn_demo *demo = user;
    struct person *person = calloc(1, sizeof *person);
    char *list;

    if (person == NULL) {
        zn_disconnect(socket, true);
        return;
    }
    person->credit = EVENTS_BURST;
    person->credit_ms = zn_now_ms(demo->server);
    zn_socket_set_user(socket, person);
    if (zn_socket_recovered(socket))
        recover(demo, socket, person);
    list = zn__demo_rooms_list(demo->rooms);
    if (list != NULL)
        zn_emit(socket, "rooms", &ZN_JSON(list));
    free(list);
}

static void on_disconnect(struct zn_socket *socket, const char *reason, void *user)
{
    struct person *person = zn_socket_user(socket);

    (void)reason;
    if (person == NULL)
        return;
    for (unsigned i = 0; i < person->rooms_len; i++)
        exit_room(user, socket, person->rooms[i]);
    zn_socket_set_user(socket, NULL);
    free(person);
}

// --- What everyone gets ---------------------------------------------------------------------

static void send_stats(struct zn_demo *demo)
{
    struct zn_stats stats;
    uint64_t now_ms = zn_now_ms(demo->server), messages, rate = 0;
    struct zn_target everyone = { .ns = demo->ns };
    char json[100];

    zn_server_stats(demo->server, &stats);
    messages = stats.messages_in + stats.messages_out;
    if (now_ms > demo->looked_ms && messages >= demo->messages)
        rate = (messages - demo->messages) * 1000 / (now_ms - demo->looked_ms);
    demo->messages = messages;
    demo->looked_ms = now_ms;
    snprintf(json, sizeof json, "{\"connections\":%llu,\"rate\":%llu}",
             (unsigned long long)stats.sockets_now, (unsigned long long)rate);
    zn_broadcast(&everyone, &(struct zn_message){
                                .event = "stats", .args = ZN_JSON(json), .flags = ZN_VOLATILE });
}

// On the first reactor, all the time.
static void tick(void *arg)
{
    struct zn_demo *demo = arg;

    if (zn__demo_rooms_changed(demo->rooms)) {
        char *list = zn__demo_rooms_list(demo->rooms);
        if (list != NULL)
            zn_to(demo->ns, NULL, "rooms", &ZN_JSON(list));
        free(list);
    }
    if (++demo->ticks % STATS_TICKS == 0)
        send_stats(demo);
    zn_after(demo->server, TICK_MS, tick, demo);
}

static int attach(struct zn_demo *demo)
{
    demo->ns = zn_of(demo->server, "/");
    if (demo->ns == NULL)
        return -ENOMEM;
    zn_on_connection(demo->ns, on_connection, demo);
    zn_on_disconnect(demo->ns, on_disconnect, demo);
    zn_on(demo->ns, "join", on_join, demo);
    zn_on(demo->ns, "leave", on_leave, demo);
    zn_on(demo->ns, "message", on_message, demo);
    zn_on(demo->ns, "typing", on_typing, demo);
    zn_on(demo->ns, "latency", on_latency, demo);
    return zn_post(demo->server, 0, tick, demo);
}

int zn__demo_create(struct zn_server *server, const char *path, struct zn_demo **demo_out)
{
    struct zn_demo *demo = calloc(1, sizeof *demo);
    int err;

    if (demo == NULL)
        return -ENOMEM;
    demo->server = server;
    *demo_out = demo;
    err = zn__demo_rooms_create(&demo->rooms);
    if (err == 0)
        err = zn__demo_page_create(server, path, &demo->page);
    return err < 0 ? err : attach(demo);
}

void zn__demo_destroy(struct zn_demo *demo)
{
    if (demo == NULL)
        return;
    zn__demo_page_destroy(demo->page);
    zn__demo_rooms_destroy(demo->rooms);
    free(demo);
}
