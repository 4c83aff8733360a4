// SPDX-License-Identifier: Apache-2.0
// CUBIC (RFC 9438) in integers: windows in bytes, time in ms, C = 0.4, beta = 0.7.
#include <stddef.h>

#include "tcp/stack.h"

enum {
    INITIAL_SEGMENTS = 10, // RFC 6928
    BETA_10 = 7,
    DT_MAX_MS = 100000, // keeps the cube inside 64 bits
    CWND_MAX = 1 << 30,
};

static uint32_t cube_root(uint64_t value)
{
    uint64_t root = 0;
    for (int bit = 21; bit >= 0; bit--) {
        uint64_t next = root | 1ull << bit;
        if (next * next * next <= value)
            root = next;
    }
    return (uint32_t)root;
}

void zn__cubic_init(struct zn_cubic *cubic, uint16_t mss)
{
    *cubic = (struct zn_cubic){ .cwnd = (uint32_t)INITIAL_SEGMENTS * mss, .ssthresh = CWND_MAX };
}

static void epoch_begin(struct zn_cubic *cubic, uint16_t mss, uint64_t now_us)
{
    cubic->epoch_us = now_us;
    cubic->w_est = cubic->cwnd;
    cubic->k_ms = 0;
    if (cubic->cwnd < cubic->w_max) // K = cbrt((W_max - cwnd) / C) seconds
        cubic->k_ms = cube_root((uint64_t)(cubic->w_max - cubic->cwnd) * 2500000000ull / mss);
    else
        cubic->w_max = cubic->cwnd;
}

// W_cubic(t) in bytes (RFC 9438 equation 1).
static int64_t window_at(const struct zn_cubic *cubic, uint16_t mss, uint64_t t_ms)
{
    int64_t dt = (int64_t)t_ms - cubic->k_ms;
    dt = dt > DT_MAX_MS ? DT_MAX_MS : dt < -DT_MAX_MS ? -DT_MAX_MS : dt;
    return cubic->w_max + dt * dt * dt / 1000 * 4 * mss / 10000000;
}

void zn__cubic_ack(struct zn_cubic *cubic, uint16_t mss, uint32_t acked, uint32_t srtt_us,
                   uint64_t now_us)
{
    if (cubic->cwnd < cubic->ssthresh) {
        cubic->cwnd += acked;
        if (cubic->cwnd > CWND_MAX)
            cubic->cwnd = CWND_MAX;
        return;
    }
    if (cubic->epoch_us == 0)
        epoch_begin(cubic, mss, now_us);
    uint64_t t_ms = (now_us - cubic->epoch_us + srtt_us) / 1000;
    int64_t target = window_at(cubic, mss, t_ms);
    int64_t most = (int64_t)cubic->cwnd * 3 / 2;
    target = target < cubic->cwnd ? cubic->cwnd : target > most ? most : target;
    // The Reno-friendly region (section 4.3): alpha = 3 (1 - beta) / (1 + beta) = 9/17.
    uint64_t grow = (uint64_t)acked * mss / cubic->cwnd;
    cubic->w_est += (uint32_t)(cubic->w_est < cubic->w_max ? grow * 9 / 17 : grow);
    if (cubic->w_est > target)
        cubic->cwnd = cubic->w_est > cubic->cwnd ? cubic->w_est : cubic->cwnd;
    else
        cubic->cwnd += (uint32_t)((uint64_t)(target - cubic->cwnd) * acked / cubic->cwnd);
    if (cubic->cwnd > CWND_MAX)
        cubic->cwnd = CWND_MAX;
}

static void back_off(struct zn_cubic *cubic, uint16_t mss, uint32_t flight)
{
    // Fast convergence (section 4.7).
    cubic->w_max = flight < cubic->w_max ? flight / 20 * (10 + BETA_10) : flight;
    uint32_t reduced = flight / 10 * BETA_10;
    cubic->ssthresh = reduced > 2u * mss ? reduced : 2u * mss;
    cubic->epoch_us = 0;
}

void zn__cubic_loss(struct zn_cubic *cubic, uint16_t mss)
{
    back_off(cubic, mss, cubic->cwnd);
    cubic->cwnd = cubic->ssthresh;
}

void zn__cubic_timeout(struct zn_cubic *cubic, uint16_t mss, uint32_t in_flight, bool first)
{
    if (first) // of this flight (RFC 5681 section 3.1)
        back_off(cubic, mss, in_flight);
    cubic->cwnd = mss;
}

void zn__cubic_idle(struct zn_cubic *cubic, uint16_t mss)
{
    uint32_t initial = (uint32_t)INITIAL_SEGMENTS * mss;
    if (cubic->cwnd > initial)
        cubic->cwnd = initial;
    cubic->epoch_us = 0;
}
