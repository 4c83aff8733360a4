// SPDX-License-Identifier: Apache-2.0
// The ring between two threads.
#include "core/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>

static void *item(uintptr_t number)
{
    return (void *)(number + 1);
}

static void init_of_odd_capacity_is_refused(void **state)
{
    (void)state;
    struct zn_ring ring;
    assert_int_equal(zn__ring_init(&ring, 0), -EINVAL);
    assert_int_equal(zn__ring_init(&ring, 12), -EINVAL);
    assert_int_equal(zn__ring_init(&ring, 1), 0);
    zn__ring_deinit(&ring);
}

static void push_to_full_ring_fails_and_order_is_kept(void **state)
{
    (void)state;
    struct zn_ring ring;
    assert_int_equal(zn__ring_init(&ring, 8), 0);
    uintptr_t pushed = 0, popped = 0;
    for (int round = 0; round < 50; round++) {
        unsigned want = (unsigned)round % 9;
        for (unsigned i = 0; i < want; i++)
            assert_true(zn__ring_push(&ring, item(pushed++)));
        if (want == 8)
            assert_false(zn__ring_push(&ring, item(pushed)));
        for (unsigned i = 0; i < want; i++)
            assert_ptr_equal(zn__ring_pop(&ring), item(popped++));
        assert_null(zn__ring_pop(&ring));
    }
    zn__ring_deinit(&ring);
}

enum { ITEMS = 300000 };

struct payload {
    uintptr_t number;
};

static struct payload payloads[ITEMS];

static void *push_all(void *argument)
{
    struct zn_ring *ring = argument;
    for (uintptr_t i = 0; i < ITEMS; i++) {
        payloads[i].number = i; // plain memory: the ring has to publish it
        while (!zn__ring_push(ring, &payloads[i]))
            sched_yield();
    }
    return NULL;
}

static void items_between_threads_arrive_in_order_with_contents(void **state)
{
    (void)state;
    struct zn_ring ring;
    pthread_t thread;
    assert_int_equal(zn__ring_init(&ring, 64), 0);
    assert_int_equal(pthread_create(&thread, NULL, push_all, &ring), 0);
    for (uintptr_t i = 0; i < ITEMS;) {
        struct payload *payload = zn__ring_pop(&ring);
        if (!payload) {
            sched_yield();
            continue;
        }
        assert_ptr_equal(payload, &payloads[i]);
        assert_int_equal(payload->number, i);
        i++;
    }
    pthread_join(thread, NULL);
    assert_null(zn__ring_pop(&ring));
    zn__ring_deinit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_of_odd_capacity_is_refused),
        cmocka_unit_test(push_to_full_ring_fails_and_order_is_kept),
        cmocka_unit_test(items_between_threads_arrive_in_order_with_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
