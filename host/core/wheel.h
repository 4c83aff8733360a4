// SPDX-License-Identifier: Apache-2.0
// Hierarchical timing wheel with ticks of one millisecond. Timers are intrusive: whoever
// embeds a `struct zn_timer` owns it and must cancel it before freeing it.
//
// Thread: the reactor's own; one wheel a reactor. The wheel reads no clock, it is told the time.
//
// Eight levels of 64 slots. A timer stands in the level of the highest 6-bit digit in which its
// due time differs from the wheel's time, so it moves at most seven times however far away it is,
// and the time between two due timers is skipped by bitmap, not walked.
#ifndef ZN_WHEEL_H
#define ZN_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ZN_WHEEL_BITS = 6,
    ZN_WHEEL_SLOTS = 1 << ZN_WHEEL_BITS,
    ZN_WHEEL_LEVELS = 8,
};

// 24 bytes. All zeroes is a valid, unarmed timer.
struct zn_timer {
    struct zn_timer *next;
    struct zn_timer **link; // what points here; NULL: not armed
    uint32_t due_low;
    uint16_t due_high;
    uint8_t kind;  // the owner's: tells what the timer is embedded in
    uint8_t spare; // the owner's
};

struct zn_wheel {
    uint64_t now_ms; // everything up to here has been popped or stands in `expired`
    size_t armed;    // timers in the wheel
    struct zn_timer *expired;
    uint64_t occupied[ZN_WHEEL_LEVELS]; // a bit for each slot that is not empty
    struct zn_timer *slots[ZN_WHEEL_LEVELS * ZN_WHEEL_SLOTS];
};

void zn__wheel_init(struct zn_wheel *wheel, uint64_t now_ms);

// Arms `timer`, or moves it if it is armed already. A due time that has passed makes it come with
// the next pop. Times are below 2^48 ms; later ones are taken as 2^48 - 1.
void zn__wheel_set(struct zn_wheel *wheel, struct zn_timer *timer, uint64_t due_ms);

// Disarms `timer`; nothing happens if it is not armed.
void zn__wheel_cancel(struct zn_wheel *wheel, struct zn_timer *timer);

static inline bool zn__timer_armed(const struct zn_timer *timer)
{
    return timer->link != NULL;
}

static inline uint64_t zn__timer_due(const struct zn_timer *timer)
{
    return (uint64_t)timer->due_high << 32 | timer->due_low;
}

// Takes the next timer that is due at `now_ms` out of the wheel, in order of due times (in no
// particular order within one millisecond); NULL: none. Never early. `now_ms` must not go back;
// if it does, the wheel's own time counts.
struct zn_timer *zn__wheel_pop(struct zn_wheel *wheel, uint64_t now_ms);

// A time at which the wheel wants to be looked at: never later than the first due time, perhaps
// earlier (when timers move down a level). UINT64_MAX: nothing is armed.
uint64_t zn__wheel_next(const struct zn_wheel *wheel);

#endif
