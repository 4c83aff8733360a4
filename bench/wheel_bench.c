// SPDX-License-Identifier: Apache-2.0
// What does a millisecond cost the timing wheel with a million heartbeats of 25 s armed, and with
// none? Each timer that fires is armed again, so a tick of the full wheel fires 40.
#include "core/wheel.h"
#include "micro.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTERVAL_MS = 25000, MANY = 1000000 };

struct load {
    struct zn_wheel wheel;
    struct zn_timer *timers;
    size_t len, at;
    uint64_t now_ms, fired, ticks;
};

static void run_ticks(void *arg, size_t times)
{
    struct load *load = arg;
    load->ticks += times;
    while (times--) {
        load->now_ms++;
        for (struct zn_timer *timer; (timer = zn__wheel_pop(&load->wheel, load->now_ms));) {
            zn__wheel_set(&load->wheel, timer, load->now_ms + INTERVAL_MS);
            load->fired++;
        }
    }
}

// What each message of a client does: its timeout moves on.
static void run_moves(void *arg, size_t times)
{
    struct load *load = arg;
    while (times--) {
        load->at = (load->at + 7919) % load->len;
        zn__wheel_set(&load->wheel, &load->timers[load->at], load->now_ms + INTERVAL_MS);
    }
}

static void load_init(struct load *load, size_t len)
{
    *load = (struct load){ .len = len, .timers = calloc(len + 1, sizeof *load->timers) };
    if (!load->timers)
        abort();
    zn__wheel_init(&load->wheel, 0);
    for (size_t i = 0; i < len; i++)
        zn__wheel_set(&load->wheel, &load->timers[i], 1 + i * INTERVAL_MS / len);
}

static void print_row(const char *what, size_t len, struct micro_figure f)
{
    printf("%8zu timers  %-15s %8.1f ns  (half of samples %.1f to %.1f, p99 %.1f)\n", len, what,
           f.median, f.low, f.high, f.p99);
}

int main(void)
{
    static const size_t lengths[] = { 0, 10000, MANY };
    micro_print_machine();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        static struct load load;
        load_init(&load, lengths[i]);
        run_ticks(&load, 2 * INTERVAL_MS);
        load.fired = load.ticks = 0;
        struct micro_figure tick = micro_measure(run_ticks, &load);
        print_row("a tick", load.len, tick);
        if (load.len) {
            printf("                 of which fired  %6.1f timers\n",
                   (double)load.fired / (double)load.ticks);
            print_row("moving a timer", load.len, micro_measure(run_moves, &load));
        }
        free(load.timers);
    }
    return 0;
}
