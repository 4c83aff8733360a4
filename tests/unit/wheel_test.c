// SPDX-License-Identifier: Apache-2.0
// The timing wheel against a list that is searched.
#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { TIMERS = 500 };

struct model {
    struct zn_wheel wheel;
    struct zn_timer timers[TIMERS];
    uint64_t due[TIMERS]; // UINT64_MAX: not armed
    uint64_t now_ms;
    uint64_t seed;
};

static uint64_t draw(struct model *model, uint64_t below)
{
    model->seed = model->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (model->seed >> 20) % below;
}

static void model_init(struct model *model, uint64_t now_ms, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    memset(model->due, 0xff, sizeof model->due);
    model->now_ms = now_ms;
    model->seed = seed;
    zn__wheel_init(&model->wheel, now_ms);
}

static uint64_t model_first(const struct model *model)
{
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++)
        first = model->due[i] < first ? model->due[i] : first;
    return first;
}

static void model_set(struct model *model, size_t index, uint64_t due_ms)
{
    zn__wheel_set(&model->wheel, &model->timers[index], due_ms);
    model->due[index] = due_ms;
    assert_true(zn__timer_armed(&model->timers[index]));
}

// Pops all that is due and checks that it is what the list says, in order.
static void model_pop(struct model *model)
{
    struct zn_timer *timer;
    uint64_t before = 0;
    while ((timer = zn__wheel_pop(&model->wheel, model->now_ms))) {
        size_t index = (size_t)(timer - model->timers);
        assert_in_range(index, 0, TIMERS - 1);
        assert_false(zn__timer_armed(timer));
        assert_true(model->due[index] <= model->now_ms);
        uint64_t due = model->due[index];
        assert_true(due >= before || due <= model->wheel.now_ms);
        before = due;
        model->due[index] = UINT64_MAX;
    }
    assert_true(model_first(model) > model->now_ms);
}

static void model_check(const struct model *model)
{
    size_t armed = 0;
    for (int i = 0; i < TIMERS; i++) {
        armed += model->due[i] != UINT64_MAX;
        assert_int_equal(zn__timer_armed(&model->timers[i]), model->due[i] != UINT64_MAX);
    }
    assert_int_equal(model->wheel.armed, armed);
    uint64_t next = zn__wheel_next(&model->wheel), first = model_first(model);
    if (first == UINT64_MAX)
        assert_true(next == UINT64_MAX);
    else
        assert_true(next <= first || next <= model->now_ms);
}

static void random_operations(uint64_t start_ms, uint64_t span_ms, uint64_t seed)
{
    static struct model model;
    model_init(&model, start_ms, seed);
    for (int step = 0; step < 20000; step++) {
        size_t index = (size_t)draw(&model, TIMERS);
        switch (draw(&model, 8)) {
        case 0:
        case 1:
        case 2:
            model_set(&model, index, model.now_ms + draw(&model, span_ms));
            break;
        case 3:
            model_set(&model, index, model.now_ms - draw(&model, 3));
            break;
        case 4:
            zn__wheel_cancel(&model.wheel, &model.timers[index]);
            model.due[index] = UINT64_MAX;
            break;
        case 5: // exactly when the wheel wants it
            if (zn__wheel_next(&model.wheel) != UINT64_MAX &&
                zn__wheel_next(&model.wheel) > model.now_ms)
                model.now_ms = zn__wheel_next(&model.wheel);
            model_pop(&model);
            break;
        default:
            model.now_ms += draw(&model, draw(&model, 4) ? 5 : span_ms / 4 + 1);
            model_pop(&model);
        }
        if (step % 16 == 0)
            model_check(&model);
    }
}

static void operations_at_random_equal_sorted_list(void **state)
{
    (void)state;
    static const uint64_t spans[] = { 10, 64, 65, 1000, 4096, 30000, 300000, 20000000, 1u << 31 };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        random_operations(3, spans[i], i + 1);
        random_operations((UINT64_C(1) << 36) - 100, spans[i], i + 100);
        random_operations(UINT64_C(1700000000000), spans[i], i + 200);
    }
}

static void timer_at_each_distance_fires_at_its_millisecond(void **state)
{
    (void)state;
    static struct zn_wheel wheel;
    struct zn_timer timer = { 0 };
    for (uint64_t start = 0; start < 130; start += 13) {
        for (uint64_t distance = 1; distance < UINT64_C(1) << 40; distance = distance * 5 / 4 + 1) {
            zn__wheel_init(&wheel, start);
            uint64_t due = start + distance;
            zn__wheel_set(&wheel, &timer, due);
            for (uint64_t next; (next = zn__wheel_next(&wheel)) < due;)
                assert_null(zn__wheel_pop(&wheel, next));
            assert_null(zn__wheel_pop(&wheel, due - 1));
            assert_ptr_equal(zn__wheel_pop(&wheel, due), &timer);
        }
    }
}

static void pop_after_long_pause_gives_order_of_due_times(void **state)
{
    (void)state;
    static struct zn_wheel wheel;
    static struct zn_timer timers[1000];
    zn__wheel_init(&wheel, 77);
    for (unsigned i = 0; i < 1000; i++)
        zn__wheel_set(&wheel, &timers[(i * 7) % 1000], 78 + i * 13);
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        struct zn_timer *timer = zn__wheel_pop(&wheel, 1000000);
        assert_non_null(timer);
        assert_true(zn__timer_due(timer) > before);
        before = zn__timer_due(timer);
    }
    assert_null(zn__wheel_pop(&wheel, 1000000));
    assert_true(zn__wheel_next(&wheel) == UINT64_MAX);
}

static void timer_armed_twice_fires_once(void **state)
{
    (void)state;
    static struct zn_wheel wheel;
    struct zn_timer timer = { .kind = 7 };
    zn__wheel_init(&wheel, 0);
    zn__wheel_set(&wheel, &timer, 10);
    zn__wheel_set(&wheel, &timer, 5000);
    assert_int_equal(wheel.armed, 1);
    assert_null(zn__wheel_pop(&wheel, 4999));
    assert_ptr_equal(zn__wheel_pop(&wheel, 5000), &timer);
    assert_int_equal(timer.kind, 7);
    assert_null(zn__wheel_pop(&wheel, 10000));
    zn__wheel_cancel(&wheel, &timer);
    assert_int_equal(wheel.armed, 0);
}

static void cancel_of_last_timer_leaves_nothing_to_wait_for(void **state)
{
    (void)state;
    static struct zn_wheel wheel;
    struct zn_timer first = { 0 }, second = { 0 };
    for (uint64_t due = 1; due < UINT64_C(1) << 40; due *= 3) {
        zn__wheel_init(&wheel, 0);
        zn__wheel_set(&wheel, &first, due);
        zn__wheel_set(&wheel, &second, due);
        zn__wheel_cancel(&wheel, &first);
        assert_true(zn__wheel_next(&wheel) <= due);
        zn__wheel_cancel(&wheel, &second);
        assert_true(zn__wheel_next(&wheel) == UINT64_MAX);
    }
}

static void timer_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct zn_timer) <= 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_at_random_equal_sorted_list),
        cmocka_unit_test(timer_at_each_distance_fires_at_its_millisecond),
        cmocka_unit_test(pop_after_long_pause_gives_order_of_due_times),
        cmocka_unit_test(timer_armed_twice_fires_once),
        cmocka_unit_test(cancel_of_last_timer_leaves_nothing_to_wait_for),
        cmocka_unit_test(timer_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
