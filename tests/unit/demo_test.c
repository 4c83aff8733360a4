// SPDX-License-Identifier: Apache-2.0
// The demo's rooms and what may be written in them.
#include "service/demo_rooms.h"
#include "service/demo_text.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

static struct zn_demo_rooms *rooms;

static int set_up(void **state)
{
    (void)state;
    return zn__demo_rooms_create(&rooms);
}

static int tear_down(void **state)
{
    (void)state;
    zn__demo_rooms_destroy(rooms);
    return 0;
}

static int clean(const char *text, unsigned chars_max, bool lines, char out[64])
{
    return zn__demo_text(text, strlen(text), chars_max, lines, out);
}

static void text_white_space_around_is_cut(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(clean(" \t Ada L. \n", 10, false, out), 6);
    assert_string_equal(out, "Ada L.");
    assert_int_equal(clean(" \n\t ", 10, false, out), -ENODATA);
    assert_int_equal(clean("", 10, false, out), -ENODATA);
}

static void text_length_counts_characters(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(clean("aß水🎉", 4, false, out), 10);
    assert_int_equal(clean("aß水🎉b", 4, false, out), -EMSGSIZE);
}

static void text_control_characters_are_refused(void **state)
{
    static const char *const bad[] = { "a\x01z",        "a\nz",           "a\x7fz",
                                       "a\xc2\x85z",    "a\xe2\x80\xaez", "a\xe2\x81\xa6z",
                                       "a\xe2\x80\xa8z" };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(clean(bad[i], 10, false, out), -EINVAL);
    assert_int_equal(clean("a\nb\tc", 10, true, out), 5);
    assert_int_equal(clean("a\x1b[31m", 10, true, out), -EINVAL);
}

static json_t *welcome(const char *room)
{
    char *text = zn__demo_rooms_welcome(rooms, room, "Ada");
    json_t *json = json_loads(text != NULL ? text : "", 0, NULL);

    free(text);
    return json;
}

static int say(const char *room, const char *id, const char *text)
{
    char *json = NULL;
    int rc = zn__demo_rooms_say(rooms, room, id, text, 1, &json);

    free(json);
    return rc;
}

static void room_keeps_last_messages_in_order(void **state)
{
    char text[32];

    (void)state;
    assert_int_equal(zn__demo_rooms_join(rooms, "r", "a", "Ada"), 0);
    for (int i = 0; i < ZN_DEMO_HISTORY + 7; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(say("r", "a", text), 0);
    }
    json_t *json = welcome("r"), *messages = json_object_get(json, "messages");
    assert_int_equal(json_array_size(messages), ZN_DEMO_HISTORY);
    assert_string_equal(json_string_value(json_object_get(json_array_get(messages, 0), "text")),
                        "7");
    snprintf(text, sizeof text, "%d", ZN_DEMO_HISTORY + 6);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(messages, ZN_DEMO_HISTORY - 1), "text")),
        text);
    json_decref(json);
}

static void room_stranger_cannot_speak(void **state)
{
    char name[ZN_DEMO_NAME_SIZE];

    (void)state;
    assert_int_equal(say("r", "a", "x"), -ENOENT);
    assert_int_equal(zn__demo_rooms_join(rooms, "r", "a", "Ada"), 0);
    assert_int_equal(say("r", "b", "x"), -ENOENT);
    assert_int_equal(say("r", "a", "x"), 0);
    assert_true(zn__demo_rooms_find(rooms, "r", "a", name));
    assert_string_equal(name, "Ada");
    zn__demo_rooms_leave(rooms, "r", "a");
    assert_int_equal(say("r", "a", "x"), -ENOENT);
    assert_false(zn__demo_rooms_find(rooms, "r", "a", name));
}

static void room_full_of_people_refuses(void **state)
{
    char id[ZN_DEMO_ID_SIZE];

    (void)state;
    for (int i = 0; i < ZN_DEMO_PEOPLE_MAX; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(zn__demo_rooms_join(rooms, "r", id, "x"), 0);
    }
    assert_int_equal(zn__demo_rooms_join(rooms, "r", "one more", "x"), -EUSERS);
    assert_int_equal(zn__demo_rooms_join(rooms, "r", "0", "renamed"), 0);
    zn__demo_rooms_leave(rooms, "r", "0");
    assert_int_equal(zn__demo_rooms_join(rooms, "r", "one more", "x"), 0);
}

static void rooms_full_of_people_refuse_another_room(void **state)
{
    char name[ZN_DEMO_NAME_SIZE];

    (void)state;
    for (int i = 0; i < ZN_DEMO_ROOMS_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zn__demo_rooms_join(rooms, name, "a", "Ada"), 0);
    }
    assert_int_equal(zn__demo_rooms_join(rooms, "more", "a", "Ada"), -ENOSPC);
}

static void rooms_full_give_longest_unused_empty_one_up(void **state)
{
    char name[ZN_DEMO_NAME_SIZE];

    (void)state;
    for (int i = 0; i < ZN_DEMO_ROOMS_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zn__demo_rooms_join(rooms, name, "a", "Ada"), 0);
    }
    zn__demo_rooms_leave(rooms, "9", "a");
    zn__demo_rooms_leave(rooms, "5", "a");
    assert_int_equal(zn__demo_rooms_join(rooms, "more", "a", "Ada"), 0);
    assert_null(zn__demo_rooms_welcome(rooms, "9", "Ada"));
    json_t *json = welcome("5");
    assert_non_null(json);
    json_decref(json);
}

static void rooms_list_is_bounded(void **state)
{
    char name[ZN_DEMO_NAME_SIZE], *list;

    (void)state;
    for (int i = 0; i < ZN_DEMO_LISTED + 5; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zn__demo_rooms_join(rooms, name, "a", "Ada"), 0);
    }
    list = zn__demo_rooms_list(rooms);
    json_t *json = json_loads(list, 0, NULL);
    assert_int_equal(json_array_size(json), ZN_DEMO_LISTED);
    json_decref(json);
    free(list);
}

static void rooms_list_has_fullest_first_and_tells_changes(void **state)
{
    char *list;

    (void)state;
    assert_false(zn__demo_rooms_changed(rooms));
    zn__demo_rooms_join(rooms, "b", "a", "Ada");
    zn__demo_rooms_join(rooms, "a", "a", "Ada");
    zn__demo_rooms_join(rooms, "z\"<", "a", "Ada");
    zn__demo_rooms_join(rooms, "z\"<", "g", "Grace");
    assert_true(zn__demo_rooms_changed(rooms));
    assert_false(zn__demo_rooms_changed(rooms));
    list = zn__demo_rooms_list(rooms);
    assert_string_equal(list, "[{\"room\":\"z\\\"<\",\"people\":2},{\"room\":\"a\",\"people\":1},"
                              "{\"room\":\"b\",\"people\":1}]");
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_white_space_around_is_cut),
        cmocka_unit_test(text_length_counts_characters),
        cmocka_unit_test(text_control_characters_are_refused),
        cmocka_unit_test_setup_teardown(room_keeps_last_messages_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_stranger_cannot_speak, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_full_of_people_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rooms_full_of_people_refuse_another_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rooms_full_give_longest_unused_empty_one_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rooms_list_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rooms_list_has_fullest_first_and_tells_changes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
