// SPDX-License-Identifier: Apache-2.0
// What an application may have run on a reactor: zn_post() from any thread, zn_after() and
// zn_cancel() on its own.
#include "mem_server.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct mem_server mem;
static struct zn_alarm *alarms[3];

static int setup(void **state)
{
    (void)state;
    mem_server_start(&mem, NULL);
    zn__reactor_enter(mem.reactor);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_server_stop(&mem);
    return 0;
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void *post_from_elsewhere(void *arg)
{
    return (void *)(intptr_t)zn_post(mem.server, 0, count, arg);
}

static void post_from_another_thread_runs_on_the_reactor(void **state)
{
    unsigned calls = 0;
    pthread_t thread;
    void *err = &thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post_from_elsewhere, &calls), 0);
    assert_int_equal(pthread_join(thread, &err), 0);
    assert_null(err);
    assert_int_equal(calls, 0);
    mem_server_settle(&mem);
    assert_int_equal(calls, 1);
    assert_int_equal(zn_post(mem.server, 1, count, &calls), -EINVAL);
}

static void post_to_full_mailbox_is_refused_and_the_rest_run(void **state)
{
    unsigned calls = 0, taken = 0;
    int err;
    (void)state;
    while ((err = zn_post(mem.server, 0, count, &calls)) == 0 && taken < 1u << 24)
        taken++;
    assert_int_equal(err, -EAGAIN);
    mem_server_settle(&mem);
    assert_int_equal(calls, taken);
    assert_int_equal(zn_post(mem.server, 0, count, &calls), 0);
    mem_server_settle(&mem);
    assert_int_equal(calls, taken + 1);
}

static void after_fires_once_at_its_millisecond(void **state)
{
    unsigned calls = 0;
    (void)state;
    assert_non_null(zn_after(mem.server, 50, count, &calls));
    mem_server_wait(&mem, 49);
    assert_int_equal(calls, 0);
    mem_server_wait(&mem, 1);
    assert_int_equal(calls, 1);
    mem_server_wait(&mem, 100);
    assert_int_equal(calls, 1);
}

static void cancel_two_others(void *arg)
{
    count(arg);
    zn_cancel(alarms[1]);
    zn_cancel(alarms[2]);
}

static void cancel_keeps_others_from_firing(void **state)
{
    unsigned calls = 0;
    (void)state;
    zn_cancel(NULL);
    zn_cancel(zn_after(mem.server, 10, count, &calls));
    alarms[0] = zn_after(mem.server, 20, cancel_two_others, &calls);
    alarms[1] = zn_after(mem.server, 20, count, &calls); // due in the same turn
    alarms[2] = zn_after(mem.server, 30, count, &calls);
    mem_server_skip(&mem, 20);
    mem_server_wait(&mem, 50);
    assert_int_equal(calls, 1);
}

static void *after_from_elsewhere(void *arg)
{
    return zn_after(mem.server, 1, count, arg);
}

static void after_off_the_reactor_is_refused(void **state)
{
    unsigned calls = 0;
    pthread_t thread;
    void *alarm = &thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, after_from_elsewhere, &calls), 0);
    assert_int_equal(pthread_join(thread, &alarm), 0);
    assert_null(alarm);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(post_from_another_thread_runs_on_the_reactor),
        CASE(post_to_full_mailbox_is_refused_and_the_rest_run),
        CASE(after_fires_once_at_its_millisecond),
        CASE(cancel_keeps_others_from_firing),
        CASE(after_off_the_reactor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
