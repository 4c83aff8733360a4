// SPDX-License-Identifier: Apache-2.0
// Hierarchical timing wheel. See wheel.h.
#include "wheel.h"

#include <string.h>

static const uint64_t due_max = (UINT64_C(1) << (ZN_WHEEL_BITS * ZN_WHEEL_LEVELS)) - 1;

static void list_push(struct zn_timer **head, struct zn_timer *timer)
{
    timer->next = *head;
    timer->link = head;
    if (*head)
        (*head)->link = &timer->next;
    *head = timer;
}

static void list_unlink(struct zn_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
    timer->next = NULL;
}

static void wheel_place(struct zn_wheel *wheel, struct zn_timer *timer, uint64_t due)
{
    if (due <= wheel->now_ms) {
        list_push(&wheel->expired, timer);
        return;
    }
    unsigned top_bit = 63 - (unsigned)__builtin_clzll(due ^ wheel->now_ms);
    unsigned level = top_bit / ZN_WHEEL_BITS;
    unsigned slot = (unsigned)(due >> (level * ZN_WHEEL_BITS)) % ZN_WHEEL_SLOTS;
    list_push(&wheel->slots[level * ZN_WHEEL_SLOTS + slot], timer);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

void zn__wheel_init(struct zn_wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now_ms = now_ms < due_max ? now_ms : due_max;
}

void zn__wheel_set(struct zn_wheel *wheel, struct zn_timer *timer, uint64_t due_ms)
{
    uint64_t due = due_ms < due_max ? due_ms : due_max;
    zn__wheel_cancel(wheel, timer);
    timer->due_low = (uint32_t)due;
    timer->due_high = (uint16_t)(due >> 32);
    wheel_place(wheel, timer, due);
    wheel->armed++;
}

void zn__wheel_cancel(struct zn_wheel *wheel, struct zn_timer *timer)
{
    if (!timer->link)
        return;
    uintptr_t offset = (uintptr_t)timer->link - (uintptr_t)wheel->slots;
    if (offset < sizeof wheel->slots && !timer->next) {
        size_t index = offset / sizeof wheel->slots[0];
        wheel->occupied[index / ZN_WHEEL_SLOTS] &= ~(UINT64_C(1) << index % ZN_WHEEL_SLOTS);
    }
    list_unlink(timer);
    wheel->armed--;
}

// The lowest level that is not empty holds the earliest slot: a timer of a level shares all
// higher digits with the wheel's time, those of higher levels lie beyond.
static unsigned first_level(const struct zn_wheel *wheel)
{
    unsigned level = 0;
    while (level < ZN_WHEEL_LEVELS && !wheel->occupied[level])
        level++;
    return level;
}

static uint64_t slot_time(const struct zn_wheel *wheel, unsigned level)
{
    unsigned shift = level * ZN_WHEEL_BITS;
    uint64_t slot = (uint64_t)__builtin_ctzll(wheel->occupied[level]);
    uint64_t above = wheel->now_ms >> (shift + ZN_WHEEL_BITS) << (shift + ZN_WHEEL_BITS);
    return above | slot << shift;
}

// Moves the timers of the first slot down, now that its time has come.
static void wheel_cascade(struct zn_wheel *wheel, unsigned level)
{
    unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
    struct zn_timer *timer = wheel->slots[level * ZN_WHEEL_SLOTS + slot];
    wheel->slots[level * ZN_WHEEL_SLOTS + slot] = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while (timer) {
        struct zn_timer *next = timer->next;
        if (next)
            __builtin_prefetch(next);
        wheel_place(wheel, timer, zn__timer_due(timer));
        timer = next;
    }
}

struct zn_timer *zn__wheel_pop(struct zn_wheel *wheel, uint64_t now_ms)
{
    while (!wheel->expired) {
        unsigned level = first_level(wheel);
        uint64_t next = level < ZN_WHEEL_LEVELS ? slot_time(wheel, level) : UINT64_MAX;
        if (next > now_ms) {
            if (now_ms > wheel->now_ms)
                wheel->now_ms = now_ms < due_max ? now_ms : due_max;
            return NULL;
        }
        wheel->now_ms = next;
        wheel_cascade(wheel, level);
    }
    struct zn_timer *timer = wheel->expired;
    list_unlink(timer);
    wheel->armed--;
    return timer;
}

uint64_t zn__wheel_next(const struct zn_wheel *wheel)
{
    if (wheel->expired)
        return wheel->now_ms;
    unsigned level = first_level(wheel);
    return level < ZN_WHEEL_LEVELS ? slot_time(wheel, level) : UINT64_MAX;
}
