// SPDX-License-Identifier: Apache-2.0
// What does a broadcast of 4 KB of JSON cost for 1, 100 and 10,000 receivers: as it is, deflated
// once for all of them (permessage-deflate without context takeover), and deflated for each (its
// window is not the common one; 100 receivers at the most, as the cost is theirs one by one)?
#include "micro.h"
#include "sink_server.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_LEN = 4096, EACH_MAX = 100 };

static char text[TEXT_LEN];

// A list of trades: what a feed sends, the same in every run.
static void text_fill(void)
{
    static const char *const names[] = { "ACME", "GLOBEX", "INITECH", "UMBRELLA" };
    uint32_t seed = 1;
    size_t len = 0;
    while (len < TEXT_LEN) {
        char item[128];
        seed = seed * 1664525 + 1013904223;
        int n = snprintf(item, sizeof(item),
                         "{\"symbol\":\"%s\",\"price\":%u.%02u,\"size\":%u,\"at\":%u},",
                         names[seed >> 30], seed >> 22 & 255, seed >> 12 & 63, seed >> 18 & 4095,
                         1795222874u + (seed >> 26));
        size_t room = TEXT_LEN - len;
        memcpy(text + len, item, (size_t)n < room ? (size_t)n : room);
        len += (size_t)n < room ? (size_t)n : room;
    }
}

struct broadcast {
    struct sink_server sink;
    struct zn_ws_endpoint *endpoint;
};

// One time is one broadcast, out to the last receiver.
static void run(void *arg, size_t times)
{
    struct broadcast *broadcast = arg;
    while (times--) {
        zn_ws_publish(broadcast->endpoint, text, TEXT_LEN, 0);
        sink_server_turn(&broadcast->sink);
    }
}

static void measure(const char *form, const char *extensions, unsigned receivers)
{
    static const struct zn_ws_handlers handlers = { 0 };
    static const struct zn_ws_options options = {
        .deflate = { .enabled = true, .no_context_takeover = true },
    };
    struct broadcast broadcast;
    sink_server_create(&broadcast.sink);
    broadcast.endpoint = zn_ws_attach(broadcast.sink.server, "/", &options, &handlers, &broadcast);
    sink_server_start(&broadcast.sink);
    for (unsigned i = 0; i < receivers; i++)
        sink_server_connect(&broadcast.sink, "/", extensions);
    uint64_t before = broadcast.sink.reactor->counters.bytes_out;
    run(&broadcast, 1);
    uint64_t bytes = (broadcast.sink.reactor->counters.bytes_out - before) / receivers;
    struct micro_figure f = micro_measure(run, &broadcast);
    printf("%-17s %5u receivers  %9.1f us  (half of samples %.1f to %.1f, p99 %.1f)  %8.0f ns a "
           "receiver  %4u B each\n",
           form, receivers, f.median / 1e3, f.low / 1e3, f.high / 1e3, f.p99 / 1e3,
           f.median / receivers, (unsigned)bytes);
    sink_server_stop(&broadcast.sink);
}

int main(void)
{
    static const unsigned receivers[] = { 1, 100, 10000 };
    micro_print_machine();
    text_fill();
    for (size_t i = 0; i < sizeof(receivers) / sizeof(*receivers); i++) {
        measure("plain", "", receivers[i]);
        measure("deflated once", "Sec-WebSocket-Extensions: permessage-deflate\r\n", receivers[i]);
        if (receivers[i] <= EACH_MAX)
            measure("deflated for each",
                    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n",
                    receivers[i]);
    }
    return 0;
}
