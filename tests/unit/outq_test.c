// SPDX-License-Identifier: Apache-2.0
// The output queue, with one entry (which stands in the queue itself) and with more.
#include "core/outq.h"

#include "proto/ws.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct zn_arena arena;
static struct zn_outq queue;

static int setup(void **state)
{
    (void)state;
    zn__arena_init(&arena);
    queue = (struct zn_outq){ 0 };
    return 0;
}

// All references are given back.
static int teardown(void **state)
{
    (void)state;
    zn__outq_deinit(&queue);
    assert_true(arena.current == NULL || arena.current->refs == 1);
    zn__arena_deinit(&arena);
    return 0;
}

// A frame with this text, right behind the one made before.
static struct zn_run frame(const char *text)
{
    size_t len = strlen(text);
    uint8_t *at = zn__arena_reserve(&arena, ZN_WS_HEAD_MAX + len);
    size_t head = zn__ws_head_write(at, 0x80 | ZN_WS_TEXT, len);
    memcpy(at + head, text, len);
    return zn__arena_commit(&arena, head + len);
}

static void push(const char *text, unsigned flags)
{
    struct zn_run run = frame(text);
    assert_int_equal(zn__outq_push(&queue, &run, flags), 0);
    zn__run_drop(&run);
}

// What lies between two frames, so that they do not join.
static void gap(void)
{
    struct zn_run run = frame("gap");
    zn__run_drop(&run);
}

// The texts of whole frames that are queued, each with ' ' behind; `entries` is their number of
// runs.
static void expect(const char *texts, unsigned entries)
{
    struct iovec iov[16];
    uint8_t bytes[256];
    char got[256] = "";
    size_t len, at = 0;
    unsigned n = zn__outq_gather(&queue, 0, iov, 16, &len);
    assert_int_equal(n, entries);
    assert_int_equal(len, queue.bytes);
    for (unsigned i = 0; i < n; i++) {
        memcpy(bytes + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    for (size_t i = 0; i < len; i += 2 + (size_t)bytes[i + 1])
        sprintf(got + strlen(got), "%.*s ", bytes[i + 1], (char *)bytes + i + 2);
    assert_string_equal(got, texts);
}

static void neighbours_become_one_entry(void **state)
{
    (void)state;
    push("one", 0);
    push("two", 0);
    expect("one two ", 1);
}

static void strangers_are_entries_of_their_own(void **state)
{
    (void)state;
    push("one", 0);
    gap();
    push("two", 0);
    gap();
    push("three", 0);
    expect("one two three ", 3);
}

static void flags_that_differ_keep_neighbours_apart(void **state)
{
    (void)state;
    push("one", 0);
    push("two", ZN_OUT_VOLATILE);
    push("three", ZN_OUT_VOLATILE);
    expect("one two three ", 2);
}

static void only_entry_is_popped_in_parts(void **state)
{
    (void)state;
    push("one", 0);
    push("two", 0);
    zn__outq_pop(&queue, 5);
    expect("two ", 1);
    zn__outq_pop(&queue, 2);
    assert_int_equal(queue.pinned, 3); // the rest of a message begun
    zn__outq_pop(&queue, 3);
    assert_true(zn__outq_empty(&queue));
    push("three", 0);
    expect("three ", 1);
}

static void entries_are_popped_to_the_last(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        push("x", 0);
        gap();
    }
    expect("x x x x x x x x x ", 9);
    zn__outq_pop(&queue, (size_t)8 * 3);
    expect("x ", 1);
    push("y", 0);
    expect("x y ", 2);
    zn__outq_pop(&queue, 6);
    push("z", 0);
    expect("z ", 1);
}

static void only_entry_is_dropped_message_by_message(void **state)
{
    (void)state;
    push("one", ZN_OUT_VOLATILE);
    push("two", ZN_OUT_VOLATILE);
    assert_true(zn__outq_drop_oldest(&queue, true));
    expect("two ", 1);
    assert_true(zn__outq_drop_oldest(&queue, true));
    assert_false(zn__outq_drop_oldest(&queue, true));
    push("three", 0);
    expect("three ", 1);
}

static void only_entry_is_split_behind_a_message_begun(void **state)
{
    (void)state;
    push("one", 0);
    push("two", 0);
    push("three", 0);
    queue.pinned = 5; // the datapath holds the first
    assert_true(zn__outq_drop_oldest(&queue, false));
    expect("one three ", 2);
}

static void queues_of_any_length_move_behind_another(void **state)
{
    (void)state;
    struct zn_outq other = { 0 };
    for (unsigned len = 1; len <= 3; len++) {
        struct zn_run run = frame("moved");
        assert_int_equal(zn__outq_push(&other, &run, len == 1 ? 0 : ZN_OUT_GROUP), 0);
        zn__run_drop(&run);
        gap();
        if (len == 2)
            continue;
        assert_int_equal(zn__outq_move(&queue, &other), 0);
        assert_true(zn__outq_empty(&other));
    }
    expect("moved moved moved ", 3);
}

static void queue_with_too_many_entries_takes_no_more(void **state)
{
    (void)state;
    struct zn_run run = frame("x");
    for (unsigned i = 0; i < ZN_OUTQ_ENTRIES_MAX; i++)
        assert_int_equal(zn__outq_push(&queue, &run, ZN_OUT_GROUP), 0);
    assert_int_equal(zn__outq_push(&queue, &run, ZN_OUT_GROUP), -ENOBUFS);
    zn__run_drop(&run);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(neighbours_become_one_entry),
        TEST(strangers_are_entries_of_their_own),
        TEST(flags_that_differ_keep_neighbours_apart),
        TEST(only_entry_is_popped_in_parts),
        TEST(entries_are_popped_to_the_last),
        TEST(only_entry_is_dropped_message_by_message),
        TEST(only_entry_is_split_behind_a_message_begun),
        TEST(queues_of_any_length_move_behind_another),
        TEST(queue_with_too_many_entries_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
