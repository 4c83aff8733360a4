// SPDX-License-Identifier: Apache-2.0
// What does it cost to route an event, from the text of a message to the handler of its name? The
// arguments are checked to be JSON but not parsed: the handler gets them as bytes. The row of the
// decoder tells how much of it that check and the packet's head are.
#include "micro.h"
#include "sink_server.h"

#include "core/engine.h"
#include "proto/sio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLERS = 100, TEXT_MAX = 20000 };

struct routing {
    struct sink_server sink;
    struct zn_session *session;
    uint64_t events;
    size_t len;
    char text[TEXT_MAX]; // as it came
    size_t name_end;     // the quote behind the name, where the router writes a NUL
};

static void handle(struct zn_socket *socket, const struct zn_event *event, void *user)
{
    (void)socket;
    ((struct routing *)user)->events += event->args.json_len > 0;
}

static void run_route(void *arg, size_t times)
{
    struct routing *routing = arg;
    uint64_t before = routing->events;
    for (size_t i = 0; i < times; i++) {
        zn__session_text(routing->session, (uint8_t *)routing->text, routing->len);
        routing->text[routing->name_end] = '"';
    }
    if (routing->events - before != times)
        abort();
}

static void run_decode(void *arg, size_t times)
{
    const struct routing *routing = arg;
    for (size_t i = 0; i < times; i++) {
        struct zn_sio_packet packet;
        if (zn__sio_decode((struct zn_slice){ routing->text + 1, routing->len - 1 }, &packet) < 0)
            abort();
        __asm__ volatile("" : : "r"(&packet) : "memory");
    }
}

// 42["event-57",..] with a string, or a list of objects, of about `len` bytes.
static void fill(struct routing *routing, bool objects, size_t len)
{
    static const char object[] = "{\"user\":\"alice\",\"x\":12.5,\"y\":-3,\"tags\":[\"a\",null]},";
    char *at = routing->text;
    at += sprintf(at, "42[\"event-57\",%c", objects ? '[' : '"');
    routing->name_end = sizeof("42[\"event-57") - 1;
    if (objects) {
        for (size_t n = 0; n < len; n += sizeof(object) - 1)
            at += sprintf(at, "%s", object);
        at[-1] = ']'; // instead of the last comma
        *at++ = ']';
    } else {
        memset(at, 'x', len);
        at += len;
        memcpy(at, "\"]", 2);
        at += 2;
    }
    routing->len = (size_t)(at - routing->text);
}

static void print_row(const struct routing *routing, const char *kind, const char *what,
                      struct micro_figure f)
{
    printf("%-8s %6zu B  %-14s %8.1f ns  (half of samples %.1f to %.1f, p99 %.1f)  %6.2f GB/s\n",
           kind, routing->len, what, f.median, f.low, f.high, f.p99,
           (double)routing->len / f.median);
}

static void measure(struct routing *routing, bool objects, size_t len)
{
    const char *kind = objects ? "objects" : "a string";
    fill(routing, objects, len);
    print_row(routing, kind, "routed", micro_measure(run_route, routing));
    print_row(routing, kind, "decoded only", micro_measure(run_decode, routing));
}

int main(void)
{
    static const size_t lengths[] = { 20, 64, 1024, 16384 };
    static struct routing routing;
    struct zn_io_options options = { 0 };
    micro_print_machine();
    sink_server_create(&routing.sink);
    if (zn_io(routing.sink.server, &options) < 0)
        abort();
    struct zn_namespace *root = zn_of(routing.sink.server, "/");
    for (int i = 0; i < HANDLERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "event-%d", i);
        zn_on(root, name, handle, &routing);
    }
    sink_server_start(&routing.sink);
    sink_server_connect_sio(&routing.sink);
    uint32_t cursor = 0;
    routing.session = zn__table_next(&routing.sink.reactor->sessions, &cursor);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        measure(&routing, false, lengths[i]);
        if (lengths[i] >= 64)
            measure(&routing, true, lengths[i]);
    }
    sink_server_stop(&routing.sink);
    return 0;
}
