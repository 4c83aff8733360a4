// SPDX-License-Identifier: Apache-2.0
// See unfinished.h.
#include "unfinished.h"

#include "server.h"

enum { STEP_MAX = 64 * 1024 };

// Bytes that a reactor claims at a time: all of them can have two steps to spare.
static size_t claim_step(const struct zn_server *server)
{
    size_t step = server->options.unfinished_max / 16 / server->threads;
    return step < STEP_MAX ? step : STEP_MAX;
}

// Adds `len` bytes to the reactor's share, if the limit has them left.
static bool claim(struct zn_reactor *reactor, size_t len)
{
    struct zn_server *server = reactor->server;
    size_t max = server->options.unfinished_max;
    size_t all = atomic_load_explicit(&server->unfinished_claimed, memory_order_relaxed);
    do {
        if (len > max || all > max - len)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&server->unfinished_claimed, &all, all + len,
                                                    memory_order_relaxed, memory_order_relaxed));
    reactor->unfinished_claimed += len;
    return true;
}

static size_t in_use(const struct zn_reactor *reactor)
{
    return (size_t)atomic_load_explicit(&reactor->counters.unfinished_now, memory_order_relaxed);
}

int zn__unfinished_take(struct zn_reactor *reactor, size_t len)
{
    size_t spare = reactor->unfinished_claimed - in_use(reactor);
    if (len > spare) {
        size_t lacking = len - spare;
        size_t step = claim_step(reactor->server);
        if ((lacking > SIZE_MAX - step || !claim(reactor, lacking + step)) &&
            !claim(reactor, lacking)) {
            ZN_COUNT(reactor, unfinished_refused, 1);
            return -ENOBUFS;
        }
    }
    ZN_COUNT(reactor, unfinished_now, (int64_t)len);
    return 0;
}

void zn__unfinished_give(struct zn_reactor *reactor, size_t len)
{
    ZN_COUNT(reactor, unfinished_now, -(int64_t)len);
    size_t step = claim_step(reactor->server);
    size_t spare = reactor->unfinished_claimed - in_use(reactor);
    if (spare <= 2 * step)
        return;
    size_t back = spare - step;
    reactor->unfinished_claimed -= back;
    atomic_fetch_sub_explicit(&reactor->server->unfinished_claimed, back, memory_order_relaxed);
}

int zn__unfinished_room(struct zn_reactor *reactor, struct zn_buffer **buffer, size_t more)
{
    size_t growth = zn__buffer_growth(*buffer, more);
    if (growth == 0)
        return 0;
    int err = zn__unfinished_take(reactor, growth);
    if (err == 0 && (err = zn__buffer_room(buffer, more)) < 0)
        zn__unfinished_give(reactor, growth);
    return err;
}

int zn__unfinished_add(struct zn_reactor *reactor, struct zn_buffer **buffer, const void *p,
                       size_t len)
{
    int err = zn__unfinished_room(reactor, buffer, len);
    return err < 0 ? err : zn__buffer_add(buffer, p, len);
}

void zn__unfinished_free(struct zn_reactor *reactor, struct zn_buffer *buffer)
{
    if (buffer == NULL)
        return;
    zn__unfinished_give(reactor, buffer->cap);
    free(buffer);
}
